#include "cli/choice.h"

#include "base/log.h"
#include "base/text.h"
#include "cli/shell.h"

bool choice_make(Call *call, const Project *project, Selection *ret_selection, Error *err)
{
    size_t count;
    const char **select = call_select(call, 0, &count);
    if (!select_nodes(project, select, count, &call->arena, ret_selection, err))
        return false;
    const char **exclude = call_values(call, "exclude", &count);
    if (count == 0)
        return true;
    Selection excluded;
    if (!select_nodes(project, exclude, count, &call->arena, &excluded, err))
        return false;
    for (size_t i = 0; i < project->node_count; i++) {
        if (!ret_selection->chosen[i] || !excluded.chosen[i])
            continue;
        ret_selection->chosen[i] = ret_selection->named[i] = false;
        ret_selection->count--;
    }
    return true;
}

/* Rows that no query can bring back. */
static const char *why_kept(const Node *node)
{
    if (node->kind != NODE_MODEL)
        return NULL;
    if (node->materialized == MATERIALIZED_HISTORY)
        return "history: its rows of earlier runs would be lost";
    return node->no_full_refresh ? "kept by full_refresh: false" : NULL;
}

bool choice_full_refresh(const Project *project, const Selection *selection, Error *err)
{
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        const char *why = selection->named[i] ? why_kept(node) : NULL;
        if (!why)
            continue;
        error_at(err, ERROR_PROJECT, node->place.file, 0, 0, "'%s' cannot be built from nothing: it is %s", node->name,
                 why);
        return error_hint(err, "run it without --full-refresh");
    }
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        const char *why = selection->chosen[i] ? why_kept(node) : NULL;
        if (why)
            log_warn("%s: run as ever in spite of --full-refresh: it is %s", node->name, why);
    }
    return true;
}

static void append_word(const char *word, Text *out)
{
    text_append_char(out, ' ');
    shell_word(word, out);
}

const char *choice_words(Call *call)
{
    TEXT_AUTO(words);
    text_append(&words, call->command->name);
    for (size_t i = 0; i < call->option_count; i++) {
        const CallOption *given = &call->options[i];
        bool own = true;
        for (const Option *const *g = global_options; *g; g++)
            own = own && *g != given->option;
        if (!own)
            continue;
        text_appendf(&words, " --%s", given->option->name);
        if (given->option->argument)
            append_word(given->value, &words);
    }
    for (size_t i = 0; i < call->argument_count; i++)
        append_word(call->arguments[i], &words);
    return arena_strdup(&call->arena, text_str(&words));
}
