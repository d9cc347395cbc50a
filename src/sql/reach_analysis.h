/* Analysis: what the files of reach share among themselves.
 *
 * Every operator has one property to prove: the rows of its output with time u are a function of those rows of each
 * input whose time is in pre(u). needed() is the image of a set under pre, touched() the image under its inverse; a
 * chain of steps is pre, composed from the output to the input. So each operator is looked at by itself.
 *
 * A Relation is a derived table (a reference, a subquery, a CTE's use, a query). Below it stand leaves: the inputs it
 * reads. A leaf has links: pre(u) where u is a value of one of the relation's own timed columns, or of an outer
 * query's column that a condition in the relation refers to (Var). No link for a column: a change of the leaf may reach
 * any value of that column. */
#pragma once

#include "sql/reach.h"

/* ---- steps ------------------------------------------------------------------------------------------------------- */

typedef enum TimeUnit {
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    UNIT_DECADE,
    UNIT_CENTURY,
    UNIT_MILLENNIUM,
} TimeUnit;

#define REACH_PAST   INT64_MIN                  /* as the lower end of a shift: no end */
#define REACH_FUTURE INT64_MAX                  /* as the upper end */
#define REACH_ZONE   (26 * INT64_C(3600000000)) /* two clocks are never further apart */

typedef struct Note {
    size_t text, offset;
    const char *sentence; /* NULL: nothing to say */
} Note;

typedef enum StepKind { STEP_SHIFT, STEP_ROUND } StepKind;
typedef enum StepNulls { NULLS_ALONE, NULLS_NONE, NULLS_WINDOW } StepNulls;

struct ReachStep {
    StepKind kind;
    TimeUnit unit;  /* ROUND: u and its pre lie in one unit */
    int64_t lo, hi; /* SHIFT: pre(u) is [u + lo, u + hi] */
    /* Rows without a time: depend on each other alone; are not matched by a condition; or, in a window: */
    StepNulls nulls;
    bool times_see_nulls; /* rows with a time have them in their frame (they sort on the unbounded side) */
    bool nulls_see_times;
    Note note;
};

typedef struct Chain Chain;
struct Chain { /* from the output to the input; NULL: row by row */
    ReachStep step;
    const Chain *next;
};

int64_t reach_unit_length(TimeUnit unit); /* of the longest */
int64_t reach_sum(int64_t a, int64_t b);  /* saturates; REACH_PAST and REACH_FUTURE stay */
int64_t reach_negative(int64_t value);    /* REACH_PAST and REACH_FUTURE change places */
int64_t reach_step_width(const ReachStep *step);
void reach_step_needed(const ReachStep *step, Touched *touched);
void reach_step_touched(const ReachStep *step, Touched *touched);

/* ---- relations --------------------------------------------------------------------------------------------------- */

typedef struct Var Var;
typedef struct WindowPlan WindowPlan; /* how far a query's windows look, for rows of one time */
typedef struct Item Item;
typedef struct Select Select;

typedef struct Column {
    const char *name;
    const char *type; /* as format_type() writes it, or close to it: text-like types are known by it; NULL: not known */
    SqlTimeType time; /* SQL_TIME_NONE: carries no input's time */
} Column;

typedef struct Link {
    size_t column; /* of the relation, where var is NULL */
    const Var *var;
    const Chain *chain;
} Link;

typedef struct Leaf {
    size_t input;
    const Link *links;
    size_t link_count;
    Note why;    /* where links are missing */
    bool joined; /* under a window or join: rows without a time may reach anything */
} Leaf;

typedef struct Relation {
    bool known; /* its columns are */
    const Column *columns;
    size_t column_count;
    const Leaf *leaves;
    size_t leaf_count;
    Note untimed; /* why no column carries time, where there is something to say */
} Relation;

/* The nullable side of an outer join, and those around it. Conditions under it hold where that side is matched. */
typedef struct Guard {
    const struct Guard *up;
    unsigned active; /* stamp */
} Guard;

struct Var { /* a timed column of an item */
    const Item *item;
    size_t column;
    SqlTimeType type;
    int64_t lo, hi; /* of its distance from the time asked about, while bounds are computed */
    unsigned stamp;
};

struct Item { /* of a FROM list, or the subquery of an IN */
    const Select *owner;
    const char *alias; /* NULL: none */
    const Relation *relation;
    const char *const *names; /* of its columns, after the alias' list */
    Var *const *vars;         /* per column, or NULL */
    Guard *guard;             /* NULL: never null-extended */
    bool function;
    size_t offset;
};

typedef struct VisibleColumn {
    const char *name;
    const Item *item; /* NULL: merged by USING out of two, and neither */
    size_t column;
} VisibleColumn;

/* What names can mean at a place: a chain of parts at one level of query, then those of the levels outside. */
typedef struct Names {
    Item *const *items;
    size_t item_count;
    const VisibleColumn *columns;
    size_t column_count;
    const struct Names *beside; /* same level */
    const struct Names *outer;
} Names;

typedef struct Ctes {
    const struct Ctes *outer;
    SqlList list;
    size_t visible;
    bool recursive;
    const Names *names; /* outside the query that the WITH belongs to */
    bool *active;       /* per CTE: it is being looked at */
} Ctes;

typedef struct Environment {
    size_t text;
    const Ctes *ctes;
    const Names *names; /* outside */
    int depth;
} Environment;

/* ---- time expressions -------------------------------------------------------------------------------------------- */

typedef enum TimeOpKind { OP_PAD, OP_ROUND, OP_SHIFT } TimeOpKind;
typedef struct TimeOp {
    TimeOpKind kind;
    TimeUnit unit;
    int64_t lo, hi; /* SHIFT: what is added */
    size_t offset;  /* ROUND: where it is written */
} TimeOp;

enum { TIME_OPS_MAX = 8 };
typedef struct TimeExpr {
    Var *var; /* NULL: carries no time */
    SqlTimeType type;
    bool local;   /* a timestamptz of which the ops so far speak by the session's clock */
    bool shifted; /* a span was added: good for comparing only */
    TimeOp ops[TIME_OPS_MAX];
    size_t count;
} TimeExpr;

TimeExpr time_of(Select *select, const Names *names, const SqlNode *node);
/* The same in terms of the values that the column will really hold. */
TimeExpr time_finish(TimeExpr expr);
bool time_equal(const TimeExpr *a, const TimeExpr *b);

/* ---- a query being looked at ------------------------------------------------------------------------------------- */

typedef struct Constraint { /* to - from is in [lo, hi] for every row that counts, and neither is null */
    Var *from, *to;
    int64_t lo, hi;
    Guard *guard; /* NULL: always */
    size_t offset;
} Constraint;

typedef struct Source { /* of leaves */
    const Relation *relation;
    const Item *item; /* NULL: a subquery in an expression */
    bool unbound;     /* its conditions on outer columns say nothing */
    size_t offset;
} Source;

typedef struct Window {
    const char *function;
    const SqlNode *call;
    const SqlNode *def; /* as written at the call */
    const Names *names;
} Window;

typedef struct Analysis Analysis;

struct Select {
    Analysis *analysis;
    Environment env;
    const SqlNode *node;
    const Names *names;
    Constraint *constraints;
    size_t constraint_count, constraint_cap;
    Source *sources;
    size_t source_count, source_cap;
    Window *windows;
    size_t window_count, window_cap;
    bool in_outer_condition; /* an expression of an outer join's condition is being looked at */
};

typedef struct AnalysisText {
    ReachText text;
    const char *file;
    int lines_before;
} AnalysisText;

struct Analysis {
    Arena *arena;
    const SqlCatalog *catalog;
    const ReachQuery *query;
    AnalysisText *texts;
    size_t text_count, text_cap;
    ReachInput *inputs;
    size_t input_count;
    size_t expansions;
    size_t work; /* nodes seen, columns compared */
    bool full, is_volatile;
    Note why_full;
    Note *warnings;
    size_t warning_count, warning_cap;
    unsigned stamp;
    int time_depth; /* of time_of() within itself */
};

/* Full, whatever changes; the first reason is kept. The second: and not even the same twice, or not known to be. */
void analysis_full(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void analysis_volatile(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void analysis_warn(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* False, with the analysis full, where the query is too large to look at. */
bool analysis_work(Analysis *analysis, size_t amount);
Note analysis_note(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
size_t node_offset(const SqlNode *node); /* of the first place known in it */
/* Room for one more in an array of the arena. */
void *analysis_grow(Analysis *analysis, void *items, size_t count, size_t *cap, size_t size);

/* reach_query.c */
const Relation *reach_query(Analysis *analysis, const SqlNode *node, Environment env);
const Relation *reach_relation(Analysis *analysis, const SqlNode *range_var, Environment env);

/* reach_set.c: set operations and VALUES */
const Relation *reach_set(Analysis *analysis, const SqlNode *node, Environment env);
const Relation *reach_values(Select *select, SqlList rows);

/* reach_from.c */
void reach_from(Select *select, SqlList from);
void select_add_source(Select *select, const Relation *relation, const Item *item, size_t offset);
Item *select_new_item(Select *select, const Relation *relation, Guard *guard, size_t offset);

/* reach_name.c */
bool reach_is_one_of(const char *word, const char *const *words, size_t count); /* word NULL: none */
typedef enum Resolved { RESOLVED_NONE, RESOLVED_COLUMN, RESOLVED_ROW, RESOLVED_UNSURE } Resolved;
typedef struct Target {
    const Item *item; /* NULL: merged */
    size_t column;
    bool outer; /* of an outer query */
} Target;
Resolved reach_resolve(Select *select, const Names *names, const SqlNode *column_ref, Target *ret);
const Item *reach_resolve_star(const Names *names, const char *name); /* NULL: none, or not one */
bool reach_is_star(const SqlNode *value);

/* reach_expr.c */
void reach_expr(Select *select, const Names *names, const SqlNode *node);
void reach_exprs(Select *select, const Names *names, SqlList list);
/* A condition: its AND-ed parts bound times. Under guard, or always. */
void reach_condition(Select *select, const Names *names, const SqlNode *node, Guard *guard);
const char *reach_type(Select *select, const Names *names, const SqlNode *node); /* NULL: not known */

/* reach_function.c */
void reach_function(Select *select, const Names *names, const SqlNode *call);
void reach_cast(Select *select, const Names *names, const SqlNode *type, const SqlNode *arg, size_t offset);
void reach_constant(Select *select, const SqlNode *constant);
bool reach_operator(Select *select, SqlList name, size_t offset);
/* Of syntax that means one: IN, BETWEEN, USING. */
bool reach_operator_named(Select *select, const char *op, size_t offset);

/* reach_bound.c */
void bound_condition(Select *select, const Names *names, const SqlNode *node, Guard *guard);
void bound_equal(Select *select, const TimeExpr *a, const TimeExpr *b, Guard *guard, size_t offset);
/* Leaves of the query's sources, linked to its timed columns (per column of the relation, var NULL: none) and to the
 * outer queries' vars. */
void bound_leaves(Select *select, Relation *relation, const TimeExpr *times, const WindowPlan *const *plans);

/* reach_window.c */
/* False: some window looks past any bound; *ret_why says which. */
bool window_plan(Select *select, const TimeExpr *time, const WindowPlan **ret, Note *ret_why);
/* The chain of an output column of that expression, before `rest`: what it is made by, and what the windows look at. */
const Chain *window_chain(Select *select, const WindowPlan *plan, const TimeExpr *time, const Chain *rest);
const Chain *chain_push(Analysis *analysis, ReachStep step, const Chain *next);
/* e's own steps, from the value it has back to its column; forward: from the column to the value. */
const Chain *chain_push_time(Select *select, const TimeExpr *time, bool forward, const Chain *next);
