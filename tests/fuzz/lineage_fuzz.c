/* Lineage of whatever parses, in bounded time and memory, with tables that are known and some that are not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sql/lineage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool columns_of(const char *schema, const char *table, const char *const **ret, size_t *ret_count, void *data)
{
    static const char *const columns[] = {"a", "b", "c"};
    (void)schema;
    (void)data;
    *ret = columns;
    *ret_count = 3;
    return table[0] != 'v';
}

static size_t check(const SqlOrigins *origins)
{
    size_t length = 0;
    for (size_t i = 0; i < origins->count; i++)
        length += strlen(origins->items[i].table) + (origins->items[i].column ? strlen(origins->items[i].column) : 0);
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena;
    SqlTree tree;
    SqlLineage lineage;
    SqlLineageTables tables = {columns_of, NULL};
    if (size > 64 * 1024 || memchr(data, 0, size))
        return 0;
    arena_init(&arena);
    char *text = arena_strndup(&arena, (const char *)data, size);
    if (sql_parse(&arena, text, &tree, NULL)) {
        sql_lineage(&arena, &tree, &tables, &lineage);
        size_t length = check(&lineage.filters) + check(&lineage.stars) + check(&lineage.reads);
        for (size_t i = 0; i < lineage.missing_count; i++) {
            const SqlMissing *missing = &lineage.missing[i];
            if (missing->offset >= size)
                abort();
            length += strlen(missing->column) + check(&missing->tables) + (missing->near ? strlen(missing->near) : 0);
        }
        for (size_t i = 0; i < lineage.count; i++)
            length += strlen(lineage.columns[i].name) + check(&lineage.columns[i].from);
        if (length == SIZE_MAX)
            abort();
    }
    arena_clear(&arena);
    return 0;
}
