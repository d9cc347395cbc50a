#include "csv/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void finds_the_delimiter_of_the_header_line(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        char delimiter;
    } CASES[] = {
        {"a,b,c\n", ','},
        {"a;b;c\n1,5;2,5;3,5\n", ';'},
        {"a\tb\n", '\t'},
        {"a|b\n", '|'},
        {"one\n1;2\n", ','},
        {"a;b,c\n", ','},
        {"a;b;c,d\n", ';'},
        {"\"x;y;z\",b\n", ','},
        {"\"a \"\"q;;;\"\"\",b\n", ','},
        {"\"two\n;;;lines\",b\n", ','},
        {"it's 5\" wide;b;c\n", ';'},
        {"\r\n\n;a;b\n", ';'},
        {"a|b\r1,2,3\r", '|'},
        {"", ','},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        ERROR_AUTO(err);
        CsvDialect dialect = {0};
        assert_true(csv_dialect_detect(CASES[i].head, strlen(CASES[i].head), "f", &dialect, &err));
        assert_int_equal(dialect.delimiter, CASES[i].delimiter);
        assert_int_equal(dialect.quote, '"');
        assert_int_equal(dialect.bom_size, 0);
    }
}

static void reads_a_delimiter_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char delimiter; /* 0: refused */
    } CASES[] = {{",", ','}, {"tab", '\t'}, {"\\t", '\t'}, {"\t", '\t'}, {"|", '|'}, {"~", '~'},     {"", 0},
                 {"\"", 0},  {"a", 0},      {"7", 0},      {"\n", 0},    {",,", 0},  {"\xC2\xA6", 0}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        ERROR_AUTO(err);
        char delimiter = 0;
        assert_int_equal(csv_delimiter_of(CASES[i].text, &delimiter, &err), CASES[i].delimiter != 0);
        assert_int_equal(delimiter, CASES[i].delimiter);
        assert_int_equal(err.code, CASES[i].delimiter ? ERROR_NONE : ERROR_PROJECT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_delimiter_of_the_header_line),
        cmocka_unit_test(reads_a_delimiter_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
