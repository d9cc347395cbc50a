#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/call.h"

enum { WORDS = 12 };

typedef struct Case {
    const char *words[WORDS]; /* after the program's name */
    const char *message;      /* of the error; NULL: none */
    const char *hint;
    const char *command;
    const char *arguments; /* joined with | */
    const char *options;   /* name=value joined with a blank */
} Case;

static const Case cases[] = {
    {{NULL}, NULL, NULL, NULL, "", ""},
    {{"run"}, NULL, NULL, "run", "", ""},
    {{"run", "a", "+b"}, NULL, NULL, "run", "a|+b", ""},
    {{"--project", "x", "run", "--due"}, NULL, NULL, "run", "", "project=x due="},
    {{"--project=x", "run", "-q", "a"}, NULL, NULL, "run", "a", "project=x quiet="},
    {{"--due", "run"}, NULL, NULL, "run", "", "due="},
    {{"run", "-qv"}, NULL, NULL, "run", "", "quiet= verbose="},
    {{"run", "-sa", "-s", "b", "--select=c,d"}, NULL, NULL, "run", "", "select=a select=b select=c,d"},
    {{"run", "-qsa"}, NULL, NULL, "run", "", "quiet= select=a"},
    {{"run", "--", "--due", "-x"}, NULL, NULL, "run", "--due|-x", ""},
    {{"--", "run", "-x"}, NULL, NULL, "run", "-x", ""},
    {{"load", "-"}, NULL, NULL, "load", "-", ""},
    {{"next", "-n", "3", "* * * * *"}, NULL, NULL, "next", "* * * * *", "count=3"},
    {{"next", "-n3", "@daily", "--tz", "Europe/Rome"}, NULL, NULL, "next", "@daily", "count=3 tz=Europe/Rome"},
    {{"next", "@daily", "-n", "-3"}, NULL, NULL, "next", "@daily", "count=-3"},
    {{"help", "--format", "man"}, NULL, NULL, "help", "", "format=man"},
    {{"status", "--format=json"}, NULL, NULL, "status", "", "format=json"},
    {{"verify", "--help"}, NULL, NULL, "verify", "", "help="},
    {{"next", "-h"}, NULL, NULL, "next", "", "help="},
    {{"run", "--failed", "--help"}, NULL, NULL, "run", "", "failed= help="},
    {{"db", "psql", "--", "-c", "select 1"}, NULL, NULL, "db", "psql|-c|select 1", ""},

    {{"rnu"}, "unknown command 'rnu'", "did you mean 'run'?", NULL, NULL, NULL},
    {{"xyzzy"}, "unknown command 'xyzzy'", "'sluice help' lists the commands", NULL, NULL, NULL},
    {{""}, "unknown command ''", "'sluice help' lists the commands", NULL, NULL, NULL},
    {{"a\033[31mb"}, "unknown command 'a\\x1b[31mb'", NULL, NULL, NULL, NULL},
    {{"run", "--deu"}, "unknown option '--deu'", "did you mean '--due'?", NULL, NULL, NULL},
    {{"run", "--sel", "x"}, "unknown option '--sel'", NULL, NULL, NULL, NULL},
    {{"run", "-x"}, "unknown option '-x'", "'sluice help run' lists its options", NULL, NULL, NULL},
    {{"--nope", "run"}, "unknown option '--nope'", "'sluice help' lists the options", NULL, NULL, NULL},
    {{"version", "--due"}, "'version' has no option '--due'", NULL, NULL, NULL, NULL},
    {{"--due", "version"}, "'version' has no option '--due'", NULL, NULL, NULL, NULL},
    {{"validate", "-n", "3"}, "'validate' has no option '--count'", NULL, NULL, NULL, NULL},
    {{"run", "--due=yes"}, "option '--due' takes no value", NULL, NULL, NULL, NULL},
    {{"run", "--project"}, "option '--project' needs DIR", NULL, NULL, NULL, NULL},
    {{"run", "-s"}, "option '-s' needs SELECT", NULL, NULL, NULL, NULL},
    {{"run", "--project="}, "option '--project' needs DIR, not an empty text", NULL, NULL, NULL, NULL},
    {{"run", "--target", "a", "--target", "b"}, "option '--target' was given twice", NULL, NULL, NULL, NULL},
    {{"run", "--color", "maybe"}, "--color: 'maybe' is not auto, always or never", NULL, NULL, NULL, NULL},
    {{"status", "--format", "jso"}, "--format: 'jso' is not text or json", "did you mean 'json'?", NULL, NULL, NULL},
    {{"status", "--format", "man"}, "--format: 'man' is not text or json", NULL, NULL, NULL, NULL},
    {{"scheduler"}, "'scheduler' is not supported yet", NULL, NULL, NULL, NULL},
    {{"serve"}, "'serve' is not supported yet", NULL, NULL, NULL, NULL},
    {{"load"}, "'load' needs FILE [TABLE]", "sluice load FILE [TABLE]", NULL, NULL, NULL},
    {{"load", "a", "b", "c"}, "'load' takes no argument 'c'", "sluice load FILE [TABLE]", NULL, NULL, NULL},
    {{"validate", "x"}, "'validate' takes no argument 'x'", "sluice validate", NULL, NULL, NULL},
    {{"next", "*", "*"}, NULL, NULL, "next", "*|*", ""},
    {{"db", "strat"}, "db: 'strat' is not start, stop, url or psql", "did you mean 'start'?", NULL, NULL, NULL},
    {{"completion", "ksh"}, "completion: 'ksh' is not bash, zsh, fish, nodes or targets", NULL, NULL, NULL, NULL},
};

static void parse(const Case *c, Call *call, bool *ret_good, Error *err)
{
    char program[] = "sluice";
    char *argv[WORDS + 2] = {program};
    int argc = 1;
    for (int i = 0; i < WORDS && c->words[i]; i++)
        argv[argc++] = (char *)(uintptr_t)c->words[i];
    *ret_good = call_parse(argc, argv, call, err);
}

static void check_good(const Case *c, const Call *call)
{
    assert_string_equal(call->command ? call->command->name : "", c->command ? c->command : "");
    TEXT_AUTO(arguments);
    TEXT_AUTO(options);
    for (size_t i = 0; i < call->argument_count; i++)
        text_appendf(&arguments, "%s%s", i ? "|" : "", call->arguments[i]);
    for (size_t i = 0; i < call->option_count; i++)
        text_appendf(&options, "%s%s=%s", i ? " " : "", call->options[i].option->name, call->options[i].value);
    assert_string_equal(text_str(&arguments), c->arguments);
    assert_string_equal(text_str(&options), c->options);
}

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Call call;
        ERROR_AUTO(err);
        bool good;
        parse(&cases[i], &call, &good, &err);
        if (good != !cases[i].message)
            print_error("case %zu: %s\n", i, err.message ? err.message : "no error");
        assert_int_equal(good, !cases[i].message);
        if (good) {
            check_good(&cases[i], &call);
        } else {
            assert_int_equal(err.code, ERROR_PROJECT);
            assert_string_equal(err.message, cases[i].message);
            if (cases[i].hint)
                assert_string_equal(err.hint, cases[i].hint);
        }
        call_clear(&call);
    }
}

static void test_values(void **state)
{
    (void)state;
    const Case c = {{"run", "a", "-s", "b", "c", "--select", "d e", "--threads", "7"}, NULL, NULL, NULL, NULL, NULL};
    Call call;
    ERROR_AUTO(err);
    bool good;
    parse(&c, &call, &good, &err);
    assert_true(good);
    size_t count;
    const char **select = call_select(&call, 0, &count);
    assert_int_equal(count, 4);
    assert_string_equal(select[0], "a");
    assert_string_equal(select[1], "c");
    assert_string_equal(select[2], "b");
    assert_string_equal(select[3], "d e");
    assert_null(select[4]);
    call_select(&call, 1, &count);
    assert_int_equal(count, 3);
    assert_true(call_has(&call, "threads"));
    assert_false(call_has(&call, "due"));
    assert_null(call_value(&call, "target"));
    long n;
    assert_true(call_number(&call, "threads", 1, 7, 1, &n, &err));
    assert_int_equal(n, 7);
    assert_false(call_number(&call, "threads", 1, 6, 1, &n, &err));
    assert_string_equal(err.message, "--threads: '7' is not a number from 1 to 6");
    assert_true(call_number(&call, "count", 1, 6, 4, &n, &err));
    assert_int_equal(n, 4);
    call_clear(&call);
}

static void test_number_refuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x", "1x", " 1", "+1", "0", "11", "99999999999999999999", "1.0", "-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const Case c = {{"runs", "-n", wrong[i]}, NULL, NULL, NULL, NULL, NULL};
        Call call;
        ERROR_AUTO(err);
        bool good;
        long n;
        parse(&c, &call, &good, &err);
        assert_true(good);
        assert_false(call_number(&call, "count", 1, 10, 1, &n, &err));
        call_clear(&call);
    }
}

/* A word is parsed before the command is known, so an option takes an argument everywhere or nowhere. */
static void test_options_agree(void **state)
{
    (void)state;
    for (const Command *c = commands; c->name; c++) {
        for (const Option *const *o = c->options; o && *o; o++) {
            const Option *first = command_option(NULL, (*o)->name, '\0');
            assert_int_equal(first->argument != NULL, (*o)->argument != NULL);
            assert_int_equal(first->letter, (*o)->letter);
            if ((*o)->letter)
                assert_string_equal(command_option(NULL, NULL, (*o)->letter)->name, (*o)->name);
            for (const Option *const *g = global_options; *g; g++)
                assert_string_not_equal((*g)->name, (*o)->name);
        }
        for (const Command *d = c + 1; d->name; d++)
            assert_string_not_equal(c->name, d->name);
        assert_int_not_equal(c->summary[0], '\0');
        assert_int_not_equal(c->summary[strlen(c->summary) - 1], '.');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_number_refuses),
        cmocka_unit_test(test_options_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
