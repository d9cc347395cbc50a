#include "project/check_sql.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "project/vars.h"
#include "sql/parse.h"
#include "sql/refs.h"
#include "sql/select.h"

static Place place_in_file(const Check *check, int line, int column)
{
    Place place = {check->sql_file, line > 0 ? line : 1, column > 0 ? column : 1};
    written_place(check->written, 0, &place.line, &place.column);
    return place;
}

static void take_references(Reading *reading, const SqlTree *tree, Check *check)
{
    SqlRefs refs;
    Arena *arena = &reading->project->arena;
    sql_refs(&reading->scratch, tree, &refs);
    check->references = arena_array(arena, refs.count + 1, sizeof *check->references);
    for (size_t i = 0; i < refs.count; i++)
        if (!refs.items[i].system)
            check->references[check->reference_count++] =
                (Reference){.schema = arena_strdup(arena, refs.items[i].schema),
                            .name = arena_strdup(arena, refs.items[i].name),
                            .place = place_in_file(check, refs.items[i].line, refs.items[i].column)};
}

static void parse(Reading *reading, const char *text, Check *check)
{
    ERROR_AUTO(err);
    SqlTree tree;
    const char *filled;
    bool ready = vars_fill(reading, text, &filled, &check->written, &err);
    bool parsed = ready && sql_parse(&reading->scratch, filled, &tree, &err);
    if (parsed && sql_check_select(&tree, &err)) {
        check->sql = arena_strndup(&reading->project->arena, filled, tree.statements[0].end);
        take_references(reading, &tree, check);
        return;
    }
    const char *hint = ready && err.line > 0 ? vars_hint(reading, filled, err.line, err.column) : NULL;
    if (parsed) /* what was said is about a model */
        reading_report(reading, place_in_file(check, err.line, err.column), NULL,
                       "the query of a check is one SELECT that only reads");
    else
        reading_report(reading, place_in_file(check, err.line, err.column), err.hint ? err.hint : hint, "%s",
                       err.message);
}

void check_sql_read(Reading *reading, const Value *value, Check *check)
{
    Arena *arena = &reading->project->arena;
    char *data CLEANUP(mem_free_p) = NULL;
    size_t length = 0;
    ERROR_AUTO(err);
    if (!*value->text) {
        reading_report(reading, value_place(value), "such as sql: checks/file.sql", "'sql' is empty");
        return;
    }
    bool absolute = value->text[0] == '/';
    const char *path =
        absolute ? value->text : arena_printf(&reading->scratch, "%s/%s", reading->project->dir, value->text);
    check->sql_file = absolute ? value->text : arena_printf(arena, "%s%s", reading->prefix, value->text);
    if (!file_read(path, SQL_TEXT_MAX, &data, &length, &err))
        reading_report(reading, value_place(value), "a file with a SELECT that returns the rows that are wrong",
                       "%s: %s", check->sql_file, err.message);
    else if (memchr(data, '\0', length))
        reading_report(reading, (Place){.file = check->sql_file}, NULL, "the file holds a zero byte: it is no SQL");
    else
        parse(reading, str_starts(data, "\xEF\xBB\xBF") ? data + 3 : data, check);
}
