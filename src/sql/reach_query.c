/* Queries: a SELECT with all its clauses; CTEs; the relations that names stand for. */
#include <string.h>

#include "base/text.h"
#include "sql/reach_analysis.h"
#include "sql/select.h"

static const Relation nothing_known = {0};

static const Relation *give_up(Analysis *analysis, Environment env, const SqlNode *node, const char *what)
{
    analysis_volatile(analysis, env.text, node_offset(node), "%s", what);
    return &nothing_known;
}

/* Each use of a table, CTE or query is looked at by itself. */
static bool expand(Analysis *analysis, Environment env, const SqlNode *node)
{
    if (++analysis->expansions <= REACH_INPUTS_MAX)
        return true;
    analysis_volatile(analysis, env.text, node_offset(node),
                      "the query reads tables and CTEs more than %d times in all", REACH_INPUTS_MAX);
    return false;
}

/* --- names of relations ------------------------------------------------------------------------------------------ */

static const Relation *renamed(Analysis *analysis, Environment env, const Relation *relation, SqlList names,
                               const SqlNode *node)
{
    Relation *copy = arena_alloc(analysis->arena, sizeof *copy);
    Column *columns = arena_array(analysis->arena, relation->column_count, sizeof *columns);
    *copy = *relation;
    if (names.count > relation->column_count && relation->known)
        analysis_full(analysis, env.text, node_offset(node), "there are more names than columns");
    for (size_t i = 0; i < relation->column_count; i++) {
        columns[i] = relation->columns[i];
        if (i < names.count && sql_string_value(names.items[i]))
            columns[i].name = sql_string_value(names.items[i]);
    }
    copy->columns = columns;
    return copy;
}

static const Relation *reach_cte(Analysis *analysis, const Ctes *ctes, size_t index, Environment env,
                                 const SqlNode *range_var)
{
    const SqlNode *cte = ctes->list.items[index];
    if (ctes->active[index]) {
        analysis_full(analysis, env.text, node_offset(range_var), "the query is recursive");
        return &nothing_known;
    }
    if (!expand(analysis, env, range_var))
        return &nothing_known;
    Ctes *seen = arena_alloc(analysis->arena, sizeof *seen);
    *seen = *ctes;
    if (!ctes->recursive)
        seen->visible = index;
    Environment inner = {.text = env.text, .ctes = seen, .names = ctes->names, .depth = env.depth + 1};
    if (sql_node_get(cte, "search_clause") || sql_node_get(cte, "cycle_clause"))
        return give_up(analysis, env, cte, "SEARCH and CYCLE are not followed");
    ctes->active[index] = true;
    const Relation *relation = reach_query(analysis, sql_node_get(cte, "ctequery"), inner);
    ctes->active[index] = false;
    return renamed(analysis, env, relation, sql_node_list(cte, "aliascolnames"), cte);
}

static const Relation *find_cte(Analysis *analysis, const char *name, Environment env, const SqlNode *range_var)
{
    for (const Ctes *ctes = env.ctes; ctes; ctes = ctes->outer) {
        size_t visible = ctes->recursive ? ctes->list.count : ctes->visible;
        if (!analysis_work(analysis, visible / 4))
            return &nothing_known;
        for (size_t i = 0; i < visible; i++)
            if (str_eq(sql_node_string(ctes->list.items[i], "ctename"), name))
                return reach_cte(analysis, ctes, i, env, range_var);
    }
    return NULL;
}

static bool find_ref(const SqlRefs *refs, int location, size_t *ret)
{
    size_t low = 0, high = refs->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if ((int64_t)refs->items[mid].offset < location)
            low = mid + 1;
        else
            high = mid;
    }
    *ret = low;
    return low < refs->count && (int64_t)refs->items[low].offset == location;
}

static const Relation *reach_table(Analysis *analysis, const SqlRelationFacts *facts, Environment env, size_t ref)
{
    Relation *relation = arena_alloc(analysis->arena, sizeof *relation);
    Leaf *leaf = arena_alloc(analysis->arena, sizeof *leaf);
    Column *columns = arena_array(analysis->arena, facts->column_count, sizeof *columns);
    const SqlRef *at = &analysis->texts[env.text].text.refs.items[ref];
    const char *label = sql_relation_label(facts);
    leaf->input = analysis->input_count;
    analysis->inputs[analysis->input_count++] = (ReachInput){.relation = facts,
                                                             .ref = ref,
                                                             .text = env.text,
                                                             .line = at->line + analysis->texts[env.text].lines_before,
                                                             .column = at->column};
    if (facts->kind == SQL_RELATION_OTHER)
        leaf->why = analysis_note(analysis, env.text, at->offset, "%s is %s, whose changes are not known", label,
                                  facts->other ? facts->other : "another relation");
    else if (!facts->time_column || facts->time_type == SQL_TIME_NONE)
        leaf->why = analysis_note(analysis, env.text, at->offset,
                                  "%s has no time_column: any change in it may reach every row", label);
    Link *link = arena_alloc(analysis->arena, sizeof *link);
    for (size_t i = 0; i < facts->column_count; i++) {
        columns[i] = (Column){.name = facts->columns[i].name, .type = facts->columns[i].type};
        if (leaf->why.sentence || !str_eq(facts->columns[i].name, facts->time_column))
            continue;
        columns[i].time = facts->time_type;
        *link = (Link){.column = i};
        leaf->links = link;
        leaf->link_count = 1;
    }
    *relation = (Relation){.known = facts->column_count > 0,
                           .columns = columns,
                           .column_count = facts->column_count,
                           .leaves = leaf,
                           .leaf_count = 1};
    if (!relation->known)
        analysis_full(analysis, env.text, at->offset, "the columns of %s are not known", label);
    return relation;
}

static size_t add_text(Analysis *analysis, AnalysisText text)
{
    analysis->texts =
        analysis_grow(analysis, analysis->texts, analysis->text_count, &analysis->text_cap, sizeof(AnalysisText));
    sql_refs(analysis->arena, text.text.tree, &text.text.refs);
    analysis->texts[analysis->text_count] = text;
    return analysis->text_count++;
}

/* A view or ephemeral model: its query, with nothing around it. */
static const Relation *reach_view(Analysis *analysis, const SqlRelationFacts *facts, Environment env, size_t ref,
                                  const SqlNode *range_var)
{
    const SqlTree *tree = facts->query;
    if (!tree || tree->count != 1 || !analysis_work(analysis, tree->token_count))
        return give_up(analysis, env, range_var, "a view whose query is not known");
    size_t text = add_text(analysis, (AnalysisText){.text = {.tree = tree, .parent = env.text, .parent_ref = ref},
                                                    .file = facts->file,
                                                    .lines_before = facts->lines_before});
    Environment inner = {.text = text, .depth = env.depth + 1};
    const Relation *relation = reach_query(analysis, tree->statements[0].node, inner);
    bool same = facts->column_count == 0 || (relation->columns && facts->column_count == relation->column_count);
    for (size_t i = 0; same && i < facts->column_count; i++)
        same = str_eq(facts->columns[i].name, relation->columns[i].name);
    if (!same)
        analysis_full(analysis, env.text, node_offset(range_var), "%s has other columns than its query", facts->name);
    return relation;
}

const Relation *reach_relation(Analysis *analysis, const SqlNode *node, Environment env)
{
    static const char *const fields[] = {"schemaname", "relname", "inh", "relpersistence", "alias"};
    const char *schema = sql_node_string(node, "schemaname"), *name = sql_node_string(node, "relname");
    for (uint32_t i = 0; i < node->field_count; i++)
        if (!reach_is_one_of(node->fields[i].name, fields, sizeof fields / sizeof *fields))
            return give_up(analysis, env, node, "a reference of a form that the analysis does not follow");
    const Relation *cte = schema || !name ? NULL : find_cte(analysis, name, env, node);
    if (cte)
        return cte;
    size_t ref;
    if (!find_ref(&analysis->texts[env.text].text.refs, node->location, &ref) || !expand(analysis, env, node))
        return give_up(analysis, env, node, "a reference that is not followed");
    const SqlRef *at = &analysis->texts[env.text].text.refs.items[ref];
    const SqlRelationFacts *facts = sql_catalog_relation(analysis->catalog, schema, name);
    if (at->system)
        return give_up(analysis, env, node, "it reads PostgreSQL's own catalog, whose changes are not recorded");
    if (!facts) {
        analysis_volatile(analysis, env.text, at->offset, "nothing is known of %s", name);
        return &nothing_known;
    }
    if (at->only)
        analysis_full(analysis, env.text, at->offset, "ONLY reads a part of %s", name);
    if (facts->kind == SQL_RELATION_QUERY)
        return reach_view(analysis, facts, env, ref, node);
    return reach_table(analysis, facts, env, ref);
}

/* --- SELECT ------------------------------------------------------------------------------------------------------ */

enum { TIMED_MAX = 16 }; /* columns of one query that carry time; more: not followed */

typedef struct Outputs {
    Column *columns;
    TimeExpr *times;
    const SqlNode **values; /* NULL for those of a star */
    size_t count, cap, times_cap, values_cap;
    size_t timed;
} Outputs;

static void add_output(Select *select, Outputs *outputs, const char *name, const char *type, TimeExpr time,
                       const SqlNode *value)
{
    Analysis *analysis = select->analysis;
    bool timed = time.var && !time.shifted && time.var->item->owner == select && !time.var->item->guard &&
                 outputs->timed < TIMED_MAX;
    if (timed)
        time = time_finish(time);
    timed = timed && time.var;
    outputs->columns = analysis_grow(analysis, outputs->columns, outputs->count, &outputs->cap, sizeof(Column));
    outputs->times = analysis_grow(analysis, outputs->times, outputs->count, &outputs->times_cap, sizeof(TimeExpr));
    outputs->values = analysis_grow(analysis, outputs->values, outputs->count, &outputs->values_cap, sizeof(void *));
    outputs->columns[outputs->count] =
        (Column){.name = name ? name : "?column?", .type = type, .time = timed ? time.type : SQL_TIME_NONE};
    outputs->times[outputs->count] = timed ? time : (TimeExpr){0};
    outputs->values[outputs->count++] = value;
    outputs->timed += timed;
}

/* Why a column that speaks of a time does not carry it. */
static void note_lost(Select *select, const TimeExpr *time, const SqlNode *value, Relation *relation)
{
    if (relation->untimed.sentence || !time->var)
        return;
    const char *name = time->var->item->names[time->var->column];
    size_t offset = value ? node_offset(value) : node_offset(select->node);
    if (time->var->item->owner == select && time->var->item->guard)
        relation->untimed = analysis_note(select->analysis, select->env.text, offset,
                                          "%s may be null for any row: its side of the join may find no match", name);
    else if (time->shifted)
        relation->untimed =
            analysis_note(select->analysis, select->env.text, offset, "%s is not kept as it is, but added to", name);
}

static void output_column(Select *select, Outputs *outputs, const char *name, const Item *item, size_t column)
{
    Var *var = item ? item->vars[column] : NULL;
    add_output(select, outputs, name, item ? item->relation->columns[column].type : NULL,
               (TimeExpr){.var = var, .type = var ? var->type : SQL_TIME_NONE}, NULL);
}

static void output_star(Select *select, Outputs *outputs, const SqlNode *value)
{
    Analysis *analysis = select->analysis;
    SqlList fields = sql_node_list(value, "fields");
    const Item *item = NULL;
    if (sql_is(value, "ColumnRef") && fields.count == 2)
        item = reach_resolve_star(select->names, sql_string_value(fields.items[0]));
    if (!sql_is(value, "ColumnRef"))
        reach_expr(select, select->names, sql_node_get(value, "arg"));
    if (!sql_is(value, "ColumnRef") || (!item && fields.count > 1)) {
        analysis_full(analysis, select->env.text, node_offset(value), "it is not sure which columns the * stands for");
        return;
    }
    if (item && !analysis_work(analysis, item->relation->column_count))
        return;
    for (size_t i = 0; item && i < item->relation->column_count; i++)
        output_column(select, outputs, item->names[i], item, i);
    if (item || !analysis_work(analysis, select->names->column_count))
        return;
    for (size_t i = 0; i < select->names->column_count; i++) {
        const VisibleColumn *visible = &select->names->columns[i];
        output_column(select, outputs, visible->name, visible->item, visible->column);
    }
}

static void read_targets(Select *select, Outputs *outputs, Relation *relation)
{
    SqlList targets = sql_node_list(select->node, "targetList");
    for (size_t i = 0; i < targets.count && analysis_work(select->analysis, 1); i++) {
        const SqlNode *value = sql_node_get(targets.items[i], "val");
        if (sql_node_list(targets.items[i], "indirection").count)
            analysis_full(select->analysis, select->env.text, node_offset(targets.items[i]), "an unknown output");
        if (reach_is_star(value)) {
            output_star(select, outputs, value);
            continue;
        }
        reach_expr(select, select->names, value);
        TimeExpr time = time_of(select, select->names, value);
        add_output(select, outputs, sql_output_name(targets.items[i]), reach_type(select, select->names, value), time,
                   value);
        if (outputs->columns[outputs->count - 1].time == SQL_TIME_NONE)
            note_lost(select, &time, value, relation);
    }
    SqlList group = sql_node_list(select->node, "groupClause");
    if (group.count && !outputs->timed && !relation->untimed.sentence)
        relation->untimed = analysis_note(select->analysis, select->env.text, node_offset(group.items[0]),
                                          "rows of all times are grouped together");
}

/* ORDER BY, DISTINCT ON: a bare name means an output column first, a number its position. */
static bool named_output(const Outputs *outputs, const SqlNode *node, size_t *ret)
{
    SqlList fields = sql_node_list(node, "fields");
    const char *name = sql_is(node, "ColumnRef") && fields.count == 1 ? sql_string_value(fields.items[0]) : NULL;
    const SqlNode *number = sql_is(node, "A_Const") ? sql_node_get(node, "ival") : NULL;
    int64_t position = sql_node_int(number, "ival");
    if (number && position >= 1 && (uint64_t)position <= outputs->count) {
        *ret = (size_t)position - 1;
        return true;
    }
    for (size_t i = 0; name && i < outputs->count; i++)
        if (strcmp(outputs->columns[i].name, name) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static void read_order(Select *select, const Outputs *outputs)
{
    SqlList order = sql_node_list(select->node, "sortClause");
    size_t ignored;
    for (size_t i = 0; i < order.count; i++) {
        const SqlNode *node = sql_node_get(order.items[i], "node");
        if (sql_node_list(order.items[i], "useOp").count)
            analysis_full(select->analysis, select->env.text, node_offset(node), "ORDER BY USING is not followed");
        if (!analysis_work(select->analysis, outputs->count / 8) || named_output(outputs, node, &ignored))
            continue;
        reach_expr(select, select->names, node);
    }
}

/* GROUP BY: a bare name means an input column first, and an output's only where there is none. */
static void read_group(Select *select, const Outputs *outputs)
{
    SqlList group = sql_node_list(select->node, "groupClause");
    for (size_t i = 0; i < group.count && analysis_work(select->analysis, 1 + outputs->count / 8); i++) {
        const SqlNode *node = group.items[i];
        Target target;
        size_t ignored;
        if (sql_is(node, "GroupingSet")) {
            analysis_full(select->analysis, select->env.text, node_offset(node),
                          "grouping sets put rows of several groupings into one result");
            reach_exprs(select, select->names, sql_node_list(node, "content"));
            continue;
        }
        bool column = sql_is(node, "ColumnRef") && !reach_is_star(node) &&
                      reach_resolve(select, select->names, node, &target) == RESOLVED_COLUMN && !target.outer;
        if (!column && named_output(outputs, node, &ignored))
            continue;
        reach_expr(select, select->names, node);
    }
}

static void lose_time(Outputs *outputs, size_t column)
{
    outputs->columns[column].time = SQL_TIME_NONE;
    outputs->times[column] = (TimeExpr){0};
}

/* Which row is kept hangs on all rows of the same values: the time must be among those. */
static void read_distinct(Select *select, Outputs *outputs, Relation *relation)
{
    SqlList distinct = sql_node_list(select->node, "distinctClause");
    if (!distinct.count || !distinct.items[0])
        return;
    bool *kept = arena_array(select->analysis->arena, outputs->count, sizeof *kept);
    for (size_t i = 0; i < distinct.count && analysis_work(select->analysis, outputs->count); i++) {
        const SqlNode *node = distinct.items[i];
        size_t at;
        TimeExpr time;
        if (outputs->times && named_output(outputs, node, &at)) {
            time = outputs->times[at];
        } else {
            reach_expr(select, select->names, node);
            time = time_finish(time_of(select, select->names, node));
        }
        for (size_t c = 0; c < outputs->count; c++)
            if (time.var && !time.shifted && time.var == outputs->times[c].var &&
                (time.count == 0 || time_equal(&time, &outputs->times[c])))
                kept[c] = true;
    }
    for (size_t c = 0; c < outputs->count; c++)
        if (outputs->times[c].var && !kept[c]) {
            lose_time(outputs, c);
            relation->untimed = analysis_note(select->analysis, select->env.text, node_offset(distinct.items[0]),
                                              "DISTINCT ON keeps one row of several times");
        }
    if (sql_node_list(select->node, "sortClause").count <= distinct.count)
        analysis_warn(select->analysis, select->env.text, node_offset(distinct.items[0]),
                      "DISTINCT ON keeps any one of several rows: ORDER BY does not say which");
}

static const WindowPlan **plan_windows(Select *select, Outputs *outputs, Relation *relation)
{
    const WindowPlan **plans = arena_array(select->analysis->arena, outputs->count, sizeof *plans);
    for (size_t c = 0; c < outputs->count; c++) {
        Note why = {0};
        if (outputs->times[c].var && !window_plan(select, &outputs->times[c], &plans[c], &why)) {
            lose_time(outputs, c);
            if (!relation->untimed.sentence)
                relation->untimed = why;
        }
    }
    return plans;
}

static const Relation *reach_select(Select *select)
{
    Relation *relation = arena_alloc(select->analysis->arena, sizeof *relation);
    Outputs outputs = {0};
    const SqlNode *where = sql_node_get(select->node, "whereClause");
    reach_from(select, sql_node_list(select->node, "fromClause"));
    if (where)
        reach_condition(select, select->names, where, NULL);
    read_targets(select, &outputs, relation);
    read_group(select, &outputs);
    reach_expr(select, select->names, sql_node_get(select->node, "havingClause"));
    reach_exprs(select, select->names, sql_node_list(select->node, "windowClause"));
    read_order(select, &outputs);
    read_distinct(select, &outputs, relation);
    relation->known = true;
    relation->column_count = outputs.count;
    const WindowPlan **plans = plan_windows(select, &outputs, relation);
    bound_leaves(select, relation, outputs.times, plans);
    relation->columns = outputs.columns;
    for (size_t i = 0; i < select->source_count && !relation->untimed.sentence; i++)
        relation->untimed = select->sources[i].relation->untimed;
    return relation;
}

/* --- any query --------------------------------------------------------------------------------------------------- */

static const Ctes *read_with(Analysis *analysis, const SqlNode *with, Environment env)
{
    Ctes *ctes = arena_alloc(analysis->arena, sizeof *ctes);
    SqlList list = sql_node_list(with, "ctes");
    *ctes = (Ctes){.outer = env.ctes,
                   .list = list,
                   .visible = list.count,
                   .recursive = sql_node_bool(with, "recursive"),
                   .names = env.names,
                   .active = arena_array(analysis->arena, list.count, sizeof(bool))};
    return ctes;
}

static void check_fields(Analysis *analysis, const SqlNode *node, Environment env)
{
    static const char *const fields[] = {"distinctClause", "targetList",   "fromClause",  "whereClause", "groupClause",
                                         "havingClause",   "windowClause", "valuesLists", "sortClause",  "limitOption",
                                         "withClause",     "op",           "all",         "larg",        "rarg"};
    for (uint32_t i = 0; i < node->field_count; i++) {
        const char *name = node->fields[i].name;
        if (reach_is_one_of(name, fields, sizeof fields / sizeof *fields))
            continue;
        if (strcmp(name, "limitCount") == 0 || strcmp(name, "limitOffset") == 0)
            analysis_full(analysis, env.text, node_offset(node->fields[i].node),
                          "LIMIT and OFFSET keep other rows whenever any row comes or goes");
        else
            analysis_volatile(analysis, env.text, node_offset(node), "a part of SELECT that is not followed (%s)",
                              name);
    }
}

const Relation *reach_query(Analysis *analysis, const SqlNode *node, Environment env)
{
    if (!sql_is(node, "SelectStmt"))
        return give_up(analysis, env, node, "a statement that is no SELECT");
    if (env.depth > REACH_DEPTH_MAX)
        return give_up(analysis, env, node, "queries are nested too deeply");
    if (!analysis_work(analysis, 1))
        return &nothing_known;
    check_fields(analysis, node, env);
    Select select = {.analysis = analysis, .env = env, .node = node};
    if (sql_node_get(node, "withClause"))
        select.env.ctes = read_with(analysis, sql_node_get(node, "withClause"), env);
    Names none = {.outer = env.names};
    select.names = &none;
    reach_expr(&select, &none, sql_node_get(node, "limitCount"));
    reach_expr(&select, &none, sql_node_get(node, "limitOffset"));
    if (!str_eq(sql_node_string(node, "op"), "SETOP_NONE"))
        return reach_set(analysis, node, select.env);
    Select *kept = arena_alloc(analysis->arena, sizeof *kept); /* vars know their query beyond this call */
    *kept = (Select){.analysis = analysis, .env = select.env, .node = node};
    SqlList rows = sql_node_list(node, "valuesLists");
    return rows.count ? reach_values(kept, rows) : reach_select(kept);
}
