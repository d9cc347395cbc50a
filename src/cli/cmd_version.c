#include <stdio.h>

#include "cli/call.h"

int cmd_version(Call *call)
{
    (void)call;
    puts("sluice " SLUICE_VERSION);
    return 0;
}
