#include "csv/format.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Longest first, where one begins another. */
static const struct {
    const char *token;
    CsvFormatKind kind;
} TOKENS[] = {
    {"YYYY", CSV_FORMAT_YYYY}, {"YY", CSV_FORMAT_YY},     {"Month", CSV_FORMAT_MONTH}, {"Mon", CSV_FORMAT_MON},
    {"MM", CSV_FORMAT_MM},     {"MI", CSV_FORMAT_MI},     {"MS", CSV_FORMAT_MS},       {"DD", CSV_FORMAT_DD},
    {"HH24", CSV_FORMAT_HH24}, {"HH12", CSV_FORMAT_HH12}, {"HH", CSV_FORMAT_HH12},     {"SS", CSV_FORMAT_SS},
    {"US", CSV_FORMAT_US},     {"AM", CSV_FORMAT_AMPM},   {"PM", CSV_FORMAT_AMPM},     {"TZH", CSV_FORMAT_TZH},
    {"TZM", CSV_FORMAT_TZM},
};
enum { TOKEN_COUNT = sizeof(TOKENS) / sizeof(TOKENS[0]) };

static const char *const MONTHS[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* --- patterns ----------------------------------------------------------------------------------------------- */

/* Two ways of saying the same part of a time: a pattern may hold one. */
static unsigned part_of(CsvFormatKind kind)
{
    switch (kind) {
    case CSV_FORMAT_YY:
        return 1u << CSV_FORMAT_YYYY;
    case CSV_FORMAT_MON:
    case CSV_FORMAT_MONTH:
        return 1u << CSV_FORMAT_MM;
    case CSV_FORMAT_HH12:
        return 1u << CSV_FORMAT_HH24;
    case CSV_FORMAT_US:
        return 1u << CSV_FORMAT_MS;
    default:
        return 1u << kind;
    }
}

static bool fail_token(const char *pattern, const char *at, Error *err)
{
    size_t len = 1;
    while (is_letter(at[len]))
        len++;
    TEXT_AUTO(shown);
    text_append_shown(&shown, at, len, 20);
    error_set(err, ERROR_PROJECT, "unknown token \"%s\" in the format \"%s\"", text_str(&shown), pattern);
    error_hint(err, "expected YYYY, YY, MM, DD, Mon, Month, HH24, HH12, MI, SS, MS, US, AM, TZH or TZM; "
                    "letters that stand for themselves go in double quotes");
    return error_place(err, NULL, 0, (int)(at - pattern) + 1);
}

static bool add_token(CsvFormat *format, CsvFormatKind kind, char literal, Error *err)
{
    if (format->count == CSV_FORMAT_TOKENS)
        return error_set(err, ERROR_PROJECT, "a format has at most %d parts", CSV_FORMAT_TOKENS);
    format->tokens[format->count].kind = (unsigned char)kind;
    format->tokens[format->count].literal = literal;
    format->count++;
    return true;
}

static bool add_quoted(CsvFormat *format, const char **p, Error *err)
{
    const char *close = strchr(*p + 1, '"');
    if (!close) {
        error_set(err, ERROR_PROJECT, "a double quote is not closed in the format \"%s\"", format->pattern);
        return error_place(err, NULL, 0, (int)(*p - format->pattern) + 1);
    }
    for ((*p)++; *p < close; (*p)++)
        if (!add_token(format, CSV_FORMAT_LITERAL, **p, err))
            return false;
    *p = close + 1;
    return true;
}

static bool read_tokens(CsvFormat *format, unsigned *ret_parts, Error *err)
{
    const char *p = format->pattern;
    while (*p) {
        if (*p == '"') {
            if (!add_quoted(format, &p, err))
                return false;
            continue;
        }
        size_t i = 0;
        while (i < TOKEN_COUNT && strncasecmp(p, TOKENS[i].token, strlen(TOKENS[i].token)) != 0)
            i++;
        if (i == TOKEN_COUNT) {
            bool iso = *p == 'T' && strncasecmp(p + 1, "HH", 2) == 0;
            if (is_letter(*p) && !iso)
                return fail_token(format->pattern, p, err);
            if (!add_token(format, CSV_FORMAT_LITERAL, *p++, err))
                return false;
            continue;
        }
        unsigned part = part_of(TOKENS[i].kind);
        if (*ret_parts & part) {
            error_set(err, ERROR_PROJECT, "\"%s\" says a second time what the format \"%s\" has already",
                      TOKENS[i].token, format->pattern);
            return error_place(err, NULL, 0, (int)(p - format->pattern) + 1);
        }
        *ret_parts |= part | 1u << TOKENS[i].kind;
        if (!add_token(format, TOKENS[i].kind, 0, err))
            return false;
        p += strlen(TOKENS[i].token);
    }
    return true;
}

static bool check_parts(const CsvFormat *format, unsigned parts, CsvType type, Error *err)
{
    unsigned date = 1u << CSV_FORMAT_YYYY | 1u << CSV_FORMAT_MM | 1u << CSV_FORMAT_DD;
    if ((parts & date) != date)
        return error_set(err, ERROR_PROJECT, "the format \"%s\" lacks the year, the month or the day", format->pattern);
    bool twelve = (parts & 1u << CSV_FORMAT_HH12) != 0, half = (parts & 1u << CSV_FORMAT_AMPM) != 0;
    if (twelve != half) {
        error_set(err, ERROR_PROJECT, "HH12 and AM go together, but the format \"%s\" has one of them",
                  format->pattern);
        return error_hint(err, "HH24 is the hour from 00 to 23");
    }
    bool zone_hours = (parts & 1u << CSV_FORMAT_TZH) != 0, zone_minutes = (parts & 1u << CSV_FORMAT_TZM) != 0;
    if (zone_minutes && !zone_hours)
        return error_set(err, ERROR_PROJECT, "the format \"%s\" has TZM without TZH", format->pattern);
    if (zone_hours && type != CSV_TIMESTAMPTZ) {
        error_set(err, ERROR_PROJECT, "the format \"%s\" has an offset, the type %s has none", format->pattern,
                  csv_type_name(type));
        return error_hint(err, "the type timestamptz keeps the moment that an offset makes");
    }
    return true;
}

static bool takes_digits(int kind)
{
    return kind != CSV_FORMAT_LITERAL && kind != CSV_FORMAT_MON && kind != CSV_FORMAT_MONTH &&
           kind != CSV_FORMAT_AMPM && kind != CSV_FORMAT_TZH;
}

bool csv_format_parse(const char *pattern, CsvType type, CsvFormat *ret_format, Error *err)
{
    *ret_format = (CsvFormat){0};
    if (type != CSV_DATE && type != CSV_TIMESTAMP && type != CSV_TIMESTAMPTZ)
        return error_set(err, ERROR_PROJECT, "only columns of type date, timestamp and timestamptz have a format");
    size_t len = strlen(pattern);
    if (len > CSV_FORMAT_TOKENS)
        return error_set(err, ERROR_PROJECT, "a format has at most %d bytes", CSV_FORMAT_TOKENS);
    memcpy(ret_format->pattern, pattern, len + 1);
    unsigned parts = 0;
    if (!read_tokens(ret_format, &parts, err) || !check_parts(ret_format, parts, type, err))
        return false;
    for (int i = 0; i + 1 < ret_format->count; i++) {
        int next = ret_format->tokens[i + 1].kind;
        bool digit = next == CSV_FORMAT_LITERAL && is_digit(ret_format->tokens[i + 1].literal);
        ret_format->tokens[i].exact = digit || takes_digits(next);
    }
    return true;
}

/* --- values ------------------------------------------------------------------------------------------------- */

static bool read_number(const char **p, const char *end, int min, int max, int *ret)
{
    int count = 0;
    *ret = 0;
    while (count < max && *p < end && is_digit(**p)) {
        *ret = *ret * 10 + (**p - '0');
        (*p)++;
        count++;
    }
    return count >= min;
}

/* Decimals of a second, as far as size digits. */
static bool read_decimals(const char **p, const char *end, bool exact, int size, int *ret_micros)
{
    const char *start = *p;
    if (!read_number(p, end, exact ? size : 1, size, ret_micros))
        return false;
    for (long i = *p - start; i < 6; i++)
        *ret_micros *= 10;
    return true;
}

static bool read_month(const char **p, const char *end, bool whole, int *ret)
{
    for (int i = 0; i < 12; i++) {
        size_t len = whole ? strlen(MONTHS[i]) : 3;
        if ((size_t)(end - *p) >= len && strncasecmp(*p, MONTHS[i], len) == 0) {
            *p += len;
            *ret = i + 1;
            return true;
        }
    }
    return false;
}

static bool read_half(const char **p, const char *end, bool *ret_pm)
{
    if (end - *p < 2 || (strncasecmp(*p, "am", 2) != 0 && strncasecmp(*p, "pm", 2) != 0))
        return false;
    *ret_pm = **p == 'p' || **p == 'P';
    *p += 2;
    return true;
}

/* What a token means only together with others. */
typedef struct Pending {
    bool twelve;
    bool pm;
    int zone_sign;
    int zone_hours;
    int zone_minutes;
} Pending;

static bool read_token(int kind, bool exact, const char **p, const char *end, DateTime *t, Pending *pending)
{
    int min = exact ? 2 : 1;
    switch (kind) {
    case CSV_FORMAT_YYYY:
        return read_number(p, end, 4, 4, &t->year);
    case CSV_FORMAT_YY:
        if (!read_number(p, end, 2, 2, &t->year))
            return false;
        t->year += t->year < 70 ? 2000 : 1900;
        return true;
    case CSV_FORMAT_MM:
        return read_number(p, end, min, 2, &t->month);
    case CSV_FORMAT_DD:
        return read_number(p, end, min, 2, &t->day);
    case CSV_FORMAT_MON:
    case CSV_FORMAT_MONTH:
        return read_month(p, end, kind == CSV_FORMAT_MONTH, &t->month);
    case CSV_FORMAT_HH12:
        pending->twelve = true;
        return read_number(p, end, min, 2, &t->hour);
    case CSV_FORMAT_HH24:
        return read_number(p, end, min, 2, &t->hour);
    case CSV_FORMAT_MI:
        return read_number(p, end, min, 2, &t->minute);
    case CSV_FORMAT_SS:
        return read_number(p, end, min, 2, &t->second);
    case CSV_FORMAT_MS:
        return read_decimals(p, end, exact, 3, &t->micros);
    case CSV_FORMAT_US:
        return read_decimals(p, end, exact, 6, &t->micros);
    case CSV_FORMAT_AMPM:
        return read_half(p, end, &pending->pm);
    case CSV_FORMAT_TZH:
        if (*p == end || (**p != '+' && **p != '-'))
            return false;
        pending->zone_sign = *(*p)++ == '-' ? -1 : 1;
        return read_number(p, end, 2, 2, &pending->zone_hours);
    case CSV_FORMAT_TZM:
        return read_number(p, end, 2, 2, &pending->zone_minutes);
    default:
        return false;
    }
}

static ValueResult combine(const Pending *pending, DateTime *t)
{
    if (pending->twelve) {
        if (t->hour < 1 || t->hour > 12)
            return VALUE_OUT_OF_RANGE;
        t->hour = t->hour % 12 + (pending->pm ? 12 : 0);
    }
    if (pending->zone_sign) {
        if (pending->zone_hours > 15 || pending->zone_minutes > 59)
            return VALUE_OUT_OF_RANGE;
        t->has_offset = true;
        t->offset = pending->zone_sign * (pending->zone_hours * 60 + pending->zone_minutes) * 60;
    }
    if (t->year == 0 || t->hour > 23 || t->second > 59) /* to_timestamp() has no 24:00 and no leap second */
        return VALUE_OUT_OF_RANGE;
    return datetime_check(t);
}

ValueResult csv_format_read(const CsvFormat *format, const char *s, size_t n, DateTime *ret)
{
    const char *p = s, *end = s + n;
    while (p < end && is_space(*p))
        p++;
    while (end > p && is_space(end[-1]))
        end--;
    *ret = (DateTime){0};
    Pending pending = {0};
    for (int i = 0; i < format->count; i++) {
        if (format->tokens[i].kind == CSV_FORMAT_LITERAL) {
            if (p == end || *p++ != format->tokens[i].literal)
                return VALUE_BAD;
            continue;
        }
        if (!read_token(format->tokens[i].kind, format->tokens[i].exact, &p, end, ret, &pending))
            return VALUE_BAD;
    }
    return p == end ? combine(&pending, ret) : VALUE_BAD;
}
