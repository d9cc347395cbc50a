#include "record/track.h"

#include <string.h>

#include "base/clock.h"
#include "pg/rows.h"
#include "record/ledger.h"
#include "record/statements.h"

/* Of each attempt, in milliseconds: while a lock is waited for, those who come after wait behind. */
enum { LOCK_TIMEOUT = 2000, LOCK_TRIES = 3, LOCK_PAUSE = 300 * 1000 };

static const struct {
    const char *name, *event, *referencing;
} triggers[] = {
    {"sluice_track_insert", "insert", "referencing new table as sluice_new "},
    {"sluice_track_update", "update", "referencing old table as sluice_old new table as sluice_new "},
    {"sluice_track_delete", "delete", "referencing old table as sluice_old "},
    {"sluice_track_truncate", "truncate", ""},
};
enum { TRIGGERS = sizeof triggers / sizeof *triggers };

/* --- the function behind the triggers -------------------------------------------------------------------------- */

/* The body of sql/track_body.sql: @ranges:type@ replaced by the query of that type's ranges, @number:type@ by the
 * expression of one. */
static void make_body(Text *out)
{
    static const struct {
        const char *name;
        SqlTimeType type;
    } types[] = {
        {"date@", SQL_TIME_DATE},
        {"timestamp@", SQL_TIME_TIMESTAMP},
        {"timestamptz@", SQL_TIME_TIMESTAMPTZ},
        {"integer@", SQL_TIME_INTEGER},
    };
    static const char ranges[] = "@ranges:", number[] = "@number:";
    for (const char *p = sql_track_body; *p;) {
        bool whole = str_starts(p, ranges), one = str_starts(p, number);
        if (!whole && !one) {
            text_append_char(out, *p++);
            continue;
        }
        p += whole ? strlen(ranges) : strlen(number);
        size_t i = 0;
        while (i < sizeof types / sizeof *types - 1 && !str_starts(p, types[i].name))
            i++;
        if (whole)
            change_ranges_sql(types[i].type, "(%s) v", out);
        else
            change_number_sql(types[i].type, out);
        p += strlen(types[i].name);
    }
}

static bool has_function(Conn *conn, const char *body, bool *ret_has, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_track_function, 1, (const char *const[]){body}, &rows, err))
        return false;
    *ret_has = rows_bool(rows, 0, 0);
    return true;
}

/* To call it is to write what the ledger says of any table: only its owner hangs it behind a trigger. */
static bool need_function(Conn *conn, Error *err)
{
    TEXT_AUTO(body);
    make_body(&body);
    bool has = false;
    if (!has_function(conn, text_str(&body), &has, err) || has)
        return has;
    if (!ledger_lock_in_txn(conn, err) || !has_function(conn, text_str(&body), &has, err) || has)
        return has;
    TEXT_AUTO(sql);
    text_appendf(&sql,
                 "create or replace function sluice.track() returns trigger language plpgsql security definer "
                 "set search_path = pg_catalog, pg_temp as $sluice$%s$sluice$; "
                 "revoke all on function sluice.track() from public",
                 text_str(&body));
    return conn_exec(conn, text_str(&sql), err);
}

/* --- what cannot be tracked ------------------------------------------------------------------------------------ */

/* Columns of sql/track_members.sql. */
enum { M_SCHEMA, M_NAME, M_KIND, M_PERSISTENCE, M_OWNED, M_SYSTEM, M_PARENT };

static const char *kind_trouble(char kind)
{
    switch (kind) {
    case 'r':
    case 'p':
        return NULL;
    case 'v':
        return "is a view";
    case 'm':
        return "is a materialized view";
    case 'f':
        return "is a foreign table, whose rows are written elsewhere";
    default:
        return "is no table";
    }
}

static bool refuse(const Rows *members, int row, const char *why, const char *hint, Error *err)
{
    error_set(err, ERROR_FAILED, "changes: trigger: %s.%s %s", rows_get(members, row, M_SCHEMA),
              rows_get(members, row, M_NAME), why);
    if (row > 0)
        error_detail(err, "it is a part of %s.%s", rows_get(members, 0, M_SCHEMA), rows_get(members, 0, M_NAME));
    return error_hint(err, "%s", hint);
}

static bool can_track(const Rows *members, int row, Error *err)
{
    static const char without[] = "leave out 'changes': then every step that reads the table computes everything";
    const char *trouble = kind_trouble(rows_get(members, row, M_KIND)[0]);
    if (trouble)
        return refuse(members, row, trouble, without, err);
    if (rows_bool(members, row, M_SYSTEM))
        return refuse(members, row, "belongs to the system", without, err);
    if (rows_get(members, row, M_PERSISTENCE)[0] == 'u')
        return refuse(members, row, "is unlogged: a crash empties it, and no trigger sees that",
                      "alter table ... set logged, or leave out 'changes'", err);
    if (rows_get(members, row, M_PERSISTENCE)[0] == 't')
        return refuse(members, row, "is a temporary table", without, err);
    if (rows_get(members, row, M_PARENT)) {
        TEXT_AUTO(why);
        text_appendf(&why, "is a part of %s: what is written there does not reach its triggers",
                     rows_get(members, row, M_PARENT));
        return refuse(members, row, text_str(&why), "name the whole table as the source", err);
    }
    if (!rows_bool(members, row, M_OWNED))
        return refuse(members, row, "belongs to another role: only its owner can have triggers fire always",
                      "run as a member of the role that owns the table, or leave out 'changes'", err);
    return true;
}

/* Statement triggers do not fire for what logical replication writes. Who may not read which tables it writes is not
 * told; PostgreSQL lets everybody read it unless somebody took that away. */
static bool is_subscribed(Conn *conn, const ChangeTable *table, bool *ret, Error *err)
{
    ROWS_AUTO(may);
    *ret = false;
    if (!conn_query(conn, "select pg_catalog.has_table_privilege('pg_catalog.pg_subscription_rel', 'select')", 0, NULL,
                    &may, err))
        return false;
    if (!rows_bool(may, 0, 0))
        return true;
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_track_subscribed, 2, (const char *const[]){table->schema, table->name}, &rows, err))
        return false;
    *ret = rows_bool(rows, 0, 0);
    return true;
}

/* The table and all that inherit from it. False where it cannot be tracked. */
static bool find_members(Conn *conn, const ChangeTable *table, Rows **ret_members, Error *err)
{
    bool subscribed;
    if (!conn_query(conn, sql_track_members, 2, (const char *const[]){table->schema, table->name}, ret_members, err))
        return false;
    if (rows_count(*ret_members) == 0) {
        error_set(err, ERROR_FAILED, "changes: trigger: there is no table %s.%s", table->schema, table->name);
        return error_hint(err, "others make and write it: let them make it first");
    }
    for (int row = 0; row < rows_count(*ret_members); row++)
        if (!can_track(*ret_members, row, err))
            return false;
    if (!is_subscribed(conn, table, &subscribed, err))
        return false;
    if (subscribed)
        return refuse(*ret_members, 0, "is written by logical replication, for which these triggers do not fire",
                      "leave out 'changes': then every step that reads the table computes everything", err);
    return true;
}

/* --- state ----------------------------------------------------------------------------------------------------- */

typedef struct State {
    bool holds;
    bool ours;     /* recorded as of this project and node */
    bool recorded; /* at all */
} State;

static bool find_state(Conn *conn, const TrackTable *track, State *ret, Error *err)
{
    const ChangeTable *table = &track->table;
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_track_state, 2, (const char *const[]){table->schema, table->name}, &rows, err))
        return false;
    const char *recorded = rows_get(rows, 0, 0);
    *ret = (State){
        .holds = recorded && str_eq(recorded, rows_get(rows, 0, 4)) && str_eq(rows_get(rows, 0, 1), table->time_column),
        .recorded = recorded != NULL,
        .ours = str_eq(rows_get(rows, 0, 2), track->project) && str_eq(rows_get(rows, 0, 3), track->node),
    };
    return true;
}

bool track_holds(Conn *conn, const TrackTable *track, bool *ret_holds, Error *err)
{
    State state;
    bool subscribed;
    if (!find_state(conn, track, &state, err) || !is_subscribed(conn, &track->table, &subscribed, err))
        return false;
    *ret_holds = state.holds && !subscribed;
    return true;
}

/* --- putting triggers there ------------------------------------------------------------------------------------ */

/* CREATE OR REPLACE takes the lock that is held already; to drop would keep readers out. */
static bool append_triggers(Conn *conn, const ChangeTable *table, const char *schema, const char *name, Text *sql,
                            Error *err)
{
    for (size_t i = 0; i < TRIGGERS; i++) {
        if (!conn_format(conn, sql, err,
                         "create or replace trigger %s after %s on %I.%I %sfor each statement "
                         "execute function sluice.track(%L, %L",
                         triggers[i].name, triggers[i].event, schema, name, triggers[i].referencing, table->schema,
                         table->name) ||
            (table->time_column && !conn_format(conn, sql, err, ", %L", table->time_column)))
            return false;
        text_append(sql, ");\n");
    }
    if (!conn_format(conn, sql, err, "alter table only %I.%I", schema, name))
        return false;
    for (size_t i = 0; i < TRIGGERS; i++)
        text_appendf(sql, "%s enable always trigger %s", i > 0 ? "," : "", triggers[i].name);
    text_append(sql, ";\n");
    return true;
}

/* members_too: else only those of tables that are no part of it any more, where we may. */
static bool append_drops(Conn *conn, const char *schema, const char *name, bool members_too, Text *sql, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_track_triggers, 2, (const char *const[]){schema, name}, &rows, err))
        return false;
    for (int row = 0; row < rows_count(rows); row++) {
        bool member = rows_bool(rows, row, 3), owned = rows_bool(rows, row, 4);
        if (!members_too && (member || !owned))
            continue;
        if (!conn_format(conn, sql, err, "drop trigger %I on %I.%I;\n", rows_get(rows, row, 2), rows_get(rows, row, 0),
                         rows_get(rows, row, 1)))
            return false;
    }
    return true;
}

/* Before the triggers stood, anything may have changed: the lock waits for writers at work, and the entry is not seen
 * by any snapshot in which they were. */
static bool record_tracked(Conn *conn, const TrackTable *track, Error *err)
{
    const ChangeTable *table = &track->table;
    ROWS_AUTO(rows);
    if (!conn_query(conn, sql_track_state, 2, (const char *const[]){table->schema, table->name}, &rows, err) ||
        !conn_query(conn,
                    "insert into sluice.tracked (schema_name, table_name, project, node, time_column, fingerprint) "
                    "values ($1, $2, $3, $4, $5, $6) on conflict (schema_name, table_name) do update set "
                    "project = $3, node = $4, time_column = $5, fingerprint = $6, installed_at = now()",
                    6,
                    (const char *const[]){table->schema, table->name, track->project, track->node, table->time_column,
                                          rows_get(rows, 0, 4)},
                    NULL, err))
        return false;
    ChangeEntry entry = {.schema = table->schema, .table = table->name, .everything = true};
    return change_record_in_txn(conn, &entry, err);
}

static bool put_triggers(Conn *conn, const TrackTable *track, Error *err)
{
    const ChangeTable *table = &track->table;
    ROWS_AUTO(members);
    TEXT_AUTO(lock);
    TEXT_AUTO(sql);
    if (!conn_format(conn, &lock, err, "lock table %I.%I in share row exclusive mode", table->schema, table->name) ||
        !conn_exec(conn, text_str(&lock), err) || !find_members(conn, table, &members, err))
        return false;
    for (int row = 0; row < rows_count(members); row++)
        if (!append_triggers(conn, table, rows_get(members, row, M_SCHEMA), rows_get(members, row, M_NAME), &sql, err))
            return false;
    return append_drops(conn, table->schema, table->name, false, &sql, err) && conn_exec(conn, text_str(&sql), err) &&
           record_tracked(conn, track, err);
}

/* Another project, or this one under another name, looks after it from now on. */
static bool take_over(Conn *conn, const TrackTable *track, Error *err)
{
    const ChangeTable *table = &track->table;
    return conn_query(conn,
                      "update sluice.tracked set project = $3, node = $4 where schema_name = $1 and table_name = $2", 4,
                      (const char *const[]){table->schema, table->name, track->project, track->node}, NULL, err);
}

static bool install(Conn *conn, const TrackTable *track, TrackChange *ret_change, Error *err)
{
    ROWS_AUTO(members);
    State state;
    *ret_change = TRACK_HELD;
    if (!find_members(conn, &track->table, &members, err) || !need_function(conn, err) ||
        !find_state(conn, track, &state, err))
        return false;
    if (state.holds)
        return state.ours || take_over(conn, track, err);
    *ret_change = state.recorded ? TRACK_RENEWED : TRACK_INSTALLED;
    return put_triggers(conn, track, err);
}

/* --- transactions of their own --------------------------------------------------------------------------------- */

typedef bool (*Attempt)(Conn *conn, const TrackTable *track, TrackChange *ret_change, Error *err);

static bool may_pass(const Error *err)
{
    return str_eq(err->sqlstate, "55P03") || str_eq(err->sqlstate, "40P01") || str_eq(err->sqlstate, "40001");
}

static bool in_txn(Conn *conn, Attempt attempt, const TrackTable *track, TrackChange *ret_change, Error *err)
{
    for (int i = 1;; i++) {
        if (conn_begin(conn, &(TxnOptions){.lock_timeout = LOCK_TIMEOUT}, err) &&
            attempt(conn, track, ret_change, err) && conn_commit(conn, err))
            return true;
        conn_rollback(conn);
        if (!may_pass(err) || i == LOCK_TRIES)
            return false;
        clock_sleep(LOCK_PAUSE);
        error_clear(err);
    }
}

bool track_install(Conn *conn, const TrackTable *track, TrackChange *ret_change, Error *err)
{
    if (in_txn(conn, install, track, ret_change, err))
        return true;
    if (err->code != ERROR_FAILED)
        return false;
    if (may_pass(err))
        error_hint(err, "transactions that write %s.%s did not end in time; the next run tries again",
                   track->table.schema, track->table.name);
    else if (str_eq(err->sqlstate, "42501"))
        error_hint(err, "tracking a table takes its owner's rights, and on function sluice.track() those of who made "
                        "it; see docs/ledger.md");
    return error_place(err, track->file, track->line, track->column_number);
}

static bool remove_one(Conn *conn, const TrackTable *track, TrackChange *ret_change, Error *err)
{
    const ChangeTable *table = &track->table;
    TEXT_AUTO(sql);
    (void)ret_change;
    return append_drops(conn, table->schema, table->name, true, &sql, err) &&
           (sql.len == 0 || conn_exec(conn, text_str(&sql), err)) &&
           conn_query(conn, "delete from sluice.tracked where schema_name = $1 and table_name = $2", 2,
                      (const char *const[]){table->schema, table->name}, NULL, err);
}

static bool is_kept(const TrackTable *keep, size_t count, const char *schema, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (keep[i].trigger && str_eq(keep[i].table.schema, schema) && str_eq(keep[i].table.name, name))
            return true;
    return false;
}

bool track_remove_others(Conn *conn, const char *project, const TrackTable *keep, size_t count, Error *err)
{
    ROWS_AUTO(rows);
    if (!conn_query(conn, "select schema_name, table_name from sluice.tracked where project = $1 order by 1, 2", 1,
                    (const char *const[]){project}, &rows, err))
        return false;
    for (int row = 0; row < rows_count(rows); row++) {
        const char *schema = rows_get(rows, row, 0), *name = rows_get(rows, row, 1);
        TrackTable track = {.table = {.schema = schema, .name = name}};
        TrackChange change;
        if (is_kept(keep, count, schema, name) || in_txn(conn, remove_one, &track, &change, err))
            continue;
        return error_prefix(err, "taking the triggers off %s.%s: ", schema, name);
    }
    return true;
}

/* --- by column ------------------------------------------------------------------------------------------------- */

static bool read_recent(Conn *conn, const TrackTable *track, const char *snapshot, SqlTimeType type, Touched *ret,
                        Error *err)
{
    const ChangeTable *table = &track->table;
    ROWS_AUTO(rows);
    TEXT_AUTO(sql);
    const char *column = type == SQL_TIME_NONE ? track->column : table->time_column;
    if (!conn_format(conn, &sql, err,
                     "with recent as materialized (select %I as t from %I.%I where pg_catalog.age(xmin) <= "
                     "(select pg_catalog.age(pg_catalog.pg_snapshot_xmin($1::pg_snapshot)::xid))) select ",
                     column, table->schema, table->name))
        return false;
    change_ranges_sql(type, "recent", &sql);
    text_append(&sql, ", exists (select from recent where t is null), exists (select from recent)");
    if (!conn_query(conn, text_str(&sql), 1, (const char *const[]){snapshot}, &rows, err))
        return false;
    ret->nulls = type != SQL_TIME_NONE && rows_bool(rows, 0, 1);
    ret->everything =
        type == SQL_TIME_NONE ? rows_bool(rows, 0, 2) : !change_ranges_read(rows_get(rows, 0, 0), type, &ret->ranges);
    return true;
}

bool track_by_column(Conn *conn, const TrackTable *track, const char *snapshot, Touched *ret, Error *err)
{
    const ChangeTable *table = &track->table;
    *ret = (Touched){.everything = true};
    if (!snapshot)
        return true;
    ROWS_AUTO(rows);
    const char *const params[] = {table->schema, table->name, track->column, table->time_column, snapshot};
    if (!conn_query(conn, sql_track_column, 5, params, &rows, err))
        return false;
    SqlTimeType type = table->time_column ? table->time_type : SQL_TIME_NONE;
    const char *actual = rows_get(rows, 0, 1);
    if (!rows_bool(rows, 0, 0) || (type != SQL_TIME_NONE && (!actual || sql_time_type(actual) != type)))
        return true;
    *ret = (Touched){0};
    return read_recent(conn, track, snapshot, type, ret, err);
}
