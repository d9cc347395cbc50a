#include "ingest/header.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "base/arena.h"
#include "csv/reader.h"

enum {
    NONE = -1,
    SHOWN_MAX = 60,  /* bytes of a header in a message */
    LISTED_MAX = 20, /* names in a list of a message */
};

/* --- normal form and patterns ------------------------------------------------------------------------------- */

/* Letters, digits and lower case of all scripts are the C library's, in a locale of our own: the process and its
 * threads keep theirs. */
static locale_t unicode; /* 0 where the system lacks it */
static wctype_t combining;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void open_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (unicode)
        combining = wctype_l("combining", unicode);
}

/* The character of a valid UTF-8 sequence of len bytes. */
static wint_t decode(const char *s, size_t len)
{
    static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    wint_t c = (unsigned char)s[0] & first_bits[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3F);
    return c;
}

static void append_utf8(wint_t c, Text *out)
{
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char first_mark[] = {0, 0xC0, 0xE0, 0xF0};
    text_append_char(out, (char)(unsigned char)(first_mark[more] | c >> 6 * more));
    while (more-- > 0)
        text_append_char(out, (char)(unsigned char)(0x80 | (c >> 6 * more & 0x3F)));
}

/* in_word: right after another character of a word, which a combining mark then belongs to. */
static bool is_word(wint_t c, bool in_word)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!unicode)
        return true;
    return iswalnum_l(c, unicode) || (in_word && iswctype_l(c, combining, unicode));
}

static wint_t lower(wint_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    return unicode ? towlower_l(c, unicode) : c;
}

void header_normalise(const char *s, size_t n, Text *out)
{
    pthread_once(&unicode_once, open_unicode);
    bool started = false, gap = false;
    size_t len;
    for (size_t i = 0; i < n && s[i] != '('; i += len) {
        len = utf8_len(s + i, n - i);
        wint_t c = len ? decode(s + i, len) : 0; /* a byte that is no UTF-8 separates */
        len = len ? len : 1;
        if (!is_word(c, started && !gap)) {
            gap = true;
            continue;
        }
        if (gap && started)
            text_append_char(out, '_');
        gap = false;
        started = true;
        append_utf8(lower(c), out);
    }
}

static void trim(const char **s, size_t *n)
{
    while (*n > 0 && (**s == ' ' || (**s >= '\t' && **s <= '\r'))) {
        (*s)++;
        (*n)--;
    }
    while (*n > 0 && ((*s)[*n - 1] == ' ' || ((*s)[*n - 1] >= '\t' && (*s)[*n - 1] <= '\r')))
        (*n)--;
}

/* Whether s is what the pattern says. The first and the last piece between stars stand at the ends, the others are
 * found from left to right: the leftmost place is never worse, so there is no going back, and memmem is linear. */
static bool matches_pattern(const char *pattern, const char *s, size_t n)
{
    const char *star = strchr(pattern, '*');
    if (!star)
        return strlen(pattern) == n && memcmp(pattern, s, n) == 0;
    size_t first = (size_t)(star - pattern);
    if (n < first || memcmp(pattern, s, first) != 0)
        return false;
    s += first;
    n -= first;
    const char *piece = star + 1;
    while ((star = strchr(piece, '*')) != NULL) {
        size_t len = (size_t)(star - piece);
        const char *found = memmem(s, n, piece, len);
        if (!found)
            return false;
        n -= (size_t)(found - s) + len;
        s = found + len;
        piece = star + 1;
    }
    size_t last = strlen(piece);
    return n >= last && memcmp(s + n - last, piece, last) == 0;
}

/* --- matching ----------------------------------------------------------------------------------------------- */

/* What is known of one side while matching. */
typedef struct Side {
    char **normal; /* normal forms */
    int *partner;  /* index on the other side, or NONE */
    size_t count;
} Side;

typedef struct Match {
    const HeaderColumn *columns;
    const HeaderField *fields;
    Side left;  /* columns */
    Side right; /* fields */
    const char *file;
    int line;
    Arena arena;
} Match;

static Side side_new(Arena *arena, size_t count)
{
    Side side = {arena_array(arena, count + 1, sizeof(char *)), arena_array(arena, count + 1, sizeof(int)), count};
    for (size_t i = 0; i < count; i++)
        side.partner[i] = NONE;
    return side;
}

static char *normal_of(Arena *arena, const char *s, size_t n)
{
    TEXT_AUTO(text);
    header_normalise(s, n, &text);
    return arena_strdup(arena, text_str(&text));
}

static void show(Text *text, const char *s, size_t n)
{
    text_append_char(text, '"');
    text_append_shown(text, s, n, SHOWN_MAX);
    text_append_char(text, '"');
}

static const char *shown_field(Match *m, size_t f)
{
    TEXT_AUTO(text);
    show(&text, m->fields[f].text, m->fields[f].len);
    return arena_strdup(&m->arena, text_str(&text));
}

static const char *shown_column(Match *m, size_t c)
{
    TEXT_AUTO(text);
    show(&text, m->columns[c].name, strlen(m->columns[c].name));
    return arena_strdup(&m->arena, text_str(&text));
}

static bool fail_field(const Match *m, size_t f, Error *err)
{
    return error_place(err, m->file, m->line, m->fields[f].column);
}

/* Whether a field's header is this text, or also matches this pattern. */
static bool is_header(const Match *m, size_t f, const char *header, bool exact)
{
    const char *s = m->fields[f].text;
    size_t n = m->fields[f].len;
    trim(&s, &n);
    return exact ? strlen(header) == n && memcmp(header, s, n) == 0 : matches_pattern(header, s, n);
}

/* What is the exact text of a header is no pattern, so that a header with a star in it can be named. */
static bool is_exact_text(const Match *m, const char *header)
{
    for (size_t f = 0; f < m->right.count; f++)
        if (is_header(m, f, header, true))
            return true;
    return false;
}

/* Columns with `header:` take their fields first. */
static bool match_patterns(Match *m, Error *err)
{
    for (size_t c = 0; c < m->left.count; c++) {
        if (!m->columns[c].header)
            continue;
        bool exact = is_exact_text(m, m->columns[c].header);
        for (size_t f = 0; f < m->right.count; f++) {
            if (!is_header(m, f, m->columns[c].header, exact))
                continue;
            if (m->left.partner[c] != NONE) {
                error_set(err, ERROR_FAILED, "the headers %s and %s both match the `header:` of column %s",
                          shown_field(m, (size_t)m->left.partner[c]), shown_field(m, f), shown_column(m, c));
                error_hint(err, "give a `header:` that only one of them matches");
                return fail_field(m, f, err);
            }
            if (m->right.partner[f] != NONE) {
                error_set(err, ERROR_FAILED, "the header %s matches the `header:` of column %s and of column %s",
                          shown_field(m, f), shown_column(m, (size_t)m->right.partner[f]), shown_column(m, c));
                return fail_field(m, f, err);
            }
            m->left.partner[c] = (int)f;
            m->right.partner[f] = (int)c;
        }
    }
    return true;
}

typedef struct Named {
    const char *normal;
    size_t index;
} Named;

static int by_normal(const void *a, const void *b)
{
    const Named *x = a, *y = b;
    int order = strcmp(x->normal, y->normal);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* What is to be matched by name, sorted by normal form. An empty form matches nothing. */
static Named *sorted_rest(Match *m, const Side *side, bool columns, size_t *ret_count)
{
    Named *rest = arena_array(&m->arena, side->count + 1, sizeof(Named));
    size_t count = 0;
    for (size_t i = 0; i < side->count; i++) {
        bool by_pattern = side->partner[i] != NONE || (columns && m->columns[i].header);
        if (!by_pattern && side->normal[i][0])
            rest[count++] = (Named){side->normal[i], i};
    }
    qsort(rest, count, sizeof(Named), by_normal);
    *ret_count = count;
    return rest;
}

static bool fail_collision(Match *m, const Named *a, const Named *b, bool columns, Error *err)
{
    if (columns) {
        error_set(err, ERROR_FAILED, "columns %s and %s are both \"%.60s\" to a header", shown_column(m, a->index),
                  shown_column(m, b->index), a->normal);
        error_hint(err, "give one of them a `header:`");
        return error_place(err, m->file, m->line, 0);
    }
    error_set(err, ERROR_FAILED, "the headers %s and %s are both \"%.60s\"", shown_field(m, a->index),
              shown_field(m, b->index), a->normal);
    error_hint(err, "rename one in the file, or give the columns a `header:` with the exact text");
    return fail_field(m, b->index, err);
}

static bool check_collisions(Match *m, const Named *rest, size_t count, bool columns, Error *err)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(rest[i - 1].normal, rest[i].normal) == 0)
            return fail_collision(m, &rest[i - 1], &rest[i], columns, err);
    return true;
}

static bool match_names(Match *m, Error *err)
{
    size_t n_columns, n_fields, f = 0;
    Named *columns = sorted_rest(m, &m->left, true, &n_columns);
    Named *fields = sorted_rest(m, &m->right, false, &n_fields);
    if (!check_collisions(m, fields, n_fields, false, err) || !check_collisions(m, columns, n_columns, true, err))
        return false;
    for (size_t c = 0; c < n_columns; c++) {
        while (f < n_fields && strcmp(fields[f].normal, columns[c].normal) < 0)
            f++;
        if (f == n_fields || strcmp(fields[f].normal, columns[c].normal) != 0)
            continue;
        m->left.partner[columns[c].index] = (int)fields[f].index;
        m->right.partner[fields[f].index] = (int)columns[c].index;
    }
    return true;
}

/* --- the report --------------------------------------------------------------------------------------------- */

/* Lists what has no partner. Returns how many. */
static size_t list_unmatched(const Match *m, bool columns, Text *text)
{
    const Side *side = columns ? &m->left : &m->right;
    size_t count = 0;
    for (size_t i = 0; i < side->count; i++) {
        if (side->partner[i] != NONE || count++ >= LISTED_MAX)
            continue;
        text_append(text, count > 1 ? ", " : "");
        if (!columns) {
            show(text, m->fields[i].text, m->fields[i].len);
            continue;
        }
        show(text, m->columns[i].name, strlen(m->columns[i].name));
        if (m->columns[i].header) {
            text_append(text, " (header: ");
            show(text, m->columns[i].header, strlen(m->columns[i].header));
            text_append_char(text, ')');
        }
    }
    if (count > LISTED_MAX)
        text_appendf(text, " and %zu more", count - LISTED_MAX);
    return count;
}

/* For each missing column the nearest header left, as far as there is one. */
static void list_nearest(const Match *m, Text *text)
{
    const char **left = mem_alloc((m->right.count + 1) * sizeof(*left));
    size_t *index = mem_alloc((m->right.count + 1) * sizeof(*index));
    size_t count = 0, tried = 0;
    for (size_t f = 0; f < m->right.count; f++) {
        if (m->right.partner[f] == NONE) {
            index[count] = f;
            left[count++] = m->right.normal[f];
        }
    }
    for (size_t c = 0; c < m->left.count && tried < LISTED_MAX; c++) {
        if (m->left.partner[c] != NONE)
            continue;
        tried++;
        const char *near = nearest(m->left.normal[c], left, count);
        for (size_t i = 0; near && i < count; i++) {
            if (left[i] != near)
                continue;
            text_append(text, text->len ? ", " : "");
            show(text, m->fields[index[i]].text, m->fields[index[i]].len);
            text_append(text, " is near ");
            show(text, m->columns[c].name, strlen(m->columns[c].name));
            break;
        }
    }
    free(left);
    free(index);
}

static bool check_all_matched(const Match *m, Error *err)
{
    TEXT_AUTO(missing);
    TEXT_AUTO(extra);
    TEXT_AUTO(near);
    size_t n_missing = list_unmatched(m, true, &missing), n_extra = list_unmatched(m, false, &extra);
    if (n_missing + n_extra == 0)
        return true;
    error_set(err, ERROR_FAILED, "the header does not match the declared columns");
    TEXT_AUTO(detail);
    if (n_missing)
        text_appendf(&detail, "expected, not found: %s", text_str(&missing));
    if (n_extra)
        text_appendf(&detail, "%sfound, not declared: %s", n_missing ? "; " : "", text_str(&extra));
    error_detail(err, "%s", text_str(&detail));
    list_nearest(m, &near);
    if (near.len)
        error_hint(err, "%s; give the column that name, or a `header:` with the text in the file", text_str(&near));
    else if (n_missing && n_extra)
        error_hint(err, "a column's `header:` takes the exact text in the file, or a pattern with *");
    else if (n_extra)
        error_hint(err, "declare every column of the file under `columns:`");
    int column = 0;
    for (size_t f = 0; f < m->right.count && column == 0; f++)
        column = m->right.partner[f] == NONE ? m->fields[f].column : 0;
    return error_place(err, m->file, m->line, column);
}

static bool prepare(Match *m, Error *err)
{
    for (size_t f = 0; f < m->right.count; f++) {
        if (m->fields[f].len > HEADER_TEXT_MAX) {
            error_set(err, ERROR_FAILED, "the header of field %zu is longer than %d bytes", f + 1, HEADER_TEXT_MAX);
            error_hint(err, "the first line of the file must be its header");
            return fail_field(m, f, err);
        }
        m->right.normal[f] = normal_of(&m->arena, m->fields[f].text, m->fields[f].len);
    }
    for (size_t c = 0; c < m->left.count; c++)
        m->left.normal[c] = normal_of(&m->arena, m->columns[c].name, strlen(m->columns[c].name));
    return true;
}

bool header_match(const HeaderColumn *columns, size_t column_count, const HeaderField *fields, size_t field_count,
                  const char *file, int line, size_t *ret_fields, Error *err)
{
    if (column_count > CSV_COLUMNS_MAX || field_count > CSV_COLUMNS_MAX)
        return error_at(err, ERROR_FAILED, file, line, 0, "more than %d columns", CSV_COLUMNS_MAX);
    Match m = {.columns = columns, .fields = fields, .file = file, .line = line};
    arena_init(&m.arena);
    m.left = side_new(&m.arena, column_count);
    m.right = side_new(&m.arena, field_count);
    bool matched = prepare(&m, err) && match_patterns(&m, err) && match_names(&m, err) && check_all_matched(&m, err);
    for (size_t c = 0; matched && c < column_count; c++)
        ret_fields[c] = (size_t)m.left.partner[c];
    arena_clear(&m.arena);
    return matched;
}
