/* Spans of time as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "sql/interval.h"
#include "sql/parse.h"
#include "sql/ranges.h"

static void words_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t months, days, seconds;
    } cases[] = {
        {"7 days", true, 0, 7, 0},
        {" 1 day ", true, 0, 1, 0},
        {"7days", true, 0, 7, 0},
        {"2 Weeks", true, 0, 14, 0},
        {"1 month 2 days 3 hours", true, 1, 2, 10800},
        {"1 year 1 mon", true, 13, 0, 0},
        {"36:00", true, 0, 0, 129600},
        {"1 day 01:02:03", true, 0, 1, 3723},
        {"90 minutes", true, 0, 0, 5400},
        {"86400 seconds", true, 0, 0, 86400},
        {"0 days", true, 0, 0, 0},
        {"-7 days", false, 0, 0, 0},
        {"7 days ago", false, 0, 0, 0},
        {"1.5 days", false, 0, 0, 0},
        {"P1D", false, 0, 0, 0},
        {"7", false, 0, 0, 0},
        {"days", false, 0, 0, 0},
        {"1 fortnight", false, 0, 0, 0},
        {"01:60", false, 0, 0, 0},
        {"1 day-1 hour", false, 0, 0, 0},
        {"99999999999 days", false, 0, 0, 0},
        {"9000000 years", false, 0, 0, 0},
        {"", false, 0, 0, 0},
        {"infinity", false, 0, 0, 0},
        {"1 day 1 day 1 day 1 day 1 day 1 day 1 day 1 day 1 day", false, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Interval interval;
        assert_int_equal(interval_parse(cases[i].text, &interval), cases[i].good);
        if (!cases[i].good)
            continue;
        assert_int_equal(interval.months, cases[i].months);
        assert_int_equal(interval.days, cases[i].days);
        assert_int_equal(interval.microseconds, cases[i].seconds * 1000000);
    }
}

static void literals_of_any_form(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool good;
        int64_t months, days;
    } cases[] = {
        {"select interval '7 days'", true, 0, 7},
        {"select '7 days'::interval", true, 0, 7},
        {"select cast('1 month' as pg_catalog.interval)", true, 1, 0},
        {"select interval '7' day", true, 0, 7},
        {"select interval '2' year", true, 24, 0},
        {"select interval '7 days' day", false, 0, 0},
        {"select interval '1-2' year to month", false, 0, 0},
        {"select interval(0) '7 days'", false, 0, 0},
        {"select '7 days'::other.interval", false, 0, 0},
        {"select '7 days'::interval[]", false, 0, 0},
        {"select '7 days'::text", false, 0, 0},
        {"select 7::interval", false, 0, 0},
        {"select x::interval", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlTree tree;
        Interval interval = {0};
        assert_true(sql_parse(&arena, cases[i].sql, &tree, NULL));
        const SqlNode *value = sql_node_get(sql_node_list(tree.statements[0].node, "targetList").items[0], "val");
        if (interval_literal(value, &interval, NULL) != cases[i].good)
            fail_msg("%s", cases[i].sql);
        if (cases[i].good) {
            assert_int_equal(interval.months, cases[i].months);
            assert_int_equal(interval.days, cases[i].days);
        }
        arena_clear(&arena);
    }
}

static void spans_hold_every_calendar(void **state)
{
    (void)state;
    int64_t least, most, hour = RANGES_DAY / 24;
    interval_span(&(Interval){.days = 7}, false, &least, &most);
    assert_true(least == 7 * RANGES_DAY && most == 7 * RANGES_DAY);
    interval_span(&(Interval){.days = 7}, true, &least, &most);
    assert_true(least == 7 * RANGES_DAY - 26 * hour && most == 7 * RANGES_DAY + 26 * hour);
    interval_span(&(Interval){.microseconds = 5}, true, &least, &most);
    assert_true(least == 5 && most == 5);
    interval_span(&(Interval){.months = 2}, false, &least, &most);
    assert_true(least == 53 * RANGES_DAY && most == 65 * RANGES_DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_read),
        cmocka_unit_test(literals_of_any_form),
        cmocka_unit_test(spans_hold_every_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
