#include "cli/choice.h"

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
