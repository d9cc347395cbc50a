#include "build/due.h"

#include "schedule/agenda.h"

bool due_tick(const Node *node, const LedgerRelation *known, Instant now, Instant *ret_tick)
{
    AgendaItem item = {
        .cron = &node->cron,
        .zone = node->zone,
        .has_tick = known->has_tick,
        .has_start = known->has_start,
        .last_tick = known->last_tick,
        .last_start = known->last_start,
    };
    return node->schedule && agenda_due(&item, now, ret_tick);
}
