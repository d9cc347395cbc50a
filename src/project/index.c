#include "project/index.h"

#include <stdint.h>
#include <string.h>

enum { CAPACITY_FIRST = 16 };

static uint64_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash ^ (hash >> 32);
}

/* The slot that holds the name, or the free one where it belongs. */
static IndexSlot *find_slot(IndexSlot *slots, size_t capacity, const char *name)
{
    size_t i = (size_t)hash_name(name) & (capacity - 1);
    while (slots[i].name && strcmp(slots[i].name, name) != 0)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static void grow(Index *index)
{
    size_t capacity = index->capacity ? index->capacity * 2 : CAPACITY_FIRST;
    IndexSlot *slots = arena_array(index->arena, capacity, sizeof *slots);
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].name)
            *find_slot(slots, capacity, index->slots[i].name) = index->slots[i];
    index->slots = slots;
    index->capacity = capacity;
}

void *index_put(Index *index, const char *name, void *value)
{
    if (index->count >= index->capacity / 4 * 3)
        grow(index);
    IndexSlot *slot = find_slot(index->slots, index->capacity, name);
    if (slot->name)
        return slot->value;
    *slot = (IndexSlot){name, value};
    index->count++;
    return NULL;
}

void *index_get(const Index *index, const char *name)
{
    return index->capacity ? find_slot(index->slots, index->capacity, name)->value : NULL;
}
