#include "build/decide.h"

#include <inttypes.h>
#include <string.h>

#include "build/declared.h"
#include "build/query.h"
#include "build/step.h"
#include "project/duration.h"

typedef struct Deciding {
    Survey *survey;
    const SurveyNode *about;
    const DecideOptions *options;
    SqlCatalog catalog;
    SurveyRelation **relations; /* of the catalog's, in its order */
    size_t count;
    Decided *ret;
} Deciding;

/* --- the facts ------------------------------------------------------------------------------------------------- */

static void parse_query(const Survey *survey, SurveyRelation *relation)
{
    const Node *node = relation->node;
    SqlTree *tree = arena_alloc(survey->arena, sizeof *tree);
    if (relation->facts.query)
        return;
    ERROR_AUTO(err);
    if (!sql_parse(survey->arena, node->sql, tree, &err)) {
        relation->facts.kind = SQL_RELATION_OTHER;
        relation->facts.other = "a query that only a newer parser can read";
        return;
    }
    relation->facts.query = tree;
    relation->facts.file = node->place.file;
    relation->facts.lines_before = node->sql_line - 1;
}

static bool has_relation(const Deciding *d, const SurveyRelation *relation)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->relations[i] == relation)
            return true;
    return false;
}

static void add_relations(Deciding *d, const SurveyNode *about, SurveyRelation ***list, size_t *capacity)
{
    for (size_t i = 0; i < about->node->reference_count; i++) {
        SurveyRelation *read = about->reads[i];
        if (has_relation(d, read))
            continue;
        if (d->count == *capacity) {
            *capacity = *capacity ? *capacity * 2 : 16;
            *list = mem_resize(*list, *capacity, sizeof **list);
        }
        d->relations = *list;
        d->relations[d->count++] = read;
    }
}

/* What it reads, then what those read that stand for their query; such chains are acyclic, and as long as the project
 * at most. */
static void gather_catalog(Deciding *d)
{
    Survey *survey = d->survey;
    SurveyRelation **list = NULL;
    size_t capacity = 0;
    add_relations(d, d->about, &list, &capacity);
    for (size_t i = 0; i < d->count; i++) { /* grows while it is walked */
        SurveyRelation *relation = d->relations[i];
        if (relation->facts.kind != SQL_RELATION_QUERY)
            continue;
        parse_query(survey, relation);
        add_relations(d, survey->nodes[relation->node->order], &list, &capacity);
    }
    SqlRelationFacts *facts = arena_array(survey->arena, d->count, sizeof *facts);
    SurveyRelation **kept = arena_array(survey->arena, d->count, sizeof *kept);
    for (size_t i = 0; i < d->count; i++) {
        facts[i] = d->relations[i]->facts;
        kept[i] = d->relations[i];
    }
    mem_free_p(&list);
    d->relations = kept;
    d->catalog = (SqlCatalog){
        .schema = survey->project->target.schema,
        .relations = facts,
        .relation_count = d->count,
        .functions = survey->functions,
        .function_count = survey->function_count,
        .user_operators = survey->user_operators,
        .user_operator_count = survey->user_operator_count,
        .user_types = survey->user_types,
        .user_type_count = survey->user_type_count,
        .user_cast = survey->user_cast,
    };
}

static void analyse(Deciding *d)
{
    Survey *survey = d->survey;
    const Node *node = d->about->node;
    SqlTree *tree = arena_alloc(survey->arena, sizeof *tree);
    ERROR_AUTO(err);
    gather_catalog(d);
    if (!sql_parse(survey->arena, node->sql, tree, &err)) {
        d->ret->reach.full = true;
        d->ret->reach.why_full = (ReachReason){.file = node->place.file,
                                               .line = node->sql_line,
                                               .column = 1,
                                               .text = "its SQL is newer than the parser that would have to read it"};
        return;
    }
    ReachQuery query = {
        .tree = tree, .file = node->place.file, .lines_before = node->sql_line - 1, .time_column = node->time_column};
    sql_reach(survey->arena, &query, &d->catalog, &d->ret->reach);
}

/* --- what changed ---------------------------------------------------------------------------------------------- */

static Touched changed_of(const Deciding *d, const SurveyRelation *relation)
{
    Touched changed = {0};
    for (size_t i = 0; i < d->about->input_count; i++)
        if (d->about->inputs[i].relation == relation)
            changed = d->about->inputs[i].changed;
    const Touched *planned = relation->node && d->options->planned ? d->options->planned[relation->node->order] : NULL;
    if (planned)
        touched_union(&changed, planned);
    return changed;
}

/* The first table that changed, or NULL. hidden: only those that the SQL does not show. */
static const SurveyRelation *first_changed(const Deciding *d, bool hidden)
{
    for (size_t i = 0; i < d->about->input_count; i++) {
        const SurveyInput *input = &d->about->inputs[i];
        Touched changed = changed_of(d, input->relation);
        if ((!hidden || input->hidden) && !touched_nothing(&changed))
            return input->relation;
    }
    return NULL;
}

/* --- words ----------------------------------------------------------------------------------------------------- */

static void day_text(int64_t value, SqlTimeType type, Text *out)
{
    if (type == SQL_TIME_INTEGER) {
        text_appendf(out, "%" PRId64, value);
        return;
    }
    if (value < RANGES_FIRST_TIME || value >= RANGES_PAST_TIMES) {
        text_append(out, value < RANGES_FIRST_TIME ? "-infinity" : "infinity");
        return;
    }
    int64_t year;
    int month, day;
    civil_from_days(ranges_day_of(value) + RANGES_EPOCH_DAYS, &year, &month, &day);
    text_appendf(out, "%04" PRId64 "-%02d-%02d", year, month, day);
}

static void range_text(Range range, SqlTimeType type, Text *out)
{
    int64_t last = range.to == RANGES_END ? RANGES_HIGH : range.to - 1;
    if (range.from == RANGES_LOW && last == RANGES_HIGH) {
        text_append(out, "all times");
    } else if (range.from == RANGES_LOW) {
        text_append(out, "up to ");
        day_text(last, type, out);
    } else if (last == RANGES_HIGH) {
        text_append(out, "from ");
        day_text(range.from, type, out);
        text_append(out, " on");
    } else {
        size_t begun = out->len;
        day_text(range.from, type, out);
        TEXT_AUTO(end);
        day_text(last, type, &end);
        if (!str_eq(out->data + begun, text_str(&end)))
            text_appendf(out, " to %s", text_str(&end));
    }
}

void decide_times(const Touched *touched, SqlTimeType type, Text *out)
{
    enum { SHOWN = 4 };
    const Ranges *ranges = &touched->ranges;
    if (touched->everything) {
        text_append(out, "everything");
        return;
    }
    for (size_t i = 0; i < ranges->count && i < SHOWN; i++) {
        text_append(out, i ? ", " : "");
        range_text(ranges->items[i], type, out);
    }
    if (ranges->count > SHOWN)
        text_appendf(out, " and %zu more", ranges->count - SHOWN);
    if (touched->nulls)
        text_appendf(out, "%srows without a time", ranges->count ? ", " : "");
}

/* The reason may lie in a view or ephemeral model that the query reads. */
static const Node *node_of_file(const Deciding *d, const char *file)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->relations[i]->facts.file == file)
            return d->relations[i]->node;
    return d->about->node;
}

static void take_place(Deciding *d, const ReachReason *reason)
{
    Place *place = &d->ret->place;
    if (reason->line == 0) /* row by row: no one place decides how far it reaches */
        return;
    *place = (Place){.file = reason->file, .line = reason->line, .column = reason->column};
    if (place->file)
        node_place(node_of_file(d, place->file), &place->line, &place->column);
}

/* `loans changed on 2024-01-07; the frame of avg() reaches ...` */
static const char *why_range(const Deciding *d, const Decision *decision, int64_t lookback)
{
    TEXT_AUTO(text);
    for (size_t i = 0; i < d->about->input_count; i++) {
        const SurveyRelation *relation = d->about->inputs[i].relation;
        Touched changed = changed_of(d, relation);
        if (touched_nothing(&changed))
            continue;
        text_appendf(&text, "%s%s changed: ", text.len ? "; " : "", relation->facts.label);
        decide_times(&changed, relation->facts.time_type, &text);
    }
    if (decision->why.text)
        text_appendf(&text, "; %s", decision->why.text);
    if (lookback > 0)
        text_appendf(&text, "; lookback: %s", duration_text(lookback, true, d->survey->arena));
    return arena_strdup(d->survey->arena, text_str(&text));
}

static void full(Deciding *d, const char *why)
{
    d->ret->kind = DECISION_FULL;
    d->ret->touched = (Touched){.everything = true};
    d->ret->why = why;
}

static void full_by(Deciding *d, const ReachReason *reason)
{
    full(d, reason->text ? reason->text : "its query cannot be followed");
    take_place(d, reason);
}

/* --- the decision ---------------------------------------------------------------------------------------------- */

/* In what a step's key differs from the one by which the rows were computed: see SurveyNode.key. */
static const char *what_differs(const char *was, const char *is)
{
    static const char *const parts[] = {
        "it was built by another version of the analysis",
        "its SQL, time_column or on_schema_change is not what it was built by",
        "a table or view that it reads is another one, or has other columns or another time_column",
        "a function that it calls is not what it was when it was built",
        "a setting, a type or the server's version is not what it was when it was built",
    };
    size_t last = sizeof parts / sizeof *parts - 1;
    for (size_t i = 0; i < last; i++) {
        size_t length = strcspn(is, ":");
        if (strcspn(was, ":") != length || strncmp(was, is, length) != 0)
            return parts[i];
        if (!is[length] || !was[length])
            break;
        was += length + 1;
        is += length + 1;
    }
    return parts[last];
}

/* Why there are no rows to start from, or NULL. */
static const char *no_base(const Deciding *d)
{
    const SurveyNode *about = d->about;
    const LedgerRelation *known = &about->relation->known;
    if (!about->relation->relkind)
        return "the table is not there yet";
    if (d->options->full_refresh && !about->node->no_full_refresh)
        return "--full-refresh asks for it";
    if (!known->known || !known->snapshot || !known->step_key)
        return "no build is on record that it could start from";
    if (!str_eq(known->system_identifier, d->survey->system))
        return "the database is a copy of the one that it was built in";
    if (about->trusted)
        return NULL;
    if (!str_eq(known->definition, query_definition(d->survey->project, about->node, d->survey->arena)))
        return "its SQL is not what it was built by";
    return what_differs(known->step_key, about->key);
}

/* A reason that does not go away with the next build comes before one that does. */
static bool settled_without_reach(Deciding *d)
{
    const ReachReason *never = &d->ret->reach.why_full;
    const char *base = no_base(d);
    if (d->ret->reach.volatile_result) {
        full_by(d, never);
        return true;
    }
    if (base) {
        full(d, base);
        return true;
    }
    const SurveyRelation *hidden = first_changed(d, true);
    if (hidden)
        full(d, arena_printf(d->survey->arena, "%s changed, and depends_on does not say how far that reaches",
                             hidden->facts.label));
    return hidden != NULL;
}

static void decide_by_reach(Deciding *d)
{
    Survey *survey = d->survey;
    const SqlReach *reach = &d->ret->reach;
    Touched *changed = arena_array(survey->arena, reach->input_count, sizeof *changed);
    for (size_t i = 0; i < reach->input_count; i++)
        changed[i] = changed_of(d, d->relations[reach->inputs[i].relation - d->catalog.relations]);
    Decision decision;
    int64_t lookback = reach->time_type == SQL_TIME_INTEGER ? 0 : d->about->node->lookback;
    sql_reach_decide(survey->arena, reach, changed, lookback, &decision);
    d->ret->kind = decision.kind;
    d->ret->touched = decision.touched;
    d->ret->needed = decision.needed;
    if (decision.kind == DECISION_FULL) {
        full_by(d, &decision.why);
    } else {
        d->ret->why = why_range(d, &decision, lookback);
        take_place(d, &decision.why);
    }
}

static bool was_taken_back(const Deciding *d) { return d->about->relation->known.taken_back; }

static const char *why_skip(const Deciding *d)
{
    const Node *node = d->about->node;
    if (was_taken_back(d))
        return "it was taken back, and nothing that it reads has changed since";
    if (!str_eq(d->about->relation->known.declared, declared_hash(node, d->survey->arena)))
        return "nothing that it reads has changed; its keys, checks, indexes, grants or descriptions have";
    return step_unchanged_reason(node);
}

/* A table of kind `table` is recomputed whole, or not at all. */
static void decide_whole(Deciding *d, const SurveyRelation *changed)
{
    full(d, arena_printf(d->survey->arena, "%s changed, and materialized: table recomputes all of it",
                         changed->facts.label));
}

void decide(Survey *survey, const Node *node, const DecideOptions *options, Decided *ret)
{
    *ret = (Decided){0};
    Deciding d = {.survey = survey, .about = survey->nodes[node->order], .options = options, .ret = ret};
    analyse(&d);
    ret->time_column = node->time_column ? node->time_column : ret->reach.time_column;
    ret->time_type = ret->reach.time_column && str_eq(ret->time_column, ret->reach.time_column) ? ret->reach.time_type
                                                                                                : SQL_TIME_NONE;
    ret->keeps_snapshot = !ret->reach.volatile_result;
    if (settled_without_reach(&d))
        return;
    const SurveyRelation *changed = first_changed(&d, false);
    if (!changed) {
        ret->kind = DECISION_SKIP;
        ret->why = why_skip(&d);
    } else if (was_taken_back(&d)) { /* no part of it is known to be what the query gives */
        full(&d, arena_printf(survey->arena, "it was taken back, and %s changed", changed->facts.label));
    } else if (node->materialized == MATERIALIZED_TABLE) {
        decide_whole(&d, changed);
    } else if (ret->reach.full) {
        full_by(&d, &ret->reach.why_full);
    } else {
        decide_by_reach(&d);
    }
}
