#include "sql/interval.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "sql/ranges.h"

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)

enum { AMOUNT_MAX = 100000000 }; /* of any unit: eight of them cannot overflow */

/* Nobody means more, and the sum of all three fits. */
enum { MONTHS_MAX = 1000000, DAYS_MAX = 30000000 };
#define MICROSECONDS_MAX INT64_C(2000000000000000000)

static const struct {
    const char *word;
    int64_t months, days, microseconds;
} units[] = {
    {"second", 0, 0, SECOND},
    {"seconds", 0, 0, SECOND},
    {"sec", 0, 0, SECOND},
    {"secs", 0, 0, SECOND},
    {"minute", 0, 0, 60 * SECOND},
    {"minutes", 0, 0, 60 * SECOND},
    {"min", 0, 0, 60 * SECOND},
    {"mins", 0, 0, 60 * SECOND},
    {"hour", 0, 0, HOUR},
    {"hours", 0, 0, HOUR},
    {"hr", 0, 0, HOUR},
    {"hrs", 0, 0, HOUR},
    {"day", 0, 1, 0},
    {"days", 0, 1, 0},
    {"week", 0, 7, 0},
    {"weeks", 0, 7, 0},
    {"month", 1, 0, 0},
    {"months", 1, 0, 0},
    {"mon", 1, 0, 0},
    {"mons", 1, 0, 0},
    {"year", 12, 0, 0},
    {"years", 12, 0, 0},
    {"yr", 12, 0, 0},
    {"yrs", 12, 0, 0},
};

static const char *skip_space(const char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    return s;
}

static bool read_number(const char **s, int64_t *ret)
{
    if (!isdigit((unsigned char)**s))
        return false;
    for (*ret = 0; isdigit((unsigned char)**s); (*s)++) {
        *ret = *ret * 10 + (**s - '0');
        if (*ret > AMOUNT_MAX)
            return false;
    }
    return true;
}

/* ":MM" or ":MM:SS", after the hours. */
static bool read_clock(const char **s, int64_t hours, Interval *ret)
{
    int64_t minutes, seconds = 0;
    (*s)++;
    if (!read_number(s, &minutes) || minutes > 59)
        return false;
    if (**s == ':') {
        (*s)++;
        if (!read_number(s, &seconds) || seconds > 59)
            return false;
    }
    ret->microseconds += hours * HOUR + minutes * 60 * SECOND + seconds * SECOND;
    return true;
}

static bool read_unit(const char **s, int64_t amount, Interval *ret)
{
    size_t len = 0;
    while (isalpha((unsigned char)(*s)[len]))
        len++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].word) != len || strncasecmp(units[i].word, *s, len) != 0)
            continue;
        ret->months += amount * units[i].months;
        ret->days += amount * units[i].days;
        ret->microseconds += amount * units[i].microseconds;
        *s += len;
        return true;
    }
    return false;
}

bool interval_parse(const char *text, Interval *ret)
{
    enum { PARTS_MAX = 8 };
    *ret = (Interval){0};
    const char *s = skip_space(text);
    for (int part = 0; part < PARTS_MAX; part++) {
        int64_t amount;
        if (!read_number(&s, &amount))
            return false;
        if (*s == ':') {
            if (!read_clock(&s, amount, ret))
                return false;
        } else {
            s = skip_space(s);
            if (!read_unit(&s, amount, ret))
                return false;
        }
        if (*s && !isspace((unsigned char)*s))
            return false;
        s = skip_space(s);
        if (!*s)
            return ret->months <= MONTHS_MAX && ret->days <= DAYS_MAX && ret->microseconds <= MICROSECONDS_MAX;
    }
    return false;
}

/* INTERVAL '7' DAY: the parser says which field by a bit (INTERVAL_MASK of datetime.h). */
static bool read_masked(const char *text, const SqlNode *mask, Interval *ret)
{
    static const struct {
        int64_t bit;
        const char *unit;
    } masks[] = {{1 << 2, "year"},  {1 << 1, "month"},   {1 << 3, "day"},
                 {1 << 10, "hour"}, {1 << 11, "minute"}, {1 << 12, "second"}};
    int64_t bits = sql_node_int(sql_node_get(mask, "ival"), "ival"), amount;
    const char *s = skip_space(text);
    *ret = (Interval){0};
    if (!read_number(&s, &amount) || *skip_space(s))
        return false;
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        const char *unit = masks[i].unit;
        if (masks[i].bit == bits)
            return amount <= MONTHS_MAX / 12 && read_unit(&unit, amount, ret);
    }
    return false;
}

bool interval_literal(const SqlNode *node, Interval *ret, const char **ret_text)
{
    if (!sql_is(node, "TypeCast"))
        return false;
    const SqlNode *type = sql_node_get(node, "typeName");
    const SqlNode *value = sql_node_get(sql_node_get(node, "arg"), "sval");
    const char *text = sql_is(sql_node_get(node, "arg"), "A_Const") ? sql_node_string(value, "sval") : NULL;
    SqlList names = sql_node_list(type, "names");
    SqlList typmods = sql_node_list(type, "typmods");
    if (!text || !str_eq(sql_last_name(names), "interval") || sql_node_list(type, "arrayBounds").count)
        return false;
    if (names.count > 1 && !str_eq(sql_string_value(names.items[0]), "pg_catalog"))
        return false;
    if (ret_text)
        *ret_text = text;
    if (typmods.count == 0)
        return interval_parse(text, ret);
    return typmods.count == 1 && read_masked(text, typmods.items[0], ret);
}

void interval_span(const Interval *interval, bool zoned, int64_t *ret_least, int64_t *ret_most)
{
    int64_t exact = interval->days * RANGES_DAY + interval->microseconds;
    *ret_least = exact;
    *ret_most = exact;
    if (interval->months) {
        *ret_least += (interval->months * 28 - 3) * RANGES_DAY;
        *ret_most += (interval->months * 31 + 3) * RANGES_DAY;
    }
    if (zoned && (interval->months || interval->days)) {
        *ret_least -= 26 * HOUR;
        *ret_most += 26 * HOUR;
    }
}
