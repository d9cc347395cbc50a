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

typedef struct Record {
    Rows *run;          /* no row, or NULL: there is no such run, and no parts */
    Rows *parts[PARTS]; /* steps, checks that failed, rows that failed */
} Record;

static void record_clear(Record *record)
{
    rows_free(record->run);
    for (int i = 0; i < PARTS; i++)
        rows_free(record->parts[i]);
}

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

/* Which run it is, in one line; its error in another. */
static void print_run(const Rows *run)
{
    TEXT_AUTO(line);
    const char *seconds = record_get(run, 0, "seconds"), *error = record_get(run, 0, "error");
    text_appendf(&line, "Run %s: %s; started ", record_get(run, 0, "run"), record_get(run, 0, "command"));
    listing_append_time(record_get(run, 0, "started_at"), &line);
    text_appendf(&line, "; %s", record_get(run, 0, "outcome"));
    if (seconds)
        text_appendf(&line, " after %s s", seconds);
    if (error)
        text_appendf(&line, "\n%s", error);
    char *shown CLEANUP(mem_free_p) = log_redacted(text_str(&line));
    puts(shown);
}

static bool same_check(const Rows *rows, int a, int b)
{
    return str_eq(record_get(rows, a, "table"), record_get(rows, b, "table")) &&
           str_eq(record_get(rows, a, "check"), record_get(rows, b, "check"));
}

/* The first few of each check, whose rows stand together, and how many more there are. */
static void print_failed_rows(const Rows *rows)
{
    enum { SHOWN_MAX = 10 };
    static const ListingColumn columns[] = {
        {"table", LISTING_TEXT}, {"check", LISTING_TEXT}, {"line", LISTING_NUMBER}, {"row", LISTING_JSON}};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    LISTING_AUTO(listing);
    TEXT_AUTO(more);
    listing_init(&listing, columns, COLUMNS);
    for (int row = 0, first = 0; row < rows_count(rows); row++) {
        const char *cells[COLUMNS];
        for (int i = 0; i < COLUMNS; i++)
            cells[i] = record_get(rows, row, columns[i].name);
        first = same_check(rows, first, row) ? first : row;
        if (row - first < SHOWN_MAX)
            listing_add(&listing, cells);
        bool last = row + 1 == rows_count(rows) || !same_check(rows, first, row + 1);
        if (last && row - first >= SHOWN_MAX)
            text_appendf(&more, "... and %d more of %s: --format json\n", row - first + 1 - SHOWN_MAX, cells[1]);
    }
    listing_print(&listing, false, stdout);
    fputs(text_str(&more), stdout);
}

static void print_text(const Record *record)
{
    Rows *const *parts = record->parts;
    static const char *const names[PARTS] = {
        "node table outcome decision touched started_at seconds rows inserted updated deleted reason",
        "table check kind severity failed_rows detail", NULL};
    static const char *const titles[PARTS] = {NULL, "Checks that failed", "Rows that failed"};
    print_run(record->run);
    for (int i = 0; i < PARTS; i++) {
        if (rows_count(parts[i]) == 0)
            continue;
        printf("\n");
        if (titles[i])
            printf("%s\n\n", titles[i]);
        if (names[i]) {
            LISTING_AUTO(listing);
            record_listing(parts[i], names[i], &listing);
            listing_print(&listing, false, stdout);
        } else {
            print_failed_rows(parts[i]);
        }
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

static void print_json(const Record *record)
{
    static const char *const keys[PARTS] = {"steps", "checks", "failed_rows"};
    TEXT_AUTO(text);
    Json json = {.out = &text};
    json_object(&json);
    json_key(&json, "run");
    LISTING_AUTO(runs);
    record_listing(record->run, NULL, &runs);
    if (runs.row_count > 0)
        listing_json_row(&runs, 0, &json);
    else
        json_null(&json);
    for (int i = 0; i < PARTS; i++) {
        LISTING_AUTO(listing);
        record_listing(record->parts[i], NULL, &listing);
        json_key(&json, keys[i]);
        listing_json(&listing, &json);
    }
    json_end(&json);
    puts(text_str(&text));
}

static bool no_such_run(const Call *call, const Project *project, Error *err)
{
    call_error(err, "there is no run %s of project '%s'", call->arguments[0], project->name);
    return error_hint(err, "'sluice runs' lists them; they are kept for %d days", LEDGER_DAYS);
}

static bool read_record(Conn *conn, const Project *project, int64_t run_id, Record *ret, Error *err)
{
    return ledger_logs_run(conn, project->name, run_id, &ret->run, err) &&
           (rows_count(ret->run) == 0 ||
            ledger_logs(conn, project->name, run_id, &ret->parts[0], &ret->parts[1], &ret->parts[2], err));
}

static bool logs(Call *call, const Project *project, Error *err)
{
    CONN_AUTO(conn);
    Record record CLEANUP(record_clear) = {0};
    bool exists;
    int64_t run_id;
    if (!run_id_of(call, &run_id, err) || !record_open(project, &conn, &exists, err) ||
        (exists && !read_record(conn, project, run_id, &record, err)))
        return false;
    bool any = record.run && rows_count(record.run) > 0;
    if (!any && run_id > 0)
        return no_such_run(call, project, err);
    if (!any)
        log_info("there are no runs yet");
    if (str_eq(call_value(call, "format"), "json"))
        print_json(&record);
    else if (any)
        print_text(&record);
    return true;
}

int cmd_logs(Call *call) { return session_act(call, SESSION_FRAME, logs); }
