/* Parse: SQL text to a tree and to its tokens. The only file that knows libpg_query.
 *
 * The grammar is that of the PostgreSQL version the library was made from (15 on Debian 12, 17 on Debian 13); a
 * newer server may take more. Safe to call from any thread that has 2 MiB of stack; the library recurses as deep as the
 * SQL does, so a text over 4 KiB is parsed on a short-lived thread with a stack to suit it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "sql/tree.h"

enum { SQL_TEXT_MAX = 1024 * 1024 }; /* bytes */

typedef struct SqlStatement {
    const SqlNode *node; /* "SelectStmt", "InsertStmt", ... */
    size_t start;        /* byte offset of the first token */
    size_t end;          /* byte after the last token, its semicolon not included */
} SqlStatement;

typedef struct SqlTree {
    const char *text; /* a copy, in the arena */
    const SqlStatement *statements;
    size_t count; /* empty statements (;;) are none */
    const SqlToken *tokens;
    size_t token_count;
} SqlTree;

/* Everything in *ret lives in the arena. Errors are ERROR_PROJECT with PostgreSQL's own message and with line and
 * column within text; the caller shifts the line by what stands before the text in its file. Errors too: text over
 * SQL_TEXT_MAX, text that is no UTF-8, nesting past SQL_DEPTH_MAX. */
bool sql_parse(Arena *arena, const char *text, SqlTree *ret, Error *err);

/* 128 bits (XXH3) in hexadecimal over the tokens. Comments, white space between tokens and semicolons at the end do
 * not matter; literals, names and their letter case do. Needs tokens only: the text may be no valid statement. */
enum { SQL_HASH_TEXT = 33 };
bool sql_token_hash(const char *text, char ret_hex[SQL_HASH_TEXT], Error *err);
/* The same hash, of a text that was parsed already. */
void sql_tree_hash(const SqlTree *tree, char ret_hex[SQL_HASH_TEXT]);

/* Index of the token that begins at or after a byte offset; token_count where there is none. */
size_t sql_token_at(const SqlTree *tree, size_t offset);
bool sql_token_is(const SqlTree *tree, size_t index, const char *word); /* word in lower case; false past the end */
