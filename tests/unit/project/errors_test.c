/* Every error and warning that a project's files can give, from data/errors.txt:
 *     ## what it is about
 *     --- path of a file
 *     its text
 *     => what is printed; `ok` where that is nothing
 * Without a sluice.yaml there is one that gives a name. */
#include "folder.h"
#include "project/project.h"

static const char *const file = "tests/unit/project/data/errors.txt";

static void tell(const char *before, const Errors *errors, Text *out)
{
    for (size_t i = 0; i < errors->count; i++) {
        char *shown CLEANUP(mem_free_p) = error_text(&errors->items[i]);
        text_appendf(out, "%s%s\n", before, shown);
    }
}

/* Reads the project of the working directory, and gives all it says. */
static char *read_report(void)
{
    Project project;
    ERRORS_AUTO(errors);
    Text text = {0};
    bool good = project_read(&(ProjectOptions){0}, &project, &errors);
    assert_int_equal(good, errors.count == 0);
    tell("", &errors, &text);
    tell("warning: ", &project.unread, &text);
    tell("warning: ", &project.warnings, &text);
    if (text.len == 0)
        text_append(&text, "ok\n");
    project_clear(&project);
    return text_steal(&text);
}

/* Writes a case's files; what is expected is left in *expected. */
static void write_case(char *text, Text *expected)
{
    TEXT_AUTO(content);
    const char *path = NULL;
    folder_write("sluice.yaml", "name: test\n");
    /* What the sources of most cases load: a file that is not there is a warning, and a case of its own. */
    folder_write("a.csv", "a\n");
    folder_write("x.csv", "a\n");
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        bool is_file = str_starts(line, "--- ") && strchr(line + 4, '.');
        if (path && (is_file || str_starts(line, "=> ") || !next)) {
            folder_write(path, text_str(&content));
            text_reset(&content);
            path = NULL;
        }
        if (is_file)
            path = line + 4;
        else if (str_starts(line, "=> "))
            text_appendf(expected, "%s\n", line + 3);
        else if (path)
            text_appendf(&content, "%s\n", line);
    }
}

static void run_case(char *text, int *failed)
{
    TEXT_AUTO(expected);
    TestFolder folder;
    char *body = strchr(text, '\n') + 1;
    body[-1] = '\0';
    folder_enter(&folder);
    write_case(body, &expected);
    char *found CLEANUP(mem_free_p) = read_report();
    folder_leave(&folder);
    if (!str_eq(found, text_str(&expected))) {
        print_error("%s\nexpected:\n%sfound:\n%s\n", text, text_str(&expected), found);
        (*failed)++;
    }
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    char *data CLEANUP(mem_free_p) = NULL;
    size_t length;
    int count = 0, failed = 0;
    ERROR_AUTO(err);
    unsetenv("SLUICE_TEST_UNSET");
    unsetenv("SLUICE_TARGET");
    assert_true(file_read(file, 1 << 20, &data, &length, &err));
    char *at = data;
    assert_true(str_starts(at, "## "));
    while (at) {
        char *next = strstr(at, "\n## ");
        if (next)
            *next++ = '\0';
        run_case(at + 3, &failed);
        at = next;
        count++;
    }
    print_message("%d cases\n", count);
    assert_true(count >= 80);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_is_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
