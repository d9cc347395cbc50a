#include "publish/diff_row.h"

#include "pg/rows.h"

/* A whole row is known by 128 bits of its text, from two seeds of the server's hash: every type has a text, json and
 * xml too, and two numbers sort and join many times faster than long texts. By chance two different rows of a table of
 * a billion would be taken for one once in 10^20 tables. The names are such as no column will have. */
static bool append_hashed(Conn *conn, const Diff *diff, const Table *table, const char *more, Text *out, Error *err)
{
    text_appendf(out,
                 "(select pg_catalog.hashtextextended(i.sluice_image, 1) as sluice_a, "
                 "pg_catalog.hashtextextended(i.sluice_image, 2) as sluice_b%s from (select ",
                 more);
    if (*more)
        text_append(out, "x.*, x.ctid as sluice_place, x.tableoid as sluice_part, ");
    text_append(out, "row(");
    if (!table_column_list(conn, diff->stage, "x.", out, err))
        return false;
    text_appendf(out, ")::text as sluice_image from %s x", table->quoted);
    if (table == diff->target)
        diff_append_filter(diff, out);
    text_append(out, " offset 0) i)");
    return true;
}

/* The rows of a table, those that are alike numbered. */
static bool append_numbered(Conn *conn, const Diff *diff, const Table *table, Text *out, Error *err)
{
    text_append(out, "(select h.*, row_number() over (partition by h.sluice_a, h.sluice_b) as sluice_nth from ");
    TEXT_AUTO(more);
    text_append(&more, ", i.sluice_place, i.sluice_part");
    if (diff->scope.time_column && !conn_format(conn, &more, err, ", i.%I", diff->scope.time_column))
        return false;
    if (!append_hashed(conn, diff, table, text_str(&more), out, err))
        return false;
    text_append(out, " h)");
    return true;
}

bool diff_row_append(Conn *conn, const Diff *diff, Text *out, Error *err)
{
    text_append(out, "from ");
    if (!append_numbered(conn, diff, diff->target, out, err))
        return false;
    text_append(out, " t full join ");
    if (!append_numbered(conn, diff, diff->stage, out, err))
        return false;
    text_append(out, " s on t.sluice_a = s.sluice_a and t.sluice_b = s.sluice_b and t.sluice_nth = s.sluice_nth "
                     "where t.sluice_place is null or s.sluice_place is null");
    return true;
}

/* Hashes of some staged rows, about DIFF_ROW_SAMPLE. */
static bool append_sample(Conn *conn, const Diff *diff, Text *out, Error *err)
{
    TEXT_AUTO(some);
    Table sample = *diff->stage;
    text_appendf(&some, "(select y.* from %s y tablesample bernoulli (%.6f) repeatable (1))", diff->stage->quoted,
                 100.0 * DIFF_ROW_SAMPLE / (double)diff->scope.stage_rows);
    sample.quoted = text_str(&some);
    text_append(out, "with sluice_sample as materialized (select distinct sluice_a, sluice_b from ");
    if (!append_hashed(conn, diff, &sample, "", out, err))
        return false;
    text_append(out, " h) ");
    return true;
}

/* Most often nothing differs, and that is found out by one scan of each: sums do not depend on order. */
bool diff_row_compare(Conn *conn, const Diff *diff, bool sample, DiffRowSums *ret, Error *err)
{
    TEXT_AUTO(sql);
    if (sample && !append_sample(conn, diff, &sql, err))
        return false;
    text_appendf(&sql, "select (a.n, a.x, a.y) is distinct from (b.n, b.x, b.y), %s, b.found from ",
                 sample ? "(select count(*) from sluice_sample)" : "0");
    text_append(&sql, "(select count(*) as n, sum(sluice_a) as x, sum(sluice_b) as y from ");
    if (!append_hashed(conn, diff, diff->stage, "", &sql, err))
        return false;
    text_append(&sql, " h) a, (select count(*) as n, sum(sluice_a) as x, sum(sluice_b) as y, ");
    text_append(&sql, sample ? "count(*) filter (where (sluice_a, sluice_b) in "
                               "(select sluice_a, sluice_b from sluice_sample))"
                             : "0");
    text_append(&sql, " as found from ");
    if (!append_hashed(conn, diff, diff->target, "", &sql, err))
        return false;
    text_append(&sql, " h) b");
    ROWS_AUTO(rows);
    if (!conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    *ret = (DiffRowSums){rows_bool(rows, 0, 0), rows_int(rows, 0, 1), rows_int(rows, 0, 2)};
    return true;
}
