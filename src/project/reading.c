#include "project/reading.h"

#include <string.h>

#include "base/text.h"

Place place_of(const char *file, const YamlNode *node) { return (Place){file, node->line, node->column}; }

Place place_in(const char *file, const YamlNode *node, int character)
{
    Place place = {.file = file};
    yaml_place_in(node, character, &place.line, &place.column);
    return place;
}

enum { MESSAGE_MAX = 400 }; /* bytes */

__attribute__((format(printf, 4, 0))) static void report(Errors *errors, Place place, const char *hint, const char *fmt,
                                                         va_list ap)
{
    TEXT_AUTO(message);
    text_vappendf(&message, fmt, ap);
    TEXT_AUTO(shown); /* names come from files: one line, whatever they hold */
    text_append_shown(&shown, text_str(&message), message.len, MESSAGE_MAX);
    errors_report(errors, place.file, place.line, place.column, hint, "%s", text_str(&shown));
}

void reading_report(Reading *reading, Place place, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(reading->errors, place, hint, fmt, ap);
    va_end(ap);
}

void reading_warn(Reading *reading, Place place, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(&reading->project->warnings, place, hint, fmt, ap);
    va_end(ap);
}

void reading_unread(Reading *reading, Place place, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(&reading->project->unread, place, hint, fmt, ap);
    va_end(ap);
}

const char *reading_nearest(Reading *reading, const char *word, Strings candidates)
{
    const char *near = nearest(word, candidates.items, candidates.count);
    return near ? arena_printf(&reading->project->arena, "did you mean '%s'?", near) : NULL;
}

const Zone *reading_zone(Reading *reading, const char *name, Place place)
{
    Project *project = reading->project;
    Zone *zone = index_get(&reading->zones, name);
    if (zone)
        return zone;
    ERROR_AUTO(err);
    zone = zone_open(name, &err);
    if (!zone) {
        reading_report(reading, place, err.hint, "%s", err.message);
        return NULL;
    }
    index_put(&reading->zones, arena_strdup(&project->arena, name), zone);
    project->zones = mem_resize(project->zones, project->zone_count + 1, sizeof *project->zones);
    project->zones[project->zone_count++] = zone;
    return zone;
}

void strings_add(Arena *arena, Strings *strings, const char *item)
{
    /* Grown at powers of two: that is when the count has a single bit set, or none. */
    if ((strings->count & (strings->count - 1)) == 0) {
        const char **items = arena_array(arena, strings->count ? strings->count * 2 : 1, sizeof *items);
        if (strings->count)
            memcpy(items, strings->items, strings->count * sizeof *items);
        strings->items = items;
    }
    strings->items[strings->count++] = item;
}

bool strings_have(const Strings *strings, const char *item)
{
    for (size_t i = 0; i < strings->count; i++)
        if (str_eq(strings->items[i], item))
            return true;
    return false;
}
