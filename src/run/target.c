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

bool target_connect_to(const Project *project, const char *url, Conn **ret_conn, Error *err)
{
    ConnOptions options = {.url = url, .project = project->name, .retry_for = CONNECT_RETRY};
    return conn_open(&options, ret_conn, err);
}

bool target_connect(const Project *project, Conn **ret_conn, Error *err)
{
    TEXT_AUTO(url);
    return target_url(project, &url, err) && target_connect_to(project, text_str(&url), ret_conn, err);
}
