/* Binary: fields of COPY BINARY, written straight into a Text. All numbers are big-endian. */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/text.h"

static inline void binary_store(char *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (char)(unsigned char)(value >> (8 * (size - 1 - i)));
}

static inline void binary_put(Text *out, uint64_t value, size_t size)
{
    if (out->cap < out->len + size + 1)
        text_reserve(out, size);
    binary_store(out->data + out->len, value, size);
    out->len += size;
    out->data[out->len] = '\0';
}

/* A field of 1, 2, 4 or 8 bytes with its length. */
static inline void binary_field(Text *out, uint64_t value, size_t size)
{
    if (out->cap < out->len + 4 + size + 1)
        text_reserve(out, 4 + size);
    binary_store(out->data + out->len, size, 4);
    binary_store(out->data + out->len + 4, value, size);
    out->len += 4 + size;
    out->data[out->len] = '\0';
}
