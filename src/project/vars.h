/* Vars: the values of `vars:`, filled into SQL as psql does it.
 *
 * :'name' becomes a literal, :"name" an identifier, :name the bare text, :{?name} TRUE or FALSE. Not within quotes,
 * comments and dollar quotes; `::` is a cast. Names are letters, digits and underscores. As in psql a bare :name that
 * is no var is left alone (`a[1:n]`). Other than psql, the unknown name of :'name' and :"name" is an error; names do
 * not begin with a digit, so that `a[1:2]` is a slice; and a value is not searched for further names. Source:
 * src/fe_utils/psqlscan.l of PostgreSQL; quoting as PQescapeLiteral() and PQescapeIdentifier() do it. */
#pragma once

#include "project/values.h"

enum {
    VARS_MAX = 1000,
    VAR_BYTES_MAX = 64 * 1024, /* of a value */
};

/* Reads the project's vars and the target's, which go before them. Either may be NULL. Every error is reported. */
void vars_read(Reading *reading, const Value *project, const Value *target);

/* text with values filled in. Where there are none, *ret_text is text and *ret_written is NULL; else both are in the
 * project's arena. Errors are ERROR_PROJECT with line and column within text. */
bool vars_fill(Reading *reading, const char *text, const char **ret_text, const Written **ret_written, Error *err);

/* For SQL that the parser rejects at a line and column of text: a hint, in the project's arena, where `:name` stands
 * there, which is no var; else NULL. */
const char *vars_hint(Reading *reading, const char *text, int line, int column);

/* What character number `character` (from 0) of filled-in SQL is in the text as written. written may be NULL. */
int written_character(const Written *written, int character);
