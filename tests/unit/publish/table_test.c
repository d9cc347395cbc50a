#include "publishing.h"

#include "publish/diff.h"

/* A stage with other columns, for each on_schema_change. */

typedef struct AlterCase {
    const char *name;
    SchemaChange how;
    const char *target, *stage; /* SQL that makes them */
    const char *rows;           /* of t afterwards, as text, by id; or NULL: an error */
    const char *message, *hint, *detail;
    bool altered;
} AlterCase;

#define OLD "create table t (id int primary key, a int, b text default 'd'); insert into t values (1, 10, 'x');"

static const AlterCase cases[] = {
    {"the same", SCHEMA_SYNC_ALL, OLD, "select b, 11 as a, id from t", "(1,11,x)", .altered = false},
    {"fail", SCHEMA_FAIL, OLD, "select 1 as id, 10 as a, 'x' as b, 2 as c",
     .message = "the columns differ from those of public.t; new: c integer"},
    {"ignore", SCHEMA_IGNORE, OLD, "select * from (values (1, 11, true), (2, 20, false)) v (id, a, c)",
     "(1,11,x)(2,20,d)", .altered = false},
    {"ignore, another type", SCHEMA_IGNORE, OLD, "select 1 as id, 10.5 as a",
     .message = "changed: a from integer to numeric"},
    {"append", SCHEMA_APPEND_NEW, OLD, "select * from (values (1, 11, true), (2, 20, false)) v (id, a, \"New c\")",
     "(1,11,x,t)(2,20,d,f)", .altered = true},
    {"append, and nothing is new", SCHEMA_APPEND_NEW, OLD, "select 1 as id, 11 as a", "(1,11,x)", .altered = false},
    {"append, another type", SCHEMA_APPEND_NEW, OLD, "select 1 as id, 10.5 as a, 1 as c",
     .message = "changed: a from integer to numeric"},
    {"sync", SCHEMA_SYNC_ALL, OLD, "select * from (values (1, '11', true), (2, '20', false)) v (id, a, c)",
     "(1,11,t)(2,20,f)", .altered = true},
    {"sync, a cast that has to be asked for", SCHEMA_SYNC_ALL,
     "create table t (id int primary key, a text); insert into t values (1, '10');", "select 1 as id, 10 as a",
     "(1,10)", .altered = true},
    {"sync, a cast that fails", SCHEMA_SYNC_ALL,
     "create table t (id int primary key, a text); insert into t values (1, 'ten');", "select 1 as id, 10 as a",
     .message = "invalid input syntax", .hint = "cannot be cast (a from text to integer)"},
    {"sync, a view wants what goes", SCHEMA_SYNC_ALL, OLD "create view mine as select b from t;",
     "select 1 as id, 10 as a", .message = "cannot drop", .detail = "view mine",
     .hint = "drop what depends on the column first"},
    {"sync, a view wants what changes", SCHEMA_SYNC_ALL, OLD "create view mine as select a from t;",
     "select 1 as id, '10' as a, 'x' as b", .message = "cannot alter type", .detail = "view mine",
     .hint = "drop what depends on the column first"},
    {"generated columns are nobody's", SCHEMA_SYNC_ALL,
     "create table t (id int primary key, a int, g int generated always as (a * 2) stored); insert into t values (1, "
     "1);",
     "select 1 as id, 2 as a", "(1,2,4)", .altered = false},
};

static void run_case(const AlterCase *c, Arena *arena)
{
    ERROR_AUTO(err);
    TEXT_AUTO(statements);
    TEXT_AUTO(sql);
    Table s, t;
    bool altered;
    text_appendf(&sql, "%s create table s as %s", c->target, c->stage);
    assert_ok(conn_begin(g_conn, &(TxnOptions){.schema = "public"}, &err));
    assert_ok(conn_exec(g_conn, text_str(&sql), &err));
    assert_ok(table_find(g_conn, "public", "s", arena, &s, &err));
    assert_ok(table_find(g_conn, "public", "t", arena, &t, &err));
    bool good = table_alter_columns(g_conn, c->how, NULL, arena, &s, &t, &altered, &statements, &err);
    if (!good) {
        if (!c->message)
            fixture_show(&err);
        assert_non_null(c->message);
        assert_says(err.message, c->message);
        if (c->hint)
            assert_says(err.hint, c->hint);
        if (c->detail)
            assert_says(err.detail, c->detail);
        return;
    }
    assert_null(c->message);
    assert_int_equal(altered, c->altered);
    const char *id = "id";
    Strings key = {&id, 1};
    DiffScope scope = {.delete_missing = true, .number = 1};
    Diff diff;
    assert_ok(diff_apply(g_conn, &s, &t, &key, &scope, arena, &diff, &err));
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn, "select string_agg(t::text, '' order by id) from t", 0, NULL, &rows, &err));
    assert_string_equal(rows_get(rows, 0, 0), c->rows);
}

static void columns_that_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena;
        arena_init(&arena);
        print_message("  %s\n", cases[i].name);
        run_case(&cases[i], &arena);
        conn_rollback(g_conn);
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(columns_that_changed)};
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
