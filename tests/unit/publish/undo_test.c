#include "publishing.h"

#include "publish/undo.h"

/* Tables are published over and over, then taken back step by step: each time they hold what they held. */

enum { ROUNDS = 12, PUBLISHES = 4, KEPT = 3 };

static void begin(const char *timezone)
{
    ERROR_AUTO(err);
    TxnOptions options = {.schema = "public", .timezone = timezone, .repeatable_read = true};
    assert_ok(conn_begin(g_conn, &options, &err));
}

static void commit(void)
{
    ERROR_AUTO(err);
    assert_ok(conn_commit(g_conn, &err));
}

static Table find(const char *name, Arena *arena)
{
    ERROR_AUTO(err);
    Table table;
    assert_ok(table_find(g_conn, "public", name, arena, &table, &err));
    assert_true(table.exists);
    return table;
}

static const DiffScope dated = {.delete_missing = true, .time_column = "d", .time_type = SQL_TIME_DATE, .number = 7};

/* s becomes t; kept. */
static void publish(const char *key_column, int64_t step_id, int keep)
{
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    begin("UTC");
    Table s = find("s", &arena), t = find("t", &arena);
    Strings key = {&key_column, key_column ? 1 : 0};
    Diff diff;
    assert_ok(diff_find(g_conn, &s, &t, &key, &dated, &arena, &diff, &err));
    assert_ok(undo_keep(g_conn, &diff, step_id, keep, &err));
    assert_ok(diff_write(g_conn, &diff, &err));
    assert_ok(diff_drop(g_conn, &diff, &err));
    commit();
    arena_clear(&arena);
}

static bool take_back(UndoTaken *ret, Error *err)
{
    Arena arena;
    arena_init(&arena);
    begin("Pacific/Auckland");
    Table t = find("t", &arena);
    bool good = undo_take_back(g_conn, &t, &dated, 99, &arena, ret, err) &&
                conn_exec(g_conn, "set constraints all immediate", err);
    if (good)
        commit();
    conn_rollback(g_conn);
    arena_clear(&arena);
    ret->published_at = NULL;
    return good;
}

static void make_table(bool keyed)
{
    exec("truncate sluice.undo cascade; truncate sluice.changes; drop table if exists s, t, old0, old1, old2, old3, "
         "old4");
    exec("create table t (k int, up int, gone int, d date, n numeric, at timestamptz, j json,"
         " twice int generated always as (k * 2) stored, r int default 5); alter table t drop column gone;"
         "create table s (j json, k int, at timestamptz, d date, n numeric, up int)");
    if (keyed)
        exec("alter table t add primary key (k); alter table t add unique (n) deferrable;"
             "alter table t add foreign key (up) references t");
}

static void random_stage(bool keyed)
{
    exec("delete from s");
    exec("insert into s (k, d, at, j) select g, case when random() < .9 then '2020-01-01'::date + g / 4 end,"
         " '2020-03-29 00:30+00'::timestamptz + g * interval '1 min', (array['{\"a\": 1}', '{\"a\":1}', null])[1 + "
         "(random() * 2)::int]::json from generate_series(1, 60) g where random() < .7");
    exec(keyed
             ? "update s set n = x.n from (select k, row_number() over (order by random()) as n from s) x where x.k = "
               "s.k; update s set up = (select k from s o where o.k <> s.k or random() < .5 order by random() limit 1)"
             : "update s set k = k % 5, n = (array['1', '1.0', null, 'NaN'])[1 + (random() * 3)::int]::numeric;"
               "insert into s select * from s where random() < .5");
}

#define SAME(other)                                                                                                    \
    "select count(*) from (select row(k, up, d, n, at, j, twice, r)::text as r, count(*) as c from t group by 1) a "   \
    "full join (select row(k, up, d, n, at, j, twice, r)::text as r, count(*) as c from " other " group by 1) b "      \
    "using (r) where a.c is distinct from b.c"

static void what_it_held(bool keyed)
{
    static const char *const same[] = {SAME("old0"), SAME("old1"), SAME("old2"), SAME("old3")};
    for (int round = 0; round < ROUNDS; round++) {
        make_table(keyed);
        TEXT_AUTO(seed);
        text_appendf(&seed, "select setseed(%d / 100.0)", round);
        exec(text_str(&seed));
        for (int i = 0; i < PUBLISHES; i++) {
            TEXT_AUTO(copy);
            text_appendf(&copy, "create table old%d as select * from t", i);
            exec(text_str(&copy));
            random_stage(keyed);
            publish(keyed ? "k" : NULL, 10 + i, KEPT);
        }
        for (int i = PUBLISHES - 1; i >= PUBLISHES - KEPT; i--) {
            ERROR_AUTO(err);
            UndoTaken taken;
            assert_ok(take_back(&taken, &err));
            assert_int_equal(taken.step_id, 10 + i);
            assert_int_equal(count_of(same[i]), 0);
        }
        ERROR_AUTO(err);
        UndoTaken taken;
        assert_false(take_back(&taken, &err));
        assert_string_equal(err.message, "no publish of public.t is kept that could be taken back");
        assert_int_equal(count_of("select count(*) from sluice.undo_rows"), 0);
        assert_int_equal(count_of("select count(*) from sluice.changes where step_id = 99 and not everything"), KEPT);
    }
}

static void by_key(void **state)
{
    (void)state;
    what_it_held(true);
}

static void by_row(void **state)
{
    (void)state;
    what_it_held(false);
}

static void rows_that_changed_since(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    UndoTaken taken;
    make_table(false);
    exec("insert into s (k, d) select 1, '2020-01-01' from generate_series(1, 3); insert into s (k) values (2)");
    publish(NULL, 1, 1);
    exec("delete from t where ctid = (select min(ctid) from t where k = 1)"); /* two of three alike are left */
    assert_false(take_back(&taken, &err));
    assert_string_equal(err.message, "public.t no longer holds what was published: 1 row changed since");
    assert_says(err.detail, "2020-01-01");
    assert_int_equal(count_of("select count(*) from t"), 3);
    exec("insert into t (k, d) values (1, '2020-01-01')");
    exec("insert into t (k) values (3)"); /* what others added stays */
    assert_ok(take_back(&taken, &err));
    assert_int_equal(count_of("select count(*) from t"), 1);
}

static void columns_that_changed_since(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    UndoTaken taken;
    make_table(true);
    exec("insert into s (k) values (1)");
    publish("k", 1, 1);
    exec("alter table t alter r type bigint");
    assert_false(take_back(&taken, &err));
    assert_says(err.message, "the columns of public.t are not those");
    assert_says(err.hint, "k integer, up integer, d date");
}

static void nothing_that_differs_is_kept(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    UndoTaken taken;
    make_table(true);
    exec("insert into s (k) values (1)");
    publish("k", 1, 1);
    publish("k", 2, 1);
    assert_ok(take_back(&taken, &err));
    assert_int_equal(taken.step_id, 1);
    assert_int_equal(taken.counts.deleted, 1);
    assert_int_equal(count_of("select count(*) from t"), 0);
}

/* A run's rows are told from another's by the column that was added. */
static void appended_rows(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    make_table(false);
    exec("alter table t drop column r; alter table t add created_at timestamptz; insert into s (k) values (1), (2);"
         "insert into t (k, created_at) values (1, '2020-01-01'), (2, '2020-01-01')");
    begin("UTC");
    Table s = find("s", &arena), t = find("t", &arena);
    Diff diff;
    assert_ok(diff_find_append(g_conn, &s, &t, "created_at", "'2020-01-02'::timestamptz", &dated, &arena, &diff, &err));
    assert_ok(undo_keep(g_conn, &diff, 1, 1, &err));
    assert_ok(diff_write(g_conn, &diff, &err));
    commit();
    UndoTaken taken;
    assert_int_equal(count_of("select count(*) from t"), 4);
    assert_ok(take_back(&taken, &err));
    assert_int_equal(count_of("select count(*) from t where created_at = '2020-01-01 00:00+00'"), 2);
    assert_int_equal(count_of("select count(*) from t"), 2);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_key),
        cmocka_unit_test(by_row),
        cmocka_unit_test(rows_that_changed_since),
        cmocka_unit_test(columns_that_changed_since),
        cmocka_unit_test(nothing_that_differs_is_kept),
        cmocka_unit_test(appended_rows),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
