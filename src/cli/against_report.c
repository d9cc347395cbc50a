#include "cli/against_report.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/listing.h"
#include "cli/marked.h"

static const char *kind_of(const AgainstNode *about) { return about->node ? node_kind_name(about->node) : NULL; }

static const char *differences_of(const AgainstNode *about, Arena *arena)
{
    TEXT_AUTO(text);
    for (size_t i = 0; i < about->differences.count; i++)
        text_appendf(&text, "%s%s", i ? "; " : "", about->differences.items[i]);
    return arena_strdup(arena, text_str(&text));
}

static const char *downstream_of(const AgainstNode *about, Arena *arena)
{
    TEXT_AUTO(text);
    for (size_t i = 0; i < about->downstream_count; i++)
        text_appendf(&text, "%s%s", i ? ", " : "", about->downstream[i]->name);
    return arena_strdup(arena, text_str(&text));
}

static void print_line(const char *line, size_t length, bool colored)
{
    const char *color = !colored       ? ""
                        : *line == '-' ? "\033[31m"
                        : *line == '+' ? "\033[32m"
                        : *line == '@' ? "\033[36m"
                                       : "";
    TEXT_AUTO(shown);
    for (size_t i = 0; i < length;) { /* a tab may stand as it is */
        size_t run = 0;
        while (i + run < length && line[i + run] != '\t')
            run++;
        text_append_shown(&shown, line + i, run, run);
        i += run;
        if (i < length)
            text_append_char(&shown, line[i++]);
    }
    printf("%s%s%s\n", color, text_str(&shown), *color ? "\033[0m" : "");
}

static void print_diff(const AgainstNode *about, const char *target)
{
    bool colored = log_colored(stdout);
    char *diff CLEANUP(mem_free_p) = log_redacted(about->sql);
    TEXT_AUTO(head);
    text_appendf(&head, "\n%s--- %s.%s in %s\n+++ %s%s\n", colored ? "\033[1m" : "", about->schema, about->table,
                 target, about->node->place.file, colored ? "\033[0m" : "");
    fputs(text_str(&head), stdout);
    for (const char *line = diff; *line;) {
        size_t length = strcspn(line, "\n");
        print_line(line, length, colored);
        line += length + (line[length] == '\n');
    }
}

void against_print(const Against *against, const char *target, Arena *arena)
{
    static const ListingColumn columns[] = {{"node", LISTING_TEXT},        {"kind", LISTING_TEXT},
                                            {"table", LISTING_TEXT},       {"state", LISTING_TEXT},
                                            {"differences", LISTING_RARE}, {"downstream", LISTING_RARE}};
    LISTING_AUTO(listing);
    listing_init(&listing, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < against->count; i++) {
        const AgainstNode *about = &against->nodes[i];
        listing_add(&listing, (const char *const[]){about->name, kind_of(about),
                                                    arena_printf(arena, "%s.%s", about->schema, about->table),
                                                    against_state_name(about->state), differences_of(about, arena),
                                                    downstream_of(about, arena)});
    }
    if (!against->ledger)
        log_info("target %s: nothing was ever built there", target);
    listing_print(&listing, false, stdout);
    for (size_t i = 0; i < against->count; i++)
        if (against->nodes[i].sql)
            print_diff(&against->nodes[i], target);
}

static void json_field(Json *json, const char *key, const char *value)
{
    json_key(json, key);
    marked_json_text(value, json);
}

static void json_node(const AgainstNode *about, Json *json)
{
    json_object(json);
    json_field(json, "node", about->name);
    json_field(json, "kind", kind_of(about));
    json_field(json, "schema", about->schema);
    json_field(json, "table", about->table);
    json_field(json, "state", against_state_name(about->state));
    json_key(json, "differences");
    json_array(json);
    for (size_t i = 0; i < about->differences.count; i++)
        marked_json_text(about->differences.items[i], json);
    json_end(json);
    json_field(json, "sql", about->sql);
    json_key(json, "downstream");
    json_array(json);
    for (size_t i = 0; i < about->downstream_count; i++)
        json_string(json, about->downstream[i]->name);
    json_end(json);
    json_end(json);
}

void against_json(const Against *against, const char *target)
{
    TEXT_AUTO(text);
    Json json = {.out = &text};
    json_object(&json);
    json_field(&json, "against", target);
    json_key(&json, "nodes");
    json_array(&json);
    for (size_t i = 0; i < against->count; i++)
        json_node(&against->nodes[i], &json);
    json_end(&json);
    json_end(&json);
    puts(text_str(&text));
}
