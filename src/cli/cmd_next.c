#include <stdio.h>

#include "cli/session.h"

enum { DEFAULT_COUNT = 5, MOST = 10000 };

/* The name of the zone to use, in the call's arena; NULL where that cannot be said (told already). A sluice.yaml that
 * is wrong may not have the zone it means, and guessing UTC would be a wrong answer. */
static const char *zone_to_use(Call *call)
{
    const char *given = call_value(call, "tz");
    if (given)
        return given;
    if (!session_has_project(call))
        return "UTC";
    Project project;
    bool good = session_project(call, SESSION_FRAME, &project);
    const char *name = good ? arena_strdup(&call->arena, project.timezone) : NULL;
    project_clear(&project);
    return name;
}

static bool print_times(const Call *call, const Cron *cron, const Zone *zone, Error *err)
{
    long count;
    if (!call_number(call, "count", 1, MOST, DEFAULT_COUNT, &count, err))
        return false;
    Instant at = clock_now();
    const char *after = call_value(call, "after");
    if (after && !zone_parse_time(zone, after, &at, err))
        return error_place(err, "--after", 1, err->column);
    for (long i = 0; i < count && cron_next(cron, zone, at, &at); i++) {
        char text[CLOCK_TEXT];
        zone_format(zone, at, text);
        puts(text);
    }
    return true;
}

int cmd_next(Call *call)
{
    ERROR_AUTO(err);
    Cron cron;
    if (call->argument_count > 1) {
        call_error(&err, "'next' takes one expression, not %zu words", call->argument_count);
        error_hint(&err, "quote it, so that the shell leaves it alone: sluice next '15 6 * * *'");
        return call_failed(&err);
    }
    if (!cron_parse(call->arguments[0], &cron, &err)) {
        error_place(&err, "EXPR", 1, err.column);
        return call_failed(&err);
    }
    const char *name = zone_to_use(call);
    if (!name)
        return 2;
    Zone *zone CLEANUP(zone_close_p) = zone_open(name, &err);
    if (!zone || !print_times(call, &cron, zone, &err))
        return call_failed(&err);
    return 0;
}
