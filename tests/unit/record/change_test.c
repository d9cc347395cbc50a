#include "../pg/fixture.h"

#include <inttypes.h>

#include "record/change.h"
#include "record/ledger.h"

static char *g_project;
static Text g_url;
static Conn *g_conn, *g_other;

static Conn *open_one(void)
{
    ERROR_AUTO(err);
    Conn *conn = NULL;
    ConnOptions options = {.url = text_str(&g_url), .project = "change"};
    assert_ok(conn_open(&options, &conn, &err));
    return conn;
}

static int group_setup(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    if (fixture_start("change", &g_project, &g_url) != 0)
        return -1;
    g_conn = open_one();
    g_other = open_one();
    bool ok = ledger_open(g_conn, &err);
    fixture_show(&err);
    return ok ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    conn_close(g_conn);
    conn_close(g_other);
    return fixture_stop(g_project, &g_url);
}

static void run_on(Conn *conn, const char *sql)
{
    ERROR_AUTO(err);
    assert_ok(conn_exec(conn, sql, &err));
}

/* Of one row and column; the caller frees it. */
static char *answer_of(Conn *conn, const char *sql)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(conn, sql, 0, NULL, &rows, &err));
    assert_int_equal(rows_count(rows), 1);
    return mem_strdup(rows_get(rows, 0, 0));
}

static void assert_answer(Conn *conn, const char *sql, const char *expected)
{
    char *answer CLEANUP(mem_free_p) = answer_of(conn, sql);
    if (!str_eq(answer, expected))
        fail_msg("%s: %s, expected %s", sql, answer ? answer : "null", expected);
}

static int reset(void **state)
{
    (void)state;
    run_on(g_conn, "truncate sluice.changes, sluice.relations; update sluice.changes_pruned set before = '0'");
    return 0;
}

/* --- ranges in SQL --------------------------------------------------------------------------------------------- */

static void gives_the_ranges_of_times(void **state)
{
    (void)state;
    static const struct {
        SqlTimeType type;
        const char *values, *ranges;
    } cases[] = {
        {SQL_TIME_DATE, "(null::date)", "{}"},
        {SQL_TIME_DATE, "('2000-01-01'::date), ('2000-01-02'), (null), ('1999-12-31'), ('2000-01-05')",
         "{[-1,2),[4,5)}"},
        {SQL_TIME_DATE, "('-infinity'::date), ('infinity'), ('2000-01-01')",
         "{[-2147483648,-2147483647),[0,1),[2147483647,2147483648)}"},
        {SQL_TIME_DATE, "('4714-11-24 BC'::date), ('5874897-12-31')", "{[-2451545,-2451544),[2145031948,2145031949)}"},
        {SQL_TIME_TIMESTAMP, "('1999-12-31 23:59:59.999999'::timestamp), ('2000-01-01 00:00'), (null)", "{[-1,1)}"},
        {SQL_TIME_TIMESTAMP, "('-infinity'::timestamp), ('294276-12-31 23:59:59.999999')",
         "{[-2147483648,-2147483647),[106751982,106751983)}"},
        {SQL_TIME_TIMESTAMP, "('4714-11-24 00:00 BC'::timestamp), ('infinity')",
         "{[-2451545,-2451544),[2147483647,2147483648)}"},
        {SQL_TIME_TIMESTAMPTZ, "('2000-01-01 00:00+00'::timestamptz), ('2000-01-01 23:30-02'), ('infinity')",
         "{[0,2),[2147483647,2147483648)}"},
        {SQL_TIME_TIMESTAMPTZ, "('2000-03-26 00:30+02'::timestamptz)", "{[84,85)}"},
        {SQL_TIME_INTEGER, "(32767::smallint), ('-32768'::smallint), (0::smallint), (1::smallint)",
         "{[-32768,-32767),[0,2),[32767,32768)}"},
        {SQL_TIME_INTEGER, "(2147483647), (-2147483648), (null)",
         "{[-2147483648,-2147483647),[2147483647,2147483648)}"},
        {SQL_TIME_INTEGER, "(9223372036854775807), (-9223372036854775808), (9223372036854775806), (0)",
         "{[-9223372036854775808,-9223372036854775807),[0,1),[9223372036854775806,)}"},
        {SQL_TIME_NONE, "('a')", "{}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TEXT_AUTO(from);
        TEXT_AUTO(sql);
        text_appendf(&from, "(values %s) as v(t)", cases[i].values);
        text_append(&sql, "select ");
        change_ranges_sql(cases[i].type, text_str(&from), &sql);
        run_on(g_conn, "set timezone = 'Asia/Tokyo'");
        assert_answer(g_conn, text_str(&sql), cases[i].ranges);
    }
}

/* 200 islands of two days: the gap after island n is 200 - n days, so that the last ones are closed. */
static void closes_the_smallest_gaps_first(void **state)
{
    (void)state;
    static const char *const types[] = {
        [SQL_TIME_DATE] = "'2000-01-01'::date + n * 300 - n * (n - 1) / 2 + k",
        [SQL_TIME_TIMESTAMP] = "'2000-01-01'::timestamp + (n * 300 - n * (n - 1) / 2 + k) * interval '1 day'",
        [SQL_TIME_TIMESTAMPTZ] = "'2000-01-01 UTC'::timestamptz + (n * 300 - n * (n - 1) / 2 + k) * interval '24 h'",
        [SQL_TIME_INTEGER] = "n * 300 - n * (n - 1) / 2 + k",
    };
    for (SqlTimeType type = SQL_TIME_DATE; type <= SQL_TIME_INTEGER; type++) {
        TEXT_AUTO(from);
        TEXT_AUTO(sql);
        text_appendf(&from, "(select %s from generate_series(0, 199) n, generate_series(0, 1) k) v(t)", types[type]);
        text_append(&sql, "select array[upper(r) - lower(r), (select count(*) from unnest(r)), "
                          "(select upper(x) from unnest(r) x limit 1), "
                          "(select max(upper(x) - lower(x)) from unnest(r) x)]::text from (select ");
        change_ranges_sql(type, text_str(&from), &sql);
        text_append(&sql, ") s(r)");
        /* islands begin at f(n) = 300n - n(n-1)/2; the last of 64 covers islands 63 to 199 */
        assert_answer(g_conn, text_str(&sql), "{40001,64,2,23054}");
    }
}

static void turns_ranges_to_text_and_back(void **state)
{
    (void)state;
    static const struct {
        SqlTimeType type;
        Range range;
        const char *text;
        Range back;
    } cases[] = {
        {SQL_TIME_DATE, {0, RANGES_DAY}, "{[0,1)}", {0, RANGES_DAY}},
        {SQL_TIME_TIMESTAMP, {1, RANGES_DAY + 1}, "{[0,2)}", {0, 2 * RANGES_DAY}},
        {SQL_TIME_TIMESTAMPTZ, {-1, 0}, "{[-1,0)}", {-RANGES_DAY, 0}},
        {SQL_TIME_DATE, {RANGES_LOW, RANGES_LOW + 1}, "{[-2147483648,-2147483647)}", {RANGES_LOW, RANGES_LOW + 1}},
        {SQL_TIME_DATE, {RANGES_HIGH, RANGES_END}, "{[2147483647,2147483648)}", {RANGES_HIGH, RANGES_END}},
        {SQL_TIME_DATE, {RANGES_LOW, RANGES_END}, "{[-2147483648,2147483648)}", {RANGES_LOW, RANGES_END}},
        {SQL_TIME_DATE, {RANGES_LOW + 1, RANGES_HIGH}, "{[-106751992,2147483647)}", {RANGES_LOW, RANGES_END}},
        {SQL_TIME_INTEGER, {RANGES_LOW, 5}, "{(,5)}", {RANGES_LOW, 5}},
        {SQL_TIME_INTEGER, {-3, RANGES_END}, "{[-3,)}", {-3, RANGES_END}},
        {SQL_TIME_INTEGER, {RANGES_LOW, RANGES_END}, "{(,)}", {RANGES_LOW, RANGES_END}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Ranges ranges = {.items = {cases[i].range}, .count = 1}, back = {0};
        TEXT_AUTO(text);
        change_ranges_text(&ranges, cases[i].type, &text);
        assert_string_equal(text_str(&text), cases[i].text);
        assert_true(change_ranges_read(text_str(&text), cases[i].type, &back));
        assert_int_equal(back.count, 1);
        assert_true(back.items[0].from == cases[i].back.from && back.items[0].to == cases[i].back.to);
    }
    static const char *const wrong[] = {"", "x", "{", "{[1,2)", "{[1", "{[1,2]}", "{[a,2)}", "{[1,2),", "{[,"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Ranges back = {0};
        assert_false(change_ranges_read(wrong[i], SQL_TIME_DATE, &back));
    }
}

/* --- what is pending ------------------------------------------------------------------------------------------- */

static char *snapshot_of(Conn *conn)
{
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    const char *snapshot;
    assert_ok(change_snapshot(conn, &arena, &snapshot, &err));
    char *copy = mem_strdup(snapshot);
    arena_clear(&arena);
    return copy;
}

static void record(Conn *conn, const char *table, const char *ranges, bool nulls, bool everything)
{
    ERROR_AUTO(err);
    ChangeEntry entry = {
        .schema = "public", .table = table, .ranges = ranges, .nulls = nulls, .everything = everything};
    assert_ok(change_record_in_txn(conn, &entry, &err));
}

static Touched pending(Conn *conn, const char *table, SqlTimeType type, const char *snapshot)
{
    ERROR_AUTO(err);
    ChangeRequest request = {
        .table = {.schema = "public", .name = table, .time_column = type ? "t" : NULL, .time_type = type},
        .snapshot = snapshot};
    Touched touched;
    assert_ok(change_pending(conn, &request, 1, &touched, &err));
    return touched;
}

static void assert_touched(const Touched *touched, SqlTimeType type, const char *expected)
{
    TEXT_AUTO(text);
    change_ranges_text(&touched->ranges, type, &text);
    text_appendf(&text, "%s%s", touched->nulls ? " nulls" : "", touched->everything ? " everything" : "");
    assert_string_equal(text_str(&text), expected);
}

static void tells_what_is_not_in_the_snapshot(void **state)
{
    (void)state;
    record(g_conn, "t", "{[1,2)}", true, false);
    char *before CLEANUP(mem_free_p) = snapshot_of(g_conn);
    Touched none = pending(g_conn, "t", SQL_TIME_INTEGER, before);
    assert_true(touched_nothing(&none));
    record(g_conn, "t", "{[5,6),[10,)}", false, false);
    record(g_conn, "t", "{[6,7)}", true, false);
    record(g_conn, "u", NULL, false, true);
    Touched some = pending(g_conn, "t", SQL_TIME_INTEGER, before);
    assert_touched(&some, SQL_TIME_INTEGER, "{[5,7),[10,)} nulls");
    Touched undated = pending(g_conn, "t", SQL_TIME_NONE, before);
    assert_true(undated.everything);
    Touched unknown = pending(g_conn, "t", SQL_TIME_INTEGER, NULL);
    assert_true(unknown.everything);
    Touched other = pending(g_conn, "u", SQL_TIME_DATE, before);
    assert_true(other.everything);
    Touched absent = pending(g_conn, "v", SQL_TIME_DATE, before);
    assert_true(touched_nothing(&absent));
    char *after CLEANUP(mem_free_p) = snapshot_of(g_conn);
    Touched seen = pending(g_conn, "u", SQL_TIME_DATE, after);
    assert_true(touched_nothing(&seen));
}

static void records_nothing_where_nothing_was_touched(void **state)
{
    (void)state;
    record(g_conn, "t", NULL, false, false);
    record(g_conn, "t", "{}", false, false);
    assert_answer(g_conn, "select count(*) from sluice.changes", "0");
}

/* The writer opened before the step's snapshot and commits after; one that opened later has committed before it. By
 * id or clock its entry is the older one. */
static void finds_the_writer_that_commits_last(void **state)
{
    (void)state;
    run_on(g_other, "begin");
    record(g_other, "t", "{[3,4)}", false, false);
    record(g_conn, "t", "{[8,9)}", false, false);
    run_on(g_conn, "begin isolation level repeatable read");
    char *step CLEANUP(mem_free_p) = snapshot_of(g_conn);
    Touched within = pending(g_conn, "t", SQL_TIME_INTEGER, "1:1:");
    assert_touched(&within, SQL_TIME_INTEGER, "{[8,9)}");
    run_on(g_other, "commit");
    Touched still = pending(g_conn, "t", SQL_TIME_INTEGER, "1:1:");
    assert_touched(&still, SQL_TIME_INTEGER, "{[8,9)}");
    run_on(g_conn, "commit");
    Touched next = pending(g_conn, "t", SQL_TIME_INTEGER, step);
    assert_touched(&next, SQL_TIME_INTEGER, "{[3,4)}");
}

static void sees_its_own_entries(void **state)
{
    (void)state;
    char *before CLEANUP(mem_free_p) = snapshot_of(g_conn);
    run_on(g_conn, "begin isolation level repeatable read");
    record(g_conn, "t", "{[0,1)}", false, false);
    run_on(g_conn, "savepoint a");
    record(g_conn, "t", "{[1,2)}", false, false);
    run_on(g_conn, "release a; savepoint b");
    record(g_conn, "t", "{[7,8)}", false, false);
    run_on(g_conn, "rollback to b");
    Touched own = pending(g_conn, "t", SQL_TIME_DATE, before);
    assert_touched(&own, SQL_TIME_DATE, "{[0,2)}");
    run_on(g_conn, "commit");
    own = pending(g_other, "t", SQL_TIME_DATE, before);
    assert_touched(&own, SQL_TIME_DATE, "{[0,2)}");
}

/* Entry n is of one day, after a gap that is larger the later it comes: the first ones are closed. */
static void bounds_many_entries(void **state)
{
    (void)state;
    char *before CLEANUP(mem_free_p) = snapshot_of(g_conn);
    run_on(g_conn, "insert into sluice.changes (schema_name, table_name, touched) "
                   "select 'public', 't', int8multirange(int8range(n * n, n * n + 1)) from generate_series(1, 1000) n");
    Touched many = pending(g_conn, "t", SQL_TIME_INTEGER, before);
    assert_int_equal(many.ranges.count, RANGES_MAX);
    assert_true(many.ranges.items[0].from == 1 && many.ranges.items[0].to == 937 * 937 + 1);
    assert_true(many.ranges.items[1].from == 938 * 938 && many.ranges.items[63].to == 1000001);
}

static void answers_many_at_once(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    ERROR_AUTO(err);
    run_on(g_conn,
           "insert into sluice.changes (schema_name, table_name, touched) "
           "select 'public', 'a\"\\{,' || n, int8multirange(int8range(n, n + 1)) from generate_series(0, 999) n");
    ChangeRequest *requests CLEANUP(mem_free_p) = mem_alloc(COUNT * sizeof *requests);
    Touched *answers CLEANUP(mem_free_p) = mem_alloc(COUNT * sizeof *answers);
    Arena arena;
    arena_init(&arena);
    char *now CLEANUP(mem_free_p) = snapshot_of(g_conn);
    for (int i = 0; i < COUNT; i++)
        requests[i] = (ChangeRequest){.table = {.schema = "public",
                                                .name = arena_printf(&arena, "a\"\\{,%d", i),
                                                .time_column = "t",
                                                .time_type = SQL_TIME_INTEGER},
                                      .snapshot = i % 3 == 0   ? "1:1:"
                                                  : i % 3 == 1 ? now
                                                               : NULL};
    assert_ok(change_pending(g_conn, requests, COUNT, answers, &err));
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(answers[i].everything, i % 3 == 2);
        assert_int_equal(answers[i].ranges.count, i % 3 == 0);
        assert_true(i % 3 != 0 || answers[i].ranges.items[0].from == i);
    }
    arena_clear(&arena);
}

/* --- pruning --------------------------------------------------------------------------------------------------- */

static void relation_with(const char *table, const char *snapshot, const char *age)
{
    ERROR_AUTO(err);
    assert_ok(conn_query(g_conn,
                         "insert into sluice.relations (schema_name, table_name, project, target, node, kind, "
                         "materialized, snapshot, snapshot_at) values ('public', $1, 'p', 'dev', $1, 'model', 'table', "
                         "$2::pg_snapshot, now() - $3::interval)",
                         3, (const char *const[]){table, snapshot, age}, NULL, &err));
}

static void age_entries(void)
{
    run_on(g_conn, "update sluice.changes set recorded_at = recorded_at - interval '25 hours'");
}

static void prune(void)
{
    ERROR_AUTO(err);
    assert_ok(change_prune(g_conn, &err));
}

static void prunes_what_all_have_seen(void **state)
{
    (void)state;
    record(g_conn, "t", "{[1,2)}", false, false);
    char *first CLEANUP(mem_free_p) = snapshot_of(g_conn);
    record(g_conn, "t", "{[2,3)}", false, false);
    char *second CLEANUP(mem_free_p) = snapshot_of(g_conn);
    relation_with("seen_one", first, "1 day");
    relation_with("seen_both", second, "1 hour");
    relation_with("of_none", NULL, NULL);
    prune();
    assert_answer(g_conn, "select count(*) from sluice.changes", "2"); /* young ones stay */
    age_entries();
    prune();
    assert_answer(g_conn, "select string_agg(touched::text, ' ') from sluice.changes", "{[2,3)}");
    Touched kept = pending(g_conn, "t", SQL_TIME_INTEGER, first);
    assert_touched(&kept, SQL_TIME_INTEGER, "{[2,3)}");
    run_on(g_conn,
           "update sluice.relations set snapshot_at = now() - interval '91 days' where table_name = 'seen_one'");
    prune();
    assert_answer(g_conn, "select count(*) from sluice.changes", "0");
    assert_answer(g_conn, "select count(*) from sluice.relations where snapshot is not null", "1");
    /* a step that was at work all the time, and comes with a snapshot that was not in the ledger meanwhile */
    Touched late = pending(g_conn, "t", SQL_TIME_INTEGER, first);
    assert_true(late.everything);
    Touched good = pending(g_conn, "t", SQL_TIME_INTEGER, second);
    assert_true(touched_nothing(&good));
}

/* Nothing holds them back in the ledger, but a transaction that is open has not seen them. */
static void prunes_nothing_that_may_be_unseen(void **state)
{
    (void)state;
    run_on(g_other, "begin");
    record(g_other, "t", "{[1,2)}", false, false); /* holds back the horizon */
    record(g_conn, "t", "{[2,3)}", false, false);
    age_entries();
    prune();
    assert_answer(g_conn, "select count(*) from sluice.changes", "1");
    run_on(g_other, "commit");
    age_entries();
    prune();
    assert_answer(g_conn, "select count(*) from sluice.changes", "0");
}

static void prunes_in_bounded_steps_and_once_at_a_time(void **state)
{
    (void)state;
    run_on(g_conn, "insert into sluice.changes (schema_name, table_name, recorded_at) select 'public', 't', "
                   "now() - interval '2 days' from generate_series(1, 10500)");
    run_on(g_other, "begin; select * from sluice.changes_pruned for update");
    prune(); /* does not wait */
    assert_answer(g_conn, "select count(*) from sluice.changes", "10500");
    run_on(g_other, "rollback");
    prune();
    assert_answer(g_conn, "select count(*) from sluice.changes", "500");
    prune();
    assert_answer(g_conn, "select count(*) from sluice.changes", "0");
}

/* A database restored on a server whose counter of transactions stands far behind. */
static void prunes_what_came_from_another_server(void **state)
{
    (void)state;
    run_on(g_conn, "insert into sluice.changes (schema_name, table_name, xid, recorded_at, touched) values "
                   "('public', 't', '999999999999', now() - interval '2 days', '{[1,2)}'); "
                   "update sluice.changes_pruned set before = '999999999990'");
    char *now CLEANUP(mem_free_p) = snapshot_of(g_conn);
    Touched before = pending(g_conn, "t", SQL_TIME_INTEGER, now);
    assert_true(before.everything);
    prune();
    Touched after = pending(g_conn, "t", SQL_TIME_INTEGER, now);
    assert_true(touched_nothing(&after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_ranges_of_times),
        cmocka_unit_test(closes_the_smallest_gaps_first),
        cmocka_unit_test(turns_ranges_to_text_and_back),
        cmocka_unit_test_setup(tells_what_is_not_in_the_snapshot, reset),
        cmocka_unit_test_setup(records_nothing_where_nothing_was_touched, reset),
        cmocka_unit_test_setup(finds_the_writer_that_commits_last, reset),
        cmocka_unit_test_setup(sees_its_own_entries, reset),
        cmocka_unit_test_setup(bounds_many_entries, reset),
        cmocka_unit_test_setup(answers_many_at_once, reset),
        cmocka_unit_test_setup(prunes_what_all_have_seen, reset),
        cmocka_unit_test_setup(prunes_nothing_that_may_be_unseen, reset),
        cmocka_unit_test_setup(prunes_in_bounded_steps_and_once_at_a_time, reset),
        cmocka_unit_test_setup(prunes_what_came_from_another_server, reset),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
