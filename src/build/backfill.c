#include "build/backfill.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "build/own.h"
#include "build/work.h"
#include "pg/rows.h"
#include "project/duration.h"
#include "record/array.h"
#include "record/fence.h"
#include "record/statements.h"

/* --- whether it can be ----------------------------------------------------------------------------------------- */

static bool hint_full(const Node *node, Error *err)
{
    return error_hint(err,
                      node->no_full_refresh ? "'sluice run %s' recomputes all of it when what it reads changed"
                                            : "'sluice run %s --full-refresh' recomputes all of it",
                      node->name);
}

static bool check_kind(const Node *node, Error *err)
{
    if (node->kind == NODE_MODEL && node->materialized == MATERIALIZED_INCREMENTAL)
        return true;
    const char *kind = node->kind == NODE_SOURCE ? "a source" : "materialized: ";
    error_at(err, ERROR_PROJECT, node->place.file, 0, 0, "'%s' is %s%s; a backfill is of an incremental model",
             node->name, kind, node->kind == NODE_SOURCE ? "" : materialized_name(node->materialized));
    if (node->kind == NODE_SOURCE || node->materialized != MATERIALIZED_TABLE)
        return false;
    return error_hint(err, "'sluice run %s%s' recomputes all of it", node->name,
                      node->no_full_refresh ? "" : " --full-refresh");
}

/* Rows of two queries, or of one that was taken back, do not go together; and the next run computes all of it. */
static bool check_base(const SurveyNode *about, const Decided *decided, Error *err)
{
    const Node *node = about->node;
    if (about->relation->known.taken_back)
        error_at(err, ERROR_FAILED, node->place.file, 0, 0,
                 "'%s' cannot be recomputed in part: its last publish was taken back", node->name);
    else if (!about->trusted)
        error_at(err, ERROR_FAILED, node->place.file, 0, 0, "'%s' cannot be recomputed in part: %s", node->name,
                 decided->why);
    else
        return true;
    return error_hint(err, "'sluice run %s%s' computes all of it", node->name,
                      about->trusted && !node->no_full_refresh ? " --full-refresh" : "");
}

/* The reason may lie in a view or ephemeral model that the query reads. */
static bool no_part(const Survey *survey, const Node *node, const SqlReach *reach, Error *err)
{
    const ReachReason *why = &reach->why_full;
    int line = why->line, column = why->column;
    for (size_t i = 0; why->file && i < survey->project->node_count; i++)
        if (str_eq(survey->project->nodes[i]->place.file, why->file))
            node_place(survey->project->nodes[i], &line, &column);
    error_at(err, ERROR_PROJECT, why->file ? why->file : node->place.file, line, column,
             "'%s' cannot be recomputed in part: %s", node->name, why->text ? why->text : "no column dates its rows");
    return hint_full(node, err);
}

bool backfill_possible(const Survey *survey, const Node *node, const Decided *decided, Error *err)
{
    const SurveyNode *about = survey->nodes[node->order];
    const SqlReach *reach = &decided->reach;
    if (!about->relation->relkind) {
        error_at(err, ERROR_FAILED, node->place.file, 0, 0, "%s.%s is not there", node->schema, node->table);
        return error_hint(err, "'sluice run %s' makes it", node->name);
    }
    if (reach->full || reach->volatile_result || decided->time_type == SQL_TIME_NONE)
        return no_part(survey, node, reach, err);
    return check_base(about, decided, err);
}

/* --- times ----------------------------------------------------------------------------------------------------- */

/* What the server is asked about a time of each type. Dates go further than Ranges can count. */
typedef struct TimeSql {
    const char *type;
    const char *finite, *number; /* of v: whether chunks could lead there; as Ranges count */
    const char *start;           /* of chunk k: from $1, chunks of $3 days (or units) and $4 seconds */
} TimeSql;

static const TimeSql time_sql[] = {
    [SQL_TIME_DATE] = {"date", "v < '294277-01-01' and v > '-infinity'",
                       "(v - '2000-01-01'::date)::bigint * 86400000000",
                       "$1::date + k * $3::integer + 0 * $4::integer"},
    [SQL_TIME_TIMESTAMP] = {"timestamp", "pg_catalog.isfinite(v)",
                            "(extract(epoch from v) * 1000000)::bigint - 946684800000000",
                            "$1::timestamp + k * pg_catalog.make_interval(days => $3::integer, secs => $4::integer)"},
    [SQL_TIME_TIMESTAMPTZ] = {"timestamptz", "pg_catalog.isfinite(v)",
                              "(extract(epoch from v) * 1000000)::bigint - 946684800000000",
                              "$1::timestamptz + k * pg_catalog.make_interval(days => $3::integer, secs => "
                              "$4::integer)"},
    [SQL_TIME_INTEGER] = {"bigint", "true", "v", "($1::numeric + k * $3::numeric + 0 * $4::integer)::bigint"},
};

typedef struct Planning {
    Conn *conn;
    const Project *project;
    const BackfillCall *call;
    const TimeSql *sql;
    SqlTimeType type;
    Range range;     /* all of it */
    uint64_t length; /* of a chunk: days and then */
    uint64_t seconds;
    Survey survey;
    Decided decided;
    Arena *arena;
    Backfill *ret;
} Planning;

static void planning_clear(Planning *planning) { survey_clear(&planning->survey); }

static bool read_time(Planning *planning, const char *option, const char *given, int64_t *ret, const char **ret_text,
                      Error *err)
{
    const TimeSql *sql = planning->sql;
    TEXT_AUTO(query);
    text_appendf(&query, "select v::text, case when %s then %s end from (select $1::%s) q (v)", sql->finite,
                 sql->number, sql->type);
    ROWS_AUTO(rows);
    if (!conn_query(planning->conn, text_str(&query), 1, (const char *const[]){given}, &rows, err)) {
        if (err->code != ERROR_FAILED)
            return false;
        TEXT_AUTO(message);
        text_append(&message, err->message);
        error_set(err, ERROR_PROJECT, "%s: %s", option, text_str(&message));
        return error_hint(err, "column %s of %s is of type %s", planning->ret->time_column, planning->ret->node->name,
                          sql->type);
    }
    if (!rows_get(rows, 0, 1))
        return error_set(err, ERROR_PROJECT, "%s: %s is no time that chunks could lead to", option,
                         rows_get(rows, 0, 0));
    *ret_text = arena_strdup(planning->arena, rows_get(rows, 0, 0));
    *ret = rows_int(rows, 0, 1);
    return true;
}

static bool read_range(Planning *planning, Error *err)
{
    Backfill *ret = planning->ret;
    Range *range = &planning->range;
    if (!read_time(planning, "--from", planning->call->from, &range->from, &ret->from, err) ||
        !read_time(planning, "--to", planning->call->to, &range->to, &ret->to, err))
        return false;
    if (range->from < range->to)
        return true;
    error_set(err, ERROR_PROJECT, "--from %s is not before --to %s", ret->from, ret->to);
    return error_hint(err, "the range is [from, to): --to itself is left out");
}

static uint64_t divide_up(uint64_t n, uint64_t by) { return n / by + (n % by > 0); }

static uint64_t width(const Planning *planning)
{
    return (uint64_t)planning->range.to - (uint64_t)planning->range.from;
}

/* Of a number of units, or of a duration: in whole days, and seconds where they are not whole. */
static bool read_number(Planning *planning, Error *err)
{
    const char *given = planning->call->length;
    char *end;
    long long n = strtoll(given, &end, 10);
    if (*given < '0' || *given > '9' || *end || n < 1 || n == INT64_MAX) {
        error_set(err, ERROR_PROJECT, "--chunk: '%s' is not a whole number from 1", given);
        return error_hint(err, "column %s of %s is an integer", planning->ret->time_column, planning->ret->node->name);
    }
    planning->length = (uint64_t)n;
    return true;
}

static bool read_duration(Planning *planning, Error *err)
{
    int64_t length;
    if (!duration_parse(planning->call->length, &length, err))
        return error_prefix(err, "--chunk: ");
    if (length == 0)
        return error_set(err, ERROR_PROJECT, "--chunk: '%s' is no time at all", planning->call->length);
    planning->length = (uint64_t)(length / RANGES_DAY);
    planning->seconds = (uint64_t)(length % RANGES_DAY / 1000000);
    if (planning->type != SQL_TIME_DATE || planning->seconds == 0)
        return true;
    return error_set(err, ERROR_PROJECT, "--chunk: '%s' is not in whole days, and column %s of %s is a date",
                     planning->call->length, planning->ret->time_column, planning->ret->node->name);
}

static void choose_length(Planning *planning)
{
    uint64_t all = width(planning);
    if (planning->type != SQL_TIME_INTEGER)
        all = divide_up(all, (uint64_t)RANGES_DAY);
    planning->length = divide_up(all, BACKFILL_CHUNKS);
}

static bool read_length(Planning *planning, Error *err)
{
    bool integer = planning->type == SQL_TIME_INTEGER;
    if (!planning->call->length)
        choose_length(planning);
    else if (!(integer ? read_number(planning, err) : read_duration(planning, err)))
        return false;
    Arena *arena = planning->arena;
    planning->ret->length =
        integer
            ? arena_printf(arena, "%" PRIu64, planning->length)
            : duration_text((int64_t)planning->length * RANGES_DAY + (int64_t)planning->seconds * 1000000, true, arena);
    uint64_t unit = integer ? planning->length : planning->length * (uint64_t)RANGES_DAY + planning->seconds * 1000000;
    uint64_t count = divide_up(width(planning), unit);
    planning->ret->count = count;
    if (count <= BACKFILL_CHUNKS_MAX)
        return true;
    return error_set(err, ERROR_PROJECT, "--chunk: %s makes %" PRIu64 " chunks, and there may be up to %d",
                     planning->ret->length, count, BACKFILL_CHUNKS_MAX);
}

/* --- chunks ---------------------------------------------------------------------------------------------------- */

/* Days are those of the project's time zone, so one may be an hour longer, or not be there at all. */
static bool cut(Planning *planning, Error *err)
{
    Backfill *ret = planning->ret;
    const TimeSql *sql = planning->sql;
    TEXT_AUTO(query);
    text_appendf(&query,
                 "select v::text, %s from pg_catalog.generate_series(0, $2::integer - 1) k, lateral (select %s) q (v) "
                 "order by k",
                 sql->number, sql->start);
    char count[DECIMAL_TEXT], length[DECIMAL_TEXT], seconds[DECIMAL_TEXT];
    ROWS_AUTO(rows);
    if (!conn_query(planning->conn, text_str(&query), 4,
                    (const char *const[]){ret->from, decimal_text((int64_t)ret->count, count),
                                          decimal_text((int64_t)planning->length, length),
                                          decimal_text((int64_t)planning->seconds, seconds)},
                    &rows, err))
        return false;
    ret->chunks = arena_array(planning->arena, ret->count, sizeof *ret->chunks);
    ret->count = 0;
    BackfillChunk *last = NULL;
    for (int i = 0; i < rows_count(rows); i++) {
        int64_t from = rows_int(rows, i, 1);
        if (from >= planning->range.to || (last && from <= last->range.from))
            continue;
        const char *text = arena_strdup(planning->arena, rows_get(rows, i, 0));
        if (last) {
            last->range.to = from;
            last->to = text;
        }
        last = &ret->chunks[ret->count++];
        *last = (BackfillChunk){
            .backfill = ret, .nth = (int)ret->count, .from = text, .to = ret->to, .range = {from, planning->range.to}};
    }
    return true;
}

static void tell_reads(Planning *planning)
{
    const SqlReach *reach = &planning->decided.reach;
    Backfill *ret = planning->ret;
    Touched all = {0};
    ranges_add(&all.ranges, planning->range.from, planning->range.to);
    ret->reads = arena_array(planning->arena, reach->input_count, sizeof *ret->reads);
    for (size_t i = 0; i < reach->input_count; i++) {
        const ReachInput *input = &reach->inputs[i];
        Touched needed;
        TEXT_AUTO(times);
        reach_needed(reach, i, &all, &needed);
        decide_times(&needed, input->relation->time_type, &times);
        bool told = false;
        for (size_t j = 0; j < ret->read_count; j++)
            told = told || (str_eq(ret->reads[j].label, input->relation->label) &&
                            str_eq(ret->reads[j].times, text_str(&times)));
        if (!told)
            ret->reads[ret->read_count++] =
                (BackfillRead){input->relation->label, arena_strdup(planning->arena, text_str(&times))};
    }
}

/* --- an earlier call ------------------------------------------------------------------------------------------- */

static bool find(Conn *conn, Backfill *backfill, Error *err)
{
    ARRAY_AUTO(starts);
    for (size_t i = 0; i < backfill->count; i++)
        array_add(&starts, backfill->chunks[i].from);
    const Node *node = backfill->node;
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_backfill_find, 6,
                    (const char *const[]){node->schema, node->table, backfill->from, backfill->to, array_str(&starts),
                                          backfill->step_key},
                    &rows, err))
        return false;
    backfill->id = rows_count(rows) ? rows_int(rows, 0, 0) : 0;
    backfill->rows_before = rows_count(rows) ? rows_int(rows, 0, 1) : 0;
    return true;
}

static bool find_done(Conn *conn, Backfill *backfill, Error *err)
{
    char id[DECIMAL_TEXT];
    ROWS_AUTO(rows);
    if (backfill->id == 0)
        return true;
    if (!conn_query(conn, sql_backfill_done, 1, (const char *const[]){decimal_text(backfill->id, id)}, &rows, err))
        return false;
    backfill->done = (size_t)rows_count(rows);
    for (int i = 0; i < rows_count(rows); i++) {
        BackfillChunk *chunk = &backfill->chunks[rows_int(rows, i, 0) - 1];
        chunk->done = true;
        chunk->done_by = rows_int(rows, i, 1);
        if (chunk->done_by > backfill->done_by)
            backfill->done_by = chunk->done_by;
    }
    return true;
}

/* --- the plan -------------------------------------------------------------------------------------------------- */

static bool check_owner(Planning *planning, Error *err)
{
    const Node *node = planning->ret->node;
    Table table;
    return table_find(planning->conn, node->schema, node->table, planning->arena, &table, err) &&
           own_check(planning->project, node, &table, &planning->survey.nodes[node->order]->relation->known, err);
}

/* Side by side chunks do not see each other's rows. A unique_key has an index, which does. */
static const Check *whole_check(const Node *node, const char *time_column)
{
    for (size_t i = 0; i < node->check_count; i++)
        if (work_needs_whole(time_column, &node->checks[i]))
            return &node->checks[i];
    return NULL;
}

static bool look(Planning *planning, Error *err)
{
    const Node *node = planning->ret->node;
    bool *chosen CLEANUP(mem_free_p) = mem_alloc(planning->project->node_count + 1);
    bool ledger;
    chosen[node->order] = true;
    if (!ledger_exists(planning->conn, &ledger, err) ||
        !survey_take(planning->conn, planning->project, chosen, ledger, NULL, planning->arena, &planning->survey, err))
        return false;
    decide(&planning->survey, node, &(DecideOptions){0}, &planning->decided);
    if (!backfill_possible(&planning->survey, node, &planning->decided, err) || !check_owner(planning, err))
        return false;
    planning->type = planning->decided.time_type;
    planning->sql = &time_sql[planning->type];
    planning->ret->time_column = planning->decided.time_column;
    planning->ret->alone = whole_check(node, planning->decided.time_column);
    planning->ret->step_key = planning->survey.nodes[node->order]->key;
    return true;
}

static bool plan(Planning *planning, Error *err)
{
    if (!look(planning, err) || !read_range(planning, err) || !read_length(planning, err) || !cut(planning, err))
        return false;
    tell_reads(planning);
    return find(planning->conn, planning->ret, err) && find_done(planning->conn, planning->ret, err);
}

bool backfill_plan(Conn *conn, const Project *project, const Node *node, const BackfillCall *call, Arena *arena,
                   Backfill *ret, Error *err)
{
    *ret = (Backfill){.node = node};
    Planning planning CLEANUP(planning_clear) = {
        .conn = conn, .project = project, .call = call, .arena = arena, .ret = ret};
    TxnOptions options = {
        .schema = project->target.schema, .timezone = project->timezone, .repeatable_read = true, .read_only = true};
    if (!check_kind(node, err))
        return false;
    bool good = conn_begin(conn, &options, err) && plan(&planning, err);
    conn_rollback(conn);
    return good;
}

/* --- the record ------------------------------------------------------------------------------------------------ */

/* Chunks do not count the rows of the table; whoever needs to know counts. What was published before cannot be taken
 * back over what they write. */
static bool let_go(Conn *conn, const Node *node, Error *err)
{
    const char *const name[] = {node->schema, node->table};
    return conn_query(conn, "update sluice.relations set rows_total = null where schema_name = $1 and table_name = $2",
                      2, name, NULL, err) &&
           conn_query(conn, "delete from sluice.undo where schema_name = $1 and table_name = $2", 2, name, NULL, err);
}

static bool count_rows(Conn *conn, const Node *node, int64_t *ret, Error *err)
{
    TEXT_AUTO(sql);
    ROWS_AUTO(known);
    ROWS_AUTO(counted);
    if (!conn_query(conn, "select rows_total from sluice.relations where schema_name = $1 and table_name = $2", 2,
                    (const char *const[]){node->schema, node->table}, &known, err))
        return false;
    if (rows_count(known) && rows_get(known, 0, 0)) {
        *ret = rows_int(known, 0, 0);
        return true;
    }
    if (!conn_format(conn, &sql, err, "select count(*) from %I.%I", node->schema, node->table) ||
        !conn_query(conn, text_str(&sql), 0, NULL, &counted, err))
        return false;
    *ret = rows_int(counted, 0, 0);
    return true;
}

static bool begin_anew(Conn *conn, Backfill *backfill, Error *err)
{
    const Node *node = backfill->node;
    ARRAY_AUTO(starts);
    char rows_before[DECIMAL_TEXT];
    for (size_t i = 0; i < backfill->count; i++)
        array_add(&starts, backfill->chunks[i].from);
    if (!conn_query(conn,
                    "update sluice.backfills set ended_at = clock_timestamp() "
                    "where schema_name = $1 and table_name = $2 and ended_at is null",
                    2, (const char *const[]){node->schema, node->table}, NULL, err) ||
        !count_rows(conn, node, &backfill->rows_before, err))
        return false;
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_backfill_begin, 7,
                    (const char *const[]){node->schema, node->table, backfill->from, backfill->to, array_str(&starts),
                                          backfill->step_key, decimal_text(backfill->rows_before, rows_before)},
                    &rows, err))
        return false;
    backfill->id = rows_int(rows, 0, 0);
    return true;
}

static bool begin(const Build *build, Backfill *backfill, Error *err)
{
    const Node *node = backfill->node;
    for (size_t i = 0; i < backfill->count; i++)
        backfill->chunks[i].done = false;
    backfill->done = 0;
    return fence_lock_in_txn(build->conn, node->schema, node->table, build->run_id, build->project->name, build->wait,
                             err) &&
           find(build->conn, backfill, err) && find_done(build->conn, backfill, err) &&
           (backfill->id || begin_anew(build->conn, backfill, err)) && let_go(build->conn, node, err);
}

bool backfill_begin(const Build *build, Backfill *backfill, Error *err)
{
    TxnOptions options = {.schema = build->project->target.schema, .timezone = build->project->timezone};
    bool good = conn_begin(build->conn, &options, err) && begin(build, backfill, err) && conn_commit(build->conn, err);
    if (!good)
        conn_rollback(build->conn);
    return good;
}

bool backfill_end(Conn *conn, const Backfill *backfill, Error *err)
{
    char id[DECIMAL_TEXT];
    return conn_query(conn, sql_backfill_end, 1, (const char *const[]){decimal_text(backfill->id, id)}, NULL, err);
}
