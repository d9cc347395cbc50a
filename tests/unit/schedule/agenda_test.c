#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "schedule/agenda.h"

static const struct {
    const char *what, *expr, *zone, *last_tick, *last_start, *now;
    const char *tick; /* NULL: not due */
} ROWS[] = {
    {"never ran: due under the latest tick", "15 6 * * *", "UTC", NULL, NULL, "2026-01-31T06:00",
     "2026-01-30T06:15:00"},
    {"at the tick itself", "15 6 * * *", "UTC", "2026-01-30T06:15", "2026-01-30T06:15:01", "2026-01-31T06:15",
     "2026-01-31T06:15:00"},
    {"a second before it", "15 6 * * *", "UTC", "2026-01-30T06:15", "2026-01-30T06:15:01", "2026-01-31T06:14:59", NULL},
    {"done already", "15 6 * * *", "UTC", "2026-01-31T06:15", "2026-01-31T06:15:01", "2026-01-31T09:00", NULL},
    {"done, and its start is not known", "15 6 * * *", "UTC", "2026-01-31T06:15", NULL, "2026-01-31T09:00", NULL},
    {"missed ticks are one", "* * * * *", "UTC", "2026-01-01T00:00", "2026-01-01T00:00:01", "2026-01-31T06:15:30",
     "2026-01-31T06:15:00"},
    {"a run by hand after the tick counts", "15 6 * * *", "UTC", "2026-01-30T06:15", "2026-01-31T06:20",
     "2026-01-31T07:00", NULL},
    {"one that began with the tick counts", "15 6 * * *", "UTC", NULL, "2026-01-31T06:15", "2026-01-31T07:00", NULL},
    {"one that began before it does not", "15 6 * * *", "UTC", NULL, "2026-01-31T06:14:59", "2026-01-31T07:00",
     "2026-01-31T06:15:00"},
    {"a clock put back", "* * * * *", "UTC", "2026-01-31T06:15", "2026-01-31T06:15:01", "2026-01-31T05:00:30", NULL},
    {"the gap's tick", "30 2 * * *", "Europe/Berlin", "2026-03-28T02:30", "2026-03-28T02:30:01", "2026-03-29T03:00",
     "2026-03-29T03:00:00"},
    {"the overlap's second pass, fixed", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:30", "2026-10-25T02:30:01",
     "2026-10-25T02:30:00+01:00", NULL},
    {"the overlap's second pass, repeating", "*/30 * * * *", "Europe/Berlin", "2026-10-25T02:30", "2026-10-25T02:30:01",
     "2026-10-25T02:30:10+01:00", "2026-10-25T02:30:00+01:00"},
};

static Instant at(const Zone *zone, const char *text)
{
    Instant instant = 0;
    assert_true(zone_parse_time(zone, text, &instant, NULL));
    return instant;
}

static void test_due(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        Zone *zone CLEANUP(zone_close_p) = zone_open(ROWS[i].zone, NULL);
        Cron cron;
        assert_non_null(zone);
        assert_true(cron_parse(ROWS[i].expr, &cron, NULL));
        AgendaItem item = {.cron = &cron, .zone = zone, .has_tick = ROWS[i].last_tick, .has_start = ROWS[i].last_start};
        if (item.has_tick)
            item.last_tick = at(zone, ROWS[i].last_tick);
        if (item.has_start)
            item.last_start = at(zone, ROWS[i].last_start);
        Instant tick = 0;
        bool due = agenda_due(&item, at(zone, ROWS[i].now), &tick);
        if (due != (ROWS[i].tick != NULL) || (due && tick != at(zone, ROWS[i].tick)))
            fail_msg("%s: %s, %lld", ROWS[i].what, due ? "due" : "not due", (long long)tick);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_due)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
