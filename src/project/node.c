#include "project/node.h"

#include <string.h>

#include "base/text.h"

enum { KEEP_DEFAULT_DAYS = 30 };

/* Characters that would mean something in a selection, a path or a shell, or that part words. */
static const char *wrong_character(const char *name)
{
    return strpbrk(name, " \t\r\n\v\f\"'`\\/+@,:*?.;$&|<>(){}[]!#~%^=");
}

static bool check_name(Reading *reading, const char *name, Place place)
{
    const char *wrong = wrong_character(name);
    const char *hint = "rename the file; `table:` may give the relation any name";
    if (!values_check_name(reading, name, "a file", place))
        return false;
    if (wrong)
        reading_report(reading, place, hint, "'%s' cannot be a name: it holds '%c'", name, *wrong);
    else if (name[0] == '-')
        reading_report(reading, place, hint, "'%s' cannot be a name: it begins with '-'", name);
    else if (name[strspn(name, "0123456789")] == '\0')
        reading_report(reading, place, hint, "'%s' cannot be a name: it is a number", name);
    else
        return true;
    return false;
}

Node *node_add(Reading *reading, NodeKind kind, const char *path, const char *ending)
{
    Project *project = reading->project;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    Node *node = arena_alloc(&project->arena, sizeof *node);
    node->kind = kind;
    node->name = arena_strndup(&project->arena, base, strlen(base) - strlen(ending));
    node->table = node->name;
    node->schema = project->target.schema;
    node->path = path;
    node->place = (Place){arena_printf(&project->arena, "%s%s", reading->prefix, path), 1, 1};
    node->zone = project->zone;
    node->keep = INT64_C(1000000) * 86400 * KEEP_DEFAULT_DAYS;
    if (!check_name(reading, node->name, node->place))
        return NULL;
    const Node *other = index_put(&reading->nodes, node->name, node);
    if (other) {
        reading_report(reading, node->place, "rename one of the two; `table:` may give its relation any name",
                       "the name '%s' is taken by %s", node->name, other->place.file);
        return NULL;
    }
    project->nodes[project->node_count++] = node;
    return node;
}

void node_read_common(Reading *reading, const Values *values, Node *node)
{
    bool source = node->kind == NODE_SOURCE;
    const Value *table = &values->items[source ? KEY_SOURCE_TABLE : KEY_MODEL_TABLE];
    const Value *schema = &values->items[source ? KEY_SOURCE_SCHEMA : KEY_MODEL_SCHEMA];
    const Value *schedule = &values->items[source ? KEY_SOURCE_SCHEDULE : KEY_MODEL_SCHEDULE];
    const Value *zone = &values->items[source ? KEY_SOURCE_TIMEZONE : KEY_MODEL_TIMEZONE];
    const Value *tags = &values->items[source ? KEY_SOURCE_TAGS : KEY_MODEL_TAGS];
    node->description = values->items[source ? KEY_SOURCE_DESCRIPTION : KEY_MODEL_DESCRIPTION].text;
    node->owner = values->items[source ? KEY_SOURCE_OWNER : KEY_MODEL_OWNER].text;
    node->tags = tags->list;
    if (table->node)
        node->table = table->text;
    if (schema->node)
        node->schema = schema->text;
    if (str_eq(node->schema, "sluice"))
        reading_report(reading, schema->node ? value_place(schema) : node->place, NULL,
                       "the schema 'sluice' holds the program's own record");
    bool external = source && !values->items[KEY_SOURCE_CSV].node;
    if (!external && (str_starts(node->schema, "pg_") || str_eq(node->schema, "information_schema")))
        reading_report(reading, schema->node ? value_place(schema) : node->place, NULL,
                       "the schema '%s' is PostgreSQL's own", node->schema);
    if (schedule->node) {
        node->schedule = schedule->text;
        node->schedule_place = value_place(schedule);
        node->cron = schedule->cron;
    }
    if (zone->node)
        node->zone = zone->zone;
    for (size_t i = 0; i < tags->list.count; i++)
        if (!*tags->list.items[i] || strpbrk(tags->list.items[i], " \t\n,"))
            reading_report(reading, tags->places[i], NULL,
                           "'%s' cannot be a tag: it is empty or holds a space or comma", tags->list.items[i]);
}

Strings node_columns(const Node *node, Arena *arena)
{
    Strings names = {0};
    if (node->kind == NODE_MODEL)
        return node->output;
    for (size_t i = 0; i < node->column_count; i++)
        strings_add(arena, &names, node->columns[i].name);
    return names;
}
