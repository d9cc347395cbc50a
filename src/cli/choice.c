#include "cli/choice.h"

#include "base/text.h"

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

const char *choice_words(Call *call)
{
    TEXT_AUTO(words);
    text_append(&words, call->command->name);
    for (size_t i = 0; i < call->option_count; i++) {
        const CallOption *given = &call->options[i];
        bool own = true;
        for (const Option *const *g = global_options; *g; g++)
            own = own && *g != given->option;
        if (own)
            text_appendf(&words, " --%s%s%s", given->option->name, given->option->argument ? " " : "", given->value);
    }
    for (size_t i = 0; i < call->argument_count; i++)
        text_appendf(&words, " %s", call->arguments[i]);
    return arena_strdup(&call->arena, text_str(&words));
}
