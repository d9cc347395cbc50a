#include "publishing.h"

#include "publish/diff.h"

/* Publishing on tables with all that a table can have: each case is a stage s, a target t and what is to come of it. */

typedef struct Case {
    const char *name;
    const char *setup;
    const char *key;    /* one column, or NULL */
    const char *filter; /* or NULL */
    bool keeps_missing;
    const char *message, *hint; /* parts of the error's, or NULL */
    const char *holds;          /* SQL that must give true afterwards, or NULL */
    DiffCounts counts;
} Case;

#define SAME "not exists ((table s except all table t) union all (table t except all table s))"

static const Case cases[] = {
    {"a table that refers to itself",
     "create table t (id int primary key, up int references t);"
     "insert into t values (1, null), (2, 1), (3, 2), (4, 3);"
     "create table s as values (1, null), (3, 9), (9, 1), (4, 3);"
     "alter table s rename column1 to id; alter table s rename column2 to up",
     .key = "id", .holds = SAME, .counts = {1, 1, 1}},
    {"the same without a key",
     "create table t (id int primary key, up int references t); insert into t values (1, null), (2, 1), (3, 2);"
     "create table s (id int, up int); insert into s values (5, null), (6, 5), (3, 6)",
     .holds = SAME, .counts = {3, 0, 3}},
    {"others refer to it",
     "create table t (id int primary key, v text); insert into t values (1, 'a'), (2, 'b'), (3, 'c');"
     "create table u (id int references t); insert into u values (1), (2);"
     "create table s as select id, v || '!' as v from t where id < 3",
     .holds = SAME, .counts = {0, 2, 1}},
    {"a row that others refer to goes",
     "create table t (id int primary key); insert into t values (1), (2);"
     "create table u (id int references t); insert into u values (1); create table s as select 2 as id",
     .key = "id", .message = "violates foreign key constraint", .hint = "bring the other table up to date first"},
    {"rows that refer to others",
     "create table o (id int primary key); insert into o values (1), (2);"
     "create table t (id int primary key, o int references o); insert into t values (1, 1);"
     "create table s as values (1, 2), (2, 1); alter table s rename column1 to id; alter table s rename column2 to o",
     .key = "id", .holds = SAME, .counts = {1, 1, 0}},
    {"rows that refer to nothing",
     "create table o (id int primary key); create table t (id int, o int references o); create table s as select 1 as "
     "id, 2 as o",
     .message = "violates foreign key constraint", .hint = "bring the other table up to date first"},
    {"rows that refer to nothing yet",
     "create table o (id int primary key);"
     "create table t (id int, o int references o deferrable initially deferred); create table s as select 1 as id, 2 "
     "as o",
     .holds = SAME, .counts = {1, 0, 0}},
    {"values of a unique index change hands",
     "create table t (id int primary key, code text unique); insert into t values (1, 'a'), (2, 'b'), (3, 'c');"
     "create table u (id int references t); insert into u values (1), (2);"
     "create table s as select * from (values (1, 'b'), (2, 'a'), (3, 'c')) v (id, code)",
     .key = "id", .holds = SAME " and (select count(*) = 2 from u)", .counts = {0, 2, 0}},
    {"values of a deferred unique constraint change hands",
     "create table t (id int primary key, code text unique deferrable initially deferred);"
     "insert into t values (1, 'a'), (2, 'b');"
     "create table s as select * from (values (1, 'b'), (2, 'a')) v (id, code)",
     .key = "id", .holds = SAME, .counts = {0, 2, 0}},
    {"values go round among deleted, updated and new rows",
     "create table t (id int primary key, code text unique); insert into t values (1, 'a'), (2, 'b'), (3, 'c');"
     "create table s as select * from (values (2, 'a'), (3, 'b'), (4, 'c')) v (id, code)",
     .key = "id", .holds = SAME, .counts = {1, 2, 1}},
    {"values change hands where deleting would cascade",
     "create table t (id int primary key, code text unique); insert into t values (1, 'a'), (2, 'b');"
     "create table u (id int references t on delete cascade);"
     "create table s as select * from (values (1, 'b'), (2, 'a')) v (id, code)",
     .key = "id", .message = "duplicate key", .hint = "declare the constraint deferrable"},
    {"a value that two new rows have",
     "create table t (id int primary key, code text unique);"
     "create table s as select * from (values (1, 'b'), (2, 'b')) v (id, code)",
     .key = "id", .message = "duplicate key"},
    {"ranges of an exclusion constraint change hands",
     "create table t (id int primary key, r int4range, exclude using gist (r with &&));"
     "insert into t values (1, '[1,5)'), (2, '[5,9)');"
     "create table s as select * from (values (1, '[4,9)'::int4range), (2, '[1,4)')) v (id, r)",
     .key = "id", .holds = SAME, .counts = {0, 2, 0}},
    {"generated and identity columns",
     "create table t (id int primary key, n int generated always as identity, m int generated by default as identity,"
     " d int generated always as (id * 2) stored); insert into t (id, m) values (1, 5), (2, 6);"
     "create table s as select * from (values (1, 5), (2, 7), (3, 8)) v (id, m)",
     .key = "id",
     .holds = "(select array_agg(t order by id)::text = '{\"(1,1,5,2)\",\"(2,2,7,4)\",\"(3,3,8,6)\"}' from t)",
     .counts = {1, 1, 0}},
    {"a trigger turns a new row down",
     "create table t (id int primary key); create table s as select generate_series(1, 3) as id;"
     "create function f() returns trigger language plpgsql as $$ begin if new.id = 2 then return null; end if; return "
     "new; end $$; create trigger picky before insert on t for each row execute function f()",
     .key = "id", .message = "a trigger (picky) kept back or changed 1 row", .hint = "leave the rows as they are"},
    {"a trigger turns a delete down",
     "create table t (id int primary key); insert into t values (1), (2); create table s as select 1 as id;"
     "create function f() returns trigger language plpgsql as $$ begin return null; end $$;"
     "create trigger \"Keeper\" before delete on t for each row execute function f()",
     .key = "id", .message = "a trigger (\"Keeper\") kept back or changed 1 row"},
    {"a trigger changes rows",
     "create table t (id int primary key, v text); insert into t values (1, 'a'); create table s as select 1 as id, "
     "'b' as v; create function f() returns trigger language plpgsql as $$ begin new.v := upper(new.v); return new; "
     "end "
     "$$; create trigger shout before insert or update on t for each row execute function f()",
     .key = "id", .message = "a trigger (shout) kept back or changed 1 row"},
    {"a trigger on a partition changes rows, and there is no key",
     "create table t (id int, v text) partition by list (id); create table t1 partition of t for values in (1);"
     "create table s as select 1 as id, 'b' as v; create function f() returns trigger language plpgsql as $$ begin "
     "new.v "
     ":= upper(new.v); return new; end $$; create trigger shout before insert on t1 for each row execute function f()",
     .message = "a trigger (shout) kept back or changed 2 rows"},
    {"triggers that do no harm, and one that is off",
     "create table t (id int primary key, v text, stamp timestamptz default 'epoch'); create table log (id int);"
     "insert into t values (1, 'a');"
     "create table s as select * from (values (1, 'b'), (2, 'c')) v (id, v);"
     "create function f() returns trigger language plpgsql as $$ begin new.stamp := now(); return new; end $$;"
     "create function g() returns trigger language plpgsql as $$ begin insert into log values (new.id); return null; "
     "end $$; create function h() returns trigger language plpgsql as $$ begin return null; end $$;"
     "create trigger stamped before insert or update on t for each row execute function f();"
     "create trigger logged after insert or update on t for each row execute function g();"
     "create trigger off before insert on t for each row execute function h(); alter table t disable trigger off",
     .key = "id",
     .holds = "(select count(*) = 2 and min(stamp) > '2000-01-01' from t) and (select count(*) = 2 from log)",
     .counts = {1, 1, 0}},
    {"a rule keeps rows back",
     "create table t (id int); create table s as select 1 as id; create rule r as on insert to t do instead nothing",
     .message = "was written by others while it was published (or a rule"},
    {"row security that hides rows from us",
     "create role plain; grant all on schema public to plain; create table t (id int, v text);"
     "create table s as select 1 as id, 'a' as v; alter table t owner to plain; alter table s owner to plain;"
     "alter table t enable row level security; alter table t force row level security;"
     "create policy p on t using (id > 5); set local role plain",
     .message = "row-level security", .hint = "alter table \"public\".\"t\" no force row level security"},
    {"row security that does not reach the owner",
     "create role plain; grant all on schema public to plain; create table t (id int, v text);"
     "create table s as select 1 as id, 'a' as v; alter table t owner to plain; alter table s owner to plain;"
     "alter table t enable row level security; create policy p on t using (id > 5); set local role plain",
     .holds = SAME, .counts = {1, 0, 0}},
    {"rows move between partitions",
     "create table t (id int, d date, v text, primary key (id, d)) partition by range (d);"
     "create table t1 partition of t for values from ('2020-01-01') to ('2020-02-01');"
     "create table t2 partition of t for values from ('2020-02-01') to ('2020-03-01');"
     "insert into t select g, '2020-01-01'::date + g, 'x' from generate_series(1, 50) g;"
     "create table s as select id, case when id = 5 then '2020-02-20' else d end as d, v from t where id <> 7",
     .key = "id", .holds = SAME " and (select tableoid = 't2'::regclass from t where id = 5)", .counts = {0, 1, 1}},
    {"rows without a key in partitions",
     "create table t (id int) partition by hash (id); create table t1 partition of t for values with (modulus 2, "
     "remainder 0); create table t2 partition of t for values with (modulus 2, remainder 1);"
     "insert into t select g % 7 from generate_series(1, 50) g; create table s as select g % 5 as id from "
     "generate_series(1, 50) g",
     .holds = SAME, .counts = {14, 0, 14}},
    {"a partition that is missing",
     "create table t (d date) partition by range (d); create table s as select date '2020-01-01' as d",
     .message = "no partition of relation \"t\"", .hint = "create the partition"},
    {"a key that moves from one touched time to another",
     "create table t (k int primary key, d date);"
     "insert into t select g, '2020-01-01'::date + g from generate_series(1, 30) g;"
     "create table s as select k, case k when 3 then '2020-01-25' else d end as d from t"
     " where k in (2, 3, 24)",
     .key = "k", .filter = "\"d\" in ('2020-01-03', '2020-01-04', '2020-01-25')",
     .holds = "(select count(*) = 30 from t) and (select d = '2020-01-25' from t where k = 3)", .counts = {0, 1, 0}},
    {"a key that stands outside what was recomputed",
     "create table t (k int primary key, d date);"
     "insert into t select g, '2020-01-01'::date + g from generate_series(1, 30) g;"
     "create table s as select 20 as k, date '2020-01-03' as d",
     .key = "k", .filter = "\"d\" = '2020-01-03'", .message = "duplicate key",
     .hint = "lies outside what was recomputed"},
    {"the same where no index tells",
     "create table t (k int, d date); insert into t select g, '2020-01-01'::date + g from generate_series(1, 30) g;"
     "create table s as select 20 as k, date '2020-01-03' as d",
     .key = "k", .filter = "\"d\" = '2020-01-03'",
     .message = "public.t holds the key (20) already, outside what was recomputed"},
    {"rows outside the filter stay, without a key",
     "create table t (k int, d date); insert into t select g % 3, '2020-01-01'::date + g from generate_series(1, 30) g;"
     "create table s as select 1 as k, date '2020-01-03' as d from generate_series(1, 2)",
     .filter = "\"d\" between '2020-01-03' and '2020-01-05'",
     .holds = "(select count(*) = 29 from t) and (select count(*) = 2 from t where d = '2020-01-03' and k = 1)",
     .counts = {2, 0, 3}},
    {"a column that is called like an alias",
     "create table t (t int primary key, x text, s text, d text, ctid_ tid); insert into t values (1, 'x', 's', 'd');"
     "create table s as select 1 as t, 'y' as x, 's' as s, 'd' as d, '(1,1)'::tid as ctid_",
     .key = "t", .filter = "\"t\" > 0", .holds = SAME, .counts = {0, 1, 0}},
    {"values change hands where a column would not come back",
     "create table t (id int primary key, code text unique, note text); insert into t values (1, 'a', 'x'), (2, 'b', "
     "'y'); create table s as select * from (values (1, 'b'), (2, 'a')) v (id, code)",
     .key = "id", .message = "duplicate key", .hint = "declare the constraint deferrable"},
    {"more rows than are held",
     "create table t (id int primary key, v int unique, w int references t);"
     "insert into t select g, g, g from generate_series(1, 5000) g;"
     "create table s as select g as id, 8001 - g as v, g as w from generate_series(3001, 7000) g",
     .key = "id", .holds = SAME, .counts = {2000, 2000, 3000}},
};

static void check_error(const Case *c, const Error *err)
{
    if (!c->message)
        fixture_show(err);
    assert_non_null(c->message);
    assert_says(err->message, c->message);
    if (c->hint)
        assert_says(err->hint, c->hint);
}

static void identity(const char *when)
{
    ERROR_AUTO(err);
    TEXT_AUTO(sql);
    text_appendf(&sql,
                 "create temp table %s as select 't'::regclass::oid as id, 'v'::regclass::oid as view,"
                 " (select relacl::text from pg_class where oid = 't'::regclass) as acl,"
                 " (select array_agg(indexrelid order by 1) from pg_index where indrelid = 't'::regclass) as indexes,"
                 " (select array_agg(oid order by 1) from pg_trigger where tgrelid = 't'::regclass) as triggers,"
                 " obj_description('t'::regclass) as comment",
                 when);
    assert_ok(conn_exec(g_conn, text_str(&sql), &err));
}

static bool asked(const char *sql)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn, sql, 0, NULL, &rows, &err));
    return rows_bool(rows, 0, 0);
}

static void run_case(const Case *c, Arena *arena)
{
    ERROR_AUTO(err);
    TxnOptions options = {.schema = "public", .repeatable_read = true};
    Table s, t;
    Diff diff;
    const char *columns[] = {c->key};
    Strings key = {columns, c->key ? 1 : 0};
    DiffScope scope = {.filter = c->filter, .delete_missing = !c->keeps_missing, .number = 1};
    assert_ok(conn_begin(g_conn, &options, &err));
    assert_ok(conn_exec(g_conn, c->setup, &err));
    assert_ok(table_find(g_conn, "public", "s", arena, &s, &err));
    assert_ok(table_find(g_conn, "public", "t", arena, &t, &err));
    if (c->holds) {
        assert_ok(conn_exec(
            g_conn, "create view v as select * from t; comment on table t is 'kept'; grant select on t to public",
            &err));
        identity("before");
    }
    bool good = diff_apply(g_conn, &s, &t, &key, &scope, arena, &diff, &err);
    if (!good) {
        check_error(c, &err);
        conn_rollback(g_conn);
        return;
    }
    assert_null(c->message);
    TEXT_AUTO(holds);
    text_appendf(&holds, "select %s", c->holds);
    assert_true(asked(text_str(&holds)));
    identity("after");
    assert_true(asked("select (select x::text from before x) = (select x::text from after x)"));
    assert_int_equal(diff.counts.inserted, c->counts.inserted);
    assert_int_equal(diff.counts.updated, c->counts.updated);
    assert_int_equal(diff.counts.deleted, c->counts.deleted);
    conn_rollback(g_conn);
}

static void on_every_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena;
        arena_init(&arena);
        print_message("  %s\n", cases[i].name);
        run_case(&cases[i], &arena);
        arena_clear(&arena);
    }
}

/* --- what was touched ------------------------------------------------------------------------------------------ */

typedef struct TouchedCase {
    const char *name, *stage, *time_column;
    bool append;
    SqlTimeType type;
    const char *ranges;
    bool nulls, everything;
} TouchedCase;

/* t: day k of January 2020 at key k for 1 to 9, key 10 without a day. Days from 2000-01-01: 7305 is 2020-01-01. */
static const TouchedCase touched_cases[] = {
    {"nothing", "select * from t", "d", false, SQL_TIME_DATE, "{}", false, false},
    {"an update in place", "select k, d, case k when 3 then 'new' else v end as v from t", "d", false, SQL_TIME_DATE,
     "{[7307,7308)}", false, false},
    {"a row that moves: the old place and the new",
     "select k, case k when 3 then '2020-01-20' else d end as d, v from t", "d", false, SQL_TIME_DATE,
     "{[7307,7308),[7324,7325)}", false, false},
    {"a row that loses its time", "select k, case k when 3 then null else d end as d, v from t", "d", false,
     SQL_TIME_DATE, "{[7307,7308)}", true, false},
    {"a row without a time goes", "select * from t where k < 10", "d", false, SQL_TIME_DATE, "{}", true, false},
    {"all go", "select * from t where false", "d", false, SQL_TIME_DATE, "{[7305,7314)}", true, false},
    {"a new row", "select * from t union all select 11, date '2020-02-01', 'x'", "d", false, SQL_TIME_DATE,
     "{[7336,7337)}", false, false},
    {"integers", "select * from t where k <> 5", "k", false, SQL_TIME_INTEGER, "{[5,6)}", false, false},
    {"no time column", "select * from t where k <> 5", NULL, false, SQL_TIME_NONE, NULL, false, true},
    {"no time column, and nothing differs", "select * from t", NULL, false, SQL_TIME_NONE, NULL, false, false},
    {"appended", "select k + 100 as k, d, v from t where k in (2, 10)", "d", true, SQL_TIME_DATE, "{[7306,7307)}", true,
     false},
};

static void touched_case(const TouchedCase *c, bool keyed, int64_t stage_rows)
{
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    TEXT_AUTO(sql);
    text_appendf(&sql,
                 "create table t (k int primary key, d date, v text);"
                 "insert into t select g, case when g < 10 then '2019-12-31'::date + g end, 'old' from "
                 "generate_series(1, 10) g; create table s as %s",
                 c->stage);
    Table s, t;
    Diff diff;
    const char *columns[] = {"k"};
    Strings key = {columns, keyed ? 1 : 0};
    DiffScope scope = {.delete_missing = true,
                       .time_column = c->time_column,
                       .time_type = c->type,
                       .number = 1,
                       .stage_rows = stage_rows};
    assert_ok(conn_begin(g_conn, &(TxnOptions){.schema = "public"}, &err));
    assert_ok(conn_exec(g_conn, text_str(&sql), &err));
    assert_ok(table_find(g_conn, "public", "s", &arena, &s, &err));
    assert_ok(table_find(g_conn, "public", "t", &arena, &t, &err));
    if (c->append)
        assert_ok(diff_find_append(g_conn, &s, &t, NULL, NULL, &scope, &arena, &diff, &err));
    else
        assert_ok(diff_find(g_conn, &s, &t, &key, &scope, &arena, &diff, &err));
    if (c->ranges && !(diff_is_empty(&diff) && !diff.ranges))
        assert_string_equal(diff.ranges, c->ranges);
    assert_int_equal(diff.nulls, c->nulls);
    assert_int_equal(diff.everything, c->everything);
    assert_ok(diff_write(g_conn, &diff, &err));
    assert_ok(diff_drop(g_conn, &diff, &err));
    if (!c->append)
        assert_true(asked("select " SAME));
    conn_rollback(g_conn);
    arena_clear(&arena);
}

static void says_what_it_touched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof touched_cases / sizeof *touched_cases; i++) {
        print_message("  %s\n", touched_cases[i].name);
        touched_case(&touched_cases[i], true, 0);
        touched_case(&touched_cases[i], true, 1000000);
        touched_case(&touched_cases[i], false, 0);
        touched_case(&touched_cases[i], false, 1000000);
    }
}

/* --- where most rows are new ----------------------------------------------------------------------------------- */

typedef struct AnewCase {
    const char *name, *more, *stage, *filter;
    int64_t untouched; /* rows that were not written */
    DiffCounts counts;
    const char *ranges;
} AnewCase;

static const AnewCase anew_cases[] = {
    {"nine in ten and more",
     "",
     "select k, d, v + (k > 500)::int as v from t",
     NULL,
     0,
     {20000, 0, 20000},
     "{[7305,7315)}"},
    {"fewer", "", "select k, d, v + (k > 5000)::int as v from t", NULL, 5000, {15000, 0, 15000}, "{[7305,7315)}"},
    {"within a filter",
     "",
     "select k, d, v + 1 as v from t where d < '2020-01-10'",
     "\"d\" < '2020-01-10'",
     2000,
     {18000, 0, 18000},
     "{[7305,7314)}"},
    {"a trigger would see it",
     "create trigger a after insert on t for each row execute function f();",
     "select k, d, v + (k > 500)::int as v from t",
     NULL,
     500,
     {19500, 0, 19500},
     "{[7305,7315)}"},
    {"a column that stage lacks",
     "alter table t add note text default 'kept';",
     "select k, d, v + (k > 500)::int as v from t",
     NULL,
     500,
     {19500, 0, 19500},
     "{[7305,7315)}"},
};

static void anew_case(const AnewCase *c)
{
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    TEXT_AUTO(sql);
    text_appendf(&sql,
                 "create function f() returns trigger language plpgsql as $$ begin return null; end $$;"
                 "create table t as select g as k, '2020-01-01'::date + g %% 10 as d, g as v from generate_series(1, "
                 "20000) g; %s create table s as %s; create table before as select ctid as place from t",
                 c->more, c->stage);
    Table s, t;
    Diff diff;
    DiffScope scope = {
        .filter = c->filter, .time_column = "d", .time_type = SQL_TIME_DATE, .number = 1, .stage_rows = 20000};
    assert_ok(conn_begin(g_conn, &(TxnOptions){.schema = "public"}, &err));
    assert_ok(conn_exec(g_conn, text_str(&sql), &err));
    assert_ok(table_find(g_conn, "public", "s", &arena, &s, &err));
    assert_ok(table_find(g_conn, "public", "t", &arena, &t, &err));
    assert_ok(diff_apply(g_conn, &s, &t, &(Strings){0}, &scope, &arena, &diff, &err));
    ROWS_AUTO(rows);
    assert_ok(
        conn_query(g_conn,
                   "select (select count(*) from t join before on t.ctid = place), not exists (select k, d, v from "
                   "s except all select k, d, v from t)",
                   0, NULL, &rows, &err));
    assert_int_equal(rows_int(rows, 0, 0), c->untouched);
    assert_true(rows_bool(rows, 0, 1));
    assert_int_equal(diff.counts.inserted, c->counts.inserted);
    assert_int_equal(diff.counts.updated, c->counts.updated);
    assert_int_equal(diff.counts.deleted, c->counts.deleted);
    assert_string_equal(diff.ranges, c->ranges);
    conn_rollback(g_conn);
    arena_clear(&arena);
}

static void most_rows_are_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof anew_cases / sizeof *anew_cases; i++) {
        print_message("  %s\n", anew_cases[i].name);
        anew_case(&anew_cases[i]);
    }
}

/* --- and how it is found --------------------------------------------------------------------------------------- */

/* Rows read of the target where 20 of 1,000,000 are staged: by the index on the key, or on what the filter names. */
static int64_t rows_read(const Strings *key, const char *filter, bool delete_missing)
{
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    Table s, t;
    Diff diff;
    DiffScope scope = {.filter = filter, .delete_missing = delete_missing, .number = 1, .stage_rows = 20};
    assert_ok(table_find(g_conn, "public", "s", &arena, &s, &err));
    assert_ok(table_find(g_conn, "public", "t", &arena, &t, &err));
    const char *sql = "select pg_stat_get_xact_tuples_returned('t'::regclass) + "
                      "pg_stat_get_xact_tuples_fetched('t'::regclass) + "
                      "coalesce(sum(pg_stat_get_xact_tuples_fetched(indexrelid)), 0) from pg_index where indrelid = "
                      "'t'::regclass";
    assert_ok(conn_begin(g_conn, &(TxnOptions){.schema = "public"}, &err));
    assert_ok(
        conn_exec(g_conn, "create table s as select k, d, v || '!' as v from t where k between 500 and 519", &err));
    assert_ok(table_find(g_conn, "public", "s", &arena, &s, &err));
    ROWS_AUTO(before);
    ROWS_AUTO(after);
    assert_ok(conn_query(g_conn, sql, 0, NULL, &before, &err));
    assert_ok(diff_apply(g_conn, &s, &t, key, &scope, &arena, &diff, &err));
    assert_ok(conn_query(g_conn, sql, 0, NULL, &after, &err));
    assert_int_equal(diff.counts.inserted + diff.counts.updated, 20);
    conn_rollback(g_conn);
    arena_clear(&arena);
    return rows_int(after, 0, 0) - rows_int(before, 0, 0);
}

static void reads_what_the_delta_needs(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    const char *columns[] = {"k"};
    Strings key = {columns, 1}, none = {0};
    assert_ok(conn_exec(g_conn,
                        "create table t (k int primary key, d date, v text); create index on t (d);"
                        "insert into t select g, '2000-01-01'::date + g / 20, 'x' from generate_series(1, 1000000) g;"
                        "analyze t",
                        &err));
    assert_in_range(rows_read(&key, NULL, false), 20, 200);
    assert_in_range(rows_read(&key, "\"d\" = '2000-01-26'", true), 20, 200);
    assert_in_range(rows_read(&none, "\"d\" = '2000-01-26'", true), 20, 200);
    assert_ok(conn_exec(g_conn, "drop table t", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_every_table),
        cmocka_unit_test(says_what_it_touched),
        cmocka_unit_test(most_rows_are_new),
        cmocka_unit_test(reads_what_the_delta_needs),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
