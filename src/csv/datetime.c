#include "csv/datetime.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "csv/binary.h"

/* Days and microseconds count from 2000-01-01, as in PostgreSQL; limits are those of its datatype/timestamp.h. */
static const int64_t DATE_FIRST = -2451545;  /* 4714-11-24 BC, Julian day 0 */
static const int64_t DATE_LAST = 2145031948; /* 5874897-12-31 */
static const int64_t TIMESTAMP_FIRST = -211813488000000000;
static const int64_t TIMESTAMP_END = 9223371331200000000; /* 294277-01-01 */
static const int64_t DAY = 86400000000;
static const int64_t SECOND = 1000000;

enum { OFFSET_HOURS_MAX = 15 };

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* --- calendar ----------------------------------------------------------------------------------------------- */

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int days_in_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return DAYS[month - 1] + (month == 2 && is_leap(year));
}

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil, moved to 2000-01-01. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468 - 10957;
}

ValueResult datetime_check(const DateTime *t)
{
    if (t->infinite)
        return VALUE_OK;
    if (t->month < 1 || t->month > 12 || t->day < 1 || t->day > days_in_month(t->year, t->month))
        return VALUE_OUT_OF_RANGE;
    bool clock = t->hour <= 24 && t->minute <= 59 && t->second <= 60;
    bool past_midnight = t->hour == 24 && (t->minute || t->second || t->micros);
    /* 23:59:60 is midnight, but nothing lies after it. */
    past_midnight |= t->hour == 23 && t->minute == 59 && t->second == 60 && t->micros;
    return clock && !past_midnight ? VALUE_OK : VALUE_OUT_OF_RANGE;
}

/* --- binary ------------------------------------------------------------------------------------------------- */

static void put_infinity(CsvType type, int sign, Text *out)
{
    if (type == CSV_DATE)
        binary_field(out, (uint64_t)(sign > 0 ? INT32_MAX : INT32_MIN), 4);
    else
        binary_field(out, (uint64_t)(sign > 0 ? INT64_MAX : INT64_MIN), 8);
}

/* As AdjustTimestampForTypmod: halves away from 2000-01-01. */
static int64_t round_micros(int64_t micros, int precision)
{
    int64_t unit = 1;
    for (int i = precision; i < 6; i++)
        unit *= 10;
    if (micros >= 0)
        return (micros + unit / 2) / unit * unit;
    return -((-micros + unit / 2) / unit * unit);
}

static ValueResult put_timestamp(const CsvColumnType *type, const DateTime *t, int64_t days, Text *out)
{
    if (days == DATE_FIRST - 1) /* 24:00 or an offset may lift it over the edge */
        return VALUE_UNSURE;
    if (days < DATE_FIRST || days > TIMESTAMP_END / DAY)
        return VALUE_OUT_OF_RANGE;
    int64_t seconds = ((int64_t)t->hour * 60 + t->minute) * 60 + t->second;
    int64_t of_day = seconds * SECOND + t->micros, micros;
    if (__builtin_mul_overflow(days, DAY, &micros) || __builtin_add_overflow(micros, of_day, &micros))
        return VALUE_OUT_OF_RANGE;
    if (type->type == CSV_TIMESTAMPTZ) {
        if (!t->has_offset && !type->utc)
            return VALUE_UNSURE;
        if (__builtin_sub_overflow(micros, (int64_t)t->offset * SECOND, &micros))
            return VALUE_OUT_OF_RANGE;
    }
    if (micros < TIMESTAMP_FIRST || micros >= TIMESTAMP_END)
        return VALUE_OUT_OF_RANGE;
    if (type->precision >= 0 && type->precision < 6)
        micros = round_micros(micros, type->precision);
    if (micros < TIMESTAMP_FIRST || micros >= TIMESTAMP_END)
        return VALUE_UNSURE;
    binary_field(out, (uint64_t)micros, 8);
    return VALUE_OK;
}

ValueResult datetime_encode(const CsvColumnType *type, const DateTime *t, Text *out)
{
    ValueResult checked = datetime_check(t);
    if (checked != VALUE_OK)
        return checked;
    if (t->infinite) {
        put_infinity(type->type, t->infinite, out);
        return VALUE_OK;
    }
    int64_t days = days_of(t->year, t->month, t->day);
    if (type->type != CSV_DATE)
        return put_timestamp(type, t, days, out);
    if (days < DATE_FIRST || days > DATE_LAST)
        return VALUE_OUT_OF_RANGE;
    binary_field(out, (uint64_t)days, 4);
    return VALUE_OK;
}

void datetime_show(CsvType type, const DateTime *t, Text *out)
{
    if (t->infinite) {
        text_append(out, t->infinite > 0 ? "infinity" : "-infinity");
        return;
    }
    text_appendf(out, "%04d-%02d-%02d", t->year > 0 ? t->year : 1 - t->year, t->month, t->day);
    if (type != CSV_DATE) {
        text_appendf(out, " %02d:%02d:%02d", t->hour, t->minute, t->second);
        if (t->micros)
            text_appendf(out, ".%06d", t->micros);
        if (type == CSV_TIMESTAMPTZ && t->has_offset) {
            int offset = abs(t->offset);
            text_appendf(out, "%c%02d:%02d", t->offset < 0 ? '-' : '+', offset / 3600, offset / 60 % 60);
        }
    }
    if (t->year <= 0)
        text_append(out, " BC");
}

/* --- text --------------------------------------------------------------------------------------------------- */

/* Reads min to max digits and no more: false where another digit follows. */
static bool read_digits(const char **p, const char *end, int min, int max, int *ret)
{
    int value = 0, count = 0;
    while (*p < end && is_digit(**p) && count < max) {
        value = value * 10 + (**p - '0');
        (*p)++;
        count++;
    }
    *ret = value;
    return count >= min && !(*p < end && is_digit(**p));
}

static bool read_char(const char **p, const char *end, char c)
{
    if (*p == end || **p != c)
        return false;
    (*p)++;
    return true;
}

static int two_digits(const char *p) { return (p[0] - '0') * 10 + (p[1] - '0'); }

/* YYYY-MM-DD, which is nearly every date there is. */
static bool read_plain_date(const char **p, const char *end, DateTime *t)
{
    const char *s = *p;
    if (end - s < 10 || s[4] != '-' || s[7] != '-' || (end - s > 10 && is_digit(s[10])))
        return false;
    if (!(is_digit(s[0]) && is_digit(s[1]) && is_digit(s[2]) && is_digit(s[3]) && is_digit(s[5]) && is_digit(s[6]) &&
          is_digit(s[8]) && is_digit(s[9])))
        return false;
    t->year = two_digits(s) * 100 + two_digits(s + 2);
    t->month = two_digits(s + 5);
    t->day = two_digits(s + 8);
    *p = s + 10;
    return true;
}

static bool read_date(const char **p, const char *end, DateTime *t)
{
    if (read_plain_date(p, end, t))
        return true;
    const char *start = *p;
    if (!read_digits(p, end, 4, 8, &t->year))
        return false;
    if (*p - start == 8 && (*p == end || **p != '-')) { /* YYYYMMDD */
        t->day = t->year % 100;
        t->month = t->year / 100 % 100;
        t->year /= 10000;
        return true;
    }
    return *p - start < 8 && read_char(p, end, '-') && read_digits(p, end, 1, 2, &t->month) && read_char(p, end, '-') &&
           read_digits(p, end, 1, 2, &t->day);
}

/* A fraction of at most 6 digits; of more, the server's rounding is not ours to copy. */
static bool read_fraction(const char **p, const char *end, int *ret_micros)
{
    const char *start = *p;
    if (!read_digits(p, end, 1, 6, ret_micros))
        return false;
    for (long i = *p - start; i < 6; i++)
        *ret_micros *= 10;
    return true;
}

static bool read_time(const char **p, const char *end, DateTime *t)
{
    t->has_time = true;
    if (!read_digits(p, end, 1, 2, &t->hour) || !read_char(p, end, ':') || !read_digits(p, end, 2, 2, &t->minute))
        return false;
    if (!read_char(p, end, ':'))
        return true;
    if (!read_digits(p, end, 2, 2, &t->second))
        return false;
    return !read_char(p, end, '.') || read_fraction(p, end, &t->micros);
}

/* An offset, or nothing. False where what stands there is no offset we read. */
static bool read_offset(const char **p, const char *end, DateTime *t)
{
    const char *q = *p;
    if (q < end && *q == ' ')
        q++;
    size_t left = (size_t)(end - q);
    bool z = left >= 1 && (*q == 'Z' || *q == 'z'), utc = left >= 3 && strncasecmp(q, "utc", 3) == 0;
    if (z || utc) {
        t->has_offset = true;
        *p = q + (z ? 1 : 3);
        return true;
    }
    if (left == 0 || (*q != '+' && *q != '-'))
        return true;
    int sign = *q++ == '-' ? -1 : 1, hours, minutes = 0;
    const char *digits = q;
    if (!read_digits(&q, end, 2, 4, &hours) || q - digits == 3)
        return false;
    if (q - digits == 4) {
        minutes = hours % 100;
        hours /= 100;
    } else if (read_char(&q, end, ':') && !read_digits(&q, end, 2, 2, &minutes)) {
        return false;
    }
    if (hours > OFFSET_HOURS_MAX || minutes > 59)
        return false;
    t->has_offset = true;
    t->offset = sign * (hours * 60 + minutes) * 60;
    *p = q;
    return true;
}

static bool read_era(const char **p, const char *end, DateTime *t)
{
    if (end - *p != 3 || **p != ' ')
        return true;
    if (strncasecmp(*p, " bc", 3) == 0)
        t->year = 1 - t->year;
    else if (strncasecmp(*p, " ad", 3) != 0)
        return true;
    *p += 3;
    return true;
}

/* What we do not read: refused by the server for certain only where it holds neither a digit nor a word that stands
 * for a time by itself. */
static ValueResult not_read(const char *s, size_t n)
{
    static const char *const WORDS[] = {"now", "today", "tomor", "yest", "epoch", "inf"};
    for (size_t i = 0; i < n; i++) {
        if (is_digit(s[i]))
            return VALUE_UNSURE;
        for (size_t k = 0; k < sizeof(WORDS) / sizeof(WORDS[0]); k++) {
            size_t len = strlen(WORDS[k]);
            if (n - i >= len && strncasecmp(s + i, WORDS[k], len) == 0)
                return VALUE_UNSURE;
        }
    }
    return VALUE_BAD;
}

ValueResult datetime_read(const char *s, size_t n, DateTime *ret)
{
    while (n > 0 && is_space(*s)) {
        s++;
        n--;
    }
    while (n > 0 && is_space(s[n - 1]))
        n--;
    *ret = (DateTime){0};
    bool minus = n > 0 && *s == '-';
    if (n == 8u + minus && strncasecmp(s + minus, "infinity", 8) == 0) {
        ret->infinite = minus ? -1 : 1;
        return VALUE_OK;
    }
    const char *p = s, *end = s + n;
    if (!read_date(&p, end, ret))
        return not_read(s, n);
    if (ret->year == 0)
        return p == end ? VALUE_OUT_OF_RANGE : VALUE_UNSURE; /* there is no year 0, AD or BC */
    bool time_follows = end - p >= 2 && (*p == ' ' || *p == 'T') && is_digit(p[1]);
    if (time_follows) {
        p++;
        if (!read_time(&p, end, ret) || !read_offset(&p, end, ret))
            return VALUE_UNSURE;
    }
    if (!read_era(&p, end, ret) || p != end)
        return VALUE_UNSURE;
    return datetime_check(ret);
}
