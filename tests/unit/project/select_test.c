#include "folder.h"
#include "project/select.h"

/*  loans -> clean -> daily -> report
 *  rates ----------> daily,   rates -> rated     lone          */
static const char *const files[][2] = {
    {"sluice.yaml", "name: x\n"},
    {"sources/loans.yaml", "tags: [raw]\n"},
    {"sources/rates.yaml", "tags: [raw, daily]\n"},
    {"models/staging/clean.sql", "-- ---\n-- tags: [daily]\n-- ---\nselect 1 as x from loans"},
    {"models/marts/daily.sql", "select 1 as x from clean, rates"},
    {"models/marts/report.sql", "select 1 as x from daily"},
    {"models/marts/rated.sql", "select 1 as x from rates"},
    {"models/lone.sql", "select 1 as x"},
};

static const struct {
    const char *expressions[3];
    const char *expected; /* in order; those named with a ! */
    const char *hint;     /* expected is NULL: the error's hint, or "" */
} cases[] = {
    {{"daily"}, "daily!", NULL},
    {{"daily report"}, "daily! report!", NULL},
    {{"daily", "lone"}, "lone! daily!", NULL},
    {{"+daily"}, "loans clean rates daily!", NULL},
    {{"1+daily"}, "clean rates daily!", NULL},
    {{"0+daily"}, "daily!", NULL},
    {{"2+report"}, "clean rates daily report!", NULL},
    {{"clean+"}, "clean! daily report", NULL},
    {{"clean+1"}, "clean! daily", NULL},
    {{"+clean+"}, "loans clean! daily report", NULL},
    {{"1+daily+1"}, "clean rates daily! report", NULL},
    {{"@clean"}, "loans clean! rates daily report", NULL},
    {{"+lone"}, "lone!", NULL},
    {{"tag:daily"}, "clean! rates!", NULL},
    {{"tag:raw"}, "loans! rates!", NULL},
    {{"tag:raw,tag:daily"}, "rates!", NULL},
    {{"+report,tag:daily"}, "clean! rates!", NULL},
    {{"+report,+rated"}, "rates", NULL},
    {{"lone,daily"}, "", NULL},
    {{"tag:daily+"}, "clean! rates! daily rated report", NULL},
    {{"source:loans"}, "loans!", NULL},
    {{"source:*"}, "loans! rates!", NULL},
    {{"source:rates+1"}, "rates! daily rated", NULL},
    {{"path:models/marts"}, "daily! rated! report!", NULL},
    {{"path:models/marts/"}, "daily! rated! report!", NULL},
    {{"path:./models/marts/rated.sql"}, "rated!", NULL},
    {{"path:models/mar*"}, "daily! rated! report!", NULL},
    {{"ra*"}, "rates! rated!", NULL},
    {{"*"}, "lone! loans! clean! rates! daily! rated! report!", NULL},
    {{"999999999999+report"}, "loans clean rates daily report!", NULL},
    {{"dayly"}, NULL, "did you mean 'daily'?"},
    {{"+reprt"}, NULL, "did you mean 'report'?"},
    {{"zzzzzzzz"}, NULL, ""},
    {{"zz*"}, NULL, ""},
    {{"tag:dayly"}, NULL, "did you mean 'daily'?"},
    {{"tags:daily"}, NULL, "did you mean 'tag:'?"},
    {{"source:daily"}, NULL, ""},
    {{"source:loan"}, NULL, "did you mean 'loans'?"},
    {{"path:models/mart/daily.sql"}, NULL, "did you mean 'models/marts/daily.sql'?"},
    {{""}, NULL, ""},
    {{"  "}, NULL, ""},
    {{"+"}, NULL, ""},
    {{"@"}, NULL, ""},
    {{"tag:"}, NULL, ""},
    {{"daily,"}, NULL, ""},
    {{",daily"}, NULL, ""},
    {{"@daily+"}, NULL, ""},
    {{"++daily"}, NULL, ""},
    {{"daily++"}, NULL, ""},
    {{"a+b"}, NULL, ""},
};

static void show(const Project *project, const Selection *selection, Text *out)
{
    size_t count = 0;
    for (size_t i = 0; i < project->node_count; i++)
        if (selection->chosen[i]) {
            text_appendf(out, "%s%s%s", out->len ? " " : "", project->nodes[i]->name, selection->named[i] ? "!" : "");
            count++;
        }
    assert_int_equal(count, selection->count);
}

static int compare_words(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The same words, in whatever order. */
static bool same_words(const char *a, const char *b)
{
    char copy[2][256], *words[2][16];
    size_t count[2] = {0};
    for (int side = 0; side < 2; side++) {
        char *save = NULL;
        snprintf(copy[side], sizeof copy[side], "%s", side ? b : a);
        for (char *w = strtok_r(copy[side], " ", &save); w; w = strtok_r(NULL, " ", &save))
            words[side][count[side]++] = w;
        qsort(words[side], count[side], sizeof(char *), compare_words);
    }
    if (count[0] != count[1])
        return false;
    for (size_t i = 0; i < count[0]; i++)
        if (!str_eq(words[0][i], words[1][i]))
            return false;
    return true;
}

static void try_case(const Project *project, size_t i)
{
    Arena arena;
    Selection selection;
    ERROR_AUTO(err);
    TEXT_AUTO(found);
    size_t n = 0;
    while (cases[i].expressions[n])
        n++;
    arena_init(&arena);
    bool good = select_nodes(project, cases[i].expressions, n, &arena, &selection, &err);
    if (good != (cases[i].expected != NULL))
        fail_msg("%s: %s", cases[i].expressions[0], good ? "no error" : err.message);
    if (good) {
        show(project, &selection, &found);
        if (!same_words(text_str(&found), cases[i].expected))
            fail_msg("%s: expected %s, found %s", cases[i].expressions[0], cases[i].expected, text_str(&found));
    } else {
        assert_int_equal(err.code, ERROR_PROJECT);
        assert_string_equal(err.hint ? err.hint : "", cases[i].hint);
    }
    arena_clear(&arena);
}

static void selects(void **state)
{
    (void)state;
    TestFolder folder;
    Project project;
    ERRORS_AUTO(errors);
    unsetenv("SLUICE_TARGET");
    folder_enter(&folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        folder_write(files[i][0], files[i][1]);
    assert_true(project_read(&(ProjectOptions){0}, &project, &errors));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        try_case(&project, i);

    Arena arena;
    Selection all;
    arena_init(&arena);
    assert_true(select_nodes(&project, NULL, 0, &arena, &all, NULL));
    assert_int_equal(all.count, project.node_count);
    for (size_t i = 0; i < project.node_count; i++)
        assert_false(all.named[i]);
    arena_clear(&arena);
    ERROR_AUTO(err);
    assert_false(project_unknown(&project, "lons", &err));
    assert_string_equal(err.hint, "did you mean 'loans'?");
    project_clear(&project);
    folder_leave(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(selects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
