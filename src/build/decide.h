/* Decide: what a step of a model will recompute, and why; from a survey alone, nothing is asked of the server. */
#pragma once

#include "build/survey.h"
#include "sql/reach.h"

typedef struct Decided {
    DecisionKind kind;
    Touched touched;         /* RANGE, FROM: times of the result to recompute */
    SqlReach reach;          /* of the model's query, where it could be read; else full with why_full */
    Touched *needed;         /* per input of reach; RANGE, FROM */
    const char *why;         /* in the user's terms, with the place in the SQL that decides it */
    Place place;             /* that place; file NULL: none */
    const char *time_column; /* what will date the result's rows: declared or found out; NULL: nothing */
    SqlTimeType time_type;
    bool keeps_snapshot; /* the rows will be known to be of this moment: what changes later can be told apart */
} Decided;

typedef struct DecideOptions {
    bool full_refresh;
    const Touched *const *planned; /* by order: what steps before this one would touch; NULL: nothing, or no plan */
} DecideOptions;

/* Memory belongs to the survey's arena. */
void decide(Survey *survey, const Node *node, const DecideOptions *options, Decided *ret);

/* The times for people: "2024-01-08 to 2024-01-15", several parted by commas, "rows without a time" among them.
 * Appended to out. */
void decide_times(const Touched *touched, SqlTimeType type, Text *out);
