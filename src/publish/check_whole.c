#include "publish/check_whole.h"

#include <string.h>

#include "base/clock.h"
#include "pg/rows.h"
#include "project/duration.h"
#include "publish/table.h"
#include "sql/parse.h"
#include "sql/place.h"
#include "sql/refs.h"
#include "sql/shadow.h"

/* --- freshness ------------------------------------------------------------------------------------------------- */

static bool append_now(Conn *conn, const CheckTarget *target, Text *out, Error *err)
{
    char now[CLOCK_TEXT];
    if (!target->now) {
        text_append(out, "now()");
        return true;
    }
    clock_format_exact(target->now, now);
    return conn_format(conn, out, err, "%L::timestamptz", now);
}

static const char *filter_of(const CheckTarget *target) { return target->filter ? target->filter : "true"; }

static bool check_type(Conn *conn, const CheckTarget *target, const Check *check, Error *err)
{
    const char *column = check->columns.items[0];
    TEXT_AUTO(sql);
    ROWS_AUTO(rows);
    if (!conn_format(conn, &sql, err, "select pg_typeof((select r.%I from %s r limit 1))::text", column,
                     target->quoted) ||
        !conn_query(conn, text_str(&sql), 0, NULL, &rows, err))
        return false;
    const char *type = rows_get(rows, 0, 0);
    if (str_eq(type, "date") || str_starts(type, "timestamp "))
        return true;
    error_set(err, ERROR_FAILED, "'%s' is of type %s, and a row's age is told by a date or a timestamp", column, type);
    return error_hint(err, "name another column, or give the source or model one");
}

/* The newest value as text, and its age in microseconds; -1: in the future, INT64_MAX: -infinity. A date's day begins
 * in the session's time zone. Comparisons come first: they do not overflow. */
static bool ask_newest(Conn *conn, const CheckTarget *target, const Check *check, Rows **ret, Error *err)
{
    TEXT_AUTO(now);
    TEXT_AUTO(sql);
    if (!append_now(conn, target, &now, err) ||
        !conn_format(
            conn, &sql, err,
            "select newest::text, case when newest >= %s then -1 when not isfinite(newest) then 9223372036854775807 "
            "else (extract(epoch from %s - newest::timestamptz) * 1000000)::bigint end "
            "from (select max(r.%I) as newest from %s r where %s) q",
            text_str(&now), text_str(&now), check->columns.items[0], target->quoted, filter_of(target)))
        return false;
    return conn_query(conn, text_str(&sql), 0, NULL, ret, err);
}

static void judge(const Check *check, const char *newest, int64_t age, Arena *arena, CheckResult *ret)
{
    const char *column = check->columns.items[0];
    int64_t limit = check->error_after;
    bool warn = !limit || (newest && age <= limit);
    if (warn)
        limit = check->warn_after;
    bool stale = limit && (!newest || age > limit);
    if (!newest)
        ret->detail = arena_printf(arena, "no row has a value of %s", column);
    else if (age < 0 || age == INT64_MAX)
        ret->detail = arena_printf(arena, "the newest %s is %s", column, newest);
    else
        ret->detail =
            arena_printf(arena, "the newest %s is %s, %s ago", column, newest, duration_text(age, false, arena));
    if (!stale)
        return;
    Check *as_judged = arena_alloc(arena, sizeof *as_judged);
    *as_judged = *check;
    as_judged->warn = warn;
    ret->check = as_judged;
    ret->failed_rows = 1;
    ret->detail = arena_printf(arena, "%s; %s after %s", ret->detail, warn ? "it warns" : "it fails",
                               duration_text(limit, true, arena));
}

bool check_fresh_run(Conn *conn, const CheckTarget *target, const Check *check, Arena *arena, CheckResult *ret,
                     Error *err)
{
    ROWS_AUTO(rows);
    if (!check_type(conn, target, check, err) || !ask_newest(conn, target, check, &rows, err))
        return false;
    const char *newest = rows_get(rows, 0, 0);
    judge(check, newest, newest ? rows_int(rows, 0, 1) : 0, arena, ret);
    return true;
}

/* --- a query --------------------------------------------------------------------------------------------------- */

/* The query as it is sent: what it reads of its own relation is replaced. */
typedef struct Composing {
    const Check *check;
    const Node *node;
    const char *own;     /* what stands for the node's own relation; NULL: nothing */
    const SqlRefs *refs; /* with those that are system's, which check->references leaves out */
    Text text;
    size_t *starts; /* per reference that was replaced: bytes of text up to the end of what was replaced before it */
    size_t *which;  /* its position in refs */
    size_t count;
} Composing;

static const Node *node_of(const Composing *c, size_t ref)
{
    size_t position = 0;
    for (size_t i = 0; i < ref; i++)
        position += !c->refs->items[i].system;
    return c->refs->items[ref].system || position >= c->check->reference_count ? NULL
                                                                               : c->check->references[position].node;
}

/* By what it is called: a load of a file by hand has a node of its own making. */
static bool is_own(const Composing *c, size_t ref)
{
    const Node *node = node_of(c, ref);
    return node && str_eq(node->schema, c->node->schema) && str_eq(node->table, c->node->table);
}

static const char *text_for(size_t ref, void *data)
{
    Composing *c = data;
    if (!is_own(c, ref))
        return NULL;
    c->starts[c->count] = c->text.len;
    c->which[c->count++] = ref;
    return c->own;
}

static Strings columns_of(const Node *node, Arena *arena)
{
    Strings names = {.items = arena_array(arena, node->column_count + 1, sizeof(char *)), .count = node->column_count};
    for (size_t i = 0; i < node->column_count; i++)
        names.items[i] = node->columns[i].name;
    return names;
}

/* Rows of the delivery, and those of the table that it leaves as they are. */
static bool append_beside(Conn *conn, const CheckTarget *target, Arena *arena, Text *out, Error *err)
{
    const Node *node = target->node;
    TEXT_AUTO(list);
    TEXT_AUTO(same);
    Strings columns = columns_of(node, arena);
    if (!table_names(conn, &columns, "", "", ", ", &list, err))
        return false;
    text_appendf(out, "(select %s from %s r where %s union all select %s from %s r", text_str(&list), target->quoted,
                 filter_of(target), text_str(&list), target->beside);
    if (node->mode == LOAD_UPSERT) {
        for (size_t i = 0; i < node->unique_key.count; i++)
            if (!conn_format(conn, &same, err, " and s.%I = r.%I", node->unique_key.items[i],
                             node->unique_key.items[i]))
                return false;
        text_appendf(out, " where not exists (select from %s s where true%s)", target->quoted, text_str(&same));
    }
    text_append(out, ")");
    return true;
}

static bool append_own(Conn *conn, const CheckTarget *target, Arena *arena, Text *out, Error *err)
{
    if (target->beside)
        return append_beside(conn, target, arena, out, err);
    text_appendf(out, "(select * from %s r where %s)", target->quoted, filter_of(target));
    return true;
}

/* The whole relation, asked where it stands, needs nothing in its place. */
static bool stands_there(Conn *conn, const CheckTarget *target, bool *ret, Error *err)
{
    TEXT_AUTO(quoted);
    if (!conn_format(conn, &quoted, err, "%I.%I", target->node->schema, target->node->table))
        return false;
    *ret = !target->filter && !target->beside && str_eq(text_str(&quoted), target->quoted);
    return true;
}

/* What is asked of the table itself would see the rows that are published, not those that are to be. */
static bool check_refs(const Composing *c, Error *err)
{
    size_t position = 0;
    for (size_t i = 0; i < c->refs->count; i++) {
        const SqlRef *ref = &c->refs->items[i];
        if (is_own(c, i) && (ref->only || ref->sampled)) {
            const Place *place = &c->check->references[position].place;
            error_at(err, ERROR_FAILED, place->file, place->line, place->column,
                     "%s cannot be asked of rows that are not published yet", ref->only ? "ONLY" : "TABLESAMPLE");
            return error_hint(err, "leave it out");
        }
        position += !ref->system;
    }
    return true;
}

static bool compose(Conn *conn, const CheckTarget *target, const SqlTree *tree, Arena *arena, Composing *c, Error *err)
{
    bool there;
    TEXT_AUTO(own);
    c->starts = arena_array(arena, c->refs->count + 1, sizeof *c->starts);
    c->which = arena_array(arena, c->refs->count + 1, sizeof *c->which);
    if (!stands_there(conn, target, &there, err) || (!there && !check_refs(c, err)))
        return false;
    if (there) {
        text_append(&c->text, c->check->sql);
        return true;
    }
    if (!append_own(conn, target, arena, &own, err))
        return false;
    c->own = arena_strdup(arena, text_str(&own));
    sql_replace_refs(&c->text, tree, c->refs, text_for, c);
    return true;
}

/* Byte of check->sql for one of the composed text. In what replaced a reference: where the reference stands. */
static size_t offset_in_sql(const Composing *c, size_t at)
{
    const SqlRef *refs = c->refs->items;
    size_t sql_length = strlen(c->check->sql);
    if (c->count == 0)
        return at;
    const SqlRef *last = &refs[c->which[c->count - 1]];
    size_t after = sql_length - (last->offset + last->length);
    if (after <= c->text.len && at >= c->text.len - after)
        return at - (c->text.len - after) + last->offset + last->length;
    for (size_t i = c->count; i-- > 0;) {
        if (at < c->starts[i])
            continue;
        const SqlRef *before = i ? &refs[c->which[i - 1]] : NULL;
        size_t offset = at - c->starts[i] + (before ? before->offset + before->length : 0);
        return offset < refs[c->which[i]].offset ? offset : refs[c->which[i]].offset;
    }
    return 0;
}

/* The server counts in the statement, in which the query stands after `before`. */
static bool place_error(Conn *conn, const Composing *c, const char *before, Error *err)
{
    int line = 1, column = 1, position = conn_error_position(conn) - (int)strlen(before);
    if (err->code != ERROR_FAILED || err->file)
        return false;
    if (position > 0) {
        size_t at = sql_position_to_offset(text_str(&c->text), position);
        sql_offset_to_line(c->check->sql, offset_in_sql(c, at), &line, &column);
        written_place(c->check->written, 0, &line, &column);
    }
    return error_place(err, c->check->sql_file, line, column);
}

static bool ask(Conn *conn, const Composing *c, const char *before, const char *after, Rows **ret, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "%s%s%s", before, text_str(&c->text), after);
    return conn_query(conn, text_str(&sql), 0, NULL, ret, err) || place_error(conn, c, before, err);
}

static bool ask_rows(Conn *conn, const Composing *c, Arena *arena, CheckResult *ret, Error *err)
{
    ROWS_AUTO(counted);
    ROWS_AUTO(rows);
    if (!ask(conn, c, "select count(*) from (", "\n) sluice_row", &counted, err))
        return false;
    ret->failed_rows = rows_int(counted, 0, 0);
    if (ret->failed_rows == 0)
        return true;
    const char *before = arena_printf(arena,
                                      "select case when octet_length(j) > %d then "
                                      "jsonb_build_object('cut', left(j, %d))::text else j end from "
                                      "(select to_jsonb(sluice_row)::text as j from (",
                                      CHECK_ROW_BYTES, CHECK_ROW_BYTES / 4);
    const char *after = arena_printf(arena, "\n) sluice_row limit %d) q", CHECK_ROWS_KEPT);
    if (!ask(conn, c, before, after, &rows, err))
        return false;
    ret->row_count = (size_t)rows_count(rows);
    ret->rows = arena_array(arena, ret->row_count, sizeof(FailedRow));
    for (int i = 0; i < rows_count(rows); i++)
        ret->rows[i].json = arena_strdup(arena, rows_get(rows, i, 0));
    return true;
}

bool check_query_run(Conn *conn, const CheckTarget *target, const Check *check, Arena *arena, CheckResult *ret,
                     Error *err)
{
    SqlTree tree;
    SqlRefs refs;
    if (!sql_parse(arena, check->sql, &tree, err))
        return error_place(err, check->sql_file, 1, 1); /* it was parsed when the project was read */
    sql_refs(arena, &tree, &refs);
    Composing c = {.check = check, .node = target->node, .refs = &refs};
    bool good = compose(conn, target, &tree, arena, &c, err) && ask_rows(conn, &c, arena, ret, err);
    text_clear(&c.text);
    return good;
}
