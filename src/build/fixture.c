#include "build/fixture.h"

#include <stdlib.h>

#include "build/fixture_text.h"
#include "pg/rows.h"

/* --- asking ------------------------------------------------------------------------------------------------------ */

/* The statement so far with `tail` after it; what was there stays. */
static bool ask(FixtureText *f, const char *tail, Rows **ret_rows, Error *err)
{
    size_t before = f->out.len;
    text_append(&f->out, tail);
    bool good = conn_query(f->conn, text_str(&f->out), 0, NULL, ret_rows, err) || fixture_place_error(f, err);
    f->out.len = before;
    f->out.data[before] = '\0';
    return good;
}

/* Names and types of what the model's query gives, without running it. */
static bool describe(FixtureText *f, const Node *model, FixtureColumns *ret, Error *err)
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
static bool describe_given(FixtureText *f, size_t number, Error *err)
{
    const Node *node = f->test->given[number].node;
    Test test;
    if (!node || node->kind != NODE_MODEL || !test_on_nothing(f->project, node, f->arena, &test))
        return true;
    FixtureText inner CLEANUP(fixture_text_clear) = {
        .conn = f->conn, .project = f->project, .test = &test, .arena = f->arena};
    inner.given = arena_array(f->arena, test.given_count + 1, sizeof *inner.given);
    ERROR_AUTO(ignored);
    FixtureColumns columns = {0};
    if (!conn_exec(f->conn, "savepoint sluice_describe", err))
        return false;
    bool good = fixture_append_with(&inner, &ignored) && describe(&inner, node, &columns, &ignored);
    if (!good && ignored.code != ERROR_FAILED && ignored.code != ERROR_PROJECT) {
        error_move(err, &ignored);
        return false;
    }
    if (!good)
        return conn_exec(f->conn, "rollback to savepoint sluice_describe", err);
    if (node->materialized == MATERIALIZED_HISTORY) { /* beside the columns of its query */
        FixtureColumn *items = arena_array(f->arena, columns.count + 1, sizeof *items);
        for (size_t i = 0; i < columns.count; i++)
            items[i] = columns.items[i];
        items[columns.count++] = (FixtureColumn){"created_at", "timestamptz"};
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

static bool choose_columns(FixtureText *f, const FixtureColumns *output, FixtureColumns *ret, Error *err)
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
        int at = fixture_find_name(&(Strings){names, output->count}, wanted);
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

static bool append_side(FixtureText *f, const FixtureColumns *columns, Error *err)
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

static bool append_expected(FixtureText *f, const FixtureColumns *columns, Error *err)
{
    const TestRows *expect = &f->test->expect;
    for (size_t i = 0; i < expect->count; i++) {
        text_append(&f->out, i ? ",\n(-1" : " union all (values (-1");
        for (size_t j = 0; j < columns->count; j++) {
            text_append(&f->out, ", ");
            if (!fixture_append_value(f, expect->items[i][j].text, expect->items[i][j].place,
                                      cast_type(columns->items[j].type), err))
                return false;
        }
        text_append(&f->out, ")");
    }
    text_append(&f->out, expect->count ? ")" : "");
    return true;
}

static void keep(FixtureText *f, const Rows *rows, size_t columns, FixtureResult *ret)
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

static bool compare(FixtureText *f, const FixtureColumns *columns, FixtureResult *ret, Error *err)
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

static bool run_in_txn(FixtureText *f, FixtureResult *ret, Error *err)
{
    FixtureColumns output = {0}, columns = {0};
    for (size_t i = 0; i < f->test->given_count; i++)
        if (!describe_given(f, i, err))
            return false;
    return fixture_append_with(f, err) && describe(f, f->test->model, &output, err) &&
           choose_columns(f, &output, &columns, err) && compare(f, &columns, ret, err);
}

bool fixture_run(Conn *conn, const Project *project, const Test *test, Arena *arena, FixtureResult *ret, Error *err)
{
    *ret = (FixtureResult){0};
    FixtureText f CLEANUP(fixture_text_clear) = {.conn = conn, .project = project, .test = test, .arena = arena};
    f.given = arena_array(arena, test->given_count + 1, sizeof *f.given);
    TxnOptions options = {.schema = project->target.schema, .timezone = project->timezone, .read_only = true};
    bool good = conn_begin(conn, &options, err) && run_in_txn(&f, ret, err);
    conn_rollback(conn);
    if (!good && err->code == ERROR_FAILED && !err->file)
        error_place(err, test->place.file, test->place.line, test->place.column);
    return good;
}
