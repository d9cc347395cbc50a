/* CsvGuess: which type a column of a CSV file could have, from its values.
 *
 * The narrowest of boolean, integer, bigint, numeric, date, timestamp, timestamptz that takes every value, else text.
 * Numbers with leading zeros (codes) or a leading plus (telephone numbers) are text; 0 and 1 are integers; boolean is
 * for true, false, yes, no, t, f. Dates and times must be ISO 8601; timestamptz needs an offset in every value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "csv/type.h"

/* Zero-initialised, it has seen nothing. */
typedef struct CsvGuess {
    unsigned ruled_out; /* a bit per CsvType */
    bool seen;          /* any value that was not null */
    bool digits;        /* any with a digit in it */
} CsvGuess;

/* An empty value without quotes is null and says nothing. */
void csv_guess_add(CsvGuess *guess, const char *s, size_t n, bool quoted);
/* CSV_TEXT where no value was seen. */
CsvType csv_guess_type(const CsvGuess *guess);
