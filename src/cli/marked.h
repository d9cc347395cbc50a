/* Marked: rows of two sides, one under the other in aligned columns, each with a mark of the side it is from.
 *
 * Null is shown as null, an empty text and the text null in quotes. Control characters and bytes that are no UTF-8 are
 * escaped, long values cut, and no secret is shown. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/json.h"

enum { MARKED_VALUE_MAX = 60 }; /* bytes of a value that are shown */

typedef struct MarkedRow {
    char mark; /* '-', '+', ' ' */
    const char *const *values;
} MarkedRow;

/* A line of names, then one a row. Nothing where there is no row. */
void marked_print(const char *const *names, size_t columns, const MarkedRow *rows, size_t count, FILE *out);
/* One row as a JSON object, its values as text. */
void marked_json(const char *const *names, size_t columns, const char *const *values, Json *json);
/* A text that shows no secret, as a JSON string; NULL is null. */
void marked_json_text(const char *text, Json *json);
