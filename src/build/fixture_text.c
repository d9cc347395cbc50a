#include "build/fixture_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sql/parse.h"
#include "sql/place.h"
#include "sql/refs.h"
#include "sql/select.h"

void fixture_text_clear(FixtureText *f)
{
    text_clear(&f->out);
    free(f->spans);
}

static void add_span(FixtureText *f, FixtureSpan span)
{
    if (f->span_count == f->span_room) {
        f->span_room = f->span_room ? f->span_room * 2 : 64;
        f->spans = mem_resize(f->spans, f->span_room, sizeof *f->spans);
    }
    f->spans[f->span_count++] = span;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

/* type is SQL, checked or the server's own. */
bool fixture_append_value(FixtureText *f, const char *text, Place place, const char *type, Error *err)
{
    text_append(&f->out, "cast(");
    size_t start = f->out.len;
    ERROR_AUTO(bad);
    if (!conn_format(f->conn, &f->out, &bad, "%L", text)) {
        error_place(&bad, place.file, place.line, place.column);
        error_move(err, &bad);
        return false;
    }
    add_span(f, (FixtureSpan){.start = start, .length = f->out.len - start, .place = place});
    text_appendf(&f->out, " as %s)", type);
    return true;
}

/* The time of the test, as `type`: a subquery, because that lends its column's name to what it stands in, as the call
 * `name` does whose place it takes. */
static bool append_now(FixtureText *f, const char *type, const char *name, Error *err)
{
    text_append(&f->out, "(select cast(");
    if (!fixture_append_value(f, f->test->now, f->test->now_place, "timestamptz", err))
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

int fixture_find_name(const Strings *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(names->items[i], name))
            return (int)i;
    return -1;
}

/* The columns of a given table: all that its source declares or its model gives, then what only the test names. */
static FixtureColumns given_columns(FixtureText *f, size_t number)
{
    const TestTable *table = &f->test->given[number];
    const Node *node = table->node;
    const FixtureColumns *known = &f->given[number];
    size_t declared = node ? node->column_count : 0;
    FixtureColumns columns = {0};
    columns.items =
        arena_array(f->arena, declared + known->count + table->rows.columns.count + 1, sizeof *columns.items);
    Strings names = {0};
    names.items = arena_array(f->arena, declared + known->count + table->rows.columns.count + 1, sizeof *names.items);
    for (size_t i = 0; i < declared; i++) {
        names.items[names.count++] = node->columns[i].name;
        columns.items[columns.count++] = (FixtureColumn){node->columns[i].name, node->columns[i].type};
    }
    for (size_t i = 0; i < known->count; i++) {
        names.items[names.count++] = known->items[i].name;
        columns.items[columns.count++] = known->items[i];
    }
    for (size_t i = 0; i < table->rows.columns.count; i++) {
        const char *name = table->rows.columns.items[i], *type = table->types[i];
        int at = fixture_find_name(&names, name);
        if (at < 0)
            columns.items[columns.count++] = (FixtureColumn){name, type ? type : guess_type(&table->rows, i)};
        else if (type)
            columns.items[at].type = type;
    }
    return columns;
}

static bool append_row(FixtureText *f, const TestTable *table, const FixtureColumns *columns, const TestValue *row,
                       Error *err)
{
    for (size_t i = 0; i < columns->count; i++) {
        int at = row ? fixture_find_name(&table->rows.columns, columns->items[i].name) : -1;
        Place place = at < 0 ? table->place : row[at].place;
        text_append(&f->out, i ? ", " : "");
        if (!fixture_append_value(f, at < 0 ? NULL : row[at].text, place, columns->items[i].type, err))
            return false;
    }
    return true;
}

static bool begin_cte(FixtureText *f, const char *kind, size_t number, const FixtureColumns *columns, Error *err)
{
    text_appendf(&f->out, "%s\"sluice_%s_%zu\"", f->ctes++ ? ", " : "with ", kind, number);
    for (size_t i = 0; columns && i < columns->count; i++)
        if (!conn_format(f->conn, &f->out, err, "%s%I", i ? ", " : " (", columns->items[i].name))
            return false;
    text_append(&f->out, columns && columns->count ? ") as (" : " as (");
    return true;
}

static bool append_given(FixtureText *f, size_t number, Error *err)
{
    const TestTable *table = &f->test->given[number];
    FixtureColumns columns = given_columns(f, number);
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

static bool edit_reference(FixtureText *f, const Node *node, const SqlTree *tree, const SqlRef *ref,
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
static bool edit_now(FixtureText *f, const SqlTree *tree, const SqlFunction *function, const char *type, TextEdit *ret)
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

static bool find_edits(FixtureText *f, const Node *node, const SqlTree *tree, TextEdits *ret, Error *err)
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

static bool append_edited(FixtureText *f, const Node *node, const SqlTree *tree, const TextEdits *edits, Error *err)
{
    size_t at = tree->statements[0].start, end = tree->statements[0].end;
    for (size_t i = 0; i <= edits->count; i++) {
        size_t until = i < edits->count ? edits->items[i].offset : end;
        add_span(f, (FixtureSpan){.start = f->out.len, .length = until - at, .node = node, .offset = at});
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

static bool append_model(FixtureText *f, const Node *node, Error *err)
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

bool fixture_append_with(FixtureText *f, Error *err)
{
    for (size_t i = 0; i < f->test->given_count; i++)
        if (!append_given(f, i, err))
            return false;
    for (size_t i = 0; i < f->test->expanded_count; i++)
        if (!append_model(f, f->test->expanded[i], err))
            return false;
    return true;
}

/* --- places ---------------------------------------------------------------------------------------------------- */

bool fixture_place_error(const FixtureText *f, Error *err)
{
    int position = conn_error_position(f->conn);
    if (err->code != ERROR_FAILED || err->file || position < 1)
        return false;
    size_t at = sql_position_to_offset(text_str(&f->out), position);
    for (size_t i = 0; i < f->span_count; i++) {
        const FixtureSpan *span = &f->spans[i];
        if (at < span->start || at > span->start + span->length || (span->node && at == span->start + span->length))
            continue;
        if (!span->node && (str_eq(err->sqlstate, "22007") || str_eq(err->sqlstate, "22008")))
            error_hint(err, "expected a date or time such as 2026-01-31 or 2026-01-31 06:00");
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
