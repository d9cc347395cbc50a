#include "cli/sides.h"

#include "cli/session.h"

void sides_clear(Sides *sides)
{
    for (int i = 0; i < 2; i++) {
        conn_close(sides->conns[i]);
        project_clear(&sides->projects[i]);
    }
}

static bool check_targets(const Project *project, const char *against, Error *err)
{
    if (str_eq(project->target.name, against))
        return call_error(err, "--against %s is the target itself", against);
    bool known = false;
    for (size_t i = 0; i < project->targets.count; i++)
        known = known || str_eq(project->targets.items[i], against);
    if (!known) {
        const char *near = nearest(against, project->targets.items, project->targets.count);
        call_error(err, "--against: there is no target '%s'", against);
        if (near)
            return error_hint(err, "did you mean '%s'?", near);
        TEXT_AUTO(all);
        for (size_t i = 0; i < project->targets.count; i++)
            text_appendf(&all, "%s%s", i ? ", " : "", project->targets.items[i]);
        return error_hint(err, "there are: %s", text_str(&all));
    }
    return true;
}

int sides_read(Call *call, Sides *ret)
{
    ERROR_AUTO(err);
    const char *against = call_value(call, "against");
    if (!against) {
        call_error(&err, "%s: --against TARGET is missing", call->command->name);
        return call_failed(&err);
    }
    if (!session_project(call, SESSION_WHOLE, &ret->projects[0]))
        return 2;
    if (!check_targets(&ret->projects[0], against, &err))
        return call_failed(&err);
    return session_project_of(call, against, SESSION_WHOLE, &ret->projects[1]) ? 0 : 2;
}
