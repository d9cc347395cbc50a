#include "run/worker.h"

void crew_init(Crew *crew)
{
    team_init(&crew->team, crew);
    pthread_cond_init(&crew->news, NULL);
}

void crew_clear(Crew *crew)
{
    pthread_cond_destroy(&crew->news);
    team_clear(&crew->team);
}

/* --- under the mutex ------------------------------------------------------------------------------------------- */

static void tell_begin(Crew *crew, const Node *node)
{
    pthread_mutex_lock(&crew->team.mutex);
    if (crew->options->listener.step_begins)
        crew->options->listener.step_begins(node, crew->options->listener.data);
    pthread_mutex_unlock(&crew->team.mutex);
}

static void tell_left(Crew *crew, const Node *node)
{
    pthread_mutex_lock(&crew->team.mutex);
    if (crew->options->listener.step_left)
        crew->options->listener.step_left(node, crew->options->listener.data);
    pthread_mutex_unlock(&crew->team.mutex);
}

static void end_step(Crew *crew, const Node *node, const StepResult *result)
{
    static const QueueEnd ends[] = {
        [STEP_OK] = QUEUE_GOOD,     [STEP_UNCHANGED] = QUEUE_GOOD, [STEP_FAILED] = QUEUE_BAD,
        [STEP_BLOCKED] = QUEUE_BAD, [STEP_SKIPPED] = QUEUE_GOOD,
    };
    pthread_mutex_lock(&crew->team.mutex);
    queue_end(&crew->queue, node, result->busy ? QUEUE_BUSY : ends[result->outcome], result->outcome == STEP_OK);
    if (result->outcome == STEP_FAILED && !crew->failed)
        crew->failed = node;
    run_count(crew->summary, result);
    if (crew->options->listener.step_ended)
        crew->options->listener.step_ended(node, result, crew->options->listener.data);
    pthread_cond_broadcast(&crew->news);
    pthread_mutex_unlock(&crew->team.mutex);
}

/* The next step, waited for; NULL: none is left, or the run is stopped. */
static const Node *next(Crew *crew)
{
    const Node *node = NULL;
    pthread_mutex_lock(&crew->team.mutex);
    while (!crew->team.stopped && !(node = queue_take(&crew->queue)) && !queue_done(&crew->queue))
        pthread_cond_wait(&crew->news, &crew->team.mutex);
    pthread_mutex_unlock(&crew->team.mutex);
    return node;
}

/* What is to become of a node that was taken. */
typedef struct Fate {
    const Node *culprit; /* it cannot be built because of this one, which ended so: */
    QueueEnd end;
    const Node *failed; /* nothing is begun any more since this one failed */
    bool clean;         /* it is up to date */
} Fate;

static Fate fate_of(Crew *crew, const Node *node)
{
    Fate fate = {0};
    pthread_mutex_lock(&crew->team.mutex);
    fate.culprit = queue_culprit(&crew->queue, node, &fate.end);
    fate.failed = crew->options->fail_fast ? crew->failed : NULL;
    fate.clean = crew->clean[node->order] && !queue_inputs_changed(&crew->queue, node);
    if (fate.clean && !fate.culprit && !fate.failed)
        crew->unchanged[crew->unchanged_count++] = node;
    pthread_mutex_unlock(&crew->team.mutex);
    return fate;
}

/* node: what it was doing, or NULL. */
static void leave(Crew *crew, const Node *node, Error *failure)
{
    pthread_mutex_lock(&crew->team.mutex);
    if (node && failure->code == ERROR_CONNECTION)
        queue_put_back(&crew->queue, node);
    team_leave(&crew->team, !queue_done(&crew->queue), failure);
    pthread_cond_broadcast(&crew->news);
    pthread_mutex_unlock(&crew->team.mutex);
}

/* --- one node -------------------------------------------------------------------------------------------------- */

static Crew *crew_of(const TeamMember *worker) { return worker->team->owner; }

static bool do_step(TeamMember *worker, Step *step, Error *err)
{
    StepResult result = {.total = -1};
    Attempt attempt = team_attempt(worker);
    tell_begin(crew_of(worker), step->node);
    bool good = attempt_step(&attempt, step, &result, err);
    if (good)
        end_step(crew_of(worker), step->node, &result);
    else
        tell_left(crew_of(worker), step->node);
    error_clear(&result.failure);
    return good;
}

static bool record_unrun(TeamMember *worker, const Step *step, const StepResult *result, Error *err)
{
    Build *build = &worker->build;
    Attempt attempt = team_attempt(worker);
    if (!step_record_unrun(build, step, result, err) &&
        !(attempt_regain(&attempt, step->node->name, err) && step_record_unrun(build, step, result, err)))
        return false;
    end_step(crew_of(worker), step->node, result);
    return true;
}

static bool do_node(TeamMember *worker, const Node *node, Error *err)
{
    Crew *crew = crew_of(worker);
    Step *step = &crew->steps[node->order];
    Fate fate = fate_of(crew, node);
    StepResult result = {.total = -1};
    if (fate.culprit) {
        result.busy = fate.end == QUEUE_BUSY;
        result.outcome = result.busy ? STEP_SKIPPED : STEP_BLOCKED;
        result.reason = arena_printf(&worker->arena, result.busy ? "%s is being built by another run" : "%s failed",
                                     fate.culprit->name);
        return record_unrun(worker, step, &result, err);
    }
    if (fate.failed) {
        result.outcome = STEP_SKIPPED;
        result.reason =
            arena_printf(&worker->arena, "not begun: %s failed and --fail-fast was given", fate.failed->name);
        return record_unrun(worker, step, &result, err);
    }
    if (!fate.clean)
        return do_step(worker, step, err);
    result.outcome = STEP_UNCHANGED;
    result.reason = step_unchanged_reason(node);
    end_step(crew, node, &result);
    return true;
}

/* --- the crew -------------------------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    TeamMember *worker = arg;
    ERROR_AUTO(failure);
    const Node *node = NULL;
    Attempt attempt = team_attempt(worker);
    bool good = worker->build.conn || attempt_reconnect(&attempt, &failure);
    while (good && (node = next(crew_of(worker)))) {
        good = do_node(worker, node, &failure);
        arena_clear(&worker->arena);
    }
    leave(crew_of(worker), node, &failure);
    return NULL;
}

bool crew_work(Crew *crew, size_t count, Conn **conn, Error *err)
{
    return team_work(&crew->team, count, work, conn, err);
}
