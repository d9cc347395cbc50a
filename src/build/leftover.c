#include "build/leftover.h"

#include "pg/rows.h"
#include "record/ledger.h"

static bool has_relation(const Project *project, const char *schema, const char *table)
{
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        if (!node_is_ephemeral(node) && str_eq(node->schema, schema) && str_eq(node->table, table))
            return true;
    }
    return false;
}

bool leftover_find(Conn *conn, const Project *project, Arena *arena, Leftover **ret, size_t *ret_count, Error *err)
{
    ROWS_AUTO(rows);
    *ret_count = 0;
    if (!ledger_relations(conn, project->name, project->target.name, &rows, err))
        return false;
    *ret = arena_array(arena, (size_t)rows_count(rows), sizeof **ret);
    for (int i = 0; i < rows_count(rows); i++) {
        bool by_hand = str_eq(rows_get(rows, i, 3), "load"); /* `sluice load` of a file that is no source */
        if (by_hand || has_relation(project, rows_get(rows, i, 0), rows_get(rows, i, 1)))
            continue;
        (*ret)[(*ret_count)++] = (Leftover){
            .schema = arena_strdup(arena, rows_get(rows, i, 0)),
            .table = arena_strdup(arena, rows_get(rows, i, 1)),
            .node = arena_strdup(arena, rows_get(rows, i, 2)),
            .materialized = arena_strdup(arena, rows_get(rows, i, 4)),
        };
    }
    return true;
}
