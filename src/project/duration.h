/* Duration: `7 days`, `1 day 12 hours`: whole numbers of weeks, days, hours, minutes, seconds. A day is 24 hours. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* In microseconds, at most 1,000 years. Errors are ERROR_PROJECT without a place, with a hint. */
bool duration_parse(const char *text, int64_t *ret, Error *err);
