#include "../pg/fixture.h"

#include "base/process.h"
#include "record/ledger.h"
#include "record/statements.h"

static char *g_project;
static Text g_url;
static Conn *g_conn;

static void run_on(const char *sql)
{
    ERROR_AUTO(err);
    assert_ok(conn_exec(g_conn, sql, &err));
}

static void assert_answer(const char *sql, const char *expected)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn, sql, 0, NULL, &rows, &err));
    assert_int_equal(rows_count(rows), 1);
    if (!str_eq(rows_get(rows, 0, 0), expected))
        fail_msg("%s: %s, expected %s", sql, rows_get(rows, 0, 0), expected);
}

static int group_setup(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    if (fixture_start("ledger", &g_project, &g_url) != 0)
        return -1;
    ConnOptions options = {.url = text_str(&g_url), .project = "ledger"};
    bool ok = conn_open(&options, &g_conn, &err);
    fixture_show(&err);
    return ok ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    conn_close(g_conn);
    return fixture_stop(g_project, &g_url);
}

static int64_t begin_run(void)
{
    ERROR_AUTO(err);
    int64_t run_id;
    LedgerRun run = {.project = "p", .target = "dev", .command = "run", .started_at = clock_now()};
    assert_ok(ledger_run_begin(g_conn, &run, &run_id, &err));
    return run_id;
}

/* A ledger of version 1, with what it holds, goes on as one of version 2. */
static void migrates_what_is_there(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    run_on("create schema sluice");
    run_on(sql_ledger_1);
    run_on("insert into sluice.version values (1, now(), '0.1.0'); "
           "insert into sluice.relations (schema_name, table_name, project, target, node, kind, materialized, "
           "definition, rows_total) values ('public', 'old', 'p', 'dev', 'old', 'model', 'table', 'hash', 5)");
    bool exists;
    assert_false(ledger_exists(g_conn, &exists, &err));
    assert_string_equal(err.message, "the ledger in schema sluice has version 1, this program reads 2");
    error_clear(&err);
    assert_ok(ledger_open(g_conn, &err));
    assert_ok(ledger_open(g_conn, &err));
    assert_ok(ledger_exists(g_conn, &exists, &err));
    assert_true(exists);
    assert_answer("select string_agg(version::text, ',' order by version) from sluice.version", "1,2");
    Arena arena;
    arena_init(&arena);
    LedgerRelation known;
    assert_ok(ledger_relation(g_conn, "public", "old", &arena, &known, &err));
    assert_true(known.known && known.total == 5);
    assert_string_equal(known.definition, "hash");
    assert_null(known.snapshot);
    assert_null(known.step_key);
    assert_int_equal(known.delivery_rows, -1);
    arena_clear(&arena);
}

static void keeps_or_clears_what_a_publish_says(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    LedgerStep step = {.run_id = begin_run(), .schema = "public", .table = "t", .node = "t", .kind = "source"};
    LedgerPublish publish = {.step = &step,
                             .project = "p",
                             .target = "dev",
                             .definition = "d",
                             .total = 10,
                             .step_key = "key",
                             .snapshot = "5:9:7",
                             .system_identifier = "42",
                             .time_column = "day",
                             .declared = "checks",
                             .has_delivery = true,
                             .delivery_rows = 12};
    assert_ok(ledger_publish_in_txn(g_conn, &publish, &err));
    LedgerRelation known;
    assert_ok(ledger_relation(g_conn, "public", "t", &arena, &known, &err));
    assert_string_equal(known.step_key, "key");
    assert_string_equal(known.snapshot, "5:9:7");
    assert_string_equal(known.system_identifier, "42");
    assert_string_equal(known.time_column, "day");
    assert_string_equal(known.declared, "checks");
    assert_int_equal(known.delivery_rows, 12);
    assert_answer(
        "select (snapshot_at > now() - interval '1 minute')::text from sluice.relations where table_name = 't'",
        "true");
    publish = (LedgerPublish){.step = &step, .project = "p", .target = "dev", .definition = "d", .total = -1};
    assert_ok(ledger_publish_in_txn(g_conn, &publish, &err));
    assert_ok(ledger_relation(g_conn, "public", "t", &arena, &known, &err));
    assert_true(!known.step_key && !known.snapshot && !known.system_identifier && !known.time_column &&
                !known.declared);
    assert_int_equal(known.total, 10);
    assert_int_equal(known.delivery_rows, 12);
    assert_answer("select snapshot_at::text from sluice.relations where table_name = 't'", NULL);
    publish.has_delivery = true;
    assert_ok(ledger_publish_in_txn(g_conn, &publish, &err));
    assert_ok(ledger_relation(g_conn, "public", "t", &arena, &known, &err));
    assert_int_equal(known.delivery_rows, 0);
    arena_clear(&arena);
}

static void tells_of_many_relations_at_once(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    ERROR_AUTO(err);
    Arena arena;
    arena_init(&arena);
    run_on("insert into sluice.relations (schema_name, table_name, project, target, node, kind, materialized, "
           "rows_total, last_tick) select 's', E'a\"\\\\{,}' || n, 'p', 'dev', 'n', 'model', 'table', n, "
           "'1970-01-01 00:00:01Z' from generate_series(0, 999, 2) n");
    LedgerStep step = {.run_id = begin_run(), .schema = "s", .table = "a\"\\{,}3", .node = "n", .kind = "model"};
    step.has_tick = true;
    step.tick = 7000000;
    step.logical_run = "tick";
    LedgerOutcome outcome = {.outcome = "failed", .total = -1};
    assert_ok(ledger_step_unrun(g_conn, &step, &outcome, &err));
    LedgerName *names = arena_array(&arena, COUNT, sizeof *names);
    LedgerRelation *known = arena_array(&arena, COUNT, sizeof *known);
    for (int i = 0; i < COUNT; i++)
        names[COUNT - 1 - i] = (LedgerName){"s", arena_printf(&arena, "a\"\\{,}%d", i)};
    assert_ok(ledger_relations_known(g_conn, names, COUNT, &arena, known, &err));
    for (int i = 0; i < COUNT; i++) {
        const LedgerRelation *one = &known[COUNT - 1 - i];
        assert_int_equal(one->known, i % 2 == 0);
        assert_true(one->total == (i % 2 == 0 ? i : -1));
        assert_int_equal(one->has_tick, i % 2 == 0 || i == 3);
        assert_true(!one->has_tick || one->last_tick == (i == 3 ? 7000000 : 1000000));
    }
    assert_ok(ledger_relations_known(g_conn, NULL, 0, &arena, NULL, &err));
    arena_clear(&arena);
}

static void records_decision_and_times(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    int64_t run_id = begin_run(), step_id;
    LedgerStep step = {
        .run_id = run_id, .schema = "public", .table = "d", .node = "d", .kind = "model", .logical_run = "run d"};
    LedgerOutcome outcome = {
        .outcome = "ok", .total = 3, .decision = "range", .touched = "[2026-01-01, 2026-01-09)", .key = "k"};
    assert_ok(ledger_step_begin(g_conn, &step, &step_id, &err));
    assert_ok(ledger_step_end(g_conn, step_id, &outcome, &err));
    ROWS_AUTO(steps);
    ROWS_AUTO(checks);
    ROWS_AUTO(failed);
    assert_ok(ledger_logs(g_conn, "p", run_id, &steps, &checks, &failed, &err));
    for (int i = 0; i < rows_columns(steps); i++) {
        if (str_eq(rows_name(steps, i), "decision"))
            assert_string_equal(rows_get(steps, 0, i), "range");
        if (str_eq(rows_name(steps, i), "touched"))
            assert_string_equal(rows_get(steps, 0, i), "[2026-01-01, 2026-01-09)");
    }
}

static LedgerSkip skip_of(int64_t run_id, const char *table, const char *logical, const char *judged)
{
    return (LedgerSkip){.step = {.run_id = run_id,
                                 .schema = "u",
                                 .table = table,
                                 .node = table,
                                 .kind = "model",
                                 .materialized = "table",
                                 .logical_run = logical,
                                 .has_tick = true,
                                 .tick = 5000000},
                        .reason = "nothing it reads has changed, \"really\"",
                        .key = "k",
                        .judged = judged};
}

static void records_steps_that_had_nothing_to_do(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    int64_t run_id = begin_run();
    run_on(
        "insert into sluice.relations (schema_name, table_name, project, target, node, kind, materialized, snapshot, "
        "snapshot_at) select 'u', t, 'p', 'dev', t, 'model', 'table', s::pg_snapshot, now() - age::interval from "
        "(values ('old', '5:5:', '2 h'), ('young', '5:5:', '1 min'), ('built', '8:8:', '2 h')) v (t, s, age)");
    LedgerSkip skips[] = {skip_of(run_id, "old", "tick 5", "5:5:"), skip_of(run_id, "young", "tick 5", "5:5:"),
                          skip_of(run_id, "built", "tick 5", "5:5:"), skip_of(run_id, "none", "tick 5", NULL)};
    skips[3].step.has_tick = false;
    skips[3].reason = NULL;
    assert_ok(ledger_steps_unchanged(g_conn, skips, 4, "9:9:", &err));
    assert_answer(
        "select string_agg(concat_ws(' ', table_name, outcome, decision, logical_run, extract(epoch from tick)::int, "
        "reason, step_key, ended_at is not null), '; ' order by table_name) from sluice.steps where schema_name = 'u'",
        "built unchanged skip tick 5 5 nothing it reads has changed, \"really\" k t; "
        "none unchanged skip tick 5 k t; old unchanged skip tick 5 5 nothing it reads has changed, \"really\" k t; "
        "young unchanged skip tick 5 5 nothing it reads has changed, \"really\" k t");
    /* the snapshot moves where it is old, and is still the one the step was judged by */
    assert_answer(
        "select string_agg(table_name || ' ' || snapshot::text, '; ' order by table_name) from sluice.relations "
        "where schema_name = 'u'",
        "built 8:8:; old 9:9:; young 5:5:");
    /* another run has done the tick: no second record, no error */
    skips[1].step.logical_run = "tick 6";
    assert_ok(ledger_steps_unchanged(g_conn, skips, 2, NULL, &err));
    assert_answer("select string_agg(table_name || ' ' || logical_run, '; ' order by step_id) from sluice.steps "
                  "where schema_name = 'u' and table_name in ('old', 'young')",
                  "old tick 5; young tick 5; young tick 6");
    assert_answer("select snapshot::text from sluice.relations where schema_name = 'u' and table_name = 'old'", "9:9:");
    assert_ok(ledger_steps_unchanged(g_conn, NULL, 0, NULL, &err));
}

/* A server that crashed may have lost a step's row, and given its number to another step. */
static void finds_a_step_again(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    LedgerStep step = {
        .run_id = begin_run(), .schema = "public", .table = "k", .node = "k", .kind = "model", .logical_run = "run k"};
    int64_t step_id, found_id = 0;
    bool found;
    assert_ok(ledger_step_begin(g_conn, &step, &step_id, &err));
    assert_ok(ledger_step_find(g_conn, &step, &found_id, &found, &err));
    assert_true(found);
    assert_int_equal(found_id, step_id);
    LedgerStep others[] = {step, step};
    others[0].schema = "private";
    others[1].table = "l";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_ok(ledger_step_find(g_conn, &others[i], &found_id, &found, &err));
        assert_false(found);
    }
    /* begun twice, and one of them done: the other one goes */
    LedgerOutcome done = {.outcome = "ok", .total = 0};
    assert_ok(ledger_step_begin(g_conn, &step, &found_id, &err));
    assert_ok(ledger_step_end(g_conn, found_id, &done, &err));
    others[0] = step;
    others[0].table = "unfinished";
    assert_ok(ledger_step_begin(g_conn, &others[0], &found_id, &err));
    assert_ok(ledger_end_steps(g_conn, step.run_id, "ok", &err));
    assert_answer("select string_agg(table_name || ' ' || outcome, ', ' order by table_name) from sluice.steps "
                  "where run_id = (select max(run_id) from sluice.runs)",
                  "k ok, unfinished failed");
    /* a run that the server lost; its number is another's by now */
    others[1].run_id++;
    assert_false(ledger_step_find(g_conn, &others[1], &found_id, &found, &err));
    assert_int_equal(err.code, ERROR_CONNECTION);
    error_clear(&err);
    run_on("update sluice.runs set process = 'another' where run_id = (select max(run_id) from sluice.runs)");
    assert_false(ledger_step_find(g_conn, &step, &found_id, &found, &err));
    assert_int_equal(err.code, ERROR_CONNECTION);
    error_clear(&err);
    TEXT_AUTO(process);
    TEXT_AUTO(back);
    process_identity(&process);
    assert_ok(conn_format(g_conn, &back, &err, "update sluice.runs set process = %L where process = 'another'",
                          text_str(&process)));
    run_on(text_str(&back));
    run_on("delete from sluice.steps where table_name = 'k'");
    assert_ok(ledger_step_find(g_conn, &step, &found_id, &found, &err));
    assert_false(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrates_what_is_there),
        cmocka_unit_test(keeps_or_clears_what_a_publish_says),
        cmocka_unit_test(tells_of_many_relations_at_once),
        cmocka_unit_test(records_decision_and_times),
        cmocka_unit_test(records_steps_that_had_nothing_to_do),
        cmocka_unit_test(finds_a_step_again),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
