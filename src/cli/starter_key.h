/* Starter key: whether every value of a column occurs once, and none is missing.
 *
 * Bounded: past STARTER_KEY_ROWS_MAX rows it is not known. Values are compared by 64 bits of a hash, so that two may
 * be taken for the same which are not: then the column is said not to be unique, which does no harm. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STARTER_KEY_ROWS_MAX = 1 << 20 };

/* Zero-initialised, it has seen nothing. */
typedef struct StarterKey {
    uint64_t *slots; /* 0: free */
    size_t room, count;
    bool given_up;
} StarterKey;

void starter_key_clear(StarterKey *key);
void starter_key_add(StarterKey *key, const char *s, size_t n, bool quoted);
/* Of two rows at least, every one with a value of its own. */
bool starter_key_unique(const StarterKey *key);
/* What a column that tells rows apart is usually called: id, order_id, key, uuid. */
bool starter_key_name(const char *name);
