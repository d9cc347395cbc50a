#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/choice.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/starter.h"
#include "run/load_file.h"

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return a && b && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The source or model that a table's name means: as a node, else as a relation. */
static Node *find_named(const Project *project, const char *name)
{
    Node *node = project_find(project, name);
    for (size_t i = 0; !node && i < project->node_count; i++)
        if (str_eq(project->nodes[i]->table, name))
            node = project->nodes[i];
    return node;
}

static Node *find_by_file(const Project *project, const char *file)
{
    for (size_t i = 0; i < project->node_count; i++)
        if (project->nodes[i]->kind == NODE_SOURCE && same_file(project->nodes[i]->csv, file))
            return project->nodes[i];
    return NULL;
}

static bool can_load(const Node *node, Error *err)
{
    if (node->kind == NODE_MODEL)
        return error_at(err, ERROR_PROJECT, node->place.file, 0, 0, "'%s' is a model: its SQL makes its rows",
                        node->name);
    if (node->column_count > 0)
        return true;
    error_at(err, ERROR_PROJECT, node->place.file, 0, 0, "others write '%s': it has no columns to load", node->name);
    return error_hint(err, "give it columns: to load it with sluice");
}

/* A delivery for a source, from a file of another place than it names. */
static bool load_source(Call *call, const Project *project, Node *node, RunSummary *ret, Error *err)
{
    if (!can_load(node, err))
        return false;
    node->csv = node->csv_shown = call->arguments[0];
    Selection selection = {.chosen = arena_array(&call->arena, project->node_count, sizeof(bool)), .count = 1};
    selection.named = selection.chosen;
    selection.chosen[node->order] = true;
    RunOptions options = {.selection = &selection,
                          .command = choice_words(call),
                          .wait = call_has(call, "wait"),
                          .listener = progress_begin(false)};
    return run_project(project, &options, ret, err);
}

/* A table that no source describes: its columns are worked out from the file. */
static bool load_new(Call *call, const Project *project, const char *table, RunSummary *ret, Error *err)
{
    const char *file = call->arguments[0];
    size_t len = strlen(table);
    if (len == 0 || len > NAME_BYTES_MAX)
        return call_error(err, "a table's name has 1 to %d bytes, and '%s' has %zu", NAME_BYTES_MAX, table, len);
    Starter starter = {.arena = &call->arena};
    if (!starter_columns(&starter, file, file, err))
        return false;
    Column *columns = arena_array(&call->arena, starter.column_count, sizeof(Column));
    for (size_t i = 0; i < starter.column_count; i++)
        columns[i] = (Column){.name = starter.columns[i].name,
                              .type = starter.columns[i].type,
                              .header = starter.columns[i].header,
                              .format = starter.columns[i].format,
                              .place = {.file = file, .line = 1}};
    for (size_t i = 0; i < starter.column_count; i++)
        if (starter.columns[i].remark)
            log_warn("column '%s' is loaded as text: %s", starter.columns[i].name, starter.columns[i].remark);
    FileLoad load = {.path = file,
                     .shown = file,
                     .table = table,
                     .command = choice_words(call),
                     .columns = columns,
                     .column_count = starter.column_count};
    RunListener listener = progress_begin(false);
    return run_load_file(project, &load, &listener, call_has(call, "wait"), ret, err);
}

static int load(Call *call, const Project *project)
{
    ERROR_AUTO(err);
    const char *file = call->arguments[0];
    uint64_t size;
    if (!file_check(file, &size, &err))
        return call_failed(&err);
    const char *table = call->argument_count > 1 ? call->arguments[1] : NULL;
    Node *node = table ? find_named(project, table) : find_by_file(project, file);
    if (!table && !node) {
        table = starter_name(&call->arena, file, "data");
        node = find_named(project, table);
    }
    RunSummary summary = {0};
    bool good =
        node ? load_source(call, project, node, &summary, &err) : load_new(call, project, table, &summary, &err);
    return good ? progress_finish(&summary, false) : progress_failed(&err);
}

int cmd_load(Call *call)
{
    Project project;
    int status = session_project(call, SESSION_WHOLE, &project) ? load(call, &project) : 2;
    project_clear(&project);
    return status;
}
