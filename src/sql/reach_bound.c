/* Bounds: how far apart the times of two FROM items can be in a row that counts, from the AND-ed conditions. */
#include <string.h>

#include "base/text.h"
#include "sql/reach_analysis.h"

typedef struct Span {
    int64_t lo, hi;
} Span;

/* What the expression's value is away from its column's. */
static Span expression_span(const TimeExpr *expr)
{
    Span span = {0, 0};
    for (size_t i = 0; i < expr->count; i++) {
        const TimeOp *op = &expr->ops[i];
        int64_t lo = op->lo, hi = op->hi;
        if (op->kind == OP_PAD) {
            lo = -REACH_ZONE;
            hi = REACH_ZONE;
        } else if (op->kind == OP_ROUND) {
            lo = -reach_unit_length(op->unit);
            hi = 0;
        }
        span.lo = reach_sum(span.lo, lo);
        span.hi = reach_sum(span.hi, hi);
    }
    return span;
}

static void add_constraint(Select *select, Constraint constraint)
{
    select->constraints = analysis_grow(select->analysis, select->constraints, select->constraint_count,
                                        &select->constraint_cap, sizeof(Constraint));
    select->constraints[select->constraint_count++] = constraint;
}

/* a op b, where op is one of = < <= > >=: bounds b's column from a's. */
static void compare(Select *select, TimeExpr a, const char *op, TimeExpr b, Guard *guard, size_t offset)
{
    a = time_finish(a);
    b = time_finish(b);
    if (!a.var || !b.var || a.var == b.var)
        return;
    if ((a.type == SQL_TIME_INTEGER) != (b.type == SQL_TIME_INTEGER))
        return;
    Span x = expression_span(&a), y = expression_span(&b);
    Constraint constraint = {.from = a.var,
                             .to = b.var,
                             .lo = reach_sum(x.lo, reach_negative(y.hi)),
                             .hi = reach_sum(x.hi, reach_negative(y.lo)),
                             .guard = guard,
                             .offset = offset};
    if ((a.type == SQL_TIME_TIMESTAMPTZ) != (b.type == SQL_TIME_TIMESTAMPTZ)) {
        constraint.lo = reach_sum(constraint.lo, -REACH_ZONE);
        constraint.hi = reach_sum(constraint.hi, REACH_ZONE);
    }
    if (op[0] == '<')
        constraint.hi = REACH_FUTURE;
    if (op[0] == '>')
        constraint.lo = REACH_PAST;
    add_constraint(select, constraint);
}

void bound_equal(Select *select, const TimeExpr *a, const TimeExpr *b, Guard *guard, size_t offset)
{
    compare(select, *a, "=", *b, guard, offset);
}

static void bound_rows(Select *select, const Names *names, const SqlNode *left, const SqlNode *right, Guard *guard,
                       size_t offset)
{
    SqlList a = sql_node_list(left, "args"), b = sql_node_list(right, "args");
    for (size_t i = 0; i < a.count && a.count == b.count; i++)
        compare(select, time_of(select, names, a.items[i]), "=", time_of(select, names, b.items[i]), guard, offset);
}

void bound_condition(Select *select, const Names *names, const SqlNode *node, Guard *guard)
{
    if (!sql_is(node, "A_Expr"))
        return;
    const char *kind = sql_node_string(node, "kind");
    const SqlNode *left = sql_node_get(node, "lexpr"), *right = sql_node_get(node, "rexpr");
    size_t offset = node_offset(left ? left : node);
    if (str_eq(kind, "AEXPR_BETWEEN")) {
        SqlList ends = sql_node_list(right, "items");
        if (ends.count != 2)
            return;
        TimeExpr middle = time_of(select, names, left);
        compare(select, time_of(select, names, ends.items[0]), "<=", middle, guard, offset);
        compare(select, middle, "<=", time_of(select, names, ends.items[1]), guard, offset);
        return;
    }
    SqlList name = sql_node_list(node, "name");
    const char *op = sql_last_name(name);
    static const char *const known[] = {"=", "<", "<=", ">", ">="};
    for (size_t i = 0; op && i < sizeof known / sizeof *known; i++) {
        if (!str_eq(kind, "AEXPR_OP") || name.count != 1 || strcmp(op, known[i]) != 0)
            continue;
        if (sql_is(left, "RowExpr") && sql_is(right, "RowExpr") && i == 0)
            bound_rows(select, names, left, right, guard, offset);
        else
            compare(select, time_of(select, names, left), op, time_of(select, names, right), guard, offset);
    }
}

/* --- distances --------------------------------------------------------------------------------------------------- */

static void activate(Guard *guard, unsigned stamp)
{
    for (const Guard *g = guard; g; g = g->up)
        ((Guard *)(uintptr_t)g)->active = stamp;
}

static bool holds(const Constraint *constraint, unsigned stamp)
{
    return !constraint->guard || constraint->guard->active == stamp;
}

/* A condition on the nullable side of an outer join holds where that side is matched. Where the rows that are asked
 * about stand under it, it is; and where another condition that holds compares a column from under it, too. */
static bool activate_further(Select *select, unsigned stamp)
{
    bool more = false;
    for (size_t i = 0; i < select->constraint_count; i++) {
        const Constraint *constraint = &select->constraints[i];
        if (!holds(constraint, stamp))
            continue;
        Guard *guards[] = {constraint->from->item->guard, constraint->to->item->guard};
        for (size_t j = 0; j < 2; j++)
            if (guards[j] && guards[j]->active != stamp) {
                activate(guards[j], stamp);
                more = true;
            }
    }
    return more;
}

static Span var_span(const Var *var, unsigned stamp)
{
    return var->stamp == stamp ? (Span){var->lo, var->hi} : (Span){REACH_PAST, REACH_FUTURE};
}

/* Narrows to's distance by from's. */
static bool narrow(const Var *from, Var *to, int64_t lo, int64_t hi, unsigned stamp)
{
    Span base = var_span(from, stamp), old = var_span(to, stamp);
    Span found = {base.lo == REACH_PAST || lo == REACH_PAST ? REACH_PAST : reach_sum(base.lo, lo),
                  base.hi == REACH_FUTURE || hi == REACH_FUTURE ? REACH_FUTURE : reach_sum(base.hi, hi)};
    bool better = found.lo > old.lo || found.hi < old.hi;
    if (!better)
        return false;
    to->lo = found.lo > old.lo ? found.lo : old.lo;
    to->hi = found.hi < old.hi ? found.hi : old.hi;
    to->stamp = stamp;
    return true;
}

/* The distance of every var from one, over the conditions that hold for rows that count where a and b do. Bellman and
 * Ford's rounds, cut off: any of them is sound. */
static void find_distances(Select *select, Var *from, Guard *a, Guard *b)
{
    enum { ROUNDS_MAX = 32 };
    unsigned stamp = ++select->analysis->stamp;
    activate(a, stamp);
    activate(b, stamp);
    from->lo = from->hi = 0;
    from->stamp = stamp;
    for (int round = 0; round < ROUNDS_MAX; round++)
        if (!analysis_work(select->analysis, 1 + select->constraint_count) || !activate_further(select, stamp))
            break;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        bool more = false;
        if (!analysis_work(select->analysis, 1 + select->constraint_count))
            return;
        for (size_t i = 0; i < select->constraint_count; i++) {
            Constraint *c = &select->constraints[i];
            if (!holds(c, stamp))
                continue;
            if (c->to != from)
                more = narrow(c->from, c->to, c->lo, c->hi, stamp) || more;
            if (c->from != from)
                more = narrow(c->to, c->from, reach_negative(c->hi), reach_negative(c->lo), stamp) || more;
        }
        if (!more)
            break;
    }
}

/* --- leaves ------------------------------------------------------------------------------------------------------ */

enum { OUTER_MAX = 32 };

typedef struct Linking {
    Select *select;
    const TimeExpr *times; /* of the relation's columns */
    const WindowPlan *const *plans;
    size_t column_count;
    Var *outer[OUTER_MAX]; /* outer queries' columns */
    size_t outer_count;
    Link *links;
    size_t count, cap;
    size_t offset; /* of the condition that binds */
    bool computed; /* distances, for: */
    const Var *from;
    Guard *a, *b;
} Linking;

static bool own_var(const Select *select, const Var *var) { return var->item->owner == select; }

/* What a link of a source's leaf hangs on, in this query's terms. NULL: nothing. */
static const Var *anchor_of(const Source *source, const Link *link)
{
    if (link->var)
        return source->unbound ? NULL : link->var;
    return source->item ? source->item->vars[link->column] : NULL;
}

static Span distance(Linking *linking, Var *from, const Var *to, const Source *source)
{
    if (from == to)
        return (Span){0, 0};
    Guard *a = to->item->guard, *b = source->item ? source->item->guard : NULL;
    if (!linking->computed || linking->from != from || linking->a != a || linking->b != b) {
        find_distances(linking->select, from, a, b);
        linking->computed = true;
        linking->from = from;
        linking->a = a;
        linking->b = b;
    }
    Span span = var_span(to, linking->select->analysis->stamp);
    if (span.lo > span.hi && span.hi != REACH_PAST) /* contradictory: no row counts */
        return (Span){span.hi, span.lo};
    return span;
}

static uint64_t span_width(Span span)
{
    if (span.lo == REACH_PAST && span.hi == REACH_FUTURE)
        return UINT64_MAX;
    if (span.lo == REACH_PAST || span.hi == REACH_FUTURE)
        return UINT64_MAX - 1;
    return (uint64_t)span.hi - (uint64_t)span.lo;
}

static const char *span_words(Arena *arena, int64_t span)
{
    int64_t size = span < 0 ? -span : span;
    int64_t hour = RANGES_DAY / 24;
    if (size % RANGES_DAY == 0)
        return arena_printf(arena, "%lld day%s", (long long)(size / RANGES_DAY), size == RANGES_DAY ? "" : "s");
    if (size % hour == 0)
        return arena_printf(arena, "%lld hour%s", (long long)(size / hour), size == hour ? "" : "s");
    return arena_printf(arena, "%lld seconds", (long long)(size / 1000000));
}

/* Where one end of a span lies, seen from the other item's time. */
static const char *end_words(Arena *arena, int64_t end, const Var *from)
{
    const char *alias = from->item->alias ? from->item->alias : "the row";
    const char *own = arena_printf(arena, "%s.%s", alias, from->item->names[from->column]);
    if (end == 0)
        return own;
    if (from->type == SQL_TIME_INTEGER)
        return arena_printf(arena, "%s %s %lld", own, end < 0 ? "-" : "+", (long long)(end < 0 ? -end : end));
    return arena_printf(arena, "%s %s %s", span_words(arena, end), end < 0 ? "before" : "after", own);
}

static size_t condition_offset(const Select *select, const Var *var)
{
    for (size_t i = select->constraint_count; i-- > 0;)
        if (select->constraints[i].from == var || select->constraints[i].to == var)
            return select->constraints[i].offset;
    return var->item->offset;
}

static Note span_note(Linking *linking, const Var *from, const Var *to, Span span)
{
    Select *select = linking->select;
    Analysis *analysis = select->analysis;
    if (span.lo == 0 && span.hi == 0)
        return (Note){0};
    size_t text = select->env.text, offset = condition_offset(select, to);
    const char *name = arena_printf(analysis->arena, "%s.%s", to->item->alias ? to->item->alias : "the subquery",
                                    to->item->names[to->column]);
    const char *lo = span.lo == REACH_PAST ? NULL : end_words(analysis->arena, span.lo, from);
    const char *hi = span.hi == REACH_FUTURE ? NULL : end_words(analysis->arena, span.hi, from);
    if (!lo)
        return analysis_note(analysis, text, offset, "%s is matched at any time up to %s", name, hi);
    if (!hi)
        return analysis_note(analysis, text, offset, "%s is matched at any time from %s on", name, lo);
    if (span.lo == span.hi)
        return analysis_note(analysis, text, offset, "%s is matched %s%s", name,
                             from->type == SQL_TIME_INTEGER ? "at " : "", lo);
    return analysis_note(analysis, text, offset, "%s is matched from %s to %s", name, lo, hi);
}

/* The best way from a time to a leaf: its chain, with the step between the two items before it. */
static bool best_chain(Linking *linking, Var *from, const Source *source, const Leaf *leaf, const Chain **ret)
{
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < leaf->link_count; i++) {
        const Link *link = &leaf->links[i];
        const Var *anchor = anchor_of(source, link);
        if (!anchor)
            continue;
        Span span = distance(linking, from, anchor, source);
        if (span_width(span) >= best)
            continue;
        best = span_width(span);
        *ret = link->chain;
        if (anchor != from)
            *ret = chain_push(linking->select->analysis,
                              (ReachStep){.kind = STEP_SHIFT,
                                          .lo = span.lo,
                                          .hi = span.hi,
                                          .nulls = NULLS_NONE,
                                          .note = span_note(linking, from, anchor, span)},
                              link->chain);
    }
    return best != UINT64_MAX;
}

static void add_link(Linking *linking, Link link)
{
    linking->links =
        analysis_grow(linking->select->analysis, linking->links, linking->count, &linking->cap, sizeof(Link));
    linking->links[linking->count++] = link;
}

static void note_missing(Linking *linking, const Source *source, Leaf *leaf)
{
    Analysis *analysis = linking->select->analysis;
    const ReachInput *input = &analysis->inputs[leaf->input];
    const char *label = sql_relation_label(input->relation);
    if (leaf->why.sentence)
        return;
    bool again = false;
    for (size_t i = 0; i < leaf->input; i++)
        again = again || analysis->inputs[i].relation == input->relation;
    leaf->why = analysis_note(analysis, linking->select->env.text, source->offset,
                              "%s is read %swithout a condition that ties its %s to the time of the result", label,
                              again ? "a second time " : "", input->relation->time_column);
}

/* The outer queries' columns that this query's conditions speak of. */
static size_t outer_vars(Select *select, Var **vars, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < select->constraint_count + select->source_count; i++) {
        bool constraint = i < select->constraint_count;
        const Source *source = constraint ? NULL : &select->sources[i - select->constraint_count];
        for (size_t l = 0; l < (constraint ? 2 : source->relation->leaf_count); l++) {
            const Leaf *leaf = constraint ? NULL : &source->relation->leaves[l];
            for (size_t k = 0; k < (constraint ? 1 : leaf->link_count); k++) {
                const Constraint *c = constraint ? &select->constraints[i] : NULL;
                const Var *var = constraint ? (l ? c->from : c->to) : leaf->links[k].var;
                bool wanted = var && !own_var(select, var);
                for (size_t j = 0; wanted && j < count; j++)
                    wanted = vars[j] != var;
                if (wanted && count < max)
                    vars[count++] = (Var *)(uintptr_t)var;
            }
        }
    }
    return count;
}

static bool is_join(const Select *select) { return select->window_count > 0 || select->source_count > 1; }

static void link_leaf(Linking *linking, const Source *source, Leaf *leaf)
{
    Select *select = linking->select;
    Leaf below = *leaf;
    bool missing = false;
    linking->links = NULL;
    linking->count = linking->cap = 0;
    for (size_t c = 0; c < linking->column_count; c++) {
        const Chain *chain = NULL;
        const TimeExpr *time = &linking->times[c];
        if (!time->var)
            continue;
        if (best_chain(linking, time->var, source, &below, &chain))
            add_link(linking, (Link){.column = c, .chain = window_chain(select, linking->plans[c], time, chain)});
        else
            missing = true;
    }
    for (size_t o = 0; o < linking->outer_count; o++) {
        const Chain *chain = NULL;
        if (best_chain(linking, linking->outer[o], source, &below, &chain))
            add_link(linking, (Link){.var = linking->outer[o], .chain = chain});
    }
    leaf->links = linking->links;
    leaf->link_count = linking->count;
    leaf->joined = leaf->joined || is_join(select);
    if (missing || linking->count == 0)
        note_missing(linking, source, leaf);
}

void bound_leaves(Select *select, Relation *relation, const TimeExpr *times, const WindowPlan *const *plans)
{
    Analysis *analysis = select->analysis;
    size_t count = 0, total = 0;
    for (size_t i = 0; i < select->source_count; i++)
        total += select->sources[i].relation->leaf_count;
    Leaf *leaves = arena_array(analysis->arena, total, sizeof *leaves);
    Linking linking = {.select = select, .times = times, .plans = plans, .column_count = relation->column_count};
    linking.outer_count = outer_vars(select, linking.outer, OUTER_MAX);
    for (size_t i = 0; i < select->source_count; i++)
        for (size_t l = 0; l < select->sources[i].relation->leaf_count; l++) {
            leaves[count] = select->sources[i].relation->leaves[l];
            link_leaf(&linking, &select->sources[i], &leaves[count++]);
        }
    relation->leaves = leaves;
    relation->leaf_count = count;
}
