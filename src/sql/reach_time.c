/* Expressions that carry time: a timed column, casts among the types of time, date_trunc with a literal unit, AT TIME
 * ZONE with a literal zone, and, for comparing only, plus or minus a literal span. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "sql/interval.h"
#include "sql/reach_analysis.h"

static const TimeExpr no_time = {0};

static bool push_op(TimeExpr *expr, TimeOp op)
{
    if (expr->count == TIME_OPS_MAX)
        return false;
    expr->ops[expr->count++] = op;
    return true;
}

static TimeExpr padded(TimeExpr expr, SqlTimeType type, bool local)
{
    if (!push_op(&expr, (TimeOp){.kind = OP_PAD}))
        return no_time;
    expr.type = type;
    expr.local = local;
    return expr;
}

static TimeExpr rounded(TimeExpr expr, TimeUnit unit, size_t offset)
{
    return push_op(&expr, (TimeOp){.kind = OP_ROUND, .unit = unit, .offset = offset}) ? expr : no_time;
}

/* Back from the session's clock to the instants that the value stands for. */
TimeExpr time_finish(TimeExpr expr) { return expr.var && expr.local ? padded(expr, expr.type, false) : expr; }

/* As a cast does it. Between a timestamptz and the others stands the session's zone; what follows by its clock
 * (truncating, casting on to date) is exact by that clock, so the way back is padded only where it is taken. */
static TimeExpr convert(TimeExpr expr, SqlTimeType type, size_t offset)
{
    if (!expr.var || expr.type == type)
        return expr;
    if (expr.type == SQL_TIME_INTEGER || type == SQL_TIME_INTEGER || type == SQL_TIME_NONE)
        return no_time;
    if (type == SQL_TIME_TIMESTAMPTZ)
        return padded(expr, type, true);
    if (expr.type == SQL_TIME_TIMESTAMPTZ && !expr.local)
        expr = padded(expr, SQL_TIME_TIMESTAMP, false);
    if (!expr.var)
        return no_time;
    if (type == SQL_TIME_DATE)
        expr = rounded(expr, UNIT_DAY, offset);
    expr.type = type;
    expr.local = false;
    return expr;
}

static const char *constant_text(const SqlNode *node)
{
    if (sql_is(node, "TypeCast") &&
        str_eq(sql_last_name(sql_node_list(sql_node_get(node, "typeName"), "names")), "text"))
        node = sql_node_get(node, "arg");
    return sql_is(node, "A_Const") ? sql_node_string(sql_node_get(node, "sval"), "sval") : NULL;
}

static bool unit_named(const char *word, TimeUnit *ret)
{
    static const struct {
        const char *word;
        TimeUnit unit;
    } units[] = {{"microseconds", UNIT_SECOND},
                 {"milliseconds", UNIT_SECOND},
                 {"second", UNIT_SECOND},
                 {"seconds", UNIT_SECOND},
                 {"minute", UNIT_MINUTE},
                 {"minutes", UNIT_MINUTE},
                 {"hour", UNIT_HOUR},
                 {"hours", UNIT_HOUR},
                 {"day", UNIT_DAY},
                 {"days", UNIT_DAY},
                 {"week", UNIT_WEEK},
                 {"weeks", UNIT_WEEK},
                 {"month", UNIT_MONTH},
                 {"months", UNIT_MONTH},
                 {"quarter", UNIT_QUARTER},
                 {"year", UNIT_YEAR},
                 {"years", UNIT_YEAR},
                 {"decade", UNIT_DECADE},
                 {"century", UNIT_CENTURY},
                 {"millennium", UNIT_MILLENNIUM}};
    for (size_t i = 0; word && i < sizeof units / sizeof *units; i++)
        if (strcasecmp(units[i].word, word) == 0) {
            *ret = units[i].unit;
            return true;
        }
    return false;
}

/* A zone's name. POSIX texts may be further from UTC than any zone is, so none with digits but for Etc/GMT+n. */
static bool zone_named(const char *zone)
{
    if (!zone || !*zone)
        return false;
    if (str_starts(zone, "Etc/GMT")) { /* which are files up to 14 hours away; past that, POSIX texts again */
        zone += strlen("Etc/GMT");
        bool two = *zone && zone[1] == '1' && zone[2] >= '0' && zone[2] <= '4' && !zone[3];
        return !*zone || (strchr("+-", *zone) && (two || (isdigit((unsigned char)zone[1]) && !zone[2])));
    }
    for (; *zone; zone++)
        if (!isalpha((unsigned char)*zone) && !strchr("/_-", *zone))
            return false;
    return true;
}

static TimeExpr time_of_trunc(Select *select, const Names *names, SqlList args, size_t offset)
{
    TimeUnit unit;
    if (args.count < 2 || args.count > 3 || !unit_named(constant_text(args.items[0]), &unit))
        return no_time;
    TimeExpr expr = time_of(select, names, args.items[1]);
    if (!expr.var || expr.type == SQL_TIME_INTEGER)
        return no_time;
    if (args.count == 3) { /* in a zone of its own, and back */
        expr = time_finish(convert(expr, SQL_TIME_TIMESTAMPTZ, 0));
        if (!expr.var || !zone_named(constant_text(args.items[2])))
            return no_time;
        expr = rounded(padded(expr, SQL_TIME_TIMESTAMP, false), unit, offset);
        return expr.var ? padded(expr, SQL_TIME_TIMESTAMPTZ, false) : no_time;
    }
    /* There is no date_trunc of a date: it becomes a timestamptz. */
    if (expr.type == SQL_TIME_DATE)
        expr = convert(expr, SQL_TIME_TIMESTAMPTZ, 0);
    else if (expr.type == SQL_TIME_TIMESTAMPTZ && !expr.local)
        expr = padded(expr, SQL_TIME_TIMESTAMPTZ, true);
    return expr.var ? rounded(expr, unit, offset) : no_time;
}

static TimeExpr time_of_zone(Select *select, const Names *names, SqlList args)
{
    if (args.count != 2 || !zone_named(constant_text(args.items[0])))
        return no_time;
    TimeExpr expr = time_of(select, names, args.items[1]);
    if (!expr.var || expr.type == SQL_TIME_INTEGER)
        return no_time;
    if (expr.type == SQL_TIME_TIMESTAMP)
        return padded(expr, SQL_TIME_TIMESTAMPTZ, false);
    expr = time_finish(convert(expr, SQL_TIME_TIMESTAMPTZ, 0)); /* a date becomes one */
    return expr.var ? padded(expr, SQL_TIME_TIMESTAMP, false) : no_time;
}

static TimeExpr time_of_call(Select *select, const Names *names, const SqlNode *call)
{
    static const char *const refused[] = {"agg_order", "agg_filter",   "over",         "agg_within_group",
                                          "agg_star",  "agg_distinct", "func_variadic"};
    SqlList name = sql_node_list(call, "funcname"), args = sql_node_list(call, "args");
    for (uint32_t i = 0; i < call->field_count; i++)
        for (size_t j = 0; j < sizeof refused / sizeof *refused; j++)
            if (strcmp(call->fields[i].name, refused[j]) == 0)
                return no_time;
    const char *schema = name.count == 2 ? sql_string_value(name.items[0]) : NULL;
    if (name.count > 2 || (name.count == 2 && !str_eq(schema, "pg_catalog")))
        return no_time;
    const SqlFunctionFacts *facts = sql_catalog_function(select->analysis->catalog, sql_last_name(name));
    if (facts && facts->user)
        return no_time;
    if (str_eq(sql_last_name(name), "date_trunc"))
        return time_of_trunc(select, names, args, node_offset(call));
    if (str_eq(sql_last_name(name), "timezone"))
        return time_of_zone(select, names, args);
    return no_time;
}

static SqlTimeType type_named(const SqlNode *type)
{
    static const struct {
        const char *name;
        SqlTimeType time;
    } types[] = {{"date", SQL_TIME_DATE},    {"timestamp", SQL_TIME_TIMESTAMP}, {"timestamptz", SQL_TIME_TIMESTAMPTZ},
                 {"int2", SQL_TIME_INTEGER}, {"int4", SQL_TIME_INTEGER},        {"int8", SQL_TIME_INTEGER}};
    SqlList names = sql_node_list(type, "names");
    if (sql_node_list(type, "typmods").count || sql_node_list(type, "arrayBounds").count) /* a precision rounds */
        return SQL_TIME_NONE;
    if (names.count > 2 || (names.count == 2 && !str_eq(sql_string_value(names.items[0]), "pg_catalog")))
        return SQL_TIME_NONE;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(types[i].name, sql_last_name(names)))
            return types[i].time;
    return SQL_TIME_NONE;
}

/* A span as it is added to a time of that type. */
static bool span_of(const SqlNode *node, SqlTimeType type, int64_t *ret_least, int64_t *ret_most)
{
    Interval interval;
    const SqlNode *number = sql_is(node, "A_Const") ? sql_node_get(node, "ival") : NULL;
    if (number && (type == SQL_TIME_INTEGER || type == SQL_TIME_DATE)) {
        int64_t unit = type == SQL_TIME_DATE ? RANGES_DAY : 1;
        bool over = __builtin_mul_overflow(sql_node_int(number, "ival"), unit, ret_least);
        *ret_most = *ret_least;
        return !over;
    }
    if (type == SQL_TIME_INTEGER || !interval_literal(node, &interval, NULL))
        return false;
    interval_span(&interval, type == SQL_TIME_TIMESTAMPTZ, ret_least, ret_most);
    return true;
}

static TimeExpr time_of_sum(Select *select, const Names *names, const SqlNode *node)
{
    SqlList name = sql_node_list(node, "name");
    if (!str_eq(sql_node_string(node, "kind"), "AEXPR_OP") || name.count != 1)
        return no_time;
    bool minus = str_eq(sql_last_name(name), "-");
    if (!minus && !str_eq(sql_last_name(name), "+"))
        return no_time;
    const SqlNode *left = sql_node_get(node, "lexpr"), *right = sql_node_get(node, "rexpr");
    TimeExpr expr = time_finish(time_of(select, names, left));
    int64_t least, most;
    if (!expr.var && !minus) { /* interval '1 day' + t */
        const SqlNode *swapped = left;
        expr = time_finish(time_of(select, names, right));
        right = swapped;
    }
    if (!expr.var || !span_of(right, expr.type, &least, &most))
        return no_time;
    bool number = sql_is(right, "A_Const");
    TimeOp op = {.kind = OP_SHIFT, .lo = minus ? -most : least, .hi = minus ? -least : most};
    if (!push_op(&expr, op))
        return no_time;
    expr.shifted = true;
    if (expr.type == SQL_TIME_DATE && !number)
        expr.type = SQL_TIME_TIMESTAMP;
    return expr;
}

static TimeExpr time_of_column(Select *select, const Names *names, const SqlNode *node)
{
    Target target;
    if (reach_resolve(select, names, node, &target) != RESOLVED_COLUMN || !target.item)
        return no_time;
    Var *var = target.item->vars[target.column];
    return var ? (TimeExpr){.var = var, .type = var->type} : no_time;
}

static TimeExpr time_of_node(Select *select, const Names *names, const SqlNode *node)
{
    if (sql_is(node, "ColumnRef"))
        return time_of_column(select, names, node);
    if (sql_is(node, "TypeCast"))
        return convert(time_of(select, names, sql_node_get(node, "arg")), type_named(sql_node_get(node, "typeName")),
                       node_offset(node));
    if (sql_is(node, "FuncCall"))
        return time_of_call(select, names, node);
    if (sql_is(node, "A_Expr"))
        return time_of_sum(select, names, node);
    return no_time;
}

TimeExpr time_of(Select *select, const Names *names, const SqlNode *node)
{
    enum { DEPTH_MAX = 16 }; /* more steps than an expression can hold */
    Analysis *analysis = select->analysis;
    if (!node || analysis->time_depth == DEPTH_MAX || !analysis_work(analysis, 1))
        return no_time;
    analysis->time_depth++;
    TimeExpr expr = time_of_node(select, names, node);
    analysis->time_depth--;
    return expr;
}

bool time_equal(const TimeExpr *a, const TimeExpr *b)
{
    if (a->var != b->var || a->type != b->type || a->local != b->local || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const TimeOp *x = &a->ops[i], *y = &b->ops[i];
        if (x->kind != y->kind || x->unit != y->unit || x->lo != y->lo || x->hi != y->hi)
            return false;
    }
    return true;
}

static ReachStep op_step(Select *select, const TimeOp *op)
{
    static const char *const words[] = {"second",  "minute", "hour",   "day",     "week",      "month",
                                        "quarter", "year",   "decade", "century", "millennium"};
    if (op->kind == OP_PAD)
        return (ReachStep){.kind = STEP_SHIFT, .lo = -REACH_ZONE, .hi = REACH_ZONE};
    return (ReachStep){.kind = STEP_ROUND,
                       .unit = op->unit,
                       .note = analysis_note(select->analysis, select->env.text, op->offset,
                                             "rows are taken together by the %s", words[op->unit])};
}

const Chain *chain_push(Analysis *analysis, ReachStep step, const Chain *next)
{
    Chain *chain = arena_alloc(analysis->arena, sizeof *chain);
    *chain = (Chain){.step = step, .next = next};
    return chain;
}

/* Rounding and padding say the same both ways; only their order turns. What is pushed last comes first. */
const Chain *chain_push_time(Select *select, const TimeExpr *time, bool forward, const Chain *next)
{
    for (size_t i = 0; i < time->count; i++) {
        size_t op = forward ? time->count - 1 - i : i;
        next = chain_push(select->analysis, op_step(select, &time->ops[op]), next);
    }
    return next;
}
