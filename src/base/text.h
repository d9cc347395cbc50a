/* Text: a string that grows. Always terminated; may hold zero bytes when appended with a length. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Text {
    char *data; /* never NULL once something was appended; text_str() is safe before that */
    size_t len;
    size_t cap;
} Text;

#define TEXT_AUTO(name) __attribute__((cleanup(text_clear))) Text name = {0}

void text_clear(Text *text); /* frees; may be used again */
void text_reset(Text *text); /* empties, keeps the memory */
void text_reserve(Text *text, size_t more);
void text_append(Text *text, const char *s);
void text_append_n(Text *text, const char *s, size_t n);
void text_append_char(Text *text, char c);
void text_appendf(Text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vappendf(Text *text, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* s between two quotes, those within it doubled: an SQL name or, without backslashes, a literal. */
void text_append_quoted(Text *text, const char *s, char quote);
const char *text_str(const Text *text); /* "" where nothing was appended; valid until the next change */
char *text_steal(Text *text);           /* the caller frees it; the text is empty after */

/* Of a name in PostgreSQL, which cuts longer ones without an error: NAMEDATALEN less one. */
enum { NAME_BYTES_MAX = 63 };

bool str_eq(const char *a, const char *b); /* NULL equals NULL only */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* The decimal number that s begins with, blanks before it passed over; 0 where there is none from 1 to INT_MAX. */
int str_number(const char *s);

enum { DECIMAL_TEXT = 24 };
/* Writes n into text, which it returns: a parameter of a statement. */
const char *decimal_text(int64_t n, char text[DECIMAL_TEXT]);

/* A copy of s that fits one line of a message: control characters and bytes that are no UTF-8 as \xNN, at
 * most max bytes of s shown, then "...". Appends to text. */
void text_append_shown(Text *text, const char *s, size_t n, size_t max);

/* Length in bytes of the valid UTF-8 sequence at s (1 to 4), of n bytes at hand; 0 where there is none. */
size_t utf8_len(const char *s, size_t n);

/* The candidate nearest to word by edit distance (Damerau-Levenshtein, optimal string alignment), or NULL
 * where none is near enough to be worth a hint: at most a third of the longer one's length, at least 1. */
const char *nearest(const char *word, const char *const *candidates, size_t count);
