/* Windows: which other rows a row's window functions look at, as a distance of their times. */
#include <string.h>

#include "base/text.h"
#include "sql/interval.h"
#include "sql/reach_analysis.h"

/* frameOptions: parsenodes.h. */
enum {
    FRAME_RANGE = 0x2,
    FRAME_START_UNBOUNDED_PRECEDING = 0x20,
    FRAME_START_CURRENT_ROW = 0x200,
    FRAME_END_CURRENT_ROW = 0x400,
    FRAME_START_OFFSET_PRECEDING = 0x800,
    FRAME_END_OFFSET_PRECEDING = 0x1000,
    FRAME_START_OFFSET_FOLLOWING = 0x2000,
    FRAME_END_OFFSET_FOLLOWING = 0x4000,
};

typedef struct Spec { /* a window with all that it inherits */
    SqlList partition, order;
    const SqlNode *frame; /* the definition that has it */
} Spec;

/* How far it looks: distances of the key in the direction of the order, before it is turned for DESC. */
typedef struct Look {
    TimeExpr key;
    int64_t lo, hi;
    bool local; /* nothing but rows of the same key: it partitions by that */
    bool times_see_nulls, nulls_see_times;
    Note note;
} Look;

static const SqlNode *named_window(const Select *select, const char *name)
{
    SqlList list = sql_node_list(select->node, "windowClause");
    for (size_t i = 0; name && i < list.count; i++)
        if (str_eq(sql_node_string(list.items[i], "name"), name))
            return list.items[i];
    return NULL;
}

/* OVER w is the window itself; OVER (w ...) takes its partition, and its order where it has one. */
static bool read_spec(const Select *select, const SqlNode *def, Spec *ret)
{
    enum { BASES_MAX = 8 };
    if (sql_node_string(def, "name")) {
        def = named_window(select, sql_node_string(def, "name"));
        if (!def)
            return false;
    }
    *ret = (Spec){
        .partition = sql_node_list(def, "partitionClause"), .order = sql_node_list(def, "orderClause"), .frame = def};
    for (int i = 0; i < BASES_MAX; i++) {
        const char *base = sql_node_string(def, "refname");
        if (!base)
            return true;
        def = named_window(select, base);
        if (!def || ret->partition.count)
            return false;
        ret->partition = sql_node_list(def, "partitionClause");
        if (!ret->order.count)
            ret->order = sql_node_list(def, "orderClause");
    }
    return false;
}

static size_t window_offset(const Window *window) { return node_offset(window->call); }

/* The word RANGE, ROWS or GROUPS where the frame is written; else the call. */
static size_t frame_offset(const Select *select, const Window *window, const Spec *spec)
{
    const SqlTree *tree = select->analysis->texts[select->env.text].text.tree;
    if (spec->frame->location < 0)
        return window_offset(window);
    int depth = 0;
    for (size_t i = sql_token_at(tree, (size_t)spec->frame->location); i < tree->token_count; i++) {
        if (sql_token_is(tree, i, "("))
            depth++;
        if (sql_token_is(tree, i, ")") && --depth <= 0)
            break;
        if (depth <= 1 &&
            (sql_token_is(tree, i, "range") || sql_token_is(tree, i, "rows") || sql_token_is(tree, i, "groups")))
            return tree->tokens[i].start;
    }
    return window_offset(window);
}

static Note window_note(const Select *select, const Window *window, const Spec *spec, bool frame, const char *sentence)
{
    size_t offset = frame ? frame_offset(select, window, spec) : window_offset(window);
    return analysis_note(select->analysis, select->env.text, offset, "%s() %s", window->function, sentence);
}

static bool literal_count(const SqlNode *node, int64_t *ret)
{
    const SqlNode *number = sql_is(node, "A_Const") ? sql_node_get(node, "ival") : NULL;
    *ret = sql_node_int(number, "ival");
    return number && *ret >= 0;
}

/* A RANGE offset: what it adds at most. *ret_words: for people. */
static bool range_offset(Analysis *analysis, const SqlNode *node, SqlTimeType type, int64_t *ret,
                         const char **ret_words)
{
    Interval interval;
    int64_t least;
    if (type == SQL_TIME_INTEGER) {
        *ret_words = "";
        if (!literal_count(node, ret))
            return false;
        *ret_words = arena_printf(analysis->arena, "%lld", (long long)*ret);
        return true;
    }
    const char *bare = sql_is(node, "A_Const") ? sql_node_string(sql_node_get(node, "sval"), "sval") : NULL;
    *ret_words = bare;
    if (!(bare ? interval_parse(bare, &interval) : interval_literal(node, &interval, ret_words)))
        return false;
    const SqlNode *typmods = bare ? NULL : sql_node_get(node, "typeName");
    if (sql_node_list(typmods, "typmods").count)
        *ret_words = arena_printf(analysis->arena, "an interval of '%s'", *ret_words);
    interval_span(&interval, type == SQL_TIME_TIMESTAMPTZ, &least, ret);
    return true;
}

static void unbounded_before(Look *look) { look->lo = REACH_PAST; }

static const char *frame_sentence(Analysis *analysis, int64_t options, const char *start, const char *end,
                                  const char *key, bool descending)
{
    const char *before = descending ? "after" : "before", *after = descending ? "before" : "after";
    const char *from = !start                                   ? "the row"
                       : options & FRAME_START_OFFSET_PRECEDING ? arena_printf(analysis->arena, "%s %s", start, before)
                                                                : arena_printf(analysis->arena, "%s %s", start, after);
    if (options & FRAME_START_UNBOUNDED_PRECEDING)
        from = descending ? "the last row" : "the first row";
    if (options & FRAME_END_CURRENT_ROW)
        return arena_printf(analysis->arena, "looks from %s to the row itself, by %s", from, key);
    return arena_printf(analysis->arena, "looks at %s to %s %s each row's %s", from, end,
                        options & FRAME_END_OFFSET_PRECEDING ? before : after, key);
}

/* A frame in RANGE mode with offsets. */
static bool look_range(Select *select, const Window *window, const Spec *spec, bool descending, Look *look)
{
    Analysis *analysis = select->analysis;
    int64_t options = sql_node_int(spec->frame, "frameOptions"), amount;
    const char *start = NULL, *end = NULL;
    const char *key = look->key.var->item->names[look->key.var->column];
    if (options & FRAME_START_UNBOUNDED_PRECEDING)
        unbounded_before(look);
    else if (options & (FRAME_START_OFFSET_PRECEDING | FRAME_START_OFFSET_FOLLOWING)) {
        if (!range_offset(analysis, sql_node_get(spec->frame, "startOffset"), look->key.type, &amount, &start))
            return false;
        if (options & FRAME_START_OFFSET_PRECEDING)
            look->lo = -amount;
    } else if (!(options & FRAME_START_CURRENT_ROW))
        return false;
    if (options & (FRAME_END_OFFSET_PRECEDING | FRAME_END_OFFSET_FOLLOWING)) {
        if (!range_offset(analysis, sql_node_get(spec->frame, "endOffset"), look->key.type, &amount, &end))
            return false;
        if (options & FRAME_END_OFFSET_FOLLOWING)
            look->hi = amount;
    } else if (!(options & FRAME_END_CURRENT_ROW))
        return false;
    look->note =
        window_note(select, window, spec, true, frame_sentence(analysis, options, start, end, key, descending));
    return true;
}

/* Aggregates, first_value, last_value, nth_value: the frame's rows. */
static bool look_frame(Select *select, const Window *window, const Spec *spec, bool descending, Look *look)
{
    int64_t options = sql_node_int(spec->frame, "frameOptions"), ignored;
    int64_t end = options & (FRAME_END_CURRENT_ROW | FRAME_END_OFFSET_PRECEDING);
    if (options & FRAME_RANGE &&
        (spec->order.count == 1 || !(options & (FRAME_START_OFFSET_PRECEDING | FRAME_START_OFFSET_FOLLOWING |
                                                FRAME_END_OFFSET_PRECEDING | FRAME_END_OFFSET_FOLLOWING))))
        return look_range(select, window, spec, descending, look);
    if (options & FRAME_RANGE || !end)
        return false;
    if (options & FRAME_END_OFFSET_PRECEDING && !literal_count(sql_node_get(spec->frame, "endOffset"), &ignored))
        return false;
    unbounded_before(look);
    look->note = window_note(select, window, spec, true,
                             "counts rows, not time: a change may move the frame of every row after it");
    if (spec->order.count == 1)
        analysis_warn(select->analysis, select->env.text, frame_offset(select, window, spec),
                      "%s() over a frame of rows depends on the order of rows of the same time", window->function);
    return true;
}

static bool lag_looks_back(const Window *window)
{
    SqlList args = sql_node_list(window->call, "args");
    int64_t ignored;
    return args.count < 2 || literal_count(args.items[1], &ignored);
}

static bool look_by_function(Select *select, const Window *window, const Spec *spec, bool descending, Look *look,
                             Note *ret_why)
{
    static const char *const counting[] = {"row_number", "rank", "dense_rank", "lag"};
    static const char *const picking[] = {"first_value", "last_value", "nth_value"};
    static const char *const whole[] = {"ntile", "cume_dist", "percent_rank"};
    if (reach_is_one_of(window->function, whole, 3)) {
        *ret_why = window_note(select, window, spec, false, "depends on how many rows there are in all");
        return false;
    }
    if (strcmp(window->function, "lead") == 0) {
        *ret_why = window_note(select, window, spec, false, "looks at the next row, however far away it is");
        return false;
    }
    if (reach_is_one_of(window->function, counting, 4)) {
        if (strcmp(window->function, "lag") == 0 && !lag_looks_back(window)) {
            *ret_why = window_note(select, window, spec, false, "looks at a row that is not surely an earlier one");
            return false;
        }
        unbounded_before(look);
        look->note =
            window_note(select, window, spec, false,
                        strcmp(window->function, "lag") == 0 ? "looks at the row before, however far away it is"
                                                             : "counts all rows before");
        if (spec->order.count == 1 && (strcmp(window->function, "row_number") == 0 || *window->function == 'l'))
            analysis_warn(select->analysis, select->env.text, window_offset(window),
                          "%s() depends on the order of rows of the same time", window->function);
        return true;
    }
    if (look_frame(select, window, spec, descending, look)) {
        if (spec->order.count == 1 && reach_is_one_of(window->function, picking, 3))
            analysis_warn(select->analysis, select->env.text, window_offset(window),
                          "%s() depends on the order of rows of the same time", window->function);
        return true;
    }
    *ret_why = window_note(select, window, spec, true, "has a frame that may reach any row");
    return false;
}

/* The time that all rows of a partition share, if it is one of the column in question. */
static bool partition_time(Select *select, const Window *window, const Spec *spec, const Var *var, TimeExpr *ret)
{
    for (size_t i = 0; i < spec->partition.count; i++) {
        *ret = time_of(select, window->names, spec->partition.items[i]); /* equal is equal by any clock */
        if (ret->var && ret->var == var && !ret->shifted)
            return true;
    }
    return false;
}

static void turn(Look *look)
{
    int64_t lo = look->lo;
    look->lo = look->hi == REACH_FUTURE ? REACH_PAST : -look->hi;
    look->hi = lo == REACH_PAST ? REACH_FUTURE : -lo;
}

/* Where nulls sort on the side that a frame has no end on, rows see them; else they see the rows. */
static void set_nulls(Look *look, const SqlNode *order, bool descending)
{
    const char *nulls = sql_node_string(order, "sortby_nulls");
    bool first = str_eq(nulls, "SORTBY_NULLS_FIRST") || (descending && !str_eq(nulls, "SORTBY_NULLS_LAST"));
    if (look->lo != REACH_PAST)
        return;
    look->times_see_nulls = first;
    look->nulls_see_times = !first;
}

static bool window_look(Select *select, const Window *window, const TimeExpr *time, Look *ret, Note *ret_why)
{
    Spec spec;
    *ret = (Look){0};
    if (!read_spec(select, window->def, &spec)) {
        *ret_why = analysis_note(select->analysis, select->env.text, window_offset(window),
                                 "the window of %s() is not known", window->function);
        return false;
    }
    if (partition_time(select, window, &spec, time->var, &ret->key)) {
        ret->local = true;
        return true;
    }
    const SqlNode *order = spec.order.count ? spec.order.items[0] : NULL;
    if (!order) {
        *ret_why = window_note(select, window, &spec, false, "looks at all rows of its partition, whatever their time");
        return false;
    }
    ret->key = time_finish(time_of(select, window->names, sql_node_get(order, "node")));
    const char *direction = sql_node_string(order, "sortby_dir");
    bool descending = str_eq(direction, "SORTBY_DESC");
    if (!ret->key.var || ret->key.var != time->var || ret->key.shifted || str_eq(direction, "SORTBY_USING")) {
        *ret_why = window_note(select, window, &spec, false, "is not ordered by the time of the result alone");
        return false;
    }
    if (!look_by_function(select, window, &spec, descending, ret, ret_why))
        return false;
    set_nulls(ret, order, descending);
    if (descending)
        turn(ret);
    return true;
}

/* --- chains ------------------------------------------------------------------------------------------------------ */

static uint64_t look_width(const Look *look)
{
    if (look->lo == REACH_PAST || look->hi == REACH_FUTURE)
        return UINT64_MAX;
    return (uint64_t)look->hi - (uint64_t)look->lo;
}

/* Two windows by the same key look at what either does, not at the sum. */
static void merge_look(Look *into, const Look *look)
{
    if (!look->local && (!into->note.sentence || look_width(look) > look_width(into)))
        into->note = look->note;
    into->lo = look->lo < into->lo ? look->lo : into->lo;
    into->hi = look->hi > into->hi ? look->hi : into->hi;
    into->times_see_nulls = into->times_see_nulls || look->times_see_nulls;
    into->nulls_see_times = into->nulls_see_times || look->nulls_see_times;
}

enum { LOOKS_MAX = 8 };

struct WindowPlan {
    Look looks[LOOKS_MAX]; /* by different keys */
    size_t count;
};

bool window_plan(Select *select, const TimeExpr *time, const WindowPlan **ret, Note *ret_why)
{
    WindowPlan *plan = arena_alloc(select->analysis->arena, sizeof *plan);
    *ret = plan;
    for (size_t i = 0; i < select->window_count; i++) {
        Look look;
        size_t at = 0;
        if (!analysis_work(select->analysis, 1) || !window_look(select, &select->windows[i], time, &look, ret_why))
            return false;
        while (at < plan->count && !time_equal(&plan->looks[at].key, &look.key))
            at++;
        if (at == LOOKS_MAX) {
            *ret_why = analysis_note(select->analysis, select->env.text, window_offset(&select->windows[i]),
                                     "there are more windows of different order than the analysis follows");
            return false;
        }
        if (at == plan->count)
            plan->looks[plan->count++] = look;
        else
            merge_look(&plan->looks[at], &look);
    }
    return true;
}

/* From a row's key to the keys looked at, and to the times under them. */
static const Chain *push_look(Select *select, const Look *look, bool from_key, const Chain *next)
{
    next = chain_push_time(select, &look->key, false, next);
    next = chain_push(select->analysis,
                      (ReachStep){.kind = STEP_SHIFT,
                                  .lo = look->lo,
                                  .hi = look->hi,
                                  .nulls = NULLS_WINDOW,
                                  .times_see_nulls = look->times_see_nulls,
                                  .nulls_see_times = look->nulls_see_times,
                                  .note = look->note},
                      next);
    return from_key ? next : chain_push_time(select, &look->key, true, next);
}

const Chain *window_chain(Select *select, const WindowPlan *plan, const TimeExpr *time, const Chain *rest)
{
    const Chain *chain = rest;
    for (size_t i = plan->count; i-- > 1;)
        chain = push_look(select, &plan->looks[i], false, chain);
    bool same = plan->count && time_equal(&plan->looks[0].key, time); /* the result's time is the window's key itself */
    if (plan->count)
        chain = push_look(select, &plan->looks[0], same, chain);
    return same ? chain : chain_push_time(select, time, false, chain);
}
