#include "base/text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void text_clear(Text *text)
{
    free(text->data);
    *text = (Text){0};
}

void text_reset(Text *text)
{
    text->len = 0;
    if (text->data)
        text->data[0] = '\0';
}

void text_reserve(Text *text, size_t more)
{
    if (more > SIZE_MAX / 4 || text->len > SIZE_MAX / 4)
        abort();
    size_t need = text->len + more + 1;
    if (need <= text->cap)
        return;
    size_t cap = text->cap ? text->cap : 64;
    while (cap < need)
        cap *= 2;
    text->data = mem_resize(text->data, cap, 1);
    text->cap = cap;
}

void text_append_n(Text *text, const char *s, size_t n)
{
    text_reserve(text, n);
    if (n)
        memcpy(text->data + text->len, s, n);
    text->len += n;
    text->data[text->len] = '\0';
}

void text_append(Text *text, const char *s) { text_append_n(text, s, strlen(s)); }

void text_append_char(Text *text, char c) { text_append_n(text, &c, 1); }

void text_vappendf(Text *text, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    if (len < 0)
        abort();
    text_reserve(text, (size_t)len);
    vsnprintf(text->data + text->len, (size_t)len + 1, fmt, again);
    va_end(again);
    text->len += (size_t)len;
}

void text_appendf(Text *text, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vappendf(text, fmt, ap);
    va_end(ap);
}

void text_append_quoted(Text *text, const char *s, char quote)
{
    text_append_char(text, quote);
    for (; *s; s++) {
        if (*s == quote)
            text_append_char(text, quote);
        text_append_char(text, *s);
    }
    text_append_char(text, quote);
}

const char *text_str(const Text *text) { return text->data ? text->data : ""; }

char *text_steal(Text *text)
{
    char *s = text->data ? text->data : mem_strdup("");
    *text = (Text){0};
    return s;
}

bool str_eq(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

bool str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

int str_number(const char *s)
{
    long long number = strtoll(s, NULL, 10); /* one too large is cut to LLONG_MAX, which is no int either */
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

size_t utf8_len(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    if (n == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    size_t len = u[0] >= 0xC2 && u[0] <= 0xDF ? 2 : (u[0] & 0xF0) == 0xE0 ? 3 : u[0] >= 0xF0 && u[0] <= 0xF4 ? 4 : 0;
    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((u[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (u[0] == 0xE0 && u[1] < 0xA0) || (u[0] == 0xF0 && u[1] < 0x90);
    bool surrogate = u[0] == 0xED && u[1] > 0x9F;
    bool beyond = u[0] == 0xF4 && u[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : len;
}

const char *decimal_text(int64_t n, char text[DECIMAL_TEXT])
{
    snprintf(text, DECIMAL_TEXT, "%" PRId64, n);
    return text;
}

void text_append_shown(Text *text, const char *s, size_t n, size_t max)
{
    size_t i = 0;
    while (i < n && i < max) {
        size_t len = utf8_len(s + i, n - i);
        unsigned char c = (unsigned char)s[i];
        if (len == 0 || c < 0x20 || c == 0x7F) {
            text_appendf(text, "\\x%02x", c);
            i++;
            continue;
        }
        text_append_n(text, s + i, len);
        i += len;
    }
    if (i < n)
        text_append(text, "...");
}

enum { NEAREST_MAX = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = min3(up[j] + 1, now[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && up2[j - 2] + 1 < now[j])
                now[j] = up2[j - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

const char *nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t n = strlen(word), best = SIZE_MAX;
    const char *found = NULL;
    if (n == 0 || n > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(candidates[i]);
        if (m > NEAREST_MAX)
            continue;
        size_t longer = n > m ? n : m, limit = longer / 3 ? longer / 3 : 1;
        size_t d = edit_distance(word, n, candidates[i], m);
        if (d <= limit && d < best) {
            best = d;
            found = candidates[i];
        }
    }
    return found;
}
