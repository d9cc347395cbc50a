#include "build/declared.h"

#include <inttypes.h>

#include "base/hash.h"
#include "ingest/load.h"

static void add_number(Text *parts, int64_t number) { text_appendf(parts, "%" PRId64 ";", number); }

static void add_strings(Text *parts, const Strings *strings)
{
    add_number(parts, (int64_t)strings->count);
    for (size_t i = 0; i < strings->count; i++)
        hash_add(parts, strings->items[i]);
}

static void add_check(Text *parts, const Check *check)
{
    add_number(parts, check->kind);
    hash_add(parts, check->name);
    add_number(parts, check->warn);
    add_strings(parts, &check->columns);
    add_strings(parts, &check->values);
    hash_add(parts, check->to);
    hash_add(parts, check->field);
    hash_add(parts, check->expression);
    hash_add(parts, check->sql);
    add_number(parts, check->min);
    add_number(parts, check->max);
    add_number(parts, check->warn_after);
    add_number(parts, check->error_after);
}

static void add_column(Text *parts, const Column *column)
{
    hash_add(parts, column->name);
    hash_add(parts, column->type);
    hash_add(parts, column->header);
    add_strings(parts, &column->nulls);
    hash_add(parts, column->format);
    hash_add(parts, column->description);
}

const char *declared_hash(const Node *node, Arena *arena)
{
    TEXT_AUTO(parts);
    for (size_t i = 0; i < node->check_count; i++)
        add_check(&parts, &node->checks[i]);
    for (size_t i = 0; i < node->column_count; i++)
        add_column(&parts, &node->columns[i]);
    for (size_t i = 0; i < node->index_count; i++)
        add_strings(&parts, &node->indexes[i]);
    for (size_t i = 0; i < node->grant_count; i++) {
        hash_add(&parts, node->grants[i].privilege);
        add_strings(&parts, &node->grants[i].roles);
    }
    for (size_t i = 0; i < node->column_note_count; i++) {
        hash_add(&parts, node->column_notes[i].name);
        hash_add(&parts, node->column_notes[i].description);
    }
    add_strings(&parts, &node->unique_key);
    hash_add(&parts, node->time_column);
    hash_add(&parts, node->description);
    add_number(&parts, node->mode);
    add_number(&parts, node->delimiter);
    return hash_of(&parts, arena);
}

const char *declared_load(const Project *project, Arena *arena)
{
    return arena_printf(arena, "csv %s", project->timezone);
}

bool declared_is_loaded(const Project *project, const Node *node, const LedgerRelation *known, Arena *arena,
                        bool *ret_loaded, Error *err)
{
    *ret_loaded = false;
    if (!known->content_hash || !str_eq(known->definition, declared_load(project, arena)) ||
        !str_eq(known->declared, declared_hash(node, arena)))
        return true;
    return load_is_same(node->csv, node->csv_shown, known->content_hash, known->content_size, ret_loaded, err);
}

bool check_is_restless(const Check *check)
{
    return check->kind == CHECK_FRESHNESS || check->kind == CHECK_SQL || check->kind == CHECK_RELATIONSHIPS;
}

TrackTable declared_track(const Project *project, const Node *node, const SqlRelationFacts *facts)
{
    return (TrackTable){
        .table = {.schema = node->schema,
                  .name = node->table,
                  .time_column = facts->time_column,
                  .time_type = facts->time_type},
        .project = project->name,
        .node = node->name,
        .trigger = node->changes == CHANGES_TRIGGER,
        .column = node->changes_column,
        .file = node->changes_place.file,
        .line = node->changes_place.line,
        .column_number = node->changes_place.column,
    };
}
