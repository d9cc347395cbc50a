#include "csv/guess.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "csv/datetime.h"
#include "csv/format.h"
#include "csv/value.h"

enum { VALUE_SIZE_MAX = 1000 }; /* what is longer is text */

/* Where both DD/MM and MM/DD take every value, the first stands for both. */
static const struct {
    CsvType type;
    const char *pattern;
} FORMATS[] = {
    {CSV_DATE, "DD/MM/YYYY"},
    {CSV_DATE, "MM/DD/YYYY"},
    {CSV_DATE, "DD-MM-YYYY"},
    {CSV_DATE, "MM-DD-YYYY"},
    {CSV_DATE, "DD.MM.YYYY"},
    {CSV_DATE, "YYYY/MM/DD"},
    {CSV_DATE, "YYYY.MM.DD"},
    {CSV_TIMESTAMP, "DD/MM/YYYY HH24:MI"},
    {CSV_TIMESTAMP, "MM/DD/YYYY HH24:MI"},
    {CSV_TIMESTAMP, "DD-MM-YYYY HH24:MI"},
    {CSV_TIMESTAMP, "MM-DD-YYYY HH24:MI"},
    {CSV_TIMESTAMP, "DD.MM.YYYY HH24:MI"},
    {CSV_TIMESTAMP, "YYYY/MM/DD HH24:MI"},
    {CSV_TIMESTAMP, "YYYY.MM.DD HH24:MI"},
    {CSV_TIMESTAMP, "DD/MM/YYYY HH24:MI:SS"},
    {CSV_TIMESTAMP, "MM/DD/YYYY HH24:MI:SS"},
    {CSV_TIMESTAMP, "DD-MM-YYYY HH24:MI:SS"},
    {CSV_TIMESTAMP, "MM-DD-YYYY HH24:MI:SS"},
    {CSV_TIMESTAMP, "DD.MM.YYYY HH24:MI:SS"},
    {CSV_TIMESTAMP, "YYYY/MM/DD HH24:MI:SS"},
    {CSV_TIMESTAMP, "YYYY.MM.DD HH24:MI:SS"},
};
enum { FORMAT_COUNT = sizeof(FORMATS) / sizeof(FORMATS[0]) };

/* --- the ways of reading a value, a bit each ------------------------------------------------------------------ */

/* First a bit for each type, then one for each format, then notations of numbers. */
enum { FORMAT_BIT = 16, DECIMAL_COMMA_BIT = FORMAT_BIT + FORMAT_COUNT, COMMAS_BIT };

static const uint64_t integers = 1u << CSV_INTEGER | 1u << CSV_BIGINT;
static const uint64_t numbers = 1u << CSV_INTEGER | 1u << CSV_BIGINT | 1u << CSV_NUMERIC;
static const uint64_t times = 1u << CSV_DATE | 1u << CSV_TIMESTAMP | 1u << CSV_TIMESTAMPTZ;
static const uint64_t formats = ((UINT64_C(1) << FORMAT_COUNT) - 1) << FORMAT_BIT;
static const uint64_t decimal_comma = UINT64_C(1) << DECIMAL_COMMA_BIT;
static const uint64_t commas = UINT64_C(1) << COMMAS_BIT;

static uint64_t type_bit(CsvType type) { return UINT64_C(1) << type; }
static uint64_t format_bit(size_t i) { return UINT64_C(1) << (FORMAT_BIT + i); }
static uint64_t every_way(void) { return type_bit(CSV_BOOLEAN) | numbers | times | formats | decimal_comma | commas; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_boolean_word(const char *s, size_t n)
{
    static const char *const WORDS[] = {"true", "false", "yes", "no", "t", "f"};
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (n == strlen(WORDS[i]) && strncasecmp(s, WORDS[i], n) == 0)
            return true;
    return false;
}

/* Leading zeros and a leading plus are what a number would lose. */
static bool loses_as_number(const char *s, size_t n)
{
    size_t i = n > 0 && s[0] == '-';
    return (n > 0 && s[0] == '+') || (n > i + 1 && s[i] == '0' && is_digit(s[i + 1]));
}

static bool fits(CsvType type, const char *s, size_t n, Text *scratch)
{
    const CsvColumnType plain = {.type = type, .length = -1, .precision = -1, .utc = true};
    text_reset(scratch);
    return value_encode(&plain, s, n, scratch) == VALUE_OK;
}

/* What fits a smaller type fits the larger ones too. */
static uint64_t numbers_ruled_out_by(const char *s, size_t n, uint64_t before, Text *scratch)
{
    static const CsvType types[] = {CSV_INTEGER, CSV_BIGINT, CSV_NUMERIC};
    if ((before & numbers) == numbers || loses_as_number(s, n))
        return numbers;
    uint64_t out = 0;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!(before & type_bit(types[i])) && fits(types[i], s, n, scratch))
            break;
        out |= type_bit(types[i]);
    }
    return out;
}

static uint64_t times_ruled_out_by(const char *s, size_t n, uint64_t before, Text *scratch)
{
    DateTime t;
    if ((before & times) == times || !memchr(s, '-', n) || datetime_read(s, n, &t) != VALUE_OK || t.infinite)
        return times;
    uint64_t out = before & times;
    if (!(out & type_bit(CSV_DATE)) && (t.has_time || !fits(CSV_DATE, s, n, scratch)))
        out |= type_bit(CSV_DATE);
    if (!(out & type_bit(CSV_TIMESTAMP)) && (t.has_offset || !fits(CSV_TIMESTAMP, s, n, scratch)))
        out |= type_bit(CSV_TIMESTAMP);
    if (!(out & type_bit(CSV_TIMESTAMPTZ)) && (!t.has_offset || !fits(CSV_TIMESTAMPTZ, s, n, scratch)))
        out |= type_bit(CSV_TIMESTAMPTZ);
    return out;
}

/* --- formats of dates ------------------------------------------------------------------------------------------- */

static CsvFormat parsed[FORMAT_COUNT];
static pthread_once_t parsed_once = PTHREAD_ONCE_INIT;

static void parse_formats(void)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (!csv_format_parse(FORMATS[i].pattern, FORMATS[i].type, &parsed[i], NULL))
            abort();
}

static uint64_t formats_ruled_out_by(const char *s, size_t n, uint64_t before)
{
    if ((before & formats) == formats)
        return formats;
    pthread_once(&parsed_once, parse_formats);
    uint64_t out = before & formats;
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        DateTime t;
        if (!(out & format_bit(i)) && csv_format_read(&parsed[i], s, n, &t) != VALUE_OK)
            out |= format_bit(i);
    }
    return out;
}

/* --- numbers with commas ---------------------------------------------------------------------------------------- */

static size_t count_digits(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && is_digit(s[i]))
        i++;
    return i;
}

/* Digits, perhaps with a separator before every three of them, then perhaps the point and decimals. */
static bool is_grouped_number(const char *s, size_t n, char separator, char point)
{
    size_t i = n > 0 && s[0] == '-';
    size_t first = count_digits(s + i, n - i);
    if (first == 0)
        return false;
    i += first;
    for (; first <= 3 && i < n && s[i] == separator; i += 4)
        if (count_digits(s + i + 1, n - i - 1) < 3)
            return false;
    if (i == n)
        return true;
    if (s[i] != point)
        return false;
    size_t decimals = count_digits(s + i + 1, n - i - 1);
    return decimals > 0 && i + 1 + decimals == n;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static uint64_t commas_ruled_out_by(const char *s, size_t n, uint64_t before)
{
    const uint64_t both = decimal_comma | commas;
    for (; n > 0 && is_space(*s); s++)
        n--;
    while (n > 0 && is_space(s[n - 1]))
        n--;
    if ((before & both) == both || loses_as_number(s, n))
        return both;
    uint64_t out = before & both;
    if (!(out & decimal_comma) && !is_grouped_number(s, n, '.', ','))
        out |= decimal_comma;
    if (!(out & commas) && !is_grouped_number(s, n, ',', '.'))
        out |= commas;
    return out;
}

/* --- the guess -------------------------------------------------------------------------------------------------- */

static void rule_out(CsvGuess *guess, const char *s, size_t n)
{
    TEXT_AUTO(scratch);
    const uint64_t before = guess->ruled_out;
    uint64_t out = before | numbers_ruled_out_by(s, n, before, &scratch);
    if (!(before & type_bit(CSV_BOOLEAN)) && !is_boolean_word(s, n))
        out |= type_bit(CSV_BOOLEAN);
    out |= times_ruled_out_by(s, n, before, &scratch);
    if ((out & numbers) != numbers) /* a number, which is no date in any format */
        out |= formats;
    else
        out |= formats_ruled_out_by(s, n, before);
    if ((out & integers) == integers) { /* else an integer, which may stand among numbers with commas */
        out |= commas_ruled_out_by(s, n, before);
        guess->comma = guess->comma || memchr(s, ',', n);
    }
    guess->ruled_out = out;
}

void csv_guess_add(CsvGuess *guess, const char *s, size_t n, bool quoted)
{
    if (n == 0 && !quoted)
        return;
    guess->seen = true;
    for (size_t i = 0; i < n && !guess->digits; i++)
        guess->digits = is_digit(s[i]);
    if (guess->ruled_out == every_way())
        return;
    if (n > VALUE_SIZE_MAX)
        guess->ruled_out = every_way();
    else
        rule_out(guess, s, n);
}

/* A date in one of the formats, or in one of two. */
static bool find_format(uint64_t fit, CsvGuessed *ret)
{
    size_t i = 0;
    while (i < FORMAT_COUNT && !(fit & format_bit(i)))
        i++;
    if (i == FORMAT_COUNT)
        return false;
    bool others = (fit & formats & ~format_bit(i)) != 0;
    *ret = (CsvGuessed){FORMATS[i].type, FORMATS[i].pattern, others ? CSV_DAY_OR_MONTH : CSV_NO_DOUBT};
    return true;
}

CsvGuessed csv_guess_result(const CsvGuess *guess)
{
    static const CsvType order[] = {CSV_BOOLEAN, CSV_INTEGER,   CSV_BIGINT,     CSV_NUMERIC,
                                    CSV_DATE,    CSV_TIMESTAMP, CSV_TIMESTAMPTZ};
    uint64_t fit = guess->seen ? every_way() & ~guess->ruled_out : 0;
    if (!guess->digits) /* else it is all NaN */
        fit &= type_bit(CSV_BOOLEAN);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (fit & type_bit(order[i]))
            return (CsvGuessed){.type = order[i]};
    CsvGuessed found = {.type = CSV_TEXT};
    if (find_format(fit, &found))
        return found;
    if (guess->comma && (fit & (decimal_comma | commas))) /* without a comma: 192.168.100.200 */
        return (CsvGuessed){.type = CSV_NUMERIC, .doubt = fit & commas ? CSV_COMMAS : CSV_DECIMAL_COMMA};
    return found;
}
