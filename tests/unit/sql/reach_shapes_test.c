/* The shapes of tests/data/reach/shapes.txt: for each a query, what changed, and what must come of it. With --print it
 * writes the file anew with what came of it instead: for reading, before it becomes what must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../data/reach/catalog.h"
#include "base/text.h"
#include "sql/reach.h"

static const char shapes_path[] = "tests/data/reach/shapes.txt";

typedef struct Shape {
    const char *title;
    Text sql;
    Text given;    /* lines that say what the shape is about: > change, > time, > lookback */
    Text expected; /* lines that say what comes of it */
} Shape;

/* --- times as text ----------------------------------------------------------------------------------------------- */

static int64_t days_from_civil(int y, int m, int d)
{
    int64_t year = y - (m <= 2), era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468 - 10957;
}

static bool parse_time(const char *text, SqlTimeType type, int64_t *ret)
{
    int y, m, d, h = 0, min = 0;
    if (type == SQL_TIME_INTEGER) {
        *ret = strtoll(text, NULL, 10);
        return true;
    }
    if (str_starts(text, "infinity")) {
        *ret = RANGES_HIGH;
        return true;
    }
    if (sscanf(text, "%d-%d-%d", &y, &m, &d) != 3)
        return false;
    sscanf(text, "%*d-%*d-%dT%d:%d", &d, &h, &min);
    *ret = days_from_civil(y, m, d) * RANGES_DAY + ((int64_t)h * 60 + min) * 60000000;
    return true;
}

static void append_time(Text *out, int64_t value, SqlTimeType type)
{
    if (value <= RANGES_LOW || value >= RANGES_HIGH) {
        text_append(out, value <= RANGES_LOW ? "-infinity" : "infinity");
        return;
    }
    if (type == SQL_TIME_INTEGER) {
        text_appendf(out, "%lld", (long long)value);
        return;
    }
    int64_t day = value / RANGES_DAY - (value % RANGES_DAY < 0), rest = value - day * RANGES_DAY;
    int year = 2000 + (int)(day / 366) - 2, month = 12;
    while (days_from_civil(year + 1, 1, 1) <= day)
        year++;
    while (days_from_civil(year, month, 1) > day)
        month--;
    text_appendf(out, "%04d-%02d-%02d", year, month, (int)(day - days_from_civil(year, month, 1)) + 1);
    if (rest)
        text_appendf(out, "T%02d:%02d", (int)(rest / 3600000000), (int)(rest / 60000000 % 60));
}

static void append_touched(Text *out, const Touched *touched, SqlTimeType type)
{
    if (touched->everything)
        text_append(out, " everything");
    else if (touched_nothing(touched))
        text_append(out, " nothing");
    for (size_t i = 0; !touched->everything && i < touched->ranges.count; i++) {
        Range range = touched->ranges.items[i];
        text_append(out, range.from <= RANGES_LOW ? " (" : " [");
        append_time(out, range.from, type);
        text_append(out, ", ");
        append_time(out, range.to, type);
        text_append(out, ")");
    }
    if (!touched->everything && touched->nulls)
        text_append(out, " and nulls");
}

/* --- running one ------------------------------------------------------------------------------------------------- */

/* "loans 2024-01-10", "loans 2024-01-10..2024-01-12", "loans nulls", "loans everything", "nothing" */
static void apply_change(const SqlReach *reach, const char *line, Touched *changed)
{
    char name[64] = "", what[64] = "";
    sscanf(line, "%63s %63s", name, what);
    for (size_t i = 0; i < reach->input_count; i++) {
        const SqlRelationFacts *relation = reach->inputs[i].relation;
        int64_t from, to;
        if (strcmp(relation->name, name) != 0)
            continue;
        if (strcmp(what, "nulls") == 0)
            changed[i].nulls = true;
        else if (strcmp(what, "everything") == 0)
            changed[i].everything = true;
        else if (parse_time(what, relation->time_type, &from)) {
            const char *dots = strstr(what, "..");
            to = from == RANGES_HIGH ? RANGES_END : from + (relation->time_type == SQL_TIME_INTEGER ? 1 : RANGES_DAY);
            if (dots)
                parse_time(dots + 2, relation->time_type, &to);
            ranges_add(&changed[i].ranges, from, to);
        }
    }
}

static void describe(const SqlReach *reach, const Decision *decision, Text *out)
{
    text_appendf(out, "> %s", decision_name(decision->kind));
    if (decision->kind == DECISION_RANGE || decision->kind == DECISION_FROM)
        append_touched(out, &decision->touched, reach->time_type);
    text_append(out, reach->volatile_result ? ", every time\n" : "\n");
    for (size_t i = 0; i < reach->input_count && decision->kind != DECISION_FULL && decision->kind != DECISION_SKIP;
         i++) {
        text_appendf(out, "> needs %s", reach->inputs[i].relation->name);
        append_touched(out, &decision->needed[i], reach->inputs[i].relation->time_type);
        text_append(out, "\n");
    }
    if (decision->why.text)
        text_appendf(out, "> because %s%s%d:%d %s\n", decision->why.file ? decision->why.file : "",
                     decision->why.file ? ":" : "", decision->why.line, decision->why.column, decision->why.text);
    for (size_t i = 0; i < reach->warning_count; i++)
        text_appendf(out, "> warns %d:%d %s\n", reach->warnings[i].line, reach->warnings[i].column,
                     reach->warnings[i].text);
}

static const char *given_value(Shape *shape, Arena *arena, const char *key)
{
    const char *at = strstr(text_str(&shape->given), key);
    if (!at)
        return NULL;
    at += strlen(key);
    return arena_strndup(arena, at, strcspn(at, "\n"));
}

static void run_shape(Shape *shape, Text *out)
{
    Arena arena = {0};
    SqlTree trees[COUNT(reach_views)], tree;
    SqlReach reach;
    Decision decision;
    ERROR_AUTO(err);
    assert_true(reach_catalog_fill(&arena, trees));
    if (!sql_parse(&arena, text_str(&shape->sql), &tree, &err))
        fail_msg("%s: %s", shape->title, err.message);
    ReachQuery query = {.tree = &tree, .time_column = given_value(shape, &arena, "> time ")};
    sql_reach(&arena, &query, &reach_catalog, &reach);
    Touched *changed = arena_array(&arena, reach.input_count, sizeof *changed);
    for (const char *s = text_str(&shape->given); (s = strstr(s, "> change ")); s++)
        apply_change(&reach, s + strlen("> change "), changed);
    const char *days = given_value(shape, &arena, "> lookback ");
    sql_reach_decide(&arena, &reach, changed, days ? atoi(days) * RANGES_DAY : 0, &decision);
    describe(&reach, &decision, out);
    arena_clear(&arena);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static bool is_given(const char *line)
{
    return str_starts(line, "> change ") || str_starts(line, "> time ") || str_starts(line, "> lookback ") ||
           str_starts(line, "> note ");
}

typedef void ShapeFunction(Shape *shape, void *data);

/* Calls for every shape; for lines between them (sections, comments), too, where between is given. */
static size_t read_shapes(ShapeFunction *each, void (*between)(const char *line), void *data)
{
    FILE *file = fopen(shapes_path, "r");
    char *line = NULL;
    size_t cap = 0, count = 0;
    Shape shape = {0};
    assert_non_null(file);
    for (;;) {
        bool more = getline(&line, &cap, file) >= 0;
        bool begins = more && str_starts(line, "--- "), ends = more && (str_starts(line, "=== ") || line[0] == '#');
        if (shape.title && (!more || begins || ends)) {
            each(&shape, data);
            count++;
            free((char *)(uintptr_t)shape.title);
            text_clear(&shape.sql);
            text_clear(&shape.given);
            text_clear(&shape.expected);
            shape = (Shape){0};
        }
        if (!more)
            break;
        if (begins)
            shape.title = strndup(line + 4, strcspn(line + 4, "\n"));
        else if (!shape.title && between)
            between(line);
        else if (shape.title && line[0] != '>' && line[0] != '\n')
            text_append(&shape.sql, line);
        else if (shape.title && line[0] == '>')
            text_append(is_given(line) ? &shape.given : &shape.expected, line);
    }
    free(line);
    fclose(file);
    return count;
}

static void check_shape(Shape *shape, void *data)
{
    size_t *wrong = data;
    TEXT_AUTO(found);
    run_shape(shape, &found);
    if (strcmp(text_str(&found), text_str(&shape->expected)) == 0)
        return;
    print_error("%s\n%sexpected:\n%sfound:\n%s\n", shape->title, text_str(&shape->sql), text_str(&shape->expected),
                text_str(&found));
    (*wrong)++;
}

static void every_shape_is_decided_as_it_must(void **state)
{
    (void)state;
    size_t wrong = 0;
    size_t count = read_shapes(check_shape, NULL, &wrong);
    assert_true(count >= 110);
    assert_int_equal(wrong, 0);
}

static void print_shape(Shape *shape, void *data)
{
    (void)data;
    TEXT_AUTO(found);
    run_shape(shape, &found);
    printf("--- %s\n%s%s%s\n", shape->title, text_str(&shape->sql), text_str(&shape->given), text_str(&found));
}

static void print_line(const char *line) { fputs(line, stdout); }

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        read_shapes(print_shape, print_line, NULL);
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_shape_is_decided_as_it_must)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
