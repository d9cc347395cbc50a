/* Diff: makes a table that stands hold the staged rows by writing only the rows that differ, in place, so that its
 * OID, grants, indexes, triggers, views and foreign keys stay as they are and readers are never blocked.
 *
 * In two phases, both in the caller's transaction: diff_find() says what would be written and writes nothing to the
 * table; then guards may refuse and undo may keep the old rows; then diff_write(). Between the two neither table may be
 * written by this transaction. Where others write the table meanwhile, diff_write() fails with SQLSTATE 40001. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "project/project.h"
#include "publish/table.h"
#include "sql/catalog.h"

/* So many rows are held in SQL text; for more a work table is made, which costs a few milliseconds. */
enum { DIFF_HELD = 1000 };

typedef struct DiffScope {
    /* The target's rows to compare and, with delete_missing, to delete: SQL over its bare, quoted column names; NULL:
     * all. Staged rows are to lie in it as well. A row outside it is not touched: where it has the key of a staged row,
     * that is an error. */
    const char *filter;
    bool delete_missing;     /* by key: rows whose key is not in stage go; without a key they always do */
    const char *time_column; /* whose touched values are wanted; NULL: none */
    SqlTimeType time_type;
    int64_t number;     /* of the step or run: in the name of the work table, and unique among those in progress */
    int64_t stage_rows; /* 0: not known; decides only how, not what */
} DiffScope;

typedef struct DiffCounts {
    int64_t inserted, updated, deleted;
} DiffCounts;

/* What decides how it is written. */
typedef struct DiffFacts {
    bool key_unique;       /* an index holds the target to one row per key */
    bool other_unique;     /* it has a unique index or exclusion constraint besides: rows may swap values */
    bool refers_to_itself; /* by foreign key */
    bool deletes_act;      /* a foreign key of others restricts, cascades or sets null when a row is deleted */
    bool watched;          /* by triggers, or by foreign keys of others */
    bool covered;          /* stage has all its columns: a row deleted and inserted again is the same */
    const char *triggers;  /* names of those that may change rows or turn them down, or NULL */
} DiffFacts;

typedef struct Diff {
    const Table *stage, *target;
    const Strings *key; /* by which rows were paired; NULL: by whole rows */
    DiffScope scope;
    DiffCounts counts;
    /* What it touches of the target's time column, old places and new: as in sluice.changes. everything where there is
     * no time column and anything differs. */
    const char *ranges; /* text of an int8multirange, or NULL: none */
    bool nulls, everything;
    /* SQL of a FROM item, to be given an alias: old_part oid, old_place tid (tableoid and ctid in target; null: a new
     * row), new_place tid (ctid in stage; null: the row goes). */
    const char *rows;
    const char *times;      /* SQL over x: the target's rows that staged ones can pair with; or NULL: any of scope */
    const char *work_table; /* quoted, to be dropped; or NULL */
    bool appends, told;     /* found by diff_find_append(), diff_told() */
    bool anew;              /* all rows in scope go, and all of stage comes: see diff_find() */
    const char *extra_column, *extra_value;
    DiffFacts facts;
} Diff;

/* By key where there is one: the node's, or else the one that foreign keys of other tables refer to, since to delete a
 * row and insert it again would break or cascade into what refers to it. Key columns are not null and unique in stage;
 * rows that pair are compared whole, by their binary image. Without any key by whole rows, as multisets (rows are the
 * same that have the same text); then what is not in stage goes.
 *
 * Rows that do not differ are not written, with one exception: to find the rows that differ without a key takes several
 * times as long as to write all of them, so where a sample of 1,000 of more than TABLE_SMALL staged rows says that nine
 * in ten are new, the table is emptied and filled, and all its times count as touched. Not where triggers or foreign
 * keys of others would notice, or the table has columns that stage lacks.
 *
 * Measured on PostgreSQL 15, 2M rows of 5 columns (100 MB), seconds of the backend's processor time, to find and to
 * write in place, and to delete and insert all:
 *
 *     - a primary key, 10 % of rows differ: 2.9 + 2.0, and 9.8; 50 %: 3.4 + 8.3, and 9.9; 90 %: 3.7 + 14.2, and 10.4
 *     - no key, no index, 10 %: 8.2 + 0.6, and 1.9; 50 %: 9.0 + 4.0, and 1.9; 90 %: 9.8 + 6.9, and 1.8
 *
 * With a key what has to be found out pays up to about a half, and costs less than twice as much where all differ; in
 * exchange rows that stay keep their place, and the times that changed are known. So with a key always in place.
 *
 * Tables, key and the scope's strings must outlive *ret, which belongs to the arena. */
bool diff_find(Conn *conn, const Table *stage, const Table *target, const Strings *key, const DiffScope *scope,
               Arena *arena, Diff *ret, Error *err);
/* All of stage is added, whatever the target holds. extra_column (or NULL) gets extra_value, SQL, in each row. Of the
 * scope only the time column counts. */
bool diff_find_append(Conn *conn, const Table *stage, const Table *target, const char *extra_column,
                      const char *extra_value, const DiffScope *scope, Arena *arena, Diff *ret, Error *err);
/* Rows that the caller pairs: select is SQL that gives old_part, old_place and new_place and, where diff_dated(),
 * old_time and new_time. Of the scope time column and number count. */
bool diff_told(Conn *conn, const Table *stage, const Table *target, const char *select, const DiffScope *scope,
               Arena *arena, Diff *ret, Error *err);
/* Whether the scope's time column is one that both can tell of. */
bool diff_dated(const Table *stage, const Table *target, const DiffScope *scope);
bool diff_is_empty(const Diff *diff);

/* Writes what was found. Updates change rows in place, so that keys that refer to them hold; where values of another
 * unique index or exclusion constraint change hands among the rows, these are deleted and inserted instead (unless
 * foreign keys act on that, or the table has columns that would not come back). Where the table refers to itself all of
 * it is one statement. A trigger that turned rows down or changed them is an error: the table would not hold what was
 * computed. */
bool diff_write(Conn *conn, const Diff *diff, Error *err);
bool diff_drop(Conn *conn, const Diff *diff, Error *err); /* the work table */

/* The three in one, where nothing stands between. */
bool diff_apply(Conn *conn, const Table *stage, const Table *target, const Strings *key, const DiffScope *scope,
                Arena *arena, Diff *ret, Error *err);

/* Makes an error of a statement on the target say what to do about it, where that is known; returns false. */
bool diff_explain(const Diff *diff, Error *err);

/* For the files of a diff: ` where (filter) and (times)` over x, or nothing. */
void diff_append_filter(const Diff *diff, Text *out);
/* For diff_write.c: `from ... where ...` over the rows that differ, t of the target and s of stage. */
bool diff_append_differing(Conn *conn, const Diff *diff, Text *out, Error *err);
