#include "project/check.h"

#include <string.h>

#include "base/text.h"
#include "project/expression.h"

/* Columns every table has, and those that are added to a history. */
static bool is_always_there(const char *name, const Node *node)
{
    static const char *const system[] = {"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"};
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (str_eq(name, system[i]))
            return true;
    return node->kind == NODE_MODEL && node->materialized == MATERIALIZED_HISTORY && str_eq(name, "created_at");
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

static void read_expression(const CheckReader *r, const Value *value)
{
    ERROR_AUTO(err);
    Strings used;
    r->check->expression = value->text;
    if (!expression_check(&r->reading->scratch, value->text, &used, &err)) {
        Place place = value_place_in(value, err.column > 0 ? err.column - 1 : 0);
        reading_report(r->reading, err.column > 0 ? place : value_place(value), err.hint, "expression: %s",
                       err.message);
        return;
    }
    for (size_t i = 0; i < used.count; i++)
        column_check(r->reading, used.items[i], value_place(value), r->columns, r->node);
}

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
    size_t said = values.items[KEY_CHECK_FRESHNESS].said + values.items[KEY_CHECK_SQL].said;
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
                       "one of not_null, unique, accepted_values, relationships, expression, row_count",
                       "this item of 'checks' holds no check");
    if (!found || !found->node)
        return false;
    r->check->place = found->key_place;
    kinds[r->check->kind].read(r, found);
    const Value *severity = &values.items[KEY_CHECK_SEVERITY], *name = &values.items[KEY_CHECK_NAME];
    take_common(r, severity, name);
    return true;
}

static const char *derived_name(Arena *arena, const Check *check)
{
    TEXT_AUTO(name);
    text_append(&name, setting_get(kinds[check->kind].id)->key);
    for (size_t i = 0; i < check->columns.count; i++)
        text_appendf(&name, "_%s", check->columns.items[i]);
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

void checks_read(Reading *reading, const Value *checks, Strings columns, Node *node)
{
    if (!checks->node || checks->node->kind != YAML_LIST)
        return;
    node->checks = arena_array(&reading->project->arena, checks->node->count + 1, sizeof *node->checks);
    for (const YamlNode *item = checks->node->child; item; item = item->next) {
        Check *check = &node->checks[node->check_count];
        *check = (Check){.min = INT64_MIN, .max = INT64_MAX};
        CheckReader r = {reading, checks->file, columns, node, check};
        if (yaml_is_null(item))
            reading_report(reading, place_of(checks->file, item), NULL, "this item of 'checks' is empty");
        else if (read_check(&r, item))
            node->check_count++;
    }
    name_checks(reading, node);
}
