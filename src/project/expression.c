#include "project/expression.h"

#include <string.h>

#include "base/text.h"
#include "project/reading.h"
#include "sql/parse.h"
#include "sql/select.h"

/* Parses `before` text `after` as one SELECT and gives it. Columns of errors are turned into those of text. */
static const SqlNode *parse_within(Arena *arena, const char *before, const char *text, const char *after, Error *err)
{
    SqlTree tree;
    const char *whole = arena_printf(arena, "%s%s%s", before, text, after);
    bool parsed = sql_parse(arena, whole, &tree, err);
    if (!parsed || !sql_check_select(&tree, err)) {
        int shift = (int)strlen(before), length = 0;
        for (const char *p = text; *p; p++)
            length += ((unsigned char)*p & 0xC0) != 0x80;
        int column = err->line == 1 && err->column > shift ? err->column - shift : 0;
        if (parsed) /* what was said is about a model */
            error_set(err, ERROR_PROJECT, "not one SQL expression");
        error_place(err, NULL, 0, column > length ? length : column);
        return NULL;
    }
    return tree.statements[0].node;
}

/* What the only target is made of; NULL where the text broke out of the place it was put in. */
static const SqlNode *only_target(const SqlNode *select)
{
    static const char *const allowed[] = {"targetList", "limitOption", "op"};
    for (uint32_t i = 0; i < select->field_count; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof allowed / sizeof *allowed; k++)
            known = known || str_eq(select->fields[i].name, allowed[k]);
        if (!known)
            return NULL;
    }
    SqlList targets = sql_node_list(select, "targetList");
    if (targets.count != 1 || !sql_is(targets.items[0], "ResTarget") || sql_node_string(targets.items[0], "name"))
        return NULL;
    return sql_node_get(targets.items[0], "val");
}

typedef struct Columns {
    Arena *arena;
    Strings *names;
    bool subquery;
} Columns;

static void walk(const SqlNode *node, Columns *columns)
{
    if (!node)
        return;
    columns->subquery = columns->subquery || sql_is(node, "SubLink");
    if (sql_is(node, "ColumnRef")) {
        SqlList names = sql_node_list(node, "fields");
        const char *name = names.count == 1 ? sql_string_value(names.items[0]) : NULL;
        if (name && !strings_have(columns->names, name))
            strings_add(columns->arena, columns->names, name);
        return;
    }
    for (uint32_t i = 0; i < node->field_count; i++) {
        const SqlField *field = &node->fields[i];
        if (field->type == SQL_NODE)
            walk(field->node, columns);
        for (size_t k = 0; field->type == SQL_LIST && k < field->list.count; k++)
            walk(field->list.items[k], columns);
    }
}

/* Whether the text's own parentheses match: a) + (b has as many of both. The tree is of `select (` text, where the
 * first two tokens and the last one are not the text's. A query as a whole is no expression, though in parentheses it
 * would be one. */
static bool stands_alone(const SqlTree *tree)
{
    static const char *const queries[] = {"select", "with", "values", "table"};
    int depth = 0;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        if (sql_token_is(tree, 2, queries[i]))
            return false;
    for (size_t i = 2; i + 1 < tree->token_count && depth >= 0; i++)
        depth += sql_token_is(tree, i, "(") - sql_token_is(tree, i, ")");
    return depth == 0;
}

/* The value of a text that is surely one expression: one parse for nearly all of them. NULL is no answer yet. */
static const SqlNode *plain_value(Arena *arena, const char *text)
{
    ERROR_AUTO(err);
    SqlTree tree;
    if (!sql_parse(arena, arena_printf(arena, "select (%s\n)", text), &tree, &err) || tree.count != 1 ||
        !sql_check_select(&tree, &err) || !stands_alone(&tree))
        return NULL;
    const SqlNode *value = only_target(tree.statements[0].node);
    return value && !sql_is(value, "RowExpr") ? value : NULL;
}

/* The same with what is wrong where it is none: bare, so that places are those of the text; then as it will stand: no
 * `*`, no `all a`. */
static const SqlNode *checked_value(Arena *arena, const char *text, Error *err)
{
    const SqlNode *bare = parse_within(arena, "select ", text, "\n", err);
    const SqlNode *select = bare ? parse_within(arena, "select (", text, "\n)", err) : NULL;
    if (!select)
        return NULL;
    const SqlNode *value = only_target(select);
    if (value && only_target(bare) && !sql_is(value, "RowExpr"))
        return value;
    error_set(err, ERROR_PROJECT, "not one SQL expression");
    return NULL;
}

bool expression_check(Arena *arena, const char *text, Strings *ret_columns, Error *err)
{
    *ret_columns = (Strings){0};
    if (!text[strspn(text, " \t\r\n")])
        return error_set(err, ERROR_PROJECT, "the expression is empty");
    const SqlNode *value = plain_value(arena, text);
    if (!value)
        value = checked_value(arena, text, err);
    if (!value)
        return false;
    Columns columns = {arena, ret_columns, false};
    walk(value, &columns);
    if (columns.subquery)
        *ret_columns = (Strings){0};
    return true;
}

bool expression_check_type(Arena *arena, const char *text, Error *err)
{
    if (!text[strspn(text, " \t\r\n")])
        return error_set(err, ERROR_PROJECT, "the type is empty");
    const SqlNode *select = parse_within(arena, "select cast(null as ", text, "\n)", err);
    const SqlNode *value = select ? only_target(select) : NULL;
    if (sql_is(value, "TypeCast") && sql_is(sql_node_get(value, "arg"), "A_Const"))
        return true;
    int column = err->code && err->column > 0 ? err->column : 0;
    error_set(err, ERROR_PROJECT, "'%s' is not a SQL type", text);
    error_place(err, NULL, 0, column);
    return error_hint(err, "a type alone, such as integer, numeric(12,2), date or text");
}

bool expression_table(Arena *arena, const char *text, const char **ret_schema, const char **ret_table, Error *err)
{
    const SqlNode *select = parse_within(arena, "select from ", text, "\n", err);
    SqlList from = sql_node_list(select, "fromClause");
    if (from.count != 1 || !sql_is(from.items[0], "RangeVar") || sql_node_list(select, "targetList").count != 0 ||
        sql_node_get(select, "whereClause") || sql_node_get(from.items[0], "alias") ||
        sql_node_string(from.items[0], "catalogname")) {
        error_set(err, ERROR_PROJECT, "'%s' is not the name of a table", text);
        return error_hint(err, "a source, a model, table or schema.table; quoted as in SQL where SQL needs it");
    }
    *ret_schema = sql_node_string(from.items[0], "schemaname");
    *ret_table = sql_node_string(from.items[0], "relname");
    return true;
}
