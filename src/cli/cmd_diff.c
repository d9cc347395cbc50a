#include <stdio.h>

#include "base/log.h"
#include "cli/sides.h"
#include "cli/verdict_report.h"
#include "run/target.h"

static bool find_node(const Project *project, const char *name, const Node **ret, Error *err)
{
    *ret = project_find(project, name);
    if (!*ret)
        return project_unknown(project, name, err);
    if (node_is_ephemeral(*ret))
        return error_set(err, ERROR_PROJECT, "%s is ephemeral: it has no table in any target", name);
    return true;
}

static bool compare(Call *call, Sides *sides, long limit, Verdict *ret, Error *err)
{
    VerifyTarget targets[2];
    for (int i = 0; i < 2; i++) {
        targets[i].project = &sides->projects[i];
        if (!find_node(&sides->projects[i], call->arguments[0], &targets[i].node, err))
            return false;
    }
    for (int i = 0; i < 2; i++) {
        if (!target_connect(&sides->projects[i], &sides->conns[i], err))
            return error_prefix(err, "target %s: ", sides->projects[i].target.name);
        targets[i].conn = sides->conns[i];
    }
    return verify_targets(targets, (size_t)limit, &call->arena, ret, err);
}

static int report(Call *call, const Sides *sides, const Verdict *verdict)
{
    const char *here = sides->projects[0].target.name, *there = sides->projects[1].target.name;
    VerdictNames names = {.node = call->arguments[0], .sides = {here, there}, .keys = {here, there}};
    if (str_eq(call_value(call, "format"), "json")) {
        TEXT_AUTO(out);
        Json json = {.out = &out};
        verdict_json(&names, verdict, &call->arena, &json);
        puts(text_str(&out));
    } else {
        verdict_print(&names, verdict, &call->arena);
    }
    return !verdict_equal(verdict);
}

int cmd_diff(Call *call)
{
    ERROR_AUTO(err);
    Sides sides CLEANUP(sides_clear) = {0};
    long limit;
    Verdict verdict;
    if (!call_number(call, "count", 0, COMPARE_SHOWN_MAX, 20, &limit, &err))
        return call_failed(&err);
    int status = sides_read(call, &sides);
    if (status)
        return status;
    return compare(call, &sides, limit, &verdict, &err) ? report(call, &sides, &verdict) : call_failed(&err);
}
