#include "record/track.h"
#include "sql/reach.h"
__attribute__((weak)) const char *decision_name(DecisionKind k)
{
    static const char *const n[] = {"skip", "range", "from", "full"};
    return n[k];
}
__attribute__((weak)) void sql_reach(Arena *a, const ReachQuery *q, const SqlCatalog *c, SqlReach *r)
{
    (void)a;
    (void)c;
    *r = (SqlReach){.full = true, .why_full = {.file = q->file, .line = 1, .column = 1, .text = "stub"}};
}
__attribute__((weak)) void sql_reach_decide(Arena *a, const SqlReach *r, const Touched *c, int64_t l, Decision *ret)
{
    (void)a;
    (void)r;
    (void)c;
    (void)l;
    *ret = (Decision){.kind = DECISION_FULL};
}
__attribute__((weak)) bool track_holds(Conn *c, const TrackTable *t, bool *r, Error *e)
{
    (void)c;
    (void)t;
    (void)e;
    *r = false;
    return true;
}
__attribute__((weak)) bool track_install(Conn *c, const TrackTable *t, bool *r, Error *e)
{
    (void)c;
    (void)t;
    (void)e;
    *r = false;
    return true;
}
__attribute__((weak)) bool track_remove_others(Conn *c, const char *p, const TrackTable *k, size_t n, Error *e)
{
    (void)c;
    (void)p;
    (void)k;
    (void)n;
    (void)e;
    return true;
}
__attribute__((weak)) bool track_by_column(Conn *c, const TrackTable *t, const char *s, Touched *r, Error *e)
{
    (void)c;
    (void)t;
    (void)s;
    (void)e;
    r->everything = true;
    return true;
}
