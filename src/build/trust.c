#include "build/trust.h"

#include <stdio.h>
#include <string.h>

const char *trust_teller(const SurveyRelation *relation)
{
    static const char *const changes[] = {
        [CHANGES_UNKNOWN] = "nobody", [CHANGES_TRIGGER] = "triggers", [CHANGES_COLUMN] = "column"};
    if (!relation->node)
        return "others";
    return node_is_external(relation->node) ? changes[relation->node->changes] : "steps";
}

bool trust_is_recorded(const Survey *survey, const SurveyRelation *relation)
{
    if (relation->facts.kind != SQL_RELATION_TABLE)
        return false;
    if (relation->node && node_is_external(relation->node))
        return relation->node->changes == CHANGES_TRIGGER;
    return relation->known.known && (relation->node || !str_eq(relation->known.project, survey->project->name));
}

/* As deep as ephemeral models stand on each other, which is no deeper than the project is long. */
static bool reads_what_it_names(const Survey *survey, const SurveyNode *about, const char *beneath)
{
    for (size_t i = 0; i < about->node->reference_count; i++) {
        const SurveyRelation *read = about->reads[i];
        bool inlined =
            read->node && read->node->kind == NODE_MODEL && read->node->materialized == MATERIALIZED_EPHEMERAL;
        if (inlined && !reads_what_it_names(survey, survey->nodes[read->node->order], beneath))
            return false;
        if (inlined || !read->oid)
            continue;
        char word[32];
        snprintf(word, sizeof word, " %s ", read->oid);
        if (!beneath || !strstr(beneath, word))
            return false;
    }
    return true;
}

bool trust_is_stale(const Survey *survey, const SurveyNode *about)
{
    const SurveyRelation *relation = about->relation;
    return about->node->materialized == MATERIALIZED_VIEW && relation->relkind == 'v' &&
           !reads_what_it_names(survey, about, relation->beneath);
}
