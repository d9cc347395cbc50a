#include <stdio.h>

#include "base/log.h"
#include "cli/session.h"
#include "project/test_file.h"

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

static void warn(const Project *project)
{
    session_warn_unread(project);
    for (size_t i = 0; i < project->warnings.count; i++) {
        char *text CLEANUP(mem_free_p) = error_text(&project->warnings.items[i]);
        log_warn("%s", text);
    }
}

static int validate(Project *project)
{
    ERRORS_AUTO(errors);
    Tests tests;
    if (!tests_read(project, &errors, &tests))
        return call_failed_project(&errors);
    warn(project);
    size_t sources = 0;
    for (size_t i = 0; i < project->node_count; i++)
        sources += project->nodes[i]->kind == NODE_SOURCE;
    size_t models = project->node_count - sources;
    printf("ok: %zu source%s, %zu model%s", sources, plural(sources), models, plural(models));
    if (tests.count)
        printf(", %zu test%s", tests.count, plural(tests.count));
    puts("");
    return 0;
}

int cmd_validate(Call *call)
{
    Project project;
    int status = session_project(call, SESSION_COLUMNS, &project) ? validate(&project) : 2;
    project_clear(&project);
    return status;
}
