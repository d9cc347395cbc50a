/* CsvGuess: which type a column of a CSV file could have, from its values.
 *
 * The narrowest of boolean, integer, bigint, numeric, date, timestamp, timestamptz that takes every value, else text.
 * Numbers with leading zeros (codes) or a leading plus (telephone numbers) are text; 0 and 1 are integers; boolean is
 * for true, false, yes, no, t, f. Dates and times are ISO 8601, or all in one of the formats DD/MM/YYYY, MM/DD/YYYY,
 * DD-MM-YYYY, MM-DD-YYYY, DD.MM.YYYY, YYYY/MM/DD, YYYY.MM.DD, with HH24:MI or HH24:MI:SS after a space or without;
 * timestamptz needs an offset in every value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csv/type.h"

/* Why a column that looks like more than text is not taken for it. */
typedef enum CsvDoubt {
    CSV_NO_DOUBT,
    CSV_DAY_OR_MONTH,  /* both DD/MM and MM/DD (or with hyphens) take every value */
    CSV_DECIMAL_COMMA, /* numbers such as 12,5 and 1.234,50 */
    CSV_COMMAS,        /* numbers such as 1,234 and 1,234.50: commas between thousands, or perhaps decimal ones */
} CsvDoubt;

/* In doubt, the column is text; type and format are then what it may be. */
typedef struct CsvGuessed {
    CsvType type;       /* CSV_TEXT where no value was seen */
    const char *format; /* of a date or timestamp that is not ISO 8601 (see format.h); else NULL. Static */
    CsvDoubt doubt;
} CsvGuessed;

/* Zero-initialised, it has seen nothing. */
typedef struct CsvGuess {
    uint64_t ruled_out; /* a bit for each way of reading a value */
    bool seen;          /* any value that was not null */
    bool digits;        /* any with a digit in it */
    bool comma;         /* any with a comma in it, as long as numbers with commas are not ruled out */
} CsvGuess;

/* An empty value without quotes is null and says nothing. What is ruled out already is not tried again. The result
 * does not depend on the order of the values. */
void csv_guess_add(CsvGuess *guess, const char *s, size_t n, bool quoted);
CsvGuessed csv_guess_result(const CsvGuess *guess);
