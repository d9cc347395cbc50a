/* Table: what is there under a name, and where new rows wait to be checked.
 *
 * All of a step happens in one transaction: new rows are staged, checked and published in it, with the record. So
 * nothing unchecked is ever visible, and whatever ends the step early leaves nothing behind. A table that is not there
 * yet is staged under its own name; rows for one that is are staged in a table beside it, which is dropped before
 * the commit. Not an unlogged one: where the postmaster alone is killed while such a table is being made, PostgreSQL
 * (15, and before) cannot start again ("could not create file ... File exists"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "pg/conn.h"
#include "project/project.h"

typedef struct TableColumn {
    const char *name;
    const char *type; /* as format_type() writes it */
    bool generated;   /* cannot be written */
} TableColumn;

typedef struct Table {
    const char *schema, *name;
    const char *quoted; /* "schema"."name", for SQL */
    bool exists;
    char relkind; /* r, p, v, m, f ... where it exists */
    TableColumn *columns;
    size_t column_count;
} Table;

/* Looks a relation up by name; strings belong to the arena. Not being there is no error. */
bool table_find(Conn *conn, const char *schema, const char *name, Arena *arena, Table *ret, Error *err);
const TableColumn *table_column(const Table *table, const char *name); /* NULL: none */
const char *relkind_name(char relkind);                                /* "table", "view" ... */
const char *relkind_one(char relkind);                                 /* "a table", "an index" ... */

/* Name of a staging table for a step: in *ret exists is false. Steps of one run are done at the same time, and where
 * two make relations of one name the second waits for the first to commit. */
bool table_stage_name(Conn *conn, const char *schema, int64_t step_id, Arena *arena, Table *ret, Error *err);

/* Statistics of a staging table, where it has enough rows for them to pay; and its end. */
enum { TABLE_SMALL = 10000 }; /* rows up to which statistics and an index cost more than they save */
bool table_stage_analyze(Conn *conn, const Table *stage, int64_t rows, Error *err);
bool table_stage_drop(Conn *conn, const Table *stage, Error *err);

/* The columns of stage and target are the same, in any order: names, types; `ignored` (or NULL) aside. An error names
 * those that are not; statements gets the ALTER TABLE that would make them the same. */
bool table_same_columns(Conn *conn, const Table *stage, const Table *target, const char *ignored, Text *statements,
                        Error *err);

/* Columns that changed, dealt with as a model's on_schema_change says; `ignored` (or NULL) aside.
 *
 * - SCHEMA_FAIL: the error of table_same_columns().
 * - SCHEMA_IGNORE: of stage only columns that target has are written; those that stage lacks keep what they hold, and
 *   get their default in new rows.
 * - SCHEMA_APPEND_NEW: the same, but target is given the new ones first (null in rows that are not written).
 * - SCHEMA_SYNC_ALL: target is given the new ones, loses those that are gone, with their values, and has types changed
 *   by a cast. A change of type that rewrites the table makes it look empty to older snapshots: PostgreSQL's own
 *   limit.
 *
 * A column of another type is an error for the middle two. What depends on a column that has to go or to change is
 * named, and the change refused. ALTER TABLE waits for readers at most a few seconds (55P03, to be tried again). stage
 * is left with the columns that are to be written; target, where *ret_altered, is looked up anew. */
bool table_alter_columns(Conn *conn, SchemaChange how, const char *ignored, Arena *arena, Table *stage, Table *target,
                         bool *ret_altered, Text *statements, Error *err);

/* A statement that waits for all readers of a table, and while it waits later ones wait behind it: for at most a few
 * seconds. */
bool table_exec_short(Conn *conn, const char *statement, Error *err);

/* The names, quoted, each between prefix and suffix. */
bool table_names(Conn *conn, const Strings *names, const char *prefix, const char *suffix, const char *between,
                 Text *out, Error *err);
/* `"a", "b"` of the columns that can be written, each behind prefix (`t.` or ""). */
bool table_column_list(Conn *conn, const Table *table, const char *prefix, Text *out, Error *err);
