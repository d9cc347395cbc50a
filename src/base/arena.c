#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_SIZE = 32 * 1024, ALIGN = 16 };

struct ArenaBlock {
    ArenaBlock *next;
    size_t size; /* bytes of data */
    _Alignas(ALIGN) unsigned char data[];
};

void arena_init(Arena *arena) { *arena = (Arena){0}; }

void arena_clear(Arena *arena)
{
    ArenaBlock *block = arena->head;
    while (block) {
        ArenaBlock *next = block->next;
        free(block);
        block = next;
    }
    arena_init(arena);
}

static void add_block(Arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(ArenaBlock))
        abort();
    ArenaBlock *block = mem_alloc(sizeof(ArenaBlock) + size);
    block->size = size;
    block->next = arena->head;
    arena->head = block;
    arena->used = 0;
}

void *arena_alloc(Arena *arena, size_t size)
{
    if (size > SIZE_MAX - BLOCK_SIZE - ALIGN)
        abort();
    size_t rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (!arena->head || arena->head->size - arena->used < rounded)
        add_block(arena, rounded > BLOCK_SIZE / 4 ? rounded + BLOCK_SIZE : BLOCK_SIZE);
    void *p = arena->head->data + arena->used;
    arena->used += rounded;
    arena->total += rounded;
    return p;
}

void *arena_array(Arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        abort();
    return arena_alloc(arena, bytes);
}

char *arena_strndup(Arena *arena, const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = arena_alloc(arena, len + 1);
    memcpy(copy, s, len);
    return copy;
}

char *arena_strdup(Arena *arena, const char *s) { return s ? arena_strndup(arena, s, strlen(s)) : NULL; }

char *arena_printf(Arena *arena, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    char *s = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(s, (size_t)len + 1, fmt, again);
    va_end(again);
    return s;
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        abort();
    return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        abort();
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        abort();
    return p;
}

char *mem_strdup(const char *s)
{
    if (!s)
        return NULL;
    size_t size = strlen(s) + 1;
    return memcpy(mem_alloc(size), s, size);
}

void mem_free_p(void *p) { free(*(void **)p); }

void fd_close_p(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
