#include "cli/listing.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

enum { GAP = 2, CELL_MAX = 4096, LONG_MAX_SHOWN = 100 };

void listing_init(Listing *listing, const ListingColumn *columns, size_t column_count)
{
    *listing = (Listing){.columns = columns, .column_count = column_count, .stride = column_count};
    arena_init(&listing->arena);
}

void listing_clear(Listing *listing)
{
    mem_free_p((void *)&listing->cells);
    arena_clear(&listing->arena);
}

/* A secret taken out of a JSON value may leave something else than JSON: then it becomes a string. */
static const char *redacted_json(Arena *arena, const char *value, const char *shown)
{
    if (str_eq(value, shown))
        return arena_strdup(arena, shown);
    TEXT_AUTO(text);
    Json json = {.out = &text};
    json_string(&json, shown);
    return arena_strdup(arena, text_str(&text));
}

void listing_add(Listing *listing, const char *const *cells)
{
    if (listing->row_count == listing->row_room) {
        listing->row_room = listing->row_room ? listing->row_room * 2 : 16;
        listing->cells = mem_resize(listing->cells, listing->row_room, listing->stride * sizeof(char *));
    }
    const char **row = listing->cells + listing->row_count * listing->stride;
    for (size_t i = 0; i < listing->stride; i++) {
        char *shown CLEANUP(mem_free_p) = cells[i] ? log_redacted(cells[i]) : NULL;
        row[i] = shown && listing->columns[i].kind == LISTING_JSON ? redacted_json(&listing->arena, cells[i], shown)
                                                                   : arena_strdup(&listing->arena, shown);
    }
    listing->row_count++;
}

static const char *cell(const Listing *listing, size_t row, size_t column)
{
    return listing->cells[row * listing->stride + column];
}

/* A JSON number, so that it may stand without quotes. */
static bool is_number(const char *s)
{
    s += *s == '-';
    if (!isdigit((unsigned char)*s) || (*s == '0' && isdigit((unsigned char)s[1])))
        return false;
    while (isdigit((unsigned char)*s))
        s++;
    if (*s == '.') {
        if (!isdigit((unsigned char)*++s))
            return false;
        while (isdigit((unsigned char)*s))
            s++;
    }
    return *s == '\0';
}

/* 2026-01-31 06:15:00.5+01 as 2026-01-31T06:15:00.5+01:00. */
static void json_time(Json *json, const char *value)
{
    TEXT_AUTO(text);
    text_append(&text, value);
    char *blank = strchr(text.data, ' ');
    if (blank)
        *blank = 'T';
    if (blank && text.len > 3 && strchr("+-", text.data[text.len - 3]))
        text_append(&text, ":00");
    json_string(json, text_str(&text));
}

void listing_append_time(const char *value, Text *out)
{
    size_t start = out->len, whole = strcspn(value, ".");
    text_append_n(out, value, whole);
    if (value[whole])
        text_append(out, value + whole + 1 + strspn(value + whole + 1, "0123456789"));
    char *t = strchr(text_str(out) + start, 'T');
    if (!t)
        return;
    *t = ' ';
    if (str_ends(text_str(out), ":00")) /* of the offset, which PostgreSQL leaves out */
        out->data[out->len -= 3] = '\0';
}

void listing_json_row(const Listing *listing, size_t row, Json *json)
{
    json_object(json);
    for (size_t i = 0; i < listing->column_count; i++) {
        const char *value = cell(listing, row, i);
        ListingKind kind = listing->columns[i].kind;
        bool raw = value && (kind == LISTING_JSON || (kind == LISTING_NUMBER && is_number(value)) ||
                             (kind == LISTING_BOOL && (str_eq(value, "true") || str_eq(value, "false"))));
        json_key(json, listing->columns[i].name);
        if (raw)
            json_raw(json, value);
        else if (value && kind == LISTING_TIME)
            json_time(json, value);
        else
            json_string(json, value);
    }
    json_end(json);
}

void listing_json(const Listing *listing, Json *json)
{
    json_array(json);
    for (size_t row = 0; row < listing->row_count; row++)
        listing_json_row(listing, row, json);
    json_end(json);
}

static void print_json(const Listing *listing, FILE *out)
{
    TEXT_AUTO(text);
    Json json = {.out = &text};
    listing_json(listing, &json);
    text_append_char(&text, '\n');
    fwrite(text_str(&text), 1, text.len, out);
}

static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static void heading(const ListingColumn *column, Text *out)
{
    for (const char *p = column->name; *p; p++)
        text_append_char(out, *p == '_' ? ' ' : (char)toupper((unsigned char)*p));
}

/* What a person sees of a cell; row SIZE_MAX is the line of headings. */
static void append_shown(const Listing *listing, size_t row, size_t column, Text *out)
{
    if (row == SIZE_MAX) {
        heading(&listing->columns[column], out);
        return;
    }
    const char *value = cell(listing, row, column);
    if (value && listing->columns[column].kind == LISTING_BOOL)
        text_append(out, str_eq(value, "true") ? "yes" : "no");
    else if (value && listing->columns[column].kind == LISTING_TIME)
        listing_append_time(value, out);
    else if (value)
        text_append_shown(out, value, strlen(value),
                          listing->columns[column].kind == LISTING_LONG ? LONG_MAX_SHOWN : CELL_MAX);
}

/* Of a column that is shown to people only where some row has it. */
static bool is_hidden(const Listing *listing, size_t column)
{
    if (listing->columns[column].kind != LISTING_RARE)
        return false;
    for (size_t row = 0; row < listing->row_count; row++)
        if (cell(listing, row, column) && *cell(listing, row, column))
            return false;
    return true;
}

static void print_line(const Listing *listing, size_t row, const size_t *widths, FILE *out)
{
    TEXT_AUTO(line);
    for (size_t i = 0; i < listing->column_count; i++) {
        TEXT_AUTO(shown);
        if (widths[i] == 0)
            continue;
        append_shown(listing, row, i, &shown);
        size_t blanks = widths[i] - width_of(text_str(&shown));
        bool right = listing->columns[i].kind == LISTING_NUMBER;
        for (size_t n = right ? blanks : 0; n > 0; n--)
            text_append_char(&line, ' ');
        text_append(&line, text_str(&shown));
        for (size_t n = right ? 0 : blanks; n > 0; n--)
            text_append_char(&line, ' ');
        for (int n = 0; n < GAP; n++)
            text_append_char(&line, ' ');
    }
    size_t len = line.len;
    while (len > 0 && line.data[len - 1] == ' ')
        len--;
    fwrite(text_str(&line), 1, len, out);
    fputc('\n', out);
}

void listing_print(const Listing *listing, bool json, FILE *out)
{
    if (json) {
        print_json(listing, out);
        return;
    }
    if (listing->row_count == 0)
        return;
    size_t *widths CLEANUP(mem_free_p) = mem_alloc(listing->column_count * sizeof(size_t));
    for (size_t row = SIZE_MAX; row == SIZE_MAX || row < listing->row_count; row++) {
        for (size_t i = 0; i < listing->column_count; i++) {
            TEXT_AUTO(shown);
            if (is_hidden(listing, i))
                continue;
            append_shown(listing, row, i, &shown);
            size_t width = width_of(text_str(&shown));
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (size_t row = SIZE_MAX; row == SIZE_MAX || row < listing->row_count; row++)
        print_line(listing, row, widths, out);
}

void listing_print_first(const Listing *listing, size_t columns, bool json, FILE *out)
{
    Listing part = *listing;
    part.column_count = columns < listing->column_count ? columns : listing->column_count;
    listing_print(&part, json, out);
}
