#include <stdio.h>

#include "base/text.h"
#include "cli/record_listing.h"
#include "cli/session.h"
#include "record/ledger.h"

enum { COLUMNS = 10 };

/* For programs all of them, for people the first few. */
static const ListingColumn all[COLUMNS] = {{"node", LISTING_TEXT},         {"materialized", LISTING_TEXT},
                                           {"last_outcome", LISTING_TEXT}, {"published_at", LISTING_TIME},
                                           {"run", LISTING_NUMBER},        {"rows", LISTING_NUMBER},
                                           {"next_tick", LISTING_TIME},    {"error", LISTING_LONG},
                                           {"table", LISTING_TEXT},        {"last_started", LISTING_TIME}};
enum { COLUMNS_FOR_PEOPLE = 8, NEXT_TICK = 6, TABLE = 8 };

typedef struct Status {
    const Project *project;
    const Rows *rows; /* NULL: nothing is recorded */
    Listing *listing;
    Arena *arena;
} Status;

/* What was done, and is gone: a table that was dropped since. */
static bool is_undone(const Rows *rows, int row)
{
    const char *outcome = record_get(rows, row, "last_outcome");
    return !record_get(rows, row, "published_at") && (str_eq(outcome, "ok") || str_eq(outcome, "unchanged"));
}

static int find_row(const Status *status, const Node *node)
{
    for (int i = 0; status->rows && i < rows_count(status->rows); i++)
        if (str_eq(record_get(status->rows, i, "schema"), node->schema) &&
            str_eq(record_get(status->rows, i, "table"), node->table))
            return is_undone(status->rows, i) && !node_is_external(node) ? -1 : i;
    return -1;
}

static const char *next_tick(const Status *status, const Node *node)
{
    Instant next;
    if (!node->schedule || !cron_next(&node->cron, node->zone, clock_now(), &next))
        return NULL;
    char text[CLOCK_TEXT];
    zone_format(node->zone, next, text);
    return arena_strdup(status->arena, text);
}

static const char *node_materialized(const Node *node)
{
    return node->kind == NODE_SOURCE ? "source" : materialized_name(node->materialized);
}

/* node NULL: a table that the project no longer describes. row -1: nothing is recorded of the node. */
static void add(const Status *status, const Node *node, int row)
{
    const char *schema = row < 0 ? node->schema : record_get(status->rows, row, "schema");
    const char *table = row < 0 ? node->table : record_get(status->rows, row, "table");
    const char *cells[COLUMNS] = {node ? node->name : record_get(status->rows, row, "node"),
                                  node ? node_materialized(node) : record_get(status->rows, row, "materialized")};
    for (int i = 2; row >= 0 && i < COLUMNS; i++)
        cells[i] = record_get(status->rows, row, all[i].name);
    cells[NEXT_TICK] = node ? next_tick(status, node) : NULL;
    cells[TABLE] = arena_printf(status->arena, "%s.%s", schema, table);
    listing_add(status->listing, cells);
}

/* Of a node that is gone, and there is no table: the last that was tried of it is nobody's concern any more. */
static bool in_vain(const Status *status, int row)
{
    return !record_get(status->rows, row, "published_at") && record_get(status->rows, row, "last_outcome");
}

static void fill(const Status *status)
{
    int count = status->rows ? rows_count(status->rows) : 0;
    bool *shown = arena_array(status->arena, (size_t)count + 1, sizeof(bool));
    for (size_t i = 0; i < status->project->node_count; i++) {
        const Node *node = status->project->nodes[i];
        if (node->kind == NODE_MODEL && node->materialized == MATERIALIZED_EPHEMERAL)
            continue;
        int row = find_row(status, node);
        if (row >= 0)
            shown[row] = true;
        add(status, node, row);
    }
    for (int row = 0; row < count; row++)
        if (!shown[row] && !in_vain(status, row))
            add(status, NULL, row);
}

static bool show(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    ROWS_AUTO(rows);
    bool exists, json = str_eq(call_value(call, "format"), "json");
    if (!record_open(project, &conn, &exists, err) ||
        (exists && !ledger_status(conn, project->name, project->target.name, &rows, err)))
        return false;
    LISTING_AUTO(listing);
    listing_init(&listing, all, COLUMNS);
    Status status = {project, rows, &listing, &call->arena};
    fill(&status);
    listing_print_first(&listing, json ? COLUMNS : COLUMNS_FOR_PEOPLE, json, stdout);
    return true;
}

int cmd_status(Call *call) { return session_act(call, SESSION_WHOLE, show); }
