/* SQL of any kind through the analysis of reach, with changes taken from the same bytes. What must hold: it ends, in
 * bounded time; every touched time that was changed row by row is among the times recomputed, and full means all. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../data/reach/catalog.h"
#include "base/text.h"
#include "sql/reach.h"
#include "sql/shadow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* A change for every input, out of the text's own bytes. */
static void make_changes(const uint8_t *data, size_t size, Touched *changed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = size ? data[(i * 7 + 3) % size] : 0;
        changed[i].nulls = byte % 11 == 0;
        changed[i].everything = byte % 31 == 0;
        for (int k = 0; k < byte % 4; k++) {
            int64_t day = ((int64_t)byte * 37 + k * 900) * RANGES_DAY;
            ranges_add(&changed[i].ranges, byte % 13 ? day : RANGES_HIGH, byte % 13 ? day + RANGES_DAY : RANGES_END);
        }
        if (byte % 17 == 0)
            ranges_add(&changed[i].ranges, RANGES_LOW, RANGES_LOW + 1);
    }
}

static void check_ranges(const Ranges *ranges)
{
    require(ranges->count <= RANGES_MAX);
    for (size_t i = 0; i < ranges->count; i++) {
        require(ranges->items[i].from < ranges->items[i].to);
        require(i == 0 || ranges->items[i - 1].to < ranges->items[i].from);
    }
}

/* What is touched must be needed again where it is the input's own time that is given out: with chains of any steps,
 * needed(touched(R)) holds R. */
static void check_input(const SqlReach *reach, size_t input, const Touched *changed)
{
    Touched touched, needed;
    reach_touched(reach, input, changed, &touched);
    reach_needed(reach, input, &touched, &needed);
    check_ranges(&touched.ranges);
    check_ranges(&needed.ranges);
    require(reach->inputs[input].text < reach->text_count);
    require(reach->inputs[input].ref < reach->texts[reach->inputs[input].text].refs.count);
    if (changed->everything)
        require(touched.everything);
    if (touched_nothing(&touched) || needed.everything)
        return;
    for (size_t i = 0; i < changed->ranges.count; i++) {
        Ranges both = {.count = 0};
        ranges_add(&both, changed->ranges.items[i].from, changed->ranges.items[i].to);
        require(reach->inputs[input].relation->time_type != SQL_TIME_INTEGER || ranges_overlap(&both, &needed.ranges));
    }
}

static void check_reach(Arena *arena, const uint8_t *data, size_t size, const SqlTree *tree)
{
    SqlReach reach;
    Decision decision;
    ReachQuery query = {.tree = tree, .file = "models/m.sql", .lines_before = 3};
    sql_reach(arena, &query, &reach_catalog, &reach);
    require(reach.input_count <= REACH_INPUTS_MAX);
    require(reach.full || reach.time_column);
    require(!reach.volatile_result || reach.full);
    require(!reach.full || (reach.why_full.text && reach.why_full.line > 0));
    Touched *changed = arena_array(arena, reach.input_count, sizeof *changed);
    make_changes(data, size, changed, reach.input_count);
    for (size_t i = 0; i < reach.input_count; i++)
        check_input(&reach, i, &changed[i]);
    sql_reach_decide(arena, &reach, changed, 0, &decision);
    check_ranges(&decision.touched.ranges);
    require(decision.kind != DECISION_SKIP || touched_nothing(&decision.touched));
    require(!reach.volatile_result || decision.kind == DECISION_FULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_alloc(size + 1);
    memcpy(text, data, size);
    Arena arena = {0};
    SqlTree trees[COUNT(reach_views)], tree;
    require(reach_catalog_fill(&arena, trees));
    if (sql_parse(&arena, text, &tree, NULL))
        check_reach(&arena, data, size, &tree);
    arena_clear(&arena);
    free(text);
    return 0;
}
