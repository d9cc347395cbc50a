#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/record_listing.h"
#include "cli/session.h"
#include "record/ledger.h"

enum { PARTS = 3 };

/* 0: the newest one. */
static bool run_id_of(const Call *call, int64_t *ret, Error *err)
{
    *ret = 0;
    if (call->argument_count == 0)
        return true;
    const char *word = call->arguments[0];
    char *end = NULL;
    errno = 0;
    long long id = strtoll(word, &end, 10);
    if (errno != 0 || end == word || *end || id < 1) {
        call_error(err, "'%s' is not the number of a run", word);
        return error_hint(err, "'sluice runs' lists them");
    }
    *ret = id;
    return true;
}

static void print_text(Rows *const parts[PARTS])
{
    static const char *const names[PARTS] = {
        "node table outcome started_at seconds rows inserted updated deleted reason",
        "table check kind severity failed_rows detail", "table check line row"};
    static const char *const titles[PARTS] = {NULL, "Checks that failed", "Rows that failed"};
    for (int i = 0; i < PARTS; i++) {
        if (rows_count(parts[i]) == 0)
            continue;
        LISTING_AUTO(listing);
        record_listing(parts[i], names[i], &listing);
        if (titles[i])
            printf("\n%s\n\n", titles[i]);
        listing_print(&listing, false, stdout);
    }
    /* Errors are long: below the steps, each as it was told when it happened. */
    for (int row = 0; row < rows_count(parts[0]); row++) {
        const char *error = record_get(parts[0], row, "error");
        const char *place = record_get(parts[0], row, "place");
        if (!error)
            continue;
        TEXT_AUTO(line);
        text_appendf(&line, "%s: %s%s%s", record_get(parts[0], row, "node"), place ? place : "", place ? ": " : "",
                     error);
        char *shown CLEANUP(mem_free_p) = log_redacted(text_str(&line));
        printf("\n%s\n", shown);
    }
}

static void print_json(Rows *const parts[PARTS])
{
    static const char *const keys[PARTS] = {"steps", "checks", "failed_rows"};
    TEXT_AUTO(text);
    Json json = {.out = &text};
    json_object(&json);
    for (int i = 0; i < PARTS; i++) {
        LISTING_AUTO(listing);
        if (parts[i])
            record_listing(parts[i], NULL, &listing);
        else
            listing_init(&listing, NULL, 0);
        json_key(&json, keys[i]);
        listing_json(&listing, &json);
    }
    json_end(&json);
    puts(text_str(&text));
}

static bool logs(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    ROWS_AUTO(steps);
    ROWS_AUTO(checks);
    ROWS_AUTO(failed_rows);
    bool exists, json = str_eq(call_value(call, "format"), "json");
    int64_t run_id;
    if (!run_id_of(call, &run_id, err) || !record_open(project, &conn, &exists, err))
        return false;
    if (exists && !ledger_logs(conn, project->name, run_id, &steps, &checks, &failed_rows, err))
        return false;
    if (run_id > 0 && (!exists || rows_count(steps) + rows_count(checks) == 0))
        log_info("nothing is recorded of run %s", call->arguments[0]);
    else if (!exists)
        log_info("nothing is recorded yet");
    else if (rows_count(steps) + rows_count(checks) == 0)
        log_info("the newest run had no steps, and no check that failed");
    Rows *const parts[PARTS] = {steps, checks, failed_rows};
    if (json)
        print_json(parts);
    else if (exists)
        print_text(parts);
    return true;
}

int cmd_logs(Call *call)
{
    Project project;
    ERROR_AUTO(err);
    int status = 2;
    if (session_project(call, SESSION_FRAME, &project))
        status = logs(call, &project, &err) ? 0 : call_failed(&err);
    project_clear(&project);
    return status;
}
