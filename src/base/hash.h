/* Hash: 128 bits (XXH3) over parts, in hexadecimal. For recognising what is the same, not for secrets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"

/* A part's length counts too: "ab","c" and "a","bc" differ. NULL is a part of its own. */
void hash_add(Text *parts, const char *s);
const char *hash_of(const Text *parts, Arena *arena);
