#include "base/log.h"
#include "cli/choice.h"
#include "cli/progress.h"
#include "cli/session.h"

enum { THREADS_MAX = 1024 };

static bool check_threads(const Call *call, Error *err)
{
    long threads;
    if (!call_number(call, "threads", 1, THREADS_MAX, 1, &threads, err))
        return false;
    return threads == 1 ? true : call_error(err, "'run --threads %ld' is not supported yet", threads);
}

/* Why nothing came of what was asked for. With --due, that is what a minute is like. */
static void tell_idle(const Project *project, const Selection *selection)
{
    size_t told = 0;
    for (size_t i = 0; i < project->node_count && selection->count > 0; i++) {
        const Node *node = project->nodes[i];
        if (!selection->named[i])
            continue;
        told++;
        if (node->kind == NODE_MODEL)
            log_info("%s: nothing to do: an ephemeral model stands inside the models that read it", node->name);
        else
            log_info("%s: nothing to do: others write this table, and it has no checks", node->name);
    }
    if (told == 0)
        log_info("there is nothing to do");
}

static int run(Call *call, const Project *project)
{
    ERROR_AUTO(err);
    Selection selection;
    RunSummary summary = {0};
    if (!choice_make(call, project, &selection, &err))
        return call_failed(&err);
    if (!call_has(call, "due")) /* cron mails what a job says: not this, every minute */
        session_warn_unread(project);
    RunOptions options = {.selection = &selection,
                          .command = choice_words(call),
                          .due = call_has(call, "due"),
                          .wait = call_has(call, "wait"),
                          .listener = progress_listener(call_has(call, "due"))};
    if (!run_project(project, &options, &summary, &err))
        return call_failed(&err);
    if (summary.run_id == 0 && !options.due)
        tell_idle(project, &selection);
    return progress_finish(&summary, options.due);
}

int cmd_run(Call *call)
{
    ERROR_AUTO(err);
    if (!check_threads(call, &err))
        return call_failed(&err);
    Project project;
    int status = session_project(call, SESSION_WHOLE, &project) ? run(call, &project) : 2;
    project_clear(&project);
    return status;
}
