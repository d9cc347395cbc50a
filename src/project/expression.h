/* Expression: pieces of SQL within YAML: the expression of a check, the type of a column. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "project/project.h"

/* One SQL expression, and no more than that. Errors are ERROR_PROJECT with only a column: the character of text, from
 * 1, or 0 where it cannot be told. ret_columns gets the names, without qualifiers, of columns that must be of the row
 * itself: none where the expression holds a subquery. */
bool expression_check(Arena *arena, const char *text, Strings *ret_columns, Error *err);

/* The name of one SQL type, with modifiers. The same errors. */
bool expression_check_type(Arena *arena, const char *text, Error *err);

/* A table as SQL would name it, schema.table or table. The same errors; schema is NULL where there is none. */
bool expression_table(Arena *arena, const char *text, const char **ret_schema, const char **ret_table, Error *err);
