/* Index: pointers by name, for names by the ten thousand.
 *
 * Open addressing with linear probing over FNV-1a, doubled at three quarters full. Memory lives in the arena; names
 * and values are the caller's and must outlive the index. Start with {.arena = arena}. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef struct IndexSlot {
    const char *name;
    void *value;
} IndexSlot;

typedef struct Index {
    Arena *arena;
    IndexSlot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} Index;

/* The value there was under that name; NULL where there was none, and value is stored. value is not NULL. */
void *index_put(Index *index, const char *name, void *value);
void *index_get(const Index *index, const char *name); /* or NULL */
