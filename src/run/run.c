#include "run/run.h"

#include <inttypes.h>

#include "base/log.h"
#include "build/clean.h"
#include "build/due.h"
#include "build/tracking.h"
#include "project/index.h"
#include "record/change.h"
#include "record/ledger.h"
#include "run/target.h"
#include "run/worker.h"

enum { RECONNECTS = 3 };

typedef struct Run {
    const Project *project;
    const RunOptions *options;
    RunSummary *summary;
    Conn *conn;
    Arena arena;
    Text url;
    Crew crew;
    bool *todo;     /* by order */
    Instant *ticks; /* by order, with due */
    bool *clean;    /* by order */
    Survey survey;  /* by which they were judged clean; its nodes are NULL where that was not asked */
} Run;

static void run_clear(Run *run)
{
    crew_clear(&run->crew);
    survey_clear(&run->survey);
    conn_close(run->conn);
    text_clear(&run->url);
    arena_clear(&run->arena);
}

static bool reconnect(Run *run, Error *err)
{
    conn_close(run->conn);
    run->conn = NULL;
    text_reset(&run->url);
    if (!target_url(run->project, &run->url, err))
        return false;
    run->crew.team.url = text_str(&run->url);
    return target_connect_to(run->project, run->crew.team.url, &run->conn, err);
}

/* --- what is to be done ---------------------------------------------------------------------------------------- */

static bool makes_something(const Node *node)
{
    return node_is_external(node) ? node_has_checks(node) || node_is_tracked(node) : !node_is_ephemeral(node);
}

static bool ask_due(Run *run, const Node *node, bool *ret_due, Error *err)
{
    LedgerRelation known;
    *ret_due = false;
    if (!node->schedule)
        return true;
    if (!ledger_relation(run->conn, node->schema, node->table, &run->arena, &known, err))
        return false;
    *ret_due = due_tick(node, &known, run->crew.team.build.started_at, &run->ticks[node->order]);
    return true;
}

static const char *relation_key(Arena *arena, const char *schema, const char *table)
{
    return arena_printf(arena, "%s\x1f%s", schema, table);
}

/* Tables, as schema and name, whose last step did not end well. */
static bool ask_failed(Run *run, Index *failed, Error *err)
{
    ROWS_AUTO(rows);
    if (!ledger_mark_lost(run->conn, run->project->name, err) ||
        !ledger_failed(run->conn, run->project->name, run->project->target.name, &rows, err))
        return false;
    for (int i = 0; i < rows_count(rows); i++)
        index_put(failed, relation_key(&run->arena, rows_get(rows, i, 0), rows_get(rows, i, 1)), failed);
    return true;
}

static bool choose(Run *run, size_t *ret_count, Error *err)
{
    const RunOptions *options = run->options;
    Index failed = {.arena = &run->arena};
    *ret_count = 0;
    if (options->failed && !ask_failed(run, &failed, err))
        return false;
    for (size_t i = 0; i < run->project->node_count; i++) {
        const Node *node = run->project->nodes[i];
        run->todo[i] = options->selection->chosen[i] && makes_something(node);
        if (run->todo[i] && options->failed)
            run->todo[i] = index_get(&failed, relation_key(&run->arena, node->schema, node->table)) != NULL;
        if (run->todo[i] && options->due && !ask_due(run, node, &run->todo[i], err))
            return false;
        *ret_count += run->todo[i];
    }
    return true;
}

/* --- the steps ------------------------------------------------------------------------------------------------- */

static void prepare_steps(Run *run)
{
    bool due = run->options->due;
    const char *by_run = arena_printf(&run->arena, "run %" PRId64, run->summary->run_id);
    for (size_t i = 0; i < run->project->node_count; i++) {
        Step *step = &run->crew.steps[i];
        *step = (Step){.node = run->project->nodes[i], .has_tick = due, .tick = run->ticks[i], .logical_run = by_run};
        if (due && run->todo[i]) {
            char tick[CLOCK_TEXT];
            clock_format_exact(step->tick, tick);
            step->logical_run = arena_printf(&run->arena, "tick %s", tick);
        }
    }
}

/* Where every connection was lost, and the server is the project's own, it may have to be started: that is for one
 * thread alone. */
static bool do_all(Run *run, size_t todo, Error *err)
{
    size_t threads = run->options->threads ? run->options->threads : 1;
    prepare_steps(run);
    queue_init(&run->crew.queue, run->project, run->todo, &run->arena);
    for (int i = 0;; i++) {
        if (crew_work(&run->crew, threads < todo ? threads : todo, &run->conn, err))
            return true;
        if (err->code != ERROR_CONNECTION || run->project->target.url || i == RECONNECTS)
            return false;
        error_clear(err);
        if (!reconnect(run, err))
            return false;
    }
}

/* --- the run --------------------------------------------------------------------------------------------------- */

void run_count(RunSummary *summary, const StepResult *result)
{
    switch (result->outcome) {
    case STEP_OK:
        summary->ok++;
        break;
    case STEP_UNCHANGED:
        summary->unchanged++;
        break;
    case STEP_FAILED:
        summary->failed++;
        break;
    case STEP_BLOCKED:
        summary->blocked++;
        break;
    case STEP_SKIPPED:
        summary->skipped++;
        summary->busy += result->busy;
        break;
    }
    summary->warnings += result->checks.warnings;
}

bool run_record_begin(Conn *conn, const Project *project, const char *command, Instant started_at, int64_t *ret_run_id,
                      Error *err)
{
    LedgerRun row = {
        .project = project->name, .target = project->target.name, .command = command, .started_at = started_at};
    return ledger_mark_lost(conn, project->name, err) && ledger_run_begin(conn, &row, ret_run_id, err);
}

static bool begin(Run *run, Error *err)
{
    Build *build = &run->crew.team.build;
    if (!run_record_begin(run->conn, run->project, run->options->command, build->started_at, &run->summary->run_id,
                          err))
        return false;
    build->run_id = run->summary->run_id;
    return true;
}

static const char *outcome_of(const Run *run, const Error *err)
{
    if (err->code == ERROR_CANCELLED)
        return "cancelled";
    if (err->code != ERROR_NONE || run->summary->failed || run->summary->blocked)
        return "failed";
    return run->summary->busy && !run->options->due ? "busy" : "ok";
}

/* What is up to date already is passed over, unless everything is to be computed anew. */
static bool find_clean(Run *run, Error *err)
{
    const RunOptions *options = run->options;
    if (options->by_hand)
        return true;
    if (!tracking_prepare(run->conn, run->project, run->todo, err))
        return false;
    if (options->full_refresh)
        return true;
    run->crew.team.build.survey = &run->survey;
    return clean_find(run->conn, run->project, run->todo, &run->arena, run->clean, &run->survey, err);
}

/* Those that were passed over: one statement, however many they are. */
static bool record_unchanged(Run *run, Error *err)
{
    const Crew *crew = &run->crew;
    LedgerSkip *skips = arena_array(&run->arena, crew->unchanged_count, sizeof *skips);
    if (crew->unchanged_count == 0)
        return true;
    for (size_t i = 0; i < crew->unchanged_count; i++) {
        const Node *node = crew->unchanged[i];
        const SurveyNode *about = run->survey.nodes[node->order];
        skips[i] = (LedgerSkip){
            .step = step_ledger(&crew->team.build, &crew->steps[node->order]),
            .reason = step_unchanged_reason(node),
            .key = about->key,
            .judged = about->relation->known.snapshot,
        };
    }
    return ledger_steps_unchanged(run->conn, skips, crew->unchanged_count, run->survey.snapshot, err);
}

static bool record_end(Run *run, const Error *failure, Error *err)
{
    const char *outcome = outcome_of(run, failure);
    return record_unchanged(run, err) && ledger_run_end(run->conn, run->summary->run_id, outcome, failure, err) &&
           ledger_end_steps(run->conn, run->summary->run_id, outcome, err);
}

/* Of runs that find nothing to do, which are the most, one in so many: to look is a tenth of their time. */
static bool prunes(const Run *run)
{
    enum { SELDOM = 16 };
    return run->summary->ok + run->summary->failed > 0 || run->summary->run_id % SELDOM == 0;
}

/* Recorded even when the run was cancelled, and over a new connection where the last step's was lost after it. Where
 * there is none to be had the run stays `running`, and the next one finds its process gone. */
static bool end(Run *run, bool good, Error *err)
{
    ERROR_AUTO(ending);
    if (good && !conn_alive(run->conn) && !reconnect(run, err))
        return false;
    if (!run->conn || !conn_alive(run->conn))
        return good;
    conn_shield(run->conn, RUN_LAST_WORDS);
    bool recorded = record_end(run, err, &ending);
    if (recorded && prunes(run) && (!ledger_prune(run->conn, &ending) || !change_prune(run->conn, &ending)))
        log_warn("old records were not removed from the ledger: %s", ending.message);
    if (good && !recorded)
        error_move(err, &ending);
    return good && recorded;
}

bool run_project(const Project *project, const RunOptions *options, RunSummary *ret, Error *err)
{
    *ret = (RunSummary){0};
    Run run CLEANUP(run_clear) = {.project = project, .options = options, .summary = ret};
    crew_init(&run.crew);
    size_t count = project->node_count, todo;
    run.todo = arena_array(&run.arena, count, sizeof *run.todo);
    run.ticks = arena_array(&run.arena, count, sizeof *run.ticks);
    run.clean = arena_array(&run.arena, count, sizeof *run.clean);
    run.crew.project = project;
    run.crew.options = options;
    run.crew.summary = ret;
    run.crew.clean = run.clean;
    run.crew.steps = arena_array(&run.arena, count, sizeof *run.crew.steps);
    run.crew.unchanged = arena_array(&run.arena, count, sizeof *run.crew.unchanged);
    run.crew.team.build = (Build){.project = project,
                                  .started_at = clock_now(),
                                  .wait = options->wait,
                                  .due = options->due,
                                  .by_hand = options->by_hand,
                                  .full_refresh = options->full_refresh,
                                  .accepted = options->accepted};
    if (!reconnect(&run, err) || !ledger_open(run.conn, err) || !choose(&run, &todo, err))
        return false;
    if (todo == 0)
        return true;
    if (!begin(&run, err))
        return false;
    bool good = find_clean(&run, err) && do_all(&run, todo, err);
    return end(&run, good, err);
}
