/* A model inside a larger statement, and the way back from positions in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "sql/place.h"
#include "sql/refs.h"
#include "sql/shadow.h"

static SqlBody body_of(Arena *arena, const char *sql, int lines_before)
{
    SqlTree tree;
    assert_true(sql_parse(arena, sql, &tree, NULL));
    return sql_body(&tree, lines_before);
}

static void what_trails_a_body_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *body;
    } cases[] = {
        {"select 1", "select 1"},
        {"select 1;", "select 1"},
        {"select 1 -- ; x", "select 1"},
        {"-- a\n select 1 ; -- ; x\n /* y */ ;", "select 1"},
        {"select ';' /* ; */ , 2 /* open */\n;\n", "select ';' /* ; */ , 2"},
        {"(select 1)", "(select 1)"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlBody body = body_of(&arena, cases[i].sql, 0);
        assert_int_equal(body.length, strlen(cases[i].body));
        assert_memory_equal(body.text + body.offset, cases[i].body, body.length);
        arena_clear(&arena);
    }
}

static void statements_are_composed(void **state)
{
    (void)state;
    Arena arena = {0};
    TEXT_AUTO(out);
    SqlCte ctes[] = {{"\"one\"", body_of(&arena, "select 1 as a; -- x", 0)},
                     {"\"Two\"", body_of(&arena, "select * from one", 0)}};
    sql_with_ctes(&arena, &out, NULL, 0, body_of(&arena, "select 1 -- no newline", 0), NULL);
    assert_string_equal(text_str(&out), "select * from (\nselect 1\n) as sluice_q\n");
    text_reset(&out);
    text_append(&out, "create table x as ");
    sql_with_ctes(&arena, &out, ctes, 2, body_of(&arena, "table \"Two\"", 0), NULL);
    assert_string_equal(text_str(&out),
                        "create table x as with \"one\" as (\nselect 1 as a\n)\n, \"Two\" as (\nselect * "
                        "from one\n)\nselect * from (\ntable \"Two\"\n) as sluice_q\n");
    arena_clear(&arena);
}

/* Each @ in the bodies: found in the composed text, it must come back to its own part, line and column. */
static void positions_come_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "-- caf\xc3\xa9\n  select '\xc3\xa9\xe2\x82\xac' as x,\n\t@1;\n",
        "/* \xc3\xa9 */ select @2 from one -- ;",
        "with c as (\n  select @3\n)\nselect * from c\nwhere '\xf0\x9f\x98\x80' <> @4 ;",
    };
    static const struct {
        size_t part;
        int line, column;
    } expected[] = {{0, 3, 2}, {1, 11, 16}, {2, 102, 10}, {2, 105, 14}};
    Arena arena = {0};
    TEXT_AUTO(out);
    SqlCte ctes[] = {{"\"\xc3\xa9\"", body_of(&arena, texts[0], 0)}, {"two", body_of(&arena, texts[1], 10)}};
    SqlMap map;
    text_append(&out, "create table \"\xc3\xbc\" as\n");
    sql_with_ctes(&arena, &out, ctes, 2, body_of(&arena, texts[2], 100), &map);
    int position = 1;
    size_t seen = 0;
    for (const char *s = text_str(&out); *s; s++) {
        size_t part;
        int line, column;
        if (*s == '@') {
            assert_true(sql_map_place(&map, position, &part, &line, &column));
            assert_int_equal(part, expected[seen].part);
            assert_int_equal(line, expected[seen].line);
            assert_int_equal(column, expected[seen].column);
            seen++;
        }
        position += ((unsigned char)s[1] & 0xc0) != 0x80;
    }
    assert_int_equal(seen, 4);
    arena_clear(&arena);
}

static void the_wrapper_is_in_no_part(void **state)
{
    (void)state;
    Arena arena = {0};
    TEXT_AUTO(out);
    SqlMap map;
    size_t part;
    int line, column;
    sql_with_ctes(&arena, &out, NULL, 0, body_of(&arena, "select 1", 7), &map);
    int start = (int)strlen("select * from (\n") + 1;
    assert_false(sql_map_place(&map, start - 1, &part, &line, &column));
    assert_true(sql_map_place(&map, start, &part, &line, &column));
    assert_int_equal(line, 8);
    assert_int_equal(column, 1);
    assert_true(sql_map_place(&map, start + 8, &part, &line, &column)); /* "at end of input" */
    assert_int_equal(column, 9);
    assert_false(sql_map_place(&map, start + 9, &part, &line, &column));
    assert_false(sql_map_place(&map, 0, &part, &line, &column));
    assert_false(sql_map_place(&map, -1, &part, &line, &column));
    arena_clear(&arena);
}

/* A model's own CTE of the same name hides the one around it; so what the composed text reads is known. */
static void composed_text_keeps_scopes(void **state)
{
    (void)state;
    Arena arena = {0};
    TEXT_AUTO(out);
    SqlCte eph = {"eph", body_of(&arena, "select * from base", 0)};
    sql_with_ctes(&arena, &out, &eph, 1, body_of(&arena, "with eph as (select * from mine) table eph", 0), NULL);
    SqlTree tree;
    SqlRefs refs;
    assert_true(sql_parse(&arena, text_str(&out), &tree, NULL));
    sql_refs(&arena, &tree, &refs);
    assert_int_equal(refs.count, 2);
    assert_string_equal(refs.items[0].name, "base");
    assert_string_equal(refs.items[1].name, "mine");
    arena_clear(&arena);
}

static const char *text_for_loans(size_t ref, void *data)
{
    const SqlRefs *refs = data;
    return strcmp(refs->items[ref].name, "loans") == 0 ? "(select 1)" : NULL;
}

static void references_are_replaced_where_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *expected;
    } cases[] = {
        {"select loans.x from loans", "select loans.x from (select 1) as \"loans\""},
        {"select l.x from public.loans l;", "select l.x from (select 1) l"},
        {"select * from loans as l(a, b), other", "select * from (select 1) as l(a, b), other"},
        {"select * from loans,\"loans\" b", "select * from (select 1) as \"loans\",(select 1) b"},
        {"table loans", "select * from (select 1) as \"loans\""},
        {"with a as (table /* x */ loans) table a",
         "with a as (select * from /* x */ (select 1) as \"loans\") table a"},
        {"select * from loans *", "select * from (select 1) as \"loans\""},
        {"with loans as (select * from loans) select * from loans",
         "with loans as (select * from (select 1) as \"loans\") select * from loans"},
        {"-- loans\nselect 'loans' from other -- loans", "select 'loans' from other"},
        {"select * from only loans", "select * from only loans"},
        {"select * from loans tablesample system (1)", "select * from loans tablesample system (1)"},
        {"select 1; select * from loans", "select 1"},
        {"select (select max(x) from loans where y = z) from other",
         "select (select max(x) from (select 1) as \"loans\" where y = z) from other"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        TEXT_AUTO(out);
        SqlTree tree, again;
        SqlRefs refs;
        assert_true(sql_parse(&arena, cases[i].sql, &tree, NULL));
        sql_refs(&arena, &tree, &refs);
        sql_replace_refs(&out, &tree, &refs, text_for_loans, &refs);
        assert_string_equal(text_str(&out), cases[i].expected);
        assert_true(sql_parse(&arena, text_str(&out), &again, NULL));
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_trails_a_body_is_left_out),
        cmocka_unit_test(statements_are_composed),
        cmocka_unit_test(positions_come_back),
        cmocka_unit_test(the_wrapper_is_in_no_part),
        cmocka_unit_test(composed_text_keeps_scopes),
        cmocka_unit_test(references_are_replaced_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
