#include "sql/refs.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sql/place.h"

/* The CTEs of one WITH, sorted by name, then by place in the list. */
typedef struct ScopeName {
    const char *name;
    size_t index;
} ScopeName;

typedef struct Scope {
    const struct Scope *outer;
    const ScopeName *names;
    size_t count;
    size_t visible; /* those of a smaller index can be seen */
} Scope;

typedef struct Walk {
    Arena *arena;
    const SqlTree *tree;
    SqlRef *refs;
    size_t count, cap;
    bool sampled; /* the next relation is under TABLESAMPLE */
} Walk;

static void walk_node(Walk *walk, const SqlNode *node, const Scope *scope);

static int by_name(const void *a, const void *b)
{
    const ScopeName *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static bool scope_has(const Scope *scope, const char *name)
{
    for (; scope; scope = scope->outer) {
        size_t low = 0, high = scope->count;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (strcmp(scope->names[mid].name, name) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        if (low < scope->count && strcmp(scope->names[low].name, name) == 0 && scope->names[low].index < scope->visible)
            return true;
    }
    return false;
}

static bool is_system(const char *schema, const char *name)
{
    if (!schema)
        return str_starts(name, "pg_");
    return str_eq(schema, "pg_catalog") || str_eq(schema, "information_schema") || str_eq(schema, "pg_toast");
}

/* Tokens of one name: U&"..." may be followed by UESCAPE 'x'. */
static size_t name_end(const SqlTree *tree, size_t index)
{
    const char *s = tree->text + tree->tokens[index].start;
    bool unicode = (s[0] == 'u' || s[0] == 'U') && s[1] == '&';
    if (unicode && sql_token_is(tree, index + 1, "uescape") && index + 2 < tree->token_count)
        return index + 2;
    return index;
}

/* Bytes of the name as written, from its first token over every `.name` that the tree knows of. */
static size_t written_length(const SqlTree *tree, size_t offset, int parts)
{
    size_t index = sql_token_at(tree, offset);
    if (index >= tree->token_count)
        return 0;
    index = name_end(tree, index);
    for (; parts > 1 && sql_token_is(tree, index + 1, ".") && index + 2 < tree->token_count; parts--)
        index = name_end(tree, index + 2);
    return tree->tokens[index].end - offset;
}

static void add_ref(Walk *walk, const SqlNode *node, const Scope *scope)
{
    SqlRef ref = {
        .catalog = sql_node_string(node, "catalogname"),
        .schema = sql_node_string(node, "schemaname"),
        .name = sql_node_string(node, "relname"),
        .only = !sql_node_bool(node, "inh"),
        .sampled = walk->sampled,
        .aliased = sql_node_get(node, "alias") != NULL,
    };
    walk->sampled = false;
    if (!ref.name || node->location < 0)
        return;
    if (!ref.schema && scope_has(scope, ref.name))
        return;
    ref.offset = (size_t)node->location;
    ref.length = written_length(walk->tree, ref.offset, 1 + (ref.schema != NULL) + (ref.catalog != NULL));
    ref.system = is_system(ref.schema, ref.name);
    if (walk->count == walk->cap) {
        walk->cap = walk->cap ? walk->cap * 2 : 16;
        walk->refs = mem_resize(walk->refs, walk->cap, sizeof *walk->refs);
    }
    walk->refs[walk->count++] = ref;
}

/* Relations named for another purpose than to be read. */
static bool is_no_reading(const SqlNode *node, const char *field)
{
    if (strcmp(field, "relation") == 0)
        return !sql_is(node, "RangeTableSample");
    static const char *const fields[] = {"intoClause", "lockingClause", "into",      "rel",
                                         "relations",  "view",          "withClause"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(field, fields[i]) == 0)
            return true;
    return false;
}

static void walk_fields(Walk *walk, const SqlNode *node, const Scope *scope)
{
    for (uint32_t i = 0; i < node->field_count; i++) {
        const SqlField *field = &node->fields[i];
        if (field->type == SQL_NODE && !is_no_reading(node, field->name))
            walk_node(walk, field->node, scope);
        if (field->type == SQL_LIST && !is_no_reading(node, field->name))
            for (size_t j = 0; j < field->list.count; j++)
                walk_node(walk, field->list.items[j], scope);
    }
}

/* A statement with a WITH: first the CTEs, each with what it can see, then the rest with all of them. */
static void walk_with(Walk *walk, const SqlNode *node, const SqlNode *with, const Scope *outer)
{
    SqlList ctes = sql_node_list(with, "ctes");
    ScopeName *names = arena_array(walk->arena, ctes.count, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < ctes.count; i++) {
        const char *name = sql_node_string(ctes.items[i], "ctename");
        if (name)
            names[count++] = (ScopeName){.name = name, .index = i};
    }
    if (count)
        qsort(names, count, sizeof *names, by_name);
    Scope scope = {.outer = outer, .names = names, .count = count};
    bool recursive = sql_node_bool(with, "recursive");
    for (size_t i = 0; i < ctes.count; i++) {
        scope.visible = recursive ? ctes.count : i;
        walk_node(walk, ctes.items[i], &scope);
    }
    scope.visible = ctes.count;
    walk_fields(walk, node, &scope);
}

static void walk_node(Walk *walk, const SqlNode *node, const Scope *scope)
{
    if (!node)
        return;
    if (sql_is(node, "RangeVar")) {
        add_ref(walk, node, scope);
        return;
    }
    const SqlNode *with = sql_node_get(node, "withClause");
    if (with) {
        walk_with(walk, node, with, scope);
        return;
    }
    if (sql_is(node, "RangeTableSample")) {
        walk->sampled = sql_is(sql_node_get(node, "relation"), "RangeVar");
        walk_node(walk, sql_node_get(node, "relation"), scope);
        walk->sampled = false;
        SqlNode rest = *node; /* its arguments may hold subqueries */
        rest.kind = "";
        walk_fields(walk, &rest, scope);
        return;
    }
    walk_fields(walk, node, scope);
}

static int by_offset(const void *a, const void *b)
{
    const SqlRef *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

void sql_refs(Arena *arena, const SqlTree *tree, SqlRefs *ret)
{
    Walk walk = {.arena = arena, .tree = tree};
    for (size_t i = 0; i < tree->count; i++)
        walk_node(&walk, tree->statements[i].node, NULL);
    SqlRef *refs = arena_array(arena, walk.count, sizeof *refs);
    if (walk.count) {
        qsort(walk.refs, walk.count, sizeof *refs, by_offset);
        memcpy(refs, walk.refs, walk.count * sizeof *refs);
    }
    free(walk.refs);
    SqlCursor cursor = {.text = tree->text};
    for (size_t i = 0; i < walk.count; i++)
        sql_cursor_place(&cursor, refs[i].offset, &refs[i].line, &refs[i].column);
    *ret = (SqlRefs){.items = refs, .count = walk.count};
}
