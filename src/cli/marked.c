#include "cli/marked.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"

static void append_value(const char *value, bool name, Text *out)
{
    if (!value) {
        text_append(out, "null");
        return;
    }
    bool quoted = !name && (!*value || strcmp(value, "null") == 0);
    char *shown CLEANUP(mem_free_p) = log_redacted(value);
    text_append(out, quoted ? "\"" : "");
    text_append_shown(out, shown, strlen(shown), MARKED_VALUE_MAX);
    text_append(out, quoted ? "\"" : "");
}

static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static void widen(const char *const *values, size_t columns, bool names, size_t *widths)
{
    for (size_t i = 0; i < columns; i++) {
        TEXT_AUTO(shown);
        append_value(values[i], names, &shown);
        size_t width = width_of(text_str(&shown));
        widths[i] = width > widths[i] ? width : widths[i];
    }
}

static void print_row(char mark, const char *const *values, size_t columns, bool names, const size_t *widths, FILE *out)
{
    TEXT_AUTO(line);
    text_appendf(&line, "  %c", mark);
    for (size_t i = 0; i < columns; i++) {
        TEXT_AUTO(shown);
        append_value(values[i], names, &shown);
        text_appendf(&line, "  %s", text_str(&shown));
        for (size_t n = width_of(text_str(&shown)); n < widths[i]; n++)
            text_append_char(&line, ' ');
    }
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.len--;
    fwrite(text_str(&line), 1, line.len, out);
    fputc('\n', out);
}

void marked_print(const char *const *names, size_t columns, const MarkedRow *rows, size_t count, FILE *out)
{
    if (count == 0)
        return;
    size_t *widths CLEANUP(mem_free_p) = mem_alloc((columns + 1) * sizeof *widths);
    widen(names, columns, true, widths);
    for (size_t i = 0; i < count; i++)
        widen(rows[i].values, columns, false, widths);
    print_row(' ', names, columns, true, widths, out);
    for (size_t i = 0; i < count; i++)
        print_row(rows[i].mark, rows[i].values, columns, false, widths, out);
}

void marked_json_text(const char *text, Json *json)
{
    char *shown CLEANUP(mem_free_p) = text ? log_redacted(text) : NULL;
    json_string(json, shown);
}

void marked_json(const char *const *names, size_t columns, const char *const *values, Json *json)
{
    json_object(json);
    for (size_t i = 0; i < columns; i++) {
        json_key(json, names[i]);
        marked_json_text(values[i], json);
    }
    json_end(json);
}
