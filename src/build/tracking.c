#include "build/tracking.h"

#include "base/log.h"
#include "build/declared.h"
#include "publish/table.h"

bool node_is_tracked(const Node *node) { return node_is_external(node) && node->changes == CHANGES_TRIGGER; }

/* What record/track has to know, with the type of the column that dates a row as it stands. */
static bool describe(Conn *conn, const Project *project, const Node *node, Arena *arena, TrackTable *ret, Error *err)
{
    Table table;
    if (!table_find(conn, node->schema, node->table, arena, &table, err))
        return false;
    const TableColumn *column = node->time_column ? table_column(&table, node->time_column) : NULL;
    SqlRelationFacts facts = {.schema = node->schema, .name = node->table};
    if (column)
        facts.time_type = sql_time_type(column->type);
    if (facts.time_type != SQL_TIME_NONE)
        facts.time_column = node->time_column;
    *ret = declared_track(project, node, &facts);
    return true;
}

bool tracking_install(Conn *conn, const Project *project, const Node *node, Error *err)
{
    Arena arena;
    arena_init(&arena);
    TrackTable table;
    TrackChange change = TRACK_HELD;
    bool good = describe(conn, project, node, &arena, &table, err) && track_install(conn, &table, &change, err);
    if (!good && str_eq(err->sqlstate, "55P03")) { /* until then anything may have changed, which is only slow */
        log_warn("%s: its changes are not followed yet: %s", node->name, err->hint ? err->hint : err->message);
        error_clear(err);
        good = true;
    }
    if (good && change == TRACK_INSTALLED)
        log_info("%s: changes to %s.%s are followed by triggers from now on", node->name, node->schema, node->table);
    if (good && change == TRACK_RENEWED)
        log_info(
            "%s: %s.%s is not what it was when its triggers were last seen to (TRUNCATE, ATTACH, ...): anything may "
            "have changed",
            node->name, node->schema, node->table);
    arena_clear(&arena);
    return good;
}

static bool is_read(const Project *project, const Node *source, const bool *todo)
{
    for (size_t i = 0; i < project->node_count; i++)
        for (size_t j = 0; todo[i] && j < project->nodes[i]->input_count; j++)
            if (project->nodes[i]->inputs[j] == source)
                return true;
    return false;
}

bool tracking_prepare(Conn *conn, const Project *project, const bool *todo, Error *err)
{
    TrackTable *keep CLEANUP(mem_free_p) = mem_alloc((project->node_count + 1) * sizeof *keep);
    size_t count = 0;
    for (size_t i = 0; i < project->node_count; i++)
        if (node_is_tracked(project->nodes[i]))
            keep[count++] = declared_track(project, project->nodes[i], &(SqlRelationFacts){0});
    if (!track_remove_others(conn, project->name, keep, count, err))
        return false;
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        ERROR_AUTO(failure);
        if (!node_is_tracked(node) || todo[i] || !is_read(project, node, todo) ||
            tracking_install(conn, project, node, &failure))
            continue;
        if (failure.code != ERROR_FAILED) {
            error_move(err, &failure);
            return false;
        }
        log_warn("%s: its changes are not followed: %s", node->name, failure.message);
    }
    return true;
}
