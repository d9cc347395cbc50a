#include "run/load_file.h"

#include "publish/table.h"
#include "run/target.h"

static bool take_types(const Project *project, Node *node, Arena *arena, Error *err)
{
    CONN_AUTO(conn);
    Table table;
    if (!target_connect(project, &conn, err) || !table_find(conn, node->schema, node->table, arena, &table, err))
        return false;
    for (size_t i = 0; i < node->column_count; i++) {
        const TableColumn *there = table_column(&table, node->columns[i].name);
        if (there)
            node->columns[i].type = there->type;
    }
    return true;
}

static bool load_node(const Project *project, Node *node, const RunListener *listener, const FileLoad *load, bool wait,
                      RunSummary *ret, Error *err)
{
    bool chosen = true;
    Project alone = *project;
    alone.nodes = &node;
    alone.node_count = 1;
    Selection selection = {.chosen = &chosen, .named = &chosen, .count = 1};
    RunOptions options = {
        .selection = &selection, .command = load->command, .wait = wait, .by_hand = true, .listener = *listener};
    return run_project(&alone, &options, ret, err);
}

bool run_load_file(const Project *project, const FileLoad *load, const RunListener *listener, bool wait,
                   RunSummary *ret, Error *err)
{
    Arena arena;
    arena_init(&arena);
    Node node = {
        .kind = NODE_SOURCE,
        .name = load->table,
        .schema = project->target.schema,
        .table = load->table,
        .place = {.file = load->shown},
        .csv = load->path,
        .csv_shown = load->shown,
        .columns = arena_array(&arena, load->column_count, sizeof(Column)),
        .column_count = load->column_count,
        .mode = LOAD_REPLACE,
        .retries = 3,
        .zone = project->zone,
    };
    for (size_t i = 0; i < load->column_count; i++)
        node.columns[i] = load->columns[i];
    bool good = take_types(project, &node, &arena, err) && load_node(project, &node, listener, load, wait, ret, err);
    arena_clear(&arena);
    return good;
}
