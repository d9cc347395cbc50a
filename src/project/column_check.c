#include "project/column_check.h"

#include "base/text.h"
#include "project/setting.h"

typedef struct Expander {
    Reading *reading;
    const char *file;
    const char *column;
} Expander;

/* A node that stands where another one does. */
static YamlNode *node_at(const Expander *e, const YamlNode *place, YamlKind kind, const char *text)
{
    YamlNode *node = arena_alloc(&e->reading->scratch, sizeof *node);
    *node = (YamlNode){.kind = kind, .style = YAML_QUOTED, .line = place->line, .column = place->column, .text = text};
    return node;
}

static void add_child(const Expander *e, YamlNode *parent, const char *key, const YamlNode *key_place, YamlNode *child)
{
    YamlNode **end = &parent->child;
    while (*end)
        end = &(*end)->next;
    child->key = node_at(e, key_place, YAML_TEXT, key);
    child->next = NULL;
    *end = child;
    parent->count++;
}

/* [column] */
static YamlNode *column_list(const Expander *e, const YamlNode *place)
{
    YamlNode *list = node_at(e, place, YAML_LIST, NULL);
    list->child = node_at(e, place, YAML_TEXT, e->column);
    list->count = 1;
    return list;
}

/* {column: column, ...}: of a mapping its own keys beside it, of anything else the one key `only`. */
static YamlNode *with_column(const Expander *e, const YamlNode *value, const char *only)
{
    YamlNode *map = node_at(e, value, YAML_MAP, NULL);
    add_child(e, map, "column", value, node_at(e, value, YAML_TEXT, e->column));
    for (const YamlNode *child = value->kind == YAML_MAP ? value->child : NULL; child; child = child->next) {
        YamlNode *copy = arena_alloc(&e->reading->scratch, sizeof *copy);
        *copy = *child;
        add_child(e, map, child->key->text, child->key, copy);
    }
    if (value->kind != YAML_MAP) {
        YamlNode *copy = arena_alloc(&e->reading->scratch, sizeof *copy);
        *copy = *value;
        add_child(e, map, only, value, copy);
    }
    return map;
}

static bool report(const Expander *e, const YamlNode *place, const char *hint, const char *key, const char *what)
{
    reading_report(e->reading, place_of(e->file, place), hint, "'%s' %s '%s'", key, what, e->column);
    return false;
}

static bool says_column(const YamlNode *value)
{
    for (const YamlNode *child = value->kind == YAML_MAP ? value->child : NULL; child; child = child->next)
        if (str_eq(child->key->text, "column"))
            return true;
    return false;
}

/* Adds one key of the item to the long form. */
static bool expand(const Expander *e, const YamlNode *child, YamlNode *ret)
{
    static const char *const listed[] = {"accepted_values", "relationships", "freshness"};
    static const char *const only[] = {"values", "to", "error_after"};
    const char *key = child->key->text;
    if (str_eq(key, "row_count") || str_eq(key, "sql"))
        return report(e, child->key, "say it under the model's own checks:", key,
                      "is about the whole table, and stands under the column");
    if (str_eq(key, "not_null") || str_eq(key, "unique")) {
        if (!yaml_is_null(child))
            return report(e, child,
                          "leave the value out; checks of several columns stand under the model's own checks:", key,
                          "stands under its column, which is");
        add_child(e, ret, key, child->key, column_list(e, child->key));
        return true;
    }
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
        if (!str_eq(key, listed[i]))
            continue;
        if (says_column(child))
            return report(e, child, "leave it out", "column", "is said by the place, under");
        add_child(e, ret, key, child->key, with_column(e, child, only[i]));
        return true;
    }
    YamlNode *copy = arena_alloc(&e->reading->scratch, sizeof *copy);
    *copy = *child;
    add_child(e, ret, key, child->key, copy);
    return true;
}

const YamlNode *column_check_item(Reading *reading, const char *file, const YamlNode *item, const char *column)
{
    Expander e = {reading, file, column};
    YamlNode *whole = node_at(&e, item, YAML_MAP, NULL);
    if (item->kind == YAML_TEXT) {
        if (str_eq(item->text, "not_null") || str_eq(item->text, "unique")) {
            add_child(&e, whole, item->text, item, column_list(&e, item));
            return whole;
        }
        static const char *words[] = {"not_null", "unique"};
        const char *near = reading_nearest(reading, item->text, (Strings){words, 2});
        reading_report(reading, place_of(file, item),
                       near ? near : "not_null, unique, or a mapping such as {accepted_values: [open, closed]}",
                       "'%s' is no check of a column that is one word", item->text);
        return NULL;
    }
    bool good = true;
    for (const YamlNode *child = item->kind == YAML_MAP ? item->child : NULL; child; child = child->next)
        good = expand(&e, child, whole) && good;
    return item->kind == YAML_LIST ? item : good ? whole : NULL;
}
