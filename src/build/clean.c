#include "build/clean.h"

#include "build/declared.h"
#include "build/own.h"

static bool has_restless_check(const Node *node)
{
    for (size_t i = 0; i < node->check_count; i++)
        if (check_is_restless(&node->checks[i]))
            return true;
    return false;
}

/* Somebody may have put something else in its place, or taken columns from it: then the step tells. */
static bool stands(const Survey *survey, const Node *node)
{
    const SurveyRelation *relation = survey->nodes[node->order]->relation;
    const SqlRelationFacts *facts = &relation->facts;
    Table table = {
        .schema = facts->schema, .name = facts->name, .exists = relation->relkind, .relkind = relation->relkind};
    ERROR_AUTO(why);
    if (!relation->relkind || !own_check(survey->project, node, &table, &relation->known, &why))
        return false;
    size_t count = node->kind == NODE_SOURCE ? node->column_count : node->output.count;
    for (size_t i = 0; i < count; i++) {
        const char *name = node->kind == NODE_SOURCE ? node->columns[i].name : node->output.items[i];
        bool found = false;
        for (size_t j = 0; j < facts->column_count && !found; j++)
            found = str_eq(facts->columns[j].name, name);
        if (!found)
            return false;
    }
    return true;
}

static bool judge(const Survey *survey, const bool *chosen, bool *ret_clean, Error *err)
{
    for (size_t i = 0; i < survey->project->node_count; i++) {
        const Node *node = survey->project->nodes[i];
        if (!chosen[i] || node_is_external(node) || has_restless_check(node) || !stands(survey, node))
            continue;
        const LedgerRelation *known = &survey->nodes[i]->relation->known;
        if (node->kind == NODE_MODEL)
            ret_clean[i] = survey_clean(survey, node);
        else if (!declared_is_loaded(survey->project, node, known, survey->arena, &ret_clean[i], err))
            return false;
    }
    return true;
}

bool clean_find(Conn *conn, const Project *project, const bool *chosen, Arena *arena, bool *ret_clean, Survey *ret,
                Error *err)
{
    TxnOptions options = {
        .schema = project->target.schema, .timezone = project->timezone, .repeatable_read = true, .read_only = true};
    bool good = conn_begin(conn, &options, err) && survey_take(conn, project, chosen, true, NULL, arena, ret, err) &&
                judge(ret, chosen, ret_clean, err);
    conn_rollback(conn);
    return good;
}
