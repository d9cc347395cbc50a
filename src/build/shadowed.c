#include "build/shadowed.h"

#include <inttypes.h>

#include "base/clock.h"
#include "sql/shadow.h"

/* --- conditions ------------------------------------------------------------------------------------------------ */

static int64_t ceil_days(int64_t value) { return value / RANGES_DAY + (value % RANGES_DAY > 0); }

/* A bound as a literal of the column's type. Dates in whole days, rounded up: d >= 09:30 is d >= the next day. Years
 * past the fourth digit, where texts differ, are counted from a date that is near. */
static void append_bound(SqlTimeType type, int64_t value, Text *out)
{
    if (type == SQL_TIME_INTEGER) {
        text_appendf(out, "'%" PRId64 "'::bigint", value);
        return;
    }
    int64_t days = type == SQL_TIME_DATE ? ceil_days(value) : ranges_day_of(value);
    int64_t rest = type == SQL_TIME_DATE ? 0 : value - days * RANGES_DAY;
    int64_t year;
    int month, day;
    civil_from_days(days + RANGES_EPOCH_DAYS, &year, &month, &day);
    bool bc = year <= 0;
    text_appendf(out, "'%04" PRId64 "-%02d-%02d", bc ? 1 - year : year, month, day);
    if (type != SQL_TIME_DATE)
        text_appendf(out, " %02d:%02d:%02d.%06d", (int)(rest / 3600000000), (int)(rest / 60000000 % 60),
                     (int)(rest / 1000000 % 60), (int)(rest % 1000000));
    text_appendf(out, "%s%s'::%s", type == SQL_TIME_TIMESTAMPTZ ? "+00" : "", bc ? " BC" : "",
                 type == SQL_TIME_DATE        ? "date"
                 : type == SQL_TIME_TIMESTAMP ? "timestamp"
                                              : "timestamptz");
}

/* Bounds outside what the type can hold stand for its infinities. Dates go further than microseconds do: all past that
 * counts as infinity's. */
static bool is_low(SqlTimeType type, int64_t value) { return type != SQL_TIME_INTEGER && value <= RANGES_FIRST_TIME; }

static bool is_high(SqlTimeType type, int64_t value) { return type != SQL_TIME_INTEGER && value >= RANGES_PAST_TIMES; }

static const char *high_bound(SqlTimeType type)
{
    return type == SQL_TIME_DATE ? "'294277-01-01'::date" : "'infinity'";
}

static void append_from(const char *column, SqlTimeType type, int64_t from, Text *out)
{
    if (is_low(type, from)) {
        text_appendf(out, "%s > '-infinity'", column);
        return;
    }
    text_appendf(out, "%s >= ", column);
    if (is_high(type, from))
        text_append(out, high_bound(type));
    else
        append_bound(type, from, out);
}

static void append_to(const char *column, SqlTimeType type, int64_t to, Text *out)
{
    if (is_low(type, to)) {
        text_appendf(out, "%s <= '-infinity'", column);
        return;
    }
    text_appendf(out, "%s < ", column);
    if (is_high(type, to))
        text_append(out, high_bound(type));
    else
        append_bound(type, to, out);
}

static void append_range(const char *column, SqlTimeType type, Range range, Text *out)
{
    bool low = range.from == RANGES_LOW, high = range.to == RANGES_END;
    text_append(out, "(");
    if (low && high)
        text_appendf(out, "%s is not null", column);
    if (!low)
        append_from(column, type, range.from, out);
    if (!low && !high)
        text_append(out, " and ");
    if (!high)
        append_to(column, type, range.to, out);
    text_append(out, ")");
}

bool shadowed_condition(Conn *conn, const char *column, SqlTimeType type, const Touched *touched, Text *out, Error *err)
{
    if (touched->everything) {
        text_append(out, "true");
        return true;
    }
    TEXT_AUTO(quoted);
    if (!conn_format(conn, &quoted, err, "%I", column))
        return false;
    text_append(out, "(");
    for (size_t i = 0; i < touched->ranges.count; i++) {
        text_append(out, i ? " or " : "");
        append_range(text_str(&quoted), type, touched->ranges.items[i], out);
    }
    bool some = touched->ranges.count > 0;
    if (touched->nulls)
        text_appendf(out, "%s%s is null", some ? " or " : "", text_str(&quoted));
    text_append(out, some || touched->nulls ? ")" : "false)");
    return true;
}

/* --- the query ------------------------------------------------------------------------------------------------- */

typedef struct Shadowing {
    Conn *conn;
    const Decided *decided;
    const bool *texts; /* whose references are being replaced: a text that is used twice is two, and written once */
    Text out;          /* the replacement that was made last */
    Error *err;
    bool failed;
} Shadowing;

static void render(Shadowing *shadowing, const bool *texts, Text *out);

/* A reference under a CTE that is used twice is two inputs: it must give what either of them needs. */
static const ReachInput *input_at(const Shadowing *shadowing, size_t ref, Touched *ret_needed)
{
    const SqlReach *reach = &shadowing->decided->reach;
    const ReachInput *found = NULL;
    *ret_needed = (Touched){0};
    for (size_t i = 0; i < reach->input_count; i++)
        if (shadowing->texts[reach->inputs[i].text] && reach->inputs[i].ref == ref) {
            found = &reach->inputs[i];
            touched_union(ret_needed, &shadowing->decided->needed[i]);
        }
    return found;
}

static bool texts_at(const Shadowing *shadowing, size_t ref, bool *ret_texts)
{
    const SqlReach *reach = &shadowing->decided->reach;
    bool any = false;
    for (size_t i = 1; i < reach->text_count; i++) {
        ret_texts[i] = shadowing->texts[reach->texts[i].parent] && reach->texts[i].parent_ref == ref;
        any = any || ret_texts[i];
    }
    return any;
}

/* `(select * from "s"."t" where ...)` */
static bool append_rows(Shadowing *shadowing, const ReachInput *input, const Touched *needed, Text *out)
{
    const SqlRelationFacts *relation = input->relation;
    text_append(out, "(select * from ");
    if (!conn_format(shadowing->conn, out, shadowing->err, "%I.%I where ", relation->schema, relation->name) ||
        !shadowed_condition(shadowing->conn, relation->time_column, relation->time_type, needed, out, shadowing->err))
        return false;
    text_append(out, ")");
    return true;
}

static const char *replacement(size_t ref, void *data)
{
    Shadowing *shadowing = data;
    const bool *texts = shadowing->texts;
    bool *below CLEANUP(mem_free_p) = mem_alloc(shadowing->decided->reach.text_count * sizeof *below);
    text_reset(&shadowing->out);
    if (texts_at(shadowing, ref, below)) {
        TEXT_AUTO(inner);
        text_append(&inner, "(\n");
        render(shadowing, below, &inner);
        text_append(&inner, "\n)");
        shadowing->texts = texts;
        text_reset(&shadowing->out);
        text_append(&shadowing->out, text_str(&inner));
        return text_str(&shadowing->out);
    }
    Touched needed;
    const ReachInput *input = input_at(shadowing, ref, &needed);
    if (!input || shadowing->failed)
        return NULL;
    if (needed.everything || !input->relation->time_column) {
        /* Inside the text of a view, where a CTE of the model around it may bear the table's name. */
        shadowing->failed =
            !texts[0] && !conn_format(shadowing->conn, &shadowing->out, shadowing->err, "(select * from %I.%I)",
                                      input->relation->schema, input->relation->name);
        return texts[0] ? NULL : text_str(&shadowing->out);
    }
    shadowing->failed = !append_rows(shadowing, input, &needed, &shadowing->out);
    return text_str(&shadowing->out);
}

/* As deep as views stand on views: the analysis bounds it (REACH_DEPTH_MAX). */
static void render(Shadowing *shadowing, const bool *texts, Text *out)
{
    const SqlReach *reach = &shadowing->decided->reach;
    size_t text = 0;
    while (!texts[text])
        text++;
    shadowing->texts = texts;
    sql_replace_refs(out, reach->texts[text].tree, &reach->texts[text].refs, replacement, shadowing);
}

bool shadowed_query(Conn *conn, const Decided *decided, Text *out, Error *err)
{
    Shadowing shadowing = {.conn = conn, .decided = decided, .err = err};
    bool *texts CLEANUP(mem_free_p) = mem_alloc(decided->reach.text_count * sizeof *texts);
    texts[0] = true;
    text_append(out, "select * from (\n");
    render(&shadowing, texts, out);
    text_append(out, "\n) sluice_q where ");
    text_clear(&shadowing.out);
    return !shadowing.failed &&
           shadowed_condition(conn, decided->time_column, decided->time_type, &decided->touched, out, err);
}
