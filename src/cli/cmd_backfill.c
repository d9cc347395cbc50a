#include <inttypes.h>
#include <stdio.h>

#include "base/live.h"
#include "base/log.h"
#include "cli/choice.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "run/backfill_run.h"
#include "run/target.h"

/* --- as it goes on --------------------------------------------------------------------------------------------- */

static const char *label(const BackfillChunk *chunk, Text *out)
{
    text_appendf(out, "%s [%s, %s)", chunk->backfill->node->name, chunk->from, chunk->to);
    return text_str(out);
}

static void begun(const Backfill *backfill, int64_t run_id, size_t threads, void *data)
{
    const size_t *wanted = data;
    const char *name = backfill->node->name;
    (void)run_id;
    log_info("%s: backfill %" PRId64 " from %s to %s: %zu chunk%s of %s", name, backfill->id, backfill->from,
             backfill->to, backfill->count, backfill->count == 1 ? "" : "s", backfill->length);
    if (backfill->done && backfill->done_by)
        log_info("%s: %zu of %zu chunks were done by run %" PRId64, name, backfill->done, backfill->count,
                 backfill->done_by);
    else if (backfill->done)
        log_info("%s: %zu of %zu chunks were done before", name, backfill->done, backfill->count);
    if (threads < *wanted && backfill->alone)
        log_info("%s: one chunk at a time, since check %s looks at all rows of the table", name, backfill->alone->name);
}

static void chunk_begins(const BackfillChunk *chunk, void *data)
{
    TEXT_AUTO(text);
    (void)data;
    live_begin(label(chunk, &text));
}

static void chunk_left(const BackfillChunk *chunk, void *data)
{
    (void)chunk, (void)data;
    live_end();
}

static void chunk_ended(const BackfillChunk *chunk, const StepResult *result, void *data)
{
    TEXT_AUTO(text);
    (void)data;
    progress_ended(label(chunk, &text), chunk->backfill->node, result, false);
}

/* --- at its end ------------------------------------------------------------------------------------------------ */

/* What is computed from the model, directly or through others; views show it at once. */
static void tell_dependents(const Project *project, const Node *node)
{
    enum { SHOWN = 10 };
    TEXT_AUTO(names);
    size_t count = 0;
    bool *depends CLEANUP(mem_free_p) = mem_alloc(project->node_count + 1);
    depends[node->order] = true;
    for (size_t i = node->order + 1; i < project->node_count; i++) {
        const Node *other = project->nodes[i];
        for (size_t j = 0; j < other->input_count; j++)
            depends[i] = depends[i] || depends[other->inputs[j]->order];
        bool table = other->materialized != MATERIALIZED_VIEW && other->materialized != MATERIALIZED_EPHEMERAL;
        if (depends[i] && table && count++ < SHOWN)
            text_appendf(&names, "%s%s", names.len ? ", " : "", other->name);
    }
    if (count > SHOWN)
        text_appendf(&names, " and %zu more", count - SHOWN);
    if (count > 0)
        log_info("what depends on %s follows on the next run: %s", node->name, text_str(&names));
}

static void count(Text *line, size_t n, const char *what)
{
    if (n > 0)
        text_appendf(line, "%s%zu %s", line->len ? ", " : "", n, what);
}

static int finish(const Project *project, const Backfill *backfill, const RunSummary *summary)
{
    TEXT_AUTO(line);
    live_stop();
    count(&line, summary->ok, "done");
    count(&line, summary->unchanged, "unchanged");
    count(&line, summary->failed, "failed");
    count(&line, summary->skipped, "skipped");
    count(&line, summary->warnings, summary->warnings == 1 ? "warning" : "warnings");
    log_info("run %" PRId64 ": %s", summary->run_id, line.len ? text_str(&line) : "no chunk was missing");
    if (summary->ok + backfill->done > 0)
        tell_dependents(project, backfill->node);
    if (summary->failed)
        log_info("the same call tries the chunks that failed again, and no others");
    if (summary->failed)
        return 1;
    return summary->skipped ? 4 : 0;
}

/* --- a dry run ------------------------------------------------------------------------------------------------- */

static void print_plan(const Backfill *backfill, Arena *arena)
{
    static const ListingColumn columns[] = {
        {"chunk", LISTING_NUMBER}, {"from", LISTING_TEXT}, {"to", LISTING_TEXT}, {"done", LISTING_RARE}};
    LISTING_AUTO(listing);
    listing_init(&listing, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < backfill->count; i++) {
        const BackfillChunk *chunk = &backfill->chunks[i];
        const char *by = chunk->done_by ? arena_printf(arena, "by run %" PRId64, chunk->done_by) : "yes";
        listing_add(&listing, (const char *const[]){arena_printf(arena, "%d", chunk->nth), chunk->from, chunk->to,
                                                    chunk->done ? by : ""});
    }
    listing_print(&listing, false, stdout);
    printf("\n%zu chunk%s of %s", backfill->count, backfill->count == 1 ? "" : "s", backfill->length);
    if (backfill->done)
        printf(", %zu done", backfill->done);
    printf("; all of them together read\n");
    for (size_t i = 0; i < backfill->read_count; i++)
        printf("    %s: %s\n", backfill->reads[i].label, backfill->reads[i].times);
}

static int dry_run(Call *call, const Project *project, const Node *node, const BackfillCall *asked, Error *err)
{
    CONN_AUTO(conn);
    Backfill backfill;
    if (!target_connect(project, &conn, err) ||
        !backfill_plan(conn, project, node, asked, &call->arena, &backfill, err))
        return 1;
    print_plan(&backfill, &call->arena);
    return 0;
}

/* --- the call -------------------------------------------------------------------------------------------------- */

/* What is wrong with an option stands in no file. */
static int failed(Error *err)
{
    if (err->code == ERROR_PROJECT && !err->file)
        error_place(err, "sluice", 0, 0);
    return progress_failed(err);
}

static bool read_accepted(Call *call, const Project *project, const Node *node, bool **ret, Error *err)
{
    size_t names;
    const char **values = call_values(call, "accept", &names);
    *ret = names ? arena_array(&call->arena, project->node_count, sizeof **ret) : NULL;
    for (size_t i = 0; i < names; i++) {
        if (!str_eq(values[i], node->name))
            return call_error(err, "--accept %s: the backfill is of '%s'", values[i], node->name);
        (*ret)[node->order] = true;
    }
    return true;
}

static int backfill(Call *call, const Project *project, size_t threads)
{
    ERROR_AUTO(err);
    Backfill filled = {0};
    RunSummary summary;
    bool *accepted;
    const Node *node = project_find(project, call->arguments[0]);
    BackfillOptions options = {
        .call = {call_value(call, "from"), call_value(call, "to"), call_value(call, "chunk")},
        .command = choice_words(call),
        .wait = call_has(call, "wait"),
        .threads = threads,
        .listener = {begun, chunk_begins, chunk_left, chunk_ended, &threads},
    };
    if (!node) {
        project_unknown(project, call->arguments[0], &err);
        return call_failed(&err);
    }
    if (!read_accepted(call, project, node, &accepted, &err))
        return call_failed(&err);
    options.accepted = accepted;
    session_warn_unread(project);
    if (call_has(call, "dry-run"))
        return dry_run(call, project, node, &options.call, &err) == 0 ? 0 : failed(&err);
    live_start();
    if (!backfill_run(project, node, &options, &call->arena, &filled, &summary, &err))
        return failed(&err);
    return finish(project, &filled, &summary);
}

int cmd_backfill(Call *call)
{
    ERROR_AUTO(err);
    long threads;
    if (!call_number(call, "threads", 1, RUN_THREADS_MAX, 1, &threads, &err))
        return call_failed(&err);
    if (!call_has(call, "from") || !call_has(call, "to")) {
        call_error(&err, "'backfill' needs --from D and --to D");
        error_hint(&err, "sluice backfill %s --from 2022-01-01 --to 2023-01-01", call->arguments[0]);
        return call_failed(&err);
    }
    Project project;
    int status = session_project(call, SESSION_WHOLE, &project) ? backfill(call, &project, (size_t)threads) : 2;
    project_clear(&project);
    return status;
}
