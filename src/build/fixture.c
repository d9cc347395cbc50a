#include "build/fixture.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pg/rows.h"
#include "sql/parse.h"
#include "sql/place.h"
#include "sql/refs.h"
#include "sql/select.h"

/* What of the statement was written by the user: a piece of a model, or a value of the test. */
typedef struct Span {
    size_t start, length; /* bytes of the statement */
    const Node *node;     /* a piece of its SQL, from offset on; NULL: */
    size_t offset;
    Place place; /* a value's */
} Span;

typedef struct OutputColumn {
    const char *name, *type; /* as pg_typeof() gives it */
} OutputColumn;

typedef struct Columns {
    OutputColumn *items;
    size_t count;
} Columns;

typedef struct Fixture {
    Conn *conn;
    const Project *project;
    const Test *test;
    Arena *arena;
    Text out;
    Span *spans;
    size_t span_count, span_room;
    size_t ctes;
    Columns *given; /* per given table: columns and types, where its model's query tells; count 0 where not */
} Fixture;

static void fixture_clear(Fixture *f)
{
    text_clear(&f->out);
    free(f->spans);
}

static void add_span(Fixture *f, Span span)
{
    if (f->span_count == f->span_room) {
        f->span_room = f->span_room ? f->span_room * 2 : 64;
        f->spans = mem_resize(f->spans, f->span_room, sizeof *f->spans);
    }
    f->spans[f->span_count++] = span;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

/* type is SQL, checked or the server's own. */
static bool append_value(Fixture *f, const char *text, Place place, const char *type, Error *err)
{
    text_append(&f->out, "cast(");
    size_t start = f->out.len;
    ERROR_AUTO(bad);
    if (!conn_format(f->conn, &f->out, &bad, "%L", text)) {
        error_place(&bad, place.file, place.line, place.column);
        error_move(err, &bad);
        return false;
    }
    add_span(f, (Span){.start = start, .length = f->out.len - start, .place = place});
    text_appendf(&f->out, " as %s)", type);
    return true;
}

/* The time of the test, as `type`: a subquery, because that lends its column's name to what it stands in, as the call
 * `name` does whose place it takes. */
static bool append_now(Fixture *f, const char *type, const char *name, Error *err)
{
    text_append(&f->out, "(select cast(");
    if (!append_value(f, f->test->now, f->test->now_place, "timestamptz", err))
        return false;
    text_appendf(&f->out, " as %s)", type);
    return conn_format(f->conn, &f->out, err, " as %I)", name);
}

typedef enum Guess {
    GUESS_INTEGER,
    GUESS_NUMERIC,
    GUESS_BOOLEAN,
    GUESS_DATE,
    GUESS_TIME,
    GUESS_ZONED,
    GUESS_TEXT
} Guess;

/* Fits a pattern of digits (0) and other characters, as they are. */
static bool fits(const char *s, const char *pattern, const char **ret_rest)
{
    for (; *pattern; s++, pattern++)
        if (*pattern == '0' ? !isdigit((unsigned char)*s) : *pattern == ' ' ? *s != ' ' && *s != 'T' : *s != *pattern)
            return false;
    *ret_rest = s;
    return true;
}

static Guess guess_value(const TestValue *value)
{
    const char *s = value->text, *rest;
    if (value->quoted)
        return GUESS_TEXT;
    if (str_eq(s, "true") || str_eq(s, "false"))
        return GUESS_BOOLEAN;
    if (fits(s, "0000-00-00", &rest) && !*rest)
        return GUESS_DATE;
    if (fits(s, "0000-00-00 00:00", &rest))
        return strpbrk(rest, "+-Z") ? GUESS_ZONED : GUESS_TIME;
    s += *s == '-' || *s == '+';
    size_t digits = strspn(s, "0123456789");
    if (digits && !s[digits])
        return digits < 19 ? GUESS_INTEGER : GUESS_NUMERIC;
    char *end = NULL;
    if (isdigit((unsigned char)*s) && !strpbrk(s, "xXpPnNiI")) {
        strtod(s, &end);
        if (!*end)
            return GUESS_NUMERIC;
    }
    return GUESS_TEXT;
}

/* Of a column that nothing declares: the type that all its values read as. */
static const char *guess_type(const TestRows *rows, size_t column)
{
    static const char *const types[] = {"integer", "numeric", "boolean", "date", "timestamp", "timestamptz", "text"};
    int guess = -1;
    bool large = false;
    for (size_t i = 0; i < rows->count; i++) {
        const TestValue *value = &rows->items[i][column];
        if (!value->text)
            continue;
        Guess one = guess_value(value);
        large = large || (one == GUESS_INTEGER && llabs(strtoll(value->text, NULL, 10)) > INT32_MAX);
        bool numbers = guess <= GUESS_NUMERIC && one <= GUESS_NUMERIC;
        if (guess < 0 || (numbers && (int)one > guess))
            guess = (int)one;
        else if (guess != (int)one && !numbers)
            guess = GUESS_TEXT;
    }
    if (guess == GUESS_INTEGER && large)
        return "bigint";
    return guess < 0 ? "text" : types[guess];
}

/* --- given tables ------------------------------------------------------------------------------------------------ */

static int find_name(const Strings *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(names->items[i], name))
            return (int)i;
    return -1;
}

/* The columns of a given table: all that its source declares or its model gives, then what only the test names. */
static Columns given_columns(Fixture *f, size_t number)
{
    const TestTable *table = &f->test->given[number];
    const Node *node = table->node;
    const Columns *known = &f->given[number];
    size_t declared = node ? node->column_count : 0;
    Columns columns = {0};
    columns.items =
        arena_array(f->arena, declared + known->count + table->rows.columns.count + 1, sizeof *columns.items);
    Strings names = {0};
    names.items = arena_array(f->arena, declared + known->count + table->rows.columns.count + 1, sizeof *names.items);
    for (size_t i = 0; i < declared; i++) {
        names.items[names.count++] = node->columns[i].name;
        columns.items[columns.count++] = (OutputColumn){node->columns[i].name, node->columns[i].type};
    }
    for (size_t i = 0; i < known->count; i++) {
        names.items[names.count++] = known->items[i].name;
        columns.items[columns.count++] = known->items[i];
    }
    for (size_t i = 0; i < table->rows.columns.count; i++) {
        const char *name = table->rows.columns.items[i], *type = table->types[i];
        int at = find_name(&names, name);
        if (at < 0)
            columns.items[columns.count++] = (OutputColumn){name, type ? type : guess_type(&table->rows, i)};
        else if (type)
            columns.items[at].type = type;
    }
    return columns;
}

static bool append_row(Fixture *f, const TestTable *table, const Columns *columns, const TestValue *row, Error *err)
{
    for (size_t i = 0; i < columns->count; i++) {
        int at = row ? find_name(&table->rows.columns, columns->items[i].name) : -1;
        Place place = at < 0 ? table->place : row[at].place;
        text_append(&f->out, i ? ", " : "");
        if (!append_value(f, at < 0 ? NULL : row[at].text, place, columns->items[i].type, err))
            return false;
    }
    return true;
}

static bool begin_cte(Fixture *f, const char *kind, size_t number, const Columns *columns, Error *err)
{
    text_appendf(&f->out, "%s\"sluice_%s_%zu\"", f->ctes++ ? ", " : "with ", kind, number);
    for (size_t i = 0; columns && i < columns->count; i++)
        if (!conn_format(f->conn, &f->out, err, "%s%I", i ? ", " : " (", columns->items[i].name))
            return false;
    text_append(&f->out, columns && columns->count ? ") as (" : " as (");
    return true;
}

static bool append_given(Fixture *f, size_t number, Error *err)
{
    const TestTable *table = &f->test->given[number];
    Columns columns = given_columns(f, number);
    if (!begin_cte(f, "given", number, &columns, err))
        return false;
    if (columns.count == 0) /* a table of no known column */
        text_appendf(&f->out, "select from pg_catalog.generate_series(1, %zu)", table->rows.count);
    else if (table->rows.count == 0)
        text_append(&f->out, "select ");
    else
        text_append(&f->out, "values ");
    for (size_t i = 0; columns.count && i < table->rows.count; i++) {
        text_append(&f->out, i ? ",\n(" : "(");
        if (!append_row(f, table, &columns, table->rows.items[i], err))
            return false;
        text_append(&f->out, ")");
    }
    if (columns.count && table->rows.count == 0 && !append_row(f, table, &columns, NULL, err))
        return false;
    text_append(&f->out, columns.count && table->rows.count == 0 ? " where false)" : ")");
    return true;
}

/* --- models ------------------------------------------------------------------------------------------------------ */

typedef struct TextEdit {
    size_t offset, length;
    char *text;           /* what takes its place, or NULL: */
    const char *now_type; /* the test's time as this type, */
    const char *name;     /* in place of this function */
} TextEdit;

typedef struct TextEdits {
    TextEdit *items;
    size_t count;
} TextEdits;

/* Whether the relation that stands at offset has an alias: 1, 0; -1 where it is not in node. */
static int has_alias(const SqlNode *node, size_t offset)
{
    int found = -1;
    if (!node)
        return -1;
    if (sql_is(node, "RangeVar") && node->location >= 0 && (size_t)node->location == offset)
        return sql_node_get(node, "alias") != NULL;
    for (uint32_t i = 0; i < node->field_count && found < 0; i++) {
        const SqlField *field = &node->fields[i];
        if (field->type == SQL_NODE)
            found = has_alias(field->node, offset);
        for (size_t j = 0; field->type == SQL_LIST && found < 0 && j < field->list.count; j++)
            found = has_alias(field->list.items[j], offset);
    }
    return found;
}

static bool refuse(const Node *node, int line, int column, const char *what, Error *err)
{
    line += node->sql_line - 1;
    node_place(node, &line, &column);
    return error_at(err, ERROR_FAILED, node->place.file, line, column, "%s cannot stand in a model that is tested",
                    what);
}

static bool edit_reference(Fixture *f, const Node *node, const SqlTree *tree, const SqlRef *ref,
                           const Reference *reference, TextEdit *ret, Error *err)
{
    if (ref->only || ref->sampled)
        return refuse(node, ref->line, ref->column, ref->only ? "ONLY" : "TABLESAMPLE", err);
    TEXT_AUTO(text);
    const TestTable *given = test_given(f->test, f->project, reference);
    if (given)
        text_appendf(&text, "\"sluice_given_%zu\"", (size_t)(given - f->test->given));
    else if (reference->node)
        text_appendf(&text, "\"sluice_model_%zu\"", reference->node->order);
    else
        return error_at(err, ERROR_FAILED, reference->place.file, reference->place.line, reference->place.column,
                        "the test gives no rows for %s", reference->name);
    size_t token = sql_token_at(tree, ref->offset);
    bool table_statement = token > 0 && sql_token_is(tree, token - 1, "table");
    if (!table_statement && has_alias(tree->statements[0].node, ref->offset) == 0 &&
        !conn_format(f->conn, &text, err, " as %I", ref->name))
        return false;
    *ret = (TextEdit){.offset = ref->offset, .length = ref->length, .text = arena_strdup(f->arena, text_str(&text))};
    return true;
}

static const char *now_type(const SqlFunction *function)
{
    static const char *const types[][2] = {
        {"now", "timestamptz"},
        {"current_timestamp", "timestamptz"},
        {"transaction_timestamp", "timestamptz"},
        {"statement_timestamp", "timestamptz"},
        {"clock_timestamp", "timestamptz"},
        {"current_date", "date"},
        {"current_time", "timetz"},
        {"localtime", "time"},
        {"localtimestamp", "timestamp"},
    };
    if (function->schema && !str_eq(function->schema, "pg_catalog"))
        return NULL;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(function->name, types[i][0]))
            return types[i][1];
    return NULL;
}

/* now(), pg_catalog.now(), current_date, current_timestamp(3): its tokens up to the closing parenthesis. */
static bool edit_now(Fixture *f, const SqlTree *tree, const SqlFunction *function, const char *type, TextEdit *ret)
{
    size_t token = sql_token_at(tree, function->offset), end;
    token += function->schema ? 2 : 0;
    if (token >= tree->token_count)
        return false;
    end = token;
    TEXT_AUTO(precise);
    text_append(&precise, type);
    if (sql_token_is(tree, token + 1, "(")) {
        for (end = token + 1; end + 1 < tree->token_count && !sql_token_is(tree, end, ")");)
            end++;
        if (end > token + 2) {
            size_t start = tree->tokens[token + 1].start;
            text_append_n(&precise, tree->text + start, tree->tokens[end].end - start);
        }
    }
    *ret = (TextEdit){.offset = function->offset, .length = tree->tokens[end].end - function->offset};
    ret->now_type = arena_strdup(f->arena, text_str(&precise));
    ret->name = function->name;
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const TextEdit *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool find_edits(Fixture *f, const Node *node, const SqlTree *tree, TextEdits *ret, Error *err)
{
    SqlRefs refs;
    SqlFunctions functions;
    sql_refs(f->arena, tree, &refs);
    sql_functions(f->arena, tree, &functions);
    ret->items = arena_array(f->arena, refs.count + functions.count + 1, sizeof *ret->items);
    for (size_t i = 0, own = 0; i < refs.count; i++) {
        if (refs.items[i].system)
            continue;
        if (own == node->reference_count) /* the project's reader saw the same text */
            abort();
        if (!edit_reference(f, node, tree, &refs.items[i], &node->references[own++], &ret->items[ret->count], err))
            return false;
        ret->count++;
    }
    for (size_t i = 0; f->test->now && i < functions.count; i++) {
        const char *type = now_type(&functions.items[i]);
        if (type && edit_now(f, tree, &functions.items[i], type, &ret->items[ret->count]))
            ret->count++;
    }
    qsort(ret->items, ret->count, sizeof *ret->items, by_offset);
    return true;
}

static bool append_edited(Fixture *f, const Node *node, const SqlTree *tree, const TextEdits *edits, Error *err)
{
    size_t at = tree->statements[0].start, end = tree->statements[0].end;
    for (size_t i = 0; i <= edits->count; i++) {
        size_t until = i < edits->count ? edits->items[i].offset : end;
        add_span(f, (Span){.start = f->out.len, .length = until - at, .node = node, .offset = at});
        text_append_n(&f->out, tree->text + at, until - at);
        if (i == edits->count)
            break;
        const TextEdit *edit = &edits->items[i];
        if (edit->text)
            text_append(&f->out, edit->text);
        else if (!append_now(f, edit->now_type, edit->name, err))
            return false;
        at = edit->offset + edit->length;
    }
    return true;
}

static bool append_model(Fixture *f, const Node *node, Error *err)
{
    SqlTree tree;
    TextEdits edits = {0};
    bool history = node->materialized == MATERIALIZED_HISTORY && node != f->test->model;
    if (!sql_parse(f->arena, node->sql, &tree, err)) {
        error_place(err, node->place.file, err->line + node->sql_line - 1, err->column);
        return error_hint(err, "a test needs SQL that the parser of this program knows");
    }
    if (!find_edits(f, node, &tree, &edits, err) || !begin_cte(f, "model", node->order, NULL, err))
        return false;
    text_append(&f->out, "select sluice_q.*");
    if (history && !f->test->now)
        text_append(&f->out, ", now() as created_at");
    else if (history) {
        text_append(&f->out, ", ");
        if (!append_now(f, "timestamptz", "created_at", err))
            return false;
    }
    text_append(&f->out, " from (\n");
    if (!append_edited(f, node, &tree, &edits, err))
        return false;
    text_append(&f->out, "\n) as sluice_q)\n");
    return true;
}

static bool append_with(Fixture *f, Error *err)
{
    for (size_t i = 0; i < f->test->given_count; i++)
        if (!append_given(f, i, err))
            return false;
    for (size_t i = 0; i < f->test->expanded_count; i++)
        if (!append_model(f, f->test->expanded[i], err))
            return false;
    return true;
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

static bool place_error(const Fixture *f, Error *err)
{
    int position = conn_error_position(f->conn);
    if (err->code != ERROR_FAILED || err->file || position < 1)
        return false;
    size_t at = sql_position_to_offset(text_str(&f->out), position);
    for (size_t i = 0; i < f->span_count; i++) {
        const Span *span = &f->spans[i];
        if (at < span->start || at > span->start + span->length || (span->node && at == span->start + span->length))
            continue;
        if (!span->node)
            return error_place(err, span->place.file, span->place.line, span->place.column);
        int line, column;
        sql_offset_to_line(span->node->sql, span->offset + (at - span->start), &line, &column);
        line += span->node->sql_line - 1;
        node_place(span->node, &line, &column);
        return error_place(err, span->node->place.file, line, column);
    }
    return false;
}

/* The statement so far with `tail` after it; what was there stays. */
static bool ask(Fixture *f, const char *tail, Rows **ret_rows, Error *err)
{
    size_t before = f->out.len;
    text_append(&f->out, tail);
    bool good = conn_query(f->conn, text_str(&f->out), 0, NULL, ret_rows, err) || place_error(f, err);
    f->out.len = before;
    f->out.data[before] = '\0';
    return good;
}

/* Names and types of what the model's query gives, without running it. */
static bool describe(Fixture *f, const Node *model, Columns *ret, Error *err)
{
    ROWS_AUTO(names);
    ROWS_AUTO(types);
    TEXT_AUTO(tail);
    text_appendf(&tail, "select * from \"sluice_model_%zu\" limit 0", model->order);
    if (!ask(f, text_str(&tail), &names, err))
        return false;
    text_reset(&tail);
    text_append(&tail, "select null");
    ret->items = arena_array(f->arena, (size_t)rows_columns(names) + 1, sizeof *ret->items);
    for (int i = 0; i < rows_columns(names); i++) {
        ret->items[ret->count++].name = arena_strdup(f->arena, rows_name(names, i));
        if (!conn_format(f->conn, &tail, err, ", pg_catalog.pg_typeof(x.%I)", rows_name(names, i)))
            return false;
    }
    text_appendf(&tail, " from (select 1) o left join (select * from \"sluice_model_%zu\" limit 0) x on true",
                 model->order);
    if (!ask(f, text_str(&tail), &types, err))
        return false;
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i].type = arena_strdup(f->arena, rows_get(types, 0, (int)i + 1));
    return true;
}

/* --- types of given models --------------------------------------------------------------------------------------- */

/* A test of a model on its sources, all of them empty. False where a source declares no columns. */
static bool test_on_nothing(const Project *project, const Node *model, Arena *arena, Test *ret)
{
    bool *wanted CLEANUP(mem_free_p) = mem_alloc(model->order + 1);
    wanted[model->order] = true;
    *ret = (Test){.name = model->name, .place = model->place, .model = model};
    ret->expanded = arena_array(arena, model->order + 1, sizeof *ret->expanded);
    ret->given = arena_array(arena, model->order + 1, sizeof *ret->given);
    for (size_t i = model->order + 1; i-- > 0;) {
        const Node *node = project->nodes[i];
        for (size_t j = 0; wanted[i] && j < node->reference_count; j++) {
            if (!node->references[j].node)
                return false;
            wanted[node->references[j].node->order] = true;
        }
        if (wanted[i] && node->kind == NODE_SOURCE) {
            if (node->column_count == 0)
                return false;
            ret->given[ret->given_count++] = (TestTable){
                .name = node->name, .place = node->place, .schema = node->schema, .table = node->table, .node = node};
        }
    }
    for (size_t i = 0; i <= model->order; i++)
        if (wanted[i] && project->nodes[i]->kind == NODE_MODEL)
            ret->expanded[ret->expanded_count++] = project->nodes[i];
    return true;
}

/* What cannot be told this way is guessed from the values; an error in that model's SQL is no concern of this test. */
static bool describe_given(Fixture *f, size_t number, Error *err)
{
    const Node *node = f->test->given[number].node;
    Test test;
    if (!node || node->kind != NODE_MODEL || !test_on_nothing(f->project, node, f->arena, &test))
        return true;
    Fixture inner CLEANUP(fixture_clear) = {.conn = f->conn, .project = f->project, .test = &test, .arena = f->arena};
    inner.given = arena_array(f->arena, test.given_count + 1, sizeof *inner.given);
    ERROR_AUTO(ignored);
    Columns columns = {0};
    if (!conn_exec(f->conn, "savepoint sluice_describe", err))
        return false;
    bool good = append_with(&inner, &ignored) && describe(&inner, node, &columns, &ignored);
    if (!good && ignored.code != ERROR_FAILED && ignored.code != ERROR_PROJECT) {
        error_move(err, &ignored);
        return false;
    }
    if (!good)
        return conn_exec(f->conn, "rollback to savepoint sluice_describe", err);
    if (node->materialized == MATERIALIZED_HISTORY) { /* beside the columns of its query */
        OutputColumn *items = arena_array(f->arena, columns.count + 1, sizeof *items);
        for (size_t i = 0; i < columns.count; i++)
            items[i] = columns.items[i];
        items[columns.count++] = (OutputColumn){"created_at", "timestamptz"};
        columns.items = items;
    }
    f->given[number] = columns;
    return true;
}

/* --- comparing --------------------------------------------------------------------------------------------------- */

/* pg_typeof() leaves modifiers out, without which these two mean one character. */
static const char *cast_type(const char *type)
{
    static const char *const as_text[] = {"json", "xml",     "point",  "line",    "lseg",   "box",    "path",
                                          "bit",  "polygon", "circle", "unknown", "record", "json[]", "xml[]"};
    for (size_t i = 0; i < sizeof as_text / sizeof *as_text; i++)
        if (str_eq(type, as_text[i]))
            return "text";
    if (str_eq(type, "character"))
        return "bpchar";
    return str_eq(type, "character[]") ? "bpchar[]" : type;
}

static bool choose_columns(Fixture *f, const Columns *output, Columns *ret, Error *err)
{
    const TestRows *expect = &f->test->expect;
    const char **names = arena_array(f->arena, output->count + 1, sizeof *names);
    for (size_t i = 0; i < output->count; i++)
        names[i] = output->items[i].name;
    if (expect->count == 0) {
        *ret = *output;
        return true;
    }
    ret->items = arena_array(f->arena, expect->columns.count + 1, sizeof *ret->items);
    for (size_t i = 0; i < expect->columns.count; i++) {
        const char *wanted = expect->columns.items[i];
        Place place = expect->places[i];
        int at = find_name(&(Strings){names, output->count}, wanted);
        if (at < 0) {
            const char *near = nearest(wanted, names, output->count);
            error_at(err, ERROR_FAILED, place.file, place.line, place.column, "%s has no column '%s'",
                     f->test->model->name, wanted);
            return near ? error_hint(err, "did you mean '%s'?", near) : false;
        }
        ret->items[ret->count++] = output->items[at];
    }
    return true;
}

static bool append_side(Fixture *f, const Columns *columns, Error *err)
{
    text_append(&f->out, "(select 1 as sluice_side");
    for (size_t i = 0; i < columns->count; i++) {
        const char *type = columns->items[i].type;
        if (!conn_format(
                f->conn, &f->out, err, ", x.%I%s%s as c", columns->items[i].name,
                str_eq(cast_type(type), type) ? "" : "::", str_eq(cast_type(type), type) ? "" : cast_type(type)))
            return false;
        text_appendf(&f->out, "%zu", i);
    }
    text_appendf(&f->out, " from \"sluice_model_%zu\" x)", f->test->model->order);
    return true;
}

static bool append_expected(Fixture *f, const Columns *columns, Error *err)
{
    const TestRows *expect = &f->test->expect;
    for (size_t i = 0; i < expect->count; i++) {
        text_append(&f->out, i ? ",\n(-1" : " union all (values (-1");
        for (size_t j = 0; j < columns->count; j++) {
            text_append(&f->out, ", ");
            if (!append_value(f, expect->items[i][j].text, expect->items[i][j].place, cast_type(columns->items[j].type),
                              err))
                return false;
        }
        text_append(&f->out, ")");
    }
    text_append(&f->out, expect->count ? ")" : "");
    return true;
}

static void keep(Fixture *f, const Rows *rows, size_t columns, FixtureResult *ret)
{
    ret->rows = arena_array(f->arena, FIXTURE_SHOWN_MAX, sizeof *ret->rows);
    for (int i = 0; i < rows_count(rows); i++) {
        int64_t surplus = rows_int(rows, i, 0), times = llabs(surplus);
        const char **values = arena_array(f->arena, columns + 1, sizeof *values);
        for (size_t j = 0; j < columns; j++)
            values[j] = arena_strdup(f->arena, rows_get(rows, i, (int)j + 1));
        for (; times > 0 && ret->count < FIXTURE_SHOWN_MAX; times--)
            ret->rows[ret->count++] = (FixtureRow){.got = surplus > 0, .values = values};
        ret->more = ret->more || times > 0;
    }
}

static bool compare(Fixture *f, const Columns *columns, FixtureResult *ret, Error *err)
{
    text_append(&f->out, "select sum(u.sluice_side)");
    for (size_t i = 0; i < columns->count; i++)
        text_appendf(&f->out, ", u.c%zu::text", i);
    text_append(&f->out, " from (");
    if (!append_side(f, columns, err) || !append_expected(f, columns, err))
        return false;
    TEXT_AUTO(tail);
    text_append(&tail, ") u group by ()");
    for (size_t i = 0; i < columns->count; i++)
        text_appendf(&tail, ", u.c%zu", i);
    text_append(&tail, " having sum(u.sluice_side) <> 0 order by ");
    for (size_t i = 0; i < columns->count; i++)
        text_appendf(&tail, "u.c%zu, ", i);
    text_appendf(&tail, "1 limit %d", FIXTURE_SHOWN_MAX + 1);
    ROWS_AUTO(rows);
    if (!ask(f, text_str(&tail), &rows, err))
        return false;
    ret->columns.items = arena_array(f->arena, columns->count + 1, sizeof *ret->columns.items);
    for (size_t i = 0; i < columns->count; i++)
        ret->columns.items[ret->columns.count++] = columns->items[i].name;
    ret->passed = rows_count(rows) == 0;
    keep(f, rows, columns->count, ret);
    return true;
}

static bool run_in_txn(Fixture *f, FixtureResult *ret, Error *err)
{
    Columns output = {0}, columns = {0};
    for (size_t i = 0; i < f->test->given_count; i++)
        if (!describe_given(f, i, err))
            return false;
    return append_with(f, err) && describe(f, f->test->model, &output, err) &&
           choose_columns(f, &output, &columns, err) && compare(f, &columns, ret, err);
}

bool fixture_run(Conn *conn, const Project *project, const Test *test, Arena *arena, FixtureResult *ret, Error *err)
{
    *ret = (FixtureResult){0};
    Fixture f CLEANUP(fixture_clear) = {.conn = conn, .project = project, .test = test, .arena = arena};
    f.given = arena_array(arena, test->given_count + 1, sizeof *f.given);
    TxnOptions options = {.schema = project->target.schema, .timezone = project->timezone, .read_only = true};
    bool good = conn_begin(conn, &options, err) && run_in_txn(&f, ret, err);
    conn_rollback(conn);
    if (!good && err->code == ERROR_FAILED && !err->file)
        error_place(err, test->place.file, test->place.line, test->place.column);
    return good;
}
