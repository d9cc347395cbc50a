#include "project/named.h"

#include <string.h>

#include "base/text.h"
#include "project/check.h"
#include "project/node.h"
#include "sql/lineage.h"
#include "sql/place.h"

struct NamedColumns { /* of one model */
    const Node *node;
    const SqlMissing *items;
    size_t count;
};

static bool nothing_known(const char *schema, const char *table, const char *const **ret, size_t *ret_count, void *data)
{
    (void)schema, (void)table, (void)ret, (void)ret_count, (void)data;
    return false;
}

static SqlOrigins keep_tables(Arena *arena, SqlOrigins tables)
{
    SqlOrigin *kept = arena_array(arena, tables.count, sizeof *kept);
    for (size_t i = 0; i < tables.count; i++)
        kept[i] =
            (SqlOrigin){arena_strdup(arena, tables.items[i].schema), arena_strdup(arena, tables.items[i].table), NULL};
    return (SqlOrigins){kept, tables.count};
}

void named_take(Reading *reading, const SqlTree *tree, Node *node)
{
    Arena *arena = &reading->project->arena;
    SqlLineage lineage;
    if (!reading->named)
        return;
    sql_lineage(&reading->scratch, tree, &(SqlLineageTables){nothing_known, NULL}, &lineage);
    SqlMissing *kept = arena_array(arena, lineage.missing_count, sizeof *kept);
    for (size_t i = 0; i < lineage.missing_count; i++) {
        const SqlMissing *one = &lineage.missing[i];
        kept[i] = (SqlMissing){.table = arena_strdup(arena, one->table),
                               .column = arena_strdup(arena, one->column),
                               .tables = keep_tables(arena, one->tables),
                               .near = arena_strdup(arena, one->near),
                               .offset = one->offset};
    }
    reading->named[reading->named_count++] = (NamedColumns){node, kept, lineage.missing_count};
}

static const Node *node_of(const Node *of, const SqlOrigin *table)
{
    for (size_t i = 0; i < of->reference_count; i++) {
        const Reference *ref = &of->references[i];
        if (str_eq(ref->name, table->table) && str_eq(ref->schema, table->schema))
            return ref->node;
    }
    return NULL;
}

/* A table that others write may have more columns than its source says, and one that keeps columns which its query no
 * longer has may have any. */
static bool is_sure(const Node *node)
{
    if (node->kind == NODE_SOURCE)
        return node->csv && node->column_count > 0;
    bool keeps = node->on_schema_change == SCHEMA_IGNORE || node->on_schema_change == SCHEMA_APPEND_NEW;
    return node->output.count > 0 && (node_is_query(node) || !keeps);
}

/* False where the column is there, or may be. */
static bool is_missing(Reading *reading, const Node *node, const SqlMissing *one, Strings *ret_columns)
{
    *ret_columns = (Strings){0};
    if (column_is_system(one->column))
        return false;
    for (size_t i = 0; i < one->tables.count; i++) {
        const Node *table = node_of(node, &one->tables.items[i]);
        if (!table || !is_sure(table))
            return false;
        Strings columns = node_columns(table, &reading->scratch);
        bool stamped = table->kind == NODE_MODEL && table->materialized == MATERIALIZED_HISTORY;
        if (strings_have(&columns, one->column) || (stamped && str_eq(one->column, "created_at")))
            return false;
        for (size_t j = 0; j < columns.count; j++)
            strings_add(&reading->scratch, ret_columns, columns.items[j]);
        if (stamped)
            strings_add(&reading->scratch, ret_columns, "created_at");
    }
    return true;
}

static void report(Reading *reading, const Node *node, const SqlMissing *one, Strings columns)
{
    Arena *arena = &reading->project->arena;
    int line, column;
    sql_offset_to_line(node->sql, one->offset, &line, &column);
    line += node->sql_line - 1;
    node_place(node, &line, &column);
    const char *hint = reading_nearest(reading, one->column, columns);
    if (!hint && one->near)
        hint = arena_printf(arena, "did you mean '%s'?", one->near);
    reading_report(reading, (Place){node->place.file, line, column}, hint, "%s has no column '%s'",
                   one->table ? one->table : "what is read here", one->column);
}

/* What a recursive CTE names is read more than once. */
static bool is_first(const NamedColumns *of, size_t item)
{
    for (size_t i = 0; i < item; i++)
        if (of->items[i].offset == of->items[item].offset)
            return false;
    return true;
}

void named_prepare(Reading *reading, size_t models)
{
    reading->named = arena_array(&reading->project->arena, models + 1, sizeof *reading->named);
}

void named_check(Reading *reading)
{
    Strings columns;
    for (size_t i = 0; i < reading->named_count; i++) {
        const NamedColumns *of = &reading->named[i];
        for (size_t j = 0; j < of->count; j++)
            if (is_missing(reading, of->node, &of->items[j], &columns) && is_first(of, j))
                report(reading, of->node, &of->items[j], columns);
        arena_clear(&reading->scratch);
    }
}
