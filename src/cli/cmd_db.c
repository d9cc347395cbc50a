#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/session.h"
#include "pg/server.h"
#include "run/target.h"

static bool stop(const Project *project, Error *err)
{
    bool was_running;
    if (!server_stop(project->dir, &was_running, err))
        return false;
    log_info(was_running ? "stopped the private PostgreSQL" : "the private PostgreSQL was not running");
    return true;
}

/* Becomes psql. It comes with the server's programs too, which need not be on PATH. */
static bool become_psql(const Call *call, const Text *url, Error *err)
{
    Text bindir = {0}; /* kept: this process ends here, or in an error */
    TEXT_AUTO(program);
    const char **argv = mem_alloc((call->argument_count + 3) * sizeof(char *));
    size_t n = 0;
    argv[n++] = "psql";
    argv[n++] = text_str(url);
    for (size_t i = 1; i < call->argument_count; i++)
        argv[n++] = call->arguments[i];
    fflush(stdout);
    signal(SIGPIPE, SIG_DFL); /* what is ignored stays ignored in another program */
    char *const *words = (char *const *)(void *)argv;
    execvp("psql", words);
    if (server_bindir(&bindir, err)) {
        text_appendf(&program, "%s/psql", text_str(&bindir));
        execv(text_str(&program), words);
    }
    error_set(err, ERROR_FAILED, "cannot run psql: %s", strerror(errno));
    error_hint(err, "install the package postgresql-client");
    text_clear(&bindir);
    mem_free_p((void *)&argv);
    return false;
}

static bool act(Call *call, const Project *project, Error *err)
{
    const char *action = call->arguments[0];
    if (project->target.url) {
        error_at(err, ERROR_PROJECT, project->file, 0, 0, "target '%s' has a url: there is no private PostgreSQL",
                 project->target.name);
        return error_hint(err, "'sluice db' is for a target without url; psql takes the target's own url");
    }
    if (!str_eq(action, "psql") && call->argument_count > 1)
        return call_error(err, "'db %s' takes no argument '%s'", action, call->arguments[1]);
    TEXT_AUTO(url);
    if (str_eq(action, "stop"))
        return stop(project, err);
    if (!target_url(project, &url, err))
        return false;
    if (str_eq(action, "start"))
        return true;
    if (str_eq(action, "psql"))
        return become_psql(call, &url, err);
    puts(text_str(&url));
    return true;
}

int cmd_db(Call *call) { return session_act(call, SESSION_FRAME, act); }
