#include "cli/verdict_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/marked.h"

static const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

static const char **column_names(const Verdict *verdict, Arena *arena)
{
    const char **names = arena_array(arena, verdict->column_count + 1, sizeof *names);
    for (size_t i = 0; i < verdict->column_count; i++)
        names[i] = verdict->columns[i].name;
    return names;
}

static void print_rows(const Verdict *verdict, const CompareRow *rows, size_t count, Arena *arena)
{
    MarkedRow *marked = arena_array(arena, count + 1, sizeof *marked);
    for (size_t i = 0; i < count; i++)
        marked[i] = (MarkedRow){rows[i].side ? '+' : '-', rows[i].values};
    marked_print(column_names(verdict, arena), verdict->column_count, marked, count, stdout);
}

static void append_list(const char *before, const Strings *list, Text *out)
{
    for (size_t i = 0; i < list->count; i++) {
        text_append(out, i ? ", " : before);
        text_append_shown(out, list->items[i], strlen(list->items[i]), MARKED_VALUE_MAX);
    }
}

static void print_columns(const VerdictNames *names, const Verdict *verdict)
{
    for (int i = 0; i < 2; i++) {
        TEXT_AUTO(line);
        append_list("", &verdict->missing[i], &line);
        if (line.len)
            printf("  columns that %s does not have: %s\n", names->sides[i], text_str(&line));
    }
    for (size_t i = 0; i < verdict->retyped_count; i++) {
        TEXT_AUTO(line);
        text_append_shown(&line, verdict->retyped[i], strlen(verdict->retyped[i]), (size_t)4 * MARKED_VALUE_MAX);
        printf("  another type: %s\n", text_str(&line));
    }
}

static void append_rows(const VerdictNames *names, const Verdict *verdict, Text *line)
{
    const Comparison *c = &verdict->comparison;
    if (verdict->column_count == 0) {
        text_append(line, "no column in common");
        return;
    }
    for (int i = 0; i < 2; i++)
        if (c->only[i] > 0)
            text_appendf(line, "%s%" PRId64 " row%s only in %s", line->len ? ", " : "", c->only[i], plural(c->only[i]),
                         names->sides[i]);
    if (c->unsteady)
        text_appendf(line, "%s gives other rows each time it is asked", names->sides[1]);
    if (compare_equal(c))
        text_appendf(line, "%" PRId64 " row%s, the same in %s", c->rows[0], plural(c->rows[0]),
                     verdict_equal(verdict) ? "both" : "the columns of both");
}

void verdict_print(const VerdictNames *names, const Verdict *verdict, Arena *arena)
{
    const Comparison *c = &verdict->comparison;
    TEXT_AUTO(line);
    append_rows(names, verdict, &line);
    printf("%s: %s; %s\n", names->node, verdict_equal(verdict) ? "equal" : "different", text_str(&line));
    if (verdict->note)
        printf("  note: %s\n", verdict->note);
    print_columns(names, verdict);
    print_rows(verdict, c->shown, c->shown_count, arena);
    int64_t left = c->only[0] + c->only[1] - (int64_t)c->shown_count;
    if (left > 0)
        printf("  and %" PRId64 " more\n", left);
    if (c->close == 0)
        return;
    printf("%s%s: %" PRId64 " pair%s of rows differ%s in floating point alone, which is not counted\n",
           c->shown_count ? "\n" : "", names->node, c->close, plural(c->close), c->close == 1 ? "s" : "");
    print_rows(verdict, c->close_shown, c->close_count, arena);
}

static void json_names(Json *json, const char *key, const char *const *items, size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++)
        json_string(json, items[i]);
    json_end(json);
}

static void json_counts(const VerdictNames *names, Json *json, const char *key, const int64_t counts[2])
{
    json_key(json, key);
    json_object(json);
    for (int i = 0; i < 2; i++) {
        json_key(json, names->keys[i]);
        json_int(json, counts[i]);
    }
    json_end(json);
}

static void json_rows(const VerdictNames *names, const Verdict *verdict, Arena *arena, Json *json)
{
    const Comparison *c = &verdict->comparison;
    const char **columns = column_names(verdict, arena);
    json_key(json, "differing");
    json_array(json);
    for (size_t i = 0; i < c->shown_count; i++) {
        json_object(json);
        json_key(json, "only_in");
        json_string(json, names->keys[c->shown[i].side]);
        json_key(json, "row");
        marked_json(columns, verdict->column_count, c->shown[i].values, json);
        json_end(json);
    }
    json_end(json);
    json_key(json, "floating_point");
    json_array(json);
    for (size_t i = 0; i + 1 < c->close_count; i += 2) {
        json_object(json);
        for (size_t side = 0; side < 2; side++) {
            json_key(json, names->keys[side]);
            marked_json(columns, verdict->column_count, c->close_shown[i + side].values, json);
        }
        json_end(json);
    }
    json_end(json);
}

void verdict_json(const VerdictNames *names, const Verdict *verdict, Arena *arena, Json *json)
{
    const Comparison *c = &verdict->comparison;
    json_object(json);
    json_key(json, "node");
    json_string(json, names->node);
    json_key(json, "equal");
    json_raw(json, verdict_equal(verdict) ? "true" : "false");
    json_key(json, "note");
    json_string(json, verdict->note);
    json_counts(names, json, "rows", c->rows);
    json_counts(names, json, "only_in", c->only);
    json_key(json, "floating_point_only");
    json_int(json, c->close);
    json_key(json, "unsteady");
    json_raw(json, c->unsteady ? "true" : "false");
    json_key(json, "columns_missing");
    json_object(json);
    for (int i = 0; i < 2; i++)
        json_names(json, names->keys[i], verdict->missing[i].items, verdict->missing[i].count);
    json_end(json);
    json_names(json, "columns_retyped", verdict->retyped, verdict->retyped_count);
    json_rows(names, verdict, arena, json);
    json_end(json);
}
