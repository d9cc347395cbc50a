#include "sql/place.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Bytes of the character at s, n of them at hand. */
static size_t char_bytes(const char *s, size_t n)
{
    size_t len = utf8_len(s, n);
    return len ? len : 1;
}

static int add_one(int n) { return n < INT_MAX ? n + 1 : n; }

void sql_cursor_place(SqlCursor *cursor, size_t offset, int *ret_line, int *ret_column)
{
    if (offset < cursor->offset)
        *cursor = (SqlCursor){.text = cursor->text};
    const char *s = cursor->text + cursor->offset;
    size_t n = strnlen(s, offset - cursor->offset + 4);
    while (n && cursor->offset < offset) {
        size_t len = char_bytes(s, n);
        if (cursor->offset + len > offset)
            break; /* inside a character: that character's column */
        if (*s == '\n') {
            cursor->line = add_one(cursor->line);
            cursor->column = 0;
        } else {
            cursor->column = add_one(cursor->column);
        }
        s += len;
        n -= len;
        cursor->offset += len;
    }
    *ret_line = add_one(cursor->line);
    *ret_column = add_one(cursor->column);
}

void sql_offset_to_line(const char *text, size_t offset, int *ret_line, int *ret_column)
{
    SqlCursor cursor = {.text = text};
    sql_cursor_place(&cursor, offset, ret_line, ret_column);
}

size_t sql_position_to_offset(const char *text, int position)
{
    size_t offset = 0;
    size_t n = strlen(text);
    for (int i = 1; i < position && offset < n; i++)
        offset += char_bytes(text + offset, n - offset);
    return offset;
}

void sql_position_to_line(const char *text, int position, int *ret_line, int *ret_column)
{
    sql_offset_to_line(text, sql_position_to_offset(text, position), ret_line, ret_column);
}
