#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Secrets last as long as the program: those of one test must not stand in another's texts. */

typedef struct Shown {
    const char *text, *expected;
} Shown;

static void expect(const Shown *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *shown = log_redacted(rows[i].text);
        assert_string_equal(shown, rows[i].expected);
        free(shown);
    }
}

static void without_secrets(void **state)
{
    (void)state;
    static const Shown rows[] = {{"", ""}, {"all of it", "all of it"}};
    expect(rows, COUNT(rows));
}

static void plain_values(void **state)
{
    (void)state;
    log_secret("hunter2");
    log_secret("hunter2-and-more");
    log_secret("ter2-over");
    log_secret("abc"); /* too short to be blotted out everywhere */
    log_secret(NULL);
    log_secret("");
    static const Shown rows[] = {
        {"url hunter2-and-more, hunter2, hunter, abc", "url ***, ***, hunter, abc"},
        {"hunter2hunter2", "******"},
        {"a hunter2-over b", "a *** b"}, /* two that overlap */
    };
    expect(rows, COUNT(rows));
}

static void lines_of_one_value(void **state)
{
    (void)state;
    log_secret("-----BEGIN-----\r\n  MIIEvq1  \n\nxyz\n   \nlast=line\n");
    static const Shown rows[] = {
        {"a MIIEvq1 b", "a *** b"},     {"  last=line|", "  ***|"},     {"xyz ", "xyz "}, /* 3 bytes */
        {"\n\n   \r\n", "\n\n   \r\n"}, {"<-----BEGIN----->", "<***>"},
    };
    expect(rows, COUNT(rows));
}

static void cut_values(void **state)
{
    (void)state;
    log_secret("tok0123456789");
    log_secret("dots.567.x.end");
    log_secret("cut\x01quote\"and more");
    static const Shown rows[] = {
        {"'tok0123456...'", "'***...'"},
        {"tok01234...", "***..."},
        {"tok0123...", "tok0123..."}, /* 7 bytes */
        {"tok012345", "tok012345"},   /* not cut: other text */
        {"tok0123456789...", "***..."},
        {"dots.567....", "***..."},
        {"dots.567...", "***..."},
        {"cut\\x01quo...", "***..."},
        {"\"cut\\u0001quote\\\"...\"", "\"***...\""},
    };
    expect(rows, COUNT(rows));
}

static void escaped_values(void **state)
{
    (void)state;
    log_secret("q\"uo\\te\ttab");
    log_secret("bytes\xff!");
    log_secret("two \"x\"\nlines \"y\"");
    static const Shown rows[] = {
        {"q\"uo\\te\ttab", "***"},
        {"{\"a\": \"q\\\"uo\\\\te\\ttab\"}", "{\"a\": \"***\"}"},
        {"q\"uo\\te\\x09tab", "***"},
        {"bytes\\xff!", "***"},
        {"two \"x\"\\x0alines \"y\"", "***"},
        {"'two \\\"x\\\"\\nlines \\\"y\\\"'", "'***'"},
        {"only lines \\\"y\\\"", "only ***"},
    };
    expect(rows, COUNT(rows));
}

static void values_within_sql(void **state)
{
    (void)state;
    log_secret("it's a tok\\en");
    log_secret("the \"name\"");
    static const Shown rows[] = {
        {"select E'it''s a tok\\\\en'", "select E'***'"},
        {"select 'it''s a tok\\en'", "select '***'"},
        {"select 1 as \"the \"\"name\"\"\"", "select 1 as \"***\""},
    };
    expect(rows, COUNT(rows));
}

static void passwords_of_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool clear;
        Shown rows[6];
    } cases[] = {
        {"postgresql://u:pw%40one@host1/d", true, {{"pw@one pw%40one host1", "*** *** host1"}}},
        {"postgresql://u:wx?yz#12345@host2/d", true, {{"wx?yz#12345", "***"}, {"#12345", "#***"}, {"host2", "host2"}}},
        {"postgresql://postgres:p@ss/w@rd#SECRET77@127.0.0.1:5/t",
         false,
         {{"p@ss/w@rd#SECRET77", "***"},
          {"host \"ss\", database w@rd#SECRET77@127.0.0.1:5/t", "host \"ss\", database ***@127.0.0.1:5/t"},
          {"SECRET77", "***"},
          {"postgres", "postgres"}}},
        {"postgresql://u:ab@cdefg@host3/d", false, {{"host cdefg@host3", "host ***@host3"}}},
        {"postgresql://u:pa/5678x:y@host4/d", false, {{"port 5678x", "port ***"}}},
        {"postgresql://u:simple55@host5/base5?user=a@b",
         true,
         {{"simple55 host5/base5?user=a@b", "*** host5/base5?user=a@b"}}},
        {"postgresql://host6:5439/base6?user=me@azure",
         true,
         {{"host6:5439/base6?user=me@azure", "host6:5439/base6?user=me@azure"}}},
        {"postgresql://[::1]:5438/base7", true, {{"[::1]:5438/base7", "[::1]:5438/base7"}}},
        {"postgresql://u:${PGPW}@host8/base8", true, {{"${PGPW}", "${PGPW}"}}},
        {"postgresql://h/d?user=u&password=pw-two&x=y", true, {{"pw-two&x=y", "***&x=y"}}},
        {"host=h password=pw-three user=u9", true, {{"pw-three user=u9", "*** user=u9"}}},
        {"host=h password = 'pw \\'four\\'' user=u9", true, {{"pw 'four'", "***"}, {"pw \\'four\\'", "***"}}},
        {"host=h password=pw\\ five user=u9", true, {{"pw five user=u9", "*** user=u9"}}},
        {"host=h user=u9", true, {{"host=h user=u9", "host=h user=u9"}}},
        {"", true, {{"", ""}}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (log_secret_url(cases[i].url) != cases[i].clear)
            fail_msg("%s is %s", cases[i].url, cases[i].clear ? "unclear" : "clear");
        for (size_t j = 0; j < COUNT(cases[i].rows) && cases[i].rows[j].text; j++)
            expect(&cases[i].rows[j], 1);
    }
}

/* What log_failure() and log_error() write, without the times. */
static char *written(bool json, const Error *err, const char *message)
{
    char name[] = "/tmp/log_test-XXXXXX";
    int fd = mkstemp(name), kept = dup(STDERR_FILENO);
    assert_true(fd >= 0 && kept >= 0);
    unlink(name);
    dup2(fd, STDERR_FILENO);
    log_setup(LOG_INFO, json, LOG_COLOR_NEVER);
    if (err)
        log_failure(err);
    else
        log_error("%s", message);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    char *text = calloc(1, 4096);
    assert_non_null(text);
    assert_true(pread(fd, text, 4095, 0) >= 0);
    close(fd);
    return text;
}

static void expect_after(const char *text, const char *mark, const char *expected)
{
    const char *at = strstr(text, mark);
    assert_non_null(at);
    assert_string_equal(at, expected);
}

/* A secret that is a key of the log's own JSON, and one that would break it when blotted out afterwards. */
static void lines_stay_whole(void **state)
{
    (void)state;
    log_secret("message");
    log_secret("level");
    log_secret("\",\"hint\":");
    log_secret("line one\nline two");
    ERROR_AUTO(err);
    error_at(&err, ERROR_PROJECT, "sluice.yaml", 3, 4, "this message is \"x\", line one\nline two");
    error_hint(&err, "level it");
    char *text = written(true, &err, NULL);
    expect_after(text, "\"level\"",
                 "\"level\":\"error\",\"message\":\"this *** is \\\"x\\\", ***\",\"file\":\"sluice.yaml\",\"line\":3,"
                 "\"column\":4,\"hint\":\"*** it\"}\n");
    free(text);
    text = written(false, &err, NULL);
    assert_string_equal(text, "sluice.yaml:3:4: this *** is \"x\", ***\nhint: *** it\n");
    free(text);
    text = written(true, NULL, "a message");
    expect_after(text, "\"level\"", "\"level\":\"error\",\"message\":\"a ***\"}\n");
    free(text);
    text = written(false, NULL, "a message");
    expect_after(text, "error", "error a ***\n");
    free(text);
}

/* Many lines leave room for whole values; past the bound nothing is kept, and nothing breaks. */
static void bounded(void **state)
{
    (void)state;
    TEXT_AUTO(value);
    for (int file = 0; file < 8; file++) {
        text_reset(&value);
        for (int i = 0; i < 100; i++)
            text_appendf(&value, "file-%d-%03d\n", file, i);
        log_secret(text_str(&value));
    }
    log_secret("after many lines");
    static const Shown rows[] = {{"after many lines", "***"}, {"file-0-001", "***"}, {"file-0-099", "file-0-099"}};
    expect(rows, COUNT(rows));
    for (int i = 0; i < 1000; i++) {
        text_reset(&value);
        text_appendf(&value, "value %03d", i);
        log_secret(text_str(&value));
    }
    static const Shown after[] = {{"value 001", "***"}, {"value 999", "value 999"}};
    expect(after, COUNT(after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_secrets),   cmocka_unit_test(plain_values),     cmocka_unit_test(lines_of_one_value),
        cmocka_unit_test(cut_values),        cmocka_unit_test(escaped_values),   cmocka_unit_test(values_within_sql),
        cmocka_unit_test(passwords_of_urls), cmocka_unit_test(lines_stay_whole), cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
