#include "project/model.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "project/check.h"
#include "project/front_matter.h"
#include "project/layout.h"
#include "project/named.h"
#include "project/node.h"
#include "project/target.h"
#include "project/upkeep.h"
#include "project/vars.h"
#include "sql/parse.h"
#include "sql/place.h"
#include "sql/refs.h"
#include "sql/select.h"

/* --- front matter ------------------------------------------------------------------------------------------------ */

/* A key of the model, else of its folder. A value of the folder is one for many: where it does not suit what a model
 * is, it is left out rather than an error. */
static void add_defaults(Reading *reading, const char *path, Values *values)
{
    for (int id = 0; id < SETTING_COUNT; id++) {
        const Setting *setting = setting_get((SettingId)id);
        if (setting->scope != SCOPE_MODEL || !setting->folder || values->items[id].said)
            continue;
        const Value *value = target_default(reading, path, (SettingId)id);
        if (value)
            values->items[id] = *value;
    }
}

static void refuse_table_keys(Reading *reading, Values *v, const Node *node)
{
    static const SettingId no_table[] = {KEY_MODEL_SCHEDULE, KEY_MODEL_CHECKS,  KEY_MODEL_UNIQUE_KEY,
                                         KEY_MODEL_GRANTS,   KEY_MODEL_TIMEOUT, KEY_MODEL_RETRIES};
    for (size_t i = 0; i < sizeof no_table / sizeof *no_table; i++) {
        Value *value = &v->items[no_table[i]];
        if (value->node && value_is_default(value, node))
            *value = (Value){0};
        else if (value->node)
            reading_report(reading, value->key_place,
                           "an ephemeral model stands inside those that read it: say it there",
                           "'%s' needs a table, and an ephemeral model has none", setting_get(no_table[i])->key);
    }
}

static void take_materialized(Reading *reading, Values *v, Node *node)
{
    const Value *materialized = &v->items[KEY_MODEL_MATERIALIZED];
    const Value *keep = &v->items[KEY_MODEL_KEEP];
    if (materialized->node)
        node->materialized = (Materialized)materialized->number;
    bool known = materialized->node || !materialized->said;
    if (keep->node && known && node->materialized != MATERIALIZED_HISTORY && !value_is_default(keep, node))
        reading_report(reading, keep->key_place, "materialized: history keeps runs; others hold one result",
                       "'keep' is for history, and this model is a %s", materialized_name(node->materialized));
    if (keep->node)
        node->keep = keep->number;
    if (node->materialized == MATERIALIZED_EPHEMERAL)
        refuse_table_keys(reading, v, node);
}

static void take_depends_on(Reading *reading, const Value *value, Node *node)
{
    node->depends_on = arena_array(&reading->project->arena, value->list.count + 1, sizeof *node->depends_on);
    for (size_t i = 0; i < value->list.count; i++)
        node->depends_on[node->depends_on_count++] =
            (Reference){.name = value->list.items[i], .place = value->places[i]};
}

/* --- SQL --------------------------------------------------------------------------------------------------------- */

/* Where something of the SQL stands in the file. */
static Place place_of_sql(const Node *node, int line, int column)
{
    Place place = {node->place.file, line + node->sql_line - 1, column};
    node_place(node, &place.line, &place.column);
    return place;
}

static void take_references(Reading *reading, const SqlTree *tree, Node *node)
{
    SqlRefs refs;
    sql_refs(&reading->scratch, tree, &refs);
    node->references = arena_array(&reading->project->arena, refs.count + 1, sizeof *node->references);
    for (size_t i = 0; i < refs.count; i++) {
        const SqlRef *ref = &refs.items[i];
        if (ref->system)
            continue;
        node->references[node->reference_count++] = (Reference){
            .schema = arena_strdup(&reading->project->arena, ref->schema),
            .name = arena_strdup(&reading->project->arena, ref->name),
            .place = place_of_sql(node, ref->line, ref->column),
        };
    }
}

static void take_functions(Reading *reading, const SqlTree *tree, Node *node)
{
    SqlFunctions functions;
    sql_functions(&reading->scratch, tree, &functions);
    Index seen = {.arena = &reading->scratch};
    for (size_t i = 0; i < functions.count; i++)
        if (!index_put(&seen, functions.items[i].name, node))
            strings_add(&reading->project->arena, &node->functions,
                        arena_strdup(&reading->project->arena, functions.items[i].name));
}

static void take_outputs(Reading *reading, const SqlTree *tree, Node *node)
{
    SqlOutputs outputs;
    Index seen = {.arena = &reading->scratch};
    sql_output_names(&reading->scratch, tree, &outputs);
    for (size_t i = 0; i < outputs.count; i++) {
        const SqlOutput *output = &outputs.items[i];
        Place place = place_of_sql(node, output->line, output->column);
        if (!output->name)
            continue;
        if (node->materialized == MATERIALIZED_HISTORY && str_eq(output->name, "created_at"))
            reading_report(reading, place, "give it another name with AS",
                           "a history has its own 'created_at', and this query makes one too");
        if (node->materialized != MATERIALIZED_EPHEMERAL && index_put(&seen, output->name, node))
            reading_report(reading, place, "give one of them another name with AS", "two output columns are named '%s'",
                           output->name);
        if (outputs.exact)
            strings_add(&reading->project->arena, &node->output, arena_strdup(&reading->project->arena, output->name));
    }
}

/* Text that the parser rejects, without blanks and semicolons at its end. */
static void take_unparsed(Reading *reading, const char *text, const Error *why, Node *node)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n;", text[length - 1]))
        length--;
    node->sql = arena_strndup(&reading->project->arena, text, length);
    reading_warn(reading, (Place){why->file, why->line, why->column}, "depends_on is trusted; the server will judge",
                 "SQL that the parser of this program does not know: %s", why->message);
}

/* An error with line and column of the SQL; without a line it is about the whole, and gets column 0 or 1. */
static void place_error(const Node *node, int column, Error *err)
{
    Place place = {node->place.file, node->sql_line, column};
    if (err->line > 0)
        place = place_of_sql(node, err->line, err->column);
    error_place(err, place.file, place.line, place.column);
}

/* Where the parser stumbles over what other programs' templates look like. */
static void add_template_hint(const char *text, Error *err)
{
    if (!err->hint && (strstr(text, "{{") || strstr(text, "{%")))
        error_hint(err, "there is no templating: name the table, as SQL does; :'name' stands for a var");
}

static void add_var_hint(Reading *reading, const char *text, Error *err)
{
    if (err->hint || err->line < 1)
        return;
    const char *hint = vars_hint(reading, text, err->line, err->column);
    if (hint)
        error_hint(err, "%s", hint);
}

static void read_sql(Reading *reading, const char *written, int first_line, bool trusted, Node *node)
{
    Arena *arena = &reading->project->arena;
    ERROR_AUTO(err);
    SqlTree tree;
    char hash[SQL_HASH_TEXT];
    const char *text;
    node->sql_line = first_line;
    if (!vars_fill(reading, written, &text, &node->written, &err)) {
        error_place(&err, node->place.file, err.line + first_line - 1, err.column);
        errors_add(reading->errors, &err);
        return;
    }
    if (!sql_parse(&reading->scratch, text, &tree, &err)) {
        add_var_hint(reading, text, &err);
        add_template_hint(text, &err);
        place_error(node, 0, &err);
        if (trusted && sql_token_hash(text, hash, NULL)) {
            take_unparsed(reading, text, &err, node);
            node->sql_hash = arena_strdup(arena, hash);
            return;
        }
        reading_report(reading, (Place){node->place.file, err.line, err.column}, err.hint, "%s", err.message);
        return;
    }
    if (!sql_check_select(&tree, &err)) {
        place_error(node, 1, &err);
        errors_add(reading->errors, &err);
        return;
    }
    node->sql = arena_strndup(arena, text, tree.statements[0].end);
    sql_tree_hash(&tree, hash);
    node->sql_hash = arena_strdup(arena, hash);
    take_references(reading, &tree, node);
    take_outputs(reading, &tree, node);
    take_functions(reading, &tree, node);
    named_take(reading, &tree, node);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

/* Of what a check cannot do for a view; one of severity warn does for it what it does for any model. */
static void warn_of_view(Reading *reading, const Value *key, const Node *node)
{
    const Check *strict = NULL;
    for (size_t i = 0; i < node->check_count && !strict; i++)
        strict = node->checks[i].warn ? NULL : &node->checks[i];
    if (strict || key->list.count > 0)
        reading_warn(
            reading, strict ? strict->place : key->key_place, NULL,
            "a view shows its inputs as they come: a check that fails is reported, fails the step and holds back "
            "what reads the view, but not the view itself");
}

static void read_model(Reading *reading, Values *v, const FrontMatter *front, Node *node)
{
    const Value *key = &v->items[KEY_MODEL_UNIQUE_KEY], *time = &v->items[KEY_MODEL_TIME_COLUMN];
    ColumnChecks of_columns;
    add_defaults(reading, node->path, v);
    take_materialized(reading, v, node);
    node_read_common(reading, v, node);
    take_depends_on(reading, &v->items[KEY_MODEL_DEPENDS_ON], node);
    read_sql(reading, front->sql, front->sql_line, node->depends_on_count > 0, node);
    node->unique_key = key->list;
    if (key->node && key->list.count == 0)
        reading_report(reading, key->key_place, NULL, "'unique_key' names no column");
    columns_check(reading, key, node->output, node);
    if (time->node)
        column_check(reading, time->text, value_place(time), node->output, node);
    node->time_column = time->text;
    upkeep_read_model(reading, v, node);
    layout_read(reading, v, node->output, node);
    layout_read_columns(reading, &v->items[KEY_MODEL_COLUMNS], node->output, node, &of_columns);
    checks_read(reading, &v->items[KEY_MODEL_CHECKS], &of_columns, node->output, node);
    if (node->materialized == MATERIALIZED_VIEW)
        warn_of_view(reading, key, node);
}

/* Front matter without the lines about it is a comment to everybody, and the model is not what its author meant. */
static void check_lost_key(Reading *reading, const char *text, const Node *node)
{
    int line;
    const char *key = front_matter_lost_key(text, &line);
    if (key)
        reading_unread(reading, (Place){node->place.file, line, 1},
                       "put it between two lines '-- ---' at the top of the file",
                       "not read: '%s:' stands in a comment, not in front matter", key);
}

static bool parse(Reading *reading, const char *text, size_t length, const Node *node, FrontMatter *ret_front,
                  YamlNode **ret_root, Error *err)
{
    const char *file = node->place.file;
    if (memchr(text, '\0', length))
        return error_at(err, ERROR_PROJECT, file, 0, 0, "the file holds a zero byte: it is no SQL");
    if (!front_matter_find(&reading->scratch, file, text, ret_front, err))
        return false;
    return !ret_front->yaml.text || yaml_read(&reading->scratch, &ret_front->yaml, ret_root, err);
}

void model_read(Reading *reading, const char *path)
{
    Project *project = reading->project;
    Node *node = node_add(reading, NODE_MODEL, path, ".sql");
    if (!node)
        return;
    char *data CLEANUP(mem_free_p) = NULL;
    size_t length = 0;
    ERROR_AUTO(err);
    FrontMatter front = {0};
    YamlNode *root = NULL;
    bool read =
        file_read(arena_printf(&reading->scratch, "%s/%s", project->dir, path), SQL_TEXT_MAX, &data, &length, &err);
    if (!read)
        error_place(&err, node->place.file, 0, 0);
    if (!read || !parse(reading, data, length, node, &front, &root, &err)) {
        errors_add(reading->errors, &err);
    } else {
        Values values;
        if (!front.yaml.text)
            check_lost_key(reading, data, node);
        values_read(reading, SCOPE_MODEL, VALUES_FILLED, node->place.file, root, &values);
        read_model(reading, &values, &front, node);
    }
    arena_clear(&reading->scratch);
}
