#include "project/test_file.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "csv/value.h"
#include "project/expression.h"
#include "project/node.h"
#include "project/walk.h"

typedef struct TestReader {
    Reading reading;
    Project *project;
    const char *file;
    Tests *tests;
    size_t room;
    size_t broken; /* errors of the test being read */
} TestReader;

static Arena *arena_of(TestReader *r) { return &r->project->arena; }

#define wrong(r, ...) ((r)->broken++, reading_report(&(r)->reading, __VA_ARGS__))

/* --- rows -------------------------------------------------------------------------------------------------------- */

static bool column_number(TestReader *r, TestRows *rows, Index *known, const YamlNode *key, size_t *ret)
{
    size_t *number = index_get(known, key->text);
    if (number) {
        *ret = *number;
        return true;
    }
    Place place = place_of(r->file, key);
    if (!values_check_name(&r->reading, key->text, "a column", place))
        return false;
    if (rows->columns.count == TEST_COLUMNS_MAX) {
        wrong(r, place, NULL, "more than %d columns", TEST_COLUMNS_MAX);
        return false;
    }
    number = arena_alloc(&r->reading.scratch, sizeof *number);
    *ret = *number = rows->columns.count;
    index_put(known, key->text, number);
    rows->places[rows->columns.count] = place;
    strings_add(arena_of(r), &rows->columns, arena_strdup(arena_of(r), key->text));
    return true;
}

/* Which columns there are is known after a look at every row. */
static bool find_columns(TestReader *r, const YamlNode *list, TestRows *rows, Index *known)
{
    size_t most = 0, number;
    for (const YamlNode *row = list->child; row; row = row->next)
        most += row->count;
    rows->places = arena_array(arena_of(r), (most < TEST_COLUMNS_MAX ? most : TEST_COLUMNS_MAX) + 1, sizeof(Place));
    for (const YamlNode *row = list->child; row; row = row->next) {
        if (row->kind != YAML_MAP) {
            wrong(r, place_of(r->file, row), "such as {day: 2026-01-31, amount: 1.50}",
                  "a row is a mapping of column to value, and this is %s", yaml_kind_name(row));
            return false;
        }
        for (const YamlNode *value = row->child; value; value = value->next)
            if (!column_number(r, rows, known, value->key, &number))
                return false;
    }
    return true;
}

static bool read_row(TestReader *r, const YamlNode *row, const Index *known, TestValue *values)
{
    for (const YamlNode *value = row->child; value; value = value->next) {
        Place place = place_of(r->file, value);
        const size_t *number = index_get(known, value->key->text);
        if (value->kind != YAML_TEXT) {
            wrong(r, place, "write it as PostgreSQL does: \"{1,2}\" is an array, '{\"a\": 1}' is JSON",
                  "a value is text, and this is %s", yaml_kind_name(value));
            return false;
        }
        values[*number] = (TestValue){
            .text = yaml_is_null(value) ? NULL : arena_strdup(arena_of(r), value->text),
            .quoted = value->style != YAML_PLAIN,
            .place = place,
        };
    }
    return true;
}

static void read_rows(TestReader *r, const char *what, const YamlNode *list, TestRows *rows)
{
    Index known = {.arena = &r->reading.scratch};
    if (list->kind != YAML_LIST) {
        wrong(r, place_of(r->file, list), "a list of rows, each {column: value}; [] is no row",
              "%s is a list of rows, and this is %s", what, yaml_kind_name(list));
        return;
    }
    if (list->count > TEST_ROWS_MAX) {
        wrong(r, place_of(r->file, list), NULL, "more than %d rows", TEST_ROWS_MAX);
        return;
    }
    if (!find_columns(r, list, rows, &known))
        return;
    rows->items = arena_array(arena_of(r), list->count + 1, sizeof *rows->items);
    for (const YamlNode *row = list->child; row; row = row->next) {
        TestValue *values = arena_array(arena_of(r), rows->columns.count + 1, sizeof *values);
        if (!read_row(r, row, &known, values))
            return;
        rows->items[rows->count++] = values;
    }
}

static void check_columns(TestReader *r, const TestRows *rows, Strings columns, const char *whose)
{
    for (size_t i = 0; columns.count && i < rows->columns.count; i++)
        if (!strings_have(&columns, rows->columns.items[i]))
            wrong(r, rows->places[i], reading_nearest(&r->reading, rows->columns.items[i], columns),
                  "%s has no column '%s'", whose, rows->columns.items[i]);
}

/* --- given ------------------------------------------------------------------------------------------------------- */

static const Node *node_of_relation(const Project *project, const char *schema, const char *table)
{
    for (size_t i = 0; i < project->node_count; i++)
        if (str_eq(project->nodes[i]->table, table) &&
            str_eq(project->nodes[i]->schema, schema ? schema : project->target.schema))
            return project->nodes[i];
    return NULL;
}

static void name_table(TestReader *r, const YamlNode *key, TestTable *table)
{
    ERROR_AUTO(err);
    table->name = arena_strdup(arena_of(r), key->text);
    table->place = place_of(r->file, key);
    table->node = project_find(r->project, key->text);
    if (table->node) {
        table->schema = table->node->schema;
        table->table = table->node->table;
        return;
    }
    const char *schema, *name;
    if (!expression_table(&r->reading.scratch, key->text, &schema, &name, &err)) {
        wrong(r, table->place, NULL, "'%s' names no table: %s", key->text, err.message);
        return;
    }
    table->schema = arena_strdup(arena_of(r), schema);
    table->table = arena_strdup(arena_of(r), name);
    table->node = node_of_relation(r->project, schema, name);
}

static void read_types(TestReader *r, const YamlNode *map, TestTable *table)
{
    if (map->kind != YAML_MAP) {
        wrong(r, place_of(r->file, map), "such as {day: date}",
              "columns is a mapping of column to type, and this is %s", yaml_kind_name(map));
        return;
    }
    for (const YamlNode *type = map->child; type; type = type->next) {
        ERROR_AUTO(err);
        Place place = place_of(r->file, type);
        if (type->kind != YAML_TEXT || !expression_check_type(&r->reading.scratch, type->text, &err)) {
            wrong(r, place, "such as numeric(10,2)", "the type of '%s': %s", type->key->text,
                  err.message ? err.message : "it is no text");
            continue;
        }
        bool found = false;
        for (size_t i = 0; i < table->rows.columns.count; i++)
            if (str_eq(table->rows.columns.items[i], type->key->text)) {
                table->types[i] = arena_strdup(arena_of(r), type->text);
                found = true;
            }
        if (!found) { /* of a column that is null in every row, or of a table without rows */
            size_t count = table->rows.columns.count;
            const char **types = arena_array(arena_of(r), count + 2, sizeof *types);
            memcpy(types, table->types, count * sizeof *types);
            types[count] = arena_strdup(arena_of(r), type->text);
            table->types = types;
            strings_add(arena_of(r), &table->rows.columns, arena_strdup(arena_of(r), type->key->text));
            for (size_t i = 0; i < table->rows.count; i++) {
                TestValue *values = arena_array(arena_of(r), count + 2, sizeof *values);
                memcpy(values, table->rows.items[i], count * sizeof *values);
                table->rows.items[i] = values;
            }
        }
    }
}

/* A history has a column beside those of its query. */
static Strings table_columns(TestReader *r, const Node *node)
{
    Strings known = node_columns(node, arena_of(r)), columns = {0};
    if (node->kind != NODE_MODEL || node->materialized != MATERIALIZED_HISTORY || known.count == 0)
        return known;
    for (size_t i = 0; i < known.count; i++)
        strings_add(arena_of(r), &columns, known.items[i]);
    strings_add(arena_of(r), &columns, "created_at");
    return columns;
}

/* What the server would surely refuse, by the type that is declared. */
static void check_values(TestReader *r, const TestTable *table)
{
    const TestRows *rows = &table->rows;
    TEXT_AUTO(ignored);
    for (size_t i = 0; i < rows->columns.count; i++) {
        if (!table->types[i])
            continue;
        CsvColumnType type = csv_type_of(table->types[i]);
        for (size_t j = 0; j < rows->count; j++) {
            const TestValue *value = &rows->items[j][i];
            if (!value->text)
                continue;
            ERROR_AUTO(err);
            size_t length = strlen(value->text);
            ValueResult result = value_encode(&type, value->text, length, &ignored);
            text_reset(&ignored);
            if (result == VALUE_OK || result == VALUE_UNSURE)
                continue;
            value_error(&type, NULL, result, value->text, length, &err);
            wrong(r, value->place, value_expected(&type), "%s", err.message);
        }
    }
}

/* A table as its rows alone, or as {columns: {...}, rows: [...]}. */
static void read_table(TestReader *r, const YamlNode *node, TestTable *table)
{
    const YamlNode *types = NULL, *rows = node;
    name_table(r, node->key, table);
    if (node->kind == YAML_MAP) {
        rows = NULL;
        for (const YamlNode *child = node->child; child; child = child->next) {
            if (str_eq(child->key->text, "columns"))
                types = child;
            else if (str_eq(child->key->text, "rows"))
                rows = child;
            else
                wrong(r, place_of(r->file, child->key), "columns and rows", "unknown key '%s' of a given table",
                      child->key->text);
        }
    }
    if (rows)
        read_rows(r, "a given table", rows, &table->rows);
    table->types = arena_array(arena_of(r), table->rows.columns.count + 1, sizeof *table->types);
    for (size_t i = 0; table->node && i < table->rows.columns.count; i++)
        for (size_t j = 0; j < table->node->column_count; j++)
            if (str_eq(table->node->columns[j].name, table->rows.columns.items[i]))
                table->types[i] = table->node->columns[j].type;
    size_t named = table->rows.columns.count;
    if (types)
        read_types(r, types, table);
    TestRows said = table->rows;
    said.columns.count = named;
    if (table->node)
        check_columns(r, &said, table_columns(r, table->node), table->node->name);
    check_values(r, table);
}

static void read_given(TestReader *r, const YamlNode *map, Test *test)
{
    if (map->kind != YAML_MAP) {
        wrong(r, place_of(r->file, map), "such as {orders: [{id: 1}]}",
              "given is a mapping of table to rows, and this is %s", yaml_kind_name(map));
        return;
    }
    test->given = arena_array(arena_of(r), map->count + 1, sizeof *test->given);
    for (const YamlNode *child = map->child; child; child = child->next)
        read_table(r, child, &test->given[test->given_count++]);
}

/* --- what it takes ----------------------------------------------------------------------------------------------- */

const TestTable *test_given(const Test *test, const Project *project, const Reference *reference)
{
    const char *schema = reference->schema ? reference->schema : project->target.schema;
    for (size_t i = 0; i < test->given_count; i++) {
        const TestTable *table = &test->given[i];
        if (reference->node && table->node ? reference->node == table->node
                                           : str_eq(table->table, reference->name) &&
                                                 str_eq(table->schema ? table->schema : project->target.schema, schema))
            return table;
    }
    return NULL;
}

typedef struct Expansion {
    TestReader *r;
    Test *test;
    bool *wanted;  /* per position in the project's order */
    bool *used;    /* per given table */
    Strings names; /* of all that is read */
} Expansion;

static void follow_reference(Expansion *e, const Node *node, const Reference *reference)
{
    TestReader *r = e->r;
    const TestTable *given = test_given(e->test, r->project, reference);
    const char *name = reference->node     ? reference->node->name
                       : reference->schema ? arena_printf(arena_of(r), "%s.%s", reference->schema, reference->name)
                                           : reference->name;
    if (!strings_have(&e->names, name))
        strings_add(arena_of(r), &e->names, name);
    if (given)
        e->used[given - e->test->given] = true;
    else if (reference->node && reference->node->kind == NODE_MODEL)
        e->wanted[reference->node->order] = true;
    else
        wrong(r, e->test->place, arena_printf(arena_of(r), "given: {%s: []} gives it no row", name),
              "the test gives no rows for %s, which %s reads", name, node->name);
}

/* What a model reads comes before it in the project's order: one pass backwards finds all. */
static void expand(TestReader *r, Test *test)
{
    if (!test->model)
        return;
    size_t last = test->model->order;
    bool *wanted CLEANUP(mem_free_p) = mem_alloc(r->project->node_count + 1);
    bool *used CLEANUP(mem_free_p) = mem_alloc(test->given_count + 1);
    Expansion e = {.r = r, .test = test, .wanted = wanted, .used = used};
    size_t count = 0;
    wanted[last] = true;
    for (size_t i = last + 1; i-- > 0;) {
        const Node *node = r->project->nodes[i];
        count += wanted[i];
        for (size_t j = 0; wanted[i] && j < node->reference_count; j++)
            follow_reference(&e, node, &node->references[j]);
    }
    test->expanded = arena_array(arena_of(r), count, sizeof *test->expanded);
    for (size_t i = 0; i <= last; i++)
        if (wanted[i])
            test->expanded[test->expanded_count++] = r->project->nodes[i];
    for (size_t i = 0; i < test->given_count; i++)
        if (!used[i] && test->given[i].table)
            wrong(r, test->given[i].place, reading_nearest(&r->reading, test->given[i].name, e.names),
                  "%s does not read '%s'", test->model->name, test->given[i].name);
}

/* --- the test ---------------------------------------------------------------------------------------------------- */

typedef enum TestKey { TEST_MODEL, TEST_DESCRIPTION, TEST_NOW, TEST_GIVEN, TEST_EXPECT, TEST_KEYS } TestKey;
static const char *const test_keys[] = {"model", "description", "now", "given", "expect"};

static const YamlNode *text_key(TestReader *r, const YamlNode *node, TestKey key)
{
    if (!node || (node->kind == YAML_TEXT && !yaml_is_null(node)))
        return node;
    wrong(r, place_of(r->file, node), NULL, "'%s' takes text, and this is %s", test_keys[key], yaml_kind_name(node));
    return NULL;
}

static const char *nearest_model(TestReader *r, const char *name)
{
    Strings names = {0};
    for (size_t i = 0; i < r->project->node_count; i++)
        if (r->project->nodes[i]->kind == NODE_MODEL)
            strings_add(&r->reading.scratch, &names, r->project->nodes[i]->name);
    return reading_nearest(&r->reading, name, names);
}

static void find_model(TestReader *r, const YamlNode *name, Test *test)
{
    if (!name)
        return;
    test->model = project_find(r->project, name->text);
    if (!test->model)
        wrong(r, place_of(r->file, name), nearest_model(r, name->text), "there is no model '%s'", name->text);
    else if (test->model->kind != NODE_MODEL)
        wrong(r, place_of(r->file, name), "a test is of a model; a source has nothing to compute", "'%s' is a source",
              name->text);
}

static void read_expect(TestReader *r, const YamlNode *node, Test *test)
{
    const YamlNode *rows = node;
    if (node->kind == YAML_MAP && node->count == 1 && str_eq(node->child->key->text, "rows"))
        rows = node->child;
    read_rows(r, "expect", rows, &test->expect);
    const TestRows *expect = &test->expect;
    for (size_t i = 0; i < expect->count; i++)
        for (size_t j = 0; j < expect->columns.count; j++)
            if (!expect->items[i][j].place.line) {
                wrong(
                    r, i && expect->items[i][0].place.line ? expect->items[i][0].place : place_of(r->file, rows),
                    "rows are compared by the columns that expect names: name the same in each, null where it is null",
                    "row %zu names no '%s', and another row does", i + 1, expect->columns.items[j]);
                return;
            }
    if (test->model)
        check_columns(r, expect, test->model->output, test->model->name);
}

static void unknown_key(TestReader *r, const YamlNode *key)
{
    Strings names = {.items = (const char **)(uintptr_t)test_keys, .count = TEST_KEYS};
    const char *near = reading_nearest(&r->reading, key->text, names);
    wrong(r, place_of(r->file, key), near ? near : "model, description, now, given, expect",
          "unknown key '%s' of a test", key->text);
}

static void read_keys(TestReader *r, const YamlNode *map, const YamlNode *keys[TEST_KEYS])
{
    for (const YamlNode *child = map->child; child; child = child->next) {
        bool known = false;
        for (int i = 0; i < TEST_KEYS; i++)
            if (str_eq(child->key->text, test_keys[i])) {
                keys[i] = child;
                known = true;
            }
        if (!known)
            unknown_key(r, child->key);
    }
    if (!keys[TEST_MODEL])
        wrong(r, place_of(r->file, map->key), "model: NAME", "the test names no model");
    if (!keys[TEST_EXPECT])
        wrong(r, place_of(r->file, map->key), "expect: [{column: value}]; [] for no row", "the test expects nothing");
}

static void read_test(TestReader *r, const YamlNode *map)
{
    const YamlNode *keys[TEST_KEYS] = {0};
    r->broken = 0;
    if (map->kind != YAML_MAP) {
        wrong(r, place_of(r->file, map), "such as my_test: {model: daily, given: {...}, expect: [...]}",
              "a test is a mapping, and '%s' is %s", map->key->text, yaml_kind_name(map));
        return;
    }
    Test test = {.name = arena_strdup(arena_of(r), map->key->text), .place = place_of(r->file, map->key)};
    read_keys(r, map, keys);
    find_model(r, text_key(r, keys[TEST_MODEL], TEST_MODEL), &test);
    const YamlNode *text = text_key(r, keys[TEST_DESCRIPTION], TEST_DESCRIPTION);
    test.description = text ? arena_strdup(arena_of(r), text->text) : NULL;
    text = text_key(r, keys[TEST_NOW], TEST_NOW);
    if (text) {
        test.now = arena_strdup(arena_of(r), text->text);
        test.now_place = place_of(r->file, text);
    }
    if (keys[TEST_GIVEN])
        read_given(r, keys[TEST_GIVEN], &test);
    if (keys[TEST_EXPECT])
        read_expect(r, keys[TEST_EXPECT], &test);
    if (r->broken == 0)
        expand(r, &test);
    test.broken = r->broken > 0;
    if (r->tests->count == r->room) {
        r->room = r->room ? r->room * 2 : 16;
        Test *items = arena_array(arena_of(r), r->room, sizeof *items);
        if (r->tests->count)
            memcpy(items, r->tests->items, r->tests->count * sizeof *items);
        r->tests->items = items;
    }
    r->tests->items[r->tests->count++] = test;
}

static void read_file(TestReader *r, const char *path)
{
    char *data CLEANUP(mem_free_p) = NULL;
    size_t length = 0;
    ERROR_AUTO(err);
    YamlNode *root = NULL;
    r->file = arena_printf(arena_of(r), "%s%s", r->reading.prefix, path);
    YamlSource source = {.file = r->file};
    bool good = file_read(arena_printf(&r->reading.scratch, "%s/%s", r->project->dir, path), YAML_BYTES_MAX, &data,
                          &length, &err);
    if (!good)
        error_place(&err, r->file, 0, 0);
    source.text = data;
    source.length = length;
    if (!good || !yaml_read(&r->reading.scratch, &source, &root, &err)) {
        errors_add(r->reading.errors, &err);
    } else if (root && root->kind != YAML_MAP) {
        reading_report(&r->reading, place_of(r->file, root), "such as my_test: {model: daily, ...}",
                       "a file of tests is a mapping of their names, and this is %s", yaml_kind_name(root));
    } else if (root) {
        for (const YamlNode *child = root->child; child; child = child->next)
            read_test(r, child);
    }
    arena_clear(&r->reading.scratch);
}

bool tests_read(Project *project, Errors *errors, Tests *ret)
{
    *ret = (Tests){0};
    size_t before = errors->count + errors->dropped;
    TestReader r = {.project = project, .tests = ret};
    r.reading = (Reading){.project = project, .errors = errors};
    r.reading.prefix = arena_strndup(&project->arena, project->file, strlen(project->file) - strlen("sluice.yaml"));
    Strings files;
    walk_files(&r.reading, "tests", ".yaml", true, &files);
    for (size_t i = 0; i < files.count; i++)
        read_file(&r, files.items[i]);
    arena_clear(&r.reading.scratch);
    errors_sort(errors);
    return errors->count + errors->dropped == before;
}
