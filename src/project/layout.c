#include "project/layout.h"

#include "base/text.h"
#include "project/upkeep.h"

/* --- indexes ----------------------------------------------------------------------------------------------------- */

static bool same_columns(const Strings *a, const Strings *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++)
        same = str_eq(a->items[i], b->items[i]);
    return same;
}

static bool names_system_column(Reading *reading, const Value *names)
{
    for (size_t i = 0; i < names->list.count; i++)
        if (column_is_system(names->list.items[i])) {
            reading_report(reading, names->places[i], NULL, "'%s' is a system column, and cannot be indexed",
                           names->list.items[i]);
            return true;
        }
    return false;
}

/* One index: item is a list of columns, or one column's name. */
static void read_index(Reading *reading, const Value *indexes, const YamlNode *item, Strings columns, Node *node)
{
    Value names = {.node = item, .file = indexes->file};
    Place place = place_of(indexes->file, item);
    if (!values_names(reading, indexes->setting, &names) || names_system_column(reading, &names))
        return;
    if (names.list.count == 0 || names.list.count > INDEX_COLUMNS_MAX) {
        reading_report(reading, place, NULL, "an index has 1 to %d columns, and this one has %zu", INDEX_COLUMNS_MAX,
                       names.list.count);
        return;
    }
    columns_check(reading, &names, columns, node);
    for (size_t i = 0; i < node->index_count; i++)
        if (same_columns(&node->indexes[i], &names.list)) {
            reading_report(reading, place, NULL, "'indexes' has this one twice");
            return;
        }
    node->indexes[node->index_count++] = names.list;
}

static void read_indexes(Reading *reading, const Value *indexes, Strings columns, Node *node)
{
    if (!upkeep_has_rows(reading, indexes, node, true) || !indexes->node->child)
        return;
    size_t lists = 0;
    for (const YamlNode *item = indexes->node->child; item; item = item->next)
        lists += item->kind == YAML_LIST;
    if (lists > INDEXES_MAX) {
        reading_report(reading, indexes->key_place, NULL, "more than %d indexes", INDEXES_MAX);
        return;
    }
    node->indexes = arena_array(&reading->project->arena, lists + 1, sizeof *node->indexes);
    if (lists == 0) {
        read_index(reading, indexes, indexes->node, columns, node);
        return;
    }
    for (const YamlNode *item = indexes->node->child; item; item = item->next)
        if (item->kind == YAML_LIST)
            read_index(reading, indexes, item, columns, node);
        else
            reading_report(reading, place_of(indexes->file, item),
                           "such as [[a], [b, c]]: two indexes, one of them on two columns",
                           "'indexes' is a list of lists, and this is %s", yaml_kind_name(item));
}

/* --- grants ------------------------------------------------------------------------------------------------------ */

static void read_grants(Reading *reading, const Value *grants, Node *node)
{
    static const SettingId privileges[] = {KEY_GRANTS_SELECT, KEY_GRANTS_INSERT,     KEY_GRANTS_UPDATE,
                                           KEY_GRANTS_DELETE, KEY_GRANTS_REFERENCES, KEY_GRANTS_TRIGGER};
    enum { COUNT = sizeof privileges / sizeof *privileges };
    if (!grants->node)
        return;
    Values v;
    values_read(reading, SCOPE_GRANTS, VALUES_FILLED, grants->file, grants->node, &v);
    node->grants = arena_array(&reading->project->arena, COUNT, sizeof *node->grants);
    for (size_t i = 0; i < COUNT; i++) {
        const Value *roles = &v.items[privileges[i]];
        if (roles->node && roles->list.count > 0)
            node->grants[node->grant_count++] = (Grant){setting_get(privileges[i])->key, roles->list, roles->key_place};
    }
}

/* An external table is its owner's to index and to grant: check_needs_csv() has reported it. */
void layout_read(Reading *reading, const Values *values, Strings columns, Node *node)
{
    bool source = node->kind == NODE_SOURCE;
    if (node_is_external(node))
        return;
    read_indexes(reading, &values->items[source ? KEY_SOURCE_INDEXES : KEY_MODEL_INDEXES], columns, node);
    read_grants(reading, &values->items[source ? KEY_SOURCE_GRANTS : KEY_MODEL_GRANTS], node);
}

/* --- columns ----------------------------------------------------------------------------------------------------- */

static void read_column(Reading *reading, const Value *value, const YamlNode *child, Node *node, ColumnChecks *ret)
{
    Values v;
    Place place = place_of(value->file, child->key);
    const char *name = arena_strdup(&reading->project->arena, child->key->text);
    if (child->kind != YAML_MAP) {
        reading_report(reading, place_of(value->file, child), "such as ratio: {description: Defaults per loan}",
                       "column '%s' takes a mapping, and this is %s", name, yaml_kind_name(child));
        return;
    }
    values_read(reading, SCOPE_MODEL_COLUMN, VALUES_FILLED, value->file, child, &v);
    node->column_notes[node->column_note_count++] =
        (ColumnNote){name, v.items[KEY_MODEL_COLUMN_DESCRIPTION].text, place};
    const Value *checks = &v.items[KEY_MODEL_COLUMN_CHECKS];
    if (!checks->node || yaml_is_null(checks->node))
        return;
    if (node->materialized == MATERIALIZED_EPHEMERAL)
        reading_report(reading, checks->key_place, "an ephemeral model stands inside those that read it: say it there",
                       "'checks' needs a table, and an ephemeral model has none");
    else
        ret->items[ret->count++] = (ColumnCheckList){name, value->file, checks->node};
}

void layout_read_columns(Reading *reading, const Value *value, Strings columns, Node *node, ColumnChecks *ret)
{
    *ret = (ColumnChecks){0};
    if (!value->node || !value->node->child)
        return;
    size_t count = value->node->count;
    node->column_notes = arena_array(&reading->project->arena, count, sizeof *node->column_notes);
    ret->items = arena_array(&reading->scratch, count, sizeof *ret->items);
    for (const YamlNode *child = value->node->child; child; child = child->next) {
        Place place = place_of(value->file, child->key);
        if (!values_check_name(reading, child->key->text, "a column", place))
            continue;
        column_check(reading, child->key->text, place, columns, node);
        read_column(reading, value, child, node, ret);
    }
}
