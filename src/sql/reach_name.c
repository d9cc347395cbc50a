/* What a column's name means, by PostgreSQL's rules (parse_relation.c): innermost query first; within one, all of its
 * FROM items together, and more than one match is an error there and nothing sure here. */
#include <string.h>

#include "base/text.h"
#include "sql/reach_analysis.h"

bool reach_is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(words[i], word))
            return true;
    return false;
}

static bool is_system_column(const char *name)
{
    static const char *const names[] = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"};
    return reach_is_one_of(name, names, sizeof names / sizeof *names);
}

bool reach_is_star(const SqlNode *value)
{
    SqlList fields = sql_node_list(value, sql_is(value, "A_Indirection") ? "indirection" : "fields");
    return fields.count && sql_is(fields.items[fields.count - 1], "A_Star");
}

/* All items of one level that go by that name. */
static size_t items_named(const Names *level, const char *alias, const Item **ret)
{
    size_t found = 0;
    for (const Names *part = level; part; part = part->beside)
        for (size_t i = 0; i < part->item_count; i++)
            if (str_eq(part->items[i]->alias, alias)) {
                *ret = part->items[i];
                found++;
            }
    return found;
}

const Item *reach_resolve_star(const Names *names, const char *name)
{
    const Item *item = NULL;
    for (const Names *level = names; level; level = level->outer) {
        size_t found = items_named(level, name, &item);
        if (found)
            return found == 1 ? item : NULL;
    }
    return NULL;
}

static bool all_known(const Names *level)
{
    for (const Names *part = level; part; part = part->beside)
        for (size_t i = 0; i < part->item_count; i++)
            if (!part->items[i]->relation->known)
                return false;
    return true;
}

static Resolved resolve_plain(Select *select, const Names *names, const char *name, Target *ret)
{
    for (const Names *level = names; level; level = level->outer) {
        size_t found = 0;
        for (const Names *part = level; part; part = part->beside) {
            if (!analysis_work(select->analysis, part->column_count / 8))
                return RESOLVED_UNSURE;
            for (size_t i = 0; i < part->column_count; i++)
                if (strcmp(part->columns[i].name, name) == 0) {
                    *ret = (Target){.item = part->columns[i].item, .column = part->columns[i].column};
                    found++;
                }
        }
        ret->outer = level != names;
        if (!all_known(level) || found > 1)
            return RESOLVED_UNSURE;
        if (found)
            return RESOLVED_COLUMN;
        const Item *item = NULL;
        size_t rows = items_named(level, name, &item);
        ret->item = item;
        if (rows)
            return rows == 1 ? RESOLVED_ROW : RESOLVED_UNSURE;
    }
    return RESOLVED_NONE;
}

static Resolved resolve_qualified(Select *select, const Names *names, const char *alias, const char *name, Target *ret)
{
    for (const Names *level = names; level; level = level->outer) {
        const Item *item = NULL;
        size_t found = items_named(level, alias, &item);
        if (found == 0)
            continue;
        if (found > 1 || !item->relation->known || !analysis_work(select->analysis, item->relation->column_count / 8))
            return RESOLVED_UNSURE;
        size_t columns = 0;
        *ret = (Target){.item = item, .outer = level != names};
        for (size_t i = 0; i < item->relation->column_count; i++)
            if (strcmp(item->names[i], name) == 0) {
                ret->column = i;
                columns++;
            }
        /* None: `t.f` is also a way to call f(t). */
        return columns == 1 ? RESOLVED_COLUMN : columns ? RESOLVED_UNSURE : RESOLVED_NONE;
    }
    return RESOLVED_NONE;
}

/* `s.t.c` is not followed; but where no t has a c, it calls a function. */
static Resolved resolve_further(Select *select, const Names *names, SqlList fields)
{
    Target ignored;
    const char *alias = sql_string_value(fields.items[fields.count - 2]);
    const char *name = sql_string_value(fields.items[fields.count - 1]);
    bool known =
        fields.count == 3 && alias && name && resolve_qualified(select, names, alias, name, &ignored) != RESOLVED_NONE;
    return known ? RESOLVED_UNSURE : RESOLVED_NONE;
}

Resolved reach_resolve(Select *select, const Names *names, const SqlNode *column_ref, Target *ret)
{
    *ret = (Target){0};
    SqlList fields = sql_node_list(column_ref, "fields");
    const char *first = fields.count ? sql_string_value(fields.items[0]) : NULL;
    const char *last = fields.count ? sql_string_value(fields.items[fields.count - 1]) : NULL;
    if (!first || !last)
        return RESOLVED_UNSURE;
    if (is_system_column(last))
        return RESOLVED_NONE;
    if (fields.count > 2)
        return resolve_further(select, names, fields);
    if (fields.count == 1)
        return resolve_plain(select, names, first, ret);
    return resolve_qualified(select, names, first, last, ret);
}
