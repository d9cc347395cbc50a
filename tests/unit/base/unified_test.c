#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/unified.h"

static void shows_hunks(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *want;
    } rows[] = {
        {"", "", ""},
        {"a\nb\n", "a\nb\n", ""},
        {"a\nb", "a\nb\n", ""},
        {"", "a\n", "@@ -0,0 +1 @@\n+a\n"},
        {"a\n", "", "@@ -1 +0,0 @@\n-a\n"},
        {"a", "b", "@@ -1 +1 @@\n-a\n+b\n"},
        {"a\nb\nc\n", "a\nc\n", "@@ -1,3 +1,2 @@\n a\n-b\n c\n"},
        {"a\nc\n", "a\n\nc\n", "@@ -1,2 +1,3 @@\n a\n+\n c\n"},
        {"a \n", "a\n", "@@ -1 +1 @@\n-a \n+a\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
         "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
        {"x\n1\n2\n3\n4\n5\n6\ny\n", "1\n2\n3\n4\n5\n6\n", "@@ -1,8 +1,6 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n"},
        {"x\n1\n2\n3\n4\n5\n6\n7\ny\n", "1\n2\n3\n4\n5\n6\n7\n",
         "@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-y\n"},
        {"a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", "@@ -1,7 +1,6 @@\n-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TEXT_AUTO(out);
        assert_true(unified_diff((UnifiedSide){rows[i].from, 1}, (UnifiedSide){rows[i].to, 1}, &out));
        assert_string_equal(text_str(&out), rows[i].want);
    }
}

static void counts_lines_from_where_it_is_told(void **state)
{
    (void)state;
    TEXT_AUTO(out);
    assert_true(unified_diff((UnifiedSide){"a\nb\n", 1}, (UnifiedSide){"a\nc\nd\n", 12}, &out));
    assert_string_equal(text_str(&out), "@@ -1,2 +12,3 @@\n a\n-b\n+c\n+d\n");
}

/* Puts the lines of one side back together, and counts the changed ones. */
static void side_of(const char *diff, char mark, Text *ret_text, int *ret_changed)
{
    *ret_changed = 0;
    for (const char *s = diff; *s;) {
        size_t length = strcspn(s, "\n") + 1;
        if (*s == ' ' || *s == mark)
            text_append_n(ret_text, s + 1, length - 1);
        *ret_changed += *s == '-' || *s == '+';
        s += length;
    }
}

/* Length of the longest common subsequence of two texts of one-letter lines. */
static int common(const char *a, const char *b)
{
    enum { MOST = 32 };
    int best[MOST][MOST] = {0};
    int n = (int)strlen(a) / 2, m = (int)strlen(b) / 2;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            int alike = a[2 * i - 2] == b[2 * j - 2] ? best[i - 1][j - 1] + 1 : 0;
            int other = best[i - 1][j] > best[i][j - 1] ? best[i - 1][j] : best[i][j - 1];
            best[i][j] = alike > other ? alike : other;
        }
    return best[n][m];
}

static void random_lines(char ret[64])
{
    int n = rand() % 7; /* so few that all of them are in one hunk */
    for (int i = 0; i < n; i++) {
        *ret++ = (char)('a' + rand() % 3);
        *ret++ = '\n';
    }
    *ret = '\0';
}

static void is_right_and_shortest(void **state)
{
    (void)state;
    srand(7);
    for (int i = 0; i < 20000; i++) {
        char from[64], to[64];
        random_lines(from);
        random_lines(to);
        TEXT_AUTO(out);
        assert_true(unified_diff((UnifiedSide){from, 1}, (UnifiedSide){to, 1}, &out));
        if (strcmp(from, to) == 0) {
            assert_string_equal(text_str(&out), "");
            continue;
        }
        TEXT_AUTO(old);
        TEXT_AUTO(new);
        int changed;
        const char *hunk = strchr(text_str(&out), '\n') + 1;
        assert_null(strchr(hunk, '@'));
        side_of(hunk, '-', &old, &changed);
        side_of(hunk, '+', &new, &changed);
        assert_non_null(strstr(from, text_str(&old)));
        assert_non_null(strstr(to, text_str(&new)));
        assert_int_equal(changed, ((int)strlen(from) + (int)strlen(to)) / 2 - 2 * common(from, to));
    }
}

static void many_lines(int count, int every, const char *other, Text *ret)
{
    for (int i = 0; i < count; i++)
        text_appendf(ret, "%d%s\n", i, i % every == 0 ? other : "");
}

static void is_bounded(void **state)
{
    (void)state;
    static const struct {
        int lines, every;
        bool want;
    } rows[] = {
        {UNIFIED_LINES_MAX, UNIFIED_LINES_MAX, true},
        {UNIFIED_LINES_MAX + 1, UNIFIED_LINES_MAX, false},
        {2000, 4, true}, /* 500 lines gone, 500 added */
        {2000, 3, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TEXT_AUTO(from);
        TEXT_AUTO(to);
        TEXT_AUTO(out);
        many_lines(rows[i].lines, rows[i].every, "", &from);
        many_lines(rows[i].lines, rows[i].every, "x", &to);
        assert_int_equal(unified_diff((UnifiedSide){text_str(&from), 1}, (UnifiedSide){text_str(&to), 1}, &out),
                         rows[i].want);
        assert_int_equal(out.len > 0, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_hunks),
        cmocka_unit_test(counts_lines_from_where_it_is_told),
        cmocka_unit_test(is_right_and_shortest),
        cmocka_unit_test(is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
