/* Header: which field of a CSV file is which declared column.
 *
 * A column with `header:` takes the one field whose header text, white space around it trimmed, is that text, or
 * where none is, matches that pattern (`*` stands for any characters, none too). Every other column takes the one field
 * left whose header is the column's name once both are normalised. Order does not matter.
 * Fields and columns must match one to one: a column without a field, a field without a column, and a match that is not
 * unique are one ERROR_FAILED that lists what was expected, what was found, and what is near. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

enum { HEADER_TEXT_MAX = 4096 }; /* bytes of one header; longer is an error */

typedef struct HeaderColumn {
    const char *name;
    const char *header; /* exact text, or a pattern with `*`; NULL: by name */
} HeaderColumn;

typedef struct HeaderField {
    const char *text; /* not terminated */
    size_t len;
    int column; /* in the file, in characters, from 1; 0 where unknown. For the error's place */
} HeaderField;

/* Fills ret_fields[column_count] with field indexes from 0. file and line are the error's place. At most
 * CSV_COLUMNS_MAX columns and fields. */
bool header_match(const HeaderColumn *columns, size_t column_count, const HeaderField *fields, size_t field_count,
                  const char *file, int line, size_t *ret_fields, Error *err);

/* Appends the normal form of a header: cut at the first `(`, in lower case, every run of characters that are no letters
 * or digits made one `_`, no `_` at either end. Letters and digits are those of all scripts, with the combining marks
 * that follow them; bytes that are no UTF-8 are neither. At most 3 bytes for every 2 of s, since a lower-case letter
 * may be the longer one. Unicode's tables are those of the C library's locale C.UTF-8; on a system without it, every
 * character beyond ASCII is a letter and stays as it is. Thread-safe. */
void header_normalise(const char *s, size_t n, Text *out);
