/* Reach: how far a change in a query's inputs reaches in its result.
 *
 * A pure function of the query's tree and of the catalog's facts; default-deny: what is not proven means full. Each
 * operator of the query supplies two functions on sets of times: touched(R), the output times that can change when
 * input times R change, and needed(R), the input times that output times R depend on. They are kept as a chain of
 * simple steps per input, in order, since a month's group under a month's window is not the sum of two halos.
 * ARCHITECTURE.md has the argument; docs/decisions.md a table of shapes. */
#pragma once

#include "sql/catalog.h"
#include "sql/ranges.h"
#include "sql/refs.h"

enum {
    REACH_INPUTS_MAX = 256, /* references, CTEs and queries expanded at each use; more: full */
    REACH_DEPTH_MAX = 64,   /* of queries within queries; more: full */
};
/* Changes with every change of what the analysis would decide: it is part of a step's key. */
enum { REACH_VERSION = 2 };

typedef struct ReachReason {
    const char *file; /* of the query, or of the view or ephemeral model in it */
    int line, column; /* from 1 */
    const char *text; /* a sentence for a data engineer, no full stop: "the frame of avg() reaches 7 days back" */
} ReachReason;

typedef struct ReachStep ReachStep; /* one operator's pair of functions */

/* One reference to a table, by the way it is reached: one under a CTE that is used twice is two. */
typedef struct ReachInput {
    const SqlRelationFacts *relation;
    /* Where it stands: ref of the model's own text, or, inside a SQL_RELATION_QUERY, ref of that query's text. */
    size_t ref;  /* position in refs of its text */
    size_t text; /* which text: position in SqlReach.texts */
    int line, column;
    bool bounded; /* a change of known times reaches known times */
    bool joined;  /* under a window or join: a change of rows without a time may reach anything */
    /* Bounded: what decides how far it reaches (text NULL: row by row). Else why anything may change. */
    ReachReason why;
    const ReachStep *steps; /* from the input to the output */
    size_t step_count;
} ReachInput;

/* A text that is part of the whole: text 0 is the model's, each use of a view or ephemeral model adds one. */
typedef struct ReachText {
    const SqlTree *tree;
    SqlRefs refs;
    size_t parent;     /* text that uses it; of text 0: 0 */
    size_t parent_ref; /* position in the parent's refs */
} ReachText;

typedef struct SqlReach {
    bool full;            /* whatever changed: every run recomputes all of it, or, not deterministic, must */
    bool volatile_result; /* full, and even without a change the result may differ: now(), random() ... */
    ReachReason why_full;
    /* The output column that dates a row: the declared one, or else the first that carries an input's time. NULL: none,
     * and then full. */
    const char *time_column;
    SqlTimeType time_type;
    const ReachInput *inputs;
    size_t input_count;
    const ReachText *texts;
    size_t text_count;
    const ReachReason *warnings; /* where two runs of it over the same rows may differ: ties, unordered array_agg ... */
    size_t warning_count;
} SqlReach;

typedef struct ReachQuery {
    const SqlTree *tree;
    const char *file;
    int lines_before;
    const char *time_column; /* declared, or NULL */
} ReachQuery;

/* Never fails: what it cannot read it calls full. Everything is in the arena; tree and catalog must outlive it. */
void sql_reach(Arena *arena, const ReachQuery *query, const SqlCatalog *catalog, SqlReach *ret);

/* The two functions of an input: touched of the output by touched of the input; and the other way. everything where
 * nothing narrower is proven. */
void reach_touched(const SqlReach *reach, size_t input, const Touched *changed, Touched *ret);
void reach_needed(const SqlReach *reach, size_t input, const Touched *output, Touched *ret);

typedef enum DecisionKind { DECISION_SKIP, DECISION_RANGE, DECISION_FROM, DECISION_FULL } DecisionKind;
const char *decision_name(DecisionKind kind); /* skip, range, from, full */

typedef struct Decision {
    DecisionKind kind;
    Touched touched; /* RANGE, FROM: output times to recompute. FROM: its ranges reach one of the ends */
    Touched *needed; /* per input; in the arena */
    ReachReason why; /* what decided it: the input with the widest reach, or why full; text may be NULL for SKIP */
} Decision;

/* changed: per input of the reach. lookback: microseconds (or units of an integer time) by which every touched range
 * begins earlier; it only widens. */
void sql_reach_decide(Arena *arena, const SqlReach *reach, const Touched *changed, int64_t lookback, Decision *ret);
