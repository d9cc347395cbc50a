#include <stdio.h>

#include "base/log.h"
#include "cli/session.h"

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

static void warn(const Project *project)
{
    session_warn_unread(project);
    for (size_t i = 0; i < project->warnings.count; i++) {
        char *text CLEANUP(mem_free_p) = error_text(&project->warnings.items[i]);
        log_warn("%s", text);
    }
}

int cmd_validate(Call *call)
{
    Project project;
    int status = 0;
    if (session_project(call, SESSION_WHOLE, &project)) {
        warn(&project);
        size_t sources = 0;
        for (size_t i = 0; i < project.node_count; i++)
            sources += project.nodes[i]->kind == NODE_SOURCE;
        size_t models = project.node_count - sources;
        printf("ok: %zu source%s, %zu model%s\n", sources, plural(sources), models, plural(models));
    } else {
        status = 2;
    }
    project_clear(&project);
    return status;
}
