#include "publishing.h"

#include "publish/diff.h"

/* Random tables with nulls, duplicates and values that are equal but not the same (1.0 and 1.00), made alike by
 * differences: afterwards they hold the same rows, and rows that did not differ were not written. */

enum { ROUNDS = 30 };

/* Tables s and t; t has a column order of its own, a generated column and a dependent view. */
static void make_tables(int round, bool keyed, Arena *arena, Table *s, Table *t)
{
    TEXT_AUTO(sql);
    text_appendf(&sql,
                 "drop table if exists s; drop table if exists t cascade; select setseed(%d / 100.0);"
                 "create table s (\"k\" int, \"A\" text, n numeric, j json);"
                 "create table t (j json, n numeric, k int, \"A\" text, twice int generated always as (k * 2) stored);"
                 "create view v as select * from t;"
                 "insert into s select x, case when random() < .3 then null else chr(97 + (random() * 2)::int) end,"
                 " (array['1', '1.0', '1.00', null, 'NaN'])[1 + (random() * 4)::int]::numeric,"
                 " (array['{\"a\": 1}', '{\"a\":1}', null])[1 + (random() * 2)::int]::json"
                 " from generate_series(1, 60) x where random() < .8;"
                 "insert into t (k, \"A\", n, j) select k, case when random() < .2 then 'z' else \"A\" end,"
                 " case when random() < .2 then 1.000 else n end, j from s where random() < .8;"
                 "insert into t (k, \"A\") select x, 'old' from generate_series(100, 110) x;",
                 round);
    if (keyed)
        text_append(&sql, "alter table t add primary key (k);");
    else
        text_append(&sql, "update s set k = k % 3; update t set k = k % 3;"
                          "insert into s select * from s where random() < .3;");
    exec(text_str(&sql));
    ERROR_AUTO(err);
    assert_ok(table_find(g_conn, "public", "s", arena, s, &err));
    assert_ok(table_find(g_conn, "public", "t", arena, t, &err));
    TEXT_AUTO(statements);
    assert_true(table_same_columns(g_conn, s, t, NULL, &statements, &err));
}

#define ROWS_OF(table) "select row(k, \"A\", n, j)::text as r, count(*) as c from " table " group by 1"
#define MISSING                                                                                                        \
    "select count(*) from (" ROWS_OF("s") ") s full join (" ROWS_OF("t") ") t using (r) where s.c is distinct from "   \
                                                                         "t.c"

static const Strings no_key;

static int64_t written(const Diff *diff) { return diff->counts.inserted + diff->counts.updated + diff->counts.deleted; }

static bool apply(const Table *s, const Table *t, const Strings *key, bool delete_missing, Arena *arena, Diff *ret,
                  Error *err)
{
    static int turn;
    /* by turns in a work table and held */
    DiffScope scope = {.number = 1, .delete_missing = delete_missing, .stage_rows = turn++ % 2 ? 1000000 : 0};
    return diff_apply(g_conn, s, t, key, &scope, arena, ret, err);
}

static void holds_the_same(const Table *s, const Table *t, const Strings *key, Arena *arena, const Diff *first)
{
    ERROR_AUTO(err);
    Diff again;
    assert_int_equal(count_of(MISSING), 0);
    assert_int_equal(count_of("select count(*) from v"), count_of("select count(*) from s"));
    assert_true(written(first) > 0);
    exec("create temp table before as select ctid as place, xmin::text as writer from t");
    assert_ok(apply(s, t, key, true, arena, &again, &err));
    assert_true(diff_is_empty(&again));
    assert_int_equal(
        count_of("select count(*) from t full join before b on t.ctid = b.place and t.xmin::text = b.writer "
                 "where t.ctid is null or b.place is null"),
        0);
    exec("drop table before");
}

static void by_key(void **state)
{
    (void)state;
    const char *columns[] = {"k"};
    Strings key = {columns, 1};
    for (int round = 0; round < ROUNDS; round++) {
        Arena arena;
        arena_init(&arena);
        Table s, t;
        ERROR_AUTO(err);
        Diff diff;
        make_tables(round, true, &arena, &s, &t);
        assert_ok(apply(&s, &t, &key, true, &arena, &diff, &err));
        holds_the_same(&s, &t, &key, &arena, &diff);
        arena_clear(&arena);
    }
}

static void by_row(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        Arena arena;
        arena_init(&arena);
        Table s, t;
        ERROR_AUTO(err);
        Diff diff;
        make_tables(round, false, &arena, &s, &t);
        assert_ok(apply(&s, &t, &no_key, true, &arena, &diff, &err));
        assert_int_equal(diff.counts.updated, 0);
        holds_the_same(&s, &t, &no_key, &arena, &diff);
        arena_clear(&arena);
    }
}

static void upsert_keeps_what_is_missing(void **state)
{
    (void)state;
    const char *columns[] = {"k"};
    Strings key = {columns, 1};
    Arena arena;
    arena_init(&arena);
    Table s, t;
    ERROR_AUTO(err);
    Diff diff;
    make_tables(7, true, &arena, &s, &t);
    assert_ok(apply(&s, &t, &key, false, &arena, &diff, &err));
    assert_int_equal(diff.counts.deleted, 0);
    assert_int_equal(count_of("select count(*) from t where \"A\" = 'old'"), 11);
    assert_int_equal(count_of("select count(*) from s where not exists (select from t where t.k = s.k and "
                              "row(t.\"A\", t.n, t.j)::record *= row(s.\"A\", s.n, s.j)::record)"),
                     0);
    arena_clear(&arena);
}

static void keys_that_stand_twice(void **state)
{
    (void)state;
    const char *columns[] = {"k"};
    Strings key = {columns, 1};
    Arena arena;
    arena_init(&arena);
    Table s, t;
    ERROR_AUTO(err);
    Diff diff;
    make_tables(9, true, &arena, &s, &t);
    exec("alter table t drop constraint t_pkey; alter table t alter k drop not null;"
         "insert into t (k, \"A\") select k, 'twin' from t where k < 50; insert into t (k) values (null)");
    assert_false(apply(&s, &t, &key, false, &arena, &diff, &err));
    assert_says(err.message, "in 2 rows");
    error_clear(&err);
    assert_ok(apply(&s, &t, &key, true, &arena, &diff, &err));
    assert_int_equal(count_of("select count(*) from t"), count_of("select count(*) from s"));
    holds_the_same(&s, &t, &key, &arena, &diff);
    arena_clear(&arena);
}

static void columns_that_differ_are_named(void **state)
{
    (void)state;
    exec("drop table if exists s; drop table if exists t cascade;"
         "create table s (a int, b text, c int); create table t (a bigint, c int, d date)");
    Arena arena;
    arena_init(&arena);
    Table s, t;
    ERROR_AUTO(err);
    assert_ok(table_find(g_conn, "public", "s", &arena, &s, &err));
    assert_ok(table_find(g_conn, "public", "t", &arena, &t, &err));
    TEXT_AUTO(statements);
    assert_false(table_same_columns(g_conn, &s, &t, NULL, &statements, &err));
    assert_string_equal(err.message, "the columns differ from those of public.t; new: b text; no longer there: d date; "
                                     "changed: a from bigint to integer");
    assert_string_equal(text_str(&statements), "alter table \"public\".\"t\" alter column \"a\" type integer, "
                                               "add column \"b\" text, drop column \"d\"");
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_key),
        cmocka_unit_test(by_row),
        cmocka_unit_test(upsert_keeps_what_is_missing),
        cmocka_unit_test(keys_that_stand_twice),
        cmocka_unit_test(columns_that_differ_are_named),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
