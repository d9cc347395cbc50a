/* Duration: `7 days`, `1 day 12 hours`: whole numbers of weeks, days, hours, minutes, seconds. A day is 24 hours. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* In microseconds, at most 1,000 years. Errors are ERROR_PROJECT without a place, with a hint. */
bool duration_parse(const char *text, int64_t *ret, Error *err);
/* For people, in the arena: a limit (exact) in the largest unit that it is a whole number of, up to days; an age in the
 * largest of which it has two. */
const char *duration_text(int64_t microseconds, bool exact, Arena *arena);
