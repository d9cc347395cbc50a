#include "cli/starter.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/starter_key.h"
#include "ingest/header.h"

enum { TABLE_BYTES = 50, HEADER_SHOWN = 60 };

static const char schedule[] = "0 6 * * *";

/* Cuts a name at max bytes, between characters, without `_` at its end. */
static void cut(Text *name, size_t max)
{
    if (name->len > max) {
        while (max > 0 && ((unsigned char)name->data[max] & 0xC0) == 0x80)
            max--;
        name->len = max;
    }
    while (name->len > 0 && name->data[name->len - 1] == '_')
        name->len--;
    if (name->data)
        name->data[name->len] = '\0';
}

const char *starter_name(Arena *arena, const char *path, const char *fallback)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t len = strlen(base);
    if (len > 4 && strcasecmp(base + len - 4, ".csv") == 0)
        len -= 4;
    TEXT_AUTO(name);
    header_normalise(base, len, &name);
    cut(&name, TABLE_BYTES);
    if (name.len == 0)
        text_append(&name, fallback);
    /* PostgreSQL keeps names that begin with pg_ for itself. */
    return arena_printf(arena, "%s%s", str_starts(text_str(&name), "pg_") ? "my_" : "", text_str(&name));
}

/* Every keyword that cannot be a column's or table's name as it stands, or not everywhere: all of PostgreSQL 18's
 * (src/include/parser/kwlist.h) but the unreserved ones. Sorted. */
static const char *const keywords[] = {"all",
                                       "analyse",
                                       "analyze",
                                       "and",
                                       "any",
                                       "array",
                                       "as",
                                       "asc",
                                       "asymmetric",
                                       "authorization",
                                       "between",
                                       "bigint",
                                       "binary",
                                       "bit",
                                       "boolean",
                                       "both",
                                       "case",
                                       "cast",
                                       "char",
                                       "character",
                                       "check",
                                       "coalesce",
                                       "collate",
                                       "collation",
                                       "column",
                                       "concurrently",
                                       "constraint",
                                       "create",
                                       "cross",
                                       "current_catalog",
                                       "current_date",
                                       "current_role",
                                       "current_schema",
                                       "current_time",
                                       "current_timestamp",
                                       "current_user",
                                       "dec",
                                       "decimal",
                                       "default",
                                       "deferrable",
                                       "desc",
                                       "distinct",
                                       "do",
                                       "else",
                                       "end",
                                       "except",
                                       "exists",
                                       "extract",
                                       "false",
                                       "fetch",
                                       "float",
                                       "for",
                                       "foreign",
                                       "freeze",
                                       "from",
                                       "full",
                                       "grant",
                                       "greatest",
                                       "group",
                                       "grouping",
                                       "having",
                                       "ilike",
                                       "in",
                                       "initially",
                                       "inner",
                                       "inout",
                                       "int",
                                       "integer",
                                       "intersect",
                                       "interval",
                                       "into",
                                       "is",
                                       "isnull",
                                       "join",
                                       "json",
                                       "json_array",
                                       "json_arrayagg",
                                       "json_exists",
                                       "json_object",
                                       "json_objectagg",
                                       "json_query",
                                       "json_scalar",
                                       "json_serialize",
                                       "json_table",
                                       "json_value",
                                       "lateral",
                                       "leading",
                                       "least",
                                       "left",
                                       "like",
                                       "limit",
                                       "localtime",
                                       "localtimestamp",
                                       "merge_action",
                                       "national",
                                       "natural",
                                       "nchar",
                                       "none",
                                       "normalize",
                                       "not",
                                       "notnull",
                                       "null",
                                       "nullif",
                                       "numeric",
                                       "offset",
                                       "on",
                                       "only",
                                       "or",
                                       "order",
                                       "out",
                                       "outer",
                                       "overlaps",
                                       "overlay",
                                       "placing",
                                       "position",
                                       "precision",
                                       "primary",
                                       "real",
                                       "references",
                                       "returning",
                                       "right",
                                       "row",
                                       "select",
                                       "session_user",
                                       "setof",
                                       "similar",
                                       "smallint",
                                       "some",
                                       "substring",
                                       "symmetric",
                                       "system_user",
                                       "table",
                                       "tablesample",
                                       "then",
                                       "time",
                                       "timestamp",
                                       "to",
                                       "trailing",
                                       "treat",
                                       "trim",
                                       "true",
                                       "union",
                                       "unique",
                                       "user",
                                       "using",
                                       "values",
                                       "varchar",
                                       "variadic",
                                       "verbose",
                                       "when",
                                       "where",
                                       "window",
                                       "with",
                                       "xmlattributes",
                                       "xmlconcat",
                                       "xmlelement",
                                       "xmlexists",
                                       "xmlforest",
                                       "xmlnamespaces",
                                       "xmlparse",
                                       "xmlpi",
                                       "xmlroot",
                                       "xmlserialize",
                                       "xmltable"};

static int compare_word(const void *key, const void *item) { return strcmp(key, *(const char *const *)item); }

static bool is_plain(const char *name)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyz_";
    const char *all = "abcdefghijklmnopqrstuvwxyz_0123456789";
    return *name && strchr(letters, *name) && name[strspn(name, all)] == '\0';
}

void starter_sql_name(const char *name, Text *out)
{
    size_t count = sizeof keywords / sizeof *keywords;
    if (is_plain(name) && !bsearch(name, keywords, count, sizeof *keywords, compare_word)) {
        text_append(out, name);
        return;
    }
    text_append_quoted(out, name, '"');
}

/* What YAML takes for no character or for the end of a line, beyond ASCII. */
static bool is_yaml_control(const char *s, size_t len)
{
    static const char *const others[] = {"\u2028", "\u2029", "\uFEFF", "\uFFFE", "\uFFFF"};
    if (len == 2 && (unsigned char)s[0] == 0xC2)
        return (unsigned char)s[1] < 0xA0;
    for (size_t i = 0; len == 3 && i < sizeof others / sizeof *others; i++)
        if (memcmp(s, others[i], len) == 0)
            return true;
    return false;
}

/* A character within double quotes. */
static void append_quoted(const char *s, size_t len, Text *out)
{
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
        text_appendf(out, "\\%c", c);
    else if (c < 0x20 || c == 0x7F)
        text_appendf(out, "\\x%02X", c);
    else if (c == '$' && s[1] == '{')
        text_append(out, "$$");
    else if (!is_yaml_control(s, len))
        text_append_n(out, s, len);
    else if (len == 2)
        text_appendf(out, "\\x%02X", (unsigned char)s[1]);
    else
        text_appendf(out, "\\u%04X", (unsigned)((c & 0x0F) << 12 | (s[1] & 0x3F) << 6 | (s[2] & 0x3F)));
}

void starter_yaml_text(const char *text, Text *out)
{
    /* What a YAML reader could take for something else than text. */
    static const char *const special[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
    const char *safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./ ";
    bool plain = isalpha((unsigned char)*text) && text[strspn(text, safe)] == '\0' && text[strlen(text) - 1] != ' ';
    for (size_t i = 0; plain && i < sizeof special / sizeof *special; i++)
        plain = strcasecmp(text, special[i]) != 0;
    if (plain) {
        text_append(out, text);
        return;
    }
    text_append_char(out, '"');
    for (const char *p = text; *p;) {
        size_t len = utf8_len(p, strlen(p));
        append_quoted(p, len ? len : 1, out);
        p += len ? len : 1;
    }
    text_append_char(out, '"');
}

/* --- names of columns ------------------------------------------------------------------------------------------- */

/* Columns that every table has already. */
static bool is_system_column(const char *name)
{
    static const char *const names[] = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static bool taken(const Starter *starter, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(starter->columns[i].name, name))
            return true;
    return false;
}

/* Column number i's name, made of its header's normal form. */
static const char *column_name(const Starter *starter, size_t i, const char *normal)
{
    TEXT_AUTO(name);
    text_append(&name, normal);
    cut(&name, NAME_BYTES_MAX);
    if (name.len == 0)
        text_appendf(&name, "column_%zu", i + 1);
    if (is_system_column(text_str(&name)))
        text_append_char(&name, '_');
    const char *first = arena_strdup(starter->arena, text_str(&name));
    for (unsigned n = 2; taken(starter, i, text_str(&name)); n++) {
        char number[16];
        snprintf(number, sizeof number, "_%u", n);
        text_reset(&name);
        text_append(&name, first);
        cut(&name, NAME_BYTES_MAX - strlen(number));
        text_append(&name, number);
    }
    return arena_strdup(starter->arena, text_str(&name));
}

static const char *trimmed(Arena *arena, const char *s)
{
    const char *blanks = " \t\r\n\v\f";
    s += strspn(s, blanks);
    size_t len = strlen(s);
    while (len > 0 && strchr(blanks, s[len - 1]))
        len--;
    return arena_strndup(arena, s, len);
}

/* Of two headers that are the same; *err is set already, by the matching that cannot tell them apart. */
static void name_twins(const Starter *starter, const char *const *headers, const char *shown, Error *err)
{
    for (size_t i = 0; i < starter->column_count; i++) {
        const char *first = trimmed(starter->arena, headers[i]);
        for (size_t j = i + 1; j < starter->column_count; j++) {
            if (!str_eq(first, trimmed(starter->arena, headers[j])))
                continue;
            TEXT_AUTO(text);
            text_append_shown(&text, first, strlen(first), HEADER_SHOWN);
            error_at(err, ERROR_PROJECT, shown, 1, 0,
                     "the headers of fields %zu and %zu cannot be told apart: both are \"%s\"", i + 1, j + 1,
                     text_str(&text));
            return;
        }
    }
}

/* The load will match headers to columns by the same rules: what it could not, is said now. */
static bool names_match(const Starter *starter, const char *const *headers, const char *shown, Error *err)
{
    size_t n = starter->column_count;
    HeaderColumn *columns = arena_array(starter->arena, n, sizeof *columns);
    HeaderField *fields = arena_array(starter->arena, n, sizeof *fields);
    size_t *found = arena_array(starter->arena, n, sizeof *found);
    for (size_t i = 0; i < n; i++) {
        columns[i] = (HeaderColumn){starter->columns[i].name, starter->columns[i].header};
        fields[i] = (HeaderField){.text = headers[i], .len = strlen(headers[i])};
    }
    if (header_match(columns, n, fields, n, shown, 1, found, err))
        return true;
    err->code = ERROR_PROJECT;
    name_twins(starter, headers, shown, err);
    return error_hint(err, "give each column of the file a header of its own");
}

bool starter_names(Starter *starter, const char *const *headers, size_t count, const char *shown, Error *err)
{
    Arena *arena = starter->arena;
    starter->columns = arena_array(arena, count, sizeof(StarterColumn));
    starter->column_count = count;
    const char **normals = arena_array(arena, count, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        TEXT_AUTO(normal);
        header_normalise(headers[i], strlen(headers[i]), &normal);
        normals[i] = arena_strdup(arena, text_str(&normal));
        starter->columns[i].name = column_name(starter, i, normals[i]);
    }
    for (size_t i = 0; i < count; i++) {
        bool alone = str_eq(starter->columns[i].name, normals[i]);
        for (size_t j = 0; alone && j < count; j++)
            alone = j == i || !str_eq(normals[i], normals[j]);
        if (!alone)
            starter->columns[i].header = trimmed(arena, headers[i]);
    }
    return names_match(starter, headers, shown, err);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

void starter_project_file(const Starter *starter, Text *out)
{
    text_append(out, "name: ");
    starter_yaml_text(starter->project, out);
    text_append(out, "\n"
                     "timezone: UTC              # of schedules, of SQL sessions and of log times\n"
                     "target: local\n"
                     "targets:\n"
                     "  local: {}                # a private PostgreSQL under .sluice/, made and started on demand\n"
                     "  # prod:                  # sluice --target prod run\n"
                     "  #   url: ${DATABASE_URL}\n"
                     "  #   schema: public\n");
}

static void append_column(const StarterColumn *column, Text *out)
{
    if (column->remark)
        text_appendf(out, "  # %s\n", column->remark);
    text_append(out, "  ");
    starter_yaml_text(column->name, out);
    text_append(out, ": ");
    if (!column->format && !column->header) {
        text_appendf(out, "%s\n", column->type);
        return;
    }
    text_appendf(out, "{type: %s", column->type);
    if (column->format) {
        text_append(out, ", format: ");
        starter_yaml_text(column->format, out);
    }
    if (column->header) {
        text_append(out, ", header: ");
        starter_yaml_text(column->header, out);
    }
    text_append(out, "}\n");
}

/* The column that tells rows apart, or NULL. Sure only of a first column that is called like a key, or of one that is
 * called so outright. */
static const StarterColumn *find_key(const Starter *starter, bool *ret_sure)
{
    const StarterColumn *key = NULL;
    *ret_sure = false;
    for (size_t i = 0; i < starter->column_count && !*ret_sure; i++) {
        const StarterColumn *column = &starter->columns[i];
        if (!column->unique)
            continue;
        *ret_sure = starter_key_name(column->name) && (i == 0 || !strchr(column->name, '_'));
        if (*ret_sure || !key)
            key = column;
    }
    return key;
}

static void append_mode(const Starter *starter, Text *out)
{
    bool sure;
    const StarterColumn *key = find_key(starter, &sure);
    text_append(out, sure ? "mode: replace                # upsert keeps rows that a file no longer has, append all\n"
                          : "mode: replace                # upsert needs a unique_key:, append keeps what is there\n");
    if (!key)
        return;
    text_append(out, sure ? "unique_key: [" : "# unique_key: [");
    starter_yaml_text(key->name, out);
    text_append(out, sure ? "]\n" : "]   # every value occurs once\n");
}

static bool dates_rows(const StarterColumn *column)
{
    return str_eq(column->type, "date") || str_starts(column->type, "timestamp");
}

/* Which column dates a row is not ours to choose. */
static void append_time_column(const Starter *starter, Text *out)
{
    size_t count = 0;
    for (size_t i = 0; i < starter->column_count; i++)
        count += dates_rows(&starter->columns[i]);
    if (count == 0)
        return;
    text_append(out, count == 1 ? "time_column: " : "# time_column:   # dates a row: one of ");
    for (size_t i = 0, seen = 0; i < starter->column_count; i++) {
        if (!dates_rows(&starter->columns[i]))
            continue;
        text_append(out, seen++ ? ", " : "");
        starter_yaml_text(starter->columns[i].name, out);
    }
    text_append(out, "\n");
}

void starter_source_file(const Starter *starter, Text *out)
{
    text_append(out, "csv: ");
    starter_yaml_text(starter->csv, out);
    text_append(out, "\n");
    append_mode(starter, out);
    append_time_column(starter, out);
    text_appendf(out, "schedule: \"%s\"        # when `sluice run --due` loads it\n", schedule);
    text_append(out, "checks:\n  - row_count: {min: 1}      # raise it to what a delivery holds at least\ncolumns:\n");
    for (size_t i = 0; i < starter->column_count; i++)
        append_column(&starter->columns[i], out);
}

/* The first column that dates a row, or NULL. */
static const StarterColumn *date_column(const Starter *starter)
{
    for (size_t i = 0; i < starter->column_count; i++)
        if (dates_rows(&starter->columns[i]))
            return &starter->columns[i];
    return NULL;
}

const char *starter_model_name(const Starter *starter)
{
    return arena_printf(starter->arena, "%s_%s", starter->table, date_column(starter) ? "per_day" : "summary");
}

void starter_model_file(const Starter *starter, Text *out)
{
    const StarterColumn *date = date_column(starter);
    TEXT_AUTO(description);
    text_appendf(&description, date ? "Rows of %s per day" : "Rows of %s", starter->table);
    text_append(out, "-- ---\n-- description: ");
    starter_yaml_text(text_str(&description), out);
    text_appendf(out, "\n-- materialized: table\n-- schedule: \"%s\"\n", schedule);
    text_append(out, date ? "-- checks:\n--   - unique: [day]\n-- ---\nselect\n" : "-- ---\nselect\n");
    if (date) {
        text_append(out, "    ");
        starter_sql_name(date->name, out);
        text_append(out, str_eq(date->type, "date") ? " as day,\n" : "::date as day,\n");
    }
    text_append(out, "    count(*) as number_of_rows\nfrom ");
    starter_sql_name(starter->table, out);
    text_append(out, date ? "\ngroup by 1\norder by 1\n" : "\n");
}

void starter_test_file(const Starter *starter, Text *out)
{
    static const char *const times[] = {"2024-01-01 08:00", "2024-01-01 20:00", "2024-01-02 08:00"};
    const StarterColumn *date = date_column(starter);
    text_append(out, "# sluice test runs it; no table has to be there.\n");
    text_append(out, date ? "rows are counted by day:\n  model: " : "rows are counted:\n  model: ");
    starter_yaml_text(starter_model_name(starter), out);
    text_append(out, "\n  given:\n    ");
    starter_yaml_text(starter->table, out);
    text_append(out, date ? ":\n" : ": []\n");
    for (size_t i = 0; date && i < sizeof times / sizeof *times; i++) {
        text_append(out, "      - {");
        starter_yaml_text(date->name, out);
        text_appendf(out, ": %.*s}\n", str_eq(date->type, "date") ? 10 : 16, times[i]);
    }
    text_append(out, date ? "  expect:\n    - {day: 2024-01-01, number_of_rows: 2}\n"
                            "    - {day: 2024-01-02, number_of_rows: 1}\n"
                          : "  expect:\n    - {number_of_rows: 0}\n");
}
