#include "cli/progress.h"

#include <inttypes.h>

#include "base/live.h"
#include "base/log.h"

static void step_begins(const Node *node, void *data)
{
    (void)data;
    log_debug("%s: begins", node->name);
    live_begin(node->name);
}

static void step_left(const Node *node, void *data)
{
    (void)node, (void)data;
    live_end();
}

static void tell_checks(const Node *node, const StepResult *result)
{
    for (size_t i = 0; i < result->checks.count; i++) {
        const CheckResult *check = &result->checks.items[i];
        if (check->check->warn && check->failed_rows > 0)
            log_warn("%s:%d:%d: %s: check %s found %" PRId64 " row%s%s%s", check->check->place.file,
                     check->check->place.line, check->check->place.column, node->name, check->check->name,
                     check->failed_rows, check->failed_rows == 1 ? "" : "s", check->detail ? ": " : "",
                     check->detail ? check->detail : "");
    }
}

static void tell_done(const char *label, const StepResult *result)
{
    TEXT_AUTO(line);
    text_appendf(&line, "%s: ", label);
    if (result->outcome == STEP_UNCHANGED)
        text_append(&line, "unchanged");
    else if (result->total < 0)
        text_append(&line, "done");
    else
        text_appendf(&line, "%" PRId64 " inserted, %" PRId64 " updated, %" PRId64 " deleted", result->inserted,
                     result->updated, result->deleted);
    if (result->total >= 0)
        text_appendf(&line, ", %" PRId64 " row%s", result->total, result->total == 1 ? "" : "s");
    if (result->reason)
        text_appendf(&line, " (%s)", result->reason);
    log_info("%s, %" PRId64 ".%03d s", text_str(&line), result->microseconds / 1000000,
             (int)(result->microseconds / 1000 % 1000));
}

/* By schedule that is as it should be; by hand it is not what was asked for. */
static void tell_skipped(const char *label, const StepResult *result, bool due)
{
    if (!due && result->busy && result->failure.code != ERROR_NONE) {
        log_error("%s was not built", label);
        log_failure(&result->failure);
    } else {
        log_info("%s was skipped: %s", label, result->reason ? result->reason : "");
    }
}

void progress_ended(const char *label, const Node *node, const StepResult *result, bool due)
{
    live_end();
    switch (result->outcome) {
    case STEP_OK:
    case STEP_UNCHANGED:
        tell_done(label, result);
        break;
    case STEP_FAILED:
        log_error("%s failed", label);
        log_failure(&result->failure);
        break;
    case STEP_BLOCKED:
        log_error("%s was not built: %s", label, result->reason);
        break;
    case STEP_SKIPPED:
        tell_skipped(label, result, due);
        break;
    }
    tell_checks(node, result);
}

static void step_ended(const Node *node, const StepResult *result, void *data)
{
    const bool *due = data;
    progress_ended(node->name, node, result, *due);
}

RunListener progress_begin(bool due)
{
    static const bool answers[] = {false, true};
    live_start();
    return (RunListener){
        .step_begins = step_begins, .step_left = step_left, .step_ended = step_ended, .data = (void *)&answers[due]};
}

static void count(Text *line, size_t n, const char *what)
{
    if (n > 0)
        text_appendf(line, "%s%zu %s", line->len ? ", " : "", n, what);
}

int progress_failed(const Error *failure)
{
    live_stop();
    return call_failed(failure);
}

int progress_finish(const RunSummary *summary, bool due)
{
    live_stop();
    if (summary->run_id == 0) {
        if (due)
            log_debug("nothing is due");
        return 0;
    }
    TEXT_AUTO(line);
    count(&line, summary->ok, "done");
    count(&line, summary->unchanged, "unchanged");
    count(&line, summary->failed, "failed");
    count(&line, summary->blocked, "not built");
    count(&line, summary->skipped, "skipped");
    count(&line, summary->warnings, summary->warnings == 1 ? "warning" : "warnings");
    log_info("run %" PRId64 ": %s", summary->run_id, text_str(&line));
    if (summary->failed + summary->blocked > 0)
        return 1;
    return summary->busy > 0 && !due ? 4 : 0;
}
