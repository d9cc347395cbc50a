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

bool expression_check(Arena *arena, const char *text, Strings *ret_columns, Error *err)
{
    *ret_columns = (Strings){0};
    if (!text[strspn(text, " \t\r\n")])
        return error_set(err, ERROR_PROJECT, "the expression is empty");
    /* Bare, so that its own parentheses must match; then as it will stand: no `*`, no `all a`. */
    const SqlNode *bare = parse_within(arena, "select ", text, "\n", err);
    const SqlNode *select = bare ? parse_within(arena, "select (", text, "\n)", err) : NULL;
    if (!select)
        return false;
    const SqlNode *value = only_target(select);
    if (!value || !only_target(bare) || sql_is(value, "RowExpr"))
        return error_set(err, ERROR_PROJECT, "not one SQL expression");
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
