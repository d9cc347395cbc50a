#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

static void tells_a_process_that_is_gone(void **state)
{
    (void)state;
    TEXT_AUTO(self);
    process_identity(&self);
    assert_false(process_is_gone(text_str(&self)));
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        TEXT_AUTO(identity);
        process_identity(&identity);
        _exit(write(ends[1], identity.data, identity.len) == (ssize_t)identity.len ? 0 : 1);
    }
    close(ends[1]);
    char buffer[256] = "";
    assert_true(read(ends[0], buffer, sizeof buffer - 1) > 0);
    siginfo_t info; /* the child has ended, and stays to be asked for */
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_true(process_is_gone(buffer));
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(process_is_gone(buffer));
    /* a pid that was given again has another start time */
    TEXT_AUTO(recycled);
    text_append_n(&recycled, text_str(&self), (size_t)(strrchr(text_str(&self), '/') - text_str(&self)));
    text_append(&recycled, "/1");
    assert_true(process_is_gone(text_str(&recycled)));
}

static void says_nothing_of_other_machines(void **state)
{
    (void)state;
    assert_false(process_is_gone("another-boot/4026531836/1/1"));
    assert_false(process_is_gone(""));
}

static void says_nothing_of_what_it_cannot_see(void **state)
{
    (void)state;
    TEXT_AUTO(self);
    process_identity(&self);
    const char *space = strchr(text_str(&self), '/');
    TEXT_AUTO(recycled); /* seen to be gone, as long as files can be opened */
    text_append_n(&recycled, text_str(&self), (size_t)(strrchr(text_str(&self), '/') - text_str(&self)));
    text_append(&recycled, "/1");
    TEXT_AUTO(bootless);
    text_appendf(&bootless, "%.*s/1073741823/1", (int)strcspn(space + 1, "/") + 1, space);
    TEXT_AUTO(undated);
    text_append_n(&undated, recycled.data, recycled.len - 1);
    struct rlimit files, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    none = (struct rlimit){0, files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool gone = process_is_gone(text_str(&self)) || process_is_gone(text_str(&recycled)) ||
                process_is_gone(text_str(&bootless));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_false(gone);
    assert_true(process_is_gone(text_str(&recycled)));
    assert_false(process_is_gone(text_str(&undated))); /* written where it could not see its own start */
}

static void files_whole_or_not_at_all(void **state)
{
    (void)state;
    char dir[] = "/tmp/file-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    TEXT_AUTO(path);
    text_appendf(&path, "%s/a/b/c.txt", dir);
    TEXT_AUTO(deep);
    text_appendf(&deep, "%s/a/b", dir);
    ERROR_AUTO(err);
    TEXT_AUTO(parent);
    text_appendf(&parent, "%s/a", dir);
    assert_true(mkdir(text_str(&parent), 0755) == 0 && mkdir(text_str(&deep), 0755) == 0);
    assert_true(file_write(text_str(&path), "hello", 5, 0600, &err));
    char *data;
    size_t len;
    assert_true(file_read(text_str(&path), 5, &data, &len, &err));
    assert_string_equal(data, "hello");
    free(data);
    assert_false(file_read(text_str(&path), 4, &data, &len, &err));
    assert_non_null(strstr(err.message, "larger than 4 bytes"));
    assert_false(file_read(text_str(&deep), 100, &data, &len, &err));
    assert_non_null(strstr(err.message, "a directory"));
    assert_false(file_read("/dev/null", 100, &data, &len, &err));
    assert_false(file_read("/nowhere", 100, &data, &len, &err));
    assert_string_equal(err.file, "/nowhere");
    assert_false(file_write("/nowhere/x", "a", 1, 0600, &err));
    assert_true(file_exists(text_str(&path)) && !dir_exists(text_str(&path)) && dir_exists(text_str(&deep)));
    TEXT_AUTO(command);
    text_appendf(&command, "rm -r %s", dir);
    assert_int_equal(system(text_str(&command)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_process_that_is_gone),
        cmocka_unit_test(says_nothing_of_other_machines),
        cmocka_unit_test(says_nothing_of_what_it_cannot_see),
        cmocka_unit_test(files_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
