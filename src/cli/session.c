#include "cli/session.h"

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

static bool frame_is_right(const Project *project, const Errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        if (!project->file || !errors->items[i].file || str_eq(errors->items[i].file, project->file))
            return false;
    return errors->dropped == 0 && project->dir && project->timezone && project->name && project->target.name;
}

static Zone *g_log_zone; /* its own: log lines are written after the project is gone, too */

static int log_offset(Instant instant) { return zone_offset_at(g_log_zone, instant) / 60; }

static void log_in_zone_of(const Project *project)
{
    if (!g_log_zone)
        g_log_zone = zone_open(project->timezone, NULL);
    if (g_log_zone)
        clock_set_offset(log_offset);
}

bool session_project(const Call *call, SessionNeed need, Project *ret_project)
{
    return session_project_of(call, call_value(call, "target"), need, ret_project);
}

bool session_project_of(const Call *call, const char *target, SessionNeed need, Project *ret_project)
{
    ProjectOptions options = {.dir = call_value(call, "project"), .target = target, .columns = need == SESSION_COLUMNS};
    ERRORS_AUTO(errors);
    bool right = project_read(&options, ret_project, &errors);
    if (right || (need == SESSION_FRAME && frame_is_right(ret_project, &errors))) {
        log_in_zone_of(ret_project);
        return true;
    }
    call_failed_project(&errors);
    return false;
}

int session_act(Call *call, SessionNeed need, SessionAct act)
{
    Project project;
    ERROR_AUTO(err);
    int status = 2;
    if (session_project(call, need, &project))
        status = act(call, &project, &err) ? 0 : call_failed(&err);
    project_clear(&project);
    return status;
}

void session_warn_unread(const Project *project)
{
    for (size_t i = 0; i < project->unread.count; i++) {
        char *text CLEANUP(mem_free_p) = error_text(&project->unread.items[i]);
        log_warn("%s", text);
    }
}

bool session_has_project(const Call *call)
{
    if (call_has(call, "project"))
        return true;
    char *dir CLEANUP(mem_free_p) = getcwd(NULL, 0);
    Arena arena;
    arena_init(&arena);
    bool found = dir && project_dir_above(&arena, dir);
    arena_clear(&arena);
    return found;
}
