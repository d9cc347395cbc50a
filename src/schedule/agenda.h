/* Agenda: what a schedule says is due. Pure: no clock, no database.
 *
 * Due is the latest tick at or before now, when it is after both the latest tick that was finished and the start of
 * the latest run that succeeded.
 *   - Only the latest: ticks missed while the machine was off collapse into one. A run brings a table up to date with
 *     its inputs as they are now, so a second run for an older tick would do the same work again.
 *   - After the last start too: a run by hand, begun after the tick, saw everything the tick's run would have seen.
 *     One begun before the tick did not: inputs may have come since.
 *   - Never ran: due at once, under the name of the latest tick, so that hosts that ask at the same time agree on it.
 *   - A clock that was put back finds a latest tick older than the one finished: not due, rather than twice. */
#pragma once

#include <stdbool.h>

#include "schedule/cron.h"

typedef struct AgendaItem {
    const Cron *cron;
    const Zone *zone;
    bool has_tick, has_start;
    Instant last_tick;  /* the latest tick that was finished */
    Instant last_start; /* when the latest run that succeeded began */
} AgendaItem;

/* True when due; *ret_tick is then the tick that names the run. */
bool agenda_due(const AgendaItem *item, Instant now, Instant *ret_tick);
