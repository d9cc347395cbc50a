#include "schedule/agenda.h"

bool agenda_due(const AgendaItem *item, Instant now, Instant *ret_tick)
{
    Instant tick;
    if (!cron_prev(item->cron, item->zone, now, &tick))
        return false;
    if ((item->has_tick && tick <= item->last_tick) || (item->has_start && tick <= item->last_start))
        return false;
    *ret_tick = tick;
    return true;
}
