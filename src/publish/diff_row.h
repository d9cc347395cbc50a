/* Diff row: the part of a diff that knows rows by their whole, where there is no key. */
#pragma once

#include "publish/diff.h"

enum { DIFF_ROW_SAMPLE = 1000 };

typedef struct DiffRowSums {
    bool differ;     /* else the two hold the same rows */
    int64_t sampled; /* distinct rows of a sample of stage, 0: none was taken; and */
    int64_t found;   /* how many rows of the target are like one of them */
} DiffRowSums;

/* sample: takes one as well, which needs scope.stage_rows. */
bool diff_row_compare(Conn *conn, const Diff *diff, bool sample, DiffRowSums *ret, Error *err);
/* `from ... where ...` over the rows that differ, t of the target and s of stage, with what append_find() in diff.c
 * selects of them. */
bool diff_row_append(Conn *conn, const Diff *diff, Text *out, Error *err);
