#include "sql/select.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sql/place.h"

/* ---- is it a model? ------------------------------------------------------------------------------------------- */

/* What a statement is called, for messages. */
static const char *writing_verb(const SqlNode *node)
{
    static const struct {
        const char *kind;
        const char *verb;
    } verbs[] = {{"InsertStmt", "INSERT"}, {"UpdateStmt", "UPDATE"}, {"DeleteStmt", "DELETE"}, {"MergeStmt", "MERGE"}};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (sql_is(node, verbs[i].kind))
            return verbs[i].verb;
    return NULL;
}

static bool error_at_offset(Error *err, const SqlTree *tree, size_t offset, const char *message)
{
    int line, column;
    sql_offset_to_line(tree->text, offset, &line, &column);
    return error_at(err, ERROR_PROJECT, NULL, line, column, "%s", message);
}

static bool error_no_select(Error *err, const SqlTree *tree, const SqlStatement *statement)
{
    char word[24] = {0};
    for (size_t i = 0; i < sizeof word - 1 && isalpha((unsigned char)tree->text[statement->start + i]); i++)
        word[i] = (char)toupper((unsigned char)tree->text[statement->start + i]);
    const char *verb = writing_verb(statement->node);
    char message[80];
    snprintf(message, sizeof message, "a model is a SELECT; found %s", verb ? verb : word[0] ? word : "something else");
    error_at_offset(err, tree, statement->start, message);
    return error_hint(err, "write the query alone; sluice writes its result into the table");
}

/* The first thing, in the order of the text, that a model must not hold. */
typedef enum FlawKind { FLAW_NONE, FLAW_INTO, FLAW_WRITE, FLAW_LOCK, FLAW_PARAMETER } FlawKind;

typedef struct Flaw {
    const SqlTree *tree;
    FlawKind kind;
    size_t offset;
    const SqlNode *node;
    bool lock_seen; /* all locks are told from the first: the parser keeps no place of them */
} Flaw;

static void note_flaw(Flaw *flaw, FlawKind kind, size_t offset, const SqlNode *node)
{
    if (flaw->kind != FLAW_NONE && flaw->offset <= offset)
        return;
    flaw->kind = kind;
    flaw->offset = offset;
    flaw->node = node;
}

/* FOR UPDATE by its words. */
static size_t lock_offset(const SqlTree *tree)
{
    static const char *const after[] = {"update", "share", "no", "key"};
    for (size_t i = 0; i < tree->token_count; i++) {
        if (!sql_token_is(tree, i, "for"))
            continue;
        for (size_t j = 0; j < sizeof after / sizeof *after; j++)
            if (sql_token_is(tree, i + 1, after[j]))
                return tree->tokens[i].start;
    }
    return tree->statements[0].start;
}

static void find_flaws(Flaw *flaw, const SqlNode *node)
{
    if (!node)
        return;
    size_t offset = node->location > 0 ? (size_t)node->location : 0;
    if (sql_is(node, "ParamRef"))
        note_flaw(flaw, FLAW_PARAMETER, offset, node);
    if (sql_is(node, "CommonTableExpr") && writing_verb(sql_node_get(node, "ctequery")))
        note_flaw(flaw, FLAW_WRITE, offset, node);
    if (sql_is(node, "IntoClause")) {
        const SqlNode *rel = sql_node_get(node, "rel");
        note_flaw(flaw, FLAW_INTO, rel && rel->location > 0 ? (size_t)rel->location : 0, rel);
    }
    if (sql_is(node, "LockingClause") && !flaw->lock_seen) {
        flaw->lock_seen = true;
        note_flaw(flaw, FLAW_LOCK, lock_offset(flaw->tree), node);
    }
    for (uint32_t i = 0; i < node->field_count; i++) {
        if (node->fields[i].type == SQL_NODE)
            find_flaws(flaw, node->fields[i].node);
        if (node->fields[i].type == SQL_LIST)
            for (size_t j = 0; j < node->fields[i].list.count; j++)
                find_flaws(flaw, node->fields[i].list.items[j]);
    }
}

static bool error_flaw(Error *err, const Flaw *flaw)
{
    char message[160];
    switch (flaw->kind) {
    case FLAW_INTO:
        error_at_offset(err, flaw->tree, flaw->offset, "a model is a SELECT without INTO");
        return error_hint(err, "leave INTO out; the table is named after the model's file, or by `table:`");
    case FLAW_WRITE:
        snprintf(message, sizeof message, "a model only reads; its WITH query %.70s is %s",
                 sql_node_string(flaw->node, "ctename"), writing_verb(sql_node_get(flaw->node, "ctequery")));
        error_at_offset(err, flaw->tree, flaw->offset, message);
        return error_hint(err, "keep INSERT, UPDATE, DELETE and MERGE out of models");
    case FLAW_LOCK:
        error_at_offset(err, flaw->tree, flaw->offset, "a model takes no row locks");
        return error_hint(err, "leave FOR UPDATE or FOR SHARE out");
    case FLAW_PARAMETER:
        snprintf(message, sizeof message, "a model has no parameters; found $%lld",
                 (long long)sql_node_int(flaw->node, "number"));
        error_at_offset(err, flaw->tree, flaw->offset, message);
        return error_hint(err, "write the value itself");
    case FLAW_NONE:
        break;
    }
    return true;
}

bool sql_check_select(const SqlTree *tree, Error *err)
{
    if (tree->count == 0) {
        error_at_offset(err, tree, tree->token_count ? tree->tokens[0].start : 0, "the model is empty");
        return error_hint(err, "write a SELECT after the front matter");
    }
    if (!sql_is(tree->statements[0].node, "SelectStmt"))
        return error_no_select(err, tree, &tree->statements[0]);
    if (tree->count > 1) {
        error_at_offset(err, tree, tree->statements[1].start, "a model is one statement; this is a second one");
        return error_hint(err, "give each query a file of its own, or use WITH");
    }
    Flaw flaw = {.tree = tree};
    find_flaws(&flaw, tree->statements[0].node);
    return error_flaw(err, &flaw);
}

/* ---- functions ------------------------------------------------------------------------------------------------- */

static const char *const value_function_names[][2] = {
    {"SVFOP_CURRENT_DATE", "current_date"},
    {"SVFOP_CURRENT_TIME", "current_time"},
    {"SVFOP_CURRENT_TIME_N", "current_time"},
    {"SVFOP_CURRENT_TIMESTAMP", "current_timestamp"},
    {"SVFOP_CURRENT_TIMESTAMP_N", "current_timestamp"},
    {"SVFOP_LOCALTIME", "localtime"},
    {"SVFOP_LOCALTIME_N", "localtime"},
    {"SVFOP_LOCALTIMESTAMP", "localtimestamp"},
    {"SVFOP_LOCALTIMESTAMP_N", "localtimestamp"},
    {"SVFOP_CURRENT_ROLE", "current_role"},
    {"SVFOP_CURRENT_USER", "current_user"},
    {"SVFOP_USER", "user"},
    {"SVFOP_SESSION_USER", "session_user"},
    {"SVFOP_CURRENT_CATALOG", "current_catalog"},
    {"SVFOP_CURRENT_SCHEMA", "current_schema"},
};

/* In a table of {key, value} rows. */
static const char *look_up(const char *const (*rows)[2], size_t count, const char *key)
{
    for (size_t i = 0; key && i < count; i++)
        if (strcmp(rows[i][0], key) == 0)
            return rows[i][1];
    return NULL;
}

static const char *value_function_name(const SqlNode *node)
{
    return look_up(value_function_names, sizeof value_function_names / sizeof *value_function_names,
                   sql_node_string(node, "op"));
}

typedef struct Calls {
    SqlFunction *items;
    size_t count, cap;
} Calls;

static void add_call(Calls *calls, const char *schema, const char *name, int location)
{
    if (!name)
        return;
    if (calls->count == calls->cap) {
        calls->cap = calls->cap ? calls->cap * 2 : 16;
        calls->items = mem_resize(calls->items, calls->cap, sizeof *calls->items);
    }
    calls->items[calls->count++] =
        (SqlFunction){.schema = schema, .name = name, .offset = location > 0 ? (size_t)location : 0};
}

static void find_calls(Calls *calls, const SqlNode *node)
{
    if (!node)
        return;
    if (sql_is(node, "FuncCall")) {
        SqlList names = sql_node_list(node, "funcname");
        const char *schema = names.count > 1 ? sql_string_value(names.items[names.count - 2]) : NULL;
        add_call(calls, schema, sql_last_name(names), node->location);
    }
    if (sql_is(node, "SQLValueFunction"))
        add_call(calls, NULL, value_function_name(node), node->location);
    for (uint32_t i = 0; i < node->field_count; i++) {
        if (node->fields[i].type == SQL_NODE)
            find_calls(calls, node->fields[i].node);
        if (node->fields[i].type == SQL_LIST)
            for (size_t j = 0; j < node->fields[i].list.count; j++)
                find_calls(calls, node->fields[i].list.items[j]);
    }
}

static int by_offset(const void *a, const void *b)
{
    const SqlFunction *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

void sql_functions(Arena *arena, const SqlTree *tree, SqlFunctions *ret)
{
    Calls calls = {0};
    for (size_t i = 0; i < tree->count; i++)
        find_calls(&calls, tree->statements[i].node);
    SqlFunction *items = arena_array(arena, calls.count, sizeof *items);
    if (calls.count) {
        qsort(calls.items, calls.count, sizeof *items, by_offset);
        memcpy(items, calls.items, calls.count * sizeof *items);
    }
    free(calls.items);
    SqlCursor cursor = {.text = tree->text};
    for (size_t i = 0; i < calls.count; i++)
        sql_cursor_place(&cursor, items[i].offset, &items[i].line, &items[i].column);
    *ret = (SqlFunctions){.items = items, .count = calls.count};
}

/* ---- output columns -------------------------------------------------------------------------------------------- */

typedef enum Strength { NAME_NONE, NAME_WEAK, NAME_STRONG } Strength;

static const char *const fixed_names[][2] = {
    {"GroupingFunc", "grouping"},
    {"MergeSupportFunc", "merge_action"},
    {"A_ArrayExpr", "array"},
    {"RowExpr", "row"},
    {"CoalesceExpr", "coalesce"},
    {"XmlSerialize", "xmlserialize"},
    {"JsonParseExpr", "json"},
    {"JsonScalarExpr", "json_scalar"},
    {"JsonSerializeExpr", "json_serialize"},
    {"JsonObjectConstructor", "json_object"},
    {"JsonArrayConstructor", "json_array"},
    {"JsonArrayQueryConstructor", "json_array"},
    {"JsonObjectAgg", "json_objectagg"},
    {"JsonArrayAgg", "json_arrayagg"},
};

/* Kinds whose name hangs on their operator. */
static const char *const operator_names[][2] = {
    {"IS_GREATEST", "greatest"},
    {"IS_LEAST", "least"},
    {"IS_XMLCONCAT", "xmlconcat"},
    {"IS_XMLELEMENT", "xmlelement"},
    {"IS_XMLFOREST", "xmlforest"},
    {"IS_XMLPARSE", "xmlparse"},
    {"IS_XMLPI", "xmlpi"},
    {"IS_XMLROOT", "xmlroot"},
    {"IS_XMLSERIALIZE", "xmlserialize"},
    {"JSON_EXISTS_OP", "json_exists"},
    {"JSON_QUERY_OP", "json_query"},
    {"JSON_VALUE_OP", "json_value"},
    {"EXISTS_SUBLINK", "exists"},
    {"ARRAY_SUBLINK", "array"},
    {"AEXPR_NULLIF", "nullif"},
};

static const char *operator_name(const char *key)
{
    return look_up(operator_names, sizeof operator_names / sizeof *operator_names, key);
}

/* The last field of a name that is a String, or NULL. */
static const char *last_string(SqlList names)
{
    for (size_t i = names.count; i-- > 0;) {
        const char *name = sql_string_value(names.items[i]);
        if (name)
            return name;
    }
    return NULL;
}

static bool is_star(const SqlNode *value)
{
    SqlList fields = {0};
    if (sql_is(value, "ColumnRef"))
        fields = sql_node_list(value, "fields");
    if (sql_is(value, "A_Indirection"))
        fields = sql_node_list(value, "indirection");
    return fields.count && sql_is(fields.items[fields.count - 1], "A_Star");
}

static const SqlNode *leftmost_select(const SqlNode *select)
{
    while (sql_node_get(select, "larg"))
        select = sql_node_get(select, "larg");
    return select;
}

static Strength figure_name(const SqlNode *node, const char **ret_name);

/* The name of a query's first column, as seen through a scalar subquery. NULL name: only the server knows. */
static Strength figure_subquery(const SqlNode *select, const char **ret_name)
{
    select = leftmost_select(select);
    if (sql_node_list(select, "valuesLists").count) {
        *ret_name = "column1";
        return NAME_STRONG;
    }
    SqlList targets = sql_node_list(select, "targetList");
    if (!targets.count)
        return NAME_NONE;
    *ret_name = sql_node_string(targets.items[0], "name");
    const SqlNode *value = sql_node_get(targets.items[0], "val");
    if (*ret_name || is_star(value))
        return NAME_STRONG;
    if (figure_name(value, ret_name) == NAME_NONE)
        *ret_name = "?column?";
    return NAME_STRONG;
}

static Strength named(const char *name, Strength strength, const char **ret_name)
{
    if (!name)
        return NAME_NONE;
    *ret_name = name;
    return strength;
}

/* A cast or CASE lends its own name where what is inside has no strong one. */
static Strength figure_weak(const SqlNode *inside, const char *own, const char **ret_name)
{
    Strength strength = figure_name(inside, ret_name);
    return strength == NAME_STRONG || !own ? strength : named(own, NAME_WEAK, ret_name);
}

/* FigureColnameInternal of PostgreSQL's parse_target.c. */
static Strength figure_name(const SqlNode *node, const char **ret_name)
{
    if (!node)
        return NAME_NONE;
    if (sql_is(node, "ColumnRef"))
        return named(last_string(sql_node_list(node, "fields")), NAME_STRONG, ret_name);
    if (sql_is(node, "A_Indirection")) {
        const char *name = last_string(sql_node_list(node, "indirection"));
        return name ? named(name, NAME_STRONG, ret_name) : figure_name(sql_node_get(node, "arg"), ret_name);
    }
    if (sql_is(node, "FuncCall"))
        return named(sql_last_name(sql_node_list(node, "funcname")), NAME_STRONG, ret_name);
    if (sql_is(node, "TypeCast"))
        return figure_weak(sql_node_get(node, "arg"),
                           sql_last_name(sql_node_list(sql_node_get(node, "typeName"), "names")), ret_name);
    if (sql_is(node, "CollateClause"))
        return figure_name(sql_node_get(node, "arg"), ret_name);
    if (sql_is(node, "CaseExpr"))
        return figure_weak(sql_node_get(node, "defresult"), "case", ret_name);
    if (sql_is(node, "SQLValueFunction"))
        return named(value_function_name(node), NAME_STRONG, ret_name);
    if (sql_is(node, "SubLink") && str_eq(sql_node_string(node, "subLinkType"), "EXPR_SUBLINK"))
        return figure_subquery(sql_node_get(node, "subselect"), ret_name);
    if (sql_is(node, "SubLink"))
        return named(operator_name(sql_node_string(node, "subLinkType")), NAME_STRONG, ret_name);
    if (sql_is(node, "A_Expr"))
        return named(operator_name(sql_node_string(node, "kind")), NAME_STRONG, ret_name);
    if (sql_is(node, "MinMaxExpr") || sql_is(node, "XmlExpr") || sql_is(node, "JsonFuncExpr"))
        return named(operator_name(sql_node_string(node, "op")), NAME_STRONG, ret_name);
    return named(look_up(fixed_names, sizeof fixed_names / sizeof *fixed_names, node->kind), NAME_STRONG, ret_name);
}

static SqlOutput target_output(const SqlNode *target)
{
    const SqlNode *value = sql_node_get(target, "val");
    SqlOutput out = {.name = sql_node_string(target, "name"),
                     .offset = target->location > 0 ? (size_t)target->location : 0};
    out.explicit_name = out.name || (sql_is(value, "ColumnRef") && !is_star(value));
    if (!out.name && !is_star(value) && figure_name(value, &out.name) == NAME_NONE)
        out.name = "?column?";
    return out;
}

const char *sql_target_name(const SqlNode *target) { return target_output(target).name; }

const char *sql_output_name(const SqlNode *target) { return target_output(target).name; }

static SqlOutput values_output(Arena *arena, const SqlNode *value, size_t number)
{
    return (SqlOutput){.name = arena_printf(arena, "column%zu", number),
                       .offset = value && value->location > 0 ? (size_t)value->location : 0};
}

void sql_output_names(Arena *arena, const SqlTree *tree, SqlOutputs *ret)
{
    *ret = (SqlOutputs){0};
    if (!tree->count || !sql_is(tree->statements[0].node, "SelectStmt"))
        return;
    const SqlNode *select = leftmost_select(tree->statements[0].node);
    SqlList rows = sql_node_list(select, "valuesLists");
    SqlList list = rows.count ? sql_node_list(rows.items[0], "items") : sql_node_list(select, "targetList");
    SqlOutput *items = arena_array(arena, list.count, sizeof *items);
    SqlCursor cursor = {.text = tree->text};
    bool exact = true;
    for (size_t i = 0; i < list.count; i++) {
        const SqlNode *node = list.items[i];
        items[i] = rows.count ? values_output(arena, node, i + 1) : target_output(node);
        /* TABLE x is SELECT * with no place of its own */
        if (!rows.count && node->location < 0)
            items[i].offset = tree->statements[0].start;
        exact = exact && items[i].name;
        sql_cursor_place(&cursor, items[i].offset, &items[i].line, &items[i].column);
    }
    *ret = (SqlOutputs){.items = items, .count = list.count, .exact = exact};
}

const SqlOutput *sql_outputs_find(const SqlOutputs *outputs, const char *name)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].name && strcmp(outputs->items[i].name, name) == 0)
            return &outputs->items[i];
    return NULL;
}
