/* Any bytes as a cron expression: it is refused with a place, or its ticks are one sequence in three zones.
 * The first 8 bytes are the instant to start from, the rest is the expression. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "schedule/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void walk(const Cron *cron, const Zone *zone, Instant start)
{
    Instant t = start, next, prev, back;
    if (cron_prev(cron, zone, start, &prev)) {
        require(prev <= start, "prev is at or before");
        require(!cron_next(cron, zone, prev, &next) || next > start, "nothing between prev and the start");
    }
    for (int i = 0; i < 4 && cron_next(cron, zone, t, &next); i++) {
        require(next > t, "next is after");
        require(next % 1000000 == 0, "a tick is a whole second");
        require(cron_prev(cron, zone, next, &back) && back == next, "a tick is its own prev");
        require(!cron_prev(cron, zone, next - 1, &back) || back <= t, "nothing between a time and its next");
        t = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Zone *zones[3];
    static const char *const names[] = {"Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"};
    Instant start = 0;
    if (size < sizeof start)
        return -1;
    memcpy(&start, data, sizeof start);
    data += sizeof start;
    size -= sizeof start;
    char *expr CLEANUP(mem_free_p) = mem_alloc(size + 1);
    memcpy(expr, data, size);
    ERROR_AUTO(err);
    Cron cron;
    if (!cron_parse(expr, &cron, &err)) {
        require(err.code == ERROR_PROJECT && err.message && err.column >= 1, "an error has a message and a column");
        require((size_t)err.column <= strlen(expr) + 1, "the column is within the expression");
        require(!strchr(err.message, '\n'), "a message is one line");
        return 0;
    }
    require(cron.minutes && cron.hours && cron.months && cron.weekdays && cron.days, "no field is empty");
    for (size_t i = 0; i < 3; i++) {
        if (!zones[i])
            zones[i] = zone_open(names[i], NULL);
        require(zones[i] != NULL, "the zone opens");
        walk(&cron, zones[i], start);
        walk(&cron, zones[i], 1616900000000000 + start % 200000000000000); /* in years with changes of clocks */
    }
    return 0;
}
