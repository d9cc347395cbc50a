#include "record/change.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pg/rows.h"
#include "record/array.h"
#include "record/ledger.h"
#include "record/statements.h"

/* Days of -infinity and infinity in the ledger: past those of every date (-2451545 to 2145031948). */
#define DAY_LOW  INT64_C(-2147483648)
#define DAY_HIGH INT64_C(2147483647)
/* The last day that timestamps reach, 294276-12-31. Dates go further than microseconds can count. */
#define DAY_LAST INT64_C(106751982)

/* --- in SQL ---------------------------------------------------------------------------------------------------- */

/* Of `t`: what is to be told apart, cheap to group by; and of that the number in the ledger. */
static const char *grain_of(SqlTimeType type)
{
    switch (type) {
    case SQL_TIME_DATE:
    case SQL_TIME_TIMESTAMP:
        return "t::pg_catalog.date";
    case SQL_TIME_TIMESTAMPTZ:
        return "(t at time zone 'UTC')::pg_catalog.date";
    case SQL_TIME_INTEGER:
        return "t::pg_catalog.int8";
    case SQL_TIME_NONE:
        break;
    }
    return NULL;
}

/* Of a grain. */
static void append_number(SqlTimeType type, const char *grain, Text *out)
{
    if (type == SQL_TIME_INTEGER)
        text_append(out, grain);
    else
        text_appendf(out,
                     "case %s when '-infinity' then -2147483648 when 'infinity' then 2147483647 "
                     "else %s - '2000-01-01'::pg_catalog.date end::pg_catalog.int8",
                     grain, grain);
}

void change_number_sql(SqlTimeType type, Text *out)
{
    const char *grain = grain_of(type);
    if (grain)
        append_number(type, grain, out);
    else
        text_append(out, "null::pg_catalog.int8");
}

/* The values (of time, first made days) fall into islands at the CHANGE_RANGES - 1 widest gaps between neighbours,
 * which may be wider than a bigint counts. One pass keeps what the rest works on: the first value, the last, and the
 * widest gaps. range_agg closes nothing: islands lie apart. */
void change_ranges_sql(SqlTimeType type, const char *from, Text *out)
{
    static const char gap[] = "case when before is null then null when d / 2 - before / 2 < 4611686018427387900 "
                              "then d - before else 9223372036854775807 end";
    const char *grain = grain_of(type);
    if (!grain) {
        text_append(out, "'{}'::pg_catalog.int8multirange");
        return;
    }
    text_append(out, "(with edges as (select d, before from (select d, pg_catalog.lag(d) over days as before, "
                     "pg_catalog.lead(d) over days as after from (select ");
    append_number(type, "g", out);
    text_append(out, " as d from (select distinct ");
    text_append(out, grain);
    text_append(out, " as g from ");
    text_append(out, from);
    text_append(out, " where t is not null) grains) numbers window days as (order by d)) neighbours "
                     "where before is null or after is null or d > before + 1 "
                     "order by before is null or after is null desc, ");
    text_appendf(out,
                 "%s desc limit %d), starts as (select d, before from edges where before is null or d > before + 1 ",
                 gap, CHANGE_RANGES + 1);
    text_appendf(out, "order by %s desc nulls first limit %d), ", gap, CHANGE_RANGES);
    text_append(out, "islands as (select d as lo, coalesce(pg_catalog.lead(before) over (order by d), "
                     "(select pg_catalog.max(d) from edges)) as hi from starts) "
                     "select coalesce(pg_catalog.range_agg(pg_catalog.int8range(lo, "
                     "case when hi < 9223372036854775807 then hi + 1 end)), '{}') from islands)");
}

/* --- recording ------------------------------------------------------------------------------------------------- */

bool change_record_in_txn(Conn *conn, const ChangeEntry *entry, Error *err)
{
    char step[DECIMAL_TEXT];
    return conn_query_often(conn,
                            "insert into sluice.changes (schema_name, table_name, step_id, touched, nulls, everything) "
                            "select $1, $2, nullif($3::bigint, 0), r, $5::boolean, $6::boolean "
                            "from coalesce($4::int8multirange, '{}') r "
                            "where not pg_catalog.isempty(r) or $5::boolean or $6::boolean",
                            6,
                            (const char *const[]){entry->schema, entry->table, decimal_text(entry->step_id, step),
                                                  entry->ranges, entry->nulls ? "true" : "false",
                                                  entry->everything ? "true" : "false"},
                            NULL, err);
}

/* Rounded outward. */
static int64_t day_from(int64_t time)
{
    if (time <= RANGES_LOW)
        return DAY_LOW;
    if (time >= RANGES_HIGH)
        return DAY_HIGH;
    int64_t day = ranges_day_of(time);
    return day > DAY_LAST ? DAY_LAST : day;
}

static int64_t day_to(int64_t time)
{
    if (time >= RANGES_END)
        return DAY_HIGH + 1;
    if (time <= RANGES_LOW + 1)
        return DAY_LOW + 1;
    int64_t day = time / RANGES_DAY + (time % RANGES_DAY > 0);
    return day > DAY_LAST ? DAY_HIGH : day; /* every finite day */
}

void change_ranges_text(const Ranges *ranges, SqlTimeType type, Text *out)
{
    text_append_char(out, '{');
    for (size_t i = 0; i < ranges->count; i++) {
        Range range = ranges->items[i];
        if (i > 0)
            text_append_char(out, ',');
        if (type != SQL_TIME_INTEGER)
            text_appendf(out, "[%" PRId64 ",%" PRId64 ")", day_from(range.from), day_to(range.to));
        else {
            text_append(out, range.from > RANGES_LOW ? "[" : "(");
            if (range.from > RANGES_LOW)
                text_appendf(out, "%" PRId64, range.from);
            text_append_char(out, ',');
            if (range.to < RANGES_END)
                text_appendf(out, "%" PRId64, range.to);
            text_append_char(out, ')');
        }
    }
    text_append_char(out, '}');
}

/* --- asking ---------------------------------------------------------------------------------------------------- */

static int64_t time_from(int64_t n, SqlTimeType type)
{
    if (type == SQL_TIME_INTEGER)
        return n <= RANGES_LOW ? RANGES_LOW : n >= RANGES_HIGH ? RANGES_HIGH : n;
    if (n >= DAY_HIGH)
        return RANGES_HIGH;
    if (n > DAY_LAST)
        return DAY_LAST * RANGES_DAY;
    return n < -DAY_LAST ? RANGES_LOW : n * RANGES_DAY;
}

static int64_t time_to(int64_t n, SqlTimeType type)
{
    if (type == SQL_TIME_INTEGER)
        return n >= RANGES_HIGH ? RANGES_END : n <= RANGES_LOW ? RANGES_LOW + 1 : n;
    if (n > DAY_LAST)
        return RANGES_END;
    return n < -DAY_LAST ? RANGES_LOW + 1 : n * RANGES_DAY;
}

/* As the server writes it: {[1,3),[7,)}, a bound left out where there is none. */
bool change_ranges_read(const char *text, SqlTimeType type, Ranges *ret)
{
    const char *p = text;
    if (*p++ != '{')
        return false;
    while (*p != '}') {
        if (*p == ',')
            p++;
        char open = *p++;
        if (open != '[' && open != '(')
            return false;
        char *end;
        int64_t from = RANGES_LOW, to = RANGES_END;
        if (*p != ',') {
            from = time_from(strtoll(p, &end, 10), type);
            p = end;
        }
        if (*p++ != ',')
            return false;
        if (*p != ')') {
            to = time_to(strtoll(p, &end, 10), type);
            p = end;
        }
        if (*p++ != ')')
            return false;
        ranges_add(ret, from, to);
    }
    return true;
}

/* Requests as the arrays that statements take, and which of them they are. */
typedef struct Asked {
    Array schemas, tables, snapshots;
    size_t *numbers; /* room for all */
    size_t count;
} Asked;

static void asked_clear(Asked *asked)
{
    array_clear(&asked->schemas);
    array_clear(&asked->tables);
    array_clear(&asked->snapshots);
    free(asked->numbers);
}

static void ask(Asked *asked, const ChangeRequest *requests, size_t number)
{
    array_add(&asked->schemas, requests[number].table.schema);
    array_add(&asked->tables, requests[number].table.name);
    array_add(&asked->snapshots, requests[number].snapshot);
    asked->numbers[asked->count++] = number;
}

static bool answer(Conn *conn, const char *sql, Asked *asked, Rows **ret_rows, Error *err)
{
    const char *const params[] = {array_str(&asked->schemas), array_str(&asked->tables), array_str(&asked->snapshots)};
    return conn_query_often(conn, sql, 3, params, ret_rows, err);
}

/* More ranges than fit come in ascending order: each time the smallest gap is closed, which leaves the widest ones. */
static void read_pending(const Rows *rows, int row, SqlTimeType type, Touched *ret)
{
    ret->everything = rows_bool(rows, row, 0);
    ret->nulls = rows_bool(rows, row, 1);
    if (!ret->everything)
        ret->everything = !change_ranges_read(rows_get(rows, row, 2), type, &ret->ranges);
}

/* A table without a time column is touched everywhere by whatever its entries say: they may be from a time when it
 * had one. */
static bool find_pending(Conn *conn, const ChangeRequest *requests, size_t count, Asked *first, Touched *ret,
                         Error *err)
{
    ROWS_AUTO(some);
    ROWS_AUTO(rows);
    if (!answer(conn, sql_changes_any, first, &some, err))
        return false;
    Asked second CLEANUP(asked_clear) = {.numbers = mem_alloc(count * sizeof(size_t))};
    for (int row = 0; row < rows_count(some); row++) {
        size_t number = first->numbers[rows_int(some, row, 0)];
        const ChangeTable *table = &requests[number].table;
        ret[number].everything = rows_bool(some, row, 1) || !table->time_column || table->time_type == SQL_TIME_NONE;
        if (!ret[number].everything)
            ask(&second, requests, number);
    }
    if (second.count == 0)
        return true;
    if (!answer(conn, sql_changes_pending, &second, &rows, err))
        return false;
    for (size_t i = 0; i < second.count; i++)
        read_pending(rows, (int)i, requests[second.numbers[i]].table.time_type, &ret[second.numbers[i]]);
    return true;
}

bool change_pending(Conn *conn, const ChangeRequest *requests, size_t count, Touched *ret, Error *err)
{
    Asked asked CLEANUP(asked_clear) = {.numbers = mem_alloc((count + 1) * sizeof(size_t))};
    for (size_t i = 0; i < count; i++) {
        ret[i] = (Touched){.everything = !requests[i].snapshot};
        if (requests[i].snapshot)
            ask(&asked, requests, i);
    }
    return asked.count == 0 || find_pending(conn, requests, count, &asked, ret, err);
}

bool change_snapshot(Conn *conn, Arena *arena, const char **ret_snapshot, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query_often(conn, "select pg_catalog.pg_current_snapshot()", 0, NULL, &rows, err))
        return false;
    *ret_snapshot = arena_strdup(arena, rows_get(rows, 0, 0));
    return true;
}

/* --- pruning --------------------------------------------------------------------------------------------------- */

bool change_prune(Conn *conn, Error *err)
{
    enum { AT_ONCE = 10000 };
    char days[DECIMAL_TEXT], limit[DECIMAL_TEXT];
    return conn_query(conn,
                      "update sluice.relations set snapshot = null, snapshot_at = null "
                      "where snapshot is not null and snapshot_at < now() - pg_catalog.make_interval(days => $1::int)",
                      1, (const char *const[]){decimal_text(LEDGER_DAYS, days)}, NULL, err) &&
           conn_query(conn, sql_changes_prune, 1, (const char *const[]){decimal_text(AT_ONCE, limit)}, NULL, err);
}
