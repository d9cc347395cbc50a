#include "folder.h"
#include "project/yaml.h"

static bool read_n(Arena *arena, const char *text, size_t length, YamlNode **ret, Error *err)
{
    YamlSource source = {.file = "x.yaml", .text = text, .length = length};
    return yaml_read(arena, &source, ret, err);
}

static bool read_text(Arena *arena, const char *text, YamlNode **ret, Error *err)
{
    return read_n(arena, text, strlen(text), ret, err);
}

static const YamlNode *get(const YamlNode *map, const char *key)
{
    assert_int_equal(map->kind, YAML_MAP);
    for (const YamlNode *child = map->child; child; child = child->next)
        if (str_eq(child->key->text, key))
            return child;
    return NULL;
}

static void keeps_places(void **state)
{
    static const char text[] = "# comment\n"
                               "name: 'it''s'\n"
                               "\xC3\xA9t\xC3\xA9: {a: [x, \"y z\"]}\n"
                               "list:\n"
                               "  - one\n"
                               "  - |\n"
                               "    two\n";
    (void)state;
    Arena arena;
    arena_init(&arena);
    YamlNode *root = NULL;
    ERROR_AUTO(err);
    assert_true(read_text(&arena, text, &root, &err));
    const YamlNode *name = get(root, "name"), *list = get(root, "list");
    const YamlNode *a = get(get(root, "\xC3\xA9t\xC3\xA9"), "a");
    assert_string_equal(name->text, "it's");
    assert_int_equal(name->line, 2);
    assert_int_equal(name->column, 7);
    assert_false(name->verbatim); /* '' is one character of the value and two of the file */
    assert_int_equal(a->count, 2);
    assert_int_equal(a->line, 3);
    assert_int_equal(a->column, 10); /* characters, not bytes */
    assert_int_equal(a->child->next->column, 14);
    assert_string_equal(list->child->next->text, "two\n");
    assert_int_equal(list->child->next->line, 6);
    assert_null(get(root, "nothing"));
    arena_clear(&arena);
}

static void finds_characters_of_values(void **state)
{
    static const struct {
        const char *text;
        int character, column;
    } cases[] = {
        {"a: b c", 2, 6},      {"a: \"b c\"", 2, 7},
        {"a: 'b \"c'", 2, 7},  {"a: \"b\\tc\"", 2, 4}, /* escapes: only the beginning can be told */
        {"a: 'b''c'", 3, 4},   {"a: \xC3\xA9 c", 2, 6},
        {"a: |\n  b c", 2, 4}, {"a: b\n  c", 2, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena;
        arena_init(&arena);
        YamlNode *root = NULL;
        ERROR_AUTO(err);
        int line, column;
        assert_true(read_text(&arena, cases[i].text, &root, &err));
        yaml_place_in(root->child, cases[i].character, &line, &column);
        assert_int_equal(line, 1);
        assert_int_equal(column, cases[i].column);
        arena_clear(&arena);
    }
}

static void tells_texts_from_nothing(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena);
    YamlNode *root = NULL;
    ERROR_AUTO(err);
    assert_true(read_text(&arena, "a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: Null\n", &root, &err));
    for (const YamlNode *n = root->child; n; n = n->next)
        assert_int_equal(yaml_is_null(n), n->key->text[0] <= 'c');
    assert_true(read_text(&arena, "# only a comment\n", &root, &err));
    assert_null(root);
    assert_true(read_text(&arena, "", &root, &err));
    assert_null(root);
    arena_clear(&arena);
}

/* Bytes that a text file of cases cannot hold, and sizes that it should not. */
static void refuses_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        int line, column;
        const char *message;
    } cases[] = {
        {"a: \0b", 5, 1, 4, "control character 0x00"},
        {"a: b\nc: \xFF\n", 10, 2, 4, "byte 0xff is not valid UTF-8"},
        {"\xC3\xA9\xC3\xA9 \xC3", 6, 1, 4, "byte 0xc3 is not valid UTF-8"},
        {"a: \x1B[0m", 7, 1, 4, "control character 0x1b"},
        {"\xFF\xFE"
         "a\0",
         4, 1, 1, "byte 0xff is not valid UTF-8"},
        {"a: \"\\0\"", 7, 1, 4, "the text holds a zero byte (\\0)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena;
        arena_init(&arena);
        YamlNode *root = NULL;
        ERROR_AUTO(err);
        assert_false(read_n(&arena, cases[i].text, cases[i].length, &root, &err));
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.column, cases[i].column);
        arena_clear(&arena);
    }
}

static char *repeated(const char *s, size_t n, const char *before)
{
    Text text = {0};
    text_append(&text, before);
    for (size_t i = 0; i < n; i++)
        text_append(&text, s);
    return text_steal(&text);
}

static void bounds_what_it_reads(void **state)
{
    static const struct {
        const char *before, *repeat;
        size_t times;
        const char *message; /* NULL: it is read */
    } cases[] = {
        {"", "[", 1000000, "nested deeper than 32 levels"},
        {"", "{a: ", 200000, "nested deeper than 32 levels"},
        {"", "- ", 500000, "nested deeper than 32 levels"},
        {"a:\n", "- x\n", 99000, NULL},
        {"a:\n", "- x\n", 100000, "more than 100000 values in one file"},
        {"a: ", "x", 1024 * 1024, "the file is larger than 1048576 bytes"},
        {"a: ", "x", 1024 * 1024 - 3, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena;
        arena_init(&arena);
        YamlNode *root = NULL;
        ERROR_AUTO(err);
        char *text CLEANUP(mem_free_p) = repeated(cases[i].repeat, cases[i].times, cases[i].before);
        assert_int_equal(read_text(&arena, text, &root, &err), cases[i].message == NULL);
        if (cases[i].message)
            assert_string_equal(err.message, cases[i].message);
        arena_clear(&arena);
    }
}

static void counts_from_where_it_stands(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena);
    YamlNode *root = NULL;
    ERROR_AUTO(err);
    YamlSource source = {"m.sql", "a: x\nb: *\n", 10, 4, 3};
    assert_false(yaml_read(&arena, &source, &root, &err));
    assert_int_equal(err.line, 6);
    assert_int_equal(err.column, 7);
    assert_true(read_text(&arena,
                          "\xEF\xBB\xBF"
                          "a: x\r\nb: y\r\n",
                          &root, &err)); /* byte order mark, CRLF */
    assert_int_equal(root->column, 1);
    assert_string_equal(root->child->next->text, "y");
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_places),
        cmocka_unit_test(finds_characters_of_values),
        cmocka_unit_test(tells_texts_from_nothing),
        cmocka_unit_test(refuses_bytes),
        cmocka_unit_test(bounds_what_it_reads),
        cmocka_unit_test(counts_from_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
