#include <inttypes.h>
#include <stdio.h>

#include "build/take_back.h"
#include "cli/session.h"
#include "record/ledger.h"
#include "run/target.h"

static const char *held(const Node *node)
{
    if (node->kind == NODE_SOURCE)
        return "the file that was loaded last is not loaded again until it changes";
    if (node->materialized == MATERIALIZED_HISTORY)
        return "the next run appends its own rows";
    return "it stays so until its SQL or what it reads changes, and is computed in full then";
}

static bool rollback(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    int64_t run_id;
    UndoTaken taken;
    const Node *node = project_find(project, call->arguments[0]);
    if (!node)
        return project_unknown(project, call->arguments[0], err);
    if (!target_connect(project, &conn, err) || !ledger_open(conn, err) ||
        !take_back(conn, project, node, &call->arena, &run_id, &taken, err))
        return false;
    printf("%s.%s is as it was before the publish of %s: %" PRId64 " inserted, %" PRId64 " updated, %" PRId64
           " deleted; %s\n",
           node->schema, node->table, taken.published_at, taken.counts.inserted, taken.counts.updated,
           taken.counts.deleted, held(node));
    return true;
}

int cmd_rollback(Call *call) { return session_act(call, SESSION_WHOLE, rollback); }
