#include "base/clock.h"
#include "base/log.h"
#include "folder.h"
#include "project/project.h"

static void enter_project(TestFolder *folder, const char *const files[][2], size_t count)
{
    unsetenv("SLUICE_TARGET");
    folder_enter(folder);
    folder_write("sluice.yaml", "name: test\n");
    for (size_t i = 0; i < count; i++)
        folder_write(files[i][0], files[i][1]);
}

static bool read_project(const char *dir, const char *target, Project *project)
{
    ERRORS_AUTO(errors);
    bool good = project_read(&(ProjectOptions){.dir = dir, .target = target}, project, &errors);
    for (size_t i = 0; i < errors.count; i++)
        print_message("%s:%d: %s\n", errors.items[i].file, errors.items[i].line, errors.items[i].message);
    assert_int_equal(good, errors.count == 0);
    return good;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void reads_a_source(void **state)
{
    static const char *const files[][2] = {
        {"sluice.yaml", "name: shop\ntimezone: Europe/Rome\ntargets: {local: {schema: marts}}\n"},
        {"sources/orders.yaml",
         "table: Order Lines\n"
         "schema: raw\n"
         "csv: data/o.csv\n"
         "delimiter: tab\n"
         "columns:\n"
         "  id: bigint\n"
         "  \"the \\\"day\\\"\": {type: date, header: \"Day*\", null: [n/a, \"-\"], format: DD.MM.YYYY, "
         "description: d}\n"
         "unique_key: id\n"
         "time_column: the \"day\"\n"
         "schedule: \"15 6 * * mon\"\n"
         "timezone: Asia/Tokyo\n"
         "tags: [daily, raw]\n"
         "owner: me\n"
         "checks:\n"
         "  - row_count: {min: 1}\n"
         "  - not_null: [id, the \"day\"]\n"
         "  - expression: '\"the \"\"day\"\"\" > ''2020-01-01'''\n"
         "    severity: warn\n"
         "  - expression: id > 0\n"},
        {"sources/others.yaml", "columns: {id: integer}\n"},
    };
    (void)state;
    TestFolder folder;
    Project project;
    enter_project(&folder, files, COUNT(files));
    assert_true(read_project(NULL, NULL, &project));
    const Node *orders = project_find(&project, "orders"), *others = project_find(&project, "others");
    assert_string_equal(project.name, "shop");
    assert_string_equal(zone_name(project.zone), "Europe/Rome");
    assert_string_equal(orders->table, "Order Lines");
    assert_string_equal(orders->schema, "raw");
    assert_string_equal(orders->csv_shown, "data/o.csv");
    assert_int_equal(orders->csv[0], '/');
    assert_int_equal(orders->delimiter, '\t');
    assert_int_equal(orders->column_count, 2);
    assert_string_equal(orders->columns[1].name, "the \"day\"");
    assert_string_equal(orders->columns[1].header, "Day*");
    assert_int_equal(orders->columns[1].nulls.count, 2);
    assert_string_equal(orders->columns[1].format, "DD.MM.YYYY");
    assert_int_equal(orders->mode, LOAD_UPSERT);
    assert_string_equal(zone_name(orders->zone), "Asia/Tokyo");
    assert_int_equal(orders->schedule_place.line, 10);
    assert_int_equal(orders->cron.weekdays, 2);
    assert_int_equal(orders->check_count, 4);
    assert_string_equal(orders->checks[0].name, "row_count");
    assert_int_equal(orders->checks[0].min, 1);
    assert_true(orders->checks[0].max == INT64_MAX);
    assert_string_equal(orders->checks[1].name, "not_null_id_the \"day\"");
    assert_true(orders->checks[2].warn);
    assert_string_equal(orders->checks[3].name, "expression_2");
    assert_int_equal(orders->checks[3].place.line, 19);
    assert_string_equal(others->schema, "marts");
    assert_null(others->csv);
    assert_int_equal(others->mode, LOAD_REPLACE);
    project_clear(&project);
    folder_leave(&folder);
}

static void reads_a_model(void **state)
{
    static const char *const files[][2] = {
        {"sources/loans.yaml", "table: loans\n"},
        {"models/a/ratio.sql", "-- ---\r\n"
                               "-- description: Ratio\r\n"
                               "--\r\n"
                               "-- materialized: history\r\n"
                               "-- keep: 2 weeks\r\n"
                               "-- ---\r\n"
                               "-- a comment; with a semicolon\r\n"
                               "with loans2 as (select * from loans)\r\n"
                               "select l.d, 'a;b' as \"Weird;\" from loans2 l join public.loans using (d);\r\n"
                               "-- the end\r\n"},
        {"models/a/plain.sql", "\n\nSELECT d,  'a;b'\nas x FROM ratio /* comment */"},
        {"models/a/plain2.sql", "select d, 'a;b' as x from ratio; -- a comment"},
    };
    (void)state;
    TestFolder folder;
    Project project;
    enter_project(&folder, files, COUNT(files));
    assert_true(read_project(NULL, NULL, &project));
    const Node *ratio = project_find(&project, "ratio"), *plain = project_find(&project, "plain");
    assert_string_equal(ratio->path, "models/a/ratio.sql");
    assert_int_equal(ratio->materialized, MATERIALIZED_HISTORY);
    assert_true(ratio->keep == INT64_C(14) * 86400 * 1000000);
    assert_int_equal(ratio->sql_line, 7);
    assert_true(str_starts(ratio->sql, "-- a comment"));
    assert_true(str_ends(ratio->sql, "using (d)"));
    assert_int_equal(ratio->output.count, 2);
    assert_string_equal(ratio->output.items[1], "Weird;");
    assert_int_equal(ratio->reference_count, 2); /* loans2 is a CTE */
    assert_int_equal(ratio->references[0].place.line, 8);
    assert_int_equal(ratio->references[0].place.column, 31);
    assert_string_equal(ratio->references[1].schema, "public");
    assert_int_equal(ratio->input_count, 1);
    assert_string_equal(ratio->inputs[0]->name, "loans");
    assert_int_equal(plain->materialized, MATERIALIZED_TABLE);
    assert_int_equal(plain->sql_line, 1);
    assert_int_equal(strlen(plain->sql_hash), 32);
    assert_string_not_equal(plain->sql_hash, ratio->sql_hash);
    /* Case of keywords is a difference of tokens; white space, comments and semicolons are none. */
    assert_string_not_equal(plain->sql_hash, project_find(&project, "plain2")->sql_hash);
    project_clear(&project);

    folder_write("models/a/plain2.sql", "SELECT -- x\n d, 'a;b' as x FROM ratio;;");
    assert_true(read_project(NULL, NULL, &project));
    assert_string_equal(project_find(&project, "plain")->sql_hash, project_find(&project, "plain2")->sql_hash);
    project_clear(&project);
    folder_leave(&folder);
}

static void takes_defaults_of_folders(void **state)
{
    static const char *const files[][2] = {
        {"sluice.yaml", "defaults:\n"
                        "  owner: all\n"
                        "  models/a: {materialized: view, tags: [a], owner: folder}\n"
                        "  models/a/b/: {materialized: history, keep: 1 day}\n"},
        {"models/top.sql", "select 1 as x"},
        {"models/a/one.sql", "select 1 as x"},
        {"models/a/b/two.sql", "-- ---\n-- owner: mine\n-- ---\nselect 1 as x"},
        {"models/a/b/three.sql", "-- ---\n-- materialized: table\n-- tags: []\n-- ---\nselect 1 as x"},
        {"models/ab/four.sql", "select 1 as x"},
    };
    static const struct {
        const char *name, *owner;
        Materialized materialized;
        size_t tags;
    } cases[] = {
        {"top", "all", MATERIALIZED_TABLE, 0},    {"one", "folder", MATERIALIZED_VIEW, 1},
        {"two", "mine", MATERIALIZED_HISTORY, 1}, {"three", "folder", MATERIALIZED_TABLE, 0},
        {"four", "all", MATERIALIZED_TABLE, 0},
    };
    (void)state;
    TestFolder folder;
    Project project;
    enter_project(&folder, files, COUNT(files));
    assert_true(read_project(NULL, NULL, &project));
    assert_int_equal(project.warnings.count, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const Node *node = project_find(&project, cases[i].name);
        assert_string_equal(node->owner, cases[i].owner);
        assert_int_equal(node->materialized, cases[i].materialized);
        assert_int_equal(node->tags.count, cases[i].tags);
    }
    assert_true(project_find(&project, "two")->keep == INT64_C(86400) * 1000000);
    project_clear(&project);
    folder_leave(&folder);
}

static void chooses_the_target(void **state)
{
    static const char *const files[][2] = {
        {"sluice.yaml", "target: ${TEST_TARGET:-dev}\n"
                        "targets:\n"
                        "  prod: {url: \"postgresql://u:pw-prod@h/d\", schema: live}\n"
                        "  dev: {}\n"
                        "  other: {url: \"${TEST_UNSET_VARIABLE}\"}\n"},
        {".env", "TEST_TARGET=dev\n"},
    };
    static const struct {
        const char *option, *variable, *name, *url, *schema;
    } cases[] = {
        {NULL, NULL, "dev", NULL, "public"},
        {NULL, "prod", "prod", "postgresql://u:pw-prod@h/d", "live"},
        {"dev", "prod", "dev", NULL, "public"},
        {"prod", NULL, "prod", "postgresql://u:pw-prod@h/d", "live"},
    };
    (void)state;
    TestFolder folder;
    Project project;
    enter_project(&folder, files, COUNT(files));
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].variable)
            setenv("SLUICE_TARGET", cases[i].variable, 1);
        else
            unsetenv("SLUICE_TARGET");
        assert_true(read_project(NULL, cases[i].option, &project));
        assert_string_equal(project.target.name, cases[i].name);
        assert_true(str_eq(project.target.url, cases[i].url));
        assert_string_equal(project.target.schema, cases[i].schema);
        assert_int_equal(project.targets.count, 3);
        assert_string_equal(project.targets.items[0], "dev");
        project_clear(&project);
    }
    unsetenv("SLUICE_TARGET");
    assert_false(read_project(NULL, "prd", &project));
    project_clear(&project);
    assert_false(read_project(NULL, "other", &project)); /* its variable is not set */
    project_clear(&project);
    folder_leave(&folder);
}

static void hides_passwords(void **state)
{
    static const struct {
        const char *url, *secret;
    } cases[] = {
        {"postgresql://u:pw%40one@h/d", "pw@one"},
        {"postgresql://u:pw%40one@h/d", "pw%40one"},
        {"postgresql://h/d?user=u&password=pw-two&x=y", "pw-two"},
        {"host=h password=pw-three user=u", "pw-three"},
        {"host=h password = 'pw four' user=u", "pw four"},
        {"postgresql://u:pw/fi@ve#x@h/d", "pw/fi@ve#x"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        TestFolder folder;
        Project project;
        TEXT_AUTO(yaml);
        enter_project(&folder, NULL, 0);
        text_appendf(&yaml, "targets: {local: {url: \"%s\"}}\n", cases[i].url);
        folder_write("sluice.yaml", text_str(&yaml));
        assert_true(read_project(NULL, NULL, &project));
        char *shown CLEANUP(mem_free_p) = log_redacted(cases[i].secret);
        assert_string_equal(shown, "***");
        project_clear(&project);
        folder_leave(&folder);
    }
}

static void orders_by_needs_then_names(void **state)
{
    static const char *const files[][2] = {
        {"sources/z.yaml", "table: zulu\n"},
        {"sources/a.yaml", "schema: raw\n"},
        {"models/m.sql", "select 1 as x from zulu, raw.a"},
        {"models/b.sql", "select 1 as x from m"},
        {"models/k.sql", "select 1 as x from a"}, /* not raw.a */
        {"models/c.sql", "-- ---\n-- depends_on: [b, z]\n-- ---\nselect 1 as x from (select 1 from m) q, \"M\""},
    };
    static const char *const order[] = {"a", "k", "z", "m", "b", "c"};
    (void)state;
    TestFolder folder;
    Project project;
    enter_project(&folder, files, COUNT(files));
    assert_true(read_project(NULL, NULL, &project));
    assert_int_equal(project.node_count, COUNT(order));
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_string_equal(project.nodes[i]->name, order[i]);
        assert_int_equal(project.nodes[i]->order, i);
    }
    const Node *c = project_find(&project, "c");
    assert_int_equal(c->input_count, 3);
    assert_string_equal(c->inputs[0]->name, "b");
    assert_string_equal(c->inputs[2]->name, "z");
    assert_int_equal(project_find(&project, "k")->input_count, 0);
    project_clear(&project);
    folder_leave(&folder);
}

static void finds_the_project(void **state)
{
    static const char *const files[][2] = {{"p/sluice.yaml", "name: p\nnmae: x\n"},
                                           {"p/models/deep/er/m.sql", "select 1 as x"}};
    static const struct {
        const char *cwd, *dir, *file;
    } cases[] = {
        {"p", NULL, "sluice.yaml"},   {"p/models/deep", NULL, "../../sluice.yaml"}, {".", "p", "p/sluice.yaml"},
        {".", "p/", "p/sluice.yaml"}, {"p/models", "..", "../sluice.yaml"},         {".", NULL, "sluice.yaml"},
    };
    (void)state;
    TestFolder folder;
    enter_project(&folder, files, COUNT(files));
    for (size_t i = 0; i < COUNT(cases); i++) {
        Project project;
        ERRORS_AUTO(errors);
        assert_int_equal(chdir(cases[i].cwd), 0);
        bool good = project_read(&(ProjectOptions){.dir = cases[i].dir}, &project, &errors);
        assert_string_equal(project.file, cases[i].file);
        assert_int_equal(good, str_eq(cases[i].cwd, ".") && !cases[i].dir);
        if (!good)
            assert_string_equal(errors.items[0].file, cases[i].file);
        project_clear(&project);
        assert_int_equal(chdir(folder.path), 0);
    }
    static const char *const wrong[] = {"none", "p/sluice.yaml", "p/models"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        Project project;
        ERRORS_AUTO(errors);
        assert_false(project_read(&(ProjectOptions){.dir = wrong[i]}, &project, &errors));
        assert_int_equal(errors.count, 1);
        project_clear(&project);
    }
    folder_leave(&folder);
}

static void walks_safely(void **state)
{
    (void)state;
    TestFolder folder;
    Project project;
    ERRORS_AUTO(errors);
    enter_project(&folder, NULL, 0);
    folder_write("models/a/m.sql", "select 1 as x");
    folder_write("models/.hidden/n.sql", "not sql");
    folder_write("models/.#m.sql", "not sql");
    assert_int_equal(symlink("..", "models/a/loop"), 0);
    assert_int_equal(symlink("nowhere", "models/gone.sql"), 0);
    assert_false(project_read(&(ProjectOptions){0}, &project, &errors));
    assert_int_equal(errors.count, 1);
    assert_string_equal(errors.items[0].file, "models/gone.sql");
    assert_int_equal(project.node_count, 1);
    project_clear(&project);
    folder_leave(&folder);
}

/* Names that a file may not have are told; names that only SQL must quote are fine. */
static void takes_odd_names(void **state)
{
    static const char *const files[][2] = {
        {"models/order.sql", "select 1 as \"select\""},
        {"models/\xC3\xBC\x62\x65r-all.sql", "select \"select\" from \"order\""},
        {"models/2nd.sql", "select * from \"\xC3\xBC\x62\x65r-all\""},
    };
    (void)state;
    TestFolder folder;
    Project project;
    enter_project(&folder, files, COUNT(files));
    assert_true(read_project(NULL, NULL, &project));
    assert_string_equal(project.nodes[2]->name, "2nd");
    project_clear(&project);
    folder_leave(&folder);
}

/* Nothing recurses along the graph, and time grows with its size. */
static void takes_a_chain_of_thousands(void **state)
{
    enum { MODELS = 3000 };
    (void)state;
    TestFolder folder;
    Project project;
    enter_project(&folder, NULL, 0);
    for (int i = 0; i < MODELS; i++) {
        char path[64], sql[64];
        snprintf(path, sizeof path, "models/m%d.sql", MODELS - i);
        snprintf(sql, sizeof sql, "select 1 as x from m%d", MODELS - i + 1);
        folder_write(path, i ? sql : "select 1 as x");
    }
    int64_t start = clock_monotonic();
    assert_true(read_project(NULL, NULL, &project));
    int64_t took = clock_monotonic() - start;
    assert_string_equal(project.nodes[0]->name, "m3000");
    assert_string_equal(project.nodes[MODELS - 1]->name, "m1");
    project_clear(&project);
    print_message("%d models in %lld ms\n", MODELS, (long long)(took / 1000));

    folder_write("models/m3000.sql", "select 1 as x from m1"); /* and now a cycle of them all */
    ERRORS_AUTO(errors);
    assert_false(project_read(&(ProjectOptions){0}, &project, &errors));
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.items[0].message, "more"));
    project_clear(&project);
    folder_leave(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_source),
        cmocka_unit_test(reads_a_model),
        cmocka_unit_test(takes_defaults_of_folders),
        cmocka_unit_test(chooses_the_target),
        cmocka_unit_test(hides_passwords),
        cmocka_unit_test(orders_by_needs_then_names),
        cmocka_unit_test(finds_the_project),
        cmocka_unit_test(walks_safely),
        cmocka_unit_test(takes_odd_names),
        cmocka_unit_test(takes_a_chain_of_thousands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
