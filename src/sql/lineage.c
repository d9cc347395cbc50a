#include "sql/lineage.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "sql/select.h"

/* Numbers of origins, each once. */
typedef struct Set {
    uint32_t *items;
    size_t count, room;
} Set;

typedef struct Column {
    const char *name;
    Set from;
} Column;

/* What stands under one name in FROM, or comes out of a query. */
typedef struct Relation {
    const char *alias;  /* NULL: a join, whose columns alone count */
    const char *schema; /* of a table that is called by its own name */
    Column *columns;
    size_t count, room;
    Set open;  /* tables whose columns are not known: any other name may be a column of theirs */
    bool any;  /* a function's result: any other name is one of its columns, */
    Set every; /* and comes from these */
} Relation;

typedef struct Cte {
    const char *name;
    const SqlNode *node;
    const struct Scope *defined_in; /* what it can see */
    enum { CTE_NEW, CTE_BUSY, CTE_DONE } state;
    bool recursive;
    Relation result;
    struct Cte *before;
} Cte;

/* One level of names: the relations of a FROM, and the CTEs that can be seen. */
typedef struct Scope {
    const struct Scope *outer;
    Relation *relations;
    size_t count, room;
    Cte *ctes; /* the last one; NULL: none of this level */
} Scope;

typedef struct Lineage {
    Arena *arena;
    const SqlLineageTables *tables;
    SqlOrigin *origins;
    size_t origin_count, origin_room;
    uint32_t *slots; /* hash of origins: number + 1 */
    size_t slot_count;
    Set filters;
    size_t work;
    int depth;  /* of queries */
    int nested; /* of expressions and joins, through all of them: each is a call within a call */
    bool whole;
} Lineage;

enum { NESTED_MAX = 10000 };

static bool spend(Lineage *l, size_t amount)
{
    if (amount > LINEAGE_WORK_MAX - l->work)
        l->whole = false;
    else
        l->work += amount;
    return l->whole;
}

/* --- origins and sets -------------------------------------------------------------------------------------------- */

static uint32_t hash_text(uint32_t hash, const char *s)
{
    for (; s && *s; s++)
        hash = (hash ^ (unsigned char)*s) * 16777619u; /* FNV-1a */
    return (hash ^ 0xffu) * 16777619u;
}

static size_t slot_of(const Lineage *l, const SqlOrigin *o)
{
    size_t slot = hash_text(hash_text(hash_text(2166136261u, o->schema), o->table), o->column) & (l->slot_count - 1);
    for (; l->slots[slot]; slot = (slot + 1) & (l->slot_count - 1)) {
        const SqlOrigin *known = &l->origins[l->slots[slot] - 1];
        if (str_eq(known->schema, o->schema) && str_eq(known->table, o->table) && str_eq(known->column, o->column))
            break;
    }
    return slot;
}

static uint32_t origin_number(Lineage *l, SqlOrigin origin)
{
    if (l->origin_count * 2 >= l->slot_count) {
        size_t room = l->slot_count ? l->slot_count * 2 : 256;
        SqlOrigin *origins = arena_array(l->arena, room, sizeof *origins);
        if (l->origin_count)
            memcpy(origins, l->origins, l->origin_count * sizeof *origins);
        l->origins = origins;
        l->slots = arena_array(l->arena, room, sizeof *l->slots);
        l->slot_count = room;
        for (size_t i = 0; i < l->origin_count; i++)
            l->slots[slot_of(l, &origins[i])] = (uint32_t)i + 1;
    }
    size_t slot = slot_of(l, &origin);
    if (!l->slots[slot]) {
        l->origins[l->origin_count++] = origin;
        l->slots[slot] = (uint32_t)l->origin_count;
    }
    return l->slots[slot] - 1;
}

static void set_add(Lineage *l, Set *set, uint32_t number)
{
    if (!spend(l, 1 + set->count / 16))
        return;
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == number)
            return;
    if (set->count == set->room) {
        set->room = set->room ? set->room * 2 : 4;
        uint32_t *items = arena_array(l->arena, set->room, sizeof *items);
        if (set->count)
            memcpy(items, set->items, set->count * sizeof *items);
        set->items = items;
    }
    set->items[set->count++] = number;
}

static void set_union(Lineage *l, Set *set, const Set *other)
{
    for (size_t i = 0; i < other->count; i++)
        set_add(l, set, other->items[i]);
}

static Column *add_column(Lineage *l, Relation *relation, const char *name)
{
    spend(l, 1);
    if (relation->count == relation->room) {
        relation->room = relation->room ? relation->room * 2 : 8;
        Column *columns = arena_array(l->arena, relation->room, sizeof *columns);
        if (relation->count)
            memcpy(columns, relation->columns, relation->count * sizeof *columns);
        relation->columns = columns;
    }
    Column *column = &relation->columns[relation->count++];
    *column = (Column){.name = name ? name : "?column?"};
    return column;
}

static void copy_column(Lineage *l, Relation *to, const Column *from)
{
    Set set = {0};
    set_union(l, &set, &from->from);
    add_column(l, to, from->name)->from = set;
}

static const Column *find_column(const Relation *relation, const char *name, size_t from)
{
    for (size_t i = from; i < relation->count; i++)
        if (str_eq(relation->columns[i].name, name))
            return &relation->columns[i];
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static void add_all_of(Lineage *l, const Relation *relation, Set *out)
{
    for (size_t i = 0; i < relation->count; i++)
        set_union(l, out, &relation->columns[i].from);
    set_union(l, out, &relation->open);
    set_union(l, out, &relation->every);
}

/* A name that no known column bears: one of the columns that are not known. */
static bool add_unknown(Lineage *l, const Relation *relation, const char *name, Set *out)
{
    for (size_t i = 0; i < relation->open.count && spend(l, 1); i++) {
        SqlOrigin origin = l->origins[relation->open.items[i]];
        origin.column = name;
        set_add(l, out, origin_number(l, origin));
    }
    if (relation->any)
        set_union(l, out, &relation->every);
    return relation->any || relation->open.count;
}

static bool add_named(Lineage *l, const Relation *relation, const char *name, Set *out)
{
    bool found = false;
    const Column *column = relation->columns;
    for (size_t at = 0; spend(l, 1) && (column = find_column(relation, name, at));
         at = (size_t)(column - relation->columns) + 1) {
        set_union(l, out, &column->from);
        found = true;
    }
    spend(l, relation->count / 8);
    return found;
}

static const Relation *find_relation(Lineage *l, const Scope *scope, const char *schema, const char *alias)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->count && spend(l, 1); i++)
            if (str_eq(scope->relations[i].alias, alias) && (!schema || str_eq(scope->relations[i].schema, schema)))
                return &scope->relations[i];
    return NULL;
}

static void resolve_plain(Lineage *l, const Scope *scope, const char *name, Set *out)
{
    for (; scope && l->whole; scope = scope->outer) {
        bool found = false;
        for (size_t i = 0; i < scope->count; i++) /* of a USING column, both sides */
            found = add_named(l, &scope->relations[i], name, out) || found;
        for (size_t i = 0; !found && i < scope->count; i++)
            if (str_eq(scope->relations[i].alias, name)) { /* the whole row */
                add_all_of(l, &scope->relations[i], out);
                found = true;
            }
        for (size_t i = 0, none = !found; none && i < scope->count; i++)
            found = add_unknown(l, &scope->relations[i], name, out) || found;
        if (found)
            return;
    }
}

static void resolve(Lineage *l, const Scope *scope, const SqlNode *ref, Set *out)
{
    SqlList fields = sql_node_list(ref, "fields");
    const char *names[3] = {0};
    size_t n = 0;
    for (size_t i = fields.count > 3 ? fields.count - 3 : 0; i < fields.count; i++)
        names[n++] = sql_string_value(fields.items[i]); /* NULL: a star */
    if (n == 0 || (n == 1 && !names[0]))
        return; /* count(*) */
    if (n == 1) {
        resolve_plain(l, scope, names[0], out);
        return;
    }
    const char *alias = names[n - 2], *name = names[n - 1];
    const Relation *relation = alias ? find_relation(l, scope, n == 3 ? names[0] : NULL, alias) : NULL;
    if (!relation && names[0]) /* a field of a column */
        resolve_plain(l, scope, names[0], out);
    else if (relation && !name)
        add_all_of(l, relation, out);
    else if (relation && !add_named(l, relation, name, out))
        add_unknown(l, relation, name, out);
}

/* --- expressions ------------------------------------------------------------------------------------------------- */

static void read_query(Lineage *l, const SqlNode *select, const Scope *outer, Relation *ret);

static void read_expression(Lineage *l, const SqlNode *node, const Scope *scope, Set *out);
static void read_list(Lineage *l, SqlList list, const Scope *scope, Set *out);

static void read_window(Lineage *l, const SqlNode *window, const Scope *scope)
{
    read_list(l, sql_node_list(window, "partitionClause"), scope, &l->filters);
    read_list(l, sql_node_list(window, "orderClause"), scope, &l->filters);
}

static void read_fields(Lineage *l, const SqlNode *node, const Scope *scope, Set *out)
{
    for (uint32_t i = 0; i < node->field_count; i++) {
        const SqlField *field = &node->fields[i];
        bool filter = strcmp(field->name, "agg_filter") == 0 || strcmp(field->name, "agg_order") == 0;
        if (field->type == SQL_NODE)
            read_expression(l, field->node, scope, filter ? &l->filters : out);
        if (field->type == SQL_LIST)
            read_list(l, field->list, scope, filter ? &l->filters : out);
    }
}

static void read_expression(Lineage *l, const SqlNode *node, const Scope *scope, Set *out)
{
    if (!node || !spend(l, 1))
        return;
    if (l->nested == NESTED_MAX) {
        l->whole = false;
        return;
    }
    if (sql_is(node, "ColumnRef")) {
        resolve(l, scope, node, out);
        return;
    }
    if (sql_is(node, "SelectStmt")) {
        Relation result = {0};
        read_query(l, node, scope, &result);
        add_all_of(l, &result, out);
        return;
    }
    if (sql_is(node, "WindowDef")) {
        read_window(l, node, scope);
        return;
    }
    l->nested++;
    read_fields(l, node, scope, out);
    l->nested--;
}

static void read_list(Lineage *l, SqlList list, const Scope *scope, Set *out)
{
    for (size_t i = 0; i < list.count; i++)
        read_expression(l, list.items[i], scope, out);
}

/* --- FROM -------------------------------------------------------------------------------------------------------- */

static void add_relation(Lineage *l, Scope *scope, Relation relation)
{
    spend(l, 1);
    if (scope->count == scope->room) {
        scope->room = scope->room ? scope->room * 2 : 4;
        Relation *relations = arena_array(l->arena, scope->room, sizeof *relations);
        if (scope->count)
            memcpy(relations, scope->relations, scope->count * sizeof *relations);
        scope->relations = relations;
    }
    scope->relations[scope->count++] = relation;
}

/* `as x (a, b)`: other names for the first columns. The columns are copied: a CTE's are shared. */
static void rename_columns(Lineage *l, const SqlNode *alias, SqlList names, Relation *relation)
{
    Relation renamed = *relation;
    if (sql_node_string(alias, "aliasname")) {
        renamed.alias = sql_node_string(alias, "aliasname");
        renamed.schema = NULL;
    }
    if (names.count) {
        renamed.columns = NULL;
        renamed.count = renamed.room = 0;
        for (size_t i = 0; i < relation->count; i++) {
            const char *name = i < names.count ? sql_string_value(names.items[i]) : NULL;
            Column *column = add_column(l, &renamed, name ? name : relation->columns[i].name);
            column->from = relation->columns[i].from;
        }
        for (size_t i = relation->count; i < names.count && (relation->any || relation->open.count); i++) {
            Column *column = add_column(l, &renamed, sql_string_value(names.items[i]));
            Set from = {0};
            add_all_of(l, relation, &from);
            column->from = from;
        }
    }
    *relation = renamed;
}

static Cte *find_cte(const Scope *scope, const char *name)
{
    for (; scope; scope = scope->outer)
        for (Cte *cte = scope->ctes; cte; cte = cte->before)
            if (str_eq(cte->name, name))
                return cte;
    return NULL;
}

/* A recursive one is read with what its first part gives, and again with what that gives: origins only grow, and two
 * rounds more reach what columns hand on to each other. */
static void read_cte(Lineage *l, Cte *cte)
{
    enum { ROUNDS = 3 };
    const SqlNode *query = sql_node_get(cte->node, "ctequery");
    SqlList names = sql_node_list(cte->node, "aliascolnames");
    cte->state = CTE_BUSY;
    const SqlNode *first = sql_node_get(query, "larg");
    bool again = cte->recursive && first;
    if (again) {
        read_query(l, first, cte->defined_in, &cte->result);
        rename_columns(l, NULL, names, &cte->result);
    }
    for (int round = 0; round < (again ? ROUNDS : 1) && l->whole; round++) {
        Relation result = {0};
        read_query(l, query, cte->defined_in, &result);
        rename_columns(l, NULL, names, &result);
        cte->result = result;
    }
    cte->state = CTE_DONE;
}

static void read_table(Lineage *l, const SqlNode *node, Scope *scope, Relation *ret)
{
    const char *schema = sql_node_string(node, "schemaname"), *name = sql_node_string(node, "relname");
    Cte *cte = schema ? NULL : find_cte(scope, name);
    if (cte) {
        if (cte->state == CTE_NEW && l->depth < LINEAGE_DEPTH_MAX)
            read_cte(l, cte);
        *ret = cte->result;
        ret->alias = name;
        return;
    }
    const char *const *columns = NULL;
    size_t count = 0;
    *ret = (Relation){.alias = name, .schema = schema};
    if (!l->tables->columns(schema, name, &columns, &count, l->tables->data)) {
        set_add(l, &ret->open, origin_number(l, (SqlOrigin){schema, name, NULL}));
        return;
    }
    for (size_t i = 0; i < count && l->whole; i++) {
        uint32_t number = origin_number(l, (SqlOrigin){schema, name, columns[i]});
        set_add(l, &add_column(l, ret, columns[i])->from, number);
    }
}

/* Functions, XMLTABLE, JSON_TABLE: every column of theirs comes from all that they are given. */
static void read_function(Lineage *l, const SqlNode *node, const Scope *scope, Relation *ret)
{
    *ret = (Relation){.any = true};
    for (uint32_t i = 0; i < node->field_count; i++) {
        const SqlField *field = &node->fields[i];
        if (field->type == SQL_NODE && strcmp(field->name, "alias") != 0)
            read_expression(l, field->node, scope, &ret->every);
        if (field->type == SQL_LIST && strcmp(field->name, "coldeflist") != 0)
            read_list(l, field->list, scope, &ret->every);
    }
    SqlList defined = sql_node_list(node, "coldeflist");
    for (size_t i = 0; i < defined.count; i++)
        add_column(l, ret, sql_node_string(defined.items[i], "colname"))->from = ret->every;
    ret->any = defined.count == 0;
}

static void read_from(Lineage *l, const SqlNode *node, Scope *scope, Relation *ret);

/* A column that both sides of a join have, by USING or NATURAL. */
static void merge_column(Lineage *l, const Relation *left, const Relation *right, const char *name, Relation *ret)
{
    Set from = {0};
    const Relation *sides[] = {left, right};
    for (int i = 0; i < 2; i++)
        if (!add_named(l, sides[i], name, &from))
            add_unknown(l, sides[i], name, &from);
    set_union(l, &l->filters, &from);
    add_column(l, ret, name)->from = from;
}

/* Columns that both have come first and once; then those of the left, then of the right. */
static void merge_sides(Lineage *l, const Relation *left, const Relation *right, SqlList using, bool natural,
                        Relation *ret)
{
    for (size_t i = 0; i < using.count && l->whole; i++)
        merge_column(l, left, right, sql_string_value(using.items[i]), ret);
    for (size_t i = 0; natural && i < left->count && spend(l, right->count / 8); i++)
        if (find_column(right, left->columns[i].name, 0))
            merge_column(l, left, right, left->columns[i].name, ret);
    size_t merged = ret->count;
    for (int side = 0; side < 2; side++) {
        const Relation *from = side ? right : left;
        for (size_t i = 0; i < from->count && spend(l, 1 + merged / 8); i++) {
            bool seen = false;
            for (size_t j = 0; j < merged && !seen; j++)
                seen = str_eq(ret->columns[j].name, from->columns[i].name);
            if (!seen)
                copy_column(l, ret, &from->columns[i]);
        }
        set_union(l, &ret->open, &from->open);
        set_union(l, &ret->every, &from->every);
        ret->any = ret->any || from->any;
    }
}

static void read_join(Lineage *l, const SqlNode *node, Scope *scope, Relation *ret)
{
    Relation left = {0}, right = {0};
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
static void read_from(Lineage *l, const SqlNode *node, Scope *scope, Relation *ret)
{
    *ret = (Relation){0};
    if (!node || !spend(l, 1))
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
    Scope siblings = *scope;
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
        add_column(l, ret, ret->alias)->from = ret->every;
    add_relation(l, scope, *ret);
}

/* --- SELECT ------------------------------------------------------------------------------------------------------ */

static void add_star(Lineage *l, const Relation *from, Relation *ret)
{
    for (size_t i = 0; i < from->count && l->whole; i++)
        copy_column(l, ret, &from->columns[i]);
    set_union(l, &ret->open, &from->open);
    ret->any = ret->any || from->any;
    set_union(l, &ret->every, &from->every);
}

static void read_target(Lineage *l, const SqlNode *target, const Scope *scope, const Relation *all, Relation *ret)
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
        const Relation *relation = alias ? find_relation(l, scope, schema, alias) : NULL;
        if (relation)
            add_star(l, relation, ret);
        return;
    }
    Set from = {0};
    read_expression(l, value, scope, &from);
    if (name) {
        add_column(l, ret, name)->from = from;
        return;
    }
    ret->any = true; /* (f(x)).*: only the server knows its columns */
    set_union(l, &ret->every, &from);
}

/* A name of the output, where no column of the input that is known bears it. */
static bool is_output_name(Lineage *l, const char *name, const Scope *scope, const Relation *output)
{
    if (!name || !find_column(output, name, 0))
        return false;
    spend(l, output->count / 8);
    for (size_t i = 0; i < scope->count && spend(l, 1 + scope->relations[i].count / 8); i++)
        if (find_column(&scope->relations[i], name, 0))
            return false;
    return true;
}

/* GROUP BY 1, and GROUP BY a name of the output that is none of the input. */
static void read_groups(Lineage *l, SqlList list, const Scope *scope, const Relation *output)
{
    for (size_t i = 0; i < list.count; i++) {
        const SqlNode *item = list.items[i], *number = sql_node_get(item, "ival");
        SqlList fields = sql_is(item, "ColumnRef") ? sql_node_list(item, "fields") : (SqlList){0};
        const char *name = fields.count == 1 ? sql_string_value(fields.items[0]) : NULL;
        int64_t at = number ? sql_node_int(number, "ival") : 0;
        if (at >= 1 && (uint64_t)at <= output->count)
            set_union(l, &l->filters, &output->columns[at - 1].from);
        else if (is_output_name(l, name, scope, output))
            add_named(l, output, name, &l->filters);
        else
            read_expression(l, item, scope, &l->filters);
    }
}

static void read_sorts(Lineage *l, SqlList list, const Scope *scope, const Relation *output)
{
    for (size_t i = 0; i < list.count; i++) {
        const SqlNode *value = sql_node_get(list.items[i], "node");
        read_groups(l, (SqlList){.items = &value, .count = 1}, scope, output);
    }
}

static void read_values(Lineage *l, SqlList rows, const Scope *scope, Relation *ret)
{
    for (size_t i = 0; i < rows.count && l->whole; i++) {
        SqlList items = sql_node_list(rows.items[i], "items");
        for (size_t j = 0; j < items.count && l->whole; j++) {
            if (j >= ret->count)
                add_column(l, ret, arena_printf(l->arena, "column%zu", j + 1));
            Set from = ret->columns[j].from;
            read_expression(l, items.items[j], scope, &from);
            ret->columns[j].from = from;
        }
    }
}

static void read_simple(Lineage *l, const SqlNode *select, const Scope *outer, Relation *ret)
{
    Scope scope = {.outer = outer};
    Relation all = {0};
    SqlList from = sql_node_list(select, "fromClause"), targets = sql_node_list(select, "targetList");
    for (size_t i = 0; i < from.count && l->whole; i++) {
        Relation item;
        read_from(l, from.items[i], &scope, &item);
        add_star(l, &item, &all);
    }
    read_values(l, sql_node_list(select, "valuesLists"), &scope, ret);
    for (size_t i = 0; i < targets.count && l->whole; i++)
        read_target(l, targets.items[i], &scope, &all, ret);
    read_expression(l, sql_node_get(select, "whereClause"), &scope, &l->filters);
    read_groups(l, sql_node_list(select, "groupClause"), &scope, ret);
    read_expression(l, sql_node_get(select, "havingClause"), &scope, &l->filters);
    read_groups(l, sql_node_list(select, "distinctClause"), &scope, ret);
    SqlList windows = sql_node_list(select, "windowClause");
    for (size_t i = 0; i < windows.count; i++)
        read_window(l, windows.items[i], &scope);
    if (sql_node_get(select, "limitCount") || sql_node_get(select, "limitOffset") ||
        sql_node_list(select, "distinctClause").count)
        read_sorts(l, sql_node_list(select, "sortClause"), &scope, ret);
    read_expression(l, sql_node_get(select, "limitCount"), &scope, &l->filters);
    read_expression(l, sql_node_get(select, "limitOffset"), &scope, &l->filters);
}

static bool is_set_operation(const SqlNode *select)
{
    const char *op = sql_node_string(select, "op");
    return op && strcmp(op, "SETOP_NONE") != 0;
}

/* Columns by position, under the names of the first part. */
static void unite(Lineage *l, const Relation *part, bool except, Relation *ret)
{
    if (except) {
        add_all_of(l, part, &l->filters);
        return;
    }
    for (size_t i = 0; i < part->count && l->whole; i++) {
        if (i < ret->count)
            set_union(l, &ret->columns[i].from, &part->columns[i].from);
        else if (ret->any || ret->open.count)
            copy_column(l, ret, &part->columns[i]);
    }
    if (part->any || part->open.count) /* which of them goes where is not known */
        for (size_t i = part->count; i < ret->count && l->whole; i++) {
            set_union(l, &ret->columns[i].from, &part->open);
            set_union(l, &ret->columns[i].from, &part->every);
        }
    set_union(l, &ret->open, &part->open);
    set_union(l, &ret->every, &part->every);
    ret->any = ret->any || part->any;
}

static void open_with(Lineage *l, const SqlNode *with, Scope *scope)
{
    SqlList ctes = sql_node_list(with, "ctes");
    bool recursive = sql_node_bool(with, "recursive");
    for (size_t i = 0; i < ctes.count && spend(l, 1); i++) {
        Cte *cte = arena_alloc(l->arena, sizeof *cte);
        Scope *seen = arena_alloc(l->arena, sizeof *seen);
        *seen = (Scope){.outer = scope->outer, .ctes = scope->ctes};
        *cte = (Cte){.name = sql_node_string(ctes.items[i], "ctename"),
                     .node = ctes.items[i],
                     .defined_in = recursive ? scope : seen,
                     .recursive = recursive,
                     .before = scope->ctes};
        scope->ctes = cte;
    }
}

/* The parts of a chain of set operations, which leans to the left, without going as deep as it is long. */
static void read_parts(Lineage *l, const SqlNode *select, const Scope *scope, Relation *ret)
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
        Relation part = {0};
        read_query(l, sql_node_get(operations[i], "rarg"), scope, &part);
        unite(l, &part, str_eq(sql_node_string(operations[i], "op"), "SETOP_EXCEPT"), ret);
    }
}

static void read_query(Lineage *l, const SqlNode *select, const Scope *outer, Relation *ret)
{
    if (!select || !spend(l, 1))
        return;
    if (!sql_is(select, "SelectStmt") || l->depth >= LINEAGE_DEPTH_MAX) {
        l->whole = false;
        return;
    }
    l->depth++;
    Scope *scope = arena_alloc(l->arena, sizeof *scope); /* outlives the call in what CTEs can see */
    *scope = (Scope){.outer = outer};
    open_with(l, sql_node_get(select, "withClause"), scope);
    read_parts(l, select, scope, ret);
    if (is_set_operation(select) && sql_node_get(select, "limitCount"))
        read_sorts(l, sql_node_list(select, "sortClause"), scope, ret);
    l->depth--;
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static SqlOrigins origins_of(const Lineage *l, const Set *set)
{
    SqlOrigin *items = arena_array(l->arena, set->count, sizeof *items);
    for (size_t i = 0; i < set->count; i++)
        items[i] = l->origins[set->items[i]];
    return (SqlOrigins){items, set->count};
}

void sql_lineage(Arena *arena, const SqlTree *tree, const SqlLineageTables *tables, SqlLineage *ret)
{
    Lineage l = {.arena = arena, .tables = tables, .whole = true};
    Relation result = {0};
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
    ret->whole = l.whole && !result.any;
}
