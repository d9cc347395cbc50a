#include "build/clean.h"

#include "build/declared.h"
#include "build/own.h"
#include "ingest/load.h"

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

/* The file that was loaded last, declared as it was then. */
static bool source_is_clean(const Survey *survey, const Node *node, bool *ret_clean, Error *err)
{
    const SurveyRelation *relation = survey->nodes[node->order]->relation;
    const LedgerRelation *known = &relation->known;
    *ret_clean = false;
    if (!node->csv || !relation->relkind || !known->known || !known->content_hash || has_restless_check(node) ||
        !str_eq(known->project, survey->project->name) ||
        !str_eq(known->definition, declared_load(survey->project, survey->arena)) ||
        !str_eq(known->declared, declared_hash(node, survey->arena)))
        return true;
    return load_is_same(node->csv, node->csv_shown, known->content_hash, known->content_size, ret_clean, err);
}

static bool judge(const Survey *survey, const bool *chosen, bool *ret_clean, Error *err)
{
    for (size_t i = 0; i < survey->project->node_count; i++) {
        const Node *node = survey->project->nodes[i];
        if (!chosen[i] || node_is_external(node) || !stands(survey, node))
            continue;
        if (node->kind == NODE_MODEL)
            ret_clean[i] = !has_restless_check(node) && survey_clean(survey, node);
        else if (!source_is_clean(survey, node, &ret_clean[i], err))
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
