#include "publishing.h"

#include "publish/dress.h"

static void assert_text(const char *sql, const char *expected)
{
    ERROR_AUTO(err);
    ROWS_AUTO(rows);
    assert_ok(conn_query(g_conn, sql, 0, NULL, &rows, &err));
    const char *found = rows_get(rows, 0, 0);
    assert_string_equal(found ? found : "", expected);
}

static bool put_on(const Node *node, bool *ret_changed, Error *err)
{
    Arena arena;
    arena_init(&arena);
    Table table;
    bool good = table_find(g_conn, "public", "t", &arena, &table, err) &&
                conn_begin(g_conn, &(TxnOptions){.schema = "public"}, err) &&
                dress(g_conn, node, &table, ret_changed, err) && conn_commit(g_conn, err);
    conn_rollback(g_conn);
    arena_clear(&arena);
    return good;
}

static void change(const Node *node, bool changed)
{
    ERROR_AUTO(err);
    bool did;
    assert_ok(put_on(node, &did, &err));
    assert_int_equal(did, changed);
    assert_ok(put_on(node, &did, &err));
    assert_false(did);
}

#define INDEXES                                                                                                        \
    "select string_agg(regexp_replace(pg_get_indexdef(indexrelid), 'INDEX sluice_ix_[0-9a-f]+ ON', 'INDEX ours ON'), " \
    "'; ' order by pg_get_indexdef(indexrelid)) from pg_index where indrelid = 't'::regclass"

static void make_table(const char *sql)
{
    exec("drop table if exists t cascade; delete from sluice.relations");
    exec(sql);
    exec("insert into sluice.relations (schema_name, table_name, project, target, node, kind, materialized)"
         " values ('public', 't', 'p', 'local', 't', 'model', 'table')");
}

static void indexes(void **state)
{
    (void)state;
    const char *a[] = {"a"}, *bc[] = {"b", "C d"}, *id[] = {"id"};
    Strings three[] = {{a, 1}, {bc, 2}, {id, 1}}, one[] = {{bc, 2}};
    Node node = {.indexes = three, .index_count = 3};
    make_table("create table t (id int primary key, a int, b text, \"C d\" date); create index theirs on t (b)");
    change(&node, true);
    assert_text(INDEXES, "CREATE INDEX ours ON public.t USING btree (a); "
                         "CREATE INDEX ours ON public.t USING btree (b, \"C d\"); "
                         "CREATE INDEX theirs ON public.t USING btree (b); "
                         "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)");
    node.indexes = one;
    node.index_count = 1;
    change(&node, true);
    assert_text(INDEXES, "CREATE INDEX ours ON public.t USING btree (b, \"C d\"); "
                         "CREATE INDEX theirs ON public.t USING btree (b); "
                         "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)");
    node.index_count = 0;
    change(&node, true);
    assert_text(INDEXES, "CREATE INDEX theirs ON public.t USING btree (b); "
                         "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)");
}

static void indexes_of_partitions(void **state)
{
    (void)state;
    const char *a[] = {"a"};
    Strings one[] = {{a, 1}};
    Node node = {.indexes = one, .index_count = 1};
    make_table("create table t (a int) partition by list (a); create table t1 partition of t default");
    change(&node, true);
    assert_text("select count(*) from pg_indexes where tablename in ('t', 't1')", "2");
    node.index_count = 0;
    change(&node, true);
    assert_text("select count(*) from pg_indexes where tablename in ('t', 't1')", "0");
}

#define GRANTS                                                                                                         \
    "select string_agg(g, ', ' order by g) from (select lower(x.privilege_type) || ' ' || coalesce(r.rolname, "        \
    "'public') as g from pg_class c cross join aclexplode(c.relacl) x left join pg_roles r on r.oid = x.grantee "      \
    "where c.oid = 't'::regclass and x.grantee <> c.relowner) g"

static void grants(void **state)
{
    (void)state;
    exec("create role anna; create role \"B ert\"; create role carl");
    const char *both[] = {"anna", "B ert"}, *all[] = {"public"}, *anna[] = {"anna"}, *nobody[] = {"nobody"};
    Grant first[] = {{"select", {both, 2}, {0}}, {"insert", {all, 1}, {0}}};
    Grant second[] = {{"select", {anna, 1}, {0}}};
    Grant third[] = {{"select", {nobody, 1}, {"models/t.sql", 4, 11}}};
    Node node = {.grants = first, .grant_count = 2};
    make_table("create table t (a int); grant select on t to carl; grant select on t to anna");
    change(&node, true);
    assert_text(GRANTS, "insert public, select B ert, select anna, select carl");
    assert_text("select granted::text from sluice.relations", "{\"select B ert\",\"insert public\"}");
    node.grants = second;
    node.grant_count = 1;
    change(&node, true);
    assert_text(GRANTS, "select anna, select carl");
    exec("revoke select on t from anna");
    change(&node, true); /* somebody took it away: now it is ours */
    node.grant_count = 0;
    change(&node, true);
    assert_text(GRANTS, "select carl");
    node.grants = first;
    node.grant_count = 2;
    change(&node, true);
    exec("revoke select on t from \"B ert\"; drop role \"B ert\"");
    node.grant_count = 0;
    change(&node, true);
    assert_text(GRANTS, "select carl");
    ERROR_AUTO(err);
    bool did;
    node.grants = third;
    node.grant_count = 1;
    assert_false(put_on(&node, &did, &err));
    assert_string_equal(err.message, "there is no role \"nobody\" on the server");
    assert_string_equal(err.file, "models/t.sql");
    assert_int_equal(err.line, 4);
}

#define COMMENTS                                                                                                       \
    "select string_agg(coalesce(attname, 't') || ': ' || description, '; ' order by objsubid) from pg_description "    \
    "left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0 where objoid = 't'::regclass"

static void comments(void **state)
{
    (void)state;
    ColumnNote notes[] = {{"a", "It's a", {0}}, {"b", NULL, {0}}, {"b c", "both", {0}}};
    Node node = {.description = "A \\ table", .column_notes = notes, .column_note_count = 3};
    make_table("create table t (a int, b int, \"b c\" int); comment on column t.b is 'theirs'");
    change(&node, true);
    assert_text(COMMENTS, "t: A \\ table; a: It's a; b: theirs; b c: both");
    node.description = NULL;
    notes[0].description = "New";
    node.column_note_count = 1;
    change(&node, true);
    assert_text(COMMENTS, "a: New; b: theirs");
    exec("alter table t drop column a");
    node.column_note_count = 0;
    change(&node, true);
    assert_text(COMMENTS, "b: theirs");
    Column columns[] = {{.name = "b", .description = "of a source"}};
    Node source = {.columns = columns, .column_count = 1};
    change(&source, true);
    assert_text(COMMENTS, "b: of a source");
}

static void views(void **state)
{
    (void)state;
    exec("drop table if exists t cascade; create view t as select 1 as a");
    const char *all[] = {"public"}, *a[] = {"a"};
    Strings index[] = {{a, 1}};
    ColumnNote notes[] = {{"a", "One", {0}}};
    Grant grant[] = {{"select", {all, 1}, {0}}};
    Node node = {.description = "A view",
                 .column_notes = notes,
                 .column_note_count = 1,
                 .grants = grant,
                 .grant_count = 1,
                 .indexes = index,
                 .index_count = 1};
    change(&node, true);
    assert_text(COMMENTS, "t: A view; a: One");
    assert_text(GRANTS, "select public");
    exec("drop view t");
}

static void columns_that_are_not_there(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    bool did;
    const char *wrong[] = {"amuont"};
    Strings index[] = {{wrong, 1}};
    ColumnNote notes[] = {{"amuont", "x", {"models/t.sql", 7, 5}}};
    Node described = {.column_notes = notes, .column_note_count = 1};
    Node indexed = {.indexes = index, .index_count = 1, .place = {"models/t.sql", 1, 1}};
    make_table("create table t (amount int)");
    assert_false(put_on(&described, &did, &err));
    assert_string_equal(err.message, "public.t has no column \"amuont\"");
    assert_string_equal(err.hint, "did you mean \"amount\"?");
    assert_int_equal(err.line, 7);
    assert_false(put_on(&indexed, &did, &err));
    assert_string_equal(err.message, "indexes: public.t has no column \"amuont\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indexes), cmocka_unit_test(indexes_of_partitions),
        cmocka_unit_test(grants),  cmocka_unit_test(comments),
        cmocka_unit_test(views),   cmocka_unit_test(columns_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
