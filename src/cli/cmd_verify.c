#include <stdio.h>

#include "base/log.h"
#include "cli/choice.h"
#include "cli/session.h"
#include "cli/verdict_report.h"
#include "run/target.h"

typedef struct Verifying {
    const Project *project;
    Conn *conn;
    size_t limit;
    size_t equal, different, failed, passed_over;
    Json json;
    Text out;
    bool as_json;
} Verifying;

static void verifying_clear(Verifying *v)
{
    conn_close(v->conn);
    text_clear(&v->out);
}

static void tell(Verifying *v, const Node *node, const Verdict *verdict, Arena *arena)
{
    VerdictNames names = {.node = node->name, .sides = {"the table", "the query"}, .keys = {"table", "query"}};
    if (v->as_json) {
        verdict_json(&names, verdict, arena, &v->json);
        return;
    }
    verdict_print(&names, verdict, arena);
    fflush(stdout);
}

/* A table that could not be compared is told of, and the others are compared all the same. */
static bool verify_one(Verifying *v, const Node *node, Error *err)
{
    Arena arena;
    arena_init(&arena);
    Verdict verdict;
    log_progress("%s ...", node->name);
    bool good = verify_node(v->conn, v->project, node, v->limit, &arena, &verdict, err);
    if (good) {
        tell(v, node, &verdict, &arena);
        v->equal += verdict_equal(&verdict);
        v->different += !verdict_equal(&verdict);
    } else if (err->code == ERROR_FAILED) {
        v->failed++;
        log_error("%s could not be compared", node->name);
        log_failure(err);
        error_clear(err);
        good = true;
    }
    arena_clear(&arena);
    return good;
}

static bool verify_all(Verifying *v, const Selection *selection, Error *err)
{
    for (size_t i = 0; i < v->project->node_count; i++) {
        const Node *node = v->project->nodes[i];
        const char *why;
        if (!selection->chosen[i])
            continue;
        if (!verify_applies(node, &why)) {
            v->passed_over++;
            log_info("%s is passed over: %s", node->name, why);
        } else if (!verify_one(v, node, err)) {
            return false;
        }
    }
    return true;
}

static int verify(Call *call, const Project *project)
{
    ERROR_AUTO(err);
    Selection selection;
    long limit;
    if (!call_number(call, "count", 0, COMPARE_SHOWN_MAX, 20, &limit, &err) ||
        !choice_make(call, project, &selection, &err))
        return call_failed(&err);
    Verifying v CLEANUP(verifying_clear) = {.project = project, .limit = (size_t)limit};
    v.as_json = str_eq(call_value(call, "format"), "json");
    v.json = (Json){.out = &v.out};
    if (!target_connect(project, &v.conn, &err))
        return call_failed(&err);
    json_array(&v.json);
    bool good = verify_all(&v, &selection, &err);
    json_end(&v.json);
    if (v.as_json && good)
        puts(text_str(&v.out));
    fflush(stdout);
    if (!good)
        return call_failed(&err);
    log_info("%zu equal, %zu different%s", v.equal, v.different, v.failed ? ", some not compared" : "");
    return v.different + v.failed > 0;
}

int cmd_verify(Call *call)
{
    Project project;
    int status = session_project(call, SESSION_WHOLE, &project) ? verify(call, &project) : 2;
    project_clear(&project);
    return status;
}
