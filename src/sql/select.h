/* Select: what makes a statement a model, the columns it gives and the functions it calls, as far as the text alone
 * can tell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "sql/parse.h"

/* A model is exactly one statement that only reads: SELECT, VALUES or TABLE, with or without WITH. Not so: nothing at
 * all, several statements, another statement, SELECT INTO, a WITH query that writes, FOR UPDATE or SHARE, parameters
 * ($1). ERROR_PROJECT with line and column within the text. */
bool sql_check_select(const SqlTree *tree, Error *err);

typedef struct SqlOutput {
    /* The column's name as PostgreSQL gives it (FigureColname in parse_target.c; "?column?" where it finds none), or
     * NULL where only the server knows: `*` and `t.*`, which stand for any number of columns. */
    const char *name;
    bool explicit_name; /* from AS, or a plain column: not made up from a function or type */
    size_t offset;      /* of the expression */
    int line;
    int column;
} SqlOutput;

typedef struct SqlOutputs {
    const SqlOutput *items;
    size_t count;
    bool exact; /* no star: count is the number of columns */
} SqlOutputs;

/* Of the first statement; nothing where that is no SELECT. In the arena. */
void sql_output_names(Arena *arena, const SqlTree *tree, SqlOutputs *ret);
/* The same of one ResTarget of any SELECT: NULL where it is a star. */
const char *sql_target_name(const SqlNode *target);
/* Of one ResTarget: its column's name, or NULL for a star. */
const char *sql_output_name(const SqlNode *target);
const SqlOutput *sql_outputs_find(const SqlOutputs *outputs, const char *name); /* or NULL */

typedef struct SqlFunction {
    const char *schema; /* or NULL */
    const char *name;   /* CURRENT_TIMESTAMP and its like: "current_timestamp" */
    size_t offset;
    int line;
    int column;
} SqlFunction;

typedef struct SqlFunctions {
    const SqlFunction *items;
    size_t count;
} SqlFunctions;

/* Every call in every statement, in the order of the text, syntax that is a call in disguise included (EXTRACT,
 * AT TIME ZONE). Operators and casts are not among it. In the arena. */
void sql_functions(Arena *arena, const SqlTree *tree, SqlFunctions *ret);
