#include "run/backfill_run.h"

#include <inttypes.h>
#include <pthread.h>

#include "base/log.h"
#include "record/fence.h"
#include "record/ledger.h"
#include "run/attempt.h"
#include "run/target.h"

enum { RECONNECTS = 3 };

typedef enum ChunkState { CHUNK_MISSING, CHUNK_BEGUN, CHUNK_ENDED } ChunkState;

typedef struct Backfilling {
    const Project *project;
    const BackfillOptions *options;
    Arena *arena;
    Backfill *backfill;
    Build build; /* as every worker's, but for the connection */
    Conn *conn;  /* the first worker's */
    Conn *guard; /* holds the backfill's lock, and does nothing else */
    Text url;
    Step *steps; /* per chunk; what was begun may be gone on with by another */

    pthread_mutex_t mutex; /* guards all below */
    ChunkState *states;    /* per chunk */
    BackfillSummary *summary;
    size_t at_work; /* workers */
    bool stopped;   /* nothing is begun any more */
    Error failure;  /* why */
} Backfilling;

typedef struct ChunkWorker {
    Backfilling *all;
    Build build;
    Arena arena; /* of one chunk */
    pthread_t thread;
} ChunkWorker;

static void backfilling_clear(Backfilling *all)
{
    conn_close(all->conn);
    conn_close(all->guard);
    text_clear(&all->url);
    pthread_mutex_destroy(&all->mutex);
    error_clear(&all->failure);
}

/* --- one worker ------------------------------------------------------------------------------------------------ */

/* The next chunk; NULL: there is none, or nothing is begun any more. One that is given back is for who comes by. */
static const BackfillChunk *next(Backfilling *all)
{
    const BackfillChunk *chunk = NULL;
    const BackfillListener *listener = &all->options->listener;
    pthread_mutex_lock(&all->mutex);
    for (size_t i = 0; i < all->backfill->count && !all->stopped && !chunk; i++)
        if (all->states[i] == CHUNK_MISSING)
            chunk = &all->backfill->chunks[i];
    if (chunk) {
        all->states[chunk->nth - 1] = CHUNK_BEGUN;
        listener->chunk_begins(chunk, listener->data);
    }
    pthread_mutex_unlock(&all->mutex);
    return chunk;
}

static void count_chunk(BackfillSummary *summary, const StepResult *result)
{
    switch (result->outcome) {
    case STEP_OK:
        summary->ok++;
        break;
    case STEP_UNCHANGED:
        summary->unchanged++;
        break;
    case STEP_FAILED:
    case STEP_BLOCKED:
        summary->failed++;
        break;
    case STEP_SKIPPED:
        summary->skipped++;
        break;
    }
    summary->warnings += result->checks.warnings;
}

static void end_chunk(Backfilling *all, const BackfillChunk *chunk, const StepResult *result)
{
    const BackfillListener *listener = &all->options->listener;
    pthread_mutex_lock(&all->mutex);
    all->states[chunk->nth - 1] = CHUNK_ENDED;
    count_chunk(all->summary, result);
    listener->chunk_ended(chunk, result, listener->data);
    pthread_mutex_unlock(&all->mutex);
}

static void leave_chunk(Backfilling *all, const BackfillChunk *chunk)
{
    const BackfillListener *listener = &all->options->listener;
    pthread_mutex_lock(&all->mutex);
    all->states[chunk->nth - 1] = CHUNK_MISSING;
    listener->chunk_left(chunk, listener->data);
    pthread_mutex_unlock(&all->mutex);
}

static bool some_missing(const Backfilling *all)
{
    for (size_t i = 0; i < all->backfill->count; i++)
        if (all->states[i] == CHUNK_MISSING)
            return true;
    return false;
}

/* A connection that cannot be had ends one worker, anything else the whole. */
static void leave(Backfilling *all, Error *failure)
{
    pthread_mutex_lock(&all->mutex);
    all->at_work--;
    if (all->stopped || failure->code == ERROR_NONE)
        error_clear(failure); /* the first one tells why */
    else if (failure->code == ERROR_CONNECTION && (all->at_work > 0 || !some_missing(all)))
        log_warn("one worker less: %s", failure->message);
    else
        error_move(&all->failure, failure);
    all->stopped = all->stopped || all->failure.code != ERROR_NONE;
    pthread_mutex_unlock(&all->mutex);
}

static void *work(void *arg)
{
    ChunkWorker *worker = arg;
    Backfilling *all = worker->all;
    Attempt attempt = {.build = &worker->build, .url = text_str(&all->url), .arena = &worker->arena};
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

static bool start(ChunkWorker *worker)
{
    Backfilling *all = worker->all;
    pthread_mutex_lock(&all->mutex);
    all->at_work++;
    bool started = pthread_create(&worker->thread, NULL, work, worker) == 0;
    all->at_work -= !started;
    pthread_mutex_unlock(&all->mutex);
    return started;
}

static bool work_all(Backfilling *all, size_t count, Error *err)
{
    ChunkWorker *workers CLEANUP(mem_free_p) = mem_alloc(count * sizeof *workers);
    all->stopped = false;
    all->at_work = 1;
    for (size_t i = 0; i < count; i++) {
        workers[i] = (ChunkWorker){.all = all, .build = all->build};
        workers[i].build.conn = i == 0 ? all->conn : NULL;
        arena_init(&workers[i].arena);
    }
    size_t started = 1;
    while (started < count && start(&workers[started]))
        started++;
    work(&workers[0]);
    all->conn = workers[0].build.conn;
    for (size_t i = 1; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        conn_close(workers[i].build.conn);
    }
    bool good = all->failure.code == ERROR_NONE;
    error_move(err, &all->failure);
    return good;
}

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
    return target_url(all->project, &all->url, err) &&
           target_connect_to(all->project, text_str(&all->url), &all->conn, err);
}

/* The transaction stays open, and is READ COMMITTED: it keeps the lock, also behind a pooler, and no old snapshot. */
static bool guard(Backfilling *all, Error *err)
{
    const Node *node = all->backfill->node;
    conn_close(all->guard);
    all->guard = NULL;
    return target_connect_to(all->project, text_str(&all->url), &all->guard, err) &&
           conn_begin(all->guard, &(TxnOptions){0}, err) &&
           fence_backfill_in_txn(all->guard, node->schema, node->table, all->build.run_id, all->project->name,
                                 all->options->wait, err);
}

static bool begin(Backfilling *all, Error *err)
{
    Build build = all->build;
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
    listener->begun(all->backfill, all->build.run_id, threads, listener->data);
    for (int i = 0;; i++) {
        if (work_all(all, threads, err))
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
    int64_t run_id = all->build.run_id;
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
    const Project *project = all->project;
    LedgerRun row = {
        .project = project->name,
        .target = project->target.name,
        .command = all->options->command,
        .started_at = all->build.started_at,
    };
    if (!ledger_mark_lost(all->conn, project->name, err) || !ledger_run_begin(all->conn, &row, &all->build.run_id, err))
        return false;
    all->summary->run_id = all->build.run_id;
    return true;
}

bool backfill_run(const Project *project, const Node *node, const BackfillOptions *options, Arena *arena,
                  Backfill *ret_backfill, BackfillSummary *ret, Error *err)
{
    *ret = (BackfillSummary){0};
    Backfilling all CLEANUP(backfilling_clear) = {
        .project = project, .options = options, .arena = arena, .backfill = ret_backfill, .summary = ret};
    pthread_mutex_init(&all.mutex, NULL);
    all.build =
        (Build){.project = project, .started_at = clock_now(), .wait = options->wait, .accepted = options->accepted};
    if (!reconnect(&all, err) || !backfill_plan(all.conn, project, node, &options->call, arena, ret_backfill, err) ||
        !ledger_open(all.conn, err) || !record_begin(&all, err))
        return false;
    bool good = fill(&all, err);
    return end(&all, good, err);
}
