/* ZoneFile: the bytes of a TZif file, taken apart and checked. Internal to the zone reader.
 * Source: RFC 9636, section 3. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schedule/zone_rule.h"

enum { ZONE_FILE_MAX = 1 << 20 }; /* bytes */

typedef struct ZoneTable {
    size_t count;
    int64_t *times;   /* count, ascending, seconds: when an offset begins */
    int32_t *offsets; /* count + 1: offsets[0] holds before times[0], offsets[i + 1] from times[i] */
    bool has_rule;    /* what holds from the last time on; without one the last offset goes on */
    ZoneRule rule;
} ZoneTable;

/* Reads a file's bytes. On failure the table is empty and *ret_why says what is wrong (a constant). */
bool zone_table_parse(const char *data, size_t len, ZoneTable *ret, const char **ret_why);
void zone_table_clear(ZoneTable *table);
