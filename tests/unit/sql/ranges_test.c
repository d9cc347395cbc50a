/* Sets of half-open intervals, against a plain set of numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/ranges.h"

static uint32_t random_state = 1;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static void assert_well_formed(const Ranges *ranges)
{
    assert_true(ranges->count <= RANGES_MAX);
    for (size_t i = 0; i < ranges->count; i++) {
        assert_true(ranges->items[i].from < ranges->items[i].to);
        if (i)
            assert_true(ranges->items[i - 1].to < ranges->items[i].from);
    }
}

static void small_sets_are_exact(void **state)
{
    (void)state;
    enum { SPAN = 100 };
    for (int round = 0; round < 2000; round++) {
        bool a[SPAN] = {0}, b[SPAN] = {0};
        Ranges x = {0}, y = {0};
        for (uint32_t i = next_random(12); i > 0; i--) {
            bool second = next_random(2) == 1;
            uint32_t from = next_random(SPAN), to = next_random(SPAN);
            ranges_add(second ? &y : &x, from, to);
            for (uint32_t v = from; v < to; v++)
                (second ? b : a)[v] = true;
        }
        assert_well_formed(&x);
        Ranges either = x, both = x;
        ranges_union(&either, &y);
        ranges_intersect(&both, &y);
        assert_well_formed(&either);
        assert_well_formed(&both);
        bool overlap = false;
        for (int v = 0; v < SPAN; v++) {
            assert_int_equal(ranges_contain(&x, v), a[v]);
            assert_int_equal(ranges_contain(&either, v), a[v] || b[v]);
            assert_int_equal(ranges_contain(&both, v), a[v] && b[v]);
            overlap = overlap || (a[v] && b[v]);
        }
        assert_int_equal(ranges_overlap(&x, &y), overlap);
    }
}

static void the_smallest_gaps_are_closed_first(void **state)
{
    (void)state;
    Ranges ranges = {0};
    for (int64_t i = 0; i < RANGES_MAX; i++)
        ranges_add(&ranges, i * 100, i * 100 + 10);
    ranges_add(&ranges, 1015, 1020); /* 5 after [1000, 1010) */
    assert_int_equal(ranges.count, RANGES_MAX);
    assert_well_formed(&ranges);
    assert_true(ranges_contain(&ranges, 1012));
    assert_false(ranges_contain(&ranges, 1050));
    ranges_limit(&ranges, 3);
    assert_int_equal(ranges.count, 3);
    assert_int_equal(ranges_hull(&ranges).from, 0);
    assert_int_equal(ranges_hull(&ranges).to, (RANGES_MAX - 1) * 100 + 10);
    ranges_limit(&ranges, 0);
    assert_int_equal(ranges.count, 1);
}

static void what_overflows_the_set_is_still_in_it(void **state)
{
    (void)state;
    Ranges ranges = {0}, other = {0};
    int64_t values[400];
    for (size_t i = 0; i < 400; i++) {
        values[i] = (int64_t)next_random(1000000) - 500000;
        ranges_add(i % 2 ? &ranges : &other, values[i], values[i] + 1);
    }
    ranges_union(&ranges, &other);
    assert_well_formed(&ranges);
    for (size_t i = 0; i < 400; i++)
        assert_true(ranges_contain(&ranges, values[i]));
}

static void the_ends_are_members(void **state)
{
    (void)state;
    Ranges ranges = {0};
    ranges_add(&ranges, INT64_MIN, 0);
    assert_int_equal(ranges.items[0].from, RANGES_LOW);
    ranges_add(&ranges, 0, RANGES_END);
    assert_true(ranges_is_all(&ranges));
    assert_true(ranges_contain(&ranges, RANGES_LOW));
    assert_true(ranges_contain(&ranges, RANGES_HIGH));
    ranges_clear(&ranges);
    ranges_add(&ranges, RANGES_HIGH, RANGES_END);
    assert_int_equal(ranges.count, 1);
    assert_false(ranges_is_all(&ranges));
    ranges_add(&ranges, RANGES_LOW, RANGES_LOW + 1);
    ranges_limit(&ranges, 1); /* a gap wider than int64 counts */
    assert_true(ranges_is_all(&ranges));
    assert_int_equal(ranges_hull(&(Ranges){0}).to, 0);
}

static void sums_stay_within(void **state)
{
    (void)state;
    static const struct {
        int64_t value, amount, sum;
    } cases[] = {
        {1, 2, 3},
        {RANGES_LOW, 5, RANGES_LOW},
        {RANGES_HIGH, -5, RANGES_HIGH},
        {RANGES_END, -5, RANGES_END},
        {INT64_MIN, 5, INT64_MIN},
        {RANGES_HIGH - 1, 5, RANGES_HIGH},
        {RANGES_LOW + 1, -5, RANGES_LOW},
        {100, INT64_MAX, RANGES_HIGH},
        {-100, INT64_MIN, RANGES_LOW},
        {RANGES_HIGH - 1, 1, RANGES_HIGH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ranges_plus(cases[i].value, cases[i].amount), cases[i].sum);
}

static void touched_sets_join(void **state)
{
    (void)state;
    Touched a = {0}, b = {.nulls = true};
    assert_true(touched_nothing(&a));
    assert_false(touched_nothing(&b));
    ranges_add(&b.ranges, 1, 2);
    touched_union(&a, &b);
    assert_true(a.nulls && !a.everything && a.ranges.count == 1);
    touched_union(&a, &(Touched){.everything = true});
    assert_true(a.everything);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_sets_are_exact),
        cmocka_unit_test(the_smallest_gaps_are_closed_first),
        cmocka_unit_test(what_overflows_the_set_is_still_in_it),
        cmocka_unit_test(the_ends_are_members),
        cmocka_unit_test(sums_stay_within),
        cmocka_unit_test(touched_sets_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
