/* Rows: a result held whole. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/conn.h"

void rows_free(Rows *rows); /* NULL is fine */
void rows_free_p(Rows **rows);
#define ROWS_AUTO(name) __attribute__((cleanup(rows_free_p))) Rows *name = NULL

int rows_count(const Rows *rows);
int rows_columns(const Rows *rows);
const char *rows_name(const Rows *rows, int column);
/* Text of a value, owned by rows; NULL for null. Going outside the result aborts: it is a bug. */
const char *rows_get(const Rows *rows, int row, int column);
int64_t rows_int(const Rows *rows, int row, int column); /* null is 0 */
bool rows_bool(const Rows *rows, int row, int column);   /* null is false */
