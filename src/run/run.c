#include "run/run.h"

#include <inttypes.h>

#include "base/log.h"
#include "build/due.h"
#include "record/ledger.h"
#include "run/target.h"

enum { RECONNECTS = 3 };

typedef enum NodeState { STATE_IDLE, STATE_GOOD, STATE_BAD, STATE_BUSY } NodeState;

typedef struct Run {
    const Project *project;
    const RunOptions *options;
    RunSummary *summary;
    Build build;
    Conn *conn;
    Arena arena;
    NodeState *states;     /* by order */
    const Node **culprits; /* by order: of a state that is passed on, whose it is */
    bool *todo;            /* by order */
    Instant *ticks;        /* by order, with due */
} Run;

static void run_clear(Run *run)
{
    conn_close(run->conn);
    arena_clear(&run->arena);
}

/* --- what is to be done ---------------------------------------------------------------------------------------- */

static bool makes_something(const Node *node)
{
    return node_is_external(node) ? node_has_checks(node) : !node_is_ephemeral(node);
}

static bool ask_due(Run *run, const Node *node, bool *ret_due, Error *err)
{
    LedgerRelation known;
    *ret_due = false;
    if (!node->schedule)
        return true;
    if (!ledger_relation(run->conn, node->schema, node->table, &run->arena, &known, err))
        return false;
    *ret_due = due_tick(node, &known, run->build.started_at, &run->ticks[node->order]);
    return true;
}

static bool choose(Run *run, size_t *ret_count, Error *err)
{
    *ret_count = 0;
    for (size_t i = 0; i < run->project->node_count; i++) {
        const Node *node = run->project->nodes[i];
        run->todo[i] = run->options->selection->chosen[i] && makes_something(node);
        if (run->todo[i] && run->options->due && !ask_due(run, node, &run->todo[i], err))
            return false;
        *ret_count += run->todo[i];
    }
    return true;
}

/* --- one step -------------------------------------------------------------------------------------------------- */

static void count(Run *run, const StepResult *result)
{
    RunSummary *summary = run->summary;
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

static void end_step(Run *run, const Node *node, const StepResult *result)
{
    static const NodeState states[] = {
        [STEP_OK] = STATE_GOOD,     [STEP_UNCHANGED] = STATE_GOOD, [STEP_FAILED] = STATE_BAD,
        [STEP_BLOCKED] = STATE_BAD, [STEP_SKIPPED] = STATE_GOOD,
    };
    run->states[node->order] = result->busy ? STATE_BUSY : states[result->outcome];
    run->culprits[node->order] = node;
    count(run, result);
    if (run->options->listener.step_ended)
        run->options->listener.step_ended(node, result, run->options->listener.data);
}

static Step step_of(Run *run, const Node *node)
{
    Step step = {.node = node, .has_tick = run->options->due, .tick = run->ticks[node->order]};
    char tick[CLOCK_TEXT];
    clock_format_exact(step.tick, tick);
    step.logical_run = step.has_tick ? arena_printf(&run->arena, "tick %s", tick)
                                     : arena_printf(&run->arena, "run %" PRId64, run->build.run_id);
    return step;
}

static bool reconnect(Run *run, Error *err)
{
    conn_close(run->conn);
    run->conn = run->build.conn = NULL;
    if (!target_connect(run->project, &run->conn, err))
        return false;
    run->build.conn = run->conn;
    return true;
}

/* After err: whether it was a lost connection, and there is a new one. */
static bool regain(Run *run, const Node *node, Error *err)
{
    if (err->code != ERROR_CONNECTION)
        return false;
    log_warn("%s: %s; trying again", node->name, err->message);
    error_clear(err);
    return reconnect(run, err);
}

/* After a lost connection: the step again, which finds out whether its COMMIT took place. */
static bool step_with_retry(Run *run, Step *step, StepResult *ret, Error *err)
{
    for (int i = 0;; i++) {
        if (step_run(&run->build, step, &run->arena, ret, err))
            return true;
        if (i == RECONNECTS || !regain(run, step->node, err))
            return false;
        step->again = true;
    }
}

/* Why a node cannot be built in this run, or NULL: the name of an input that was not. Through ephemeral models. */
static const Node *bad_input(Run *run, const Node *node, NodeState *ret_state)
{
    for (size_t i = 0; i < node->input_count; i++) {
        NodeState state = run->states[node->inputs[i]->order];
        if (state == STATE_BAD || state == STATE_BUSY) {
            *ret_state = state;
            return run->culprits[node->inputs[i]->order];
        }
    }
    return NULL;
}

static bool hold_back(Run *run, const Node *node, const Node *input, NodeState why, Error *err)
{
    Step step = step_of(run, node);
    bool busy = why == STATE_BUSY;
    StepResult result = {
        .outcome = busy ? STEP_SKIPPED : STEP_BLOCKED,
        .busy = busy,
        .total = -1,
        .reason = arena_printf(&run->arena, busy ? "%s is being built by another run" : "%s failed", input->name),
    };
    if (!step_record_unrun(&run->build, &step, &result, err))
        return false;
    end_step(run, node, &result);
    return true;
}

/* A connection that was lost since the last step is opened again. */
static bool begin_step(Run *run, Step *step, Error *err)
{
    return step_begin(&run->build, step, err) || (regain(run, step->node, err) && step_begin(&run->build, step, err));
}

static bool do_node(Run *run, const Node *node, Error *err)
{
    NodeState why = STATE_IDLE;
    const Node *input = bad_input(run, node, &why);
    if (!run->todo[node->order]) {
        run->states[node->order] = input && node_is_ephemeral(node) ? why : STATE_IDLE;
        run->culprits[node->order] = input;
        return true;
    }
    if (input)
        return hold_back(run, node, input, why, err);
    Step step = step_of(run, node);
    StepResult result = {.total = -1};
    if (run->options->listener.step_begins)
        run->options->listener.step_begins(node, run->options->listener.data);
    if (!begin_step(run, &step, err) || !step_with_retry(run, &step, &result, err)) {
        error_clear(&result.failure);
        return false;
    }
    end_step(run, node, &result);
    error_clear(&result.failure);
    return true;
}

/* --- the run --------------------------------------------------------------------------------------------------- */

static bool begin(Run *run, Error *err)
{
    const Project *project = run->project;
    LedgerRun row = {
        .project = project->name,
        .target = project->target.name,
        .command = run->options->command,
        .started_at = run->build.started_at,
    };
    if (!ledger_mark_lost(run->conn, project->name, err) ||
        !ledger_run_begin(run->conn, &row, &run->summary->run_id, err))
        return false;
    run->build.run_id = run->summary->run_id;
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

static bool record_end(Run *run, const Error *failure, Error *err)
{
    const char *outcome = outcome_of(run, failure);
    return ledger_run_end(run->conn, run->summary->run_id, outcome, failure, err) &&
           ledger_end_steps(run->conn, run->summary->run_id, outcome, err);
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
    if (recorded && !ledger_prune(run->conn, &ending))
        log_warn("old runs were not removed from the ledger: %s", ending.message);
    if (good && !recorded)
        error_move(err, &ending);
    return good && recorded;
}

static bool do_all(Run *run, Error *err)
{
    for (size_t i = 0; i < run->project->node_count; i++)
        if (!do_node(run, run->project->nodes[i], err))
            return false;
    return true;
}

bool run_project(const Project *project, const RunOptions *options, RunSummary *ret, Error *err)
{
    *ret = (RunSummary){0};
    Run run CLEANUP(run_clear) = {.project = project, .options = options, .summary = ret};
    run.states = arena_array(&run.arena, project->node_count, sizeof *run.states);
    run.culprits = arena_array(&run.arena, project->node_count, sizeof *run.culprits);
    run.todo = arena_array(&run.arena, project->node_count, sizeof *run.todo);
    run.ticks = arena_array(&run.arena, project->node_count, sizeof *run.ticks);
    if (!target_connect(project, &run.conn, err) || !ledger_open(run.conn, err))
        return false;
    run.build = (Build){.conn = run.conn,
                        .project = project,
                        .started_at = clock_now(),
                        .wait = options->wait,
                        .due = options->due,
                        .by_hand = options->by_hand};
    size_t todo;
    if (!choose(&run, &todo, err))
        return false;
    if (todo == 0)
        return true;
    if (!begin(&run, err))
        return false;
    bool good = do_all(&run, err);
    return end(&run, good, err);
}
