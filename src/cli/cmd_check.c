#include <stdio.h>

#include "base/log.h"
#include "cli/choice.h"
#include "cli/listing.h"
#include "cli/session.h"
#include "run/check_tables.h"

static const ListingColumn columns[] = {
    {"node", LISTING_TEXT},     {"check", LISTING_TEXT},         {"kind", LISTING_TEXT},  {"outcome", LISTING_TEXT},
    {"severity", LISTING_TEXT}, {"failed_rows", LISTING_NUMBER}, {"detail", LISTING_TEXT}};

static void checked(const Node *node, const CheckResult *result, void *data)
{
    char number[DECIMAL_TEXT];
    decimal_text(result->failed_rows, number);
    const char *outcome = result->failed_rows == 0 ? "ok" : "failed";
    const char *severity = result->check->warn ? "warn" : "error";
    listing_add(data, (const char *const[]){node->name, result->check->name, result->kind, outcome, severity, number,
                                            result->detail});
}

static void unchecked(const Node *node, const Error *failure, void *data)
{
    listing_add(data, (const char *const[]){node->name, NULL, NULL, "failed", "error", NULL, failure->message});
    log_failure(failure);
}

static int check(Call *call, const Project *project)
{
    ERROR_AUTO(err);
    Selection selection;
    CheckSummary summary;
    if (!choice_make(call, project, &selection, &err))
        return call_failed(&err);
    LISTING_AUTO(listing);
    listing_init(&listing, columns, sizeof columns / sizeof *columns);
    CheckListener listener = {checked, unchecked, &listing};
    bool good = run_checks(project, &selection, &listener, &summary, &err);
    listing_print(&listing, str_eq(call_value(call, "format"), "json"), stdout);
    fflush(stdout);
    if (!good)
        return call_failed(&err);
    log_info("%zu ok, %zu failed, %zu warning%s", summary.ok, summary.failed, summary.warnings,
             summary.warnings == 1 ? "" : "s");
    return summary.failed > 0;
}

int cmd_check(Call *call)
{
    Project project;
    int status = session_project(call, SESSION_WHOLE, &project) ? check(call, &project) : 2;
    project_clear(&project);
    return status;
}
