#include "build/dry.h"

#include "build/work.h"

static void take(const Work *work, const SqlRelationFacts *facts, DryLoad *ret)
{
    const StepResult *result = work->result;
    ret->same = work->stays;
    ret->inserted = result->inserted;
    ret->updated = result->updated;
    ret->deleted = result->deleted;
    if (!work->touched.schema)
        return;
    ret->touched.everything = work->touched.everything;
    ret->touched.nulls = work->touched.nulls;
    if (work->touched.ranges && !change_ranges_read(work->touched.ranges, facts->time_type, &ret->touched.ranges))
        ret->touched.everything = true;
}

static bool load(Work *work, Error *err)
{
    const Node *node = work->node;
    return table_find(work->build->conn, node->schema, node->table, work->arena, &work->target, err) &&
           work_source(work, err);
}

bool dry_load(Conn *conn, const Project *project, const SurveyRelation *relation, bool full_refresh, Arena *arena,
              DryLoad *ret, Error *err)
{
    Build build = {.conn = conn, .project = project, .started_at = clock_now(), .full_refresh = full_refresh};
    Step step = {.node = relation->node};
    StepResult result = {.total = -1};
    Work work = {.build = &build,
                 .step = &step,
                 .node = relation->node,
                 .arena = arena,
                 .result = &result,
                 .known = relation->known,
                 .total = -1,
                 .delivery_rows = -1,
                 .decided = {.kind = DECISION_FULL},
                 .dry = true};
    *ret = (DryLoad){0};
    if (!conn_exec(conn, "savepoint sluice_dry", err))
        return false;
    bool good = load(&work, err);
    if (good)
        take(&work, &relation->facts, ret);
    ERROR_AUTO(ignored);
    conn_exec(conn, "rollback to savepoint sluice_dry; release savepoint sluice_dry", &ignored);
    return good;
}
