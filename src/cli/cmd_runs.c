#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/record_listing.h"
#include "cli/session.h"
#include "record/ledger.h"

enum { DEFAULT_COUNT = 20, MOST = 10000 };

static bool runs(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    ROWS_AUTO(rows);
    bool exists, json = str_eq(call_value(call, "format"), "json");
    long count;
    if (!call_number(call, "count", 1, MOST, DEFAULT_COUNT, &count, err) || !record_open(project, &conn, &exists, err))
        return false;
    if (exists && !ledger_runs(conn, project->name, (int)count, &rows, err))
        return false;
    if (!rows || rows_count(rows) == 0)
        log_info("there are no runs yet");
    LISTING_AUTO(listing);
    record_listing(rows, json ? NULL : "run started_at seconds outcome steps failed command error", &listing);
    listing_print(&listing, json, stdout);
    return true;
}

int cmd_runs(Call *call) { return session_act(call, SESSION_FRAME, runs); }
