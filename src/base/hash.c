#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void hash_add(Text *parts, const char *s)
{
    if (!s) {
        text_append(parts, "-;");
        return;
    }
    size_t length = strlen(s);
    text_appendf(parts, "%zu:", length);
    text_append_n(parts, s, length);
    text_append_char(parts, ';');
}

const char *hash_of(const Text *parts, Arena *arena)
{
    char hex[33];
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text_str(parts), parts->len));
    for (size_t i = 0; i < sizeof canonical.digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", canonical.digest[i]);
    return arena_strdup(arena, hex);
}
