#include <stdio.h>

#include "base/text.h"
#include "cli/call.h"
#include "cli/manual.h"

int cmd_help(Call *call)
{
    const char *format = call_value(call, "format");
    if (str_eq(format, "man")) {
        manual_page(stdout);
        return 0;
    }
    if (str_eq(format, "markdown")) {
        manual_reference(stdout);
        return 0;
    }
    if (call->argument_count == 0) {
        manual_all(stdout);
        return 0;
    }
    const Command *command = command_find(call->arguments[0]);
    if (!command) {
        ERROR_AUTO(err);
        call_unknown_command(call->arguments[0], &err);
        return call_failed(&err);
    }
    manual_command(command, stdout);
    return 0;
}
