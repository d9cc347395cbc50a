#include "sql/shadow.h"

#include <limits.h>

#include "sql/place.h"

SqlBody sql_body(const SqlTree *tree, int lines_before)
{
    SqlBody body = {.text = tree->text, .lines_before = lines_before};
    if (!tree->count)
        return body;
    body.offset = tree->statements[0].start;
    body.length = tree->statements[0].end - tree->statements[0].start;
    return body;
}

/* As the server counts them: every byte that begins a character. Texts that were parsed are UTF-8. */
static size_t count_characters(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

typedef struct Writer {
    Text *out;
    size_t bytes; /* of out, counted into characters so far */
    size_t characters;
} Writer;

static SqlMapPart append_body(Writer *writer, SqlBody body)
{
    Text *out = writer->out;
    writer->characters += count_characters(text_str(out) + writer->bytes, out->len - writer->bytes);
    SqlMapPart part = {
        .body = body,
        .start = writer->characters,
        .length = count_characters(body.text + body.offset, body.length),
    };
    text_append_n(out, body.text + body.offset, body.length);
    text_append_char(out, '\n'); /* whatever the body ends with, what follows is a line of its own */
    writer->characters += part.length;
    writer->bytes = out->len - 1;
    return part;
}

void sql_with_ctes(Arena *arena, Text *out, const SqlCte *ctes, size_t count, SqlBody body, SqlMap *ret_map)
{
    SqlMapPart *parts = arena_array(arena, count + 1, sizeof *parts);
    Writer writer = {.out = out};
    for (size_t i = 0; i < count; i++) {
        text_append(out, i ? ", " : "with ");
        text_append(out, ctes[i].name);
        text_append(out, " as (\n");
        parts[i] = append_body(&writer, ctes[i].body);
        text_append(out, ")\n");
    }
    text_append(out, "select * from (\n");
    parts[count] = append_body(&writer, body);
    text_append(out, ") as sluice_q\n");
    if (ret_map)
        *ret_map = (SqlMap){.parts = parts, .count = count + 1};
}

bool sql_map_place(const SqlMap *map, int position, size_t *ret_part, int *ret_line, int *ret_column)
{
    if (position < 1)
        return false;
    size_t at = (size_t)position - 1;
    for (size_t i = 0; i < map->count; i++) {
        const SqlMapPart *part = &map->parts[i];
        if (at < part->start || at > part->start + part->length)
            continue;
        const char *start = part->body.text + part->body.offset;
        size_t within = sql_position_to_offset(start, (int)(at - part->start) + 1);
        sql_offset_to_line(part->body.text, part->body.offset + within, ret_line, ret_column);
        *ret_part = i;
        if (*ret_line < INT_MAX - part->body.lines_before)
            *ret_line += part->body.lines_before;
        return true;
    }
    return false;
}

/* ---- replacing references ---------------------------------------------------------------------------------------- */

/* Copies the text up to a reference; the word TABLE before it is no place for a subselect. */
static void copy_before(Text *out, const SqlTree *tree, size_t from, const SqlRef *ref)
{
    size_t token = sql_token_at(tree, ref->offset);
    if (token == 0 || !sql_token_is(tree, token - 1, "table") || tree->tokens[token - 1].start < from) {
        text_append_n(out, tree->text + from, ref->offset - from);
        return;
    }
    SqlToken word = tree->tokens[token - 1];
    text_append_n(out, tree->text + from, word.start - from);
    text_append(out, "select * from");
    text_append_n(out, tree->text + word.end, ref->offset - word.end);
}

/* Where the reference ends as written: `loans *` is an old way to say that child tables are meant too. */
static size_t written_end(const SqlTree *tree, const SqlRef *ref)
{
    size_t end = ref->offset + ref->length;
    size_t next = sql_token_at(tree, end);
    return sql_token_is(tree, next, "*") ? tree->tokens[next].end : end;
}

void sql_replace_refs(Text *out, const SqlTree *tree, const SqlRefs *refs,
                      const char *(*text_for)(size_t ref, void *data), void *data)
{
    if (!tree->count)
        return;
    size_t at = tree->statements[0].start, end = tree->statements[0].end;
    for (size_t i = 0; i < refs->count; i++) {
        const SqlRef *ref = &refs->items[i];
        bool inside = ref->offset >= at && ref->offset + ref->length <= end;
        const char *text = inside && !ref->only && !ref->sampled ? text_for(i, data) : NULL;
        if (!text)
            continue;
        copy_before(out, tree, at, ref);
        text_append(out, text);
        if (!ref->aliased) {
            text_append(out, " as ");
            text_append_quoted(out, ref->name, '"');
        }
        at = written_end(tree, ref);
    }
    text_append_n(out, tree->text + at, end - at);
}
