/* Lineage of columns: the text of what each output column comes from, and of the filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/text.h"
#include "sql/lineage.h"

static bool columns_of(const char *schema, const char *table, const char *const **ret, size_t *ret_count, void *data)
{
    static const char *const t[] = {"a", "b", "c"}, *const u[] = {"a", "d"};
    (void)data;
    if (schema && !str_eq(schema, "s"))
        return false;
    *ret = str_eq(table, "t") ? t : u;
    *ret_count = str_eq(table, "t") ? 3 : 2;
    return str_eq(table, "t") || str_eq(table, "u");
}

static void append(Text *out, const SqlOrigins *origins)
{
    for (size_t i = 0; i < origins->count; i++)
        text_appendf(out, "%s%s.%s", i ? "," : "", origins->items[i].table,
                     origins->items[i].column ? origins->items[i].column : "*");
}

typedef struct Row {
    const char *sql, *says;
} Row;

/* Each query's answer, all that are wrong shown. */
static void expect(const Row *rows, size_t count, char *(*answer)(const char *sql))
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        char *got = answer(rows[i].sql);
        if (!str_eq(got, rows[i].says))
            print_error("%s\n  %s\n", rows[i].sql, got);
        wrong += !str_eq(got, rows[i].says);
        free(got);
    }
    assert_int_equal(wrong, 0);
}

/* `x=t.a,t.b y=t.c +v.* | t.a`, with ` !` where something is not known. */
static char *told(const char *sql)
{
    Arena arena;
    SqlTree tree;
    SqlLineage lineage;
    SqlLineageTables tables = {columns_of, NULL};
    TEXT_AUTO(out);
    ERROR_AUTO(err);
    arena_init(&arena);
    if (!sql_parse(&arena, sql, &tree, &err))
        fail_msg("%s: %s", sql, err.message);
    sql_lineage(&arena, &tree, &tables, &lineage);
    for (size_t i = 0; i < lineage.count; i++) {
        text_appendf(&out, "%s%s=", i ? " " : "", lineage.columns[i].name);
        append(&out, &lineage.columns[i].from);
    }
    text_append(&out, lineage.stars.count ? " +" : "");
    append(&out, &lineage.stars);
    text_append(&out, lineage.filters.count ? " | " : "");
    append(&out, &lineage.filters);
    text_append(&out, lineage.whole ? "" : " !");
    arena_clear(&arena);
    return text_steal(&out);
}

static void traces(void **state)
{
    static const Row rows[] = {
        {"select 1 as x", "x="},
        {"select a, b + c as s, 'k' from t", "a=t.a s=t.b,t.c ?column?="},
        {"select * from t", "a=t.a b=t.b c=t.c"},
        {"table t", "a=t.a b=t.b c=t.c"},
        {"select x.*, t.b from t, u x", "a=u.a d=u.d b=t.b"},
        {"select s.t.a, t.b from s.t", "a=t.a b=t.b"},
        {"select t from t", "t=t.a,t.b,t.c"},
        {"select count(*), sum(b) from t where c > 0 group by a", "count= sum=t.b | t.c,t.a"},
        {"select a + 1 as k, sum(b) filter (where c > 0) from t group by 1", "k=t.a sum=t.b,t.c | t.a"},
        {"select a + 1 as k from t group by k having max(b) > 1", "k=t.a | t.a,t.b"},
        {"select b as a from t group by a", "a=t.b | t.a"}, /* the input's name goes first */
        {"select avg(a) over (partition by b order by c) from t", "avg=t.a,t.b,t.c"},
        {"select avg(a) over w from t window w as (order by c)", "avg=t.a,t.c"},
        {"select avg(a) over (w rows 2 preceding) from t window v as (partition by b), w as (v order by c)",
         "avg=t.a,t.c,t.b"},
        {"select percentile_cont(0.5) within group (order by b) from t", "percentile_cont=t.b"},
        {"select string_agg(a, ',' order by b) from t", "string_agg=t.a,t.b"},
        {"select t.b, u.d from t join u on t.a = u.a", "b=t.b d=u.d | t.a,u.a"},
        {"select * from t join u using (a)", "a=t.a,u.a b=t.b c=t.c d=u.d | t.a,u.a"},
        {"select a from t full join u using (a)", "a=t.a,u.a | t.a,u.a"},
        {"select * from t natural join u", "a=t.a,u.a b=t.b c=t.c d=u.d | t.a,u.a"},
        {"select j.b from (t cross join u) as j (p, q, r)", "b="},
        {"select j.q, j.d from (t cross join u x) as j (p, q, r, y, d)", "q=t.b d=u.d"},
        {"select q from (select b as q, c from t where a > 1) s", "q=t.b | t.a"},
        {"select x from (select a, b from t) s (x)", "x=t.a"},
        {"with q as (select a as k from t) select k from q", "k=t.a"},
        {"with t as (select b as a from t) select a from t", "a=t.b"},
        {"with q (k) as (select a from t), r as (select k + 1 as k from q) select r.k, q.k from q, r", "k=t.a k=t.a"},
        {"with unused as (select a from t where b > 0) select a from u", "a=u.a"},
        {"with recursive r (n, m) as (select a, b from t union all select m, c from r, t where n < d(c)) select n from "
         "r",
         "n=t.a,t.b,t.c | t.a,t.c,t.b"},
        {"select (select max(d) from u where u.a = t.a) as m from t", "m=u.d | u.a,t.a"},
        {"select a from t where exists (select from u where d = b)", "a=t.a | u.d,t.b"},
        {"select a from t where a in (select d from u)", "a=t.a | t.a,u.d"},
        {"select s.x from t, lateral (select t.b as x from u where u.a = t.c) s", "x=t.b | u.a,t.c"},
        {"select a from t union all select d from u", "a=t.a,u.d"},
        {"select a from t except select d from u", "a=t.a | u.d"},
        {"select a from t union select a from u union select b from t order by 1 limit 2",
         "a=t.a,u.a,t.b | t.a,u.a,t.b"},
        {"(with q as (select b from t) select b from q union select a from u) union select c from t", "b=t.b,u.a,t.c"},
        {"values (1, 2), (3, 4)", "column1= column2="},
        {"select column2 from t, (values (1, 2)) v where column1 = a", "column2= | t.a"},
        {"select a from t order by b", "a=t.a"},
        {"select a from t order by b limit 1", "a=t.a | t.b"},
        {"select distinct on (b) a from t order by c", "a=t.a | t.b,t.c"},
        {"select x from t, unnest(b) x", "x=t.b"},
        {"select e.k from t, jsonb_to_recordset(c) as e (k int)", "k=t.c"},
        {"select case when a > 0 then b else c end from t", "c=t.a,t.b,t.c"},
        {"select row_number() over (order by a), coalesce(b, c) from t", "row_number=t.a coalesce=t.b,t.c"},
        /* tables whose columns are not known */
        {"select p, v.q from v", "p=v.p q=v.q"},
        {"select * from v", " +v.*"},
        {"select v.*, a from v, t", "a=t.a +v.*"},
        {"select q from (select * from v) s", "q=v.q"},
        {"select b, z from t, v", "b=t.b z=v.z"},
        {"select * from v join u using (a)", "a=v.a,u.a d=u.d +v.* | v.a,u.a"},
        {"select * from f(1) x (k)", "k="},
        {"select x.* from f(1) x", "x= !"},
        {"select (t).a, (g(b)).* from t", "a=t.a,t.b,t.c !"},
    };
    (void)state;
    expect(rows, sizeof rows / sizeof *rows, told);
}

/* What a query names, wherever; and after `?` the names that mean nothing, each with what it may have meant. */
static char *named(const char *sql)
{
    Arena arena;
    SqlTree tree;
    SqlLineage lineage;
    SqlLineageTables tables = {columns_of, NULL};
    TEXT_AUTO(out);
    ERROR_AUTO(err);
    arena_init(&arena);
    if (!sql_parse(&arena, sql, &tree, &err))
        fail_msg("%s: %s", sql, err.message);
    sql_lineage(&arena, &tree, &tables, &lineage);
    append(&out, &lineage.reads);
    for (size_t i = 0; i < lineage.missing_count; i++) {
        const SqlMissing *missing = &lineage.missing[i];
        text_appendf(&out, " ?%zu:%s%s%s", missing->offset, missing->table ? missing->table : "",
                     missing->table ? "." : "", missing->column);
        if (missing->near)
            text_appendf(&out, "(%s)", missing->near);
        text_append(&out, missing->tables.count ? "=" : "");
        append(&out, &missing->tables);
    }
    arena_clear(&arena);
    return text_steal(&out);
}

static void tells_what_is_read(void **state)
{
    static const Row rows[] = {
        {"select a from t order by b", "t.a,t.b"},
        {"select * from t", ""}, /* none by name: one less is one column less */
        {"with q as (select a, b from t) select a from q", "t.a,t.b"},
        {"with unused as (select c from t) select a from u", "u.a,t.c"},
        {"select t.a from t natural join u", "t.a,u.a"},
        {"select d from u where exists (select from t where c = a)", "u.d,t.a,t.c"},
        /* what no table has, and may have meant */
        {"select z, amonut from (select a as amount from t) s", "t.a ?7:z ?10:amonut(amount)"},
        {"select x.dd, t.d from t, u x", " ?7:x.dd(d) ?13:t.d(a)"},
        {"select a from t where q = 1 group by r having s > 0 order by o", "t.a ?22:q(a) ?37:r(a) ?46:s(a) ?61:o(a)"},
        {"select (select z from u) from t", " ?15:z(a)"},
        {"select sum(a) filter (where z > 0) over (partition by y) from t", "t.a ?28:z(a) ?54:y(a)"},
        {"select count(*) from t join u on t.a = u.k", "t.a ?39:u.k(a)"},
        {"with recursive r (n) as (select a from t union all select m from r) select n from r",
         "t.a ?58:m(n) ?58:m(n) ?58:m(n)"},
        /* and what may be there, or is no column of a table */
        {"select z, v.y from v", "v.z,v.y ?7:z=v.* ?10:v.y=v.*"},
        {"select z from t, v", "v.z ?7:z=v.*"},
        {"select a from v where exists (select from t, w where a = z)", "v.a,t.a,w.z ?7:a=v.* ?57:z=w.*,v.*"},
        {"select t, ctid from t", "t.a,t.b,t.c ?10:ctid"}, /* system columns are left to who asks */
        {"select x.k, k from f(1) x", ""},
        {"select a as k, b as l from t group by rollup (k, (l)), grouping sets ((k), (l)) order by k", "t.a,t.b"},
        {"select a::geometry(point, 4326) from t", "t.a"},
        {"select a as k from t union select d from u order by k", "t.a,u.d"},
        {"select * from v union select a from t order by k", "t.a"},
        {"select (c).x, c.y from t", "t.c"},
        {"with recursive r as (select a from t union select a from r) search depth first by a set o select a, o from r",
         "t.a"},
        {"select j.a, m.a from t join u using (a) as m, u as j", "t.a,u.a"},
        {"select x from t, unnest(b) with ordinality as o (x, n) where n > 1", "t.b"},
        {"select lower(r) from (select c from t) s, unnest(s.c) r", "t.c"},
    };
    (void)state;
    expect(rows, sizeof rows / sizeof *rows, named);
}

/* Work is bounded: each CTE reads the one before twice, which by hand would be 2^200 reads. */
static void is_bounded(void **state)
{
    (void)state;
    TEXT_AUTO(sql);
    text_append(&sql, "with q0 as (select a from t)");
    for (int i = 1; i < 90; i++)
        text_appendf(&sql, ", q%d as (select x.a + y.a as a from q%d x, q%d y)", i, i - 1, i - 1);
    text_append(&sql, " select a from q89");
    char *got = told(text_str(&sql));
    assert_string_equal(got, "a=t.a");
    free(got);
    text_reset(&sql);
    for (int i = 0; i < 150; i++)
        text_append(&sql, "select * from (");
    text_append(&sql, "select a from t");
    for (int i = 0; i < 150; i++)
        text_appendf(&sql, ") s%d", i);
    got = told(text_str(&sql));
    assert_true(str_ends(got, "!")); /* deeper than is looked */
    free(got);
    text_reset(&sql);
    text_append(&sql, "select a from t");
    for (int i = 0; i < 900; i++)
        text_append(&sql, " union all select d from u");
    got = told(text_str(&sql));
    assert_string_equal(got, "a=t.a,u.d"); /* long is not deep */
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(traces), cmocka_unit_test(tells_what_is_read),
                                       cmocka_unit_test(is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
