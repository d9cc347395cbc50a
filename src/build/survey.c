#include "build/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "build/declared.h"
#include "build/trust.h"
#include "pg/rows.h"
#include "project/index.h"
#include "publish/table.h"
#include "record/change.h"
#include "record/statements.h"
#include "sql/reach.h"

typedef struct Asking {
    Conn *conn;
    Survey *survey;
    Arena *arena;
    bool ledger;
    Index by_name;              /* "schema\x01name" to SurveyRelation */
    SurveyRelation **relations; /* in the order they were asked for */
    size_t count, capacity;
    bool *wanted; /* by order */
} Asking;

static void asking_clear(Asking *asking)
{
    free(asking->relations);
    free(asking->wanted);
}

void survey_clear(Survey *survey)
{
    free(survey->nodes);
    survey->nodes = NULL;
}

/* --- whom to ask about ----------------------------------------------------------------------------------------- */

static SurveyRelation *relation_of(Asking *asking, const char *schema, const char *name, const Node *node)
{
    const char *key = arena_printf(asking->arena, "%s\x01%s", schema, name);
    SurveyRelation *found = index_get(&asking->by_name, key);
    if (found)
        return found;
    SurveyRelation *relation = arena_alloc(asking->arena, sizeof *relation);
    relation->node = node;
    relation->facts = (SqlRelationFacts){
        .schema = schema,
        .name = name,
        .label = node ? node->name : name,
        .kind = node && node_is_query(node) ? SQL_RELATION_QUERY : SQL_RELATION_OTHER,
    };
    index_put(&asking->by_name, key, relation);
    if (asking->count == asking->capacity) {
        asking->capacity = asking->capacity ? asking->capacity * 2 : 64;
        asking->relations = mem_resize(asking->relations, asking->capacity, sizeof *asking->relations);
    }
    asking->relations[asking->count++] = relation;
    return relation;
}

static void want(Asking *asking, const bool *chosen)
{
    const Project *project = asking->survey->project;
    asking->wanted = mem_alloc(project->node_count + 1);
    for (size_t i = project->node_count; i-- > 0;) {
        const Node *node = project->nodes[i];
        asking->wanted[i] = asking->wanted[i] || chosen[i];
        for (size_t j = 0; asking->wanted[i] && j < node->input_count; j++)
            if (node_is_query(node->inputs[j]))
                asking->wanted[node->inputs[j]->order] = true;
    }
}

static void ask_about(Asking *asking, const Node *node)
{
    const Project *project = asking->survey->project;
    SurveyNode *about = arena_alloc(asking->arena, sizeof *about);
    asking->survey->nodes[node->order] = about;
    about->node = node;
    about->relation = relation_of(asking, node->schema, node->table, node);
    about->reads = arena_array(asking->arena, node->reference_count, sizeof *about->reads);
    for (size_t i = 0; i < node->reference_count; i++) {
        const Reference *ref = &node->references[i];
        const Node *other = ref->node;
        about->reads[i] =
            other ? relation_of(asking, other->schema, other->table, other)
                  : relation_of(asking, ref->schema ? ref->schema : project->target.schema, ref->name, NULL);
    }
    for (size_t i = 0; i < node->depends_on_count; i++)
        if (node->depends_on[i].node)
            relation_of(asking, node->depends_on[i].node->schema, node->depends_on[i].node->table,
                        node->depends_on[i].node);
}

/* --- the server ------------------------------------------------------------------------------------------------ */

static void names_json(const Asking *asking, Text *out)
{
    Json json = {.out = out};
    json_array(&json);
    for (size_t i = 0; i < asking->count; i++) {
        json_array(&json);
        json_string(&json, asking->relations[i]->facts.schema);
        json_string(&json, asking->relations[i]->facts.name);
        json_end(&json);
    }
    json_end(&json);
}

static const char *other_kind(char relkind)
{
    if (!relkind)
        return "not there";
    return strchr("vmf", relkind) ? relkind_one(relkind) : "no table";
}

static int same_relation(const Rows *rows, int row)
{
    int next = row + 1;
    while (next < rows_count(rows) && rows_int(rows, next, 0) == rows_int(rows, row, 0))
        next++;
    return next;
}

/* Rows [from, to) are the columns of one relation. */
static void take_relation(Asking *asking, const Rows *rows, int from, int to)
{
    Arena *arena = asking->arena;
    SurveyRelation *relation = asking->relations[rows_int(rows, from, 0)];
    SqlColumnFacts *columns = arena_array(arena, (size_t)(to - from), sizeof *columns);
    size_t count = 0;
    TEXT_AUTO(print);
    relation->relkind = rows_get(rows, from, 1)[0];
    relation->oid = arena_strdup(arena, rows_get(rows, from, 2));
    relation->beneath = rows_get(rows, from, 6) ? arena_strdup(arena, rows_get(rows, from, 6)) : NULL;
    hash_add(&print, rows_get(rows, from, 1));
    hash_add(&print, rows_get(rows, from, 2));
    for (int i = from; i < to && rows_get(rows, i, 3); i++) {
        columns[count++] = (SqlColumnFacts){.name = arena_strdup(arena, rows_get(rows, i, 3)),
                                            .type = arena_strdup(arena, rows_get(rows, i, 4))};
        hash_add(&print, rows_get(rows, i, 3));
        hash_add(&print, rows_get(rows, i, 4));
        hash_add(&print, rows_get(rows, i, 5));
    }
    relation->facts.columns = columns;
    relation->facts.column_count = count;
    relation->print = hash_of(&print, arena);
    if (relation->facts.kind == SQL_RELATION_OTHER && (relation->relkind == 'r' || relation->relkind == 'p'))
        relation->facts.kind = SQL_RELATION_TABLE;
}

static bool ask_relations(Asking *asking, Error *err)
{
    if (!asking->relations)
        return true;
    TEXT_AUTO(names);
    names_json(asking, &names);
    ROWS_AUTO(rows);
    if (!conn_query_often(asking->conn, sql_survey_relations, 1, (const char *const[]){text_str(&names)}, &rows, err))
        return false;
    for (int i = 0; i < rows_count(rows);) {
        int next = same_relation(rows, i);
        take_relation(asking, rows, i, next);
        i = next;
    }
    for (size_t i = 0; i < asking->count; i++)
        if (asking->relations[i]->facts.kind == SQL_RELATION_OTHER)
            asking->relations[i]->facts.other = other_kind(asking->relations[i]->relkind);
    return true;
}

static void functions_json(const Asking *asking, Text *out)
{
    Index seen = {.arena = asking->arena};
    Json json = {.out = out};
    json_array(&json);
    for (size_t i = 0; i < asking->survey->project->node_count; i++) {
        const Node *node = asking->survey->project->nodes[i];
        for (size_t j = 0; asking->wanted[i] && j < node->functions.count; j++)
            if (!index_put(&seen, node->functions.items[j], asking->survey))
                json_string(&json, node->functions.items[j]);
    }
    json_end(&json);
}

static SqlFunctionFacts function_facts(const Rows *rows, int row, Arena *arena)
{
    static const char worst[] = {'v', 'v', 's', 'i'};
    return (SqlFunctionFacts){
        .name = arena_strdup(arena, rows_get(rows, row, 1)),
        .volatility = worst[rows_int(rows, row, 2)],
        .aggregate = rows_bool(rows, row, 3),
        .window = rows_bool(rows, row, 4),
        .user = rows_bool(rows, row, 5),
        .user_immutable = rows_bool(rows, row, 6),
    };
}

static bool ask_functions(Asking *asking, Error *err)
{
    Survey *survey = asking->survey;
    Arena *arena = asking->arena;
    TEXT_AUTO(names);
    functions_json(asking, &names);
    ROWS_AUTO(rows);
    if (!conn_query_often(asking->conn, sql_survey_functions, 2,
                          (const char *const[]){text_str(&names), survey->project->target.schema}, &rows, err))
        return false;
    size_t count = (size_t)rows_count(rows);
    survey->functions = arena_array(arena, count, sizeof *survey->functions);
    survey->function_prints = arena_array(arena, count, sizeof *survey->function_prints);
    survey->user_operators = arena_array(arena, count, sizeof *survey->user_operators);
    survey->user_types = arena_array(arena, count, sizeof *survey->user_types);
    for (int i = 0; i < rows_count(rows); i++) {
        const char *name = arena_strdup(arena, rows_get(rows, i, 1));
        switch (rows_get(rows, i, 0)[0]) {
        case 'f':
            survey->function_prints[survey->function_count] = arena_strdup(arena, rows_get(rows, i, 7));
            survey->functions[survey->function_count++] = function_facts(rows, i, arena);
            break;
        case 'o':
            survey->user_operators[survey->user_operator_count++] = name;
            break;
        case 'c':
            survey->user_cast = name;
            break;
        default:
            survey->user_types[survey->user_type_count++] = name;
        }
    }
    return true;
}

static bool ask_settings(Asking *asking, Error *err)
{
    Survey *survey = asking->survey;
    ROWS_AUTO(rows);
    if (!conn_query_often(asking->conn, sql_survey_settings, 0, NULL, &rows, err))
        return false;
    survey->system = arena_strdup(asking->arena, rows_get(rows, 0, 0));
    survey->snapshot = arena_strdup(asking->arena, rows_get(rows, 0, 1));
    survey->settings = arena_strdup(asking->arena, rows_get(rows, 0, 2));
    return true;
}

/* What is the same for all steps of a run, but for the snapshot. */
static bool take_over(Asking *asking, const Survey *earlier, Error *err)
{
    Survey *survey = asking->survey;
    survey->system = earlier->system;
    survey->settings = earlier->settings;
    survey->functions = earlier->functions;
    survey->function_prints = earlier->function_prints;
    survey->function_count = earlier->function_count;
    survey->user_operators = earlier->user_operators;
    survey->user_operator_count = earlier->user_operator_count;
    survey->user_types = earlier->user_types;
    survey->user_type_count = earlier->user_type_count;
    survey->user_cast = earlier->user_cast;
    return change_snapshot(asking->conn, asking->arena, &survey->snapshot, err);
}

/* --- the ledger ------------------------------------------------------------------------------------------------ */

static bool ask_ledger(Asking *asking, Error *err)
{
    if (!asking->ledger)
        return true;
    LedgerName *names = arena_array(asking->arena, asking->count, sizeof *names);
    LedgerRelation *known = arena_array(asking->arena, asking->count, sizeof *known);
    for (size_t i = 0; i < asking->count; i++)
        names[i] = (LedgerName){asking->relations[i]->facts.schema, asking->relations[i]->facts.name};
    if (!ledger_relations_known(asking->conn, names, asking->count, asking->arena, known, err))
        return false;
    for (size_t i = 0; i < asking->count; i++)
        asking->relations[i]->known = known[i];
    return true;
}

/* What dates a row: declared, else what was found out when the table was last built. */
static void date_relation(SurveyRelation *relation, Arena *arena)
{
    SqlRelationFacts *facts = &relation->facts;
    if (facts->kind != SQL_RELATION_TABLE)
        return;
    const char *name =
        relation->node && relation->node->time_column ? relation->node->time_column : relation->known.time_column;
    for (size_t i = 0; name && i < facts->column_count; i++)
        if (str_eq(facts->columns[i].name, name) && sql_time_type(facts->columns[i].type) != SQL_TIME_NONE) {
            facts->time_column = facts->columns[i].name;
            facts->time_type = sql_time_type(facts->columns[i].type);
        }
    relation->print = arena_printf(arena, "%s %s %s", relation->print, trust_teller(relation),
                                   facts->time_column ? facts->time_column : "");
}

/* --- keys ------------------------------------------------------------------------------------------------------ */

static const char *function_print(const Survey *survey, const char *name)
{
    for (size_t i = 0; i < survey->function_count; i++)
        if (str_eq(survey->functions[i].name, name))
            return survey->function_prints[i];
    return NULL;
}

/* Nodes come in order, so what a node reads has its part already. */
static void make_key(const Survey *survey, SurveyNode *about)
{
    const Node *node = about->node;
    TEXT_AUTO(own);
    TEXT_AUTO(reads);
    TEXT_AUTO(functions);
    TEXT_AUTO(settings);
    hash_add(&own, node->sql_hash);
    hash_add(&own, node->time_column);
    text_appendf(&own, "%d;", (int)node->on_schema_change); /* what to do with the columns that stand */
    for (size_t i = 0; i < node->reference_count; i++) {
        const SurveyRelation *read = about->reads[i];
        hash_add(&reads, read->facts.kind == SQL_RELATION_QUERY ? survey->nodes[read->node->order]->part : read->print);
    }
    for (size_t i = 0; i < node->functions.count; i++)
        hash_add(&functions, function_print(survey, node->functions.items[i]));
    hash_add(&settings, survey->settings);
    about->part = arena_printf(survey->arena, "%s:%s:%s", hash_of(&own, survey->arena), hash_of(&reads, survey->arena),
                               hash_of(&functions, survey->arena));
    about->key = arena_printf(survey->arena, "%d:%s:%s", REACH_VERSION, about->part, hash_of(&settings, survey->arena));
}

/* --- what changed ---------------------------------------------------------------------------------------------- */

static void add_input(SurveyNode *about, SurveyRelation *relation, bool hidden)
{
    for (size_t i = 0; i < about->input_count; i++)
        if (about->inputs[i].relation == relation)
            return;
    about->inputs[about->input_count++] = (SurveyInput){.relation = relation, .hidden = hidden};
}

static void add_inputs_of(const Survey *survey, SurveyNode *about, SurveyRelation *read, bool hidden)
{
    if (read->facts.kind != SQL_RELATION_QUERY) {
        add_input(about, read, hidden);
        return;
    }
    const SurveyNode *query = survey->nodes[read->node->order];
    for (size_t i = 0; i < query->input_count; i++)
        add_input(about, query->inputs[i].relation, hidden || query->inputs[i].hidden);
}

static size_t inputs_at_most(const Survey *survey, const SurveyNode *about)
{
    const Node *node = about->node;
    size_t count = node->reference_count + node->depends_on_count;
    for (size_t i = 0; i < node->input_count; i++)
        if (node_is_query(node->inputs[i]))
            count += survey->nodes[node->inputs[i]->order]->input_count;
    return count;
}

static void gather_inputs(Asking *asking, SurveyNode *about)
{
    const Survey *survey = asking->survey;
    const Node *node = about->node;
    about->inputs = arena_array(asking->arena, inputs_at_most(survey, about), sizeof *about->inputs);
    for (size_t i = 0; i < node->reference_count; i++)
        add_inputs_of(survey, about, about->reads[i], false);
    for (size_t i = 0; i < node->depends_on_count; i++) {
        const Node *other = node->depends_on[i].node;
        if (other)
            add_inputs_of(survey, about, relation_of(asking, other->schema, other->table, other), true);
    }
}

static ChangeTable change_table(const SurveyRelation *relation)
{
    return (ChangeTable){.schema = relation->facts.schema,
                         .name = relation->facts.name,
                         .time_column = relation->facts.time_column,
                         .time_type = relation->facts.time_type};
}

/* Tables of others that are tracked: the log is trusted only while its triggers stand as they were put. */
static bool ask_tracked(Asking *asking, SurveyInput *input, const char *snapshot, Error *err)
{
    const SurveyRelation *relation = input->relation;
    const Node *node = relation->node;
    if (!node || !node_is_external(node) || node->changes == CHANGES_UNKNOWN)
        return true;
    TrackTable track = declared_track(asking->survey->project, node, &relation->facts);
    if (node->changes == CHANGES_COLUMN)
        return track_by_column(asking->conn, &track, snapshot, &input->changed, err);
    bool holds;
    if (!track_holds(asking->conn, &track, &holds, err))
        return false;
    input->changed.everything = input->changed.everything || !holds;
    return true;
}

static bool ask_changes(Asking *asking, Error *err)
{
    const Survey *survey = asking->survey;
    size_t most = 0, count = 0;
    for (size_t i = 0; i < survey->project->node_count; i++)
        most += survey->nodes[i] ? survey->nodes[i]->input_count : 0;
    ChangeRequest *requests = arena_array(asking->arena, most, sizeof *requests);
    SurveyInput **inputs = arena_array(asking->arena, most, sizeof *inputs);
    for (size_t i = 0; i < survey->project->node_count; i++) {
        const SurveyNode *about = survey->nodes[i];
        for (size_t j = 0; about && j < about->input_count; j++) {
            SurveyInput *input = &about->inputs[j];
            if (!about->trusted || !trust_is_recorded(survey, input->relation)) {
                input->changed.everything = true;
                continue;
            }
            inputs[count] = input;
            requests[count++] = (ChangeRequest){change_table(input->relation), about->relation->known.snapshot};
        }
    }
    Touched *answers CLEANUP(mem_free_p) = mem_alloc((count + 1) * sizeof *answers);
    if (!change_pending(asking->conn, requests, count, answers, err))
        return false;
    for (size_t i = 0; i < count; i++)
        inputs[i]->changed = answers[i];
    return true;
}

static bool ask_all_tracked(Asking *asking, Error *err)
{
    const Survey *survey = asking->survey;
    for (size_t i = 0; i < survey->project->node_count; i++) {
        const SurveyNode *about = survey->nodes[i];
        for (size_t j = 0; about && about->trusted && j < about->input_count; j++)
            if (!ask_tracked(asking, &about->inputs[j], about->relation->known.snapshot, err))
                return false;
    }
    return true;
}

/* --- all of it ------------------------------------------------------------------------------------------------- */

static void work_out(Asking *asking)
{
    Survey *survey = asking->survey;
    for (size_t i = 0; i < asking->count; i++)
        date_relation(asking->relations[i], asking->arena);
    for (size_t i = 0; i < survey->project->node_count; i++) {
        SurveyNode *about = survey->nodes[i];
        if (!about || about->node->kind != NODE_MODEL)
            continue;
        const LedgerRelation *known = &about->relation->known;
        if (trust_is_stale(survey, about)) {
            about->relation->stale = true;
            about->relation->facts.kind = SQL_RELATION_OTHER;
            about->relation->facts.other = "a view that has to be made again";
        }
        make_key(survey, about);
        gather_inputs(asking, about);
        about->trusted = about->relation->relkind && known->known && known->snapshot &&
                         str_eq(known->step_key, about->key) && str_eq(known->system_identifier, survey->system);
    }
}

bool survey_take(Conn *conn, const Project *project, const bool *chosen, bool ledger, const Survey *earlier,
                 Arena *arena, Survey *ret, Error *err)
{
    *ret = (Survey){.project = project, .arena = arena};
    ret->nodes = mem_alloc((project->node_count + 1) * sizeof *ret->nodes);
    Asking asking CLEANUP(asking_clear) = {.conn = conn, .survey = ret, .arena = arena, .ledger = ledger};
    asking.by_name.arena = arena;
    want(&asking, chosen);
    for (size_t i = 0; i < project->node_count; i++)
        if (asking.wanted[i])
            ask_about(&asking, project->nodes[i]);
    bool asked = earlier ? take_over(&asking, earlier, err) : ask_settings(&asking, err) && ask_functions(&asking, err);
    if (!asked || !ask_relations(&asking, err) || !ask_ledger(&asking, err))
        return false;
    work_out(&asking);
    return !ledger || (ask_changes(&asking, err) && ask_all_tracked(&asking, err));
}

bool survey_clean(const Survey *survey, const Node *node)
{
    const SurveyNode *about = survey->nodes[node->order];
    if (node->kind != NODE_MODEL || node->materialized == MATERIALIZED_HISTORY || !about || !about->trusted ||
        about->relation->stale || !str_eq(about->relation->known.declared, declared_hash(node, survey->arena)))
        return false;
    for (size_t i = 0; i < about->input_count; i++)
        if (!touched_nothing(&about->inputs[i].changed))
            return false;
    return true;
}
