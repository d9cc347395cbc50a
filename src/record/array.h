/* Array: a list as the text of a PostgreSQL array, so that one statement with one parameter serves any number of rows.
 *
 *     ARRAY_AUTO(names);
 *     array_add(&names, "loans");
 *     ... array_str(&names) ...      {"loans"} */
#pragma once

#include <stdint.h>

#include "base/text.h"

typedef struct Array {
    Text text;
} Array;

#define ARRAY_AUTO(name) __attribute__((cleanup(array_clear))) Array name = {0}

void array_clear(Array *array);
void array_add(Array *array, const char *value); /* NULL adds null */
void array_add_int(Array *array, int64_t value);
const char *array_str(Array *array); /* the whole; nothing is added after. Valid until array_clear() */
