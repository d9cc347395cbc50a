#include "base/unified.h"

#include <string.h>

#include "base/arena.h"

typedef struct Line {
    const char *text;
    size_t length;
} Line;

typedef struct Lines {
    Line *items;
    int count;
} Lines;

/* One line of the result: number in from and in to, counted from 0; -1 where it is not in that one. */
typedef struct Edit {
    int from, to;
} Edit;

typedef struct Edits {
    Edit *items;
    int count;
} Edits;

typedef struct Work {
    UnifiedSide sides[2];
    Lines lines[2];
    Edits edits;
} Work;

static void work_clear(Work *work)
{
    mem_free_p(&work->lines[0].items);
    mem_free_p(&work->lines[1].items);
    mem_free_p(&work->edits.items);
}

static bool split(const char *text, Lines *ret)
{
    size_t count = 0;
    for (const char *s = text; *s; count++) {
        s += strcspn(s, "\n");
        s += *s == '\n';
    }
    if (count > UNIFIED_LINES_MAX)
        return false;
    ret->items = mem_alloc((count + 1) * sizeof *ret->items);
    for (const char *s = text; *s;) {
        size_t length = strcspn(s, "\n");
        ret->items[ret->count++] = (Line){s, length};
        s += length + (s[length] == '\n');
    }
    return true;
}

static bool same(const Line *a, const Line *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* --- the edit script ------------------------------------------------------------------------------------------- */

/* The furthest x on each diagonal k = x - y reached with d edits stands at trace[d * d + d + k]: d has 2d + 1
 * diagonals, and those before it d * d. */
static int *at(int *trace, int d, int k) { return &trace[d * d + d + k]; }

/* Whether the way to diagonal k with d edits ends with a line of to, rather than with one of from that is gone. */
static bool comes_down(int *trace, int d, int k)
{
    return k == -d || (k != d && *at(trace, d - 1, k - 1) < *at(trace, d - 1, k + 1));
}

static int slide(const Line *a, int n, const Line *b, int m, int x, int k)
{
    while (x < n && x - k < m && same(&a[x], &b[x - k]))
        x++;
    return x;
}

/* How many edits lead from a to b, or -1 where they are more than the bound. */
static int search(const Line *a, int n, const Line *b, int m, int **trace)
{
    int room = 0;
    for (int d = 0; d <= UNIFIED_EDITS_MAX; d++) {
        if (d >= room) {
            room = room ? 2 * room : 8;
            *trace = mem_resize(*trace, (size_t)(room + 1) * (size_t)(room + 1), sizeof **trace);
        }
        for (int k = -d; k <= d; k += 2) {
            int x = 0;
            if (d > 0)
                x = comes_down(*trace, d, k) ? *at(*trace, d - 1, k + 1) : *at(*trace, d - 1, k - 1) + 1;
            x = slide(a, n, b, m, x, k);
            *at(*trace, d, k) = x;
            if (x >= n && x - k >= m)
                return d;
        }
    }
    return -1;
}

static void add(Edits *edits, int from, int to) { edits->items[edits->count++] = (Edit){from, to}; }

/* Backwards along the way that was found; what is appended stands in reverse. */
static void walk_back(int n, int m, int *trace, int d, int skipped, Edits *ret)
{
    int x = n, y = m;
    for (; d > 0; d--) {
        int k = x - y;
        bool down = comes_down(trace, d, k);
        int before = *at(trace, d - 1, down ? k + 1 : k - 1);
        int start = down ? before : before + 1;
        while (x > start)
            x--, y--, add(ret, skipped + x, skipped + y);
        if (down)
            add(ret, -1, skipped + --y);
        else
            add(ret, skipped + --x, -1);
    }
    while (x > 0)
        x--, y--, add(ret, skipped + x, skipped + y);
}

static void reverse(Edit *items, int count)
{
    for (int i = 0; i < count / 2; i++) {
        Edit kept = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = kept;
    }
}

static bool find_edits(const Lines lines[2], Edits *ret)
{
    const Line *a = lines[0].items, *b = lines[1].items;
    int n = lines[0].count, m = lines[1].count, alike = 0;
    ret->items = mem_alloc((size_t)(n + m + 1) * sizeof *ret->items);
    while (alike < n && alike < m && same(&a[alike], &b[alike]))
        alike++;
    while (n > alike && m > alike && same(&a[n - 1], &b[m - 1]))
        n--, m--;
    int *trace CLEANUP(mem_free_p) = NULL;
    int d = search(a + alike, n - alike, b + alike, m - alike, &trace);
    if (d < 0)
        return false;
    for (int i = 0; i < alike; i++)
        add(ret, i, i);
    int middle = ret->count;
    walk_back(n - alike, m - alike, trace, d, alike, ret);
    reverse(ret->items + middle, ret->count - middle);
    for (int i = 0; n + i < lines[0].count; i++)
        add(ret, n + i, m + i);
    return true;
}

/* --- hunks ----------------------------------------------------------------------------------------------------- */

static bool is_change(const Edit *edit) { return edit->from < 0 || edit->to < 0; }

/* `-first,count`; of no lines, the number of the line before, as diff(1) has it. */
static void append_range(char mark, int first, int count, Text *out)
{
    text_appendf(out, " %c%d", mark, count ? first : first - 1);
    if (count != 1)
        text_appendf(out, ",%d", count);
}

static void count_lines(const Edit *edits, int count, int ret[2])
{
    for (int i = 0; i < count; i++) {
        ret[0] += edits[i].from >= 0;
        ret[1] += edits[i].to >= 0;
    }
}

static void append_hunk(const Work *work, int begin, int end, const int before[2], Text *out)
{
    static const char marks[2] = {'-', '+'};
    const Edit *edits = work->edits.items;
    int counts[2] = {0};
    count_lines(edits + begin, end - begin, counts);
    text_append(out, "@@");
    for (int side = 0; side < 2; side++)
        append_range(marks[side], work->sides[side].first_line + before[side], counts[side], out);
    text_append(out, " @@\n");
    for (int i = begin; i < end; i++) {
        bool gone = edits[i].from >= 0;
        const Line *line = gone ? &work->lines[0].items[edits[i].from] : &work->lines[1].items[edits[i].to];
        text_append_char(out, is_change(&edits[i]) ? marks[!gone] : ' ');
        text_append_n(out, line->text, line->length);
        text_append_char(out, '\n');
    }
}

/* Past the last change that belongs into the hunk of the one at i: those whose contexts meet are one. */
static int last_change(const Edits *edits, int i)
{
    int end = i;
    for (int j = i; j < edits->count && j - end <= 2 * UNIFIED_CONTEXT; j++)
        if (is_change(&edits->items[j]))
            end = j + 1;
    return end;
}

static void append_hunks(const Work *work, Text *out)
{
    const Edits *edits = &work->edits;
    int before[2] = {0}; /* lines of each side that stand before position `done` */
    for (int i = 0, done = 0; i < edits->count; i++) {
        if (!is_change(&edits->items[i]))
            continue;
        int begin = i - done > UNIFIED_CONTEXT ? i - UNIFIED_CONTEXT : done;
        int end = last_change(edits, i);
        end = edits->count - end > UNIFIED_CONTEXT ? end + UNIFIED_CONTEXT : edits->count;
        count_lines(edits->items + done, begin - done, before);
        append_hunk(work, begin, end, before, out);
        count_lines(edits->items + begin, end - begin, before);
        done = end;
        i = end - 1;
    }
}

bool unified_diff(UnifiedSide from, UnifiedSide to, Text *out)
{
    Work work CLEANUP(work_clear) = {.sides = {from, to}};
    if (!split(from.text, &work.lines[0]) || !split(to.text, &work.lines[1]) || !find_edits(work.lines, &work.edits))
        return false;
    append_hunks(&work, out);
    return true;
}
