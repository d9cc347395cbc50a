#include "csv/guess.h"

#include <string.h>
#include <strings.h>

#include "csv/datetime.h"
#include "csv/value.h"

enum { VALUE_SIZE_MAX = 1000 }; /* what is longer is text */

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

/* A bit for each type. */
static unsigned bit(CsvType type) { return 1u << type; }

/* What fits a smaller type fits the larger ones too. */
static unsigned numbers_ruled_out_by(const char *s, size_t n, unsigned before, Text *scratch)
{
    static const CsvType NUMBERS[] = {CSV_INTEGER, CSV_BIGINT, CSV_NUMERIC};
    const unsigned all = bit(CSV_INTEGER) | bit(CSV_BIGINT) | bit(CSV_NUMERIC);
    if ((before & all) == all || loses_as_number(s, n))
        return all;
    unsigned out = 0;
    for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++) {
        if (!(before & bit(NUMBERS[i])) && fits(NUMBERS[i], s, n, scratch))
            break;
        out |= bit(NUMBERS[i]);
    }
    return out;
}

static unsigned times_ruled_out_by(const char *s, size_t n, unsigned before, Text *scratch)
{
    const unsigned all = bit(CSV_DATE) | bit(CSV_TIMESTAMP) | bit(CSV_TIMESTAMPTZ);
    DateTime t;
    if ((before & all) == all || !memchr(s, '-', n) || datetime_read(s, n, &t) != VALUE_OK || t.infinite)
        return all;
    unsigned out = before & all;
    if (!(out & bit(CSV_DATE)) && (t.has_time || !fits(CSV_DATE, s, n, scratch)))
        out |= bit(CSV_DATE);
    if (!(out & bit(CSV_TIMESTAMP)) && (t.has_offset || !fits(CSV_TIMESTAMP, s, n, scratch)))
        out |= bit(CSV_TIMESTAMP);
    if (!(out & bit(CSV_TIMESTAMPTZ)) && (!t.has_offset || !fits(CSV_TIMESTAMPTZ, s, n, scratch)))
        out |= bit(CSV_TIMESTAMPTZ);
    return out;
}

/* The types that a value rules out; those that earlier values did are not tried again. */
static unsigned ruled_out_by(const char *s, size_t n, unsigned before)
{
    TEXT_AUTO(scratch);
    unsigned boolean = (before & bit(CSV_BOOLEAN)) || !is_boolean_word(s, n) ? bit(CSV_BOOLEAN) : 0;
    return boolean | numbers_ruled_out_by(s, n, before, &scratch) | times_ruled_out_by(s, n, before, &scratch);
}

void csv_guess_add(CsvGuess *guess, const char *s, size_t n, bool quoted)
{
    if (n == 0 && !quoted)
        return;
    guess->seen = true;
    for (size_t i = 0; i < n && !guess->digits; i++)
        guess->digits = is_digit(s[i]);
    const unsigned all = 1u << CSV_BOOLEAN | 1u << CSV_INTEGER | 1u << CSV_BIGINT | 1u << CSV_NUMERIC | 1u << CSV_DATE |
                         1u << CSV_TIMESTAMP | 1u << CSV_TIMESTAMPTZ;
    if ((guess->ruled_out & all) == all)
        return;
    guess->ruled_out |= n > VALUE_SIZE_MAX ? all : ruled_out_by(s, n, guess->ruled_out);
}

CsvType csv_guess_type(const CsvGuess *guess)
{
    static const CsvType ORDER[] = {CSV_BOOLEAN, CSV_INTEGER,   CSV_BIGINT,     CSV_NUMERIC,
                                    CSV_DATE,    CSV_TIMESTAMP, CSV_TIMESTAMPTZ};
    for (size_t i = 0; guess->seen && i < sizeof(ORDER) / sizeof(ORDER[0]); i++) {
        bool words_only = ORDER[i] == CSV_BOOLEAN || guess->digits; /* else it is all NaN */
        if (words_only && !(guess->ruled_out & 1u << ORDER[i]))
            return ORDER[i];
    }
    return CSV_TEXT;
}
