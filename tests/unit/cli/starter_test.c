#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/starter.h"

#define X60 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *headers[4];
        const char *names[4]; /* NULL: an error */
        const char *exact[4]; /* header: of the column, or NULL */
    } cases[] = {
        {{"a", "B c", "Default (as of 2023-05-09)"}, {"a", "b_c", "default"}, {NULL}},
        {{"x (1)", "x (2)"}, {"x", "x_2"}, {"x (1)", "x (2)"}},
        {{"x_2", "x (1)", "x (2)"}, {"x_2", "x", "x_3"}, {NULL, "x (1)", "x (2)"}},
        {{"", "a"}, {"column_1", "a"}, {"", NULL}},
        {{"***"}, {"column_1"}, {"***"}},
        {{"*", "a (*)", "a (x)"}, {"column_1", "a", "a_2"}, {"*", "a (*)", "a (x)"}},
        {{" %(x) ", "xmin"}, {"column_1", "xmin_"}, {"%(x)", "xmin"}},
        {{"größe", "日本"}, {"größe", "日本"}, {NULL}},
        {{"ÉTÉ €", "été (b)"}, {"été", "été_2"}, {"ÉTÉ €", "été (b)"}},
        {{X60 "aÄ日"}, {X60 "aä"}, {X60 "aÄ日"}},
        {{X60 "abÄ"}, {X60 "ab"}, {X60 "abÄ"}},
        {{X60 "1234", X60 "1235"}, {X60 "123", X60 "1_2"}, {X60 "1234", X60 "1235"}},
        {{X60 "ab日本"}, {X60 "ab"}, {X60 "ab日本"}},
        {{"a", "a"}, {NULL}, {NULL}},
        {{"", ""}, {NULL}, {NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena;
        arena_init(&arena);
        Starter starter = {.arena = &arena};
        ERROR_AUTO(err);
        size_t n = 0;
        while (n < 4 && cases[i].headers[n])
            n++;
        bool good = starter_names(&starter, cases[i].headers, n, "x.csv", &err);
        if (good != (cases[i].names[0] != NULL))
            print_error("case %zu: %s\n", i, err.message ? err.message : "no error");
        assert_int_equal(good, cases[i].names[0] != NULL);
        if (!good)
            assert_int_equal(err.code, ERROR_PROJECT);
        for (size_t j = 0; good && j < n; j++) {
            assert_string_equal(starter.columns[j].name, cases[i].names[j]);
            assert_true(strlen(starter.columns[j].name) <= 63);
            assert_int_equal(starter.columns[j].header != NULL, cases[i].exact[j] != NULL);
            if (cases[i].exact[j])
                assert_string_equal(starter.columns[j].header, cases[i].exact[j]);
        }
        arena_clear(&arena);
    }
}

static void expect(void (*quote)(const char *, Text *), const char *in, const char *out)
{
    TEXT_AUTO(text);
    quote(in, &text);
    assert_string_equal(text_str(&text), out);
}

static void test_quoting(void **state)
{
    (void)state;
    expect(starter_sql_name, "loans", "loans");
    expect(starter_sql_name, "default", "\"default\"");
    expect(starter_sql_name, "order", "\"order\"");
    expect(starter_sql_name, "values", "\"values\"");
    expect(starter_sql_name, "2nd", "\"2nd\"");
    expect(starter_sql_name, "a\"; drop", "\"a\"\"; drop\"");
    expect(starter_sql_name, "größe", "\"größe\"");
    expect(starter_yaml_text, "loans", "loans");
    expect(starter_yaml_text, "yes", "\"yes\"");
    expect(starter_yaml_text, "data/a-b 2.csv", "data/a-b 2.csv");
    expect(starter_yaml_text, "Null", "\"Null\"");
    expect(starter_yaml_text, "a ", "\"a \"");
    expect(starter_yaml_text, "", "\"\"");
    expect(starter_yaml_text, "12", "\"12\"");
    expect(starter_yaml_text, "a: b # c", "\"a: b # c\"");
    expect(starter_yaml_text, "a\n\"b\\", "\"a\\x0A\\\"b\\\\\"");
    expect(starter_yaml_text, "a${B}$", "\"a$${B}$\"");
    expect(starter_yaml_text, "DD/MM/YYYY", "DD/MM/YYYY");
    expect(starter_yaml_text, "DD.MM.YYYY HH24:MI", "\"DD.MM.YYYY HH24:MI\"");
    expect(starter_yaml_text, "größe €\u00A0日本😀", "\"größe €\u00A0日本😀\"");
    expect(starter_yaml_text, "a\xC2\x85\xC2\x9F\u2028\u2029\uFEFF\uFFFF",
           "\"a\\x85\\x9F\\u2028\\u2029\\uFEFF\\uFFFF\"");
}

static void test_name(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name;
    } cases[] = {{"/a/b/Orders 2024.csv", "orders_2024"},
                 {"x.CSV", "x"},
                 {"/a/.csv", "csv"},
                 {"/a/---", "data"},
                 {"pg_x", "my_pg_x"},
                 {"/", "data"},
                 {"Report (final).csv", "report"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena;
        arena_init(&arena);
        assert_string_equal(starter_name(&arena, cases[i].path, "data"), cases[i].name);
        assert_true(strlen(starter_name(&arena, X60 X60 ".csv", "data")) == 50);
        arena_clear(&arena);
    }
}

static void test_source(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena);
    static StarterColumn columns[] = {
        {.name = "id", .type = "integer"},
        {.name = "day", .type = "date", .format = "DD/MM/YYYY"},
        {.name = "at", .type = "timestamp", .format = "DD.MM.YYYY HH24:MI", .header = "At (local)"},
        {.name = "due", .type = "text", .remark = "dates, but which?"},
        {.name = "größe", .type = "text", .remark = "numbers", .header = "Größe (a)"},
    };
    Starter starter = {.arena = &arena, .table = "t", .csv = "t.csv", .columns = columns, .column_count = 5};
    TEXT_AUTO(text);
    starter_source_file(&starter, &text);
    const char *at = strstr(text_str(&text), "columns:\n");
    assert_non_null(at);
    assert_string_equal(at, "columns:\n"
                            "  id: integer\n"
                            "  day: {type: date, format: DD/MM/YYYY}\n"
                            "  at: {type: timestamp, format: \"DD.MM.YYYY HH24:MI\", header: \"At (local)\"}\n"
                            "  # dates, but which?\n"
                            "  due: text\n"
                            "  # numbers\n"
                            "  \"größe\": {type: text, header: \"Größe (a)\"}\n");
    assert_string_equal(starter_model_name(&starter), "t_per_day");
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
