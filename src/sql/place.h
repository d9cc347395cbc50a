/* Place: where in a text something stands.
 *
 * Three ways of counting meet here: the parser's nodes count bytes from 0, the server's error positions count
 * characters from 1, people count lines from 1 and characters within the line from 1. Texts are UTF-8; a byte
 * that is no UTF-8 counts as one character. A position past the end is taken as the end. */
#pragma once

#include <stddef.h>

void sql_offset_to_line(const char *text, size_t offset, int *ret_line, int *ret_column);
/* position: characters from 1, as PostgreSQL's PG_DIAG_STATEMENT_POSITION. */
void sql_position_to_line(const char *text, int position, int *ret_line, int *ret_column);
size_t sql_position_to_offset(const char *text, int position);

/* The same for many offsets of one text: cheap where they do not step back. Start with {.text = text}. */
typedef struct SqlCursor {
    const char *text;
    size_t offset;
    int line;   /* less one */
    int column; /* less one */
} SqlCursor;

void sql_cursor_place(SqlCursor *cursor, size_t offset, int *ret_line, int *ret_column);
