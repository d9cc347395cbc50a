/* Load: a CSV file into a table.
 *
 * Runs inside the caller's transaction, which also holds the table's lock: rows are read, turned to binary by type,
 * staged by COPY, and left there for the caller to check and publish. Memory stays flat however large the file is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "csv/reader.h"
#include "pg/conn.h"
#include "project/project.h"
#include "publish/check.h"
#include "publish/table.h"

typedef struct Load {
    const char *path;  /* for open() */
    const char *shown; /* for messages */
    char delimiter;    /* 0: detected */
    const Column *columns;
    size_t column_count;
    bool utc; /* the session's time zone is UTC */
} Load;

typedef struct LoadResult {
    int64_t rows;
    uint64_t bytes;
    char hash[CSV_HASH_SIZE];
} LoadResult;

/* Creates the staging table with the declared columns. */
bool load_create(Conn *conn, const Load *load, const Table *stage, Error *err);
/* Reads the file into the staging table, which must be empty and made by this transaction. */
bool load_copy(Conn *conn, const Load *load, const Table *stage, LoadResult *ret, Error *err);
/* Fills in the line of every failing row that knows its record, by reading the file once more. */
bool load_find_lines(const Load *load, CheckResults *results, Error *err);
/* Whether the file holds the very bytes whose hash and number (-1: not known) these are. What is no regular file never
 * does; neither that nor a file of another size is read. */
bool load_is_same(const char *path, const char *shown, const char *hash, int64_t size, bool *ret_same, Error *err);
