/* Trust: what the ledger is worth where it speaks of a relation. */
#pragma once

#include "build/survey.h"

/* Who says what changes in a table, in one word. Between one and another there may have been changes that neither told
 * of. */
const char *trust_teller(const SurveyRelation *relation);

/* Whether the ledger has an entry for every change of a table. What it knows of one that others write is of a time when
 * a step of ours did; so is that of a table which is left over. */
bool trust_is_recorded(const Survey *survey, const SurveyRelation *relation);

/* Whether a node is a view that reads other tables than those that now bear the names in its query. */
bool trust_is_stale(const Survey *survey, const SurveyNode *about);
