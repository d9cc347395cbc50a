#include "schedule/zone_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { HEADER = 44, TYPE_SIZE = 6, FOOTER_MAX = 256 };

typedef struct Counts {
    size_t isut, isstd, leap, time, type, chars;
} Counts;

static uint64_t big_endian(const char *p, size_t size)
{
    uint64_t n = 0;
    for (size_t i = 0; i < size; i++)
        n = n << 8 | (unsigned char)p[i];
    return n;
}

static bool read_header(const char *data, size_t len, char *ret_version, Counts *ret)
{
    if (len < HEADER || memcmp(data, "TZif", 4) != 0)
        return false;
    size_t n[6];
    for (size_t i = 0; i < 6; i++)
        n[i] = (size_t)big_endian(data + 20 + 4 * i, 4);
    *ret_version = data[4];
    *ret = (Counts){n[0], n[1], n[2], n[3], n[4], n[5]};
    return true;
}

/* Counts are below 2^32 each, so that this cannot overflow. */
static uint64_t block_size(const Counts *n, unsigned time_size)
{
    return (uint64_t)n->time * (time_size + 1) + (uint64_t)n->type * TYPE_SIZE + n->chars +
           (uint64_t)n->leap * (time_size + 4) + n->isstd + n->isut;
}

/* p holds a whole block */
static const char *read_block(const char *p, const Counts *n, unsigned time_size, ZoneTable *table)
{
    const char *indices = p + n->time * time_size, *types = indices + n->time;
    if (n->type == 0)
        return "it has no time types";
    if (n->leap > 0)
        return "it counts leap seconds, which the system's clock does not";
    table->count = n->time;
    table->times = mem_resize(NULL, n->time + 1, sizeof *table->times);
    table->offsets = mem_resize(NULL, n->time + 1, sizeof *table->offsets);
    for (size_t i = 0; i <= n->time; i++) {
        size_t type = i == 0 ? 0 : (unsigned char)indices[i - 1];
        if (type >= n->type)
            return "a transition names a time type that it does not have";
        table->offsets[i] = (int32_t)(uint32_t)big_endian(types + type * TYPE_SIZE, 4);
        if (table->offsets[i] > ZONE_OFFSET_MAX || table->offsets[i] < -ZONE_OFFSET_MAX)
            return "an offset from UTC is 26 hours or more";
    }
    for (size_t i = 0; i < n->time; i++) {
        uint64_t raw = big_endian(p + i * time_size, time_size);
        int64_t at = time_size == 4 ? (int32_t)(uint32_t)raw : (int64_t)raw;
        if (at > INT64_C(1) << 60 || at < -(INT64_C(1) << 60))
            return "a transition is out of range";
        if (i > 0 && at <= table->times[i - 1])
            return "its transitions are out of order";
        table->times[i] = at;
    }
    return NULL;
}

static const char *read_footer(const char *p, size_t len, ZoneTable *table)
{
    const char *end = len > 1 && p[0] == '\n' ? memchr(p + 1, '\n', len - 1) : NULL;
    if (!end || end - p > FOOTER_MAX)
        return "its footer is missing";
    size_t n = (size_t)(end - p - 1);
    table->has_rule = n > 0;
    if (n > 0 && !zone_rule_parse(p + 1, n, &table->rule))
        return "its footer is no POSIX time zone";
    return NULL;
}

static const char *read_table(const char *data, size_t len, ZoneTable *table)
{
    Counts n;
    char version;
    if (!read_header(data, len, &version, &n))
        return "it is no time zone file";
    if (block_size(&n, 4) > len - HEADER)
        return "it is cut short";
    if (version == '\0')
        return read_block(data + HEADER, &n, 4, table);

    /* Since version 2 the first block only serves readers of version 1. */
    size_t skip = HEADER + (size_t)block_size(&n, 4);
    if (!read_header(data + skip, len - skip, &version, &n))
        return "its second header is missing";
    skip += HEADER;
    if (block_size(&n, 8) > len - skip)
        return "it is cut short";
    const char *why = read_block(data + skip, &n, 8, table);
    skip += (size_t)block_size(&n, 8);
    return why ? why : read_footer(data + skip, len - skip, table);
}

bool zone_table_parse(const char *data, size_t len, ZoneTable *ret, const char **ret_why)
{
    *ret = (ZoneTable){0};
    const char *why = read_table(data, len, ret);
    if (!why)
        return true;
    zone_table_clear(ret);
    *ret_why = why;
    return false;
}

void zone_table_clear(ZoneTable *table)
{
    free(table->times);
    free(table->offsets);
    *table = (ZoneTable){0};
}
