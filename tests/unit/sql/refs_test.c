/* Which relations a query reads. In the queries below {...} marks what must be found as written; what stands outside
 * of marks must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "sql/parse.h"
#include "sql/refs.h"

typedef struct Case {
    const char *marked;
    const char *names; /* in order: [catalog.][schema.]name, with ! for ONLY, % for TABLESAMPLE, $ for a system one */
} Case;

static const Case cases[] = {
    /* plain places */
    {"select 1", ""},
    {"select * from {a}", "a"},
    {"select * from {a};", "a"},
    {"table {a}", "a"},
    {"values (1), ((select max(x) from {a}))", "a"},
    {"select * from {a}, {b}", "a b"},
    {"select * from {a} x, {a} y", "a a"},
    {"select * from {a} as a(b, c)", "a"},
    {"select a.x, public.a.y from {public.a}", "public.a"},
    {"select * from {a} join {b} on true left join {c} using (x) natural join {d} cross join {e}", "a b c d e"},
    {"select * from ({a} join {b} on true) join ({c} join {d} on true) on true", "a b c d"},
    {"select * from ({a} join {b} on true) as j", "a b"},
    {"select * from (select * from {a}) q", "a"},
    {"select * from (select * from (select * from {a}) q) r, {b}", "a b"},
    {"select * from (values (1)) v(a)", ""},
    {"select * from (table {a}) q", "a"},
    {"select * from {a}, lateral (select * from {b} where b.x = a.x) l", "a b"},
    {"select * from {a}, lateral f(a.x), g(1) as b", "a"},
    {"select * from generate_series(1, (select max(x) from {a})) g", "a"},
    {"select * from rows from (f(1), g((select x from {a}))) as r", "a"},
    {"select * from {a} tablesample system (10)", "a%"},
    {"select * from {s.a} tablesample bernoulli ((select p from {b})) repeatable (1), {c}", "s.a% b c"},
    {"select * from only {a}", "a!"},
    {"select * from only ({a}), {b}", "a! b"},
    {"select * from {a} *", "a"},
    {"select * from {a} where exists (select 1 from {b})", "a b"},
    {"select * from {a} where x in (select x from {b}) and y not in (table {c})", "a b c"},
    {"select * from {a} where x > all (select x from {b}) or x = any (array(select y from {c}))", "a b c"},
    {"select (select max(x) from {b}) from {a}", "b a"},
    {"select array(select x from {a})", "a"},
    {"select f(x, (select 1 from {a}), variadic array[(select 2 from {b})]) from {c}", "a b c"},
    {"select case when exists (table {a}) then (select 1 from {b}) else (select 2 from {c}) end", "a b c"},
    {"select coalesce((select 1 from {a}), greatest((select 2 from {b}), 3), nullif((select 4 from {c}), 5))", "a b c"},
    {"select sum(x) filter (where x in (select y from {b})) over (partition by (select 1 from {c}) order by (select 2 "
     "from {d}) rows (select 3 from {e}) preceding) from {a}",
     "b c d e a"},
    {"select sum(x) over w from {a} window w as (order by (select 1 from {b}))", "a b"},
    {"select percentile_cont((select 1 from {b})) within group (order by (select 2 from {c})) from {a}", "b c a"},
    {"select string_agg(x, ',' order by (select 1 from {b})) from {a}", "b a"},
    {"select x from {a} group by x, (select 1 from {b}) having count(*) > (select 2 from {c})", "a b c"},
    {"select x from {a} group by rollup (x, (select 1 from {b})), grouping sets ((x), ((select 2 from {c})))", "a b c"},
    {"select x from {a} order by (select 1 from {b}) limit (select 2 from {c}) offset (select 3 from {d})", "a b c d"},
    {"select distinct on ((select 1 from {a})) x from {b}", "a b"},
    {"select distinct x from {a}", "a"},
    {"select * from {a} union select * from {b} union all (select * from {c} except table {d}) intersect table {e}",
     "a b c d e"},
    {"(select * from {a}) union (select * from {b} limit 1) order by 1", "a b"},
    {"select * from xmltable('/r' passing (select d from {a}) columns x int path 'b', y text default (select 'z' from "
     "{b})) t",
     "a b"},
    {"select ((select r from {a})).x, (array(select 1 from {b}))[(select 2 from {c})]", "a b c"},
    {"select (select x from {a})::int, cast((select 1 from {b}) as text) collate \"C\", row((select 2 from {c}))",
     "a b c"},
    {"select x between (select 1 from {b}) and (select 2 from {c}) from {a}", "b c a"},
    {"select x is distinct from (select 1 from {b}), not (select true from {c}), x like (select 'a' from {d}) from {a}",
     "b c d a"},
    {"select (select 1 from {b}) is null, (x, y) = (select 1, 2 from {c}), (x, y) < (1, (select 2 from {d})) from {a}",
     "b c d a"},

    /* names */
    {"select * from {Loans}", "loans"},
    {"select * from {\"Loans\"}", "Loans"},
    {"select * from {PUBLIC . LOANS}", "public.loans"},
    {"select * from {\"Weird.Name\"}", "Weird.Name"},
    {"select * from {s.\"a\"\"b\"}", "s.a\"b"},
    {"select * from {db.s.t}", "db.s.t"},
    {"select * from {db /* x */ . /* y */ s -- z\n . t} -- u", "db.s.t"},
    {"select * from {\"select\"}, {\"default\"}", "select default"},
    {"select * from {\xc3\x89t\xc3\xa9}", "\xc3\x89t\xc3\xa9"}, /* bytes above 127 are not folded */
    {"select * from {U&\"d\\0061ta\"}", "data"},
    {"select * from {U&\"d!0061ta\" uescape '!'} x", "data"},
    {"select * from {s.U&\"d!0061ta\" uescape '!'}, {b}", "s.data b"},
    {"select * from {u&\"\\+01F600\"}", "\xf0\x9f\x98\x80"},
    {"select * from {abcdefghij0123456789abcdefghij0123456789abcdefghij0123456789abcdefghij}",
     "abcdefghij0123456789abcdefghij0123456789abcdefghij0123456789abc"},
    {"select * from /* {x} */ {a} -- from b", "a"},
    {"select 'from b', $$ from c $$, e'from \\'d' from {a}", "a"},
    {"select * from {pg_catalog.pg_class}", "pg_catalog.pg_class$"},
    {"select * from {pg_class} join {information_schema.tables} on true", "pg_class$ information_schema.tables$"},
    {"select * from {pg_toast.x}, {pgx}, {s.pg_x}", "pg_toast.x$ pgx s.pg_x"},
    {"select 'a'::regclass, nextval('s')", ""},

    /* CTEs */
    {"with a as (select 1) select * from a", ""},
    {"with a as (select * from {a}) select * from a", "a"},
    {"with a as (select * from {b}) select * from a, {c}", "b c"},
    {"with a as (select 1) select * from {public.a}", "public.a"},
    {"with a as (select * from {b}), b as (select * from a) select * from a, b", "b"},
    {"with a as (select * from {b}), b as (select * from {c}) select * from b", "b c"},
    {"with recursive a as (select 1 union all select * from a) select * from a", ""},
    {"with recursive a as (select * from b), b as (select 1) select * from a", ""},
    {"with recursive a as (select 1), b as (select * from a, b, {c}) select * from b", "c"},
    {"with a as (select 1) select * from \"a\", {\"A\"}", "A"},
    {"with \"A\" as (select 1) select * from {a}, \"A\"", "a"},
    {"with A as (select 1) select * from a", ""},
    {"with a as not materialized (select * from {b}) select * from a x, a y", "b"},
    {"select * from (with a as (select 1) select * from a) q, {a}", "a"},
    {"select * from {a} where x in (with a as (select 1) select * from a)", "a"},
    {"with a as (select 1) select * from (select * from a) q where exists (select * from a) and (select 1 from a) = 1",
     ""},
    {"with a as (with b as (select * from {c}) select * from b) select * from a, {b}", "c b"},
    {"with a as (select 1) select * from (with b as (select * from a) select * from a, b) q, {b}", "b"},
    {"with a as (select 1), c as (with a as (select * from a, {b}) select * from a) select * from c", "b"},
    {"with a as (with a as (select * from {a}) select * from a) select * from a", "a"},
    {"with a as (select 1) select * from a union select * from a union all (select * from a order by 1) limit (select "
     "1 "
     "from a)",
     ""},
    {"(with a as (select 1) select * from a) union all select * from {a}", "a"},
    {"select * from {a} union all (with a as (select 1) select * from a)", "a"},
    {"with a as (select 1) values ((select * from a)), ((select * from {b}))", "b"},
    {"with a as (select 1) table a", ""},
    {"with a(x) as (values (1)) select * from a as b, a as c, lateral (select * from a where a.x = b.x) l", ""},
    {"with a as (select 1) select * from {x} a", "x"},
    {"with x as (select 1) select * from {t} join x on true left join (select * from x) y on true", "t"},
    {"with recursive t(n) as (values (1) union all select n + 1 from t where n < (select max(x) from {s})) select * "
     "from t",
     "s"},
    {"with recursive a as (with b as (select * from a) select * from b) select * from a, {b}", "b"},
    {"with recursive t as (select * from {e} union select * from t) search depth first by x set o select * from t",
     "e"},
    {"with a as (select 1), b as (select 2), c as (select * from a, b, {d}), d as (select * from c) select * from d",
     "d"},
};

static bool is_mark(char c) { return c == '{' || c == '}'; }

/* A query with no marks; where they were goes to starts and ends. A mark inside a comment is text. */
static size_t strip(const char *marked, Text *sql, size_t *starts, size_t *ends, size_t max)
{
    size_t count = 0;
    for (const char *s = marked; *s; s++) {
        if (str_starts(s, "/* {x} */")) {
            text_append(sql, "/* {x} */");
            s += strlen("/* {x} */") - 1;
            continue;
        }
        if (!is_mark(*s)) {
            text_append_char(sql, *s);
            continue;
        }
        assert_true(count < max);
        if (*s == '{')
            starts[count] = sql->len;
        else
            ends[count++] = sql->len;
    }
    return count;
}

static void describe(const SqlRef *ref, Text *out)
{
    if (out->len)
        text_append_char(out, ' ');
    if (ref->catalog)
        text_appendf(out, "%s.", ref->catalog);
    if (ref->schema)
        text_appendf(out, "%s.", ref->schema);
    text_append(out, ref->name);
    text_append(out, ref->only ? "!" : "");
    text_append(out, ref->sampled ? "%" : "");
    text_append(out, ref->system ? "$" : "");
}

static void find_refs(Arena *arena, const char *sql, SqlRefs *ret)
{
    SqlTree tree;
    ERROR_AUTO(err);
    if (!sql_parse(arena, sql, &tree, &err))
        fail_msg("%s: %s", sql, err.message);
    sql_refs(arena, &tree, ret);
}

static void references_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        TEXT_AUTO(sql);
        TEXT_AUTO(names);
        size_t starts[16] = {0}, ends[16] = {0};
        size_t count = strip(cases[i].marked, &sql, starts, ends, 16);
        SqlRefs refs;
        find_refs(&arena, text_str(&sql), &refs);
        for (size_t j = 0; j < refs.count; j++)
            describe(&refs.items[j], &names);
        if (strcmp(text_str(&names), cases[i].names) != 0)
            fail_msg("%s\nexpected %s\nfound    %s", cases[i].marked, cases[i].names, text_str(&names));
        assert_int_equal(refs.count, count);
        for (size_t j = 0; j < count; j++) {
            size_t end = refs.items[j].offset + refs.items[j].length;
            if (refs.items[j].offset != starts[j] || end != ends[j])
                fail_msg("%s\nreference %zu at %zu-%zu, expected %zu-%zu", cases[i].marked, j, refs.items[j].offset,
                         end, starts[j], ends[j]);
        }
        arena_clear(&arena);
    }
}

static void places_count_characters(void **state)
{
    (void)state;
    Arena arena = {0};
    SqlRefs refs;
    find_refs(&arena, "select '\xc3\xa9\xe2\x82\xac' from a,\n\n  \"\xc3\xa9\" b,\r\n\tc\n", &refs);
    static const int places[][2] = {{1, 18}, {3, 3}, {4, 2}};
    assert_int_equal(refs.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(refs.items[i].line, places[i][0]);
        assert_int_equal(refs.items[i].column, places[i][1]);
    }
    assert_string_equal(refs.items[1].name, "\xc3\xa9");
    assert_int_equal(refs.items[1].length, 4);
    arena_clear(&arena);
}

/* Names that hide as PostgreSQL hides them, though one may wonder. */
static void only_and_aliases_do_not_lift_a_cte(void **state)
{
    (void)state;
    Arena arena = {0};
    SqlRefs refs;
    find_refs(&arena, "with a as (select 1) select * from only a", &refs);
    assert_int_equal(refs.count, 0);
    find_refs(&arena, "with a as (select 1) select * from a as b, b", &refs);
    assert_int_equal(refs.count, 1);
    assert_string_equal(refs.items[0].name, "b");
    arena_clear(&arena);
}

static void what_is_written_is_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *names;
    } writes[] = {
        {"insert into a select * from b", "b"},
        {"update a set x = c.x from c where exists (select 1 from d)", "c d"},
        {"delete from a using b", "b"},
        {"select * into a from b", "b"},
        {"select * from a for update of a", "a"},
        {"with w as (insert into a select * from b returning *) select * from w", "b"},
        {"create table a as select * from b", "b"},
        {"create view v as with b as (select * from c) select * from b", "c"},
    };
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        Arena arena = {0};
        TEXT_AUTO(names);
        SqlRefs refs;
        find_refs(&arena, writes[i].sql, &refs);
        for (size_t j = 0; j < refs.count; j++)
            describe(&refs.items[j], &names);
        assert_string_equal(text_str(&names), writes[i].names);
        arena_clear(&arena);
    }
}

/* 20,000 CTEs that each read the one before: name look-up must not be a search through all. */
static void many_ctes_are_quick(void **state)
{
    (void)state;
    Arena arena = {0};
    TEXT_AUTO(sql);
    text_append(&sql, "with c0 as (select * from t)");
    for (int i = 1; i < 20000; i++)
        text_appendf(&sql, ", c%d as (select * from c%d)", i, i - 1);
    text_append(&sql, " select * from c19999, c20000");
    SqlRefs refs;
    find_refs(&arena, text_str(&sql), &refs);
    assert_int_equal(refs.count, 2);
    assert_string_equal(refs.items[0].name, "t");
    assert_string_equal(refs.items[1].name, "c20000");
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_found),
        cmocka_unit_test(places_count_characters),
        cmocka_unit_test(only_and_aliases_do_not_lift_a_cte),
        cmocka_unit_test(what_is_written_is_not_read),
        cmocka_unit_test(many_ctes_are_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
