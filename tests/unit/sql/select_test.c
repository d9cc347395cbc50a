/* What may be a model, the names of its columns, the functions it calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "sql/parse.h"
#include "sql/select.h"

static void parse(Arena *arena, const char *sql, SqlTree *ret)
{
    ERROR_AUTO(err);
    if (!sql_parse(arena, sql, ret, &err))
        fail_msg("%s: %s", sql, err.message);
}

static void models_are_selects(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *message; /* NULL: a model */
        int line, column;
    } cases[] = {
        {"select 1", NULL, 0, 0},
        {"select 1;", NULL, 0, 0},
        {"values (1)", NULL, 0, 0},
        {"table a", NULL, 0, 0},
        {"(select 1) union (select 2)", NULL, 0, 0},
        {"with a as (select 1) select * from a", NULL, 0, 0},
        {"with a as (select 1) (table a)", NULL, 0, 0},
        {"select substring(x for key) from a", NULL, 0, 0},
        {"", "the model is empty", 1, 1},
        {"\n-- just a comment\n", "the model is empty", 1, 1},
        {"\n ;", "the model is empty", 2, 2},
        {"select 1;\n  select 2", "a model is one statement; this is a second one", 2, 3},
        {"select 1; -- x\n/* y */ drop table a", "a model is one statement; this is a second one", 2, 9},
        {"-- c\n insert into a values (1)", "a model is a SELECT; found INSERT", 2, 2},
        {"with x as (select 1) insert into a table x", "a model is a SELECT; found INSERT", 1, 1},
        {"with x as (select 1) update a set b = 1", "a model is a SELECT; found UPDATE", 1, 1},
        {"delete from a", "a model is a SELECT; found DELETE", 1, 1},
        {"merge into a using b on true when matched then delete", "a model is a SELECT; found MERGE", 1, 1},
        {"create table a as select 1", "a model is a SELECT; found CREATE", 1, 1},
        {"drop table a", "a model is a SELECT; found DROP", 1, 1},
        {"Explain select 1", "a model is a SELECT; found EXPLAIN", 1, 1},
        {"copy (select 1) to stdout", "a model is a SELECT; found COPY", 1, 1},
        {"do $$ begin end $$", "a model is a SELECT; found DO", 1, 1},
        {"set x = 1; select 1", "a model is a SELECT; found SET", 1, 1},
        {"select 1\ninto b from a", "a model is a SELECT without INTO", 2, 6},
        {"with w as (select 1),\n d as (delete from a returning *) select * from d",
         "a model only reads; its WITH query d is DELETE", 2, 2},
        {"select * from (with d as (insert into a values (1) returning *) select * from d) q",
         "a model only reads; its WITH query d is INSERT", 1, 21},
        {"select * from a\nfor update", "a model takes no row locks", 2, 1},
        {"select * from a for no key update of a nowait", "a model takes no row locks", 1, 17},
        {"select * from a for key share skip locked", "a model takes no row locks", 1, 17},
        {"select * from (select * from a for share) q", "a model takes no row locks", 1, 32},
        {"select a\nfrom b where '\xc3\xa9' = $2", "a model has no parameters; found $2", 2, 20},
        {"select $3, $1 from a", "a model has no parameters; found $3", 1, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlTree tree;
        ERROR_AUTO(err);
        parse(&arena, cases[i].sql, &tree);
        bool ok = sql_check_select(&tree, &err);
        if (ok != !cases[i].message)
            fail_msg("%s: %s", cases[i].sql, ok ? "accepted" : err.message);
        if (!ok) {
            assert_string_equal(err.message, cases[i].message);
            if (err.line != cases[i].line || err.column != cases[i].column)
                fail_msg("%s: at %d:%d", cases[i].sql, err.line, err.column);
            assert_non_null(err.hint);
        }
        arena_clear(&arena);
    }
}

/* Expected names were read off PostgreSQL 15 itself (\gdesc). */
static void outputs_are_named_as_postgresql_does(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *names; /* ' ' between, * where unknown, + after one that is explicit */
    } cases[] = {
        {"select a, b.c, d as e", "a+ c+ e+"},
        {"select *", "*"},
        {"select 1 x, t.*, y from t", "x+ * y+"},
        {"table a", "*"},
        {"values (1, 2), (3, 4)", "column1 column2"},
        {"select 1, 'a', null, true", "?column? ?column? ?column? ?column?"},
        {"select count(*), max(x), pg_catalog.lower(y)", "count max lower"},
        {"select a + b, not a, a and b, a is null, a = 1", "?column? ?column? ?column? ?column? ?column?"},
        {"select x::int, '1'::int, date '2020-01-01', cast(1 as text), (a + b)::numeric(3,1)",
         "x int4 date text numeric"},
        {"select case when a then b end, case when a then b else c end, case when a then 1 else 2 end", "case c case"},
        {"select case when a then 1 else f(x) end, case when a then 1 else 2::bigint end", "f case"},
        {"select coalesce(a, b), greatest(a, b), least(a), nullif(a, b)", "coalesce greatest least nullif"},
        {"select array[1], array(select 1), row(1, 2), (1, 2)", "array array row row"},
        {"select exists (select 1), (select 1), (select a from t), (select max(x) y from t), (values (1))",
         "exists ?column? a y column1"},
        {"select (select a from t union select b from u), a in (select 1), a > all (select 1)", "a ?column? ?column?"},
        {"select current_date, current_timestamp(3), localtime, current_user, session_user",
         "current_date current_timestamp localtime current_user session_user"},
        {"select extract(year from x), x at time zone 'utc', substring(x from 1), position('a' in x), trim(x)",
         "extract timezone substring position btrim"},
        {"select a.b[1], (a).b, (a).b.c, x[1:2], (f(x)).y, (f(x)).*", "b b c x y *"},
        {"select sum(x) over w, x collate \"C\", grouping(a) from t", "sum x grouping"},
        {"select xmlelement(name a), xmlforest(a), xmlserialize(content a as text), a is document",
         "xmlelement xmlforest xmlserialize ?column?"},
        {"select \"Weird Name\", \"\xc3\xa9"
         "\" from t",
         "Weird Name+ \xc3\xa9"
         "+"},
        {"select a as \"x\", b from t union select c as y, d from u", "x+ b+"},
        {"(select a from t) union all select b from u order by 1", "a+"},
        {"with q as (select 1 as z) select z from q", "z+"},
        {"select 1 as created_at, now()", "created_at+ now"},
        {"select from t", ""},
        {"insert into a values (1) returning b", ""},
        {"select -1, -x, +x, 'a' || 'b', interval '1 day', x::int[]", "?column? ?column? ?column? ?column? interval x"},
        {"select overlay(a placing b from 1), normalize(a), (a, b) overlaps (c, d), a similar to 'x', a like 'b' "
         "escape 'c'",
         "overlay normalize overlaps ?column? ?column?"},
        {"select current_schema, current_catalog, current_role, user, current_time, localtimestamp",
         "current_schema current_catalog current_role user current_time localtimestamp"},
        {"select (select * from t), ((select 1 as q))::text", "* q"},
        {"select (case when a then b end).c, (array_agg(x))[1], (array[1])[1]", "c array_agg array"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlTree tree;
        SqlOutputs outputs;
        TEXT_AUTO(names);
        parse(&arena, cases[i].sql, &tree);
        sql_output_names(&arena, &tree, &outputs);
        bool star = false;
        for (size_t j = 0; j < outputs.count; j++) {
            const SqlOutput *out = &outputs.items[j];
            text_appendf(&names, "%s%s%s", j ? " " : "", out->name ? out->name : "*", out->explicit_name ? "+" : "");
            star = star || !out->name;
        }
        if (strcmp(text_str(&names), cases[i].names) != 0)
            fail_msg("%s\nexpected %s\nfound    %s", cases[i].sql, cases[i].names, text_str(&names));
        assert_int_equal(outputs.exact, sql_is(tree.statements[0].node, "SelectStmt") && !star);
        arena_clear(&arena);
    }
}

static void outputs_have_places(void **state)
{
    (void)state;
    Arena arena = {0};
    SqlTree tree;
    SqlOutputs outputs;
    parse(&arena, "select '\xc3\xa9' as e, *,\n   now() as created_at\nfrom a", &tree);
    sql_output_names(&arena, &tree, &outputs);
    const SqlOutput *found = sql_outputs_find(&outputs, "created_at");
    assert_ptr_equal(found, &outputs.items[2]);
    assert_int_equal(found->line, 2);
    assert_int_equal(found->column, 4);
    assert_int_equal(outputs.items[1].column, 18);
    assert_null(sql_outputs_find(&outputs, "*"));
    arena_clear(&arena);
}

static void functions_are_listed(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *names;
    } cases[] = {
        {"select 1", ""},
        {"select now(), Random() from f(g(1)) where pg_catalog.lower(x) = s.up(y)",
         "now@7 random@14 f@28 g@30 pg_catalog.lower@42 s.up@64"},
        {"select current_timestamp, localtime(2), current_user", "current_timestamp@7 localtime@26 current_user@40"},
        {"select extract(year from x), x at time zone 'utc'", "pg_catalog.extract@7 pg_catalog.timezone@31"},
        {"select sum(x) filter (where f(y)) over (order by g(z)) from a order by h(1)", "sum@7 f@28 g@49 h@71"},
        {"with a as (select uuid()) select (select \"W x\"())", "uuid@18 W x@41"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlTree tree;
        SqlFunctions functions;
        TEXT_AUTO(names);
        parse(&arena, cases[i].sql, &tree);
        sql_functions(&arena, &tree, &functions);
        for (size_t j = 0; j < functions.count; j++) {
            const SqlFunction *f = &functions.items[j];
            text_appendf(&names, "%s%s%s%s@%zu", j ? " " : "", f->schema ? f->schema : "", f->schema ? "." : "",
                         f->name, f->offset);
            assert_int_equal(f->column, f->offset + 1);
        }
        assert_string_equal(text_str(&names), cases[i].names);
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_selects),
        cmocka_unit_test(outputs_are_named_as_postgresql_does),
        cmocka_unit_test(outputs_have_places),
        cmocka_unit_test(functions_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
