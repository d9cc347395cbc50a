/* FROM: items, what their columns are called, and how joins tie them together. */
#include <string.h>

#include "base/text.h"
#include "sql/reach_analysis.h"

/* An arm of the FROM tree. */
typedef struct Part {
    Item **items;
    size_t item_count, item_cap;
    VisibleColumn *columns;
    size_t column_count, column_cap;
} Part;

typedef struct From {
    Select *select;
    const Names *left; /* what LATERAL sees of this level */
    Guard *guard;
    bool lost; /* under a full join: nothing there has a time */
} From;

static void from_node(const From *from, const SqlNode *node, Part *ret);

void select_add_source(Select *select, const Relation *relation, const Item *item, size_t offset)
{
    select->sources =
        analysis_grow(select->analysis, select->sources, select->source_count, &select->source_cap, sizeof(Source));
    select->sources[select->source_count++] =
        (Source){.relation = relation, .item = item, .unbound = select->in_outer_condition, .offset = offset};
}

Item *select_new_item(Select *select, const Relation *relation, Guard *guard, size_t offset)
{
    Arena *arena = select->analysis->arena;
    Item *item = arena_alloc(arena, sizeof *item);
    const char **names = arena_array(arena, relation->column_count, sizeof *names);
    Var **vars = arena_array(arena, relation->column_count, sizeof *vars);
    *item =
        (Item){.owner = select, .relation = relation, .names = names, .vars = vars, .guard = guard, .offset = offset};
    for (size_t i = 0; i < relation->column_count; i++) {
        const Column *column = &relation->columns[i];
        names[i] = column->name;
        if (column->time == SQL_TIME_NONE)
            continue;
        vars[i] = arena_alloc(arena, sizeof **vars);
        *vars[i] = (Var){.item = item, .column = i, .type = column->time};
    }
    select_add_source(select, relation, item, offset);
    return item;
}

static const Names *names_of(const Select *select, const Part *part, const Names *beside)
{
    Names *names = arena_alloc(select->analysis->arena, sizeof *names);
    *names = (Names){.items = part->items,
                     .item_count = part->item_count,
                     .columns = part->columns,
                     .column_count = part->column_count,
                     .beside = beside,
                     .outer = select->env.names};
    return names;
}

static void add_column(Select *select, Part *part, VisibleColumn column)
{
    part->columns =
        analysis_grow(select->analysis, part->columns, part->column_count, &part->column_cap, sizeof(VisibleColumn));
    part->columns[part->column_count++] = column;
}

static void add_item(Select *select, Part *part, Item *item)
{
    part->items = analysis_grow(select->analysis, part->items, part->item_count, &part->item_cap, sizeof(Item *));
    part->items[part->item_count++] = item;
}

/* Puts an item under its alias, with the columns' names of the alias' list. */
static void finish_item(const From *from, Item *item, const SqlNode *alias, const char *name, Part *ret)
{
    Select *select = from->select;
    SqlList list = sql_node_list(alias, "colnames");
    const char **names = arena_array(select->analysis->arena, item->relation->column_count, sizeof *names);
    item->alias = alias ? sql_node_string(alias, "aliasname") : name;
    if (list.count > item->relation->column_count && item->relation->known)
        analysis_full(select->analysis, select->env.text, item->offset, "%s has fewer columns than names in its list",
                      item->alias ? item->alias : "a subquery");
    for (size_t i = 0; i < item->relation->column_count; i++) {
        names[i] = i < list.count ? sql_string_value(list.items[i]) : item->names[i];
        if (!names[i])
            names[i] = "";
        add_column(select, ret, (VisibleColumn){.name = names[i], .item = item, .column = i});
    }
    item->names = names;
    if (from->lost)
        item->vars = arena_array(select->analysis->arena, item->relation->column_count, sizeof *item->vars);
    add_item(select, ret, item);
}

static size_t place_of(const Select *select, const SqlNode *node)
{
    size_t offset = node_offset(node);
    return offset ? offset : node_offset(select->node);
}

static void from_table(const From *from, const SqlNode *node, Part *ret)
{
    Select *select = from->select;
    const Relation *relation = reach_relation(select->analysis, node, select->env);
    Item *item = select_new_item(select, relation, from->guard, place_of(select, node));
    finish_item(from, item, sql_node_get(node, "alias"), sql_node_string(node, "relname"), ret);
}

static void from_subquery(const From *from, const SqlNode *node, Part *ret)
{
    Select *select = from->select;
    Environment env = select->env;
    env.depth++;
    if (sql_node_bool(node, "lateral") && from->left)
        env.names = from->left;
    const Relation *relation = reach_query(select->analysis, sql_node_get(node, "subquery"), env);
    Item *item = select_new_item(select, relation, from->guard, place_of(select, node));
    finish_item(from, item, sql_node_get(node, "alias"), NULL, ret);
}

/* Functions of one column each; what that is called: NULL: as the alias says, or the function. */
static bool function_column(const char *function, const char **ret)
{
    static const char *const columns[][2] = {
        {"generate_series", NULL},
        {"unnest", NULL},
        {"generate_subscripts", NULL},
        {"regexp_split_to_table", NULL},
        {"string_to_table", NULL},
        {"json_object_keys", NULL},
        {"jsonb_object_keys", NULL},
        {"json_array_elements", "value"},
        {"jsonb_array_elements", "value"},
        {"json_array_elements_text", "value"},
        {"jsonb_array_elements_text", "value"},
    };
    for (size_t i = 0; function && i < sizeof columns / sizeof *columns; i++)
        if (strcmp(columns[i][0], function) == 0) {
            *ret = columns[i][1];
            return true;
        }
    return false;
}

static const Relation *function_relation(const From *from, const SqlNode *node, const SqlNode *call)
{
    Select *select = from->select;
    Arena *arena = select->analysis->arena;
    Relation *relation = arena_alloc(arena, sizeof *relation);
    const char *function = sql_last_name(sql_node_list(call, "funcname")), *name = NULL;
    const char *alias = sql_node_string(sql_node_get(node, "alias"), "aliasname");
    bool ordinality = sql_node_bool(node, "ordinality");
    if (!function_column(function, &name) || sql_node_list(call, "args").count == 0 ||
        (str_eq(function, "unnest") && sql_node_list(call, "args").count > 1)) {
        analysis_full(select->analysis, select->env.text, place_of(select, call), "the columns of %s() are not known",
                      function ? function : "a function");
        return relation;
    }
    Column *columns = arena_array(arena, 2, sizeof *columns);
    columns[0].name = name ? name : alias ? alias : function;
    if (str_eq(function, "generate_series"))
        columns[0].type = "anyelement"; /* numbers or times: no text, whatever else */
    columns[1] = (Column){.name = "ordinality", .type = "bigint"};
    relation->known = true;
    relation->columns = columns;
    relation->column_count = ordinality ? 2 : 1;
    return relation;
}

static void from_function(const From *from, const SqlNode *node, Part *ret)
{
    Select *select = from->select;
    SqlList functions = sql_node_list(node, "functions");
    SqlList pair = functions.count ? sql_node_list(functions.items[0], "items") : (SqlList){0};
    const SqlNode *call = pair.count ? pair.items[0] : NULL;
    bool typed = sql_node_list(node, "coldeflist").count || (pair.count > 1 && pair.items[1]);
    if (functions.count != 1 || sql_node_bool(node, "is_rowsfrom") || typed || !sql_is(call, "FuncCall")) {
        analysis_volatile(select->analysis, select->env.text, place_of(select, node),
                          "a function in FROM of a form that the analysis does not follow");
        return;
    }
    const Names *names = from->left ? from->left : select->env.names;
    reach_expr(select, names, call);
    Item *item = select_new_item(select, function_relation(from, node, call), from->guard, place_of(select, call));
    item->function = true;
    finish_item(from, item, sql_node_get(node, "alias"), sql_last_name(sql_node_list(call, "funcname")), ret);
}

/* --- joins ------------------------------------------------------------------------------------------------------- */

static bool is_merged(SqlList using, const char *name)
{
    for (size_t i = 0; i < using.count; i++)
        if (str_eq(sql_string_value(using.items[i]), name))
            return true;
    return false;
}

static const VisibleColumn *find_column(const Part *part, const char *name)
{
    const VisibleColumn *found = NULL;
    for (size_t i = 0; i < part->column_count; i++)
        if (strcmp(part->columns[i].name, name) == 0) {
            if (found)
                return NULL;
            found = &part->columns[i];
        }
    return found;
}

static const Column *column_of(const VisibleColumn *visible)
{
    return visible->item ? &visible->item->relation->columns[visible->column] : NULL;
}

static Var *var_of(const VisibleColumn *visible) { return visible->item ? visible->item->vars[visible->column] : NULL; }

/* The merged column is the kept side's own where both are of one type; a full join makes one out of both. */
static void merge_column(const From *from, const SqlNode *join, const VisibleColumn *left, const VisibleColumn *right,
                         Guard *guard, Part *ret)
{
    Select *select = from->select;
    const char *type = sql_node_string(join, "jointype");
    const VisibleColumn *kept = str_eq(type, "JOIN_RIGHT") ? right : left;
    const Column *a = column_of(left), *b = column_of(right);
    VisibleColumn merged = {.name = left->name};
    if (!str_eq(type, "JOIN_FULL") && a && b && a->type && str_eq(a->type, b->type) && a->time == b->time)
        merged = (VisibleColumn){.name = left->name, .item = kept->item, .column = kept->column};
    add_column(select, ret, merged);
    if (!str_eq(type, "JOIN_FULL") && var_of(left) && var_of(right)) {
        TimeExpr x = {.var = var_of(left), .type = var_of(left)->type};
        TimeExpr y = {.var = var_of(right), .type = var_of(right)->type};
        bound_equal(select, &x, &y, guard, place_of(select, join));
    }
}

static void merge_using(const From *from, const SqlNode *join, const Part *left, const Part *right, Guard *guard,
                        Part *ret)
{
    Select *select = from->select;
    SqlList using = sql_node_list(join, "usingClause");
    if (using.count)
        reach_operator_named(select, "=", place_of(select, join));
    for (size_t i = 0; i < using.count; i++) {
        const char *name = sql_string_value(using.items[i]);
        const VisibleColumn *a = name ? find_column(left, name) : NULL, *b = name ? find_column(right, name) : NULL;
        if (a && b)
            merge_column(from, join, a, b, guard, ret);
        else
            analysis_full(select->analysis, select->env.text, place_of(select, join),
                          "the columns that USING (%s) joins are not known", name ? name : "");
    }
    const Part *sides[] = {left, right};
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < sides[side]->column_count; i++)
            if (!is_merged(using, sides[side]->columns[i].name))
                add_column(select, ret, sides[side]->columns[i]);
}

static void join_condition(const From *from, const SqlNode *join, const Part *both, Guard *guard)
{
    Select *select = from->select;
    const SqlNode *quals = sql_node_get(join, "quals");
    const Names *names = names_of(select, both, NULL);
    bool outer = !str_eq(sql_node_string(join, "jointype"), "JOIN_INNER");
    bool before = select->in_outer_condition;
    select->in_outer_condition = before || outer || guard || from->lost;
    if (from->lost || str_eq(sql_node_string(join, "jointype"), "JOIN_FULL"))
        reach_expr(select, names, quals);
    else
        reach_condition(select, names, quals, guard);
    select->in_outer_condition = before;
}

static Guard *new_guard(const From *from)
{
    Guard *guard = arena_alloc(from->select->analysis->arena, sizeof *guard);
    guard->up = from->guard;
    return guard;
}

static void check_join(const From *from, const SqlNode *join)
{
    static const char *const types[] = {"JOIN_INNER", "JOIN_LEFT", "JOIN_RIGHT", "JOIN_FULL"};
    Select *select = from->select;
    bool known = reach_is_one_of(sql_node_string(join, "jointype"), types, sizeof types / sizeof *types);
    if (!known || sql_node_get(join, "alias") || sql_node_get(join, "join_using_alias"))
        analysis_full(select->analysis, select->env.text, place_of(select, join),
                      "a join of a form that the analysis does not follow");
    if (sql_node_bool(join, "isNatural"))
        analysis_full(select->analysis, select->env.text, place_of(select, join),
                      "NATURAL JOIN joins by whatever columns are there; name them with USING");
}

static void from_join(const From *from, const SqlNode *join, Part *ret)
{
    Select *select = from->select;
    const char *type = sql_node_string(join, "jointype");
    Part left = {0}, right = {0};
    From arm = *from;
    check_join(from, join);
    arm.lost = from->lost || str_eq(type, "JOIN_FULL");
    Guard *guard = str_eq(type, "JOIN_LEFT") || str_eq(type, "JOIN_RIGHT") ? new_guard(from) : from->guard;
    arm.guard = str_eq(type, "JOIN_RIGHT") ? guard : from->guard;
    from_node(&arm, sql_node_get(join, "larg"), &left);
    arm.left = names_of(select, &left, from->left);
    arm.guard = str_eq(type, "JOIN_LEFT") ? guard : from->guard;
    from_node(&arm, sql_node_get(join, "rarg"), &right);
    const Part *sides[] = {&left, &right};
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < sides[side]->item_count; i++)
            add_item(select, ret, sides[side]->items[i]);
    merge_using(&arm, join, &left, &right, guard, ret);
    if (sql_node_get(join, "quals"))
        join_condition(&arm, join, ret, guard);
}

static void from_node(const From *from, const SqlNode *node, Part *ret)
{
    Select *select = from->select;
    if (!analysis_work(select->analysis, 1 + select->source_count / 8))
        return;
    if (sql_is(node, "RangeVar"))
        from_table(from, node, ret);
    else if (sql_is(node, "RangeSubselect"))
        from_subquery(from, node, ret);
    else if (sql_is(node, "RangeFunction"))
        from_function(from, node, ret);
    else if (sql_is(node, "JoinExpr"))
        from_join(from, node, ret);
    else if (sql_is(node, "RangeTableSample"))
        analysis_volatile(select->analysis, select->env.text, place_of(select, node),
                          "TABLESAMPLE takes other rows each time");
    else
        analysis_volatile(select->analysis, select->env.text, place_of(select, node),
                          "a FROM item that the analysis does not know (%s)", node ? node->kind : "none");
}

void reach_from(Select *select, SqlList list)
{
    const Names *left = NULL;
    Part all = {0};
    for (size_t i = 0; i < list.count; i++) {
        Part part = {0};
        From from = {.select = select, .left = left};
        from_node(&from, list.items[i], &part);
        left = names_of(select, &part, left);
        for (size_t j = 0; j < part.item_count; j++)
            add_item(select, &all, part.items[j]);
        for (size_t j = 0; j < part.column_count; j++)
            add_column(select, &all, part.columns[j]);
    }
    select->names = names_of(select, &all, NULL);
}
