#include "project/yaml.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "base/log.h"
#include "base/text.h"
#include "project/index.h"
#include "project/yaml_explain.h"

typedef struct Level {
    YamlNode *node; /* a mapping or a list */
    YamlNode *last; /* its last child */
    YamlNode *key;  /* a mapping's key that waits for its value */
    Index seen;     /* a mapping's keys */
} Level;

typedef struct Builder {
    Arena *arena;
    const YamlSource *source;
    Error *err;
    YamlNode *root;
    Level levels[YAML_DEPTH_MAX];
    int depth;
    size_t nodes;
    int documents;
} Builder;

static bool fail_at(Builder *b, yaml_mark_t mark, const char *message, const char *hint)
{
    const YamlSource *s = b->source;
    error_at(b->err, ERROR_PROJECT, s->file, (int)mark.line + 1 + s->lines_before,
             (int)mark.column + 1 + s->columns_before, "%s", message);
    return hint ? error_hint(b->err, "%s", hint) : false;
}

static YamlNode *new_node(Builder *b, YamlKind kind, const yaml_event_t *event)
{
    YamlNode *node = arena_alloc(b->arena, sizeof *node);
    node->kind = kind;
    node->line = (int)event->start_mark.line + 1 + b->source->lines_before;
    node->column = (int)event->start_mark.column + 1 + b->source->columns_before;
    return node;
}

static bool take_key(Builder *b, Level *level, YamlNode *node, const yaml_event_t *event)
{
    if (node->kind != YAML_TEXT)
        return fail_at(b, event->start_mark, "a key must be plain text", "quote it if it begins with [ or {");
    if (str_eq(node->text, "<<") && node->style == YAML_PLAIN)
        return fail_at(b, event->start_mark, "merge keys (<<) are not supported", "write the keys out");
    const YamlNode *first = index_put(&level->seen, node->text, node);
    if (first) {
        TEXT_AUTO(shown);
        text_append_shown(&shown, node->text, strlen(node->text), 64);
        char *message =
            arena_printf(b->arena, "key '%s' is given twice, first on line %d", text_str(&shown), first->line);
        return fail_at(b, event->start_mark, message, "remove one of the two");
    }
    level->key = node;
    return true;
}

static bool attach(Builder *b, YamlNode *node, const yaml_event_t *event)
{
    if (++b->nodes > YAML_NODES_MAX)
        return fail_at(b, event->start_mark, "more than 100000 values in one file", NULL);
    if (b->depth == 0) {
        b->root = node;
        return true;
    }
    Level *level = &b->levels[b->depth - 1];
    if (level->node->kind == YAML_MAP && !level->key)
        return take_key(b, level, node, event);
    node->key = level->key;
    level->key = NULL;
    if (level->last)
        level->last->next = node;
    else
        level->node->child = node;
    level->last = node;
    level->node->count++;
    return true;
}

static bool open_level(Builder *b, YamlKind kind, const yaml_event_t *event)
{
    YamlNode *node = new_node(b, kind, event);
    if (b->depth == YAML_DEPTH_MAX)
        return fail_at(b, event->start_mark, "nested deeper than 32 levels", NULL);
    if (!attach(b, node, event))
        return false;
    b->levels[b->depth++] = (Level){.node = node, .seen = {.arena = b->arena}};
    return true;
}

static size_t count_characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static bool add_text(Builder *b, const yaml_event_t *event)
{
    YamlNode *node = new_node(b, YAML_TEXT, event);
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(value, '\0', length))
        return fail_at(b, event->start_mark, "the text holds a zero byte (\\0)", NULL);
    node->text = arena_strndup(b->arena, value, length);
    if (strstr(value, "://")) /* in its right place or not: what is said of a value shows it */
        log_secret_url(value);
    switch (event->data.scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        node->style = YAML_QUOTED;
        break;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        node->style = YAML_BLOCK;
        break;
    default:
        node->style = YAML_PLAIN;
        break;
    }
    size_t marks = node->style == YAML_QUOTED ? 2 : 0;
    node->verbatim = node->style != YAML_BLOCK && event->start_mark.line == event->end_mark.line &&
                     event->end_mark.column - event->start_mark.column == count_characters(node->text) + marks;
    return attach(b, node, event);
}

static bool start_document(Builder *b, const yaml_event_t *event)
{
    if (++b->documents > 1)
        return fail_at(b, event->start_mark, "a second YAML document begins here",
                       "one file holds one document: remove the ---");
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
        return fail_at(b, event->start_mark, "YAML directives are not supported", "remove the line that begins with %");
    return true;
}

/* What an event says besides its value: an anchor or a tag. */
static bool check_properties(Builder *b, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return yaml_explain_alias(b->source, event->start_mark.line, event->start_mark.column, b->err);
    if (tag)
        return fail_at(b, event->start_mark, "tags (!) are not supported", "quote the value if it begins with !");
    return true;
}

static bool take_event(Builder *b, const yaml_event_t *event)
{
    if (!check_properties(b, event))
        return false;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return start_document(b, event);
    case YAML_ALIAS_EVENT:
        return yaml_explain_alias(b->source, event->start_mark.line, event->start_mark.column, b->err);
    case YAML_SCALAR_EVENT:
        return add_text(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(b, YAML_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return open_level(b, YAML_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        assert(b->depth > 0); /* the parser's events are balanced */
        b->depth--;
        return true;
    default:
        return true;
    }
}

static bool build(Builder *b, yaml_parser_t *parser)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            YamlComplaint complaint = {
                .problem = parser->problem ? parser->problem : "cannot be read",
                .line = parser->problem_mark.line,
                .column = parser->problem_mark.column,
                .context = parser->context,
                .context_line = parser->context_mark.line,
                .context_column = parser->context_mark.column,
            };
            return yaml_explain(b->source, &complaint, b->err);
        }
        done = event.type == YAML_STREAM_END_EVENT;
        bool taken = take_event(b, &event);
        yaml_event_delete(&event);
        if (!taken)
            return false;
    }
    return true;
}

/* Bytes that libyaml would describe by offset only, or not mind. */
static bool check_bytes(const YamlSource *source, Error *err)
{
    int line = 1, column = 1;
    for (size_t i = 0; i < source->length;) {
        unsigned char c = (unsigned char)source->text[i];
        size_t n = utf8_len(source->text + i, source->length - i);
        bool control = (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F;
        if (n == 0 || control) {
            error_at(err, ERROR_PROJECT, source->file, line + source->lines_before, column + source->columns_before,
                     n == 0 ? "byte 0x%02x is not valid UTF-8" : "control character 0x%02x", c);
            return error_hint(err, n == 0 ? "save the file as UTF-8" : "remove it");
        }
        column++;
        if (c == '\n') {
            line++;
            column = 1;
        }
        i += n;
    }
    return true;
}

bool yaml_read(Arena *arena, const YamlSource *source, YamlNode **ret, Error *err)
{
    static const char bom[] = "\xEF\xBB\xBF";
    YamlSource s = *source;
    *ret = NULL;
    if (s.length > YAML_BYTES_MAX)
        return error_at(err, ERROR_PROJECT, s.file, 0, 0, "the file is larger than %d bytes", YAML_BYTES_MAX);
    if (s.length >= 3 && memcmp(s.text, bom, 3) == 0) {
        s.text += 3;
        s.length -= 3;
    }
    if (!check_bytes(&s, err))
        return false;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, ERROR_PROJECT, "out of memory");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)s.text, s.length);
    Builder b = {.arena = arena, .source = &s, .err = err};
    bool built = build(&b, &parser);
    yaml_parser_delete(&parser);
    if (built && b.root && !yaml_is_null(b.root))
        *ret = b.root;
    return built;
}

bool yaml_is_null(const YamlNode *node)
{
    return node->kind == YAML_TEXT && node->style == YAML_PLAIN &&
           (str_eq(node->text, "") || str_eq(node->text, "~") || str_eq(node->text, "null"));
}

const char *yaml_kind_name(const YamlNode *node)
{
    if (yaml_is_null(node))
        return "nothing";
    return node->kind == YAML_TEXT ? "text" : node->kind == YAML_LIST ? "a list" : "a mapping";
}

void yaml_place_in(const YamlNode *node, int character, int *ret_line, int *ret_column)
{
    *ret_line = node->line;
    *ret_column = node->column;
    if (node->verbatim)
        *ret_column += character + (node->style == YAML_QUOTED ? 1 : 0);
}
