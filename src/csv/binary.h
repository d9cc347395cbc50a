/* Binary: fields of COPY BINARY, written straight into a Text. All numbers are big-endian. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

enum { BINARY_ROOM = 16 }; /* the most bytes written at once, and the terminator */

static inline char *binary_room(Text *out)
{
    if (out->cap < out->len + BINARY_ROOM)
        text_reserve(out, BINARY_ROOM);
    return out->data + out->len;
}

/* The low size bytes of value, 1 to 8. Eight are always stored: those behind are room to be written next. */
static inline void binary_put(Text *out, uint64_t value, size_t size)
{
    uint64_t big = htobe64(value << (64 - 8 * size));
    memcpy(binary_room(out), &big, sizeof(big));
    out->len += size;
    out->data[out->len] = '\0';
}

/* A field of 1 to 8 bytes with its length before it. */
static inline void binary_field(Text *out, uint64_t value, size_t size)
{
    char *to = binary_room(out);
    uint32_t length = htobe32((uint32_t)size);
    uint64_t big = htobe64(value << (64 - 8 * size));
    memcpy(to, &length, sizeof(length));
    memcpy(to + sizeof(length), &big, sizeof(big));
    out->len += sizeof(length) + size;
    out->data[out->len] = '\0';
}
