#include "sql/lineage.h"

#include <string.h>

#include "base/text.h"
#include "sql/lineage_scope.h"
#include "sql/select.h"

/* --- expressions ------------------------------------------------------------------------------------------------- */

static void read_query(Lineage *l, const SqlNode *select, const LineageScope *outer, LineageRelation *ret);

static void read_expression(Lineage *l, const SqlNode *node, const LineageScope *scope, LineageSet *out);
static void read_list(Lineage *l, SqlList list, const LineageScope *scope, LineageSet *out);

/* `over w`, `over (w ...)`: what the WINDOW clause says of w, which may build on another. */
static void read_window(Lineage *l, const SqlNode *window, const LineageScope *scope, LineageSet *out)
{
    const char *base = sql_node_string(window, "refname");
    if (!base)
        base = sql_node_string(window, "name");
    read_list(l, sql_node_list(window, "partitionClause"), scope, out);
    read_list(l, sql_node_list(window, "orderClause"), scope, out);
    read_expression(l, sql_node_get(window, "startOffset"), scope, out);
    read_expression(l, sql_node_get(window, "endOffset"), scope, out);
    for (size_t i = 0; base && i < scope->windows.count && lineage_spend(l, 1); i++) {
        const SqlNode *named = scope->windows.items[i];
        if (named == window)
            break; /* only those before it count */
        if (str_eq(sql_node_string(named, "name"), base))
            read_expression(l, named, scope, out);
    }
}

static void read_fields(Lineage *l, const SqlNode *node, const LineageScope *scope, LineageSet *out)
{
    for (uint32_t i = 0; i < node->field_count; i++) {
        const SqlField *field = &node->fields[i];
        if (field->type == SQL_NODE)
            read_expression(l, field->node, scope, out);
        if (field->type == SQL_LIST)
            read_list(l, field->list, scope, out);
    }
}

static void read_expression(Lineage *l, const SqlNode *node, const LineageScope *scope, LineageSet *out)
{
    if (!node || !lineage_spend(l, 1))
        return;
    if (l->nested == NESTED_MAX) {
        l->whole = false;
        return;
    }
    if (sql_is(node, "ColumnRef")) {
        lineage_resolve(l, scope, node, out);
        return;
    }
    if (sql_is(node, "SelectStmt")) {
        LineageRelation result = {0};
        read_query(l, node, scope, &result);
        lineage_add_all(l, &result, out);
        return;
    }
    if (sql_is(node, "TypeName")) /* geometry(point, 4326) names no column */
        return;
    l->nested++;
    if (sql_is(node, "WindowDef"))
        read_window(l, node, scope, out);
    else
        read_fields(l, node, scope, out);
    l->nested--;
}

static void read_list(Lineage *l, SqlList list, const LineageScope *scope, LineageSet *out)
{
    for (size_t i = 0; i < list.count; i++)
        read_expression(l, list.items[i], scope, out);
}

/* --- FROM -------------------------------------------------------------------------------------------------------- */

static void add_relation(Lineage *l, LineageScope *scope, LineageRelation relation)
{
    lineage_spend(l, 1);
    if (scope->count == scope->room) {
        scope->room = scope->room ? scope->room * 2 : 4;
        LineageRelation *relations = arena_array(l->arena, scope->room, sizeof *relations);
        if (scope->count)
            memcpy(relations, scope->relations, scope->count * sizeof *relations);
        scope->relations = relations;
    }
    scope->relations[scope->count++] = relation;
}

/* `as x (a, b)`: other names for the first columns. The columns are copied: a CTE's are shared. */
static void rename_columns(Lineage *l, const SqlNode *alias, SqlList names, LineageRelation *relation)
{
    LineageRelation renamed = *relation;
    if (sql_node_string(alias, "aliasname")) {
        renamed.alias = sql_node_string(alias, "aliasname");
        renamed.schema = NULL;
    }
    if (names.count) {
        renamed.columns = NULL;
        renamed.count = renamed.room = 0;
        for (size_t i = 0; i < relation->count; i++) {
            const char *name = i < names.count ? sql_string_value(names.items[i]) : NULL;
            LineageColumn *column = lineage_column(l, &renamed, name ? name : relation->columns[i].name);
            column->from = relation->columns[i].from;
        }
        for (size_t i = relation->count; i < names.count && (relation->any || relation->open.count); i++) {
            LineageColumn *column = lineage_column(l, &renamed, sql_string_value(names.items[i]));
            LineageSet from = {0};
            lineage_add_all(l, relation, &from);
            column->from = from;
        }
    }
    *relation = renamed;
}

static LineageCte *find_cte(const LineageScope *scope, const char *name)
{
    for (; scope; scope = scope->outer)
        for (LineageCte *cte = scope->ctes; cte; cte = cte->before)
            if (str_eq(cte->name, name))
                return cte;
    return NULL;
}

/* A recursive one is read with what its first part gives, and again with what that gives: origins only grow, and two
 * rounds more reach what columns hand on to each other. */
static void read_cte(Lineage *l, LineageCte *cte)
{
    enum { ROUNDS = 3 };
    const SqlNode *query = sql_node_get(cte->node, "ctequery");
    SqlList names = sql_node_list(cte->node, "aliascolnames");
    cte->state = CTE_BUSY;
    bool more = sql_node_get(cte->node, "search_clause") || sql_node_get(cte->node, "cycle_clause");
    const SqlNode *first = sql_node_get(query, "larg");
    bool again = cte->recursive && first;
    if (again) {
        read_query(l, first, cte->defined_in, &cte->result);
        rename_columns(l, NULL, names, &cte->result);
    }
    for (int round = 0; round < (again ? ROUNDS : 1) && l->whole; round++) {
        LineageRelation result = {0};
        read_query(l, query, cte->defined_in, &result);
        rename_columns(l, NULL, names, &result);
        cte->result = result;
        cte->result.any = result.any || more; /* SEARCH and CYCLE add columns */
    }
    cte->state = CTE_DONE;
}

static void read_table(Lineage *l, const SqlNode *node, LineageScope *scope, LineageRelation *ret)
{
    const char *schema = sql_node_string(node, "schemaname"), *name = sql_node_string(node, "relname");
    LineageCte *cte = schema ? NULL : find_cte(scope, name);
    if (cte) {
        if (cte->state == CTE_NEW && l->depth < LINEAGE_DEPTH_MAX)
            read_cte(l, cte);
        else if (cte->state != CTE_DONE && cte->result.count == 0) /* a circle: what it gives is not known yet */
            cte->result.any = true;
        *ret = cte->result;
        ret->alias = name;
        return;
    }
    const char *const *columns = NULL;
    size_t count = 0;
    *ret = (LineageRelation){.alias = name, .schema = schema};
    if (!l->tables->columns(schema, name, &columns, &count, l->tables->data)) {
        lineage_add(l, &ret->open, lineage_origin(l, (SqlOrigin){schema, name, NULL}));
        return;
    }
    for (size_t i = 0; i < count && l->whole; i++) {
        uint32_t number = lineage_origin(l, (SqlOrigin){schema, name, columns[i]});
        lineage_add(l, &lineage_column(l, ret, columns[i])->from, number);
    }
}

/* Functions, XMLTABLE, JSON_TABLE: every column of theirs comes from all that they are given. */
static void read_function(Lineage *l, const SqlNode *node, const LineageScope *scope, LineageRelation *ret)
{
    *ret = (LineageRelation){.any = true};
    for (uint32_t i = 0; i < node->field_count; i++) {
        const SqlField *field = &node->fields[i];
        if (field->type == SQL_NODE && strcmp(field->name, "alias") != 0)
            read_expression(l, field->node, scope, &ret->every);
        if (field->type == SQL_LIST && strcmp(field->name, "coldeflist") != 0)
            read_list(l, field->list, scope, &ret->every);
    }
    SqlList defined = sql_node_list(node, "coldeflist");
    for (size_t i = 0; i < defined.count; i++)
        lineage_column(l, ret, sql_node_string(defined.items[i], "colname"))->from = ret->every;
    ret->any = defined.count == 0;
}

static void read_from(Lineage *l, const SqlNode *node, LineageScope *scope, LineageRelation *ret);

/* A column that both sides of a join have, by USING or NATURAL. */
static void merge_column(Lineage *l, const LineageRelation *left, const LineageRelation *right, const char *name,
                         LineageRelation *ret)
{
    LineageSet from = {0};
    const LineageRelation *sides[] = {left, right};
    for (int i = 0; i < 2; i++)
        if (!lineage_add_named(l, sides[i], name, &from))
            lineage_add_unknown(l, sides[i], name, &from);
    l->reading = true;
    lineage_unite(l, &l->filters, &from);
    l->reading = false;
    lineage_column(l, ret, name)->from = from;
}

/* Columns that both have come first and once; then those of the left, then of the right. */
static void merge_sides(Lineage *l, const LineageRelation *left, const LineageRelation *right, SqlList using,
                        bool natural, LineageRelation *ret)
{
    for (size_t i = 0; i < using.count && l->whole; i++)
        merge_column(l, left, right, sql_string_value(using.items[i]), ret);
    for (size_t i = 0; natural && i < left->count && lineage_spend(l, right->count / 8); i++)
        if (lineage_find_column(right, left->columns[i].name, 0))
            merge_column(l, left, right, left->columns[i].name, ret);
    size_t merged = ret->count;
    for (int side = 0; side < 2; side++) {
        const LineageRelation *from = side ? right : left;
        for (size_t i = 0; i < from->count && lineage_spend(l, 1 + merged / 8); i++) {
            bool seen = false;
            for (size_t j = 0; j < merged && !seen; j++)
                seen = str_eq(ret->columns[j].name, from->columns[i].name);
            if (!seen)
                lineage_copy_column(l, ret, &from->columns[i]);
        }
        lineage_unite(l, &ret->open, &from->open);
        lineage_unite(l, &ret->every, &from->every);
        ret->any = ret->any || from->any;
    }
}

static void read_join(Lineage *l, const SqlNode *node, LineageScope *scope, LineageRelation *ret)
{
    LineageRelation left = {0}, right = {0};
    const SqlNode *alias = sql_node_get(node, "alias");
    size_t before = scope->count;
    read_from(l, sql_node_get(node, "larg"), scope, &left);
    read_from(l, sql_node_get(node, "rarg"), scope, &right);
    read_expression(l, sql_node_get(node, "quals"), scope, &l->filters);
    SqlList using = sql_node_list(node, "usingClause");
    merge_sides(l, &left, &right, using, sql_node_bool(node, "isNatural"), ret);
    if (!alias)
        return;
    rename_columns(l, alias, sql_node_list(alias, "colnames"), ret);
    scope->count = before; /* its sides have no names outside of it */
    add_relation(l, scope, *ret);
}

/* Adds the names of a FROM item to the scope; *ret is what a star gives of it. */
static void read_from(Lineage *l, const SqlNode *node, LineageScope *scope, LineageRelation *ret)
{
    *ret = (LineageRelation){0};
    if (!node || !lineage_spend(l, 1))
        return;
    if (l->nested == NESTED_MAX) {
        l->whole = false;
        return;
    }
    if (sql_is(node, "JoinExpr")) {
        l->nested++;
        read_join(l, node, scope, ret);
        l->nested--;
        return;
    }
    if (sql_is(node, "RangeTableSample")) {
        read_list(l, sql_node_list(node, "args"), scope, &l->filters);
        read_from(l, sql_node_get(node, "relation"), scope, ret);
        return;
    }
    const SqlNode *alias = sql_node_get(node, "alias");
    LineageScope siblings = *scope;
    if (!sql_node_bool(node, "lateral"))
        siblings.count = 0;
    if (sql_is(node, "RangeVar"))
        read_table(l, node, scope, ret);
    else if (sql_is(node, "RangeSubselect"))
        read_query(l, sql_node_get(node, "subquery"), &siblings, ret);
    else
        read_function(l, node, scope, ret);
    rename_columns(l, alias, sql_node_list(alias, "colnames"), ret);
    ret->any = ret->any && sql_node_list(alias, "colnames").count == 0;
    if (ret->any && ret->alias && ret->count == 0) /* f() as x: x is its column, where it has but one */
        lineage_column(l, ret, ret->alias)->from = ret->every;
    add_relation(l, scope, *ret);
}

/* --- SELECT ------------------------------------------------------------------------------------------------------ */

static void add_star(Lineage *l, const LineageRelation *from, LineageRelation *ret)
{
    for (size_t i = 0; i < from->count && l->whole; i++)
        lineage_copy_column(l, ret, &from->columns[i]);
    lineage_unite(l, &ret->open, &from->open);
    ret->any = ret->any || from->any;
    lineage_unite(l, &ret->every, &from->every);
}

static void read_target(Lineage *l, const SqlNode *target, const LineageScope *scope, const LineageRelation *all,
                        LineageRelation *ret)
{
    const SqlNode *value = sql_node_get(target, "val");
    const char *name = sql_target_name(target);
    SqlList fields = sql_node_list(value, "fields");
    if (!name && sql_is(value, "ColumnRef") && fields.count == 1) {
        add_star(l, all, ret);
        return;
    }
    if (!name && sql_is(value, "ColumnRef") && fields.count > 1) {
        const char *alias = sql_string_value(fields.items[fields.count - 2]);
        const char *schema = fields.count > 2 ? sql_string_value(fields.items[fields.count - 3]) : NULL;
        const LineageRelation *relation = alias ? lineage_find_relation(l, scope, schema, alias) : NULL;
        if (relation)
            add_star(l, relation, ret);
        return;
    }
    LineageSet from = {0};
    read_expression(l, value, scope, &from);
    if (name) {
        lineage_column(l, ret, name)->from = from;
        return;
    }
    ret->any = true; /* (f(x)).*: only the server knows its columns */
    lineage_unite(l, &ret->every, &from);
}

/* A name of the output, where no column of the input that is known bears it. */
static bool is_output_name(Lineage *l, const char *name, const LineageScope *scope, const LineageRelation *output)
{
    if (!name || !lineage_find_column(output, name, 0))
        return false;
    lineage_spend(l, output->count / 8);
    for (size_t i = 0; i < scope->count && lineage_spend(l, 1 + scope->relations[i].count / 8); i++)
        if (lineage_find_column(&scope->relations[i], name, 0))
            return false;
    return true;
}

/* GROUP BY 1, and GROUP BY a name of the output that is none of the input; within ROLLUP and parentheses too. */
static void read_groups(Lineage *l, SqlList list, const LineageScope *scope, const LineageRelation *output,
                        LineageSet *out)
{
    for (size_t i = 0; i < list.count && lineage_spend(l, 1); i++) {
        const SqlNode *item = list.items[i], *number = sql_node_get(item, "ival");
        SqlList fields = sql_is(item, "ColumnRef") ? sql_node_list(item, "fields") : (SqlList){0};
        const char *name = fields.count == 1 ? sql_string_value(fields.items[0]) : NULL;
        int64_t at = number ? sql_node_int(number, "ival") : 0;
        if (at >= 1 && (uint64_t)at <= output->count)
            lineage_unite(l, out, &output->columns[at - 1].from);
        else if (is_output_name(l, name, scope, output))
            lineage_add_named(l, output, name, out);
        else if (name && scope->count == 0 && lineage_add_unknown(l, output, name, out))
            continue; /* of a set operation */
        else if (l->nested < NESTED_MAX && (sql_is(item, "GroupingSet") || sql_is(item, "RowExpr"))) {
            l->nested++;
            read_groups(l, sql_node_list(item, sql_is(item, "RowExpr") ? "args" : "content"), scope, output, out);
            l->nested--;
        } else
            read_expression(l, item, scope, out);
    }
}

/* What decides which rows there are only where some are left out. */
static void read_sorts(Lineage *l, SqlList list, const LineageScope *scope, const LineageRelation *output, bool decides)
{
    LineageSet named = {0};
    for (size_t i = 0; i < list.count; i++) {
        const SqlNode *value = sql_node_get(list.items[i], "node");
        read_groups(l, (SqlList){.items = &value, .count = 1}, scope, output, decides ? &l->filters : &named);
    }
}

static void read_values(Lineage *l, SqlList rows, const LineageScope *scope, LineageRelation *ret)
{
    for (size_t i = 0; i < rows.count && l->whole; i++) {
        SqlList items = sql_node_list(rows.items[i], "items");
        for (size_t j = 0; j < items.count && l->whole; j++) {
            if (j >= ret->count)
                lineage_column(l, ret, arena_printf(l->arena, "column%zu", j + 1));
            LineageSet from = ret->columns[j].from;
            read_expression(l, items.items[j], scope, &from);
            ret->columns[j].from = from;
        }
    }
}

static void read_simple(Lineage *l, const SqlNode *select, const LineageScope *outer, LineageRelation *ret)
{
    LineageScope scope = {.outer = outer, .windows = sql_node_list(select, "windowClause")};
    LineageRelation all = {0};
    SqlList from = sql_node_list(select, "fromClause"), targets = sql_node_list(select, "targetList");
    for (size_t i = 0; i < from.count && l->whole; i++) {
        LineageRelation item;
        read_from(l, from.items[i], &scope, &item);
        add_star(l, &item, &all);
    }
    read_values(l, sql_node_list(select, "valuesLists"), &scope, ret);
    for (size_t i = 0; i < targets.count && l->whole; i++)
        read_target(l, targets.items[i], &scope, &all, ret);
    read_expression(l, sql_node_get(select, "whereClause"), &scope, &l->filters);
    read_groups(l, sql_node_list(select, "groupClause"), &scope, ret, &l->filters);
    read_expression(l, sql_node_get(select, "havingClause"), &scope, &l->filters);
    read_groups(l, sql_node_list(select, "distinctClause"), &scope, ret, &l->filters);
    bool decides = sql_node_get(select, "limitCount") || sql_node_get(select, "limitOffset") ||
                   sql_node_list(select, "distinctClause").count;
    read_sorts(l, sql_node_list(select, "sortClause"), &scope, ret, decides);
    read_expression(l, sql_node_get(select, "limitCount"), &scope, &l->filters);
    read_expression(l, sql_node_get(select, "limitOffset"), &scope, &l->filters);
}

static bool is_set_operation(const SqlNode *select)
{
    const char *op = sql_node_string(select, "op");
    return op && strcmp(op, "SETOP_NONE") != 0;
}

/* Columns by position, under the names of the first part. */
static void unite(Lineage *l, const LineageRelation *part, bool except, LineageRelation *ret)
{
    if (except) {
        lineage_add_all(l, part, &l->filters);
        return;
    }
    for (size_t i = 0; i < part->count && l->whole; i++) {
        if (i < ret->count)
            lineage_unite(l, &ret->columns[i].from, &part->columns[i].from);
        else if (ret->any || ret->open.count)
            lineage_copy_column(l, ret, &part->columns[i]);
    }
    if (part->any || part->open.count) /* which of them goes where is not known */
        for (size_t i = part->count; i < ret->count && l->whole; i++) {
            lineage_unite(l, &ret->columns[i].from, &part->open);
            lineage_unite(l, &ret->columns[i].from, &part->every);
        }
    lineage_unite(l, &ret->open, &part->open);
    lineage_unite(l, &ret->every, &part->every);
    ret->any = ret->any || part->any;
}

static void open_with(Lineage *l, const SqlNode *with, LineageScope *scope)
{
    SqlList ctes = sql_node_list(with, "ctes");
    bool recursive = sql_node_bool(with, "recursive");
    for (size_t i = 0; i < ctes.count && lineage_spend(l, 1); i++) {
        LineageCte *cte = arena_alloc(l->arena, sizeof *cte);
        LineageScope *seen = arena_alloc(l->arena, sizeof *seen);
        *seen = (LineageScope){.outer = scope->outer, .ctes = scope->ctes};
        *cte = (LineageCte){.name = sql_node_string(ctes.items[i], "ctename"),
                            .node = ctes.items[i],
                            .defined_in = recursive ? scope : seen,
                            .recursive = recursive,
                            .before = scope->ctes};
        scope->ctes = cte;
    }
}

/* The parts of a chain of set operations, which leans to the left, without going as deep as it is long. */
static void read_parts(Lineage *l, const SqlNode *select, const LineageScope *scope, LineageRelation *ret)
{
    size_t count = 0;
    for (const SqlNode *at = select; is_set_operation(at); at = sql_node_get(at, "larg")) {
        count++;
        if (at != select && sql_node_get(at, "withClause"))
            break;
    }
    const SqlNode **operations = arena_array(l->arena, count + 1, sizeof *operations);
    const SqlNode *at = select;
    for (size_t i = count; i > 0; i--, at = sql_node_get(at, "larg"))
        operations[i - 1] = at;
    size_t first = 0;
    const SqlNode *leftmost = count ? sql_node_get(operations[0], "larg") : select;
    if (count > 1 && sql_node_get(operations[0], "withClause")) /* a chain of its own, in parentheses */
        leftmost = operations[first++];
    if (count == 0)
        read_simple(l, select, scope, ret);
    else
        read_query(l, leftmost, scope, ret);
    for (size_t i = first; i < count && l->whole; i++) {
        LineageRelation part = {0};
        read_query(l, sql_node_get(operations[i], "rarg"), scope, &part);
        unite(l, &part, str_eq(sql_node_string(operations[i], "op"), "SETOP_EXCEPT"), ret);
    }
}

/* CTEs that nothing reads: what they name must be there all the same. */
static void read_unused(Lineage *l, const LineageScope *scope)
{
    LineageSet filters = l->filters;
    for (LineageCte *cte = scope->ctes; cte && l->depth < LINEAGE_DEPTH_MAX; cte = cte->before)
        if (cte->state == CTE_NEW)
            read_cte(l, cte);
    l->filters = filters;
}

static void read_query(Lineage *l, const SqlNode *select, const LineageScope *outer, LineageRelation *ret)
{
    if (!select || !lineage_spend(l, 1))
        return;
    if (!sql_is(select, "SelectStmt") || l->depth >= LINEAGE_DEPTH_MAX) {
        l->whole = false;
        return;
    }
    l->depth++;
    LineageScope *scope = arena_alloc(l->arena, sizeof *scope); /* outlives the call in what CTEs can see */
    *scope = (LineageScope){.outer = outer};
    open_with(l, sql_node_get(select, "withClause"), scope);
    read_parts(l, select, scope, ret);
    if (is_set_operation(select)) /* sorted by its own columns alone */
        read_sorts(l, sql_node_list(select, "sortClause"), scope, ret, sql_node_get(select, "limitCount") != NULL);
    read_unused(l, scope);
    l->depth--;
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static SqlOrigins origins_of(const Lineage *l, const LineageSet *set)
{
    SqlOrigin *items = arena_array(l->arena, set->count, sizeof *items);
    for (size_t i = 0; i < set->count; i++)
        items[i] = l->origins[set->items[i]];
    return (SqlOrigins){items, set->count};
}

static SqlOrigins origins_read(const Lineage *l)
{
    size_t count = 0;
    SqlOrigin *items = arena_array(l->arena, l->origin_count + 1, sizeof *items);
    for (size_t i = 0; i < l->origin_count; i++)
        if (l->read[i])
            items[count++] = l->origins[i];
    return (SqlOrigins){items, count};
}

void sql_lineage(Arena *arena, const SqlTree *tree, const SqlLineageTables *tables, SqlLineage *ret)
{
    Lineage l = {.arena = arena, .tables = tables, .whole = true};
    LineageRelation result = {0};
    *ret = (SqlLineage){0};
    if (tree->count)
        read_query(&l, tree->statements[0].node, NULL, &result);
    SqlLineageColumn *columns = arena_array(arena, result.count, sizeof *columns);
    for (size_t i = 0; i < result.count; i++)
        columns[i] = (SqlLineageColumn){result.columns[i].name, origins_of(&l, &result.columns[i].from)};
    ret->columns = columns;
    ret->count = result.count;
    ret->stars = origins_of(&l, &result.open);
    ret->filters = origins_of(&l, &l.filters);
    ret->reads = origins_read(&l);
    ret->missing = l.missing;
    ret->missing_count = l.missing_count;
    ret->whole = l.whole && !result.any;
}
