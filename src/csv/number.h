/* Number: integers, floating point and numeric as fields of COPY BINARY. See value.h for what the results promise. */
#pragma once

#include <stddef.h>

#include "csv/value.h"

/* size is 2, 4 or 8 bytes. */
ValueResult number_integer(const char *s, size_t n, size_t size, Text *out);
/* size is 4 or 8 bytes. Independent of the process's locale. */
ValueResult number_float(const char *s, size_t n, size_t size, Text *out);
/* precision -1: any; else rounded to scale, halves away from zero, and checked. */
ValueResult number_numeric(const char *s, size_t n, int precision, int scale, Text *out);
