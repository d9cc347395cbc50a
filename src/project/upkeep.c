#include "project/upkeep.h"

#include "base/text.h"
#include "project/check.h"

/* --- changes ----------------------------------------------------------------------------------------------------- */

static void read_changes_column(Reading *reading, const Value *changes, Strings columns, Node *node)
{
    Values v;
    values_read(reading, SCOPE_CHANGES, VALUES_FILLED, changes->file, changes->node, &v);
    const Value *column = &v.items[KEY_CHANGES_COLUMN];
    if (!column->said)
        reading_report(reading, changes->key_place, "changes: trigger, or changes: {column: NAME}",
                       "'changes' needs 'column'");
    if (!column->node)
        return;
    column_check(reading, column->text, value_place(column), columns, node);
    node->changes = CHANGES_COLUMN;
    node->changes_column = column->text;
}

static void read_changes(Reading *reading, const Values *v, Strings columns, Node *node)
{
    const Value *changes = &v->items[KEY_SOURCE_CHANGES];
    if (!changes->node)
        return;
    if (node->csv) {
        reading_report(reading, changes->key_place, "leave it out: what a load changes is recorded anyway",
                       "'changes' is about a table that others write, and this source loads its own");
        return;
    }
    node->changes_place = changes->key_place;
    if (changes->node->kind == YAML_MAP)
        read_changes_column(reading, changes, columns, node);
    else if (str_eq(changes->text, "trigger"))
        node->changes = CHANGES_TRIGGER;
    else
        reading_report(reading, value_place(changes), "changes: trigger, or changes: {column: NAME}",
                       "'changes' is '%s', and must be trigger or a mapping with a column", changes->text);
    if (node->changes == CHANGES_COLUMN && !v->items[KEY_SOURCE_TIME_COLUMN].said)
        reading_report(reading, changes->key_place, "add time_column: NAME, of a column that no update changes",
                       "'changes' by a column needs 'time_column', to tell which times a change touches");
}

/* --- guards, time, tries ----------------------------------------------------------------------------------------- */

bool upkeep_has_rows(Reading *reading, const Value *value, const Node *node, bool history)
{
    static const char *const what[] = {
        [MATERIALIZED_TABLE] = NULL,
        [MATERIALIZED_VIEW] = "a view has none of its own",
        [MATERIALIZED_HISTORY] = "a history only adds to them",
        [MATERIALIZED_EPHEMERAL] = "an ephemeral model has none",
        [MATERIALIZED_INCREMENTAL] = NULL,
    };
    const char *reason = node->kind == NODE_MODEL ? what[node->materialized] : NULL;
    if (!value->node || !reason || (history && node->materialized == MATERIALIZED_HISTORY))
        return value->node != NULL;
    if (!value_is_default(value, node))
        reading_report(reading, value->key_place, "leave it out", "'%s' is about the rows of a table, and %s",
                       setting_get(value->setting)->key, reason);
    return false;
}

static void take_count(Reading *reading, const Value *value, int most, int *ret)
{
    if (!value->node)
        return;
    if (value->number <= most)
        *ret = (int)value->number;
    else
        reading_report(reading, value_place(value), NULL, "'%s' is at most %d", setting_get(value->setting)->key, most);
}

static void take_amount(const Value *value, Amount *ret)
{
    *ret = (Amount){true, GUARD_DEFAULT};
    if (value->node)
        *ret = (Amount){value->share, value->number};
}

static void take_timeout(Reading *reading, const Value *value, Node *node)
{
    if (value->node && value->number == 0)
        reading_report(reading, value_place(value), "leave it out for none", "'timeout' is no time at all");
    if (value->node)
        node->timeout = value->number;
}

void upkeep_read_source(Reading *reading, const Values *values, Strings columns, Node *node)
{
    const Value *items = values->items;
    read_changes(reading, values, columns, node);
    take_amount(&items[KEY_SOURCE_MAX_SHRINK], &node->max_shrink);
    take_amount(&items[KEY_SOURCE_MIN_ROWS], &node->min_rows);
    take_timeout(reading, &items[KEY_SOURCE_TIMEOUT], node);
    node->retries = RETRIES_DEFAULT;
    take_count(reading, &items[KEY_SOURCE_RETRIES], RETRIES_MAX, &node->retries);
    take_count(reading, &items[KEY_SOURCE_ROLLBACK], ROLLBACK_MAX, &node->rollback);
}

/* --- models ------------------------------------------------------------------------------------------------------ */

static void read_lookback(Reading *reading, const Values *v, Node *node)
{
    const Value *lookback = &v->items[KEY_MODEL_LOOKBACK], *materialized = &v->items[KEY_MODEL_MATERIALIZED];
    if (!lookback->node)
        return;
    bool known = materialized->node || !materialized->said;
    if (node->materialized == MATERIALIZED_INCREMENTAL)
        node->lookback = lookback->number;
    else if (known && !value_is_default(lookback, node))
        reading_report(reading, lookback->key_place, "materialized: incremental recomputes ranges; others are whole",
                       "'lookback' is for incremental, and this model is a %s", materialized_name(node->materialized));
}

void upkeep_read_model(Reading *reading, const Values *values, Node *node)
{
    const Value *items = values->items;
    const Value *refresh = &items[KEY_MODEL_FULL_REFRESH], *change = &items[KEY_MODEL_ON_SCHEMA_CHANGE];
    const Value *shrink = &items[KEY_MODEL_MAX_SHRINK], *rollback = &items[KEY_MODEL_ROLLBACK];
    read_lookback(reading, values, node);
    if (upkeep_has_rows(reading, refresh, node, true))
        node->no_full_refresh = refresh->number == 0;
    if (upkeep_has_rows(reading, change, node, true))
        node->on_schema_change = (SchemaChange)change->number;
    take_amount(upkeep_has_rows(reading, shrink, node, false) ? shrink : &(Value){0}, &node->max_shrink);
    take_amount(&items[KEY_MODEL_MIN_ROWS], &node->min_rows);
    take_timeout(reading, &items[KEY_MODEL_TIMEOUT], node);
    node->retries = RETRIES_DEFAULT;
    take_count(reading, &items[KEY_MODEL_RETRIES], RETRIES_MAX, &node->retries);
    if (upkeep_has_rows(reading, rollback, node, false))
        take_count(reading, rollback, ROLLBACK_MAX, &node->rollback);
}
