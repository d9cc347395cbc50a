/* SQL of any kind through everything that reads SQL. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "sql/parse.h"
#include "sql/refs.h"
#include "sql/select.h"
#include "sql/shadow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What is composed of a model that parses must parse too, and every place of it lead back into its text. */
static void check_shadow(Arena *arena, const SqlTree *tree)
{
    TEXT_AUTO(out);
    SqlMap map;
    SqlTree composed;
    SqlBody body = sql_body(tree, 3);
    SqlCte cte = {.name = "\"a\"", .body = body};
    sql_with_ctes(arena, &out, &cte, 1, body, &map);
    ERROR_AUTO(err);
    if (out.len <= SQL_TEXT_MAX && !sql_parse(arena, text_str(&out), &composed, &err))
        require(strstr(err.message, "too deeply") != NULL);
    for (int position = 0; position < 200; position++) {
        size_t part;
        int line, column;
        if (sql_map_place(&map, position, &part, &line, &column))
            require(part < 2 && line > 3 && column > 0);
    }
}

static void check_tree(Arena *arena, const SqlTree *tree)
{
    SqlRefs refs;
    SqlOutputs outputs;
    SqlFunctions functions;
    size_t len = strlen(tree->text);
    sql_refs(arena, tree, &refs);
    for (size_t i = 0; i < refs.count; i++)
        require(refs.items[i].length > 0 && refs.items[i].offset + refs.items[i].length <= len);
    sql_output_names(arena, tree, &outputs);
    for (size_t i = 0; i < outputs.count; i++)
        require(outputs.items[i].offset <= len && outputs.items[i].line > 0);
    sql_functions(arena, tree, &functions);
    for (size_t i = 0; i < functions.count; i++)
        require(functions.items[i].offset <= len);
    for (size_t i = 0; i < tree->count; i++)
        require(tree->statements[i].start < tree->statements[i].end && tree->statements[i].end <= len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_alloc(size + 1);
    memcpy(text, data, size);
    Arena arena = {0};
    SqlTree tree;
    ERROR_AUTO(err);
    char hex[SQL_HASH_TEXT];
    if (sql_parse(&arena, text, &tree, &err)) {
        require(sql_token_hash(text, hex, NULL));
        check_tree(&arena, &tree);
        if (sql_check_select(&tree, &err))
            check_shadow(&arena, &tree);
    } else {
        require(err.message && *err.message);
        sql_token_hash(text, hex, NULL);
    }
    arena_clear(&arena);
    free(text);
    return 0;
}
