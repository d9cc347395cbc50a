#include "base/log.h"
#include "folder.h"
#include "project/duration.h"
#include "project/environment.h"

static const char dotenv[] = "# comment\n"
                             "\n"
                             "PLAIN=one two   # comment\n"
                             "export EXPORTED=yes\r\n"
                             "SINGLE='a \"b\" $c #d'\n"
                             "DOUBLE=\"a\\n\\\"b\\\" \\$c\" # comment\n"
                             "EMPTY=\n"
                             "  SPACED = no\n"
                             "HASH=a#b\n"
                             "TWICE=first\n"
                             "TWICE=second\n"
                             "WINS=from file\n"
                             "DB_PASSWORD=hunter2x\n";

static void fills_in(void **state)
{
    static const struct {
        const char *text, *expected; /* NULL: an error */
        int column;
    } cases[] = {
        {"plain", "plain", 0},
        {"$PLAIN ${ $", NULL, 8},
        {"${PLAIN}!", "one two!", 0},
        {"${EXPORTED}${EXPORTED}", "yesyes", 0},
        {"${SINGLE}", "a \"b\" $c #d", 0},
        {"${DOUBLE}", "a\n\"b\" $c", 0},
        {"[${EMPTY}]", "[]", 0},
        {"${EMPTY:-x}", "x", 0},
        {"${NONE:-}", "", 0},
        {"${NONE:-a:b -c}", "a:b -c", 0},
        {"${HASH}", "a#b", 0},
        {"${TWICE}", "second", 0},
        {"${WINS}", "from environment", 0},
        {"$${PLAIN} $$${PLAIN}", "${PLAIN} $${PLAIN}", 0},
        {"a ${NONE}", NULL, 3},
        {"\xC3\xA9 ${NONE}", NULL, 3},
        {"${}", NULL, 1},
        {"${1A}", NULL, 1},
        {"${A-b}", NULL, 1},
        {"${PLAIN", NULL, 1},
        {"${file:secret}", "s3cret", 0},
        {"x${file:crlf}y", "xvaluey", 0},
        {"${file:}", NULL, 1},
        {"${file:none}", NULL, 1},
        {"${file:.}", NULL, 1},
        {"${file:zero}", NULL, 1},
        {"${file:large}", NULL, 1},
        {"${NESTED}", "${PLAIN}", 0}, /* what was filled in is not looked at again */
    };
    (void)state;
    Arena arena;
    TestFolder folder;
    ERRORS_AUTO(errors);
    arena_init(&arena);
    folder_enter(&folder);
    folder_write(".env", dotenv);
    folder_write("secret", "s3cret\n");
    folder_write("crlf", "value\r\n");
    folder_write_n("zero", "a\0b", 3);
    char *large CLEANUP(mem_free_p) = mem_alloc(ENVIRONMENT_FILE_MAX + 1);
    memset(large, 'x', ENVIRONMENT_FILE_MAX + 1);
    folder_write_n("large", large, ENVIRONMENT_FILE_MAX + 1);
    setenv("WINS", "from environment", 1);
    setenv("NESTED", "${PLAIN}", 1);
    Environment env = {&arena, folder.path, {.arena = &arena}};
    environment_read(&env, ".env", &errors);
    assert_int_equal(errors.count, 1); /* SPACED */
    assert_int_equal(errors.items[0].line, 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        const char *found = NULL;
        bool good = environment_expand(&env, "key", cases[i].text, false, &found, &err);
        assert_int_equal(good, cases[i].expected != NULL);
        if (good)
            assert_string_equal(found, cases[i].expected);
        else
            assert_int_equal(err.column, cases[i].column);
    }
    folder_leave(&folder);
    arena_clear(&arena);
}

static void hides_secrets(void **state)
{
    static const struct {
        const char *name, *value, *text;
        bool url, hidden;
    } cases[] = {
        {"X_PASSWORD", "pass-one", "${X_PASSWORD}", false, true},
        {"x_token", "token-two", "${x_token}", false, true},
        {"X_SORT_KEY", "key-three", "${X_SORT_KEY}", false, false},
        {"X_API_KEY", "key-four", "${X_API_KEY}", true, true},
        {"X_URL", "url-five", "${X_URL}", true, true},
        {"X_NAME", "name-six", "${X_NAME}", true, false},
        {"X_UNUSED", "file-seven", "${file:seven}", false, true},
    };
    (void)state;
    Arena arena;
    TestFolder folder;
    arena_init(&arena);
    folder_enter(&folder);
    folder_write("seven", "file-seven\n");
    Environment env = {&arena, folder.path, {.arena = &arena}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        const char *found = NULL;
        setenv(cases[i].name, cases[i].value, 1);
        assert_true(environment_expand(&env, "key", cases[i].text, cases[i].url, &found, &err));
        assert_string_equal(found, cases[i].value);
        char *shown CLEANUP(mem_free_p) = log_redacted(cases[i].value);
        assert_string_equal(shown, cases[i].hidden ? "***" : cases[i].value);
    }
    folder_leave(&folder);
    arena_clear(&arena);
}

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: an error */
    } cases[] = {
        {"7 days", 604800},
        {"1 day", 86400},
        {"24 hours", 86400},
        {"30 minutes", 1800},
        {"2 weeks", 1209600},
        {"0 days", 0},
        {"1 day 12 hours", 129600},
        {"90seconds", 90},
        {" 5 minutes ", 300},
        {"1 month", -1},
        {"2 years", -1},
        {"7", -1},
        {"days", -1},
        {"-1 day", -1},
        {"1.5 days", -1},
        {"7 dayss", -1},
        {"7 Days", -1},
        {"", -1},
        {"366000 days", 31622400000},
        {"366001 days", -1},
        {"99999999999999999999 seconds", -1},
        {"366000 days 1 second", -1},
        {"1 day and 2 hours", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO(err);
        int64_t found = -1;
        bool good = duration_parse(cases[i].text, &found, &err);
        assert_int_equal(good, cases[i].seconds >= 0);
        if (good)
            assert_int_equal(found, cases[i].seconds * 1000000);
        else
            assert_non_null(err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in),
        cmocka_unit_test(hides_secrets),
        cmocka_unit_test(reads_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
