#include "sql/tree.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- reading -------------------------------------------------------------------------------------------------- */

bool sql_is(const SqlNode *node, const char *kind) { return node && strcmp(node->kind, kind) == 0; }

static const SqlField *field_of(const SqlNode *node, const char *name)
{
    if (!node)
        return NULL;
    for (uint32_t i = 0; i < node->field_count; i++)
        if (strcmp(node->fields[i].name, name) == 0)
            return &node->fields[i];
    return NULL;
}

static const SqlField *typed_field(const SqlNode *node, const char *name, SqlType type)
{
    const SqlField *field = field_of(node, name);
    return field && field->type == type ? field : NULL;
}

const SqlNode *sql_node_get(const SqlNode *node, const char *name)
{
    const SqlField *field = typed_field(node, name, SQL_NODE);
    return field ? field->node : NULL;
}

SqlList sql_node_list(const SqlNode *node, const char *name)
{
    const SqlField *field = typed_field(node, name, SQL_LIST);
    return field ? field->list : (SqlList){0};
}

const char *sql_node_string(const SqlNode *node, const char *name)
{
    const SqlField *field = typed_field(node, name, SQL_STRING);
    return field ? field->string : NULL;
}

int64_t sql_node_int(const SqlNode *node, const char *name)
{
    const SqlField *field = typed_field(node, name, SQL_INT);
    return field ? field->integer : 0;
}

bool sql_node_bool(const SqlNode *node, const char *name)
{
    const SqlField *field = typed_field(node, name, SQL_BOOL);
    return field && field->boolean;
}

const char *sql_string_value(const SqlNode *node)
{
    if (!sql_is(node, "String"))
        return NULL;
    const char *value = sql_node_string(node, "sval");
    return value ? value : "";
}

const char *sql_last_name(SqlList names) { return names.count ? sql_string_value(names.items[names.count - 1]) : NULL; }

/* ---- building ------------------------------------------------------------------------------------------------- */

/* A field that can hold any node is written {"Kind": {fields}}; one that can hold a single kind is written {fields}.
 * This says which kind that is: from the message types of pg_query.proto, versions 15 and 17. Where a name means
 * different kinds in different parents, the parent is named. Names of one first letter stand together. */
static const struct {
    const char *field;
    const char *kind;
    const char *parent;
} bare_kinds[] = {
    {"action", "GrantStmt", NULL},
    {"alias", "Alias", NULL},
    {"argType", "TypeName", NULL},
    {"arg", "JsonKeyValue", "JsonObjectAgg"},
    {"arg", "JsonValueExpr", "JsonArrayAgg"},
    {"authrole", "RoleSpec", NULL},
    {"base", "CreateStmt", NULL},
    {"boolval", "Boolean", NULL},
    {"bound", "PartitionBoundSpec", NULL},
    {"bsval", "BitString", NULL},
    {"collClause", "CollateClause", NULL},
    {"constrrel", "RangeVar", NULL},
    {"constructor", "JsonAggConstructor", NULL},
    {"context_item", "JsonValueExpr", NULL},
    {"cycle_clause", "CTECycleClause", NULL},
    {"datatype", "TypeName", NULL},
    {"expr", "JsonValueExpr", "JsonParseExpr"},
    {"expr", "JsonValueExpr", "JsonSerializeExpr"},
    {"extname", "String", NULL},
    {"format", "JsonFormat", NULL},
    {"fromsql", "ObjectWithArgs", NULL},
    {"func", "ObjectWithArgs", NULL},
    {"funccall", "FuncCall", NULL},
    {"fval", "Float", NULL},
    {"grantor", "RoleSpec", NULL},
    {"identitySequence", "RangeVar", NULL},
    {"infer", "InferClause", NULL},
    {"into", "IntoClause", NULL},
    {"intoClause", "IntoClause", NULL},
    {"ival", "Integer", NULL},
    {"join_using_alias", "Alias", NULL},
    {"larg", "SelectStmt", NULL},
    {"name", "ObjectWithArgs", "CreateOpClassItem"},
    {"name", "RangeVar", "PartitionCmd"},
    {"newowner", "RoleSpec", NULL},
    {"newrole", "RoleSpec", NULL},
    {"ofTypename", "TypeName", NULL},
    {"onConflictClause", "OnConflictClause", NULL},
    {"on_empty", "JsonBehavior", NULL},
    {"on_error", "JsonBehavior", NULL},
    {"opername", "ObjectWithArgs", NULL},
    {"output", "JsonOutput", NULL},
    {"over", "WindowDef", NULL},
    {"owner", "RoleSpec", NULL},
    {"partbound", "PartitionBoundSpec", NULL},
    {"partspec", "PartitionSpec", NULL},
    {"pathspec", "JsonTablePathSpec", NULL},
    {"pktable", "RangeVar", NULL},
    {"pubtable", "PublicationTable", NULL},
    {"rarg", "SelectStmt", NULL},
    {"rel", "RangeVar", NULL},
    {"relation", "RangeVar", NULL},
    {"returnType", "TypeName", NULL},
    {"returning", "JsonReturning", NULL},
    {"role", "RoleSpec", NULL},
    {"search_clause", "CTESearchClause", NULL},
    {"sequence", "RangeVar", NULL},
    {"setstmt", "VariableSetStmt", NULL},
    {"sourcetype", "TypeName", NULL},
    {"stmts", "RawStmt", NULL},
    {"storedtype", "TypeName", NULL},
    {"sval", "String", NULL},
    {"table", "RangeVar", NULL},
    {"targettype", "TypeName", NULL},
    {"tosql", "ObjectWithArgs", NULL},
    {"typeName", "TypeName", NULL},
    {"type_name", "TypeName", NULL},
    {"typevar", "RangeVar", NULL},
    {"user", "RoleSpec", NULL},
    {"val", "JsonValueExpr", "JsonArgument"},
    {"val", "SelectStmt", "PLAssignStmt"},
    {"value", "JsonValueExpr", "JsonKeyValue"},
    {"view", "RangeVar", NULL},
    {"withClause", "WithClause", NULL},
};

/* Kinds and field names come from a fixed vocabulary: each is kept once per tree. */
enum { NAME_SLOTS = 1024, KINDS = sizeof bare_kinds / sizeof *bare_kinds };
_Static_assert(KINDS < UCHAR_MAX, "kinds_from holds positions in bytes");

typedef struct Builder {
    Arena *arena;
    const SqlSource *source;
    const char *at;
    const char *names[NAME_SLOTS];
    size_t name_count;
    unsigned char kinds_from[128]; /* position in bare_kinds plus 1 by first letter; 0: none */
    SqlField *fields;              /* those of nodes not yet finished, as a stack */
    size_t field_count, field_cap;
    const SqlNode **items; /* the same for lists */
    size_t item_count, item_cap;
    const char *problem; /* what went wrong, or NULL */
} Builder;

static const char *const problem_form = "the parser's answer is not of the known form";
static const char *const problem_depth = "the SQL is nested too deeply";

static bool fail(Builder *b, const char *problem)
{
    if (!b->problem)
        b->problem = problem;
    return false;
}

static const char *intern(Builder *b, const char *s, size_t len)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)s[i]) * 16777619u;
    size_t slot = hash % NAME_SLOTS;
    while (b->names[slot]) {
        if (strncmp(b->names[slot], s, len) == 0 && b->names[slot][len] == '\0')
            return b->names[slot];
        slot = (slot + 1) % NAME_SLOTS;
    }
    const char *name = arena_strndup(b->arena, s, len);
    if (b->name_count < NAME_SLOTS / 2) {
        b->names[slot] = name;
        b->name_count++;
    }
    return name;
}

/* Where the names of each first letter begin. */
static void index_kinds(Builder *b)
{
    for (size_t i = KINDS; i-- > 0;)
        b->kinds_from[bare_kinds[i].field[0] & 0x7f] = (unsigned char)(i + 1);
}

static const char *bare_kind(const Builder *b, const char *parent, const char *field)
{
    size_t begin = b->kinds_from[field[0] & 0x7f];
    for (size_t i = begin ? begin - 1 : KINDS; i < KINDS && bare_kinds[i].field[0] == field[0]; i++)
        if (strcmp(bare_kinds[i].field, field) == 0 &&
            (!bare_kinds[i].parent || strcmp(bare_kinds[i].parent, parent) == 0))
            return bare_kinds[i].kind;
    return NULL;
}

static char next_char(Builder *b)
{
    while (*b->at == ' ' || *b->at == '\n' || *b->at == '\t' || *b->at == '\r')
        b->at++;
    return *b->at;
}

static bool take(Builder *b, char c)
{
    if (next_char(b) != c)
        return false;
    b->at++;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape, after the backslash. The library writes \uNNNN for control characters only. */
static bool read_escape(Builder *b, char *ret_c)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char c = *b->at++;
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        *ret_c = to[known - from];
        return true;
    }
    if (c != 'u')
        return fail(b, problem_form);
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*b->at);
        if (digit < 0)
            return fail(b, problem_form);
        code = code * 16 + digit;
        b->at++;
    }
    if (code == 0 || code > 127)
        return fail(b, problem_form);
    *ret_c = (char)code;
    return true;
}

/* A string, from its opening quote on. */
static bool read_string(Builder *b, const char **ret)
{
    if (!take(b, '"'))
        return fail(b, problem_form);
    const char *end = b->at;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    char *s = arena_alloc(b->arena, (size_t)(end - b->at) + 1);
    size_t len = 0;
    while (*b->at && *b->at != '"') {
        if (*b->at != '\\') {
            s[len++] = *b->at++;
            continue;
        }
        b->at++;
        if (!read_escape(b, &s[len]))
            return false;
        len++;
    }
    if (!take(b, '"'))
        return fail(b, problem_form);
    *ret = s;
    return true;
}

/* A key and its colon. Keys have no escapes. */
static const char *read_key(Builder *b)
{
    if (!take(b, '"')) {
        fail(b, problem_form);
        return NULL;
    }
    const char *start = b->at;
    while (*b->at && *b->at != '"')
        b->at++;
    const char *key = intern(b, start, (size_t)(b->at - start));
    if (!take(b, '"') || !take(b, ':')) {
        fail(b, problem_form);
        return NULL;
    }
    return key;
}

static void push_field(Builder *b, SqlField field)
{
    if (b->field_count == b->field_cap) {
        b->field_cap = b->field_cap ? b->field_cap * 2 : 64;
        b->fields = mem_resize(b->fields, b->field_cap, sizeof *b->fields);
    }
    b->fields[b->field_count++] = field;
}

static void push_item(Builder *b, const SqlNode *item)
{
    if (b->item_count == b->item_cap) {
        b->item_cap = b->item_cap ? b->item_cap * 2 : 64;
        b->items = mem_resize(b->items, b->item_cap, sizeof(void *));
    }
    b->items[b->item_count++] = item;
}

static bool read_node(Builder *b, const char *kind, int depth, const SqlNode **ret);

static bool read_list(Builder *b, const char *kind, int depth, SqlList *ret)
{
    size_t base = b->item_count;
    b->at++;
    while (next_char(b) != ']') {
        const SqlNode *item = NULL;
        if (*b->at != '{')
            return fail(b, problem_form);
        if (!read_node(b, kind, depth, &item))
            return false;
        push_item(b, item);
        if (!take(b, ',') && *b->at != ']')
            return fail(b, problem_form);
    }
    b->at++;
    size_t count = b->item_count - base;
    const SqlNode **items = arena_array(b->arena, count, sizeof(void *));
    if (count)
        memcpy(items, b->items + base, count * sizeof(void *));
    b->item_count = base;
    *ret = (SqlList){.items = items, .count = count};
    return true;
}

static bool read_scalar(Builder *b, SqlField *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"false", false}};
    for (size_t i = 0; i < 2; i++)
        if (str_starts(b->at, words[i].word)) {
            b->at += strlen(words[i].word);
            ret->type = SQL_BOOL;
            ret->boolean = words[i].value;
            return true;
        }
    char *end = NULL;
    ret->type = SQL_INT;
    ret->integer = strtoll(b->at, &end, 10);
    if (end == b->at)
        return fail(b, problem_form);
    b->at = end;
    return true;
}

static bool read_value(Builder *b, const char *parent, int depth, SqlField *ret)
{
    switch (next_char(b)) {
    case '"':
        ret->type = SQL_STRING;
        return read_string(b, &ret->string);
    case '[':
        ret->type = SQL_LIST;
        return read_list(b, bare_kind(b, parent, ret->name), depth, &ret->list);
    case '{':
        ret->type = SQL_NODE;
        return read_node(b, bare_kind(b, parent, ret->name), depth, &ret->node);
    default:
        return read_scalar(b, ret);
    }
}

size_t sql_source_token(const SqlSource *source, size_t offset)
{
    size_t low = 0, high = source->token_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (source->tokens[mid].start < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The digits of an integer literal: 1_000, 0xff, 0o17 and 0b11 are PostgreSQL 16's. */
static int64_t literal_value(const char *s, size_t len)
{
    char digits[80];
    size_t n = 0;
    for (size_t i = 0; i < len && n < sizeof digits - 1; i++)
        if (s[i] != '_')
            digits[n++] = s[i];
    digits[n] = '\0';
    int base = 10;
    if (n > 2 && digits[0] == '0' && strchr("xXoObB", digits[1]))
        base = strchr("xX", digits[1]) ? 16 : strchr("oO", digits[1]) ? 8 : 2;
    return strtoll(digits + (base == 10 ? 0 : 2), NULL, base);
}

/* The library's JSON leaves out the value of a negative integer, as if it were 0. The parser made it of minus signs
 * and a literal, perhaps in parentheses, that stand at the constant's place: read it there. */
static int64_t written_integer(const SqlSource *source, int location)
{
    bool negative = false;
    if (location < 0)
        return 0;
    for (size_t i = sql_source_token(source, (size_t)location); i < source->token_count; i++) {
        const char *s = source->text + source->tokens[i].start;
        if (isdigit((unsigned char)*s)) {
            int64_t value = literal_value(s, source->tokens[i].end - source->tokens[i].start);
            return negative ? -value : value;
        }
        if (*s == '-')
            negative = !negative;
        else if (*s != '(')
            break;
    }
    return 0;
}

static void restore_integer(Builder *b, SqlNode *constant, SqlField *fields)
{
    for (uint32_t i = 0; i < constant->field_count; i++) {
        if (strcmp(fields[i].name, "ival") != 0 || fields[i].type != SQL_NODE || fields[i].node->field_count)
            continue;
        int64_t value = written_integer(b->source, constant->location);
        if (value == 0)
            return;
        SqlNode *node = arena_alloc(b->arena, sizeof *node);
        SqlField *field = arena_alloc(b->arena, sizeof *field);
        *field = (SqlField){.name = fields[i].name, .type = SQL_INT, .integer = value};
        *node = (SqlNode){.kind = fields[i].node->kind, .location = -1, .field_count = 1, .fields = field};
        fields[i].node = node;
    }
}

/* The fields of a node up to and with its closing brace. key is the first one's where it was read already. */
static bool read_fields(Builder *b, const char *key, int depth, SqlNode *node)
{
    size_t base = b->field_count;
    /* Zero is left out of the JSON, so a missing location may be byte 0; only WITH can stand there. */
    node->location = strcmp(node->kind, "WithClause") == 0 ? 0 : -1;
    while (key || next_char(b) != '}') {
        SqlField field = {.name = key ? key : read_key(b)};
        key = NULL;
        if (!field.name || !read_value(b, node->kind, depth + 1, &field))
            return false;
        if (field.type == SQL_INT && strcmp(field.name, "location") == 0)
            node->location = (int)field.integer;
        else if (field.type != SQL_NODE || field.node)
            push_field(b, field);
        if (!take(b, ',') && *b->at != '}')
            return fail(b, problem_form);
    }
    b->at++;
    size_t count = b->field_count - base;
    SqlField *fields = arena_array(b->arena, count, sizeof *fields);
    if (count)
        memcpy(fields, b->fields + base, count * sizeof *fields);
    b->field_count = base;
    node->fields = fields;
    node->field_count = (uint32_t)count;
    if (strcmp(node->kind, "A_Const") == 0)
        restore_integer(b, node, fields);
    return true;
}

/* kind: of a bare node, or NULL where any may stand. An empty object with no kind is PostgreSQL's NULL. */
static bool read_node(Builder *b, const char *kind, int depth, const SqlNode **ret)
{
    if (depth > SQL_DEPTH_MAX)
        return fail(b, problem_depth);
    b->at++;
    const char *key = NULL;
    bool wrapped = false;
    if (next_char(b) != '}') {
        key = read_key(b);
        if (!key)
            return false;
        wrapped = isupper((unsigned char)*key);
        if (!wrapped && !kind)
            return fail(b, problem_form);
    } else if (!kind) {
        b->at++;
        *ret = NULL;
        return true;
    }
    SqlNode *node = arena_alloc(b->arena, sizeof *node);
    node->kind = wrapped ? key : kind;
    *ret = node;
    if (!wrapped)
        return read_fields(b, key, depth, node);
    if (!take(b, '{'))
        return fail(b, problem_form);
    if (!read_fields(b, NULL, depth, node))
        return false;
    return take(b, '}') || fail(b, problem_form);
}

static bool collect_statements(Builder *b, const SqlNode *root, SqlRawStatement **ret, size_t *ret_count)
{
    SqlList list = sql_node_list(root, "stmts");
    SqlRawStatement *statements = arena_array(b->arena, list.count, sizeof *statements);
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++) {
        const SqlNode *node = sql_node_get(list.items[i], "stmt");
        int64_t location = sql_node_int(list.items[i], "stmt_location");
        int64_t length = sql_node_int(list.items[i], "stmt_len");
        if (location < 0 || length < 0)
            return fail(b, problem_form);
        if (node)
            statements[count++] =
                (SqlRawStatement){.node = node, .location = (size_t)location, .length = (size_t)length};
    }
    *ret = statements;
    *ret_count = count;
    return true;
}

bool sql_tree_build(Arena *arena, const char *json, const SqlSource *source, SqlRawStatement **ret_statements,
                    size_t *ret_count, Error *err)
{
    Builder *b = mem_alloc(sizeof *b);
    index_kinds(b);
    b->arena = arena;
    b->source = source;
    b->at = json;
    const SqlNode *root = NULL;
    bool ok = next_char(b) == '{' || fail(b, problem_form);
    ok = ok && read_node(b, "ParseResult", 0, &root) && collect_statements(b, root, ret_statements, ret_count);
    if (!ok)
        error_set(err, ERROR_PROJECT, "%s", b->problem);
    if (!ok && b->problem == problem_depth)
        error_hint(err, "at most %d levels; break the query up into CTEs or models", SQL_DEPTH_MAX);
    free(b->fields);
    free(b->items);
    free(b);
    return ok;
}
