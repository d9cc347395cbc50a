/* Starter: the files of a new project, as text.
 *
 * Everything that comes from a CSV file's header is made safe to stand where it is put: names are cut and made
 * unique as PostgreSQL needs them, and quoted in SQL and in YAML. All memory belongs to the arena. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

typedef struct StarterColumn {
    const char *name;   /* of the table's column: 1 to 63 bytes, unique */
    const char *type;   /* SQL type */
    const char *header; /* exact text of the header, where the name alone does not find it; else NULL */
    const char *format; /* of a date or timestamp that is not ISO 8601; else NULL */
    bool unique;        /* every row has a value of its own; only where it may be a key is it looked for */
    const char *remark; /* one line: why it is text though it looks like more; else NULL */
} StarterColumn;

typedef struct Starter {
    Arena *arena;
    const char *project; /* name */
    const char *table;   /* 1 to 50 bytes, also the name of the source's file */
    const char *csv;     /* as the source names it */
    StarterColumn *columns;
    size_t column_count;
} Starter;

/* A table's name made of a file's or folder's: its last part, without .csv, normalised, at most 50 bytes. */
const char *starter_name(Arena *arena, const char *path, const char *fallback);

/* Reads the whole CSV file, in flat memory, and fills in the columns. shown is how errors name the file. */
bool starter_columns(Starter *starter, const char *path, const char *shown, Error *err);
/* Names for the columns of these headers, in order; the rest is left NULL. Errors where two of them cannot be told
 * apart. */
bool starter_names(Starter *starter, const char *const *headers, size_t count, const char *shown, Error *err);

const char *starter_model_name(const Starter *starter); /* of the model, without .sql */
void starter_project_file(const Starter *starter, Text *out);
void starter_source_file(const Starter *starter, Text *out);
void starter_model_file(const Starter *starter, Text *out);
void starter_test_file(const Starter *starter, Text *out); /* of the model */

void starter_sql_name(const char *name, Text *out);  /* quoted where SQL needs it */
void starter_yaml_text(const char *text, Text *out); /* quoted where YAML, or ${...}, needs it */
