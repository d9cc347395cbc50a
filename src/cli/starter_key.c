#include "cli/starter_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

void starter_key_clear(StarterKey *key)
{
    free(key->slots);
    *key = (StarterKey){.given_up = true};
}

static uint64_t hash_of_value(const char *s, size_t n)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)s[i]) * 1099511628211u;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

static bool put(uint64_t *slots, size_t room, uint64_t hash)
{
    size_t at = hash & (room - 1);
    for (; slots[at]; at = (at + 1) & (room - 1))
        if (slots[at] == hash)
            return false;
    slots[at] = hash;
    return true;
}

static void grow(StarterKey *key)
{
    size_t room = key->room ? key->room * 2 : 1024;
    uint64_t *slots = mem_alloc(room * sizeof *slots);
    for (size_t i = 0; i < key->room; i++)
        if (key->slots[i])
            put(slots, room, key->slots[i]);
    free(key->slots);
    key->slots = slots;
    key->room = room;
}

void starter_key_add(StarterKey *key, const char *s, size_t n, bool quoted)
{
    if (key->given_up)
        return;
    if (key->count * 2 >= key->room)
        grow(key);
    bool null = n == 0 && !quoted;
    if (null || key->count == STARTER_KEY_ROWS_MAX || !put(key->slots, key->room, hash_of_value(s, n)))
        starter_key_clear(key);
    else
        key->count++;
}

bool starter_key_unique(const StarterKey *key) { return !key->given_up && key->count > 1; }

bool starter_key_name(const char *name)
{
    static const char *const names[] = {"id", "key", "uuid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(name), end = strlen(names[i]);
        if (str_ends(name, names[i]) && (length == end || name[length - end - 1] == '_'))
            return true;
    }
    return false;
}
