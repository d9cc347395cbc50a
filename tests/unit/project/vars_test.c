/* Vars filled into SQL: what psql sends for the same text and the same variables (each line was compared with psql 15;
 * where this program means to differ, it says so), and the way back to the file. */
#include "folder.h"
#include "project/project.h"

static const char *const vars = "vars:\n"
                                "  n: 42\n"
                                "  text: it's\n"
                                "  back: 'a\\b''c'\n"
                                "  tab: Order \"Lines\"\n"
                                "  empty: ''\n"
                                "  two: \"1,\\n  2\"\n"
                                "  again: ':n'\n"
                                "  été: 1\n";

typedef struct FillCase {
    const char *written, *sql;
} FillCase;

static const FillCase cases[] = {
    {"select :n", "select 42"},
    {"select :'n'", "select '42'"},
    {"select 1 as :\"n\"", "select 1 as \"42\""},
    {"select :'text'", "select 'it''s'"},
    {"select:'back'", "select E'a\\\\b''c'"},
    {"select 1 from :\"tab\"", "select 1 from \"Order \"\"Lines\"\"\""},
    {"select 1 :empty", "select 1 "},
    {"select :'empty'", "select ''"},
    {"select :n:n", "select 4242"},
    {"select :n::int", "select 42::int"},
    {"select 1::n", "select 1::n"},
    {"select :{?n}, :{?m}", "select TRUE, FALSE"},
    {"select a[1:2], a[:n], b[1:n] from x", "select a[1:2], a[42], b[142] from x"},
    {"select a[1 : 2], f(a := 1) from x", "select a[1 : 2], f(a := 1) from x"},
    {"select ':n', '', ''':n', \":n\", \"\"\":n\" from x", "select ':n', '', ''':n', \":n\", \"\"\":n\" from x"},
    {"select '\\', :n", "select '\\', 42"},
    {"select e'\\':n', E'\\\\', :n", "select e'\\':n', E'\\\\', 42"},
    {"select case'\\' when '' then :n end", "select case'\\' when '' then 42 end"},
    {"select b'1', x'1f', n':n', u&':n', :n", "select b'1', x'1f', n':n', u&':n', 42"},
    {"select $$:n$$, $a$ $$ :n $b$ $a$, :n", "select $$:n$$, $a$ $$ :n $b$ $a$, 42"},
    {"select a$b$, :n, c$b$ from x", "select a$b$, 42, c$b$ from x"},
    {"select 1 -- :n\n, :n", "select 1 -- :n\n, 42"},
    {"select /* :n /* */ :n */ :n /*:n*/", "select /* :n /* */ :n */ 42 /*:n*/"},
    {"select 1 +/* :n */ :n -:n", "select 1 +/* :n */ 42 -42"},
    {"select 4 /:n* :n", "select 4 /42* 42"},
    {"select :été, ':été'", "select 1, ':été'"},
    {"select :two", "select 1,\n  2"},
    {"select ':n' '--' , :n", "select ':n' '--' , 42"},
    /* psql reads by lines, and forgets that the text goes on; the server does not. */
    {"select e'a'\n  '\\':n', :n", "select e'a'\n  '\\':n', 42"},
    /* Here psql goes on to fill in the value. */
    {"select ':' , :'again'", "select ':' , ':n'"},
};

static void try_case(const FillCase *c)
{
    Project project;
    ERRORS_AUTO(errors);
    TestFolder folder;
    folder_enter(&folder);
    folder_write("sluice.yaml", vars);
    folder_write("models/m.sql", c->written);
    project_read(&(ProjectOptions){0}, &project, &errors);
    folder_leave(&folder);
    for (size_t i = 0; i < errors.count; i++)
        if (!strstr(errors.items[i].message, "syntax error") && !strstr(errors.items[i].message, "two output"))
            fail_msg("%s: %s", c->written, errors.items[i].message);
    const Node *node = project.nodes[0];
    const char *sql = node->written ? node->written->sql : node->sql;
    if (!sql || !str_eq(sql, c->sql))
        fail_msg("%s\nis     %s\nand not %s", c->written, sql ? sql : "(wrong)", c->sql);
    project_clear(&project);
}

static void fills_in_as_psql_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        try_case(&cases[i]);
}

/* Every place of the SQL leads to the same character of the file, or to the name it was filled in for. */
static void finds_the_way_back(void **state)
{
    (void)state;
    static const char *const lines[] = {"select :n as é, :two as a", "  , 'é' as :\"tab\", :n as b from c",
                                        "where d = :n or e in (:two) or f"};
    Project project;
    ERRORS_AUTO(errors);
    TestFolder folder;
    TEXT_AUTO(text);
    folder_enter(&folder);
    folder_write("sluice.yaml", vars);
    text_append(&text, "-- ---\n-- tags: [x]\n-- ---\n");
    for (size_t i = 0; i < 3; i++)
        text_appendf(&text, "%s\n", lines[i]);
    folder_write("models/m.sql", text_str(&text));
    project_read(&(ProjectOptions){0}, &project, &errors);
    folder_leave(&folder);
    assert_int_equal(errors.count, 0);
    const Node *node = project.nodes[0];
    int line = node->sql_line, column = 1, last_line = 0, last_column = 0;
    size_t same = 0, in_values = 0;
    for (const char *s = node->sql; *s; s++) {
        int there = line, at = column;
        if (((unsigned char)*s & 0xC0) == 0x80)
            continue;
        node_place(node, &there, &at);
        assert_true(there > last_line || (there == last_line && at >= last_column)); /* never backwards */
        last_line = there;
        last_column = at;
        const char *found = lines[there - 4];
        for (int i = 1; i < at; i++)
            found += utf8_len(found, 4);
        in_values += *found == ':';
        same += *found == *s;
        assert_true(*found == *s || *found == ':' || (*s == '\n' && !*found));
        line += *s == '\n';
        column = *s == '\n' ? 1 : column + 1;
    }
    assert_int_equal(in_values, 2 + 6 + 17 + 2 + 2 + 6);
    assert_true(same > 50);
    assert_int_equal(node->references[0].place.line, 5);
    assert_int_equal(node->references[0].place.column, 33);
    project_clear(&project);
}

/* What a model is goes by its SQL, not by how it was made. */
static void hashes_what_is_sent(void **state)
{
    (void)state;
    Project project;
    ERRORS_AUTO(errors);
    TestFolder folder;
    folder_enter(&folder);
    folder_write("sluice.yaml", vars);
    folder_write("models/a.sql", "select :n as x");
    folder_write("models/b.sql", "select 42 as x");
    folder_write("models/c.sql", "select :n+1 as x, now(), lower(upper('a')), lower('b') as y");
    project_read(&(ProjectOptions){0}, &project, &errors);
    folder_leave(&folder);
    assert_int_equal(errors.count, 0);
    assert_string_equal(project_find(&project, "a")->sql_hash, project_find(&project, "b")->sql_hash);
    const Node *c = project_find(&project, "c");
    assert_string_not_equal(c->sql_hash, project_find(&project, "b")->sql_hash);
    assert_int_equal(c->functions.count, 3);
    assert_string_equal(c->functions.items[0], "now");
    project_clear(&project);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fills_in_as_psql_does), cmocka_unit_test(finds_the_way_back),
                                       cmocka_unit_test(hashes_what_is_sent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
