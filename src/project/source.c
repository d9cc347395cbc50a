#include "project/source.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "csv/format.h"
#include "csv/reader.h"
#include "csv/type.h"
#include "project/check.h"
#include "project/expression.h"
#include "project/layout.h"
#include "project/node.h"
#include "project/upkeep.h"

/* --- columns ----------------------------------------------------------------------------------------------------- */

static void check_type(Reading *reading, Column *column, Place place, const YamlNode *written)
{
    if (csv_type_of(column->type).type != CSV_OTHER)
        return;
    ERROR_AUTO(err);
    if (!expression_check_type(&reading->scratch, column->type, &err))
        reading_report(reading, err.column > 0 ? place_in(place.file, written, err.column - 1) : place, err.hint,
                       "column '%s': %s", column->name, err.message);
}

static void check_format(Reading *reading, const Column *column, const Value *format)
{
    ERROR_AUTO(err);
    CsvFormat parsed;
    if (!column->type || csv_format_parse(column->format, csv_type_of(column->type).type, &parsed, &err))
        return;
    reading_report(reading, value_place_in(format, err.column > 0 ? err.column - 1 : 0), err.hint, "column '%s': %s",
                   column->name, err.message);
}

static void read_long_column(Reading *reading, const char *file, const YamlNode *node, Column *column)
{
    Values v;
    values_read(reading, SCOPE_COLUMN, VALUES_FILLED, file, node, &v);
    const Value *type = &v.items[KEY_COLUMN_TYPE], *format = &v.items[KEY_COLUMN_FORMAT];
    if (!type->said)
        reading_report(reading, column->place, "such as type: integer", "column '%s' has no type", column->name);
    column->type = type->text;
    if (type->node)
        check_type(reading, column, value_place(type), type->node);
    column->header = v.items[KEY_COLUMN_HEADER].text;
    column->nulls = v.items[KEY_COLUMN_NULL].list;
    column->description = v.items[KEY_COLUMN_DESCRIPTION].text;
    column->format = format->text;
    if (format->node)
        check_format(reading, column, format);
}

static void check_column_name(Reading *reading, const Column *column)
{
    static const char *const system[] = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};
    if (!values_check_name(reading, column->name, "a column", column->place))
        return;
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (str_eq(column->name, system[i]))
            reading_report(reading, column->place, "give it another name, and the file's own text as its header:",
                           "every table has a system column '%s' already", column->name);
}

static void read_column(Reading *reading, const char *file, const YamlNode *node, Column *column)
{
    column->name = arena_strdup(&reading->project->arena, node->key->text);
    column->place = place_of(file, node->key);
    check_column_name(reading, column);
    if (node->kind == YAML_MAP) {
        read_long_column(reading, file, node, column);
        return;
    }
    if (node->kind == YAML_LIST || yaml_is_null(node)) {
        reading_report(reading, place_of(file, node),
                       "such as loans: integer, or loans: {type: integer, header: Loans}",
                       "column '%s' takes a type or a mapping, and this is %s", column->name, yaml_kind_name(node));
        return;
    }
    column->type = values_text(reading, "type", file, node);
    if (column->type)
        check_type(reading, column, place_of(file, node), node);
}

static void read_columns(Reading *reading, const Value *columns, Node *node)
{
    if (!columns->node)
        return;
    if (columns->node->count > CSV_COLUMNS_MAX) {
        reading_report(reading, columns->key_place, NULL, "more than %d columns", CSV_COLUMNS_MAX);
        return;
    }
    node->columns = arena_array(&reading->project->arena, columns->node->count + 1, sizeof *node->columns);
    Index headers = {.arena = &reading->scratch};
    for (const YamlNode *child = columns->node->child; child; child = child->next) {
        Column *column = &node->columns[node->column_count++];
        read_column(reading, columns->file, child, column);
        const Column *other = column->header ? index_put(&headers, column->header, column) : NULL;
        if (other)
            reading_report(reading, column->place, NULL, "columns '%s' and '%s' have the same header '%s'", other->name,
                           column->name, column->header);
    }
}

/* --- the rest ---------------------------------------------------------------------------------------------------- */

static void read_csv(Reading *reading, const Value *csv, Node *node)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://", "s3://", "gs://", "sftp://"};
    Arena *arena = &reading->project->arena;
    if (!csv->node)
        return;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_starts(csv->text, schemes[i])) {
            reading_report(reading, value_place(csv), "fetch it first, and name the file",
                           "a CSV file from %s is not supported yet", schemes[i]);
            return;
        }
    if (!*csv->text) {
        reading_report(reading, value_place(csv), NULL, "'csv' is empty");
        return;
    }
    bool absolute = csv->text[0] == '/';
    node->csv = absolute ? csv->text : arena_printf(arena, "%s/%s", reading->project->dir, csv->text);
    node->csv_shown = absolute ? csv->text : arena_printf(arena, "%s%s", reading->prefix, csv->text);
    struct stat st;
    if (stat(node->csv, &st) != 0 && errno == ENOENT) /* it may come before the run does */
        reading_warn(reading, value_place(csv), NULL, "the file is not there: %s", node->csv_shown);
}

/* Keys about the loading of a file, and about the table it is loaded into, make no sense without one. */
static void check_needs_csv(Reading *reading, const Values *v)
{
    static const SettingId loading[] = {KEY_SOURCE_MODE,     KEY_SOURCE_DELIMITER, KEY_SOURCE_SCHEDULE,
                                        KEY_SOURCE_TIMEZONE, KEY_SOURCE_MIN_ROWS,  KEY_SOURCE_MAX_SHRINK,
                                        KEY_SOURCE_ROLLBACK};
    static const SettingId owning[] = {KEY_SOURCE_INDEXES, KEY_SOURCE_GRANTS};
    static const SettingId others[] = {KEY_SOURCE_CSV, KEY_SOURCE_POSTGRES, KEY_SOURCE_ODBC, KEY_SOURCE_SQLITE};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (v->items[others[i]].said)
            return;
    for (size_t i = 0; i < sizeof loading / sizeof *loading; i++)
        if (v->items[loading[i]].node)
            reading_report(reading, v->items[loading[i]].key_place, "add csv: FILE, or leave it out",
                           "'%s' is about loading, and this source has nothing to load", setting_get(loading[i])->key);
    for (size_t i = 0; i < sizeof owning / sizeof *owning; i++)
        if (v->items[owning[i]].node)
            reading_report(reading, v->items[owning[i]].key_place, "add csv: FILE, or leave it out",
                           "'%s' is about a table of the program's own, and others write this one",
                           setting_get(owning[i])->key);
}

static void read_mode(Reading *reading, const Values *v, Node *node)
{
    const Value *mode = &v->items[KEY_SOURCE_MODE];
    node->unique_key = v->items[KEY_SOURCE_UNIQUE_KEY].list;
    bool keyed = v->items[KEY_SOURCE_UNIQUE_KEY].said;
    node->mode = mode->node ? (LoadMode)mode->number : keyed ? LOAD_UPSERT : LOAD_REPLACE;
    if (mode->node && node->mode == LOAD_UPSERT && !keyed)
        reading_report(reading, value_place(mode), "add unique_key: [...]",
                       "'mode: upsert' needs 'unique_key', to tell which rows are the same");
}

static void read_source(Reading *reading, const Values *v, Node *node)
{
    const Value *key = &v->items[KEY_SOURCE_UNIQUE_KEY], *time = &v->items[KEY_SOURCE_TIME_COLUMN];
    node_read_common(reading, v, node);
    read_csv(reading, &v->items[KEY_SOURCE_CSV], node);
    read_columns(reading, &v->items[KEY_SOURCE_COLUMNS], node);
    if (v->items[KEY_SOURCE_CSV].node && !v->items[KEY_SOURCE_COLUMNS].said)
        reading_report(reading, v->items[KEY_SOURCE_CSV].key_place, "sluice init --from FILE.csv works them out",
                       "a source with 'csv' needs 'columns'");
    else if (v->items[KEY_SOURCE_CSV].node && v->items[KEY_SOURCE_COLUMNS].node &&
             !v->items[KEY_SOURCE_COLUMNS].node->count)
        reading_report(reading, v->items[KEY_SOURCE_COLUMNS].key_place, NULL, "'columns' is empty");
    if (key->node && key->list.count == 0)
        reading_report(reading, key->key_place, NULL, "'unique_key' names no column");
    if (v->items[KEY_SOURCE_DELIMITER].node)
        node->delimiter = (char)v->items[KEY_SOURCE_DELIMITER].number;
    check_needs_csv(reading, v);
    read_mode(reading, v, node);
    Strings columns = node_columns(node, &reading->project->arena);
    columns_check(reading, key, columns, node);
    if (time->node) {
        column_check(reading, time->text, value_place(time), columns, node);
        column_check_time(reading, "time_column", time->text, value_place(time), true, node);
    }
    node->time_column = time->text;
    upkeep_read_source(reading, v, columns, node);
    layout_read(reading, v, columns, node);
    checks_read(reading, &v->items[KEY_SOURCE_CHECKS], NULL, columns, node);
}

void source_read(Reading *reading, const char *path)
{
    Project *project = reading->project;
    Node *node = node_add(reading, NODE_SOURCE, path, ".yaml");
    if (!node)
        return;
    char *data CLEANUP(mem_free_p) = NULL;
    ERROR_AUTO(err);
    YamlSource source = {.file = node->place.file};
    YamlNode *root = NULL;
    bool read = file_read(arena_printf(&reading->scratch, "%s/%s", project->dir, path), YAML_BYTES_MAX, &data,
                          &source.length, &err);
    source.text = data;
    if (!read)
        error_place(&err, node->place.file, 0, 0);
    if (!read || !yaml_read(&reading->scratch, &source, &root, &err)) {
        errors_add(reading->errors, &err);
    } else if (!root) {
        reading_report(reading, node->place, "say at least table: NAME", "the file is empty");
    } else {
        Values values;
        values_read(reading, SCOPE_SOURCE, VALUES_FILLED, node->place.file, root, &values);
        read_source(reading, &values, node);
    }
    arena_clear(&reading->scratch);
}
