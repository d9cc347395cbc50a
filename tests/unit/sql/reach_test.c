/* The parts of reach: steps either way, places, texts of views, and the decision. The shapes of queries are in
 * reach_shapes_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../data/reach/catalog.h"
#include "base/text.h"
#include "sql/reach.h"
#include "sql/reach_analysis.h"

static uint64_t random_state = 88172645463325252u;

static int64_t next_random(int64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)(random_state % (uint64_t)below);
}

static Touched point(int64_t value)
{
    Touched touched = {0};
    ranges_add(&touched.ranges, value, value + 1);
    return touched;
}

/* The two functions are one relation, seen from its two sides. */
static void touched_is_the_inverse_of_needed(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        ReachStep step = {.kind = next_random(2) ? STEP_SHIFT : STEP_ROUND, .unit = (TimeUnit)next_random(11)};
        step.lo = next_random(8) ? (next_random(21) - 10) * RANGES_DAY : REACH_PAST;
        step.hi = next_random(8) ? step.lo + next_random(10) * RANGES_DAY : REACH_FUTURE;
        if (step.lo == REACH_PAST && step.hi != REACH_FUTURE)
            step.hi = next_random(10) * RANGES_DAY;
        step.nulls = next_random(2) ? NULLS_NONE : NULLS_ALONE;
        int64_t u = (next_random(40000) - 20000) * RANGES_DAY / 2, v = u + (next_random(60) - 30) * RANGES_DAY / 2;
        Touched needed = point(u), touched = point(v);
        reach_step_needed(&step, &needed);
        reach_step_touched(&step, &touched);
        assert_int_equal(ranges_contain(&needed.ranges, v), ranges_contain(&touched.ranges, u));
        if (step.kind == STEP_ROUND)
            assert_true(ranges_contain(&needed.ranges, u));
    }
}

static void units_begin_where_postgresql_says(void **state)
{
    (void)state;
    /* days from 2000-01-01 */
    static const struct {
        int64_t day;
        TimeUnit unit;
        int64_t from, to;
    } cases[] = {
        {8775, UNIT_MONTH, 8766, 8797}, /* 2024-01-10 */
        {8775, UNIT_WEEK, 8773, 8780},  /* Monday 2024-01-08 */
        {8773, UNIT_WEEK, 8773, 8780},
        {8772, UNIT_WEEK, 8766, 8773},
        {8825, UNIT_MONTH, 8797, 8826}, /* 2024-02-29 */
        {8825, UNIT_QUARTER, 8766, 8857},
        {8825, UNIT_YEAR, 8766, 9132},
        {8825, UNIT_DECADE, 7305, 10958},    /* 2020 to 2030 */
        {0, UNIT_CENTURY, -36159, 366},      /* 1901 to 2001 */
        {366, UNIT_CENTURY, 366, 36890},     /* 2001 */
        {366, UNIT_MILLENNIUM, 366, 365608}, /* 2001 to 3001 */
        {-1, UNIT_YEAR, -365, 0},
        {-1, UNIT_MONTH, -31, 0},
        {-1, UNIT_DAY, -1, 0},
        {-5, UNIT_WEEK, -5, 2},
        {-6, UNIT_WEEK, -12, -5},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ReachStep step = {.kind = STEP_ROUND, .unit = cases[i].unit};
        Touched touched = point(cases[i].day * RANGES_DAY);
        reach_step_needed(&step, &touched);
        assert_int_equal(touched.ranges.items[0].from, cases[i].from * RANGES_DAY);
        assert_int_equal(touched.ranges.items[0].to, cases[i].to * RANGES_DAY);
    }
    for (TimeUnit unit = UNIT_SECOND; unit <= UNIT_MILLENNIUM; unit++) { /* the far ends do not overflow */
        static const int64_t ends[] = {RANGES_LOW, RANGES_LOW + 1, RANGES_HIGH - 1, RANGES_HIGH};
        for (size_t i = 0; i < COUNT(ends); i++) {
            ReachStep step = {.kind = STEP_ROUND, .unit = unit};
            Touched touched = point(ends[i]);
            reach_step_needed(&step, &touched);
            assert_true(ranges_contain(&touched.ranges, ends[i]));
        }
    }
}

/* Which values of a null row's neighbours count hangs on the side it sorts to. */
static void nulls_of_windows_sort_to_one_side(void **state)
{
    (void)state;
    ReachStep last = {.lo = REACH_PAST, .nulls = NULLS_WINDOW, .nulls_see_times = true};
    Touched touched = point(5), needed = {.nulls = true};
    reach_step_touched(&last, &touched);
    assert_true(touched.nulls && ranges_contain(&touched.ranges, RANGES_HIGH) && !ranges_contain(&touched.ranges, 4));
    reach_step_needed(&last, &needed);
    assert_true(ranges_is_all(&needed.ranges));
    ReachStep first = {.lo = REACH_PAST, .nulls = NULLS_WINDOW, .times_see_nulls = true};
    touched = (Touched){.nulls = true};
    reach_step_touched(&first, &touched);
    assert_true(ranges_is_all(&touched.ranges));
    touched = point(5);
    reach_step_touched(&first, &touched);
    assert_false(touched.nulls);
    needed = point(5);
    reach_step_needed(&first, &needed);
    assert_true(needed.nulls);
}

typedef struct Look {
    Arena arena;
    SqlTree views[COUNT(reach_views)], tree;
    SqlReach reach;
} Look;

static void look_at(Look *look, const char *sql, const char *time_column)
{
    *look = (Look){0};
    assert_true(reach_catalog_fill(&look->arena, look->views));
    assert_true(sql_parse(&look->arena, sql, &look->tree, NULL));
    ReachQuery query = {.tree = &look->tree, .file = "models/m.sql", .lines_before = 5, .time_column = time_column};
    sql_reach(&look->arena, &query, &reach_catalog, &look->reach);
}

static void places_are_those_of_the_file(void **state)
{
    (void)state;
    Look look;
    look_at(&look, "select day,\n       now() as n\n  from orders", NULL);
    assert_true(look.reach.full && look.reach.volatile_result);
    assert_string_equal(look.reach.why_full.file, "models/m.sql");
    assert_int_equal(look.reach.why_full.line, 7);
    assert_int_equal(look.reach.why_full.column, 8);
    assert_int_equal(look.reach.input_count, 1);
    assert_int_equal(look.reach.inputs[0].line, 8);
    assert_int_equal(look.reach.inputs[0].column, 8);
    arena_clear(&look.arena);
}

static void a_view_is_a_text_of_its_own(void **state)
{
    (void)state;
    Look look;
    look_at(&look, "select a.day, b.amount\n  from rolling a join rolling b on b.day = a.day", NULL);
    const SqlReach *reach = &look.reach;
    assert_false(reach->full);
    assert_string_equal(reach->time_column, "day");
    assert_int_equal(reach->time_type, SQL_TIME_DATE);
    assert_int_equal(reach->text_count, 3);
    assert_int_equal(reach->input_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const ReachInput *input = &reach->inputs[i];
        assert_int_equal(input->text, i + 1);
        assert_int_equal(reach->texts[i + 1].parent, 0);
        assert_int_equal(reach->texts[i + 1].parent_ref, i);
        assert_string_equal(reach->texts[input->text].refs.items[input->ref].name, "payments");
        assert_int_equal(input->line, 4);
        assert_true(input->bounded && input->joined);
        assert_string_equal(input->why.file, "models/rolling.sql");
    }
    arena_clear(&look.arena);
}

static void decisions_of_full_queries(void **state)
{
    (void)state;
    Look look;
    Decision decision;
    Touched nothing[2] = {{0}, {0}}, something[2] = {{.nulls = true}, {0}};
    look_at(&look, "select day from orders limit 3", NULL);
    sql_reach_decide(&look.arena, &look.reach, nothing, 0, &decision);
    assert_int_equal(decision.kind, DECISION_SKIP);
    sql_reach_decide(&look.arena, &look.reach, something, 0, &decision);
    assert_int_equal(decision.kind, DECISION_FULL);
    assert_true(decision.touched.everything && decision.needed[0].everything);
    arena_clear(&look.arena);
    look_at(&look, "select day, now() from orders", NULL);
    sql_reach_decide(&look.arena, &look.reach, nothing, 0, &decision);
    assert_int_equal(decision.kind, DECISION_FULL);
    assert_string_equal(decision_name(decision.kind), "full");
    arena_clear(&look.arena);
}

static void lookback_widens_what_is_needed_too(void **state)
{
    (void)state;
    Look look;
    Decision decision;
    look_at(&look, "select o.day, r.rate from orders o join rates r on r.day = o.day - 1", "day");
    Touched changed[2] = {{0}, {0}};
    ranges_add(&changed[0].ranges, 10 * RANGES_DAY, 11 * RANGES_DAY);
    sql_reach_decide(&look.arena, &look.reach, changed, 3 * RANGES_DAY, &decision);
    assert_int_equal(decision.kind, DECISION_RANGE);
    assert_int_equal(ranges_hull(&decision.touched.ranges).from, 7 * RANGES_DAY);
    assert_int_equal(ranges_hull(&decision.needed[0].ranges).from, 7 * RANGES_DAY);
    assert_int_equal(ranges_hull(&decision.needed[1].ranges).from, 6 * RANGES_DAY);
    assert_int_equal(ranges_hull(&decision.needed[1].ranges).to, 10 * RANGES_DAY);
    arena_clear(&look.arena);
}

/* Doubling CTEs, deep texts and long ones: an answer, soon, and it is full where it was not looked at whole. */
static void large_queries_have_an_answer(void **state)
{
    (void)state;
    Look look;
    TEXT_AUTO(sql);
    text_append(&sql, "with a0 as (select day from orders)");
    for (int i = 1; i < 60; i++)
        text_appendf(&sql, ", a%d as (select x.day from a%d x join a%d y using (day))", i, i - 1, i - 1);
    text_append(&sql, " select * from a59");
    look_at(&look, text_str(&sql), NULL);
    assert_true(look.reach.full && look.reach.volatile_result);
    assert_true(look.reach.input_count <= REACH_INPUTS_MAX);
    arena_clear(&look.arena);
    text_reset(&sql);
    for (int i = 0; i < 70; i++)
        text_append(&sql, "select day from (");
    text_append(&sql, "table orders");
    for (int i = 0; i < 70; i++)
        text_append(&sql, ") q");
    look_at(&look, text_str(&sql), NULL);
    assert_true(look.reach.full && look.reach.volatile_result);
    arena_clear(&look.arena);
    text_reset(&sql);
    text_append(&sql, "select day, sum(amount) from orders o where true");
    while (sql.len < 900000)
        text_append(&sql, " and amount + 1 > 7");
    text_append(&sql, " group by day");
    look_at(&look, text_str(&sql), NULL);
    assert_false(look.reach.full);
    arena_clear(&look.arena);
}

static void a_tree_without_a_statement_is_full(void **state)
{
    (void)state;
    Look look;
    look_at(&look, "", NULL);
    assert_true(look.reach.full && look.reach.volatile_result && look.reach.input_count == 0);
    arena_clear(&look.arena);
    look_at(&look, "select day from orders; select 1", NULL);
    assert_true(look.reach.full && look.reach.volatile_result);
    arena_clear(&look.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_is_the_inverse_of_needed),   cmocka_unit_test(units_begin_where_postgresql_says),
        cmocka_unit_test(nulls_of_windows_sort_to_one_side),  cmocka_unit_test(places_are_those_of_the_file),
        cmocka_unit_test(a_view_is_a_text_of_its_own),        cmocka_unit_test(decisions_of_full_queries),
        cmocka_unit_test(lookback_widens_what_is_needed_too), cmocka_unit_test(large_queries_have_an_answer),
        cmocka_unit_test(a_tree_without_a_statement_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
