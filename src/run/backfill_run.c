#include "run/backfill_run.h"

#include "record/fence.h"
#include "record/ledger.h"
#include "run/target.h"
#include "run/team.h"
#include <inttypes.h>

enum { RECONNECTS = 3 };

typedef enum ChunkState { CHUNK_MISSING, CHUNK_BEGUN, CHUNK_ENDED } ChunkState;

typedef struct Backfilling {
    const Project *project;
    const BackfillOptions *options;
    Arena *arena;
    Backfill *backfill;
    Team team;
    Conn *conn;  /* the first worker's */
    Conn *guard; /* holds the backfill's lock, and does nothing else */
    Text url;
    Step *steps; /* per chunk; what was begun may be gone on with by another */

    /* Guarded by the team's mutex: */
    ChunkState *states; /* per chunk */
    RunSummary *summary;
} Backfilling;

static void backfilling_clear(Backfilling *all)
{
    conn_close(all->conn);
    conn_close(all->guard);
    text_clear(&all->url);
    team_clear(&all->team);
}

/* --- one worker ------------------------------------------------------------------------------------------------ */

/* The next chunk; NULL: there is none, or nothing is begun any more. One that is given back is for who comes by. */
static const BackfillChunk *next(Backfilling *all)
{
    const BackfillChunk *chunk = NULL;
    const BackfillListener *listener = &all->options->listener;
    pthread_mutex_lock(&all->team.mutex);
    for (size_t i = 0; i < all->backfill->count && !all->team.stopped && !chunk; i++)
        if (all->states[i] == CHUNK_MISSING)
            chunk = &all->backfill->chunks[i];
    if (chunk) {
        all->states[chunk->nth - 1] = CHUNK_BEGUN;
        listener->chunk_begins(chunk, listener->data);
    }
    pthread_mutex_unlock(&all->team.mutex);
    return chunk;
}

static void end_chunk(Backfilling *all, const BackfillChunk *chunk, const StepResult *result)
{
    const BackfillListener *listener = &all->options->listener;
    pthread_mutex_lock(&all->team.mutex);
    all->states[chunk->nth - 1] = CHUNK_ENDED;
    run_count(all->summary, result);
    listener->chunk_ended(chunk, result, listener->data);
    pthread_mutex_unlock(&all->team.mutex);
}

static void leave_chunk(Backfilling *all, const BackfillChunk *chunk)
{
    const BackfillListener *listener = &all->options->listener;
    pthread_mutex_lock(&all->team.mutex);
    all->states[chunk->nth - 1] = CHUNK_MISSING;
    listener->chunk_left(chunk, listener->data);
    pthread_mutex_unlock(&all->team.mutex);
}

static bool some_missing(const Backfilling *all)
{
    for (size_t i = 0; i < all->backfill->count; i++)
        if (all->states[i] == CHUNK_MISSING)
            return true;
    return false;
}

static void leave(Backfilling *all, Error *failure)
{
    pthread_mutex_lock(&all->team.mutex);
    team_leave(&all->team, some_missing(all), failure);
    pthread_mutex_unlock(&all->team.mutex);
}

static void *work(void *arg)
{
    TeamMember *worker = arg;
    Backfilling *all = worker->team->owner;
    Attempt attempt = team_attempt(worker);
    ERROR_AUTO(failure);
    const BackfillChunk *chunk;
    bool good = worker->build.conn || attempt_reconnect(&attempt, &failure);
    while (good && (chunk = next(all))) {
        StepResult result = {.total = -1};
        good = attempt_step(&attempt, &all->steps[chunk->nth - 1], &result, &failure);
        if (good)
            end_chunk(all, chunk, &result);
        else
            leave_chunk(all, chunk);
        error_clear(&result.failure);
        arena_clear(&worker->arena);
    }
    leave(all, &failure);
    return NULL;
}

/* --- all of them ----------------------------------------------------------------------------------------------- */

static void prepare(Backfilling *all)
{
    Backfill *backfill = all->backfill;
    all->steps = arena_array(all->arena, backfill->count, sizeof *all->steps);
    all->states = arena_array(all->arena, backfill->count, sizeof *all->states);
    for (size_t i = 0; i < backfill->count; i++) {
        const BackfillChunk *chunk = &backfill->chunks[i];
        all->states[i] = chunk->done ? CHUNK_ENDED : CHUNK_MISSING;
        all->steps[i] = (Step){
            .node = backfill->node,
            .chunk = chunk,
            .logical_run = arena_printf(all->arena, "backfill %" PRId64 " %s", backfill->id, chunk->from),
        };
    }
}

static bool has_conn(const Backfilling *all) { return all->conn && conn_alive(all->conn); }

static bool reconnect(Backfilling *all, Error *err)
{
    conn_close(all->conn);
    all->conn = NULL;
    text_reset(&all->url);
    if (!target_url(all->project, &all->url, err))
        return false;
    all->team.url = text_str(&all->url);
    return target_connect_to(all->project, all->team.url, &all->conn, err);
}

/* The transaction stays open, and is READ COMMITTED: it keeps the lock, also behind a pooler, and no old snapshot. */
static bool guard(Backfilling *all, Error *err)
{
    const Node *node = all->backfill->node;
    conn_close(all->guard);
    all->guard = NULL;
    return target_connect_to(all->project, all->team.url, &all->guard, err) &&
           conn_begin(all->guard, &(TxnOptions){0}, err) &&
           fence_backfill_in_txn(all->guard, node->schema, node->table, all->team.build.run_id, all->project->name,
                                 all->options->wait, err);
}

static bool begin(Backfilling *all, Error *err)
{
    Build build = all->team.build;
    build.conn = all->conn;
    return guard(all, err) && backfill_begin(&build, all->backfill, err);
}

static size_t threads_for(const Backfilling *all)
{
    size_t missing = all->backfill->count - all->backfill->done;
    size_t threads = all->options->threads ? all->options->threads : 1;
    if (all->backfill->alone || missing <= 1)
        return 1;
    return threads < missing ? threads : missing;
}

/* As run.c: where every connection was lost, and the server is the project's own, it may have to be started. */
static bool fill(Backfilling *all, Error *err)
{
    const BackfillListener *listener = &all->options->listener;
    if (!begin(all, err))
        return false;
    size_t threads = threads_for(all);
    prepare(all);
    listener->begun(all->backfill, all->team.build.run_id, threads, listener->data);
    for (int i = 0;; i++) {
        if (team_work(&all->team, threads, work, &all->conn, err))
            return (has_conn(all) || reconnect(all, err)) && backfill_end(all->conn, all->backfill, err);
        if (err->code != ERROR_CONNECTION || all->project->target.url || i == RECONNECTS)
            return false;
        error_clear(err);
        if (!reconnect(all, err) || !guard(all, err))
            return false;
    }
}

/* --- the run --------------------------------------------------------------------------------------------------- */

static const char *outcome_of(const Backfilling *all, const Error *failure)
{
    if (failure->code == ERROR_CANCELLED)
        return "cancelled";
    if (failure->code == ERROR_BUSY)
        return "busy";
    if (failure->code != ERROR_NONE || all->summary->failed)
        return "failed";
    return all->summary->skipped ? "busy" : "ok";
}

/* As run.c does it. */
static bool end(Backfilling *all, bool good, Error *err)
{
    ERROR_AUTO(ending);
    int64_t run_id = all->team.build.run_id;
    if (good && !has_conn(all) && !reconnect(all, err))
        return false;
    if (!has_conn(all))
        return good;
    conn_shield(all->conn, RUN_LAST_WORDS);
    const char *outcome = outcome_of(all, err);
    bool recorded = ledger_run_end(all->conn, run_id, outcome, err, &ending) &&
                    ledger_end_steps(all->conn, run_id, outcome, &ending);
    if (good && !recorded)
        error_move(err, &ending);
    return good && recorded;
}

static bool record_begin(Backfilling *all, Error *err)
{
    if (!run_record_begin(all->conn, all->project, all->options->command, all->team.build.started_at,
                          &all->summary->run_id, err))
        return false;
    all->team.build.run_id = all->summary->run_id;
    return true;
}

bool backfill_run(const Project *project, const Node *node, const BackfillOptions *options, Arena *arena,
                  Backfill *ret_backfill, RunSummary *ret, Error *err)
{
    *ret = (RunSummary){0};
    Backfilling all CLEANUP(backfilling_clear) = {
        .project = project, .options = options, .arena = arena, .backfill = ret_backfill, .summary = ret};
    team_init(&all.team, &all);
    all.team.build =
        (Build){.project = project, .started_at = clock_now(), .wait = options->wait, .accepted = options->accepted};
    if (!reconnect(&all, err) || !backfill_plan(all.conn, project, node, &options->call, arena, ret_backfill, err) ||
        !ledger_open(all.conn, err) || !record_begin(&all, err))
        return false;
    bool good = fill(&all, err);
    return end(&all, good, err);
}
