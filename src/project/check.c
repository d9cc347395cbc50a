#include "project/check.h"

#include <string.h>

#include "base/text.h"
#include "csv/type.h"
#include "project/check_sql.h"
#include "project/column_check.h"
#include "project/expression.h"
#include "project/vars.h"

bool column_is_system(const char *name)
{
    static const char *const system[] = {"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"};
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (str_eq(name, system[i]))
            return true;
    return false;
}

/* Columns every table has, and those that are added to a history. */
static bool is_always_there(const char *name, const Node *node)
{
    return column_is_system(name) ||
           (node->kind == NODE_MODEL && node->materialized == MATERIALIZED_HISTORY && str_eq(name, "created_at"));
}

void column_check(Reading *reading, const char *name, Place place, Strings columns, const Node *node)
{
    if (!name || columns.count == 0 || strings_have(&columns, name) || is_always_there(name, node))
        return;
    reading_report(reading, place, reading_nearest(reading, name, columns), "%s %s has no column '%s'",
                   node_kind_name(node), node->name, name);
}

void columns_check(Reading *reading, const Value *names, Strings columns, const Node *node)
{
    for (size_t i = 0; i < names->list.count; i++)
        column_check(reading, names->list.items[i], names->places[i], columns, node);
}

static bool dates_rows(CsvType type, bool integers)
{
    return type == CSV_DATE || type == CSV_TIMESTAMP || type == CSV_TIMESTAMPTZ ||
           (integers && (type == CSV_SMALLINT || type == CSV_INTEGER || type == CSV_BIGINT));
}

/* A type of the user's may be a domain over one that does: the server will tell. */
void column_check_time(Reading *reading, const char *what, const char *name, Place place, bool integers,
                       const Node *node)
{
    for (size_t i = 0; name && i < node->column_count; i++) {
        const Column *column = &node->columns[i];
        if (!str_eq(column->name, name) || !column->type)
            continue;
        CsvType type = csv_type_of(column->type).type;
        if (type != CSV_OTHER && !dates_rows(type, integers))
            reading_report(reading, place, NULL, "'%s' takes a column of type date, timestamp%s, and '%s' is %s", what,
                           integers ? ", timestamptz or integer" : " or timestamptz", name, column->type);
        return;
    }
}

typedef struct CheckReader {
    Reading *reading;
    const char *file;
    Strings columns;
    Node *node;
    Check *check;
} CheckReader;

static bool needs(const CheckReader *r, const Value *value, const Values *values, SettingId id)
{
    if (!values->items[id].said)
        reading_report(r->reading, value->key_place, NULL, "'%s' needs '%s'", setting_get(value->setting)->key,
                       setting_get(id)->key);
    return values->items[id].node != NULL;
}

static void take_column(const CheckReader *r, const Value *column)
{
    if (!column->text)
        return;
    strings_add(&r->reading->project->arena, &r->check->columns, column->text);
    column_check(r->reading, column->text, value_place(column), r->columns, r->node);
}

/* severity and name, which may stand beside a check or within its mapping. */
static void take_common(const CheckReader *r, const Value *severity, const Value *name)
{
    if (severity->node)
        r->check->warn = severity->number == 1;
    if (name->node && !*name->text)
        reading_report(r->reading, value_place(name), NULL, "'name' is empty");
    else if (name->node)
        r->check->name = name->text;
}

static void read_columns(const CheckReader *r, const Value *value)
{
    r->check->columns = value->list;
    if (value->list.count == 0)
        reading_report(r->reading, value->key_place, NULL, "'%s' names no column", setting_get(value->setting)->key);
    columns_check(r->reading, value, r->columns, r->node);
}

static void read_accepted(const CheckReader *r, const Value *value)
{
    Values v;
    values_read(r->reading, SCOPE_ACCEPTED_VALUES, VALUES_FILLED, r->file, value->node, &v);
    needs(r, value, &v, KEY_ACCEPTED_COLUMN);
    take_column(r, &v.items[KEY_ACCEPTED_COLUMN]);
    r->check->values = v.items[KEY_ACCEPTED_VALUES].list;
    if (needs(r, value, &v, KEY_ACCEPTED_VALUES) && r->check->values.count == 0)
        reading_report(r->reading, v.items[KEY_ACCEPTED_VALUES].key_place, NULL, "'values' is empty");
    take_common(r, &v.items[KEY_ACCEPTED_SEVERITY], &v.items[KEY_ACCEPTED_NAME]);
}

static void read_relationships(const CheckReader *r, const Value *value)
{
    Values v;
    values_read(r->reading, SCOPE_RELATIONSHIPS, VALUES_FILLED, r->file, value->node, &v);
    needs(r, value, &v, KEY_RELATIONSHIPS_COLUMN);
    take_column(r, &v.items[KEY_RELATIONSHIPS_COLUMN]);
    needs(r, value, &v, KEY_RELATIONSHIPS_FIELD);
    if (needs(r, value, &v, KEY_RELATIONSHIPS_TO)) {
        r->check->to = v.items[KEY_RELATIONSHIPS_TO].text;
        r->check->to_place = value_place(&v.items[KEY_RELATIONSHIPS_TO]);
    }
    r->check->field = v.items[KEY_RELATIONSHIPS_FIELD].text;
    if (r->check->field)
        r->check->field_place = value_place(&v.items[KEY_RELATIONSHIPS_FIELD]);
    take_common(r, &v.items[KEY_RELATIONSHIPS_SEVERITY], &v.items[KEY_RELATIONSHIPS_NAME]);
}

static void read_row_count(const CheckReader *r, const Value *value)
{
    Values v;
    values_read(r->reading, SCOPE_ROW_COUNT, VALUES_FILLED, r->file, value->node, &v);
    const Value *min = &v.items[KEY_ROW_COUNT_MIN], *max = &v.items[KEY_ROW_COUNT_MAX];
    if (!min->said && !max->said)
        reading_report(r->reading, value->key_place, NULL, "'row_count' needs 'min', 'max' or both");
    if (min->node)
        r->check->min = min->number;
    if (max->node)
        r->check->max = max->number;
    if (r->check->min > r->check->max)
        reading_report(r->reading, value_place(max), NULL, "'max' is less than 'min'");
    take_common(r, &v.items[KEY_ROW_COUNT_SEVERITY], &v.items[KEY_ROW_COUNT_NAME]);
}

static void read_freshness(const CheckReader *r, const Value *value)
{
    Values v;
    values_read(r->reading, SCOPE_FRESHNESS, VALUES_FILLED, r->file, value->node, &v);
    const Value *warn = &v.items[KEY_FRESHNESS_WARN_AFTER], *error = &v.items[KEY_FRESHNESS_ERROR_AFTER];
    const Value *column = &v.items[KEY_FRESHNESS_COLUMN];
    needs(r, value, &v, KEY_FRESHNESS_COLUMN);
    take_column(r, column);
    if (column->text)
        column_check_time(r->reading, "freshness", column->text, value_place(column), false, r->node);
    if (!warn->said && !error->said)
        reading_report(r->reading, value->key_place, "such as error_after: 7 days",
                       "'freshness' needs 'warn_after', 'error_after' or both");
    const Value *both[] = {warn, error};
    for (size_t i = 0; i < 2; i++)
        if (both[i]->node && both[i]->number == 0)
            reading_report(r->reading, value_place(both[i]), NULL, "'%s' is no time at all: no row is that new",
                           setting_get(both[i]->setting)->key);
    r->check->warn_after = warn->number;
    r->check->error_after = error->number;
    if (warn->number > 0 && error->number > 0 && warn->number >= error->number)
        reading_report(r->reading, value_place(warn), "warn first, and fail later",
                       "'warn_after' is not less than 'error_after'");
    take_common(r, &(Value){0}, &v.items[KEY_FRESHNESS_NAME]);
}

static void read_expression(const CheckReader *r, const Value *value)
{
    ERROR_AUTO(err);
    Strings used;
    const Written *written;
    if (!vars_fill(r->reading, value->text, &r->check->expression, &written, &err)) {
        bool first = err.line == 1; /* else only the block as a whole can be named */
        reading_report(r->reading, first ? value_place_in(value, err.column - 1) : value_place(value), err.hint,
                       "expression: %s", err.message);
        return;
    }
    if (!expression_check(&r->reading->scratch, r->check->expression, &used, &err)) {
        Place place = value_place_in(value, err.column > 0 ? written_character(written, err.column - 1) : 0);
        reading_report(r->reading, err.column > 0 ? place : value_place(value), err.hint, "expression: %s",
                       err.message);
        return;
    }
    for (size_t i = 0; i < used.count; i++)
        column_check(r->reading, used.items[i], value_place(value), r->columns, r->node);
}

static void read_sql(const CheckReader *r, const Value *value) { check_sql_read(r->reading, value, r->check); }

/* The kinds in the order of CheckKind, which is that of their keys. */
static const struct {
    SettingId id;
    void (*read)(const CheckReader *r, const Value *value);
} kinds[] = {
    [CHECK_NOT_NULL] = {KEY_CHECK_NOT_NULL, read_columns},
    [CHECK_UNIQUE] = {KEY_CHECK_UNIQUE, read_columns},
    [CHECK_ACCEPTED_VALUES] = {KEY_CHECK_ACCEPTED_VALUES, read_accepted},
    [CHECK_RELATIONSHIPS] = {KEY_CHECK_RELATIONSHIPS, read_relationships},
    [CHECK_EXPRESSION] = {KEY_CHECK_EXPRESSION, read_expression},
    [CHECK_ROW_COUNT] = {KEY_CHECK_ROW_COUNT, read_row_count},
    [CHECK_FRESHNESS] = {KEY_CHECK_FRESHNESS, read_freshness},
    [CHECK_SQL] = {KEY_CHECK_SQL, read_sql},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* True where the item is one check that could be read. */
static bool read_check(CheckReader *r, const YamlNode *item)
{
    Values values;
    values_read(r->reading, SCOPE_CHECK, VALUES_FILLED, r->file, item, &values);
    if (item->kind != YAML_MAP)
        return false;
    const Value *found = NULL;
    size_t said = 0;
    for (size_t k = 0; k < KINDS; k++) {
        const Value *value = &values.items[kinds[k].id];
        said += value->said;
        if (!value->said)
            continue;
        if (said > 1 && value->node) {
            reading_report(r->reading, value->key_place, "begin another item with '- '",
                           "one item of 'checks' holds one check, and this is a second");
            return false;
        }
        r->check->kind = (CheckKind)k;
        found = value;
    }
    bool wrong_key = item->count > said + values.items[KEY_CHECK_SEVERITY].said + values.items[KEY_CHECK_NAME].said;
    if (said == 0 && !wrong_key)
        reading_report(r->reading, place_of(r->file, item),
                       "one of not_null, unique, accepted_values, relationships, expression, row_count, freshness, sql",
                       "this item of 'checks' holds no check");
    if (!found || !found->node)
        return false;
    r->check->place = found->key_place;
    kinds[r->check->kind].read(r, found);
    const Value *severity = &values.items[KEY_CHECK_SEVERITY], *name = &values.items[KEY_CHECK_NAME];
    take_common(r, severity, name);
    if (r->check->kind == CHECK_FRESHNESS && severity->node)
        reading_report(r->reading, severity->key_place, "leave it out",
                       "'severity' is not for freshness: past warn_after it warns, past error_after it fails");
    return true;
}

static const char *derived_name(Arena *arena, const Check *check)
{
    TEXT_AUTO(name);
    text_append(&name, setting_get(kinds[check->kind].id)->key);
    for (size_t i = 0; i < check->columns.count; i++)
        text_appendf(&name, "_%s", check->columns.items[i]);
    if (check->sql_file) { /* of checks/orphans.sql: sql_orphans */
        const char *slash = strrchr(check->sql_file, '/'), *base = slash ? slash + 1 : check->sql_file;
        text_appendf(&name, "_%.*s", (int)strcspn(base, "."), base);
    }
    return arena_strdup(arena, text_str(&name));
}

/* Names that were given come first, so that a derived one gives way. */
static void name_checks(Reading *reading, Node *node)
{
    Arena *arena = &reading->project->arena;
    Index names = {.arena = &reading->scratch};
    for (size_t i = 0; i < node->check_count; i++) {
        Check *check = &node->checks[i];
        const Check *other = check->name ? index_put(&names, check->name, check) : NULL;
        if (other)
            reading_report(reading, check->place, NULL, "two checks are named '%s', the first on line %d", check->name,
                           other->place.line);
    }
    for (size_t i = 0; i < node->check_count; i++) {
        Check *check = &node->checks[i];
        if (check->name)
            continue;
        const char *base = derived_name(arena, check), *name = base;
        for (int n = 2; index_put(&names, name, check); n++)
            name = arena_printf(arena, "%s_%d", base, n);
        check->name = name;
    }
}

static void read_list(CheckReader *r, const YamlNode *list, const char *column)
{
    for (const YamlNode *item = list->child; item; item = item->next) {
        r->check = &r->node->checks[r->node->check_count];
        *r->check = (Check){.min = INT64_MIN, .max = INT64_MAX};
        if (yaml_is_null(item)) {
            reading_report(r->reading, place_of(r->file, item), NULL, "this item of 'checks' is empty");
            continue;
        }
        const YamlNode *whole = column ? column_check_item(r->reading, r->file, item, column) : item;
        if (whole && read_check(r, whole))
            r->node->check_count++;
    }
}

void checks_read(Reading *reading, const Value *checks, const ColumnChecks *of_columns, Strings columns, Node *node)
{
    bool listed = checks->node && checks->node->kind == YAML_LIST;
    size_t count = listed ? checks->node->count : 0;
    for (size_t i = 0; of_columns && i < of_columns->count; i++)
        count += of_columns->items[i].list->count;
    if (count == 0)
        return;
    node->checks = arena_array(&reading->project->arena, count + 1, sizeof *node->checks);
    CheckReader r = {reading, checks->file, columns, node, NULL};
    if (listed)
        read_list(&r, checks->node, NULL);
    for (size_t i = 0; of_columns && i < of_columns->count; i++) {
        r.file = of_columns->items[i].file;
        read_list(&r, of_columns->items[i].list, of_columns->items[i].column);
    }
    name_checks(reading, node);
}
