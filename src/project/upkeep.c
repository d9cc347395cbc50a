#include "project/upkeep.h"

#include "base/text.h"
#include "project/check.h"

/* --- changes --------------------------------------------------------------------------------------------------------
 */

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

void upkeep_read_source(Reading *reading, const Values *values, Strings columns, Node *node)
{
    read_changes(reading, values, columns, node);
}

/* --- models ---------------------------------------------------------------------------------------------------------
 */

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

static void read_full_refresh(Reading *reading, const Values *v, Node *node)
{
    const Value *refresh = &v->items[KEY_MODEL_FULL_REFRESH];
    if (!refresh->node)
        return;
    node->no_full_refresh = refresh->number == 0;
    bool tableless = node->materialized == MATERIALIZED_VIEW || node->materialized == MATERIALIZED_EPHEMERAL;
    if (tableless && !value_is_default(refresh, node))
        reading_report(reading, refresh->key_place, NULL,
                       "'full_refresh' is about a table's rows, and this model is %s",
                       node->materialized == MATERIALIZED_VIEW ? "a view" : "ephemeral");
}

void upkeep_read_model(Reading *reading, const Values *values, Node *node)
{
    read_lookback(reading, values, node);
    read_full_refresh(reading, values, node);
}
