#include "project/yaml_explain.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"

enum { SHOWN_MAX = 120 }; /* bytes of a value shown in a hint */

typedef struct Line {
    const char *text;
    size_t length;
} Line;

static Line line_of(const YamlSource *source, size_t number)
{
    const char *p = source->text, *end = p + source->length;
    for (; number > 0 && p < end; number--) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline ? newline + 1 : end;
    }
    const char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    size_t length = (size_t)((newline ? newline : end) - p);
    if (length > 0 && p[length - 1] == '\r')
        length--;
    return (Line){p, length};
}

/* The byte at a column that counts characters from 0; at most the length. */
static size_t byte_of(Line line, size_t column)
{
    size_t i = 0;
    for (; column > 0 && i < line.length; column--) {
        size_t n = utf8_len(line.text + i, line.length - i);
        i += n ? n : 1;
    }
    return i;
}

static int column_of(Line line, size_t byte)
{
    int column = 0;
    for (size_t i = 0; i < byte && i < line.length; column++) {
        size_t n = utf8_len(line.text + i, line.length - i);
        i += n ? n : 1;
    }
    return column;
}

/* The end of a value that begins at a byte: of the line, without comment and blanks, nor the closing brackets of a
 * flow collection it stands in. */
static size_t value_end(Line line, size_t start, int brackets)
{
    size_t end = line.length;
    for (size_t i = start; i + 1 < line.length; i++)
        if (line.text[i] == ' ' && line.text[i + 1] == '#') {
            end = i;
            break;
        }
    for (;;) {
        while (end > start && (line.text[end - 1] == ' ' || line.text[end - 1] == '\t'))
            end--;
        if (brackets == 0 || end == start || !strchr("]}", line.text[end - 1]))
            return end;
        end--;
        brackets--;
    }
}

/* The value in quotes that YAML takes it with: double ones, unless it holds some. A url loses its password here: with
 * its quotes doubled, or cut short, it might not be known for a secret afterwards. */
static void append_quoted(Text *out, const char *value, size_t length)
{
    TEXT_AUTO(whole);
    text_append_n(&whole, value, length);
    log_secret_url(text_str(&whole));
    char *s CLEANUP(mem_free_p) = log_redacted(text_str(&whole));
    size_t n = strlen(s);
    if (!memchr(s, '"', n) && !memchr(s, '\\', n)) {
        text_append_char(out, '"');
        text_append_shown(out, s, n, SHOWN_MAX);
        text_append_char(out, '"');
        return;
    }
    TEXT_AUTO(doubled);
    for (size_t i = 0; i < n; i++) {
        text_append_n(&doubled, s + i, 1);
        if (s[i] == '\'')
            text_append_char(&doubled, '\'');
    }
    text_append_char(out, '\'');
    text_append_shown(out, text_str(&doubled), doubled.len, SHOWN_MAX);
    text_append_char(out, '\'');
}

static bool set_place(const YamlSource *source, size_t line, size_t column, Error *err)
{
    return error_place(err, source->file, (int)line + 1 + source->lines_before,
                       (int)column + 1 + source->columns_before);
}

static size_t skip_quoted(Line line, size_t i)
{
    char quote = line.text[i];
    for (i++; i < line.length; i++) {
        if (quote == '"' && line.text[i] == '\\') {
            i++;
        } else if (line.text[i] == quote) {
            if (quote == '"' || i + 1 >= line.length || line.text[i + 1] != '\'')
                return i + 1;
            i++;
        }
    }
    return line.length;
}

typedef struct QuotedRest {
    size_t start; /* of the quote */
    size_t rest;  /* what follows the closing quote */
    int brackets; /* open around it */
} QuotedRest;

/* A value that begins with a quote and goes on after the closing one: `"a" >= 0`. */
static bool find_quoted_rest(Line line, QuotedRest *ret)
{
    bool at_value = true;
    int brackets = 0;
    for (size_t i = 0; i < line.length; i++) {
        char c = line.text[i];
        if (c == ' ' || c == '\t')
            continue;
        if (at_value && (c == '"' || c == '\'')) {
            size_t rest = skip_quoted(line, i);
            while (rest < line.length && line.text[rest] == ' ')
                rest++;
            if (rest < line.length && !strchr(":#,]}", line.text[rest])) {
                *ret = (QuotedRest){i, rest, brackets};
                return true;
            }
            i = rest - 1;
            at_value = false;
            continue;
        }
        brackets += (at_value && (c == '[' || c == '{')) ? 1 : 0;
        bool blank_next = i + 1 >= line.length || line.text[i + 1] == ' ';
        at_value = strchr("[{,", c) || ((c == ':' || (c == '-' && at_value)) && blank_next);
    }
    return false;
}

static bool explain_quoted_rest(const YamlSource *source, size_t number, Error *err)
{
    Line line = line_of(source, number);
    QuotedRest found;
    if (!find_quoted_rest(line, &found))
        return false;
    size_t end = value_end(line, found.start, found.brackets);
    if (end <= found.rest)
        return false;
    TEXT_AUTO(quoted);
    append_quoted(&quoted, line.text + found.start, end - found.start);
    error_set(err, ERROR_PROJECT, "a quoted value ends at its closing quote, and more text follows");
    set_place(source, number, (size_t)column_of(line, found.rest), err);
    error_hint(err, "quote the whole value: %s", text_str(&quoted));
    return true;
}

static void hint_quote(const YamlSource *source, size_t number, size_t column, Error *err)
{
    Line line = line_of(source, number);
    size_t start = byte_of(line, column);
    int brackets = 0;
    for (size_t i = 0; i < start; i++)
        brackets += strchr("[{", line.text[i]) ? 1 : 0;
    size_t end = value_end(line, start, brackets);
    TEXT_AUTO(quoted);
    append_quoted(&quoted, line.text + start, end - start);
    error_hint(err, "quote it: %s", text_str(&quoted));
}

bool yaml_explain_alias(const YamlSource *source, size_t line, size_t column, Error *err)
{
    Line at = line_of(source, line);
    size_t byte = byte_of(at, column);
    bool anchor = byte < at.length && at.text[byte] == '&';
    error_set(err, ERROR_PROJECT,
              anchor ? "'&' begins a YAML anchor, which is not supported"
                     : "'*' begins a YAML alias, which is not supported");
    set_place(source, line, column, err);
    hint_quote(source, line, column, err);
    return false;
}

/* `a: b: c`, or a key that is indented deeper than its neighbours. */
static bool explain_colon(const YamlSource *source, const YamlComplaint *c, Error *err)
{
    Line line = line_of(source, c->line);
    size_t colon = byte_of(line, c->column), first = 0;
    while (first + 1 < colon && !(line.text[first] == ':' && line.text[first + 1] == ' '))
        first++;
    if (first + 1 >= colon) {
        error_set(err, ERROR_PROJECT, "this key is indented deeper than the line before allows");
        set_place(source, c->line, c->column, err);
        return error_hint(err, "keys of one mapping begin in the same column");
    }
    size_t start = first + 1;
    while (start < colon && line.text[start] == ' ')
        start++;
    error_set(err, ERROR_PROJECT, "': ' cannot stand in a value without quotes");
    set_place(source, c->line, c->column, err);
    hint_quote(source, c->line, (size_t)column_of(line, start), err);
    return false;
}

static bool explain_character(const YamlSource *source, const YamlComplaint *c, Error *err)
{
    Line line = line_of(source, c->line);
    size_t byte = byte_of(line, c->column);
    char at = '\0';
    if (byte < line.length)
        at = line.text[byte];
    if (at == '\t' || strstr(c->problem, "tab character")) {
        error_set(err, ERROR_PROJECT, "a tab cannot indent YAML");
        set_place(source, c->line, c->column, err);
        return error_hint(err, "use spaces");
    }
    error_set(err, ERROR_PROJECT, "a value without quotes cannot begin with '%c'", at ? at : ' ');
    set_place(source, c->line, c->column, err);
    hint_quote(source, c->line, c->column, err);
    return false;
}

typedef struct Explanation {
    const char *problem; /* contained in the parser's words */
    const char *context; /* the same, or NULL: any */
    bool at_context;
    const char *message, *hint;
} Explanation;

static const Explanation explanations[] = {
    {"unexpected end of stream", "quoted scalar", true, "the quote that opens here is not closed", NULL},
    {"unexpected document indicator", "quoted scalar", true, "the quote that opens here is not closed", NULL},
    {"unknown escape", NULL, false, "an unknown escape sequence in double quotes",
     "use single quotes: in them a backslash is only a backslash"},
    {"hexdecimal", NULL, false, "an escape sequence with wrong digits", "use single quotes"},
    {"expected ',' or ']'", NULL, true, "the '[' that opens here is not closed, or a comma is missing", NULL},
    {"expected ',' or '}'", NULL, true, "the '{' that opens here is not closed, or a comma is missing", NULL},
    {"could not find expected ':'", NULL, true, "expected 'key: value'", "a space follows the colon"},
    {"block sequence entries are not allowed", NULL, false, "a list item cannot begin here",
     "put each '- ' on a line of its own, below its key"},
    {"did not find expected '-' indicator", NULL, false, "expected a list item",
     "items of one list begin with '- ' in the same column"},
    {"did not find expected key", NULL, false, "expected a key",
     "keys of one mapping begin in the same column, each followed by a colon and a space"},
    {"did not find expected node content", NULL, false, "expected a value", NULL},
    {"mapping keys are not allowed", NULL, false, "a key cannot begin here with '?'", "quote it"},
    {"did not find expected <document start>", NULL, false, "expected the end of the file",
     "the file is one mapping: every line at the left begins with a key"},
};

bool yaml_explain(const YamlSource *source, const YamlComplaint *c, Error *err)
{
    if (explain_quoted_rest(source, c->line, err) ||
        (c->context && c->context_line != c->line && explain_quoted_rest(source, c->context_line, err)))
        return false;
    if (c->context && (strstr(c->context, "scanning an alias") || strstr(c->context, "scanning an anchor")))
        return yaml_explain_alias(source, c->context_line, c->context_column, err);
    if (strstr(c->problem, "mapping values are not allowed"))
        return explain_colon(source, c, err);
    if (strstr(c->problem, "cannot start any token") || strstr(c->problem, "tab character"))
        return explain_character(source, c, err);
    for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++) {
        const Explanation *e = &explanations[i];
        if (!strstr(c->problem, e->problem) || (e->context && !(c->context && strstr(c->context, e->context))))
            continue;
        error_set(err, ERROR_PROJECT, "%s", e->message);
        bool at_context = e->at_context && c->context;
        set_place(source, at_context ? c->context_line : c->line, at_context ? c->context_column : c->column, err);
        return e->hint ? error_hint(err, "%s", e->hint) : false;
    }
    error_set(err, ERROR_PROJECT, "not valid YAML: %s", c->problem);
    return set_place(source, c->line, c->column, err);
}
