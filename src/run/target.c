#include "run/target.h"

#include "base/log.h"
#include "pg/server.h"

enum { CONNECT_RETRY = 10 /* seconds */ };

bool target_url(const Project *project, Text *out, Error *err)
{
    if (project->target.url) {
        text_append(out, project->target.url);
        return true;
    }
    bool started;
    if (!server_start(project->dir, "sluice", &started, out, err))
        return false;
    if (started)
        log_info("started the private PostgreSQL under .sluice/; it goes on running: sluice db stop ends it");
    return true;
}

bool target_connect(const Project *project, Conn **ret_conn, Error *err)
{
    TEXT_AUTO(url);
    if (!target_url(project, &url, err))
        return false;
    ConnOptions options = {.url = text_str(&url), .project = project->name, .retry_for = CONNECT_RETRY};
    return conn_open(&options, ret_conn, err);
}
