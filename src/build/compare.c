#include "build/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "build/query.h"
#include "pg/rows.h"

enum {
    BUCKETS = 4096,    /* three hexadecimal digits of md5 */
    BATCH = 500,       /* rows in hand of each side */
    PLAIN_COLUMNS = 2, /* of a cursor's rows: md5 of the columns that are exact, md5 of all; then the values */
};

CompareFloat compare_float(const char *type)
{
    if (str_eq(type, "double precision"))
        return COMPARE_AS_DOUBLE;
    return str_eq(type, "real") ? COMPARE_AS_REAL : COMPARE_EXACT;
}

bool compare_equal(const Comparison *comparison)
{
    return comparison->only[0] == 0 && comparison->only[1] == 0 && !comparison->unsteady;
}

typedef struct Bucket {
    int64_t count;
    char sums[2][44];
} Bucket;

typedef struct Stream {
    const CompareSide *side;
    const char *cursor;
    Rows *batch;
    int at;
    bool ended;
} Stream;

typedef struct Compare {
    const CompareColumn *columns;
    size_t count;
    bool one_server, floats; /* floats: some column is of floating point; else all of a row is its exact part */
    size_t limit;
    Arena *arena;
    Comparison *ret;
    Bucket *buckets[2];
    Text chosen; /* the buckets that differ, as the inside of an array literal */
    Stream streams[2];
    CompareRow *shown; /* sorted; values on the heap until the end */
    size_t shown_count;
    CompareRow *close;
    size_t close_count;
} Compare;

/* --- SQL ------------------------------------------------------------------------------------------------------- */

/* `row(x."a", x."b")::text` of all columns or of the exact ones. */
static bool append_image(const Compare *c, Conn *conn, bool exact, Text *out, Error *err)
{
    bool some = false;
    text_append(out, "row(");
    for (size_t i = 0; i < c->count; i++) {
        if (exact && c->columns[i].kind != COMPARE_EXACT)
            continue;
        if (!conn_format(conn, out, err, "%sx.%I", some ? ", " : "", c->columns[i].name))
            return false;
        some = true;
    }
    text_append(out, ")::text");
    return true;
}

static bool append_from(const Compare *c, const CompareSide *side, Query *query, Error *err)
{
    if (!side->query) {
        text_append(&query->text, side->quoted);
    } else {
        text_append(&query->text, "(");
        if (!query_append(side->conn, side->project, side->query, c->arena, query, err))
            return false;
        text_append(&query->text, ")");
    }
    text_append(&query->text, " x");
    return true;
}

/* On one server its own hash will do, which is many times faster; two may be of other versions and machines. */
static const char *bucket_of(const Compare *c)
{
    const char *const buckets[2][2] = {
        {"('x' || substr(pg_catalog.md5(y.sluice_all), 1, 3))::bit(12)::int",
         "('x' || substr(pg_catalog.md5(y.sluice_exact), 1, 3))::bit(12)::int"},
        {"(pg_catalog.hashtextextended(y.sluice_all, 0) & 4095)::int",
         "(pg_catalog.hashtextextended(y.sluice_exact, 0) & 4095)::int"},
    };
    return buckets[c->one_server][c->floats];
}

/* The images of every row, `y`, and after them `values`. Fenced by OFFSET 0, so that no text is made twice. */
static bool append_images(const Compare *c, const CompareSide *side, const char *values, Query *query, Error *err)
{
    Text *out = &query->text;
    text_append(out, " from (select ");
    if (!append_image(c, side->conn, false, out, err))
        return false;
    text_append(out, " as sluice_all");
    if (c->floats) {
        text_append(out, ", ");
        if (!append_image(c, side->conn, true, out, err))
            return false;
        text_append(out, " as sluice_exact");
    }
    text_appendf(out, "%s from ", values);
    if (!append_from(c, side, query, err))
        return false;
    text_append(out, " offset 0) y");
    return true;
}

static bool read_buckets(Compare *c, const CompareSide *side, Bucket *buckets, int64_t *ret_rows, Error *err)
{
    QUERY_AUTO(query);
    text_appendf(&query.text, "select z.b, count(*), sum(z.s0), sum(z.s1) from (select %s as b, %s", bucket_of(c),
                 c->one_server ? "pg_catalog.hashtextextended(y.sluice_all, 1) as s0, "
                                 "pg_catalog.hashtextextended(y.sluice_all, 2) as s1"
                               : "('x' || substr(pg_catalog.md5(y.sluice_all), 1, 16))::bit(64)::bigint as s0, "
                                 "('x' || substr(pg_catalog.md5(y.sluice_all), 17, 16))::bit(64)::bigint as s1");
    if (!append_images(c, side, "", &query, err))
        return false;
    text_append(&query.text, ") z group by 1");
    ROWS_AUTO(rows);
    if (side->query ? !query_rows(side->conn, &query, &rows, err)
                    : !conn_query(side->conn, text_str(&query.text), 0, NULL, &rows, err))
        return false;
    *ret_rows = 0;
    for (int i = 0; i < rows_count(rows); i++) {
        Bucket *bucket = &buckets[rows_int(rows, i, 0) & (BUCKETS - 1)];
        bucket->count = rows_int(rows, i, 1);
        *ret_rows += bucket->count;
        for (int j = 0; j < 2; j++) {
            const char *sum = rows_get(rows, i, 2 + j);
            memcpy(bucket->sums[j], sum, strnlen(sum, sizeof bucket->sums[j] - 1));
        }
    }
    return true;
}

static bool choose_buckets(Compare *c)
{
    for (int i = 0; i < BUCKETS; i++) {
        const Bucket *a = &c->buckets[0][i], *b = &c->buckets[1][i];
        if (a->count != b->count || strcmp(a->sums[0], b->sums[0]) != 0 || strcmp(a->sums[1], b->sums[1]) != 0)
            text_appendf(&c->chosen, "%s%d", c->chosen.len ? "," : "", i);
    }
    return c->chosen.len > 0;
}

/* Floats are put in order by about seven digits first: else rounding errors in one column would part rows that belong
 * together by the next. coarse() is the same in C. */
static void append_order(const Compare *c, Text *out)
{
    text_append(out, "z.sluice_exact collate \"C\"");
    for (size_t i = 0; i < c->count; i++)
        if (c->columns[i].kind != COMPARE_EXACT)
            text_appendf(out, ", case when abs(z.c%zu) > 1e-30 and abs(z.c%zu) < 1e30 then z.c%zu::real else 0 end", i,
                         i, i);
    for (size_t i = 0; i < c->count; i++)
        if (c->columns[i].kind != COMPARE_EXACT)
            text_appendf(out, ", z.c%zu", i);
    text_append(out, ", z.sluice_all collate \"C\"");
}

static bool open_stream(Compare *c, Stream *stream, Error *err)
{
    const CompareSide *side = stream->side;
    QUERY_AUTO(query);
    TEXT_AUTO(values);
    text_appendf(&query.text, "declare %s no scroll cursor for select z.sluice_exact, z.sluice_all", stream->cursor);
    for (size_t i = 0; i < c->count; i++) {
        bool exact = c->columns[i].kind == COMPARE_EXACT;
        text_appendf(&query.text, ", z.c%zu%s", i, exact ? "" : "::text");
        const char *format = exact ? ", case when length(x.%I::text) > %s then left(x.%I::text, %s) || '...' else "
                                     "x.%I::text end as c%s"
                                   : ", x.%I as c%s";
        const char *name = c->columns[i].name, *max = arena_printf(c->arena, "%d", COMPARE_VALUE_MAX),
                   *number = arena_printf(c->arena, "%zu", i);
        if (exact ? !conn_format(side->conn, &values, err, format, name, max, name, max, name, number)
                  : !conn_format(side->conn, &values, err, format, name, number))
            return false;
    }
    text_appendf(&query.text,
                 " from (select pg_catalog.md5(y.sluice_%s) as sluice_exact, pg_catalog.md5(y.sluice_all) as "
                 "sluice_all",
                 c->floats ? "exact" : "all");
    for (size_t i = 0; i < c->count; i++)
        text_appendf(&query.text, ", y.c%zu", i);
    if (!append_images(c, side, text_str(&values), &query, err))
        return false;
    text_appendf(&query.text, " where %s = any ('{%s}'::int[]) offset 0) z order by ", bucket_of(c),
                 text_str(&c->chosen));
    append_order(c, &query.text);
    int64_t ignored;
    return side->query ? query_run(side->conn, &query, &ignored, err)
                       : conn_exec(side->conn, text_str(&query.text), err);
}

/* --- streams --------------------------------------------------------------------------------------------------- */

/* Makes the stream's next row the current one. */
static bool advance(Stream *stream, Error *err)
{
    if (stream->batch && ++stream->at < rows_count(stream->batch))
        return true;
    rows_free_p(&stream->batch);
    stream->at = 0;
    TEXT_AUTO(sql);
    text_appendf(&sql, "fetch %d from %s", BATCH, stream->cursor);
    if (!conn_query(stream->side->conn, text_str(&sql), 0, NULL, &stream->batch, err))
        return false;
    stream->ended = rows_count(stream->batch) == 0;
    return true;
}

static const char *value_of(const Stream *stream, size_t column)
{
    return rows_get(stream->batch, stream->at, PLAIN_COLUMNS + (int)column);
}

static double float_of(const Stream *stream, size_t column, bool *ret_null)
{
    const char *text = value_of(stream, column);
    *ret_null = !text;
    return text ? strtod(text, NULL) : 0;
}

static double coarse(double value, bool null)
{
    double size = fabs(value);
    return !null && size > 1e-30 && size < 1e30 ? (double)(float)value : 0;
}

/* As PostgreSQL orders them: NaN after all other values, nulls last. */
static int order_of(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static int compare_floats(const Compare *c, bool roughly)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->columns[i].kind == COMPARE_EXACT)
            continue;
        bool null_a, null_b;
        double a = float_of(&c->streams[0], i, &null_a), b = float_of(&c->streams[1], i, &null_b);
        int order = roughly            ? order_of(coarse(a, null_a), coarse(b, null_b))
                    : null_a || null_b ? null_a - null_b
                                       : order_of(a, b);
        if (order)
            return order;
    }
    return 0;
}

static int compare_text(const Compare *c, int column)
{
    return strcmp(rows_get(c->streams[0].batch, c->streams[0].at, column),
                  rows_get(c->streams[1].batch, c->streams[1].at, column));
}

static bool is_close(const Compare *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->columns[i].kind == COMPARE_EXACT)
            continue;
        bool null_a, null_b;
        double a = float_of(&c->streams[0], i, &null_a), b = float_of(&c->streams[1], i, &null_b);
        double most = c->columns[i].kind == COMPARE_AS_REAL ? COMPARE_REAL : COMPARE_DOUBLE;
        if (null_a != null_b)
            return false;
        if (null_a || order_of(a, b) == 0)
            continue;
        if (!isfinite(a) || !isfinite(b) || fabs(a / 2 - b / 2) > most * fmax(fabs(a / 2), fabs(b / 2)))
            return false;
    }
    return true;
}

/* --- rows to be shown ------------------------------------------------------------------------------------------ */

static CompareRow take_row(const Compare *c, int side)
{
    CompareRow row = {.side = side, .values = mem_alloc((c->count + 1) * sizeof(char *))};
    for (size_t i = 0; i < c->count; i++)
        row.values[i] = mem_strdup(value_of(&c->streams[side], i));
    return row;
}

static void drop_row(const Compare *c, CompareRow *row)
{
    for (size_t i = 0; row->values && i < c->count; i++)
        free((char *)(uintptr_t)row->values[i]);
    free(row->values);
    row->values = NULL;
}

static void keep_rows(const Compare *c, CompareRow *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char **kept = arena_array(c->arena, c->count + 1, sizeof *kept);
        for (size_t j = 0; j < c->count; j++)
            kept[j] = arena_strdup(c->arena, rows[i].values[j]);
        drop_row(c, &rows[i]);
        rows[i].values = kept;
    }
}

/* Digits before anything else by length, so that 9 comes before 10. */
static int compare_values(const char *a, const char *b)
{
    if (!a || !b)
        return !a - !b;
    size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");
    if (digits_a && digits_b && digits_a != digits_b)
        return digits_a < digits_b ? -1 : 1;
    return strcmp(a, b);
}

static int compare_rows(const Compare *c, const CompareRow *a, const CompareRow *b)
{
    for (int keys = 1; keys >= 0; keys--) {
        for (size_t i = 0; i < c->count; i++) {
            int order = keys && !c->columns[i].key ? 0 : compare_values(a->values[i], b->values[i]);
            if (order)
                return order;
        }
        /* Between rows of one key, the sides; where there is no key, only between rows that are alike. */
        bool keyed = false;
        for (size_t i = 0; i < c->count; i++)
            keyed = keyed || c->columns[i].key;
        if (keys && keyed && a->side != b->side)
            return a->side - b->side;
    }
    return a->side - b->side;
}

/* Into its place among those that are first in order; the last gives way. */
static void show_row(Compare *c, int side)
{
    CompareRow row = take_row(c, side);
    size_t low = 0, high = c->shown_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare_rows(c, &c->shown[mid], &row) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low >= c->limit) {
        drop_row(c, &row);
        return;
    }
    if (c->shown_count == c->limit)
        drop_row(c, &c->shown[--c->shown_count]);
    memmove(&c->shown[low + 1], &c->shown[low], (c->shown_count - low) * sizeof row);
    c->shown[low] = row;
    c->shown_count++;
}

static void show_close(Compare *c)
{
    c->ret->close++;
    if (c->close_count + 2 > c->limit)
        return;
    c->close[c->close_count++] = take_row(c, 0);
    c->close[c->close_count++] = take_row(c, 1);
}

/* --- merging --------------------------------------------------------------------------------------------------- */

/* Which side's row has no match: 0 or 1; -1: both heads are a pair, exactly or closely. */
static int unmatched(Compare *c)
{
    if (c->streams[0].ended || c->streams[1].ended)
        return c->streams[0].ended;
    int order = compare_text(c, 0);
    if (order)
        return order > 0;
    if (compare_text(c, 1) == 0)
        return -1;
    if (is_close(c)) {
        show_close(c);
        return -1;
    }
    order = compare_floats(c, true);
    order = order ? order : compare_floats(c, false);
    return (order ? order : compare_text(c, 1)) > 0;
}

static bool merge(Compare *c, Error *err)
{
    if (!advance(&c->streams[0], err) || !advance(&c->streams[1], err))
        return false;
    while (!c->streams[0].ended || !c->streams[1].ended) {
        int side = unmatched(c);
        if (side >= 0) {
            c->ret->only[side]++;
            show_row(c, side);
        }
        for (int i = 0; i < 2; i++)
            if ((side < 0 || side == i) && !advance(&c->streams[i], err))
                return false;
    }
    return true;
}

/* Room for sorting, and plans for cursors that are read to their end. */
static bool prepare(Conn *conn, Error *err)
{
    return conn_exec(conn,
                     "select pg_catalog.set_config('work_mem', greatest(65536, setting::int)::text || 'kB', true), "
                     "pg_catalog.set_config('cursor_tuple_fraction', '1', true) "
                     "from pg_catalog.pg_settings where name = 'work_mem'",
                     err);
}

static bool compare_rows_of(Compare *c, const CompareSide sides[2], Error *err)
{
    for (int i = 0; i < 2; i++) {
        c->streams[i] = (Stream){.side = &sides[i], .cursor = i ? "sluice_compare_1" : "sluice_compare_0"};
        if (!open_stream(c, &c->streams[i], err))
            return false;
    }
    if (!merge(c, err))
        return false;
    for (int i = 0; i < 2; i++)
        if (!conn_exec(sides[i].conn, i ? "close sluice_compare_1" : "close sluice_compare_0", err))
            return false;
    c->ret->unsteady = c->ret->only[0] + c->ret->only[1] + c->ret->close == 0;
    return true;
}

static void compare_clear(Compare *c)
{
    for (int i = 0; i < 2; i++) {
        rows_free_p(&c->streams[i].batch);
        free(c->buckets[i]);
    }
    text_clear(&c->chosen);
}

bool compare_run(const CompareSide sides[2], const CompareColumn *columns, size_t count, size_t limit, Arena *arena,
                 Comparison *ret, Error *err)
{
    *ret = (Comparison){0};
    if (count == 0) /* rows of nothing */
        return true;
    Compare c CLEANUP(compare_clear) = {.columns = columns, .count = count, .arena = arena, .ret = ret};
    c.one_server = sides[0].conn == sides[1].conn;
    for (size_t i = 0; i < count; i++)
        c.floats = c.floats || columns[i].kind != COMPARE_EXACT;
    c.limit = limit < COMPARE_SHOWN_MAX ? limit : COMPARE_SHOWN_MAX;
    c.shown = arena_array(arena, c.limit + 1, sizeof *c.shown);
    c.close = arena_array(arena, c.limit + 2, sizeof *c.close);
    for (int i = 0; i < 2; i++) {
        c.buckets[i] = mem_alloc(BUCKETS * sizeof(Bucket));
        if (!prepare(sides[i].conn, err) || !read_buckets(&c, &sides[i], c.buckets[i], &ret->rows[i], err))
            return false;
    }
    bool good = !choose_buckets(&c) || compare_rows_of(&c, sides, err);
    keep_rows(&c, c.shown, c.shown_count);
    keep_rows(&c, c.close, c.close_count);
    ret->shown = c.shown;
    ret->shown_count = c.shown_count;
    ret->close_shown = c.close;
    ret->close_count = c.close_count;
    return good;
}
