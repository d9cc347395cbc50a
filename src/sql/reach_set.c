/* UNION, EXCEPT, INTERSECT, with and without ALL; VALUES. A row of the result with time u is made of the branches' rows
 * with time u, where each branch has its time in the same column. */
#include <string.h>

#include "base/text.h"
#include "sql/reach_analysis.h"

static bool is_set(const SqlNode *node)
{
    return sql_is(node, "SelectStmt") && !str_eq(sql_node_string(node, "op"), "SETOP_NONE");
}

/* Its left branch is a set operation with nothing of its own, as in a chain of UNIONs. */
static bool continues(const SqlNode *node)
{
    const SqlNode *left = sql_node_get(node, "larg");
    return is_set(left) && !sql_node_get(left, "withClause") && !sql_node_list(left, "sortClause").count &&
           !sql_node_get(left, "limitCount") && !sql_node_get(left, "limitOffset");
}

static void check_order(Analysis *analysis, const SqlNode *node, Environment env)
{
    SqlList order = sql_node_list(node, "sortClause");
    for (size_t i = 0; i < order.count; i++) {
        const SqlNode *key = sql_node_get(order.items[i], "node");
        if (!sql_is(key, "ColumnRef") && !sql_is(key, "A_Const"))
            analysis_volatile(analysis, env.text, node_offset(key), "ORDER BY of a form that is not followed");
    }
}

/* Leaves of both, linked by the columns that carry time in both. */
static const Relation *combine(Analysis *analysis, const Relation *a, const Relation *b, Environment env,
                               const SqlNode *node)
{
    Relation *both = arena_alloc(analysis->arena, sizeof *both);
    Column *columns = arena_array(analysis->arena, a->column_count, sizeof *columns);
    Leaf *leaves = arena_array(analysis->arena, a->leaf_count + b->leaf_count, sizeof *leaves);
    *both = (Relation){.known = a->known && b->known, .columns = columns, .column_count = a->column_count};
    both->untimed = a->untimed.sentence ? a->untimed : b->untimed;
    if (both->known && a->column_count != b->column_count)
        analysis_full(analysis, env.text, node_offset(node), "branches of different numbers of columns");
    for (size_t i = 0; i < a->column_count; i++) {
        const Column *other = i < b->column_count ? &b->columns[i] : NULL;
        columns[i] = a->columns[i];
        if (!other || other->time != columns[i].time) {
            columns[i].time = SQL_TIME_NONE;
            if (!both->untimed.sentence)
                both->untimed = analysis_note(analysis, env.text, node_offset(node),
                                              "the time does not stand in the same column of every branch");
        }
        if (!other || !other->type || !columns[i].type || strcmp(other->type, columns[i].type) != 0)
            columns[i].type = NULL;
    }
    for (size_t i = 0; i < a->leaf_count + b->leaf_count; i++) {
        Leaf *leaf = &leaves[i];
        *leaf = i < a->leaf_count ? a->leaves[i] : b->leaves[i - a->leaf_count];
        Link *links = arena_array(analysis->arena, leaf->link_count, sizeof *links);
        size_t count = 0;
        for (size_t l = 0; l < leaf->link_count; l++) {
            const Link *link = &leaf->links[l];
            if (link->var || (link->column < both->column_count && columns[link->column].time != SQL_TIME_NONE))
                links[count++] = *link;
        }
        leaf->links = links;
        leaf->link_count = count;
        if (!count && !leaf->why.sentence)
            leaf->why = both->untimed;
    }
    both->leaves = leaves;
    both->leaf_count = a->leaf_count + b->leaf_count;
    return both;
}

const Relation *reach_set(Analysis *analysis, const SqlNode *node, Environment env)
{
    size_t count = 1;
    for (const SqlNode *n = node; continues(n); n = sql_node_get(n, "larg"))
        count++;
    const SqlNode **chain = arena_array(analysis->arena, count, sizeof *chain);
    const SqlNode *n = node;
    for (size_t i = count; i-- > 0; n = sql_node_get(n, "larg"))
        chain[i] = n;
    check_order(analysis, node, env);
    env.depth++;
    const Relation *all = reach_query(analysis, sql_node_get(chain[0], "larg"), env);
    for (size_t i = 0; i < count && analysis_work(analysis, 1 + all->leaf_count + all->column_count); i++) {
        const SqlNode *right = sql_node_get(chain[i], "rarg");
        all = combine(analysis, all, reach_query(analysis, right, env), env, right);
    }
    return all;
}

const Relation *reach_values(Select *select, SqlList rows)
{
    Arena *arena = select->analysis->arena;
    Relation *relation = arena_alloc(arena, sizeof *relation);
    Names *names = arena_alloc(arena, sizeof *names);
    names->outer = select->env.names;
    select->names = names;
    size_t count = sql_node_list(rows.items[0], "items").count;
    Column *columns = arena_array(arena, count, sizeof *columns);
    for (size_t i = 0; i < count && analysis_work(select->analysis, 1); i++)
        columns[i].name = arena_printf(arena, "column%zu", i + 1);
    for (size_t i = 0; i < count; i++)
        if (!columns[i].name)
            columns[i].name = "";
    reach_exprs(select, names, rows);
    *relation = (Relation){.known = true, .columns = columns, .column_count = count};
    bound_leaves(select, relation, arena_array(arena, count, sizeof(TimeExpr)),
                 arena_array(arena, count, sizeof(WindowPlan *)));
    return relation;
}
