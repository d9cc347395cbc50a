#include "pg/rows.h"

#include <stdlib.h>

#include "pg/wire.h"

void rows_free(Rows *rows)
{
    if (!rows)
        return;
    PQclear(rows->result);
    free(rows);
}

void rows_free_p(Rows **rows)
{
    rows_free(*rows);
    *rows = NULL;
}

int rows_count(const Rows *rows) { return PQntuples(rows->result); }

int rows_columns(const Rows *rows) { return PQnfields(rows->result); }

const char *rows_name(const Rows *rows, int column)
{
    if (column < 0 || column >= rows_columns(rows))
        abort();
    return PQfname(rows->result, column);
}

const char *rows_get(const Rows *rows, int row, int column)
{
    if (row < 0 || row >= rows_count(rows) || column < 0 || column >= rows_columns(rows))
        abort();
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

int64_t rows_int(const Rows *rows, int row, int column)
{
    const char *value = rows_get(rows, row, column);
    return value ? strtoll(value, NULL, 10) : 0;
}

bool rows_bool(const Rows *rows, int row, int column)
{
    const char *value = rows_get(rows, row, column);
    return value && value[0] == 't';
}
