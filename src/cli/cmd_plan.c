#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "build/against.h"
#include "build/plan.h"
#include "cli/against_report.h"
#include "cli/choice.h"
#include "cli/listing.h"
#include "cli/session.h"
#include "cli/sides.h"
#include "run/target.h"

static const ListingColumn step_columns[] = {
    {"node", LISTING_TEXT},    {"kind", LISTING_TEXT}, {"table", LISTING_TEXT}, {"action", LISTING_TEXT},
    {"touched", LISTING_RARE}, {"why", LISTING_TEXT},  {"place", LISTING_RARE}};
static const ListingColumn leftover_columns[] = {
    {"table", LISTING_TEXT}, {"node", LISTING_TEXT}, {"materialized", LISTING_TEXT}};

static const char *relation(Arena *arena, const char *schema, const char *table)
{
    return arena_printf(arena, "%s.%s", schema, table);
}

static const char *place(Arena *arena, const Place *at)
{
    return at->file ? arena_printf(arena, "%s:%d:%d", at->file, at->line, at->column) : "";
}

static void fill(const Plan *plan, Arena *arena, Listing *steps, Listing *leftovers)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const PlanStep *step = &plan->steps[i];
        const Node *node = step->node;
        listing_add(steps,
                    (const char *const[]){node->name, node_kind_name(node), relation(arena, node->schema, node->table),
                                          step->action, step->touched, step->why, place(arena, &step->place)});
    }
    for (size_t i = 0; i < plan->leftover_count; i++) {
        const Leftover *left = &plan->leftovers[i];
        listing_add(leftovers,
                    (const char *const[]){relation(arena, left->schema, left->table), left->node, left->materialized});
    }
}

static void print_json(const Listing *steps, const Listing *leftovers)
{
    TEXT_AUTO(text);
    Json json = {.out = &text};
    json_object(&json);
    json_key(&json, "steps");
    listing_json(steps, &json);
    json_key(&json, "leftovers");
    listing_json(leftovers, &json);
    json_end(&json);
    puts(text_str(&text));
}

static void print(Call *call, const Plan *plan)
{
    LISTING_AUTO(steps);
    LISTING_AUTO(leftovers);
    listing_init(&steps, step_columns, sizeof step_columns / sizeof *step_columns);
    listing_init(&leftovers, leftover_columns, sizeof leftover_columns / sizeof *leftover_columns);
    fill(plan, &call->arena, &steps, &leftovers);
    if (str_eq(call_value(call, "format"), "json")) {
        print_json(&steps, &leftovers);
        return;
    }
    listing_print(&steps, false, stdout);
    if (plan->leftover_count == 0)
        return;
    puts("\nLeft over: the project made these and no longer describes them; 'sluice drop NAME' removes one.\n");
    listing_print(&leftovers, false, stdout);
}

static bool plan(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    Selection selection;
    Plan made;
    PlanOptions options = {.due = call_has(call, "due"), .full_refresh = call_has(call, "full-refresh")};
    if (!choice_make(call, project, &selection, err) ||
        (options.full_refresh && !choice_full_refresh(project, &selection, err)) ||
        !target_connect(project, &conn, err) ||
        !plan_make(conn, project, &selection, &options, &call->arena, &made, err))
        return false;
    session_warn_unread(project);
    print(call, &made);
    return true;
}

/* The files as the other target would read them, and what it was built from. */
static bool compare(Call *call, Sides *sides, Error *err)
{
    const Project *project = &sides->projects[1];
    Selection selection;
    Against against;
    if (!choice_make(call, project, &selection, err))
        return false;
    if (!target_connect(project, &sides->conns[1], err))
        return error_prefix(err, "target %s: ", project->target.name);
    if (!against_make(sides->conns[1], project, &selection, &call->arena, &against, err))
        return false;
    if (str_eq(call_value(call, "format"), "json"))
        against_json(&against, project->target.name);
    else
        against_print(&against, project->target.name, &call->arena);
    return true;
}

static int plan_against(Call *call)
{
    ERROR_AUTO(err);
    Sides sides CLEANUP(sides_clear) = {0};
    if (call_has(call, "due") || call_has(call, "full-refresh")) {
        call_error(&err, "--against and --%s do not go together", call_has(call, "due") ? "due" : "full-refresh");
        return call_failed(&err);
    }
    int status = sides_read(call, &sides);
    if (status)
        return status;
    return compare(call, &sides, &err) ? 0 : call_failed(&err);
}

int cmd_plan(Call *call)
{
    ERROR_AUTO(err);
    if (call_has(call, "due") && call_has(call, "full-refresh")) {
        call_error(&err, "--due and --full-refresh do not go together");
        return call_failed(&err);
    }
    return call_has(call, "against") ? plan_against(call) : session_act(call, SESSION_WHOLE, plan);
}
