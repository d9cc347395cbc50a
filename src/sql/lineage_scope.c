#include "sql/lineage_scope.h"

#include <string.h>

#include "base/text.h"

bool lineage_spend(Lineage *l, size_t amount)
{
    if (amount > LINEAGE_WORK_MAX - l->work)
        l->whole = false;
    else
        l->work += amount;
    return l->whole;
}

/* --- origins and sets -------------------------------------------------------------------------------------------- */

static uint32_t hash_text(uint32_t hash, const char *s)
{
    for (; s && *s; s++)
        hash = (hash ^ (unsigned char)*s) * 16777619u; /* FNV-1a */
    return (hash ^ 0xffu) * 16777619u;
}

static size_t slot_of(const Lineage *l, const SqlOrigin *o)
{
    size_t slot = hash_text(hash_text(hash_text(2166136261u, o->schema), o->table), o->column) & (l->slot_count - 1);
    for (; l->slots[slot]; slot = (slot + 1) & (l->slot_count - 1)) {
        const SqlOrigin *known = &l->origins[l->slots[slot] - 1];
        if (str_eq(known->schema, o->schema) && str_eq(known->table, o->table) && str_eq(known->column, o->column))
            break;
    }
    return slot;
}

uint32_t lineage_origin(Lineage *l, SqlOrigin origin)
{
    if (l->origin_count * 2 >= l->slot_count) {
        size_t room = l->slot_count ? l->slot_count * 2 : 256;
        SqlOrigin *origins = arena_array(l->arena, room, sizeof *origins);
        if (l->origin_count)
            memcpy(origins, l->origins, l->origin_count * sizeof *origins);
        l->origins = origins;
        bool *read = arena_array(l->arena, room, sizeof *read);
        if (l->origin_count)
            memcpy(read, l->read, l->origin_count * sizeof *read);
        l->read = read;
        l->slots = arena_array(l->arena, room, sizeof *l->slots);
        l->slot_count = room;
        for (size_t i = 0; i < l->origin_count; i++)
            l->slots[slot_of(l, &origins[i])] = (uint32_t)i + 1;
    }
    size_t slot = slot_of(l, &origin);
    if (!l->slots[slot]) {
        l->origins[l->origin_count++] = origin;
        l->slots[slot] = (uint32_t)l->origin_count;
    }
    return l->slots[slot] - 1;
}

void lineage_add(Lineage *l, LineageSet *set, uint32_t number)
{
    if (!lineage_spend(l, 1 + set->count / 16))
        return;
    if (l->reading)
        l->read[number] = true;
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == number)
            return;
    if (set->count == set->room) {
        set->room = set->room ? set->room * 2 : 4;
        uint32_t *items = arena_array(l->arena, set->room, sizeof *items);
        if (set->count)
            memcpy(items, set->items, set->count * sizeof *items);
        set->items = items;
    }
    set->items[set->count++] = number;
}

void lineage_unite(Lineage *l, LineageSet *set, const LineageSet *other)
{
    for (size_t i = 0; i < other->count; i++)
        lineage_add(l, set, other->items[i]);
}

LineageColumn *lineage_column(Lineage *l, LineageRelation *relation, const char *name)
{
    lineage_spend(l, 1);
    if (relation->count == relation->room) {
        relation->room = relation->room ? relation->room * 2 : 8;
        LineageColumn *columns = arena_array(l->arena, relation->room, sizeof *columns);
        if (relation->count)
            memcpy(columns, relation->columns, relation->count * sizeof *columns);
        relation->columns = columns;
    }
    LineageColumn *column = &relation->columns[relation->count++];
    *column = (LineageColumn){.name = name ? name : "?column?"};
    return column;
}

void lineage_copy_column(Lineage *l, LineageRelation *to, const LineageColumn *from)
{
    LineageSet set = {0};
    lineage_unite(l, &set, &from->from);
    lineage_column(l, to, from->name)->from = set;
}

const LineageColumn *lineage_find_column(const LineageRelation *relation, const char *name, size_t from)
{
    for (size_t i = from; i < relation->count; i++)
        if (str_eq(relation->columns[i].name, name))
            return &relation->columns[i];
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

void lineage_add_all(Lineage *l, const LineageRelation *relation, LineageSet *out)
{
    for (size_t i = 0; i < relation->count; i++)
        lineage_unite(l, out, &relation->columns[i].from);
    lineage_unite(l, out, &relation->open);
    lineage_unite(l, out, &relation->every);
}

/* A name that no known column bears: one of the columns that are not known. */
bool lineage_add_unknown(Lineage *l, const LineageRelation *relation, const char *name, LineageSet *out)
{
    for (size_t i = 0; i < relation->open.count && lineage_spend(l, 1); i++) {
        SqlOrigin origin = l->origins[relation->open.items[i]];
        origin.column = name;
        lineage_add(l, out, lineage_origin(l, origin));
    }
    if (relation->any)
        lineage_unite(l, out, &relation->every);
    return relation->any || relation->open.count;
}

bool lineage_add_named(Lineage *l, const LineageRelation *relation, const char *name, LineageSet *out)
{
    bool found = false;
    const LineageColumn *column;
    for (size_t at = 0; lineage_spend(l, 1) && (column = lineage_find_column(relation, name, at));
         at = (size_t)(column - relation->columns) + 1) {
        lineage_unite(l, out, &column->from);
        found = true;
    }
    lineage_spend(l, relation->count / 8);
    return found;
}

const LineageRelation *lineage_find_relation(Lineage *l, const LineageScope *scope, const char *schema,
                                             const char *alias)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->count && lineage_spend(l, 1); i++)
            if (str_eq(scope->relations[i].alias, alias) && (!schema || str_eq(scope->relations[i].schema, schema)))
                return &scope->relations[i];
    return NULL;
}

/* --- names that mean nothing ------------------------------------------------------------------------------------- */

/* Of the scope that is nearest, or of the one relation. */
static const char *find_near(Lineage *l, const LineageScope *scope, const LineageRelation *only, const char *name)
{
    enum { LOOKED_AT_MAX = 200, HINTS_MAX = 100 };
    if (l->missing_count >= HINTS_MAX)
        return NULL;
    const char **names = arena_array(l->arena, LOOKED_AT_MAX, sizeof *names);
    size_t count = 0;
    while (scope && scope->count == 0)
        scope = scope->outer;
    size_t relations = only ? 1 : scope ? scope->count : 0;
    for (size_t i = 0; i < relations; i++) {
        const LineageRelation *relation = only ? only : &scope->relations[i];
        for (size_t j = 0; j < relation->count && count < LOOKED_AT_MAX; j++)
            names[count++] = relation->columns[j].name;
    }
    return lineage_spend(l, count) ? nearest(name, names, count) : NULL;
}

/* The tables of unknown columns among these, and in turn those of the scopes around; false where the name may be one
 * of a function's columns. */
static bool add_open(Lineage *l, const LineageRelation *relations, size_t count, SqlOrigins *open)
{
    for (size_t i = 0; i < count; i++)
        if (relations[i].any)
            return false;
    size_t most = open->count;
    for (size_t i = 0; i < count; i++)
        most += relations[i].open.count;
    if (most == open->count || !lineage_spend(l, most))
        return true;
    SqlOrigin *items = arena_array(l->arena, most, sizeof *items);
    if (open->count)
        memcpy(items, open->items, open->count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < relations[i].open.count; j++)
            items[open->count++] = l->origins[relations[i].open.items[j]];
    open->items = items;
    return true;
}

static void add_missing(Lineage *l, const LineageScope *scope, const LineageRelation *only, const SqlNode *ref,
                        const char *name)
{
    SqlOrigins open = {0};
    if (!l->whole || ref->location < 0 || l->missing_count == LINEAGE_MISSING_MAX)
        return;
    if (only && !add_open(l, only, 1, &open))
        return;
    for (const LineageScope *at = only ? NULL : scope; at; at = at->outer)
        if (!add_open(l, at->relations, at->count, &open))
            return;
    if (l->missing_count == l->missing_room) {
        l->missing_room = l->missing_room ? l->missing_room * 2 : 8;
        SqlMissing *missing = arena_array(l->arena, l->missing_room, sizeof *missing);
        if (l->missing_count)
            memcpy(missing, l->missing, l->missing_count * sizeof *missing);
        l->missing = missing;
    }
    const char *near = open.count ? NULL : find_near(l, scope, only, name);
    l->missing[l->missing_count++] = (SqlMissing){only ? only->alias : NULL, name, open, near, (size_t)ref->location};
}

/* --- references -------------------------------------------------------------------------------------------------- */

/* False where no relation in reach has a column that is known by that name. */
static bool resolve_plain(Lineage *l, const LineageScope *scope, const char *name, LineageSet *out)
{
    bool unknown = false;
    for (; scope && l->whole; scope = scope->outer) {
        bool found = false;
        for (size_t i = 0; i < scope->count; i++) /* of a USING column, both sides */
            found = lineage_find_column(&scope->relations[i], name, 0) || found;
        for (size_t i = 0; found && !unknown && i < scope->count; i++)
            lineage_add_named(l, &scope->relations[i], name, out);
        for (size_t i = 0; !found && i < scope->count; i++)
            if (str_eq(scope->relations[i].alias, name)) { /* the whole row */
                if (!unknown)
                    lineage_add_all(l, &scope->relations[i], out);
                found = true;
            }
        if (found)
            return true;
        for (size_t i = 0, first = !unknown; first && i < scope->count; i++)
            unknown = lineage_add_unknown(l, &scope->relations[i], name, out) || unknown;
    }
    return false;
}

static void resolve(Lineage *l, const LineageScope *scope, const SqlNode *ref, LineageSet *out)
{
    SqlList fields = sql_node_list(ref, "fields");
    const char *names[3] = {0};
    size_t n = 0;
    for (size_t i = fields.count > 3 ? fields.count - 3 : 0; i < fields.count; i++)
        names[n++] = sql_string_value(fields.items[i]); /* NULL: a star */
    if (n == 0 || (n == 1 && !names[0]))
        return; /* count(*) */
    if (n == 1) {
        if (!resolve_plain(l, scope, names[0], out))
            add_missing(l, scope, NULL, ref, names[0]);
        return;
    }
    const char *alias = names[n - 2], *name = names[n - 1];
    const LineageRelation *relation = alias ? lineage_find_relation(l, scope, n == 3 ? names[0] : NULL, alias) : NULL;
    if (!relation && names[0]) /* a field of a column */
        resolve_plain(l, scope, names[0], out);
    else if (relation && !name)
        lineage_add_all(l, relation, out);
    else if (relation && !lineage_add_named(l, relation, name, out)) {
        lineage_add_unknown(l, relation, name, out);
        add_missing(l, scope, relation, ref, name);
    }
}

void lineage_resolve(Lineage *l, const LineageScope *scope, const SqlNode *ref, LineageSet *out)
{
    l->reading = true;
    resolve(l, scope, ref, out);
    l->reading = false;
}
