#include "project/vars.h"

#include <string.h>

#include "base/text.h"
#include "sql/parse.h"
#include "sql/place.h"

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_character(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (is_name_character(s[n]))
        n++;
    return n;
}

static bool check_name(Reading *reading, const char *name, Place place)
{
    if (is_letter(name[0]) && name[name_length(name)] == '\0')
        return true;
    reading_report(reading, place, "letters, digits and underscores, and no digit first", "'%s' cannot be a var's name",
                   name);
    return false;
}

static void read_var(Reading *reading, const char *file, const YamlNode *node)
{
    Place place = place_of(file, node);
    if (!check_name(reading, node->key->text, place_of(file, node->key)))
        return;
    const char *name = arena_strdup(&reading->project->arena, node->key->text);
    if (node->kind != YAML_TEXT || yaml_is_null(node)) {
        reading_report(reading, place,
                       yaml_is_null(node) ? "quote it if the text itself is meant; \"\" is empty" : NULL,
                       "the var '%s' takes text, and this is %s", name, yaml_kind_name(node));
        return;
    }
    const char *value = values_text(reading, name, file, node);
    if (value && strlen(value) > VAR_BYTES_MAX)
        reading_report(reading, place, NULL, "the value of '%s' has %zu bytes, and the most are %d", name,
                       strlen(value), VAR_BYTES_MAX);
    else if (value && !index_get(&reading->vars, name)) /* the target's come first */
        index_put(&reading->vars, name, arena_strdup(&reading->project->arena, value));
    if (!strings_have(&reading->var_names, name))
        strings_add(&reading->project->arena, &reading->var_names, name);
}

static void read_map(Reading *reading, const Value *vars)
{
    if (!vars || !vars->node)
        return;
    if (vars->node->count > VARS_MAX) {
        reading_report(reading, vars->key_place, NULL, "more than %d vars", VARS_MAX);
        return;
    }
    for (const YamlNode *child = vars->node->child; child; child = child->next)
        read_var(reading, vars->file, child);
}

void vars_read(Reading *reading, const Value *project, const Value *target)
{
    reading->vars = (Index){.arena = &reading->project->arena};
    read_map(reading, target);
    read_map(reading, project);
}

/* --- what is no place for a var -------------------------------------------------------------------------------------
 * Each takes the offset of where something begins and gives the offset after it, or the end of the text. */

static size_t past_quoted(const char *s, size_t i, bool backslashes)
{
    char quote = s[i++];
    for (; s[i] && s[i] != quote; i++)
        if (backslashes && s[i] == '\\' && s[i + 1])
            i++;
    return s[i] ? i + 1 : i;
}

/* E'...', which goes on in a further quoted text on another line. */
static size_t past_escaped(const char *s, size_t i)
{
    for (;;) {
        i = past_quoted(s, i, true);
        size_t blanks = strspn(s + i, " \t\r\n\f\v");
        bool goes_on = s[i] == '\'' || (s[i + blanks] == '\'' && memchr(s + i, '\n', blanks));
        if (!goes_on)
            return i;
        i += blanks;
    }
}

static size_t past_word(const char *s, size_t i)
{
    size_t begin = i;
    while (is_name_character(s[i]) || s[i] == '$')
        i++;
    bool escape = i == begin + 1 && (s[begin] == 'e' || s[begin] == 'E') && s[i] == '\'';
    return escape ? past_escaped(s, i) : i;
}

static size_t past_dollar(const char *s, size_t i)
{
    size_t tag = is_letter(s[i + 1]) ? name_length(s + i + 1) : 0;
    if (s[i + 1 + tag] != '$')
        return i + 1;
    size_t length = tag + 2;
    for (size_t k = i + length; s[k]; k++)
        if (s[k] == '$' && strncmp(s + k, s + i, length) == 0)
            return k + length;
    return i + strlen(s + i);
}

static size_t past_comment(const char *s, size_t i)
{
    if (s[i] == '-')
        return i + strcspn(s + i, "\n");
    size_t depth = 0;
    do {
        bool opens = s[i] == '/' && s[i + 1] == '*', closes = s[i] == '*' && s[i + 1] == '/';
        depth = depth + opens - closes;
        i += opens || closes ? 2 : 1;
    } while (s[i] && depth > 0);
    return i;
}

static bool begins_comment(const char *s) { return (s[0] == '-' && s[1] == '-') || (s[0] == '/' && s[1] == '*'); }

/* Past what begins at i and is no var. */
static size_t past_other(const char *s, size_t i)
{
    if (begins_comment(s + i))
        return past_comment(s, i);
    if (s[i] == '\'' || s[i] == '"')
        return past_quoted(s, i, false);
    if (s[i] == '$')
        return past_dollar(s, i);
    if (is_name_character(s[i]))
        return past_word(s, i);
    return s[i] == ':' && (s[i + 1] == ':' || s[i + 1] == '=') ? i + 2 : i + 1;
}

/* --- filling in -------------------------------------------------------------------------------------------------- */

typedef enum UseKind { USE_BARE, USE_LITERAL, USE_IDENTIFIER, USE_TEST } UseKind;

typedef struct Use {
    UseKind kind;
    const char *name;
    size_t name_length;
    size_t length; /* of all of it */
} Use;

/* The use of a var that s begins with, which is at a ':'. */
static bool find_use(const char *s, Use *ret)
{
    static const struct {
        const char *open, *close;
        UseKind kind;
    } forms[] = {{":'", "'", USE_LITERAL}, {":\"", "\"", USE_IDENTIFIER}, {":{?", "}", USE_TEST}, {":", "", USE_BARE}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t open = strlen(forms[i].open);
        if (!str_starts(s, forms[i].open))
            continue;
        size_t n = name_length(s + open);
        *ret = (Use){forms[i].kind, s + open, n, open + n + strlen(forms[i].close)};
        return n > 0 && str_starts(s + open + n, forms[i].close);
    }
    return false;
}

static bool append_identifier(const char *name, const char *value, Text *out, Error *err)
{
    size_t length = strlen(value);
    if (length == 0 || length > NAME_BYTES_MAX) {
        error_set(err, ERROR_PROJECT, "the var '%s' cannot be an identifier: it has %zu bytes", name, length);
        return error_hint(err, "PostgreSQL's names have 1 to %d bytes", NAME_BYTES_MAX);
    }
    text_append_quoted(out, value, '"');
    return true;
}

/* The blank before E keeps it from a word that it follows at once. */
static void append_literal(const char *value, Text *out)
{
    if (!strchr(value, '\\')) {
        text_append_quoted(out, value, '\'');
        return;
    }
    text_append(out, " E'");
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            text_append_char(out, *value);
        text_append_char(out, *value);
    }
    text_append_char(out, '\'');
}

static const char *hint_for(Reading *reading, const char *name)
{
    const char *near = reading_nearest(reading, name, reading->var_names);
    return near ? near : arena_printf(&reading->project->arena, "say it in sluice.yaml: vars: {%s: VALUE}", name);
}

static bool append_value(Reading *reading, const Use *use, Text *out, Error *err)
{
    const char *name = arena_strndup(&reading->scratch, use->name, use->name_length);
    const char *value = index_get(&reading->vars, name);
    if (use->kind == USE_TEST) {
        text_append(out, value ? "TRUE" : "FALSE");
        return true;
    }
    if (!value) {
        error_set(err, ERROR_PROJECT, "there is no var '%s'", name);
        return error_hint(err, "%s", hint_for(reading, name));
    }
    if (use->kind == USE_IDENTIFIER)
        return append_identifier(name, value, out, err);
    if (use->kind == USE_LITERAL)
        append_literal(value, out);
    else
        text_append(out, value);
    return true;
}

/* Whether what s begins with is to be filled in: a bare name that is no var is left alone. */
static bool is_filled(const Reading *reading, const char *s, Use *ret)
{
    char name[256];
    if (*s != ':' || !find_use(s, ret))
        return false;
    if (ret->kind != USE_BARE)
        return true;
    if (ret->name_length >= sizeof name)
        return false;
    memcpy(name, ret->name, ret->name_length);
    name[ret->name_length] = '\0';
    return index_get(&reading->vars, name) != NULL;
}

typedef struct Fillings {
    Filling *items;
    size_t count, capacity;
} Fillings;

static void add_filling(Arena *arena, Fillings *fillings, Filling filling)
{
    if (fillings->count == fillings->capacity) {
        Filling *old = fillings->items;
        fillings->capacity = fillings->capacity ? fillings->capacity * 2 : 8;
        fillings->items = arena_array(arena, fillings->capacity, sizeof *old);
        if (fillings->count)
            memcpy(fillings->items, old, fillings->count * sizeof *old);
    }
    fillings->items[fillings->count++] = filling;
}

static bool fill(Reading *reading, const char *text, Fillings *fillings, Text *out, Error *err)
{
    for (size_t i = 0; text[i];) {
        Use use;
        if (!is_filled(reading, text + i, &use)) {
            size_t end = past_other(text, i);
            text_append_n(out, text + i, end - i);
            i = end;
            continue;
        }
        size_t at = out->len;
        int line, column;
        if (append_value(reading, &use, out, err) && out->len > SQL_TEXT_MAX)
            error_set(err, ERROR_PROJECT, "with its vars filled in the SQL is longer than %d bytes", SQL_TEXT_MAX);
        if (err->code) {
            sql_offset_to_line(text, i, &line, &column);
            return error_place(err, NULL, line, column);
        }
        add_filling(&reading->project->arena, fillings, (Filling){i, use.length, at, out->len - at});
        i += use.length;
    }
    return true;
}

bool vars_fill(Reading *reading, const char *text, const char **ret_text, const Written **ret_written, Error *err)
{
    Arena *arena = &reading->project->arena;
    Fillings fillings = {0};
    *ret_text = text;
    *ret_written = NULL;
    if (!strchr(text, ':'))
        return true;
    TEXT_AUTO(out);
    if (!fill(reading, text, &fillings, &out, err))
        return false;
    if (fillings.count == 0)
        return true;
    Written *written = arena_alloc(arena, sizeof *written);
    *written =
        (Written){arena_strdup(arena, text), arena_strdup(arena, text_str(&out)), fillings.items, fillings.count};
    *ret_text = written->sql;
    *ret_written = written;
    return true;
}

/* --- the way back ------------------------------------------------------------------------------------------------ */

/* Within a value that was filled in: where its name stands. */
static size_t written_offset(const Written *written, size_t offset)
{
    size_t shift_from = 0, shift_to = 0;
    for (size_t i = 0; i < written->count && written->fillings[i].at <= offset; i++) {
        const Filling *filling = &written->fillings[i];
        if (offset < filling->at + filling->length)
            return filling->written;
        shift_from = filling->at + filling->length;
        shift_to = filling->written + filling->written_length;
    }
    return offset - shift_from + shift_to;
}

static size_t offset_of(const char *text, int line, int column)
{
    const char *s = text;
    for (int i = 1; i < line && *s; i++) {
        s += strcspn(s, "\n");
        s += *s == '\n';
    }
    for (int i = 1; i < column && *s && *s != '\n'; i++) {
        size_t n = utf8_len(s, strnlen(s, 4));
        s += n ? n : 1;
    }
    return (size_t)(s - text);
}

void written_place(const Written *written, int lines_before, int *line, int *column)
{
    if (!written || *line <= lines_before)
        return;
    size_t offset = written_offset(written, offset_of(written->sql, *line - lines_before, *column));
    sql_offset_to_line(written->text, offset, line, column);
    *line += lines_before;
}

void node_place(const Node *node, int *line, int *column)
{
    written_place(node->written, node->sql_line - 1, line, column);
}

int written_character(const Written *written, int character)
{
    if (!written)
        return character;
    size_t at = written_offset(written, sql_position_to_offset(written->sql, character + 1));
    int count = 0;
    for (size_t i = 0; i < at && written->text[i]; i++)
        count += ((unsigned char)written->text[i] & 0xC0) != 0x80;
    return count;
}

const char *vars_hint(Reading *reading, const char *text, int line, int column)
{
    Use use;
    const char *at = text + offset_of(text, line, column);
    if (*at != ':' || !find_use(at, &use) || !is_letter(*use.name))
        return NULL;
    const char *name = arena_strndup(&reading->scratch, use.name, use.name_length);
    const char *hint = hint_for(reading, name);
    return str_starts(hint, "did you") ? hint
                                       : arena_printf(&reading->project->arena, "there is no var '%s'; %s", name, hint);
}
