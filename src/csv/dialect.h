/* CsvDialect: how a CSV file is written, told from its first bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct CsvDialect {
    char delimiter;  /* one ASCII byte; 0 as input: to be detected */
    char quote;      /* one ASCII byte; 0 as input: `"` */
    size_t bom_size; /* output: bytes of a UTF-8 byte order mark to skip, 0 or 3 */
} CsvDialect;

enum { CSV_HEAD = 65536 }; /* bytes of a file's head that are worth giving to csv_dialect_detect() */

/* Completes dialect from the first n bytes of a file. The delimiter is whichever of `,` `;` tab `|` occurs most
 * often outside quotes in the first line that is not blank; a comma wins a tie and where none occurs.
 * UTF-16, UTF-32 and binary content (zero bytes) are an ERROR_FAILED that names the file. */
bool csv_dialect_detect(const char *head, size_t n, const char *file, CsvDialect *dialect, Error *err);

/* A delimiter as a user writes it: one ASCII character, or `tab` or `\t`. Quotes, letters, digits, line ends and
 * control characters other than tab are an ERROR_PROJECT. */
bool csv_delimiter_of(const char *text, char *ret_delimiter, Error *err);
