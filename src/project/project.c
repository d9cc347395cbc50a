#include "project/project.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "project/graph.h"
#include "project/model.h"
#include "project/named.h"
#include "project/node.h"
#include "project/reading.h"
#include "project/source.h"
#include "project/target.h"
#include "project/walk.h"

/* --- where it is ------------------------------------------------------------------------------------------------- */

static const char *real_path(Arena *arena, const char *path)
{
    char resolved[PATH_MAX];
    return realpath(path, resolved) ? arena_strdup(arena, resolved) : NULL;
}

static bool has_file(Arena *arena, const char *dir)
{
    return file_exists(arena_printf(arena, "%s/sluice.yaml", str_eq(dir, "/") ? "" : dir));
}

const char *project_dir_above(Arena *arena, const char *below)
{
    char *dir = arena_strdup(arena, below);
    for (;;) {
        if (has_file(arena, dir))
            return dir;
        char *slash = strrchr(dir, '/');
        if (!slash || str_eq(dir, "/"))
            return NULL;
        slash[slash == dir ? 1 : 0] = '\0';
    }
}

static const char *find_dir(Arena *arena, const char *wanted, const char *cwd, Errors *errors)
{
    const char *dir = wanted ? real_path(arena, wanted) : project_dir_above(arena, cwd);
    if (wanted && !dir)
        errors_report(errors, NULL, 0, 0, NULL, "--project %s: %s", wanted, strerror(errno));
    else if (wanted && !dir_exists(dir))
        errors_report(errors, NULL, 0, 0, "name the folder that holds sluice.yaml", "--project %s: not a folder",
                      wanted);
    else if (!dir)
        errors_report(errors, NULL, 0, 0, "sluice init makes a project; --project DIR names one",
                      "there is no sluice.yaml here, nor in any folder above");
    else if (!has_file(arena, dir))
        errors_report(errors, NULL, 0, 0, "sluice init makes a project", "there is no sluice.yaml in %s", wanted);
    else
        return dir;
    return NULL;
}

static const char *with_slash(Arena *arena, const char *dir)
{
    return str_ends(dir, "/") ? dir : arena_printf(arena, "%s/", dir);
}

/* What leads from one absolute folder to another: "", "sub/", "../"; or the other itself where that is shorter. */
static const char *prefix_between(Arena *arena, const char *from, const char *to)
{
    size_t common = 0;
    TEXT_AUTO(relative);
    from = with_slash(arena, from);
    to = with_slash(arena, to);
    for (size_t i = 0; from[i] && from[i] == to[i]; i++)
        if (from[i] == '/')
            common = i + 1;
    for (const char *p = from + common; *p; p++)
        if (*p == '/')
            text_append(&relative, "../");
    text_append(&relative, to + common);
    return relative.len <= strlen(to) ? arena_strdup(arena, text_str(&relative)) : to;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static void read_nodes(Reading *reading, bool columns)
{
    Project *project = reading->project;
    Strings sources, models;
    walk_files(reading, "sources", ".yaml", false, &sources);
    walk_files(reading, "models", ".sql", true, &models);
    project->nodes = arena_array(&project->arena, sources.count + models.count + 1, sizeof *project->nodes);
    if (columns)
        named_prepare(reading, models.count);
    for (size_t i = 0; i < sources.count; i++)
        source_read(reading, sources.items[i]);
    for (size_t i = 0; i < models.count; i++)
        model_read(reading, models.items[i]);
    graph_link(reading);
    named_check(reading);
    target_check_folders(reading);
}

/* Where it is, and all that reading it needs; reading's scratch is to be cleared then. */
static bool open_project(const ProjectOptions *options, Project *ret_project, Errors *errors, Reading *ret_reading)
{
    Project *project = ret_project;
    *project = (Project){0};
    arena_init(&project->arena);
    const char *cwd = real_path(&project->arena, ".");
    if (!cwd) {
        errors_report(errors, NULL, 0, 0, NULL, "the working directory cannot be read: %s", strerror(errno));
        return false;
    }
    project->dir = find_dir(&project->arena, options->dir, cwd, errors);
    if (!project->dir)
        return false;
    *ret_reading = (Reading){.project = project, .errors = errors};
    ret_reading->environment = (Environment){&project->arena, project->dir, {.arena = &project->arena}};
    ret_reading->zones = ret_reading->nodes = (Index){.arena = &project->arena};
    ret_reading->prefix = prefix_between(&project->arena, cwd, project->dir);
    arena_init(&ret_reading->scratch);
    project->file = arena_printf(&project->arena, "%ssluice.yaml", ret_reading->prefix);
    return true;
}

bool project_read(const ProjectOptions *options, Project *ret_project, Errors *errors)
{
    size_t before = errors->count + errors->dropped;
    Reading reading;
    if (!open_project(options, ret_project, errors, &reading))
        return false;
    target_read(&reading, options->target);
    read_nodes(&reading, options->columns);
    arena_clear(&reading.scratch);
    errors_sort(errors);
    errors_sort(&ret_project->warnings);
    errors_sort(&ret_project->unread);
    return errors->count + errors->dropped == before;
}

static void add_names(Project *project, const Strings *files, const char *ending, Strings *names)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *slash = strrchr(files->items[i], '/'), *base = slash ? slash + 1 : files->items[i];
        strings_add(&project->arena, names, arena_strndup(&project->arena, base, strlen(base) - strlen(ending)));
    }
}

void project_names(const ProjectOptions *options, Project *ret_project, Strings *ret_nodes)
{
    ERRORS_AUTO(ignored);
    Strings sources, models;
    Reading reading;
    *ret_nodes = (Strings){0};
    if (!open_project(options, ret_project, &ignored, &reading))
        return;
    target_read(&reading, options->target);
    walk_files(&reading, "sources", ".yaml", false, &sources);
    walk_files(&reading, "models", ".sql", true, &models);
    add_names(ret_project, &sources, ".yaml", ret_nodes);
    add_names(ret_project, &models, ".sql", ret_nodes);
    arena_clear(&reading.scratch);
}

void project_clear(Project *project)
{
    errors_clear(&project->warnings);
    errors_clear(&project->unread);
    for (size_t i = 0; i < project->zone_count; i++)
        zone_close(project->zones[i]);
    free(project->zones);
    arena_clear(&project->arena);
    *project = (Project){0};
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

Node *project_find(const Project *project, const char *name)
{
    for (size_t i = 0; i < project->node_count; i++)
        if (str_eq(project->nodes[i]->name, name))
            return project->nodes[i];
    return NULL;
}

bool project_unknown(const Project *project, const char *name, Error *err)
{
    const char **names = mem_alloc((project->node_count + 1) * sizeof *names);
    for (size_t i = 0; i < project->node_count; i++)
        names[i] = project->nodes[i]->name;
    const char *near = nearest(name, names, project->node_count);
    TEXT_AUTO(shown);
    text_append_shown(&shown, name, strlen(name), 100);
    error_set(err, ERROR_PROJECT, "there is no source or model '%s'", text_str(&shown));
    if (near)
        error_hint(err, "did you mean '%s'?", near);
    free(names);
    return false;
}

const char *node_kind_name(const Node *node) { return node->kind == NODE_SOURCE ? "source" : "model"; }

const char *materialized_name(Materialized m)
{
    static const char *const names[] = {
        [MATERIALIZED_TABLE] = "table",
        [MATERIALIZED_VIEW] = "view",
        [MATERIALIZED_HISTORY] = "history",
        [MATERIALIZED_EPHEMERAL] = "ephemeral",
        [MATERIALIZED_INCREMENTAL] = "incremental",
    };
    return names[m];
}

bool node_is_ephemeral(const Node *node)
{
    return node->kind == NODE_MODEL && node->materialized == MATERIALIZED_EPHEMERAL;
}

bool node_is_query(const Node *node)
{
    return node_is_ephemeral(node) || (node->kind == NODE_MODEL && node->materialized == MATERIALIZED_VIEW);
}

bool node_is_external(const Node *node) { return node->kind == NODE_SOURCE && !node->csv; }

bool node_has_checks(const Node *node) { return node->check_count > 0 || node->unique_key.count > 0; }

const char *node_relation_kind(const Node *node)
{
    return node->kind == NODE_MODEL ? materialized_name(node->materialized) : "table";
}
