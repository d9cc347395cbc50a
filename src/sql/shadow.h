/* Shadow: a model's text inside a larger statement, and the way back from the server's error position to the file.
 *
 * The model's own text is never rewritten, only wrapped:
 *     with "eph" as (
 *     BODY
 *     ), ...
 *     select * from (
 *     MODEL
 *     ) as sluice_q
 * By SQL's own scoping a CTE of the model that bears the same name hides the one put around it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"
#include "sql/parse.h"
#include "sql/refs.h"

typedef struct SqlBody {
    const char *text; /* the text that was parsed, whole; not copied: outlives whatever holds this */
    size_t offset;    /* the statement within it, in bytes, from its first token to its last: */
    size_t length;    /* no semicolon, no comment that could swallow what is appended */
    int lines_before; /* lines of the file before text */
} SqlBody;

/* The tree's first statement (a checked model has one). lines_before: of the front matter, 0 for none. */
SqlBody sql_body(const SqlTree *tree, int lines_before);

typedef struct SqlCte {
    const char *name; /* a quoted identifier */
    SqlBody body;
} SqlCte;

typedef struct SqlMapPart {
    SqlBody body;
    size_t start;  /* characters of the composed text before the body */
    size_t length; /* characters */
} SqlMapPart;

typedef struct SqlMap {
    const SqlMapPart *parts; /* the CTEs as given, then the model; in the arena */
    size_t count;
} SqlMap;

/* Appends the statement above to out, CTEs in the order given: one that reads another comes after it. With no CTEs
 * there is no WITH. The caller may have begun the statement in out already (`create table x as `) and may append
 * to it; what it ends with is a newline. The map counts from the start of out; ret_map may be NULL. */
void sql_with_ctes(Arena *arena, Text *out, const SqlCte *ctes, size_t count, SqlBody body, SqlMap *ret_map);

/* Where a server's error position (characters from 1 in the composed text) stands: ret_part is the index of the CTE,
 * or the number of CTEs for the model; line and column are in that part's file. False where the position is in none
 * of them. A position at the very end of a part counts as in it. */
bool sql_map_place(const SqlMap *map, int position, size_t *ret_part, int *ret_line, int *ret_column);

/* Appends the tree's first statement to out, every reference for which text_for() gives a text replaced by that (a
 * parenthesised subselect), with the name the reference had where it has no alias, so that `loans.x` goes on meaning
 * the same. `table loans` becomes `select * from ...`. refs: of this tree; a reference under ONLY or TABLESAMPLE, or
 * one outside the first statement, is left as it is and not asked for. */
void sql_replace_refs(Text *out, const SqlTree *tree, const SqlRefs *refs,
                      const char *(*text_for)(size_t ref, void *data), void *data);
