/* Diff: makes a table that stands hold the staged rows by writing only the rows that differ, in place, so that its
 * OID, grants, indexes, triggers, views and foreign keys stay as they are and readers are never blocked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "project/project.h"
#include "publish/table.h"

typedef struct DiffCounts {
    int64_t inserted, updated, deleted;
} DiffCounts;

/* By key where there is one: the node's, or else the one that foreign keys of other tables refer to, since to delete a
 * row and insert it again would break or cascade into what refers to it. Without any by whole rows, and then what is
 * not in stage goes. delete_missing: see diff_by_key(). */
bool diff_apply(Conn *conn, const Table *stage, const Table *target, const Strings *key, bool delete_missing,
                Arena *arena, DiffCounts *ret, Error *err);
/* Keyed: rows pair by key, whose columns are not null and unique in stage; they are compared whole, by their binary
 * image. delete_missing: rows whose key is not in stage go. */
bool diff_by_key(Conn *conn, const Table *stage, const Table *target, const Strings *key, bool delete_missing,
                 DiffCounts *ret, Error *err);
/* Without a key: as multisets, each distinct whole row by how often it occurs. Rows are the same that have the same
 * text. */
bool diff_by_row(Conn *conn, const Table *stage, const Table *target, DiffCounts *ret, Error *err);
/* All of stage is added; extra is more SQL for the column list and the select list, or "". */
bool diff_append(Conn *conn, const Table *stage, const Table *target, const char *extra_columns,
                 const char *extra_values, DiffCounts *ret, Error *err);
