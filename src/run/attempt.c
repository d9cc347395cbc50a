#include "run/attempt.h"

#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "run/target.h"

bool attempt_reconnect(const Attempt *attempt, Error *err)
{
    Build *build = attempt->build;
    conn_close(build->conn);
    build->conn = NULL;
    return target_connect_to(build->project, attempt->url, &build->conn, err);
}

bool attempt_regain(const Attempt *attempt, const char *what, Error *err)
{
    if (err->code != ERROR_CONNECTION)
        return false;
    log_warn("%s: %s; trying again", what, err->message);
    error_clear(err);
    return attempt_reconnect(attempt, err);
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
    int earlier = step->retried++;
    if (at_once)
        log_debug("%s: %s; trying again", step->node->name, err->message);
    else
        log_warn("%s: %s; trying again", step->node->name, err->message);
    error_clear(err);
    return at_once || pause_before(earlier, step->deadline, err);
}

/* After a lost connection: the step finds out whether its COMMIT took place. One that loses its connection each time
 * (the server may have died of it) is given up, and fails like any other. */
static bool after_loss(const Attempt *attempt, Step *step, Error *err)
{
    if (step->given_up)
        return false;
    step->again = true;
    if (step->retried == step->node->retries)
        step->given_up = arena_printf(attempt->arena, "%s, at attempt %d", err->message, step->retried + 1);
    log_warn("%s: %s; %s", step->node->name, err->message,
             step->given_up ? "looking whether its COMMIT took place" : "trying again");
    error_clear(err);
    if (!attempt_reconnect(attempt, err) || step->given_up)
        return err->code == ERROR_NONE;
    int earlier = step->retried++;
    return earlier == 0 || pause_before(earlier, step->deadline, err);
}

static bool try_step(const Attempt *attempt, Step *step, StepResult *ret, Error *err)
{
    for (;;) {
        step->may_retry = step->retried < step->node->retries;
        bool begun = !step->again || step_begin(attempt->build, step, err);
        if (begun && step_run(attempt->build, step, attempt->arena, ret, err))
            return true;
        bool on = false;
        if (begun && ret->passing)
            on = after_passing(step, err);
        else if (err->code == ERROR_CONNECTION)
            on = after_loss(attempt, step, err);
        if (!on)
            return false;
    }
}

/* A connection that was lost since the last step is opened again. */
static bool begin_step(const Attempt *attempt, Step *step, Error *err)
{
    if (step->node->timeout)
        step->deadline = clock_monotonic() + step->node->timeout;
    if (step_begin(attempt->build, step, err))
        return true;
    step->again = true;
    return attempt_regain(attempt, step->node->name, err) && step_begin(attempt->build, step, err);
}

bool attempt_step(const Attempt *attempt, Step *step, StepResult *ret, Error *err)
{
    bool good = begin_step(attempt, step, err) && try_step(attempt, step, ret, err);
    step->given_up = NULL; /* of this thread's arena */
    return good;
}
