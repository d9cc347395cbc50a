/* Expressions: every node and every field of it is known here, or the query is recomputed in full. */
#include <string.h>

#include "base/text.h"
#include "sql/reach_analysis.h"

typedef struct Shape {
    const char *kind;
    const char *fields;  /* all that it may have, each between blanks */
    const char *skipped; /* those that hold no expressions */
} Shape;

static const Shape shapes[] = {
    {"A_ArrayExpr", " elements ", " "},
    {"A_Const", " ival fval boolval sval bsval isnull ", " ival fval boolval sval bsval "},
    {"A_Expr", " kind name lexpr rexpr ", " name "},
    {"A_Indices", " is_slice lidx uidx ", " "},
    {"A_Indirection", " arg indirection ", " "},
    {"BoolExpr", " boolop args ", " "},
    {"BooleanTest", " arg booltesttype ", " "},
    {"CaseExpr", " arg args defresult ", " "},
    {"CaseWhen", " expr result ", " "},
    {"CoalesceExpr", " args ", " "},
    {"CollateClause", " arg collname ", " collname "},
    {"ColumnRef", " fields ", " fields "},
    {"FuncCall",
     " funcname args agg_order agg_filter over agg_within_group agg_star agg_distinct func_variadic funcformat ",
     " funcname "},
    {"List", " items ", " "},
    {"MinMaxExpr", " args op ", " "},
    {"NamedArgExpr", " arg name argnumber ", " "},
    {"NullTest", " arg nulltesttype argisrow ", " "},
    {"RowExpr", " args row_format ", " "},
    {"SortBy", " node sortby_dir sortby_nulls ", " "},
    {"String", " sval ", " "},
    {"SubLink", " subLinkType subLinkId testexpr operName subselect ", " operName subselect "},
    {"TypeCast", " arg typeName ", " typeName "},
    {"WindowDef", " name refname partitionClause orderClause frameOptions startOffset endOffset ", " "},
};

static bool is_among(const char *names, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = strstr(names, name); at; at = strstr(at + 1, name))
        if (at[-1] == ' ' && at[len] == ' ')
            return true;
    return false;
}

static const Shape *shape_of(const SqlNode *node)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(shapes[i].kind, node->kind) == 0)
            return &shapes[i];
    return NULL;
}

/* --- subqueries -------------------------------------------------------------------------------------------------- */

static const Relation *subquery(Select *select, const Names *names, const SqlNode *node)
{
    Environment env = select->env;
    env.names = names;
    env.depth++;
    return reach_query(select->analysis, sql_node_get(node, "subselect"), env);
}

static void expr_subquery(Select *select, const Names *names, const SqlNode *node)
{
    static const char *const known[] = {"EXISTS_SUBLINK",     "ALL_SUBLINK",  "ANY_SUBLINK",
                                        "ROWCOMPARE_SUBLINK", "EXPR_SUBLINK", "ARRAY_SUBLINK"};
    if (!reach_is_one_of(sql_node_string(node, "subLinkType"), known, sizeof known / sizeof *known)) {
        analysis_volatile(select->analysis, select->env.text, node_offset(node), "a subquery of an unknown form");
        return;
    }
    if (sql_node_list(node, "operName").count)
        reach_operator(select, sql_node_list(node, "operName"), node_offset(node));
    else if (sql_node_get(node, "testexpr"))
        reach_operator_named(select, "=", node_offset(node));
    select_add_source(select, subquery(select, names, node), NULL, node_offset(node));
}

/* x IN (SELECT ...), where it must hold: rows of the subquery count only where they equal x. */
static bool condition_in(Select *select, const Names *names, const SqlNode *node, Guard *guard)
{
    SqlList op = sql_node_list(node, "operName");
    const SqlNode *test = sql_node_get(node, "testexpr");
    if (!sql_is(node, "SubLink") || !str_eq(sql_node_string(node, "subLinkType"), "ANY_SUBLINK") ||
        select->in_outer_condition || (op.count && !str_eq(sql_last_name(op), "=")))
        return false;
    reach_operator_named(select, "=", node_offset(node));
    if (op.count > 1)
        reach_operator(select, op, node_offset(node));
    reach_expr(select, names, test);
    const Relation *relation = subquery(select, names, node);
    Guard *own = arena_alloc(select->analysis->arena, sizeof *own);
    own->up = guard;
    Item *item = select_new_item(select, relation, own, node_offset(node));
    SqlList tests = sql_is(test, "RowExpr") ? sql_node_list(test, "args") : (SqlList){.items = &test, .count = 1};
    for (size_t i = 0; i < tests.count && tests.count == relation->column_count; i++) {
        TimeExpr x = time_of(select, names, tests.items[i]);
        Var *var = item->vars[i];
        TimeExpr y = {.var = var, .type = var ? var->type : SQL_TIME_NONE};
        if (x.var && y.var)
            bound_equal(select, &x, &y, own, node_offset(node));
    }
    return true;
}

/* --- columns ----------------------------------------------------------------------------------------------------- */

/* The offset that a time of day has in a zone is today's. */
static bool hangs_on_today(const char *type)
{
    return type && str_starts(type, "time") && strstr(type, "with time zone") && !str_starts(type, "timestamp");
}

static void expr_column(Select *select, const Names *names, const SqlNode *node)
{
    Analysis *analysis = select->analysis;
    Target target;
    const char *name = sql_last_name(sql_node_list(node, "fields"));
    if (reach_is_star(node)) {
        analysis_full(analysis, select->env.text, node_offset(node), "a whole row is used as one value");
        return;
    }
    switch (reach_resolve(select, names, node, &target)) {
    case RESOLVED_COLUMN:
        if (target.item && hangs_on_today(target.item->relation->columns[target.column].type))
            analysis_volatile(analysis, select->env.text, node_offset(node),
                              "%s is a time of day with a zone, whose offset may be that of today", name);
        return;
    case RESOLVED_ROW:
        if (!target.item->function)
            analysis_full(analysis, select->env.text, node_offset(node), "the whole row of %s is used as one value",
                          name);
        return;
    case RESOLVED_UNSURE:
        analysis_full(analysis, select->env.text, node_offset(node), "it is not sure which column %s is", name);
        return;
    case RESOLVED_NONE:
        analysis_volatile(analysis, select->env.text, node_offset(node),
                          "%s is no column of what the query reads, or one of PostgreSQL's own", name ? name : "this");
        return;
    }
}

/* `(x).f` is a field of x, or a call of f(x). */
static void expr_indirection(Select *select, const SqlNode *node)
{
    SqlList list = sql_node_list(node, "indirection");
    for (size_t i = 0; i < list.count; i++)
        if (sql_is(list.items[i], "String"))
            analysis_volatile(select->analysis, select->env.text, node_offset(node),
                              "(...).%s may call a function of that name", sql_string_value(list.items[i]));
}

/* --- walking ----------------------------------------------------------------------------------------------------- */

static void expr_operator(Select *select, const SqlNode *node)
{
    size_t offset = node_offset(node);
    if (sql_is(node, "CaseExpr")) {
        reach_operator_named(select, "=", offset);
        return;
    }
    if (!is_among(" AEXPR_BETWEEN AEXPR_NOT_BETWEEN AEXPR_BETWEEN_SYM AEXPR_NOT_BETWEEN_SYM ",
                  sql_node_string(node, "kind"))) {
        reach_operator(select, sql_node_list(node, "name"), offset);
        return;
    }
    reach_operator_named(select, "<=", offset);
    reach_operator_named(select, ">=", offset);
    reach_operator_named(select, "<", offset);
    reach_operator_named(select, ">", offset);
}

static void expr_check(Select *select, const Names *names, const SqlNode *node)
{
    if (sql_is(node, "ColumnRef"))
        expr_column(select, names, node);
    else if (sql_is(node, "A_Const"))
        reach_constant(select, node);
    else if (sql_is(node, "FuncCall"))
        reach_function(select, names, node);
    else if (sql_is(node, "A_Indirection"))
        expr_indirection(select, node);
    else if (sql_is(node, "SubLink"))
        expr_subquery(select, names, node);
    else if (sql_is(node, "TypeCast"))
        reach_cast(select, names, sql_node_get(node, "typeName"), sql_node_get(node, "arg"), node_offset(node));
    else if (sql_is(node, "A_Expr") || (sql_is(node, "CaseExpr") && sql_node_get(node, "arg")))
        expr_operator(select, node);
}

static void unknown_node(Select *select, const SqlNode *node, const char *field)
{
    if (sql_is(node, "SQLValueFunction"))
        analysis_volatile(select->analysis, select->env.text, node_offset(node),
                          "the current time or user may be another in each run");
    else
        analysis_volatile(select->analysis, select->env.text, node_offset(node),
                          "an expression of a form that the analysis does not know (%s%s%s)", node->kind,
                          field ? "." : "", field ? field : "");
}

void reach_expr(Select *select, const Names *names, const SqlNode *node)
{
    if (!node || !analysis_work(select->analysis, 1))
        return;
    const Shape *shape = shape_of(node);
    if (!shape) {
        unknown_node(select, node, NULL);
        return;
    }
    expr_check(select, names, node);
    for (uint32_t i = 0; i < node->field_count; i++) {
        const SqlField *field = &node->fields[i];
        if (!is_among(shape->fields, field->name)) {
            unknown_node(select, node, field->name);
            return;
        }
        if (is_among(shape->skipped, field->name))
            continue;
        if (field->type == SQL_NODE)
            reach_expr(select, names, field->node);
        if (field->type == SQL_LIST)
            reach_exprs(select, names, field->list);
    }
}

void reach_exprs(Select *select, const Names *names, SqlList list)
{
    for (size_t i = 0; i < list.count; i++)
        reach_expr(select, names, list.items[i]);
}

void reach_condition(Select *select, const Names *names, const SqlNode *node, Guard *guard)
{
    if (sql_is(node, "BoolExpr") && str_eq(sql_node_string(node, "boolop"), "AND_EXPR")) {
        SqlList args = sql_node_list(node, "args");
        for (size_t i = 0; i < args.count; i++)
            reach_condition(select, names, args.items[i], guard);
        return;
    }
    if (condition_in(select, names, node, guard))
        return;
    reach_expr(select, names, node);
    bound_condition(select, names, node, guard);
}

/* --- types ------------------------------------------------------------------------------------------------------- */

static const char *type_of_list(Select *select, const Names *names, SqlList list)
{
    const char *type = NULL;
    for (size_t i = 0; i < list.count; i++) {
        const SqlNode *node = list.items[i];
        if (sql_is(node, "CaseWhen"))
            node = sql_node_get(node, "result");
        if (sql_is(node, "A_Const"))
            continue; /* takes the type of the others */
        type = reach_type(select, names, node);
        if (!type)
            return NULL;
    }
    return type;
}

static const char *cast_type(const SqlNode *type)
{
    static const char *const names[][2] = {{"int2", "smallint"},
                                           {"int4", "integer"},
                                           {"int8", "bigint"},
                                           {"float4", "real"},
                                           {"float8", "double precision"},
                                           {"bool", "boolean"},
                                           {"timestamp", "timestamp without time zone"},
                                           {"timestamptz", "timestamp with time zone"},
                                           {"varchar", "character varying"},
                                           {"bpchar", "character"}};
    const char *name = sql_last_name(sql_node_list(type, "names"));
    if (sql_node_list(type, "arrayBounds").count)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(names[i][0], name))
            return names[i][1];
    return name;
}

static const char *call_type(Select *select, const Names *names, const SqlNode *node)
{
    static const char *const known[][2] = {{"count", "bigint"},      {"date_part", "double precision"},
                                           {"extract", "numeric"},   {"make_date", "date"},
                                           {"to_date", "date"},      {"to_timestamp", "timestamp with time zone"},
                                           {"row_number", "bigint"}, {"rank", "bigint"}};
    static const char *const same[] = {"min", "max", "lag", "lead", "first_value", "last_value", "nth_value", "abs"};
    const char *name = sql_last_name(sql_node_list(node, "funcname"));
    const SqlFunctionFacts *facts = name ? sql_catalog_function(select->analysis->catalog, name) : NULL;
    SqlList args = sql_node_list(node, "args");
    if (!facts || facts->user)
        return NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i][0], name) == 0)
            return known[i][1];
    for (size_t i = 0; args.count && i < sizeof same / sizeof *same; i++)
        if (strcmp(same[i], name) == 0)
            return reach_type(select, names, args.items[0]);
    if (args.count >= 2 && (strcmp(name, "date_trunc") == 0 || strcmp(name, "timezone") == 0))
        return strcmp(name, "timezone") == 0 ? "timestamp" : "timestamp with time zone";
    return NULL;
}

static const char *column_type(Select *select, const Names *names, const SqlNode *node)
{
    Target target;
    if (reach_is_star(node) || reach_resolve(select, names, node, &target) != RESOLVED_COLUMN || !target.item)
        return NULL;
    return target.item->relation->columns[target.column].type;
}

/* Sums of what is no text are none. */
static const char *sum_type(Select *select, const Names *names, const SqlNode *node)
{
    SqlList name = sql_node_list(node, "name");
    const char *op = sql_last_name(name);
    if (!op || strlen(op) != 1 || !strchr("+-*/%", *op) || !str_eq(sql_node_string(node, "kind"), "AEXPR_OP"))
        return NULL;
    const SqlNode *sides[] = {sql_node_get(node, "lexpr"), sql_node_get(node, "rexpr")};
    const char *type = NULL;
    for (size_t i = 0; i < 2; i++) {
        if (!sides[i] || sql_is(sides[i], "A_Const"))
            continue;
        type = reach_type(select, names, sides[i]);
        if (!type)
            return NULL;
    }
    return type && (str_starts(type, "date") || str_starts(type, "timestamp") || str_starts(type, "interval"))
               ? "timestamp"
               : type;
}

const char *reach_type(Select *select, const Names *names, const SqlNode *node)
{
    if (!node || !analysis_work(select->analysis, 1))
        return NULL;
    if (sql_is(node, "ColumnRef"))
        return column_type(select, names, node);
    if (sql_is(node, "TypeCast"))
        return cast_type(sql_node_get(node, "typeName"));
    if (sql_is(node, "FuncCall"))
        return call_type(select, names, node);
    if (sql_is(node, "A_Expr"))
        return sum_type(select, names, node);
    if (sql_is(node, "CoalesceExpr") || sql_is(node, "MinMaxExpr"))
        return type_of_list(select, names, sql_node_list(node, "args"));
    if (sql_is(node, "CaseExpr")) {
        const SqlNode *other = sql_node_get(node, "defresult");
        const char *type = type_of_list(select, names, sql_node_list(node, "args"));
        if (!other || sql_is(other, "A_Const"))
            return type;
        const char *last = reach_type(select, names, other);
        return type ? last : NULL;
    }
    return NULL;
}
