#include "run/worker.h"

#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "run/target.h"

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

/* --- connections and second attempts --------------------------------------------------------------------------- */

static bool reconnect(Worker *worker, Error *err)
{
    conn_close(worker->build.conn);
    worker->build.conn = NULL;
    return target_connect_to(worker->crew->project, worker->crew->url, &worker->build.conn, err);
}

/* After err: whether it was a lost connection, and there is a new one. */
static bool regain(Worker *worker, const Node *node, Error *err)
{
    if (err->code != ERROR_CONNECTION)
        return false;
    log_warn("%s: %s; trying again", node->name, err->message);
    error_clear(err);
    return reconnect(worker, err);
}

/* Before the attempt after so many others: 0.1 s, doubled each time, at most 5 s; up to half of it left to chance, so
 * that two that met do not meet again. False: a signal came. */
static bool pause_before(int attempt, int64_t deadline, Error *err)
{
    enum { FIRST = 100 * 1000, LAST = 5000 * 1000 };
    int64_t pause = attempt < 6 ? (int64_t)FIRST << attempt : LAST;
    pause = pause > LAST ? LAST : pause;
    unsigned chance = 0;
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
        chance = (unsigned)clock_monotonic();
    int64_t until = clock_monotonic() + pause - (int64_t)chance % (pause / 2);
    if (deadline && until > deadline)
        until = deadline;
    for (int64_t left; !interrupt_signal() && (left = until - clock_monotonic()) > 0;)
        (void)poll(&(struct pollfd){.fd = interrupt_fd(), .events = POLLIN}, 1, (int)((left + 999) / 1000));
    return interrupt_signal() ? error_set(err, ERROR_CANCELLED, "stopped by %s", strsignal(interrupt_signal())) : true;
}

/* After a failure that may pass. A row that another transaction changed meanwhile is there to be read at once; only
 * where that goes on there is somebody to give way to. */
static bool after_passing(Step *step, Error *err)
{
    bool at_once = step->retried == 0 && str_eq(err->sqlstate, "40001");
    int attempt = step->retried++;
    if (at_once)
        log_debug("%s: %s; trying again", step->node->name, err->message);
    else
        log_warn("%s: %s; trying again", step->node->name, err->message);
    error_clear(err);
    return at_once || pause_before(attempt, step->deadline, err);
}

/* After a lost connection: the step finds out whether its COMMIT took place. One that loses its connection each time
 * (the server may have died of it) is given up, and fails like any other. */
static bool after_loss(Worker *worker, Step *step, Error *err)
{
    if (step->given_up)
        return false;
    step->again = true;
    if (step->retried == step->node->retries)
        step->given_up = arena_printf(&worker->arena, "%s, at attempt %d", err->message, step->retried + 1);
    log_warn("%s: %s; %s", step->node->name, err->message,
             step->given_up ? "looking whether its COMMIT took place" : "trying again");
    error_clear(err);
    if (!reconnect(worker, err) || step->given_up)
        return err->code == ERROR_NONE;
    int attempt = step->retried++;
    return attempt == 0 || pause_before(attempt, step->deadline, err);
}

static bool try_step(Worker *worker, Step *step, StepResult *ret, Error *err)
{
    for (;;) {
        step->may_retry = step->retried < step->node->retries;
        bool begun = !step->again || step_begin(&worker->build, step, err);
        if (begun && step_run(&worker->build, step, &worker->arena, ret, err))
            return true;
        bool on = false;
        if (begun && ret->passing)
            on = after_passing(step, err);
        else if (err->code == ERROR_CONNECTION)
            on = after_loss(worker, step, err);
        if (!on)
            return false;
    }
}

/* --- one node -------------------------------------------------------------------------------------------------- */

/* A connection that was lost since the last step is opened again. */
static bool begin_step(Worker *worker, Step *step, Error *err)
{
    Build *build = &worker->build;
    if (step->node->timeout)
        step->deadline = clock_monotonic() + step->node->timeout;
    if (step_begin(build, step, err))
        return true;
    step->again = true;
    return regain(worker, step->node, err) && step_begin(build, step, err);
}

static bool do_step(Worker *worker, Step *step, Error *err)
{
    StepResult result = {.total = -1};
    tell_begin(worker->crew, step->node);
    bool good = begin_step(worker, step, err) && try_step(worker, step, &result, err);
    step->given_up = NULL; /* of this worker's arena */
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
    if (!step_record_unrun(build, step, result, err) &&
        !(regain(worker, step->node, err) && step_record_unrun(build, step, result, err)))
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
    bool good = worker->build.conn || reconnect(worker, &failure);
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
