#include "base/log.h"
#include "cli/choice.h"
#include "cli/progress.h"
#include "cli/session.h"

static bool read_threads(const Call *call, size_t *ret, Error *err)
{
    long threads;
    if (!call_number(call, "threads", 1, RUN_THREADS_MAX, 1, &threads, err))
        return false;
    *ret = (size_t)threads;
    return true;
}

static bool check_together(const Call *call, Error *err)
{
    if (!call_has(call, "due") || !(call_has(call, "failed") || call_has(call, "full-refresh")))
        return true;
    return call_error(err, "--due and --%s do not go together", call_has(call, "failed") ? "failed" : "full-refresh");
}

/* By order, of --accept; NULL where none was given. */
static bool read_accepted(Call *call, const Project *project, const Selection *selection, bool **ret, Error *err)
{
    size_t count;
    const char **names = call_values(call, "accept", &count);
    *ret = count ? arena_array(&call->arena, project->node_count, sizeof **ret) : NULL;
    for (size_t i = 0; i < count; i++) {
        const Node *node = project_find(project, names[i]);
        if (!node)
            return project_unknown(project, names[i], err);
        if (!selection->chosen[node->order])
            return call_error(err, "--accept %s: '%s' is not among what is to be run", names[i], names[i]);
        (*ret)[node->order] = true;
    }
    return true;
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

static bool read_options(Call *call, const Project *project, Selection *ret_selection, RunOptions *ret, Error *err)
{
    bool *accepted = NULL;
    *ret = (RunOptions){.selection = ret_selection,
                        .command = choice_words(call),
                        .due = call_has(call, "due"),
                        .wait = call_has(call, "wait"),
                        .failed = call_has(call, "failed"),
                        .fail_fast = call_has(call, "fail-fast"),
                        .full_refresh = call_has(call, "full-refresh")};
    bool good = read_threads(call, &ret->threads, err) && choice_make(call, project, ret_selection, err) &&
                read_accepted(call, project, ret_selection, &accepted, err) &&
                (!ret->full_refresh || choice_full_refresh(project, ret_selection, err));
    ret->accepted = accepted;
    return good;
}

static int run(Call *call, const Project *project)
{
    ERROR_AUTO(err);
    Selection selection;
    RunOptions options;
    RunSummary summary = {0};
    if (!read_options(call, project, &selection, &options, &err))
        return call_failed(&err);
    if (!options.due) /* cron mails what a job says: not this, every minute */
        session_warn_unread(project);
    options.listener = progress_begin(options.due);
    if (!run_project(project, &options, &summary, &err))
        return progress_failed(&err);
    int status = progress_finish(&summary, options.due);
    if (summary.run_id == 0 && options.failed)
        log_info("there is nothing to do: of what was asked for, all ended well the last time");
    else if (summary.run_id == 0 && !options.due)
        tell_idle(project, &selection);
    return status;
}

int cmd_run(Call *call)
{
    ERROR_AUTO(err);
    size_t threads;
    if (!read_threads(call, &threads, &err) || !check_together(call, &err))
        return call_failed(&err);
    Project project;
    int status = session_project(call, SESSION_WHOLE, &project) ? run(call, &project) : 2;
    project_clear(&project);
    return status;
}
