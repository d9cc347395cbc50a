#include "publishing.h"
/* after it: both bring cmocka */
#include "../project/folder.h"

#include "publish/check.h"

/* Checks that look at a table as a whole, asked of staged rows and of published ones. The project's files are read as
 * users write them. */

static void begin(void)
{
    ERROR_AUTO(err);
    TxnOptions options = {.schema = "public", .timezone = "UTC"};
    assert_ok(conn_begin(g_conn, &options, &err));
}

static void read_project(Project *project)
{
    ERRORS_AUTO(errors);
    bool good = project_read(&(ProjectOptions){0}, project, &errors);
    for (size_t i = 0; i < errors.count; i++)
        fixture_show(&errors.items[i]);
    assert_true(good);
}

/* --- freshness ------------------------------------------------------------------------------------------------- */

typedef struct FreshCase {
    const char *type, *values; /* of the column; values as of VALUES */
    const char *after;         /* of the check */
    char outcome;              /* o: holds, w: warns, f: fails */
    const char *detail;
} FreshCase;

/* The clock of the run is 2023-05-10T12:00:00Z. */
static const FreshCase fresh_cases[] = {
    {"date", "('2023-05-01'), ('2023-05-09')", "error_after: 2 days", 'o', "is 2023-05-09, 36 hours ago"},
    {"date", "('2023-05-01'), ('2023-05-08')", "error_after: 60 hours", 'o', "2 days ago"},
    {"date", "('2023-05-08')", "error_after: 59 hours", 'f', "2023-05-08, 2 days ago; it fails after 59 hours"},
    {"date", "('2023-05-08')", "warn_after: 2 days, error_after: 7 days", 'w', "2 days ago; it warns after 2 days"},
    {"date", "('2023-05-01')", "warn_after: 2 days, error_after: 7 days", 'f', "9 days ago; it fails after 7 days"},
    {"date", "('2023-05-01')", "warn_after: 2 days", 'w', "9 days ago; it warns after 2 days"},
    {"date", "('2023-05-09'), (null)", "warn_after: 2 days, error_after: 7 days", 'o', "36 hours ago"},
    {"timestamp", "('2023-05-10 11:00')", "error_after: 1 hour", 'o', "60 minutes ago"},
    {"timestamp(0)", "('2023-05-10 11:00')", "error_after: 59 minutes", 'f',
     "60 minutes ago; it fails after 59 minutes"},
    {"timestamptz", "('2023-05-10 13:59:00+02')", "error_after: 1 minute", 'o', "60 seconds ago"},
    {"timestamptz", "('2023-05-10 13:59:00+02')", "error_after: 59 seconds", 'f', "it fails after 59 seconds"},
    {"timestamptz", "('2023-06-10')", "error_after: 1 day", 'o', "the newest t is 2023-06-10"},
    {"timestamptz", "('infinity'), ('2023-01-01')", "error_after: 1 day", 'o', "is infinity"},
    {"timestamptz", "('-infinity')", "error_after: 1 day", 'f', "is -infinity; it fails after 1 day"},
    {"date", "('5874897-12-31')", "error_after: 1 day", 'o', "is 5874897-12-31"},
    {"date", "('4713-01-01 BC')", "error_after: 1 day", 'f', "days ago; it fails after 1 day"},
    {"date", "(null)", "error_after: 1 day", 'f', "no row has a value of t; it fails after 1 day"},
    {"date", "(null)", "warn_after: 1 day", 'w', "no row has a value of t; it warns after 1 day"},
    {"date", "(null)", "warn_after: 1 day, error_after: 2 days", 'f', "no row has a value of t; it fails"},
};

static CheckResults run(const CheckTarget *target, Arena *arena)
{
    ERROR_AUTO(err);
    CheckResults results;
    assert_ok(checks_run(g_conn, target, target->node->checks, target->node->check_count, arena, &results, &err));
    return results;
}

static void try_fresh(const FreshCase *c)
{
    TEXT_AUTO(text);
    TestFolder folder;
    Project project;
    Arena arena CLEANUP(arena_clear) = {0};
    folder_enter(&folder);
    folder_write("sluice.yaml", "name: x\n");
    text_appendf(&text, "table: s\nchecks:\n  - freshness: {column: t, %s}\n", c->after);
    folder_write("sources/s.yaml", text_str(&text));
    read_project(&project);
    folder_leave(&folder);
    text_reset(&text);
    text_appendf(&text, "create temporary table s (t %s) on commit drop; insert into s values %s", c->type, c->values);
    begin();
    exec(text_str(&text));
    CheckTarget target = {.quoted = "s", .node = project.nodes[0], .now = INT64_C(1683720000000000)};
    CheckResults results = run(&target, &arena);
    const CheckResult *result = &results.items[0];
    assert_says(result->detail, c->detail);
    assert_int_equal(result->failed_rows, c->outcome != 'o');
    assert_int_equal(results.warnings, c->outcome == 'w');
    assert_int_equal(results.failed, c->outcome == 'f');
    if (c->outcome != 'o')
        assert_int_equal(result->check->warn, c->outcome == 'w');
    conn_rollback(g_conn);
    project_clear(&project);
}

static void tells_how_fresh(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fresh_cases / sizeof *fresh_cases; i++)
        try_fresh(&fresh_cases[i]);
}

static void wants_a_time(void **state)
{
    (void)state;
    TestFolder folder;
    Project project;
    Arena arena CLEANUP(arena_clear) = {0};
    ERROR_AUTO(err);
    CheckResults results;
    folder_enter(&folder);
    folder_write("sluice.yaml", "name: x\n");
    folder_write("sources/s.yaml", "table: s\nchecks:\n  - freshness: {column: t, warn_after: 1 day}\n");
    read_project(&project);
    folder_leave(&folder);
    begin();
    exec("create temporary table s (t text) on commit drop");
    CheckTarget target = {.quoted = "s", .node = project.nodes[0]};
    assert_false(checks_run(g_conn, &target, project.nodes[0]->checks, 1, &arena, &results, &err));
    assert_says(err.message, "the check freshness_t cannot be run: 't' is of type text");
    assert_string_equal(err.file, "sources/s.yaml");
    assert_int_equal(err.line, 3);
    conn_rollback(g_conn);
    project_clear(&project);
}

/* --- queries --------------------------------------------------------------------------------------------------- */

static const char *const loans = "csv: x.csv\n"
                                 "columns: {id: integer, \"Amount\": integer}\n"
                                 "unique_key: id\n"
                                 "checks: [{sql: checks/q.sql}]\n";

/* What is published: loans 1 to 3 of 10 each, branches 1. Staged, with the columns in another order: 3 to 4. */
static const char *const tables = "drop table if exists loans, stage, branches;"
                                  "create table loans (\"Amount\" int, id int);"
                                  "create table branches (id int);"
                                  "create table stage (id int, \"Amount\" int);"
                                  "insert into loans select 10, x from generate_series(1, 3) x;"
                                  "insert into branches values (1);"
                                  "insert into stage values (3, 30), (4, 40);";

typedef struct QueryCase {
    const char *query;
    int64_t staged;    /* rows it returns of the stage alone; -1: an error */
    int64_t upserted;  /* of the stage and the rows beside it */
    int64_t published; /* of the table as it stands */
    const char *says;  /* the first row kept, or the error's place and message, or NULL */
} QueryCase;

static const QueryCase query_cases[] = {
    {"select * from loans", 2, 4, 3, "{\"id\": 3, \"Amount\": 30}"},
    {"select * from loans where \"Amount\" = 10;", 0, 2, 3, NULL},
    {"select l.id from public.loans l where l.\"Amount\" > 10 -- of those", 2, 2, 0, "{\"id\": 3}"},
    {"select loans.id, count(*) from loans group by 1 having count(*) > 1", 0, 0, 0, NULL},
    {"select * from branches b where exists (select from loans where loans.id = b.id)", 0, 1, 1, NULL},
    {"with loans as (select 1 from branches) select * from loans", 1, 1, 1, NULL},
    {"with x as (table loans) select * from x, loans l where l.id = x.id", 2, 4, 3, NULL},
    {"select 1 from loans having sum(\"Amount\") <> :total", 1, 0, 1, NULL},
    {"select :'text'::text where exists (select from loans)", 1, 1, 1, "it's :total"},
    {"select\n  nothing from loans", -1, -1, -1, "checks/q.sql:2:3: "},
    {"select * from loans l, branches b\nwhere l.id = b.id and\n  l.none > 0", -1, -1, -1, "checks/q.sql:3:3: "},
    {"select * from loans where :total > 0 and :total > 0 and bad_fn()", -1, -1, -1, "checks/q.sql:1:57: "},
    {"select * from no_such where exists (select from loans)", -1, -1, -1, "checks/q.sql:1:15: "},
    {"select * from loans\n  where (select id from loans) = 1 / 0", -1, -1, -1, "checks/q.sql:1:1: "},
    {"select * from only loans", -1, -1, 3, NULL},
};

static void expect(const QueryCase *c, const Node *node, const CheckTarget *target, int64_t rows)
{
    Arena arena CLEANUP(arena_clear) = {0};
    ERROR_AUTO(err);
    CheckResults results;
    begin();
    bool good = checks_run(g_conn, target, node->checks, node->check_count, &arena, &results, &err);
    if (rows < 0) {
        assert_false(good);
        char *shown CLEANUP(mem_free_p) = error_text(&err);
        assert_says(shown, c->says ? c->says : "checks/q.sql:1:20: the check sql_q cannot be run: ONLY cannot be");
    } else {
        if (!good || results.items[0].failed_rows != rows)
            print_error("%s\n", c->query);
        assert_ok(good);
        assert_int_equal(results.items[0].failed_rows, rows);
        assert_int_equal(results.items[0].row_count, rows);
        if (c->says && rows > 0 && target->quoted[0] == 's')
            assert_says(results.items[0].rows[0].json, c->says);
    }
    conn_rollback(g_conn);
}

static void try_query(const QueryCase *c)
{
    TestFolder folder;
    Project project;
    folder_enter(&folder);
    folder_write("sluice.yaml", "name: x\nvars: {total: 90, text: \"it's :total\"}\n");
    folder_write("sources/loans.yaml", loans);
    folder_write("sources/branches.yaml", "table: branches\n");
    folder_write("checks/q.sql", c->query);
    read_project(&project);
    folder_leave(&folder);
    const Node *node = project_find(&project, "loans");
    const char *own = "\"public\".\"loans\"";
    TEXT_AUTO(quoted);
    ERROR_AUTO(err);
    assert_ok(conn_format(g_conn, &quoted, &err, "%I.%I", "public", "loans"));
    if (!str_eq(text_str(&quoted), own))
        own = text_str(&quoted);
    expect(c, node, &(CheckTarget){.quoted = "stage", .node = node}, c->staged);
    expect(c, node, &(CheckTarget){.quoted = "stage", .node = node, .beside = own}, c->upserted);
    expect(c, node, &(CheckTarget){.quoted = own, .node = node}, c->published);
    project_clear(&project);
}

static void asks_by_sql(void **state)
{
    (void)state;
    exec(tables);
    for (size_t i = 0; i < sizeof query_cases / sizeof *query_cases; i++)
        try_query(&query_cases[i]);
}

static void keeps_a_bounded_part(void **state)
{
    (void)state;
    TestFolder folder;
    Project project;
    Arena arena CLEANUP(arena_clear) = {0};
    folder_enter(&folder);
    folder_write("sluice.yaml", "name: x\n");
    folder_write("models/m.sql", "-- ---\n-- checks:\n--   - sql: checks/long_ones.sql\n--     severity: warn\n-- ---\n"
                                 "select 1 as id, 'x' as v");
    folder_write("checks/long_ones.sql", "select m.* from m where length(v) > 10 -- all of them");
    read_project(&project);
    folder_leave(&folder);
    exec("drop table if exists stage; create table stage as "
         "select x as id, repeat('x', 20000) as v from generate_series(1, 150) x");
    begin();
    CheckTarget target = {.quoted = "stage", .filter = "id > 20", .node = project.nodes[0]};
    CheckResults results = run(&target, &arena);
    assert_int_equal(results.failed, 0);
    assert_int_equal(results.warnings, 1);
    assert_string_equal(results.items[0].check->name, "sql_long_ones");
    assert_int_equal(results.items[0].failed_rows, 130);
    assert_int_equal(results.items[0].row_count, CHECK_ROWS_KEPT);
    assert_true(strlen(results.items[0].rows[0].json) < CHECK_ROW_BYTES);
    conn_rollback(g_conn);
    project_clear(&project);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_how_fresh), cmocka_unit_test(wants_a_time),
                                       cmocka_unit_test(asks_by_sql), cmocka_unit_test(keeps_a_bounded_part)};
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
