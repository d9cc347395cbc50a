#include <stdio.h>

#include "base/text.h"
#include "build/own.h"
#include "cli/session.h"
#include "record/ledger.h"
#include "run/target.h"

static bool drop(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    TEXT_AUTO(what);
    const char *name = call->arguments[0];
    if (!target_connect(project, &conn, err) || !ledger_open(conn, err) || !own_drop(conn, project, name, &what, err))
        return false;
    printf("dropped %s\n", text_str(&what));
    return true;
}

int cmd_drop(Call *call) { return session_act(call, SESSION_WHOLE, drop); }
