#include "schedule/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "schedule/zone_file.h"
#include "schedule/zone_names.h"

static const char *const BUILT_IN[] = {"UTC", "Etc/UTC", "GMT", "Etc/GMT"};

struct Zone {
    char *name;
    ZoneTable table;
};

/* Letters, digits and _ + - / with no empty part: nothing that leaves the directory (no dot is among them), and
 * nothing that leads elsewhere: right/ counts leap seconds, localtime is whatever this machine has. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ZONE_NAME_MAX || name[0] == '/' || name[len - 1] == '/' || strstr(name, "//"))
        return false;
    if (str_starts(name, "right/") || str_starts(name, "posix/") || str_eq(name, "localtime") ||
        str_eq(name, "posixrules"))
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == len;
}

static bool is_built_in(const char *name)
{
    for (size_t i = 0; i < sizeof BUILT_IN / sizeof *BUILT_IN; i++)
        if (str_eq(name, BUILT_IN[i]))
            return true;
    return false;
}

static bool load(const char *name, ZoneTable *ret, Error *err)
{
    const char *dir = getenv("TZDIR"), *why;
    if (!dir || !*dir)
        dir = "/usr/share/zoneinfo";
    TEXT_AUTO(path);
    text_appendf(&path, "%s/%s", dir, name);
    if (!file_exists(path.data) || dir_exists(path.data))
        return zone_names_unknown(dir, name, err);
    char *data CLEANUP(mem_free_p) = NULL;
    size_t len;
    if (!file_read(path.data, ZONE_FILE_MAX, &data, &len, err))
        return false;
    if (!zone_table_parse(data, len, ret, &why))
        return error_set(err, ERROR_PROJECT, "cannot read time zone \"%s\" from %s: %s", name, path.data, why);
    return true;
}

Zone *zone_open(const char *name, Error *err)
{
    if (!is_name(name)) {
        TEXT_AUTO(shown);
        text_append_shown(&shown, name, strlen(name), ZONE_NAME_MAX);
        error_set(err, ERROR_PROJECT, "\"%s\" is not the name of a time zone", text_str(&shown));
        error_hint(err, "use UTC, or a name such as Europe/Berlin or America/New_York");
        return NULL;
    }
    ZoneTable table = {.has_rule = true}; /* of a built-in one: no transitions, offset 0 */
    if (!is_built_in(name) && !load(name, &table, err))
        return NULL;
    Zone *zone = mem_alloc(sizeof *zone);
    zone->name = mem_strdup(name);
    zone->table = table;
    return zone;
}

void zone_close(Zone *zone)
{
    if (!zone)
        return;
    zone_table_clear(&zone->table);
    free(zone->name);
    free(zone);
}

void zone_close_p(Zone **zone) { zone_close(*zone); }

const char *zone_name(const Zone *zone) { return zone->name; }

/* how many of the table's times are at or before seconds */
static size_t begun(const ZoneTable *table, int64_t seconds)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->times[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ZoneSpan zone_span(const Zone *zone, int64_t seconds)
{
    const ZoneTable *table = &zone->table;
    if (seconds > ZONE_SECONDS_MAX)
        seconds = ZONE_SECONDS_MAX;
    if (seconds < -ZONE_SECONDS_MAX)
        seconds = -ZONE_SECONDS_MAX;
    size_t i = begun(table, seconds);
    int64_t start = i > 0 ? table->times[i - 1] : INT64_MIN;
    if (i < table->count || !table->has_rule)
        return (ZoneSpan){start, i < table->count ? table->times[i] : INT64_MAX, table->offsets[i]};
    ZoneSpan span = zone_rule_span(&table->rule, seconds);
    if (span.start < start)
        span.start = start;
    return span;
}

static int64_t seconds_of(Instant instant) { return instant / 1000000 - (instant % 1000000 < 0); }

int32_t zone_offset_at(const Zone *zone, Instant instant) { return zone_span(zone, seconds_of(instant)).offset; }

int zone_local(const Zone *zone, int64_t civil, Instant ret[2])
{
    int found = 0;
    int64_t gap_end = INT64_MIN, shown = INT64_MIN; /* the latest that clocks have shown so far */
    /* No offset is larger than ZONE_OFFSET_MAX, so clocks show civil within these bounds or not at all. */
    int64_t first = civil - ZONE_OFFSET_MAX - 1, last = civil + ZONE_OFFSET_MAX + 1;
    for (int64_t at = first; at <= last && found < 2;) {
        ZoneSpan span = zone_span(zone, at);
        int64_t t = civil - span.offset;
        if (t >= span.start && t < span.end)
            ret[found++] = t * 1000000;
        if (gap_end == INT64_MIN && shown != INT64_MIN && shown <= civil && span.start + span.offset > civil)
            gap_end = span.start;
        if (span.end == INT64_MAX)
            break;
        if (span.end + span.offset > shown)
            shown = span.end + span.offset;
        at = span.end;
    }
    if (found == 0)
        ret[0] = gap_end * 1000000;
    return found;
}
