#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "build/fixture.h"
#include "cli/choice.h"
#include "cli/marked.h"
#include "cli/session.h"
#include "project/test_file.h"
#include "run/target.h"

typedef struct Testing {
    const Project *project;
    Conn *conn;
    size_t passed, failed;
    bool as_json;
    Json json;
    Text out;
} Testing;

static void testing_clear(Testing *t)
{
    conn_close(t->conn);
    text_clear(&t->out);
}

static void print_result(const Test *test, const FixtureResult *result)
{
    TEXT_AUTO(name);
    text_append_shown(&name, test->name, strlen(test->name), 200);
    printf("%s  %s:%d:%d: %s (%s)\n", result->passed ? "PASS" : "FAIL", test->place.file, test->place.line,
           test->place.column, text_str(&name), test->model->name);
    MarkedRow rows[FIXTURE_SHOWN_MAX];
    for (size_t i = 0; i < result->count; i++)
        rows[i] = (MarkedRow){result->rows[i].got ? '+' : '-', result->rows[i].values};
    marked_print(result->columns.items, result->columns.count, rows, result->count, stdout);
    if (result->more)
        puts("  and more");
    if (result->count)
        puts("  - expected  + got");
}

static void json_result(Testing *t, const Test *test, const FixtureResult *result, const Error *failure)
{
    Json *json = &t->json;
    json_object(json);
    json_key(json, "name");
    json_string(json, test->name);
    json_key(json, "model");
    json_string(json, test->model->name);
    json_key(json, "file");
    json_string(json, test->place.file);
    json_key(json, "line");
    json_int(json, test->place.line);
    json_key(json, "passed");
    json_raw(json, result->passed ? "true" : "false");
    json_key(json, "error");
    char *text CLEANUP(mem_free_p) = failure ? error_text(failure) : NULL;
    marked_json_text(text, json);
    for (int got = 0; got < 2; got++) {
        json_key(json, got ? "unexpected" : "missing");
        json_array(json);
        for (size_t i = 0; i < result->count; i++)
            if (result->rows[i].got == got)
                marked_json(result->columns.items, result->columns.count, result->rows[i].values, json);
        json_end(json);
    }
    json_end(json);
}

/* A test whose statement fails is a test that failed; the others are run all the same. */
static bool run_test(Testing *t, const Test *test, Error *err)
{
    Arena arena;
    arena_init(&arena);
    FixtureResult result;
    bool good = fixture_run(t->conn, t->project, test, &arena, &result, err);
    bool broken = !good && (err->code == ERROR_FAILED || err->code == ERROR_PROJECT);
    if (good || broken) {
        t->passed += result.passed;
        t->failed += !result.passed;
        if (t->as_json)
            json_result(t, test, &result, broken ? err : NULL);
        else
            print_result(test, &result);
        fflush(stdout);
    }
    if (broken && !t->as_json)
        log_failure(err);
    if (broken) {
        error_clear(err);
        good = true;
    }
    arena_clear(&arena);
    return good;
}

static bool run_tests(Testing *t, const Tests *tests, const Selection *selection, Error *err)
{
    bool good = true;
    json_array(&t->json);
    for (size_t i = 0; i < tests->count && good; i++) {
        const Test *test = &tests->items[i];
        if (test->broken || !selection->chosen[test->model->order])
            continue;
        good = (t->conn || target_connect(t->project, &t->conn, err)) && run_test(t, test, err);
    }
    json_end(&t->json);
    return good;
}

/* Those that are wrong keep nobody from running the others. */
static int outcome(const Testing *t, bool wrong)
{
    return wrong && t->passed + t->failed == 0 ? 2 : wrong || t->failed > 0;
}

static int test(Call *call, const Project *project, const Tests *tests, bool wrong)
{
    ERROR_AUTO(err);
    Selection selection;
    if (!choice_make(call, project, &selection, &err))
        return call_failed(&err);
    Testing t CLEANUP(testing_clear) = {.project = project};
    t.as_json = str_eq(call_value(call, "format"), "json");
    t.json = (Json){.out = &t.out};
    bool good = run_tests(&t, tests, &selection, &err);
    if (t.as_json && good)
        puts(text_str(&t.out));
    if (!good)
        return call_failed(&err);
    if (tests->count == 0)
        log_info("there are no tests%s: they stand in tests/*.yaml", wrong ? " that can be run" : "");
    else if (!t.as_json)
        printf("%zu passed, %zu failed\n", t.passed, t.failed);
    return outcome(&t, wrong);
}

int cmd_test(Call *call)
{
    Project project;
    ERRORS_AUTO(errors);
    Tests tests;
    int status = 2;
    if (session_project(call, SESSION_WHOLE, &project)) {
        bool right = tests_read(&project, &errors, &tests);
        if (!right)
            call_failed_project(&errors);
        status = test(call, &project, &tests, !right);
    }
    project_clear(&project);
    return status;
}
