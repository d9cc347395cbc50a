/* Interval: literals of time spans, as bounds of a shift.
 *
 * Takes what is common in SQL: `interval '1 month 2 days'`, `'7 days'::interval`, `interval '36:00:00'`, `interval '7'
 * day`. Not so (false): negative or fractional amounts, `ago`, ISO 8601's P1D, precisions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sql/tree.h"

typedef struct Interval {
    int64_t months, days, microseconds; /* none negative */
} Interval;

bool interval_parse(const char *text, Interval *ret);
/* Of a node: a cast of a string constant to interval. ret_text: the words, for people; may be NULL. */
bool interval_literal(const SqlNode *node, Interval *ret, const char **ret_text);
/* What adding it to a time adds at least and at most, in microseconds. Months are 28 to 31 days, padded by 3. zoned: to
 * a timestamptz, where months and days follow the zone's clock: padded by 26 hours. */
void interval_span(const Interval *interval, bool zoned, int64_t *ret_least, int64_t *ret_most);
