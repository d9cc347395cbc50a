#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

static void utf8_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n, want;
    } rows[] = {
        {"a", 1, 1},
        {"\xc3\xa4", 2, 2},
        {"\xe2\x82\xac", 3, 3},
        {"\xf0\x9f\x98\x80", 4, 4},
        {"", 0, 0},
        {"\x80", 1, 0},
        {"\xc0\x80", 2, 0},
        {"\xc1\xbf", 2, 0},
        {"\xe0\x80\x80", 3, 0},
        {"\xed\xa0\x80", 3, 0},
        {"\xf0\x80\x80\x80", 4, 0},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xe2\x82", 2, 0},
        {"\xe2\x28\xa1", 3, 0},
        {"\xff", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(utf8_len(rows[i].bytes, rows[i].n), rows[i].want);
}

static void shows_what_cannot_be_printed(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n, max;
        const char *want;
    } rows[] = {
        {"plain", 5, 10, "plain"},
        {"a\nb\tc\x7f", 6, 10, "a\\x0ab\\x09c\\x7f"},
        {"\xc3\xa4\xff", 3, 10, "\xc3\xa4\\xff"},
        {"abcdef", 6, 3, "abc..."},
        {"\0x", 2, 5, "\\x00x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TEXT_AUTO(out);
        text_append_shown(&out, rows[i].bytes, rows[i].n, rows[i].max);
        assert_string_equal(text_str(&out), rows[i].want);
    }
}

static void nearest_words(void **state)
{
    (void)state;
    static const char *const words[] = {"schedule", "schema", "table", "materialized", "checks"};
    static const struct {
        const char *word, *want;
    } rows[] = {
        {"shedule", "schedule"}, {"schmea", "schema"}, {"tabel", "table"}, {"materialised", "materialized"},
        {"check", "checks"},     {"xyz", NULL},        {"", NULL},         {"tables", "table"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = nearest(rows[i].word, words, 5);
        assert_true(str_eq(got, rows[i].want));
    }
    char longer[100];
    memset(longer, 'a', sizeof longer - 1);
    longer[99] = '\0';
    assert_null(nearest(longer, words, 5));
}

static void civil_days_there_and_back(void **state)
{
    (void)state;
    assert_int_equal(days_from_civil(1970, 1, 1), 0);
    assert_int_equal(days_from_civil(2000, 3, 1), 11017);
    assert_int_equal(days_from_civil(0, 2, 29), -719469);
    for (int64_t day = -1000000; day <= 3000000; day += 37) {
        int64_t year;
        int month, of_month;
        civil_from_days(day, &year, &month, &of_month);
        assert_in_range(month, 1, 12);
        assert_in_range(of_month, 1, 31);
        assert_int_equal(days_from_civil(year, month, of_month), day);
    }
}

static int an_hour_and_a_half_back(Instant instant)
{
    (void)instant;
    return -90;
}

static void times_as_text(void **state)
{
    (void)state;
    char text[CLOCK_TEXT];
    clock_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    clock_format_exact(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
    clock_set_offset(an_hour_and_a_half_back);
    clock_format(1769840100000000, text);
    assert_string_equal(text, "2026-01-31T04:45:00-01:30");
    clock_set_offset(NULL);
}

static void json_is_escaped_and_separated(void **state)
{
    (void)state;
    TEXT_AUTO(out);
    Json json = {.out = &out};
    json_object(&json);
    json_key(&json, "a\"b");
    json_array(&json);
    json_string(&json, "x\n\\\x01\xc3\xa4\xff");
    json_int(&json, INT64_MIN);
    json_raw(&json, "true");
    json_string(&json, NULL);
    json_end(&json);
    json_key(&json, "c");
    json_object(&json);
    json_end(&json);
    json_end(&json);
    assert_string_equal(text_str(&out),
                        "{\"a\\\"b\":[\"x\\n\\\\\\u0001\xc3\xa4\\ufffd\",-9223372036854775808,true,null],"
                        "\"c\":{}}");
}

static void errors_take_a_prefix(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    assert_false(error_prefix(&err, "column %s: ", "a")); /* nothing is set */
    assert_null(err.message);
    assert_false(error_prefix(NULL, "column %s: ", "a"));
    TEXT_AUTO(place);
    error_place_text(&err, &place);
    assert_int_equal(place.len, 0);
    error_at(&err, ERROR_FAILED, "a\tb.csv", 3, 0, "no number");
    error_hint(&err, "what to do");
    strcpy(err.sqlstate, "22P02");
    error_prefix(&err, "column %s: ", "a");
    assert_string_equal(err.message, "column a: no number");
    assert_string_equal(err.hint, "what to do");
    assert_string_equal(err.sqlstate, "22P02");
    error_place_text(&err, &place);
    assert_string_equal(text_str(&place), "a\\x09b.csv:3");
    error_place(&err, "b", 3, 7);
    text_reset(&place);
    error_place_text(&err, &place);
    assert_string_equal(text_str(&place), "b:3:7");
}

static void errors_have_place_detail_and_hint(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    assert_false(error_at(&err, ERROR_PROJECT, "a.sql", 3, 7, "no %s", "table"));
    error_detail(&err, "detail");
    error_hint(&err, "hint");
    char *text = error_text(&err);
    assert_string_equal(text, "a.sql:3:7: no table\ndetail: detail\nhint: hint");
    free(text);
    /* an argument may be part of the error that is replaced */
    error_set(&err, ERROR_FAILED, "because %s", err.message);
    assert_string_equal(err.message, "because no table");
    assert_null(err.hint);
    ERROR_AUTO(other);
    error_move(&other, &err);
    assert_null(err.message);
    assert_int_equal(other.code, ERROR_FAILED);
    assert_false(error_set(NULL, ERROR_FAILED, "nobody listens"));
}

static void errors_are_sorted_and_bounded(void **state)
{
    (void)state;
    ERRORS_AUTO(errors);
    errors_report(&errors, "b", 1, 1, NULL, "3");
    errors_report(&errors, "a", 2, 1, NULL, "2");
    errors_report(&errors, "a", 1, 9, NULL, "1");
    errors_report(&errors, "a", 1, 9, NULL, "1b");
    errors_sort(&errors);
    assert_string_equal(errors.items[0].message, "1");
    assert_string_equal(errors.items[1].message, "1b");
    assert_string_equal(errors.items[2].message, "2");
    assert_string_equal(errors.items[3].message, "3");
    for (int i = 0; i < ERRORS_MAX; i++)
        errors_report(&errors, "a", 1, 1, NULL, "more");
    assert_int_equal(errors.count, ERRORS_MAX);
    assert_int_equal(errors.dropped, 4);
}

static void arena_gives_separate_zeroed_memory(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena);
    char *blocks[300];
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = arena_alloc(&arena, i * 37 + 1);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t j = 0; j <= i * 37; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)i, i * 37 + 1);
    }
    for (size_t i = 0; i < 300; i++)
        assert_int_equal((unsigned char)blocks[i][i * 37], (unsigned char)i);
    assert_string_equal(arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    assert_string_equal(arena_strndup(&arena, "abc", 2), "ab");
    arena_clear(&arena);
}

static void numbers_at_the_start(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        {"16\n", 16},      {" 7 (Debian)", 7},
        {"15.4", 15},      {"2147483647", INT_MAX},
        {"2147483648", 0}, {"99999999999999999999999", 0},
        {"-3", 0},         {"0", 0},
        {"", 0},           {"main", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_number(rows[i].text) != rows[i].want)
            fail_msg("'%s' gives %d, not %d", rows[i].text, str_number(rows[i].text), rows[i].want);
}

static void quotes_are_doubled(void **state)
{
    (void)state;
    TEXT_AUTO(text);
    text_append_quoted(&text, "a\"b'c", '"');
    text_append_quoted(&text, "a\"b'c", '\'');
    text_append_quoted(&text, "", '"');
    text_append_quoted(&text, "\"", '"');
    assert_string_equal(text_str(&text), "\"a\"\"b'c\"'a\"b''c'\"\"\"\"\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_lengths),
        cmocka_unit_test(shows_what_cannot_be_printed),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(numbers_at_the_start),
        cmocka_unit_test(quotes_are_doubled),
        cmocka_unit_test(civil_days_there_and_back),
        cmocka_unit_test(times_as_text),
        cmocka_unit_test(json_is_escaped_and_separated),
        cmocka_unit_test(errors_take_a_prefix),
        cmocka_unit_test(errors_have_place_detail_and_hint),
        cmocka_unit_test(errors_are_sorted_and_bounded),
        cmocka_unit_test(arena_gives_separate_zeroed_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
