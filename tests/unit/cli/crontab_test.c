#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/crontab.h"

static void test_line(void **state)
{
    (void)state;
    static const struct {
        const char *program, *dir, *target, *line;
    } cases[] = {
        {"/usr/bin/sluice", "/srv/loans", NULL, "* * * * * /usr/bin/sluice --project /srv/loans run --due"},
        {"/usr/bin/sluice", "/srv/loans", "prod",
         "* * * * * /usr/bin/sluice --project /srv/loans --target prod run --due"},
        {"/my tools/sluice", "/srv/100%", NULL, "* * * * * '/my tools/sluice' --project '/srv/100\\%' run --due"},
        {"/s", "/it's; rm -rf $HOME", "a b",
         "* * * * * /s --project '/it'\\''s; rm -rf $HOME' --target 'a b' run --due"},
        {"/s", "/größe", NULL, "* * * * * /s --project '/größe' run --due"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TEXT_AUTO(line);
        ERROR_AUTO(err);
        assert_true(crontab_line(cases[i].program, cases[i].dir, cases[i].target, &line, &err));
        assert_string_equal(text_str(&line), cases[i].line);
    }
    TEXT_AUTO(line);
    ERROR_AUTO(err);
    assert_false(crontab_line("/s", "/a\n* * * * * evil", NULL, &line, &err));
    assert_int_equal(err.code, ERROR_PROJECT);
}

#define BLOCK(dir, line) "# sluice begin " dir "\n" line "\n# sluice end " dir "\n"

static void test_edit(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new;
    } cases[] = {
        {"", BLOCK("/p", "LINE")},
        {"# mine\n5 4 * * * backup\n", "# mine\n5 4 * * * backup\n" BLOCK("/p", "LINE")},
        {"no end", "no end\n" BLOCK("/p", "LINE")},
        {"a\n" BLOCK("/p", "OLD\nOLDER") "z\n\n", "a\n" BLOCK("/p", "LINE") "z\n\n"},
        {"a\n" BLOCK("/p", "LINE") "z\n", "a\n" BLOCK("/p", "LINE") "z\n"},
        /* another project's, and one whose name begins alike */
        {BLOCK("/p2", "X") BLOCK("/q", "Y"), BLOCK("/p2", "X") BLOCK("/q", "Y") BLOCK("/p", "LINE")},
        /* an end that somebody removed: nobody else's line may go */
        {"# sluice begin /p\n1 1 * * * other\n", BLOCK("/p", "LINE") "1 1 * * * other\n"},
        {" # sluice begin /p\n", " # sluice begin /p\n" BLOCK("/p", "LINE")},
        {"\ta\r\n\n\n", "\ta\r\n\n\n" BLOCK("/p", "LINE")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TEXT_AUTO(out);
        bool changed;
        crontab_edit(cases[i].old, "/p", "LINE", &out, &changed);
        assert_string_equal(text_str(&out), cases[i].new);
        assert_int_equal(changed, !str_eq(cases[i].old, cases[i].new));
        TEXT_AUTO(again);
        crontab_edit(text_str(&out), "/p", "LINE", &again, &changed);
        assert_string_equal(text_str(&again), cases[i].new);
        assert_false(changed);
    }
}

static void test_remove(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new;
    } cases[] = {
        {"", ""},
        {"no end", "no end"},
        {"a\n" BLOCK("/p", "LINE") "z\n\n", "a\nz\n\n"},
        {BLOCK("/p2", "X") BLOCK("/p", "Y"), BLOCK("/p2", "X")},
        {"# sluice begin /p\n1 1 * * * other\n", "1 1 * * * other\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TEXT_AUTO(out);
        bool changed;
        crontab_edit(cases[i].old, "/p", NULL, &out, &changed);
        assert_string_equal(text_str(&out), cases[i].new);
        assert_int_equal(changed, !str_eq(cases[i].old, cases[i].new));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_edit),
        cmocka_unit_test(test_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
