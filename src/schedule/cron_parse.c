/* The text of a cron expression. What it accepts is said in cron.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "schedule/cron.h"

enum { FIELDS = 5, NAME_LEN = 3, NUMBER_MAX = 100000, SUNDAY = 7, SHOWN = 40 };

static const char *const MONTHS[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const WEEKDAYS[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static const struct FieldKind {
    const char *name;
    const char *allowed;
    int min, max;
    const char *const *names; /* of min, min + 1 ... */
    size_t name_count;
} KINDS[FIELDS] = {
    {"minute", "0-59", 0, 59, NULL, 0},
    {"hour", "0-23", 0, 23, NULL, 0},
    {"day of month", "1-31", 1, 31, NULL, 0},
    {"month", "1-12 or jan-dec", 1, 12, MONTHS, 12},
    {"day of week", "0-7 or sun-sat", 0, 7, WEEKDAYS, 7},
};

static const struct Shorthand {
    const char *name, *expr;
} SHORTHANDS[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"},
};
enum { SHORTHAND_COUNT = sizeof SHORTHANDS / sizeof *SHORTHANDS };

typedef struct Word {
    const char *at;
    size_t len;
} Word;

typedef struct Parser {
    const char *expr;
    Error *err;
    const struct FieldKind *kind;
    const char *at, *end; /* of the field being read */
} Parser;

static int column_of(const char *expr, const char *at)
{
    int column = 1;
    for (; expr < at; expr++)
        column += ((unsigned char)*expr & 0xC0) != 0x80;
    return column;
}

/* "minute: what", at a place in the expression */
static bool fail(const Parser *parser, const char *at, const char *what)
{
    error_at(parser->err, ERROR_PROJECT, NULL, 0, column_of(parser->expr, at), "%s: %s; allowed: %s",
             parser->kind->name, what, parser->kind->allowed);
    return false;
}

static bool fail_shown(const Parser *parser, const char *at, size_t len, const char *what)
{
    TEXT_AUTO(message);
    text_append_char(&message, '"');
    text_append_shown(&message, at, len, SHOWN);
    text_appendf(&message, "\" %s", what);
    return fail(parser, at, message.data);
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* How many words there are; the first max of them are kept. */
static size_t split(const char *expr, Word *words, size_t max)
{
    size_t count = 0;
    for (;;) {
        while (is_blank(*expr))
            expr++;
        if (*expr == '\0')
            return count;
        const char *start = expr;
        while (*expr != '\0' && !is_blank(*expr))
            expr++;
        if (count < max)
            words[count] = (Word){start, (size_t)(expr - start)};
        count++;
    }
}

static bool read_name(Parser *parser, int *ret)
{
    const struct FieldKind *kind = parser->kind;
    const char *start = parser->at;
    while (parser->at < parser->end && isalpha((unsigned char)*parser->at))
        parser->at++;
    size_t len = (size_t)(parser->at - start);
    for (size_t i = 0; i < kind->name_count; i++) {
        if (len < NAME_LEN || strncasecmp(start, kind->names[i], NAME_LEN) != 0)
            continue;
        *ret = kind->min + (int)i;
        if (len == NAME_LEN)
            return true;
        fail_shown(parser, start, len, "is not known here");
        return error_hint(parser->err, "write %s", kind->names[i]);
    }
    return fail_shown(parser, start, len, "is not known here");
}

static bool read_number(Parser *parser, int *ret)
{
    int n = 0;
    while (parser->at < parser->end && isdigit((unsigned char)*parser->at)) {
        n = n * 10 + (*parser->at++ - '0');
        if (n > NUMBER_MAX) /* enough to be out of range */
            n = NUMBER_MAX;
    }
    *ret = n;
    return true;
}

/* a number or name; a Sunday that ends a range is the 7th day, not the 0th */
static bool read_value(Parser *parser, int *ret, bool ends_range)
{
    const char *start = parser->at;
    if (start == parser->end || *start == ',' || *start == '-' || *start == '/')
        return fail(parser, start, ends_range ? "the range has no end" : "a value is missing");
    if (isdigit((unsigned char)*start)) {
        read_number(parser, ret);
        if (*ret >= parser->kind->min && *ret <= parser->kind->max)
            return true;
        return fail_shown(parser, start, (size_t)(parser->at - start), "is out of range");
    }
    if (!isalpha((unsigned char)*start)) {
        size_t len = utf8_len(start, (size_t)(parser->end - start));
        return fail_shown(parser, start, len > 0 ? len : 1, "is not known here");
    }
    if (!read_name(parser, ret))
        return false;
    if (ends_range && parser->kind->max == SUNDAY && *ret == 0)
        *ret = SUNDAY;
    return true;
}

static bool read_step(Parser *parser, const char *item, bool is_range, int low, int *ret)
{
    const char *slash = parser->at++, *start = parser->at;
    if (!is_range) {
        fail(parser, slash, "a step needs * or a range before it");
        return error_hint(parser->err, "write %.*s-%d%.*s", (int)(slash - item), item,
                          parser->kind->max == SUNDAY && low < SUNDAY ? SUNDAY - 1 : parser->kind->max,
                          1 + (int)strspn(start, "0123456789"), slash);
    }
    if (start == parser->end || !isdigit((unsigned char)*start))
        return fail(parser, start, "the step is not a number");
    read_number(parser, ret);
    if (*ret == 0)
        return fail(parser, start, "a step of 0 never moves on; take 1 or more");
    return true;
}

/* one of a list: *, a, a-b, each range perhaps with /n */
static bool read_item(Parser *parser, uint64_t *bits)
{
    const char *item = parser->at;
    int low = parser->kind->min, high = parser->kind->max, step = 1;
    bool is_range = true;
    if (parser->at < parser->end && *parser->at == '*') {
        parser->at++;
    } else {
        if (!read_value(parser, &low, false))
            return false;
        high = low;
        is_range = parser->at < parser->end && *parser->at == '-';
        if (is_range) {
            parser->at++;
            if (!read_value(parser, &high, true))
                return false;
            if (high == SUNDAY && low == 0 && parser->kind->max == SUNDAY && isalpha((unsigned char)parser->at[-1]))
                high = 0; /* sun-sun */
        }
        if (high < low)
            return fail_shown(parser, item, (size_t)(parser->at - item), "runs backwards");
    }
    if (parser->at < parser->end && *parser->at == '/' && !read_step(parser, item, is_range, low, &step))
        return false;
    for (int n = low; n <= high; n += step)
        *bits |= UINT64_C(1) << n;
    return true;
}

static bool read_field(Parser *parser, const struct FieldKind *kind, Word word, uint64_t *ret)
{
    parser->kind = kind;
    parser->at = word.at;
    parser->end = word.at + word.len;
    *ret = 0;
    for (;;) {
        if (!read_item(parser, ret))
            return false;
        if (parser->at == parser->end)
            return true;
        if (*parser->at != ',') {
            size_t len = utf8_len(parser->at, (size_t)(parser->end - parser->at));
            return fail_shown(parser, parser->at, len > 0 ? len : 1, "does not belong here");
        }
        parser->at++;
    }
}

static bool fail_count(const Parser *parser, const Word *words, size_t count)
{
    const char *end = parser->expr + strlen(parser->expr);
    error_at(parser->err, ERROR_PROJECT, NULL, 0, column_of(parser->expr, count > FIELDS ? words[FIELDS].at : end),
             "cron has five fields, found %zu", count);
    if (count > FIELDS)
        return error_hint(parser->err, "minute, hour, day of month, month, day of week; the seconds field is not used");
    for (size_t i = 0; i < SHORTHAND_COUNT; i++)
        if (count == 1 && strcasecmp(words[0].at, SHORTHANDS[i].name + 1) == 0)
            return error_hint(parser->err, "write %s", SHORTHANDS[i].name);
    return error_hint(parser->err, "minute, hour, day of month, month, day of week: \"15 6 * * *\" is 06:15 every day");
}

static const char *expand(const Parser *parser, Word word)
{
    const char *names[SHORTHAND_COUNT], *near;
    TEXT_AUTO(name);
    for (size_t i = 0; i < word.len; i++)
        text_append_char(&name, (char)tolower((unsigned char)word.at[i]));
    for (size_t i = 0; i < SHORTHAND_COUNT; i++) {
        names[i] = SHORTHANDS[i].name;
        if (str_eq(name.data, names[i]))
            return SHORTHANDS[i].expr;
    }
    int column = column_of(parser->expr, word.at);
    if (str_eq(name.data, "@reboot")) {
        error_at(parser->err, ERROR_PROJECT, NULL, 0, column, "@reboot is not supported: a run has no boot");
        return NULL;
    }
    TEXT_AUTO(shown);
    text_append_shown(&shown, word.at, word.len, SHOWN);
    error_at(parser->err, ERROR_PROJECT, NULL, 0, column,
             "unknown schedule \"%s\"; allowed: @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly",
             text_str(&shown));
    if ((near = nearest(name.data, names, SHORTHAND_COUNT)))
        error_hint(parser->err, "did you mean %s?", near);
    return NULL;
}

/* Every day of the month falls on every weekday some year, so only months too short for their days never come. */
static bool can_come(const Cron *cron)
{
    static const int DAYS[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!cron->any_day)
        return true; /* a weekday is enough */
    for (int month = 1; month <= 12; month++)
        if (cron->months >> month & 1 && cron->days & ((UINT64_C(2) << DAYS[month]) - 2))
            return true;
    return false;
}

static bool read_fields(Parser *parser, const Word *words, Cron *ret)
{
    uint64_t bits[FIELDS];
    for (size_t i = 0; i < FIELDS; i++)
        if (!read_field(parser, &KINDS[i], words[i], &bits[i]))
            return false;
    *ret = (Cron){
        .minutes = bits[0],
        .hours = (uint32_t)bits[1],
        .days = (uint32_t)bits[2],
        .months = (uint16_t)bits[3],
        .weekdays = (uint8_t)((bits[4] | bits[4] >> SUNDAY) & 0x7F),
        .any_day = words[2].at[0] == '*' || words[4].at[0] == '*',
        .repeating = words[0].at[0] == '*' || words[1].at[0] == '*',
    };
    if (can_come(ret))
        return true;
    error_at(parser->err, ERROR_PROJECT, NULL, 0, column_of(parser->expr, words[2].at),
             "this schedule never comes: day %.*s is in none of its months (%.*s)", (int)words[2].len, words[2].at,
             (int)words[3].len, words[3].at);
    return false;
}

bool cron_parse(const char *expr, Cron *ret, Error *err)
{
    Parser parser = {.expr = expr, .err = err};
    Word words[FIELDS + 1];
    if (strlen(expr) > CRON_TEXT_MAX)
        return error_at(err, ERROR_PROJECT, NULL, 0, 1, "the schedule is longer than %d bytes", CRON_TEXT_MAX);
    size_t count = split(expr, words, FIELDS + 1);
    if (count == 1 && words[0].at[0] == '@') {
        const char *full = expand(&parser, words[0]);
        if (!full)
            return false;
        count = split(full, words, FIELDS + 1);
    }
    if (count != FIELDS)
        return fail_count(&parser, words, count);
    return read_fields(&parser, words, ret);
}
