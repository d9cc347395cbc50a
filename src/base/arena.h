/* Arena: memory freed all at once.
 *
 * One arena per project, run and request. Memory handed out lives until arena_clear().
 * Running out of memory aborts the program, so no function here can fail.
 * Not safe for use by two threads at once; each thread has its own. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    ArenaBlock *head;
    size_t used;  /* bytes used of head */
    size_t total; /* bytes handed out since arena_init(), for bounds set by the caller */
} Arena;

void arena_init(Arena *arena);
void arena_clear(Arena *arena); /* frees everything; the arena may be used again */

void *arena_alloc(Arena *arena, size_t size);               /* aligned for any type, zeroed */
void *arena_array(Arena *arena, size_t count, size_t size); /* zeroed; aborts where count * size overflows */
char *arena_strdup(Arena *arena, const char *s);            /* NULL gives NULL */
char *arena_strndup(Arena *arena, const char *s, size_t n); /* at most n bytes of s, terminated */
char *arena_printf(Arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* malloc and realloc that abort when memory runs out; realloc takes count * size and aborts on overflow. */
void *mem_alloc(size_t size); /* zeroed */
void *mem_resize(void *p, size_t count, size_t size);
char *mem_strdup(const char *s); /* NULL gives NULL */

/* For __attribute__((cleanup)): frees a malloc'd pointer, closes a descriptor that is not negative. */
void mem_free_p(void *p);
void fd_close_p(const int *fd);
#define CLEANUP(f) __attribute__((cleanup(f)))
