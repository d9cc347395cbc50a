/* Json: a writer of compact JSON into a Text. Commas are put by the writer. Strings that are no UTF-8 get
 * U+FFFD for each wrong byte. Nesting is bounded by JSON_DEPTH; going past it is a bug and aborts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { JSON_DEPTH = 32 };

typedef struct Json {
    Text *out;
    int depth;
    bool some[JSON_DEPTH]; /* a value was written at this depth */
    char close[JSON_DEPTH];
    bool after_key;
} Json;

void json_object(Json *json);
void json_array(Json *json);
void json_end(Json *json); /* the innermost object or array */
void json_key(Json *json, const char *key);
void json_string(Json *json, const char *s); /* NULL writes null */
void json_int(Json *json, int64_t n);
void json_null(Json *json);
void json_raw(Json *json, const char *s); /* s is a JSON value already */
