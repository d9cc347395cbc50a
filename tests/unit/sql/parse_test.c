/* Parsing, its errors and bounds, and the hash of tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "sql/parse.h"
#include "sql/place.h"

static void errors_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *message;
        int line, column;
    } cases[] = {
        {"selec 1", "syntax error at or near \"selec\"", 1, 1},
        {"select 1 from", "syntax error at end of input", 1, 14},
        {"select\n  a b c", "syntax error at or near \"c\"", 2, 7},
        {"select '\xc3\xa9' a b", "syntax error at or near \"b\"", 1, 14},
        {"select 1;\n\nselect ;; from", "syntax error at or near \"from\"", 3, 11},
        {"select 'x", "unterminated quoted string at or near \"'x\"", 1, 8},
        {"select 1 /* x", "unterminated /* comment at or near \"/* x\"", 1, 10},
        {"select \"\"", "zero-length delimited identifier at or near \"\"\"\"", 1, 8},
        {"select 1a", "trailing junk after numeric literal at or near \"1a\"", 1, 8},
        {"select $$a", "unterminated dollar-quoted string at or near \"$$a\"", 1, 8},
        {"select U&'\\00'", "invalid Unicode escape", 1, 11},
        {"select 1\n\xff", "invalid UTF-8: byte 0xff", 2, 1},
        {"select '\xc3", "invalid UTF-8: byte 0xc3", 1, 9},
        {"select * from a.b.c.d", "improper qualified name (too many dotted names): a.b.c.d", 1, 15},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlTree tree;
        ERROR_AUTO(err);
        if (sql_parse(&arena, cases[i].sql, &tree, &err))
            fail_msg("%s: no error", cases[i].sql);
        assert_string_equal(err.message, cases[i].message);
        if (err.line != cases[i].line || err.column != cases[i].column)
            fail_msg("%s: at %d:%d", cases[i].sql, err.line, err.column);
        assert_int_equal(err.code, ERROR_PROJECT);
        arena_clear(&arena);
    }
}

static void statements_have_their_bounds(void **state)
{
    (void)state;
    static const char sql[] = "  -- c\n;; select 1 -- x;\n ; /* y */ table a /* z */ ;\n insert into b values (';')";
    static const char *const texts[] = {"select 1", "table a", "insert into b values (';')"};
    Arena arena = {0};
    SqlTree tree;
    assert_true(sql_parse(&arena, sql, &tree, NULL));
    assert_int_equal(tree.count, 3);
    for (size_t i = 0; i < 3; i++) {
        SqlStatement statement = tree.statements[i];
        assert_int_equal(statement.end - statement.start, strlen(texts[i]));
        assert_memory_equal(sql + statement.start, texts[i], strlen(texts[i]));
    }
    assert_true(sql_is(tree.statements[2].node, "InsertStmt"));
    static const char *const none[] = {"", " ", ";", "-- x", "/* x */ ; ;\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_true(sql_parse(&arena, none[i], &tree, NULL));
        assert_int_equal(tree.count, 0);
    }
    arena_clear(&arena);
}

static void the_tree_can_be_read(void **state)
{
    (void)state;
    Arena arena = {0};
    SqlTree tree;
    assert_true(
        sql_parse(&arena,
                  "with c as (select 1) select distinct '', 0, -7, 'a\"\\\t\x01', sum(x) over (order by y) from t "
                  "union all select a.* from a",
                  &tree, NULL));
    const SqlNode *top = tree.statements[0].node;
    assert_string_equal(sql_node_string(top, "op"), "SETOP_UNION");
    assert_true(sql_node_bool(top, "all"));
    assert_true(sql_is(sql_node_get(top, "withClause"), "WithClause"));
    assert_int_equal(sql_node_get(top, "withClause")->location, 0);
    const SqlNode *left = sql_node_get(top, "larg");
    assert_true(sql_is(left, "SelectStmt"));
    assert_int_equal(left->location, -1);
    SqlList distinct = sql_node_list(left, "distinctClause");
    assert_int_equal(distinct.count, 1);
    assert_null(distinct.items[0]);
    SqlList targets = sql_node_list(left, "targetList");
    assert_int_equal(targets.count, 5);
    const SqlNode *zero = sql_node_get(sql_node_get(targets.items[1], "val"), "ival");
    assert_true(sql_is(zero, "Integer"));
    assert_int_equal(sql_node_int(zero, "ival"), 0);
    const SqlNode *minus = sql_node_get(sql_node_get(targets.items[2], "val"), "ival");
    assert_int_equal(sql_node_int(minus, "ival"), -7);
    const SqlNode *text = sql_node_get(sql_node_get(targets.items[3], "val"), "sval");
    assert_string_equal(sql_string_value(text), "a\"\\\t\x01");
    const SqlNode *call = sql_node_get(targets.items[4], "val");
    assert_string_equal(sql_last_name(sql_node_list(call, "funcname")), "sum");
    assert_true(sql_is(sql_node_get(call, "over"), "WindowDef"));
    assert_null(sql_node_get(call, "no_such_field"));
    assert_null(sql_node_string(NULL, "x"));
    arena_clear(&arena);
}

/* The parser library's JSON is silent about negative integers. */
static void integers_keep_their_sign(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int64_t value;
    } cases[] = {
        {"select 7", 7},
        {"select 0", 0},
        {"select -0", 0},
        {"select -7", -7},
        {"select - /* 3 */ 7", -7},
        {"select -(7)", -7},
        {"select - ( - ( -(7)))", -7},
        {"select - -7", 7},
        {"select -2147483647", -2147483647},
        {"select -007", -7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlTree tree;
        assert_true(sql_parse(&arena, cases[i].sql, &tree, NULL));
        SqlList targets = sql_node_list(tree.statements[0].node, "targetList");
        const SqlNode *constant = sql_node_get(targets.items[0], "val");
        assert_true(sql_is(constant, "A_Const"));
        if (sql_node_int(sql_node_get(constant, "ival"), "ival") != cases[i].value)
            fail_msg("%s", cases[i].sql);
        arena_clear(&arena);
    }
}

/* prefix, then part as often as fits into size, then suffix */
static void repeat(Text *out, const char *prefix, const char *part, const char *suffix, size_t size)
{
    text_append(out, prefix);
    while (out->len + strlen(part) + strlen(suffix) <= size)
        text_append(out, part);
    text_append(out, suffix);
}

static void deep_and_long_sql_has_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *part, *suffix;
        size_t size;
        const char *message; /* NULL: it parses */
    } cases[] = {
        {"select ", "(", "1", 100000, "the SQL is nested too deeply"},
        {"select 1", "+1", "", SQL_TEXT_MAX, "the SQL is nested too deeply"},
        {"select 1", " isnull", "", SQL_TEXT_MAX, "the SQL is nested too deeply"},
        {"select 1", "::a", "", SQL_TEXT_MAX, "the SQL is nested too deeply"},
        {"select 1", " union select 1", "", SQL_TEXT_MAX, "the SQL is nested too deeply"},
        {"select * from a", " join a on a", "", SQL_TEXT_MAX, "the SQL is nested too deeply"},
        {"select * from a", " natural join a", "", SQL_TEXT_MAX, "the SQL is nested too deeply"},
        {"select 1", "+1", "", 4096, "the SQL is nested too deeply"},
        {"select 1", "::a", "", 4096, NULL},
        {"select 1", "+1", "", 3990, NULL},
        {"values (1)", ",(1)", "", SQL_TEXT_MAX, NULL},
        {"select a", ",a", "", SQL_TEXT_MAX, NULL},
        {"select true", " and a", "", SQL_TEXT_MAX, NULL},
        {"select 1", ";", "", SQL_TEXT_MAX, NULL},
        {"select 1 /", "*", "/", SQL_TEXT_MAX, NULL},
        {"select 1", " ", "", SQL_TEXT_MAX + 1, "the SQL is longer than 1048576 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        SqlTree tree;
        ERROR_AUTO(err);
        TEXT_AUTO(sql);
        repeat(&sql, cases[i].prefix, cases[i].part, cases[i].suffix, cases[i].size);
        bool ok = sql_parse(&arena, text_str(&sql), &tree, &err);
        if (ok != !cases[i].message)
            fail_msg("%s...: %s", cases[i].part, ok ? "parses" : err.message);
        if (!ok)
            assert_string_equal(err.message, cases[i].message);
        arena_clear(&arena);
    }
}

static void tokens_alone_make_the_hash(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"select 1", "select 1", true},
        {"select 1", "  select\n\t1  ", true},
        {"select 1", "select /* x /* y */ */ 1 -- z", true},
        {"select 1", "select 1 ; ;", true},
        {"select a+b", "select a + b", true},
        {"select 'a  b'", "select 'a b'", false},
        {"select 1", "select 2", false},
        {"select '1'", "select 1", false},
        {"select a b", "select ab", false},
        {"select a, b", "select a b", false},
        {"select \"a\"", "select a", false},
        {"select '-- x'", "select ''", false},
        {"select 1; select 2", "select 1 select 2", false},
        {"select U&'\\0061'", "select U&'\\0062'", false},
        {"select U&'\\0061' -- x", "select  U&'\\0061'", true},
        {"table U&\"\\0061\"", "table U&\"\\0062\"", false},
        {"select $$a$$", "select $$b$$", false},
        {"select x'1f'", "select x'1e'", false},
        {"select a from b", "select b from a", false},
        {"", "-- nothing", true},
        {"not even ( a statement", "not even(a /**/ statement", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char a[SQL_HASH_TEXT], b[SQL_HASH_TEXT];
        assert_true(sql_token_hash(cases[i].a, a, NULL));
        assert_true(sql_token_hash(cases[i].b, b, NULL));
        assert_int_equal(strlen(a), 32);
        Arena arena = {0};
        SqlTree tree;
        if (sql_parse(&arena, cases[i].b, &tree, NULL)) {
            char parsed[SQL_HASH_TEXT];
            sql_tree_hash(&tree, parsed);
            assert_string_equal(parsed, b);
        }
        arena_clear(&arena);
        if ((strcmp(a, b) == 0) != cases[i].same)
            fail_msg("%s | %s", cases[i].a, cases[i].b);
    }
}

/* Stored in ledgers: must not change from build to build. */
static void the_hash_is_stable(void **state)
{
    (void)state;
    char hex[SQL_HASH_TEXT];
    assert_true(sql_token_hash("", hex, NULL));
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f"); /* XXH3-128 of nothing, as its authors give it */
    ERROR_AUTO(err);
    assert_false(sql_token_hash("select 1,\n 'x", hex, &err));
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 2);
}

static void positions_become_lines(void **state)
{
    (void)state;
    static const char text[] = "a\xc3\xa9 b\n\nc\xf0\x9f\x98\x80 d";
    static const struct {
        int position, line, column;
        size_t offset;
    } cases[] = {
        {1, 1, 1, 0},   {3, 1, 3, 3},   {5, 1, 5, 5},   {6, 2, 1, 6}, {7, 3, 1, 7},  {9, 3, 3, 12},
        {10, 3, 4, 13}, {11, 3, 5, 14}, {99, 3, 5, 14}, {0, 1, 1, 0}, {-5, 1, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int line, column;
        sql_position_to_line(text, cases[i].position, &line, &column);
        assert_int_equal(line, cases[i].line);
        assert_int_equal(column, cases[i].column);
        assert_int_equal(sql_position_to_offset(text, cases[i].position), cases[i].offset);
    }
    int line, column;
    sql_offset_to_line(text, 2, &line, &column); /* inside a character */
    assert_int_equal(column, 2);
    sql_offset_to_line(text, 1000, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_a_place),          cmocka_unit_test(statements_have_their_bounds),
        cmocka_unit_test(the_tree_can_be_read),         cmocka_unit_test(integers_keep_their_sign),
        cmocka_unit_test(deep_and_long_sql_has_bounds), cmocka_unit_test(tokens_alone_make_the_hash),
        cmocka_unit_test(the_hash_is_stable),           cmocka_unit_test(positions_become_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
