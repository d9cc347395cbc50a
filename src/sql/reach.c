#include "sql/reach.h"

#include <string.h>

#include "base/text.h"
#include "sql/place.h"
#include "sql/reach_analysis.h"

enum {
    WORK_MAX = 3000000, /* nodes seen and columns compared: some tenths of a second */
    WARNINGS_MAX = 64,
};

/* --- what is said of it ------------------------------------------------------------------------------------------ */

static Note note_of(Analysis *analysis, size_t text, size_t offset, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static Note note_of(Analysis *analysis, size_t text, size_t offset, const char *fmt, va_list ap)
{
    TEXT_AUTO(sentence);
    text_vappendf(&sentence, fmt, ap);
    return (Note){.text = text, .offset = offset, .sentence = arena_strdup(analysis->arena, text_str(&sentence))};
}

Note analysis_note(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    Note note = note_of(analysis, text, offset, fmt, ap);
    va_end(ap);
    return note;
}

void analysis_full(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
{
    if (analysis->full)
        return;
    analysis->full = true;
    va_list ap;
    va_start(ap, fmt);
    analysis->why_full = note_of(analysis, text, offset, fmt, ap);
    va_end(ap);
}

/* What makes every run different is the better reason to show. */
void analysis_volatile(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
{
    if (analysis->is_volatile)
        return;
    analysis->full = analysis->is_volatile = true;
    va_list ap;
    va_start(ap, fmt);
    analysis->why_full = note_of(analysis, text, offset, fmt, ap);
    va_end(ap);
}

void analysis_warn(Analysis *analysis, size_t text, size_t offset, const char *fmt, ...)
{
    for (size_t i = 0; i < analysis->warning_count; i++)
        if (analysis->warnings[i].text == text && analysis->warnings[i].offset == offset)
            return;
    if (analysis->warning_count == WARNINGS_MAX)
        return;
    analysis->warnings =
        analysis_grow(analysis, analysis->warnings, analysis->warning_count, &analysis->warning_cap, sizeof(Note));
    va_list ap;
    va_start(ap, fmt);
    analysis->warnings[analysis->warning_count++] = note_of(analysis, text, offset, fmt, ap);
    va_end(ap);
}

bool analysis_work(Analysis *analysis, size_t amount)
{
    analysis->work += amount;
    if (analysis->work <= WORK_MAX)
        return true;
    analysis_volatile(analysis, 0, 0, "the query is too large to be followed");
    return false;
}

void *analysis_grow(Analysis *analysis, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    size_t wanted = *cap ? *cap * 2 : 8;
    void *grown = arena_array(analysis->arena, wanted, size);
    if (count)
        memcpy(grown, items, count * size);
    *cap = wanted;
    return grown;
}

size_t node_offset(const SqlNode *node)
{
    enum { LEVELS_MAX = 64 };
    for (int level = 0; node && level < LEVELS_MAX; level++) {
        if (node->location >= 0)
            return (size_t)node->location;
        const SqlNode *below = NULL;
        for (uint32_t i = 0; i < node->field_count && !below; i++) {
            if (node->fields[i].type == SQL_NODE)
                below = node->fields[i].node;
            if (node->fields[i].type == SQL_LIST && node->fields[i].list.count)
                below = node->fields[i].list.items[0];
        }
        node = below;
    }
    return 0;
}

static ReachReason place_of_note(const Analysis *analysis, Note note)
{
    const AnalysisText *text = &analysis->texts[note.text];
    ReachReason reason = {.file = text->file, .text = note.sentence};
    if (!note.sentence)
        return reason;
    sql_offset_to_line(text->text.tree->text, note.offset, &reason.line, &reason.column);
    reason.line += text->lines_before;
    return reason;
}

/* --- the result -------------------------------------------------------------------------------------------------- */

static const Link *link_to(const Leaf *leaf, size_t column)
{
    for (size_t i = 0; i < leaf->link_count; i++)
        if (!leaf->links[i].var && leaf->links[i].column == column)
            return &leaf->links[i];
    return NULL;
}

static void set_steps(Analysis *analysis, ReachInput *input, const Chain *chain)
{
    size_t count = 0;
    for (const Chain *c = chain; c; c = c->next)
        count++;
    ReachStep *steps = arena_array(analysis->arena, count, sizeof *steps);
    Note widest = {0};
    int64_t width = -1;
    input->steps = steps;
    input->step_count = count;
    for (const Chain *c = chain; c; c = c->next) {
        steps[--count] = c->step;
        if (c->step.note.sentence && reach_step_width(&c->step) > width) {
            width = reach_step_width(&c->step);
            widest = c->step.note;
        }
    }
    input->why = place_of_note(analysis, widest);
}

static void set_inputs(Analysis *analysis, const Relation *relation, size_t column)
{
    for (size_t i = 0; i < relation->leaf_count; i++) {
        const Leaf *leaf = &relation->leaves[i];
        ReachInput *input = &analysis->inputs[leaf->input];
        const Link *link = link_to(leaf, column);
        input->joined = leaf->joined;
        input->bounded = link != NULL;
        if (link)
            set_steps(analysis, input, link->chain);
        else
            input->why = place_of_note(analysis, leaf->why);
    }
}

static bool is_only_one(const Relation *relation, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < relation->column_count; i++)
        count += str_eq(relation->columns[i].name, name);
    return count == 1;
}

/* The declared column, or the first that carries time. column_count: none. */
static size_t choose_column(const Relation *relation, const char *declared)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        const Column *column = &relation->columns[i];
        bool wanted = !declared || str_eq(column->name, declared);
        if (wanted && column->time != SQL_TIME_NONE && is_only_one(relation, column->name))
            return i;
    }
    return relation->column_count;
}

/* Where all that is read is one table without a time, that is the reason. */
static bool why_undated(const Analysis *analysis, const Relation *relation, Note *ret)
{
    if (relation->leaf_count != 1)
        return false;
    const SqlRelationFacts *facts = analysis->inputs[relation->leaves[0].input].relation;
    *ret = relation->leaves[0].why;
    return ret->sentence && (facts->kind == SQL_RELATION_OTHER || !facts->time_column);
}

static void set_time(Analysis *analysis, const Relation *relation, SqlReach *ret)
{
    Note why;
    const char *declared = analysis->query->time_column;
    const SqlTree *tree = analysis->query->tree;
    size_t column = choose_column(relation, declared);
    size_t start = tree->count ? tree->statements[0].start : 0;
    if (column < relation->column_count) {
        ret->time_column = relation->columns[column].name;
        ret->time_type = relation->columns[column].time;
    } else if (relation->untimed.sentence) {
        analysis_full(analysis, relation->untimed.text, relation->untimed.offset, "%s", relation->untimed.sentence);
    } else if (declared) {
        analysis_full(analysis, 0, start, "%s, the time_column, does not carry the time of an input", declared);
    } else if (why_undated(analysis, relation, &why)) {
        analysis_full(analysis, why.text, why.offset, "%s", why.sentence);
    } else {
        analysis_full(analysis, 0, start, "no column of the result carries the time of an input");
    }
    set_inputs(analysis, relation, column);
}

static void set_texts(Analysis *analysis, SqlReach *ret)
{
    ReachText *texts = arena_array(analysis->arena, analysis->text_count, sizeof *texts);
    ReachReason *warnings = arena_array(analysis->arena, analysis->warning_count, sizeof *warnings);
    for (size_t i = 0; i < analysis->text_count; i++)
        texts[i] = analysis->texts[i].text;
    for (size_t i = 0; i < analysis->warning_count; i++)
        warnings[i] = place_of_note(analysis, analysis->warnings[i]);
    ret->texts = texts;
    ret->text_count = analysis->text_count;
    ret->warnings = warnings;
    ret->warning_count = analysis->warning_count;
}

void sql_reach(Arena *arena, const ReachQuery *query, const SqlCatalog *catalog, SqlReach *ret)
{
    Analysis analysis = {.arena = arena, .catalog = catalog, .query = query};
    *ret = (SqlReach){0};
    analysis.inputs = arena_array(arena, REACH_INPUTS_MAX + 1, sizeof *analysis.inputs);
    analysis.texts = analysis_grow(&analysis, NULL, 0, &analysis.text_cap, sizeof(AnalysisText));
    analysis.texts[0] =
        (AnalysisText){.text = {.tree = query->tree}, .file = query->file, .lines_before = query->lines_before};
    sql_refs(arena, query->tree, &analysis.texts[0].text.refs);
    analysis.text_count = 1;
    Relation none = {0};
    const Relation *relation = &none;
    if (catalog->user_cast)
        analysis_volatile(&analysis, 0, 0, "there is a cast from %s here that may give another result in each run",
                          catalog->user_cast);
    if (query->tree->count == 1)
        relation = reach_query(&analysis, query->tree->statements[0].node, (Environment){0});
    else
        analysis_volatile(&analysis, 0, 0, "a model is one statement");
    set_time(&analysis, relation, ret);
    ret->full = analysis.full;
    ret->volatile_result = analysis.is_volatile;
    ret->why_full = place_of_note(&analysis, analysis.why_full);
    ret->inputs = analysis.inputs;
    ret->input_count = analysis.input_count;
    set_texts(&analysis, ret);
}
