#include "run/worker.h"

#include "base/log.h"
#include "run/attempt.h"

typedef struct Worker {
    Crew *crew;
    Build build; /* its conn is this worker's own, and NULL where it has none */
    Arena arena; /* of one step */
    pthread_t thread;
} Worker;

const char *crew_unchanged_reason(const Node *node)
{
    return node->kind == NODE_SOURCE ? "the file is the one that was loaded last" : "nothing that it reads has changed";
}

void crew_init(Crew *crew)
{
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->news, NULL);
}

void crew_clear(Crew *crew)
{
    pthread_cond_destroy(&crew->news);
    pthread_mutex_destroy(&crew->mutex);
    error_clear(&crew->failure);
}

/* --- under the mutex ------------------------------------------------------------------------------------------- */

static void count_step(RunSummary *summary, const StepResult *result)
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

static void tell_begin(Crew *crew, const Node *node)
{
    pthread_mutex_lock(&crew->mutex);
    if (crew->options->listener.step_begins)
        crew->options->listener.step_begins(node, crew->options->listener.data);
    pthread_mutex_unlock(&crew->mutex);
}

static void tell_left(Crew *crew, const Node *node)
{
    pthread_mutex_lock(&crew->mutex);
    if (crew->options->listener.step_left)
        crew->options->listener.step_left(node, crew->options->listener.data);
    pthread_mutex_unlock(&crew->mutex);
}

static void end_step(Crew *crew, const Node *node, const StepResult *result)
{
    static const QueueEnd ends[] = {
        [STEP_OK] = QUEUE_GOOD,     [STEP_UNCHANGED] = QUEUE_GOOD, [STEP_FAILED] = QUEUE_BAD,
        [STEP_BLOCKED] = QUEUE_BAD, [STEP_SKIPPED] = QUEUE_GOOD,
    };
    pthread_mutex_lock(&crew->mutex);
    queue_end(&crew->queue, node, result->busy ? QUEUE_BUSY : ends[result->outcome], result->outcome == STEP_OK);
    if (result->outcome == STEP_FAILED && !crew->failed)
        crew->failed = node;
    count_step(crew->summary, result);
    if (crew->options->listener.step_ended)
        crew->options->listener.step_ended(node, result, crew->options->listener.data);
    pthread_cond_broadcast(&crew->news);
    pthread_mutex_unlock(&crew->mutex);
}

/* The next step, waited for; NULL: none is left, or the run is stopped. */
static const Node *next(Crew *crew)
{
    const Node *node = NULL;
    pthread_mutex_lock(&crew->mutex);
    while (!crew->stopped && !(node = queue_take(&crew->queue)) && !queue_done(&crew->queue))
        pthread_cond_wait(&crew->news, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
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
    pthread_mutex_lock(&crew->mutex);
    fate.culprit = queue_culprit(&crew->queue, node, &fate.end);
    fate.failed = crew->options->fail_fast ? crew->failed : NULL;
    fate.clean = crew->clean[node->order] && !queue_inputs_changed(&crew->queue, node);
    if (fate.clean && !fate.culprit && !fate.failed)
        crew->unchanged[crew->unchanged_count++] = node;
    pthread_mutex_unlock(&crew->mutex);
    return fate;
}

/* A connection that cannot be had ends one worker, anything else the run. node: what it was doing, or NULL. */
static void leave(Crew *crew, const Node *node, Error *failure)
{
    pthread_mutex_lock(&crew->mutex);
    crew->at_work--;
    if (node && failure->code == ERROR_CONNECTION)
        queue_put_back(&crew->queue, node);
    bool last = crew->at_work == 0 && !queue_done(&crew->queue);
    if (crew->stopped || failure->code == ERROR_NONE)
        error_clear(failure); /* the first one tells why */
    else if (failure->code == ERROR_CONNECTION && !last)
        log_warn("one worker less: %s", failure->message);
    else
        error_move(&crew->failure, failure);
    crew->stopped = crew->stopped || crew->failure.code != ERROR_NONE;
    pthread_cond_broadcast(&crew->news);
    pthread_mutex_unlock(&crew->mutex);
}

/* --- one node -------------------------------------------------------------------------------------------------- */

static Attempt attempt_of(Worker *worker)
{
    return (Attempt){.build = &worker->build, .url = worker->crew->url, .arena = &worker->arena};
}

static bool do_step(Worker *worker, Step *step, Error *err)
{
    StepResult result = {.total = -1};
    Attempt attempt = attempt_of(worker);
    tell_begin(worker->crew, step->node);
    bool good = attempt_step(&attempt, step, &result, err);
    if (good)
        end_step(worker->crew, step->node, &result);
    else
        tell_left(worker->crew, step->node);
    error_clear(&result.failure);
    return good;
}

static bool record_unrun(Worker *worker, const Step *step, const StepResult *result, Error *err)
{
    Build *build = &worker->build;
    Attempt attempt = attempt_of(worker);
    if (!step_record_unrun(build, step, result, err) &&
        !(attempt_regain(&attempt, step->node->name, err) && step_record_unrun(build, step, result, err)))
        return false;
    end_step(worker->crew, step->node, result);
    return true;
}

static bool do_node(Worker *worker, const Node *node, Error *err)
{
    Crew *crew = worker->crew;
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
    result.reason = crew_unchanged_reason(node);
    end_step(crew, node, &result);
    return true;
}

/* --- the crew -------------------------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    Worker *worker = arg;
    ERROR_AUTO(failure);
    const Node *node = NULL;
    Attempt attempt = attempt_of(worker);
    bool good = worker->build.conn || attempt_reconnect(&attempt, &failure);
    while (good && (node = next(worker->crew))) {
        good = do_node(worker, node, &failure);
        arena_clear(&worker->arena);
    }
    leave(worker->crew, node, &failure);
    return NULL;
}

static bool start(Worker *worker)
{
    Crew *crew = worker->crew;
    pthread_mutex_lock(&crew->mutex);
    crew->at_work++;
    bool started = pthread_create(&worker->thread, NULL, work, worker) == 0;
    crew->at_work -= !started;
    pthread_mutex_unlock(&crew->mutex);
    return started;
}

bool crew_work(Crew *crew, size_t count, Conn **conn, Error *err)
{
    Worker *workers CLEANUP(mem_free_p) = mem_alloc(count * sizeof *workers);
    crew->stopped = false;
    crew->at_work = 1;
    for (size_t i = 0; i < count; i++) {
        workers[i] = (Worker){.crew = crew, .build = crew->build};
        workers[i].build.conn = i == 0 ? *conn : NULL;
        arena_init(&workers[i].arena);
    }
    size_t started = 1;
    while (started < count && start(&workers[started]))
        started++;
    work(&workers[0]);
    *conn = workers[0].build.conn;
    for (size_t i = 1; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        conn_close(workers[i].build.conn);
    }
    bool good = crew->failure.code == ERROR_NONE;
    error_move(err, &crew->failure);
    return good;
}
