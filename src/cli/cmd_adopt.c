#include <stdio.h>

#include "build/own.h"
#include "cli/session.h"
#include "record/ledger.h"
#include "run/target.h"

static bool adopt(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    const char *kind, *from;
    const Node *node = project_find(project, call->arguments[0]);
    if (!node)
        return project_unknown(project, call->arguments[0], err);
    if (!target_connect(project, &conn, err) || !ledger_open(conn, err) ||
        !own_adopt(conn, project, node, &call->arena, &kind, &from, err))
        return false;
    printf("adopted %s %s.%s%s%s: from now on %s writes it, and the next run makes its rows those of %s\n", kind,
           node->schema, node->table, from ? " from project " : "", from ? from : "", node->name, node->name);
    return true;
}

int cmd_adopt(Call *call) { return session_act(call, SESSION_WHOLE, adopt); }
