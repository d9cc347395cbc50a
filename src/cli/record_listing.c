#include "cli/record_listing.h"

#include <string.h>

#include "base/text.h"
#include "record/ledger.h"
#include "run/target.h"

bool record_open(const Project *project, Conn **ret_conn, bool *ret_exists, Error *err)
{
    TxnOptions options = {.timezone = project->timezone, .repeatable_read = true, .read_only = true};
    return target_connect(project, ret_conn, err) && conn_begin(*ret_conn, &options, err) &&
           ledger_exists(*ret_conn, ret_exists, err);
}

static ListingKind record_kind(const char *name)
{
    static const char *const numbers[] = {"run",      "seconds", "steps",   "failed",      "rows",
                                          "inserted", "updated", "deleted", "failed_rows", "line"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (str_eq(name, numbers[i]))
            return LISTING_NUMBER;
    if (str_ends(name, "_at") || str_eq(name, "last_started") || str_eq(name, "tick") || str_eq(name, "last_tick"))
        return LISTING_TIME;
    if (str_eq(name, "decision") || str_eq(name, "touched"))
        return LISTING_RARE;
    if (str_eq(name, "error"))
        return LISTING_LONG;
    if (str_eq(name, "row"))
        return LISTING_JSON;
    return LISTING_TEXT;
}

static int column_named(const Rows *rows, const char *name, size_t len)
{
    for (int i = 0; i < rows_columns(rows); i++)
        if (strlen(rows_name(rows, i)) == len && strncmp(rows_name(rows, i), name, len) == 0)
            return i;
    return -1;
}

const char *record_get(const Rows *rows, int row, const char *name)
{
    int column = column_named(rows, name, strlen(name));
    return column < 0 ? NULL : rows_get(rows, row, column);
}

/* Numbers of the result's columns, in the order to be shown; returns how many. */
static size_t choose_columns(const Rows *rows, const char *names, int *ret_chosen)
{
    size_t n = 0;
    if (!names)
        for (int i = 0; i < rows_columns(rows); i++)
            ret_chosen[n++] = i;
    while (names && *names) {
        size_t len = strcspn(names, " ");
        int column = column_named(rows, names, len);
        if (column >= 0 && n < (size_t)rows_columns(rows))
            ret_chosen[n++] = column;
        names += len + (names[len] == ' ');
    }
    return n;
}

void record_listing(const Rows *rows, const char *names, Listing *ret_listing)
{
    listing_init(ret_listing, NULL, 0);
    if (!rows)
        return;
    Arena *arena = &ret_listing->arena;
    size_t room = (size_t)rows_columns(rows);
    int *chosen = arena_array(arena, room, sizeof *chosen);
    size_t n = choose_columns(rows, names, chosen);
    ListingColumn *columns = arena_array(arena, n, sizeof *columns);
    for (size_t i = 0; i < n; i++) {
        const char *name = arena_strdup(arena, rows_name(rows, chosen[i]));
        columns[i] = (ListingColumn){name, record_kind(name)};
    }
    ret_listing->columns = columns;
    ret_listing->column_count = ret_listing->stride = n;
    const char **cells = arena_array(arena, n, sizeof *cells);
    for (int row = 0; row < rows_count(rows); row++) {
        for (size_t i = 0; i < n; i++)
            cells[i] = rows_get(rows, row, chosen[i]);
        listing_add(ret_listing, cells);
    }
}
