#include "project/duration.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

typedef struct Unit {
    const char *name;
    int64_t seconds; /* 0: its length is not fixed */
} Unit;

static const Unit units[] = {{"second", 1},    {"minute", 60}, {"hour", 3600}, {"day", 86400},
                             {"week", 604800}, {"month", 0},   {"year", 0}};
static const int64_t seconds_max = INT64_C(1000) * 366 * 86400;

static const Unit *find_unit(const char *s, size_t n)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i].name);
        bool plural = n == length + 1 && s[length] == 's';
        if ((n == length || plural) && strncmp(s, units[i].name, length) == 0)
            return &units[i];
    }
    return NULL;
}

static bool fail(const char *text, Error *err)
{
    error_set(err, ERROR_PROJECT, "'%s' is not a duration", text);
    return error_hint(err, "write a whole number and a unit, such as 7 days, 24 hours or 30 minutes");
}

/* One number and its unit; moves *s past them. */
static bool add_part(const char *text, const char **s, int64_t *seconds, Error *err)
{
    const char *p = *s;
    int64_t number = 0;
    if (*p < '0' || *p > '9')
        return fail(text, err);
    for (; *p >= '0' && *p <= '9'; p++)
        if (number <= seconds_max)
            number = number * 10 + (*p - '0');
    while (*p == ' ')
        p++;
    size_t n = 0;
    while (p[n] >= 'a' && p[n] <= 'z')
        n++;
    const Unit *unit = find_unit(p, n);
    if (!unit)
        return fail(text, err);
    if (unit->seconds == 0) {
        error_set(err, ERROR_PROJECT, "a %s has no fixed length", unit->name);
        return error_hint(err, "say it in days, such as %s", unit->name[0] == 'm' ? "30 days" : "365 days");
    }
    if (number > seconds_max / unit->seconds)
        return error_set(err, ERROR_PROJECT, "'%s' is longer than 1000 years", text);
    *seconds += number * unit->seconds;
    for (p += n; *p == ' '; p++)
        ;
    *s = p;
    return true;
}

bool duration_parse(const char *text, int64_t *ret, Error *err)
{
    int64_t seconds = 0;
    const char *s = text;
    while (*s == ' ')
        s++;
    do {
        if (!add_part(text, &s, &seconds, err))
            return false;
        if (seconds > seconds_max)
            return error_set(err, ERROR_PROJECT, "'%s' is longer than 1000 years", text);
    } while (*s);
    *ret = seconds * 1000000;
    return true;
}

const char *duration_text(int64_t microseconds, bool exact, Arena *arena)
{
    enum { SECOND, DAY = 3 };
    size_t i = DAY;
    for (; i > SECOND; i--) {
        int64_t unit = units[i].seconds * 1000000;
        if (exact ? microseconds % unit == 0 : microseconds / unit >= 2)
            break;
    }
    int64_t number = microseconds / (units[i].seconds * 1000000);
    return arena_printf(arena, "%" PRId64 " %s%s", number, units[i].name, number == 1 ? "" : "s");
}
