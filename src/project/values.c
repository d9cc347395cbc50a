#include "project/values.h"

#include <string.h>

#include "base/text.h"
#include "csv/dialect.h"
#include "project/duration.h"

typedef struct Reader {
    Reading *reading;
    SettingScope scope;
    ValuesMode mode;
    const char *file;
    const Setting *setting;
} Reader;

Place value_place(const Value *value) { return place_of(value->file, value->node); }

bool value_is_default(const Value *value, const Node *node) { return value->file != node->place.file; }

Place value_place_in(const Value *value, int character)
{
    return value->as_written ? place_in(value->file, value->node, character) : value_place(value);
}

/* --- one text ---------------------------------------------------------------------------------------------------- */

static const char *fill_in(Reading *reading, const char *key, bool url, const char *file, const YamlNode *node)
{
    ERROR_AUTO(err);
    const char *text = NULL;
    if (environment_expand(&reading->environment, key, node->text, url, &text, &err))
        return text == node->text ? arena_strdup(&reading->project->arena, text) : text;
    reading_report(reading, place_in(file, node, err.column - 1), err.hint, "%s", err.message);
    return NULL;
}

const char *values_text(Reading *reading, const char *key, const char *file, const YamlNode *node)
{
    return fill_in(reading, key, false, file, node);
}

bool values_check_name(Reading *reading, const char *name, const char *what, Place place)
{
    size_t length = strlen(name);
    if (length == 0)
        reading_report(reading, place, NULL, "%s needs a name, and it is empty", what);
    else if (length > NAME_BYTES_MAX)
        reading_report(reading, place, "PostgreSQL cuts names at 63 bytes", "%s has a name of %zu bytes: '%s'", what,
                       length, name);
    else if (strpbrk(name, "\t\n\r\v\f\b\a\x1b"))
        reading_report(reading, place, NULL, "%s holds a control character", what);
    else
        return true;
    return false;
}

static void wrong_kind(const Reader *r, const YamlNode *node)
{
    const Setting *s = r->setting;
    reading_report(r->reading, place_of(r->file, node),
                   s->example ? arena_printf(&r->reading->project->arena, "such as %s: %s", s->key, s->example) : NULL,
                   "'%s' takes %s, and this is %s", s->key, setting_type_name(s->type), yaml_kind_name(node));
}

static bool read_choice(const Reader *r, Value *value)
{
    const SettingChoice *choices = r->setting->choices;
    TEXT_AUTO(all);
    Strings names = {0};
    for (int i = 0; choices[i].name; i++) {
        if (str_eq(choices[i].name, value->text)) {
            value->number = i;
            if (choices[i].status == SETTING_NOW)
                return true;
            reading_report(r->reading, value_place(value), NULL, "'%s: %s' is not supported yet", r->setting->key,
                           value->text);
            return false;
        }
        if (choices[i].status == SETTING_NOW)
            text_appendf(&all, "%s%s", all.len ? ", " : "", choices[i].name);
        strings_add(&r->reading->project->arena, &names, choices[i].name);
    }
    const char *hint = reading_nearest(r->reading, value->text, names);
    reading_report(r->reading, value_place(value), hint, "'%s' is '%s', and must be one of: %s", r->setting->key,
                   value->text, text_str(&all));
    return false;
}

static bool read_integer(const Reader *r, Value *value)
{
    const char *s = value->text;
    int64_t number = 0;
    bool fits = *s != '\0';
    for (; *s >= '0' && *s <= '9' && fits; s++)
        fits = !__builtin_mul_overflow(number, 10, &number) && !__builtin_add_overflow(number, *s - '0', &number);
    value->number = number;
    if (fits && !*s)
        return true;
    reading_report(r->reading, value_place(value), NULL, "'%s' takes a whole number from 0, not '%s'", r->setting->key,
                   value->text);
    return false;
}

/* At most all of it: a share over 100 % could never be met, or would never refuse. */
static bool read_amount(const Reader *r, Value *value)
{
    size_t length = strlen(value->text);
    int64_t number = 0;
    bool fits = length > 0;
    value->share = fits && value->text[length - 1] == '%';
    size_t digits = length - value->share;
    fits = digits > 0 && digits < 19;
    for (size_t i = 0; i < digits && fits; i++) {
        fits = value->text[i] >= '0' && value->text[i] <= '9';
        number = number * 10 + (value->text[i] - '0');
    }
    value->number = number;
    if (fits && (!value->share || number <= 100))
        return true;
    reading_report(r->reading, value_place(value), "a share, such as 50%, or a number of rows, such as 100",
                   fits ? "'%s' is at most 100%%, and this is %s" : "'%s' takes a share or a number, not '%s'",
                   r->setting->key, value->text);
    return false;
}

static bool read_boolean(const Reader *r, Value *value)
{
    value->number = str_eq(value->text, "true");
    if (value->number || str_eq(value->text, "false"))
        return true;
    reading_report(r->reading, value_place(value), NULL, "'%s' takes true or false, not '%s'", r->setting->key,
                   value->text);
    return false;
}

static bool read_schedule(const Reader *r, Value *value)
{
    ERROR_AUTO(err);
    if (cron_parse(value->text, &value->cron, &err))
        return true;
    reading_report(r->reading, value_place_in(value, err.column > 0 ? err.column - 1 : 0), err.hint, "%s", err.message);
    return false;
}

static bool read_other(const Reader *r, Value *value)
{
    ERROR_AUTO(err);
    char character = 0;
    bool good = r->setting->type == SETTING_DURATION ? duration_parse(value->text, &value->number, &err)
                                                     : csv_delimiter_of(value->text, &character, &err);
    if (character)
        value->number = (unsigned char)character;
    if (!good)
        reading_report(r->reading, value_place(value), err.hint, "%s", err.message);
    return good;
}

static const char *quoted_key(const Reader *r) { return arena_printf(&r->reading->scratch, "'%s'", r->setting->key); }

static bool read_text(const Reader *r, Value *value)
{
    const YamlNode *node = value->node;
    if (node->kind != YAML_TEXT || yaml_is_null(node)) {
        wrong_kind(r, node);
        return false;
    }
    bool url = r->scope == SCOPE_TARGET && str_eq(r->setting->key, "url");
    value->text = node->text;
    if (r->mode != VALUES_RAW)
        value->text = fill_in(r->reading, r->setting->key, url, r->file, node);
    if (!value->text)
        return false;
    value->as_written = str_eq(value->text, node->text);
    switch (r->setting->type) {
    case SETTING_NAME:
        return values_check_name(r->reading, value->text, quoted_key(r), value_place(value));
    case SETTING_CHOICE:
        return read_choice(r, value);
    case SETTING_INTEGER:
        return read_integer(r, value);
    case SETTING_AMOUNT:
        return read_amount(r, value);
    case SETTING_BOOLEAN:
        return read_boolean(r, value);
    case SETTING_SCHEDULE:
        return read_schedule(r, value);
    case SETTING_ZONE:
        value->zone = reading_zone(r->reading, value->text, value_place(value));
        return value->zone != NULL;
    case SETTING_DURATION:
    case SETTING_CHARACTER:
        return read_other(r, value);
    default:
        return true;
    }
}

/* --- lists and mappings ------------------------------------------------------------------------------------------ */

static bool add_item(const Reader *r, Value *value, const YamlNode *node)
{
    Reading *reading = r->reading;
    if (node->kind != YAML_TEXT || yaml_is_null(node)) {
        reading_report(reading, place_of(r->file, node),
                       yaml_is_null(node) ? "quote it if the text itself is meant" : NULL,
                       "'%s' takes %s, and this item is %s", r->setting->key, setting_type_name(r->setting->type),
                       yaml_kind_name(node));
        return false;
    }
    const char *text = fill_in(reading, r->setting->key, false, r->file, node);
    Place place = place_of(r->file, node);
    if (!text)
        return false;
    if (r->setting->type == SETTING_NAMES && !values_check_name(reading, text, quoted_key(r), place))
        return false;
    if (r->setting->type == SETTING_NAMES && strings_have(&value->list, text)) {
        reading_report(reading, place, NULL, "'%s' names '%s' twice", r->setting->key, text);
        return false;
    }
    value->places[value->list.count] = place;
    strings_add(&reading->project->arena, &value->list, text);
    return true;
}

/* One text stands for a list of one. */
static bool read_texts(const Reader *r, Value *value)
{
    const YamlNode *node = value->node;
    if (node->kind == YAML_MAP) {
        wrong_kind(r, node);
        return false;
    }
    value->places = arena_array(&r->reading->project->arena, node->count + 1, sizeof *value->places);
    if (yaml_is_null(node))
        return true;
    if (node->kind == YAML_TEXT)
        return add_item(r, value, node);
    bool good = true;
    for (const YamlNode *item = node->child; item; item = item->next)
        good = add_item(r, value, item) && good;
    return good;
}

bool values_names(Reading *reading, SettingId like, Value *value)
{
    Setting setting = *setting_get(like);
    setting.type = SETTING_NAMES;
    Reader r = {reading, setting_get(like)->scope, VALUES_FILLED, value->file, &setting};
    value->list = (Strings){0};
    return read_texts(&r, value);
}

static bool is_empty(const YamlNode *node) { return yaml_is_null(node) || (node->kind != YAML_TEXT && !node->child); }

static bool read_value(const Reader *r, Value *value)
{
    const Setting *s = r->setting;
    if (s->status == SETTING_LATER || (s->status == SETTING_LATER_FILLED && !is_empty(value->node))) {
        reading_report(r->reading, value->key_place, NULL, "'%s' is not supported yet", s->key);
        return false;
    }
    switch (s->type) {
    case SETTING_TEXTS:
    case SETTING_NAMES:
        return read_texts(r, value);
    case SETTING_WORD_MAP:
        return value->node->kind == YAML_MAP || read_text(r, value);
    case SETTING_MAP:
    case SETTING_LIST:
        if (value->node->kind == (s->type == SETTING_MAP ? YAML_MAP : YAML_LIST) || yaml_is_null(value->node))
            return true;
        wrong_kind(r, value->node);
        return false;
    default:
        return read_text(r, value);
    }
}

/* --- keys -------------------------------------------------------------------------------------------------------- */

/* Where else a key belongs, for one that stands in the wrong kind of place. */
static const char *belongs(const Reader *r, const char *key)
{
    for (SettingScope scope = 0; scope < SCOPE_COUNT; scope++) {
        SettingId id;
        if (scope != r->scope && setting_find(scope, key, &id))
            return arena_printf(&r->reading->project->arena, "'%s' belongs in %s", key, setting_scope_name(scope));
    }
    return NULL;
}

static void unknown_key(const Reader *r, const YamlNode *key)
{
    Arena *arena = &r->reading->project->arena;
    size_t count;
    const Setting *table = setting_table(&count);
    Strings names = {0};
    TEXT_AUTO(all);
    for (size_t i = 0; i < count; i++)
        if (table[i].scope == r->scope && (r->mode != VALUES_FOLDER || table[i].folder)) {
            strings_add(arena, &names, table[i].key);
            if (table[i].status != SETTING_LATER)
                text_appendf(&all, "%s%s", all.len ? ", " : "", table[i].key);
        }
    const char *hint = reading_nearest(r->reading, key->text, names);
    if (!hint)
        hint = belongs(r, key->text);
    if (!hint)
        hint = arena_printf(arena, "known here: %s", text_str(&all));
    reading_report(r->reading, place_of(r->file, key), hint, "unknown key '%s' in %s", key->text,
                   r->mode == VALUES_FOLDER ? "defaults" : setting_scope_name(r->scope));
}

/* The keys of a scope stand together, and all of them at once are tens of kilobytes. */
static void clear_scope(SettingScope scope, Values *values)
{
    size_t count, begin = 0;
    const Setting *table = setting_table(&count);
    while (begin < count && table[begin].scope != scope)
        begin++;
    size_t end = begin;
    while (end < count && table[end].scope == scope)
        end++;
    memset(&values->items[begin], 0, (end - begin) * sizeof *values->items);
}

void values_read(Reading *reading, SettingScope scope, ValuesMode mode, const char *file, const YamlNode *map,
                 Values *ret)
{
    clear_scope(scope, ret);
    if (!map || yaml_is_null(map))
        return;
    if (map->kind != YAML_MAP) {
        reading_report(reading, place_of(file, map), "write key: value lines",
                       "%s is a mapping of keys, and this is %s", setting_scope_name(scope), yaml_kind_name(map));
        return;
    }
    Reader r = {reading, scope, mode, file, NULL};
    for (const YamlNode *child = map->child; child; child = child->next) {
        SettingId id;
        r.setting = setting_find(scope, child->key->text, &id);
        if (!r.setting) {
            unknown_key(&r, child->key);
            continue;
        }
        if (mode == VALUES_FOLDER && !r.setting->folder) {
            reading_report(reading, place_of(file, child->key), "say it in the model itself",
                           "'%s' cannot be a default", child->key->text);
            continue;
        }
        Value *value = &ret->items[id];
        *value =
            (Value){.node = child, .said = true, .file = file, .setting = id, .key_place = place_of(file, child->key)};
        if (!read_value(&r, value))
            *value = (Value){.said = true};
    }
}
