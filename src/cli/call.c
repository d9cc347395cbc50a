#include "cli/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"

enum { NAMES_MAX = 128 };

bool call_error(Error *err, const char *fmt, ...)
{
    TEXT_AUTO(message);
    va_list ap;
    va_start(ap, fmt);
    text_vappendf(&message, fmt, ap);
    va_end(ap);
    return error_at(err, ERROR_PROJECT, "sluice", 0, 0, "%s", text_str(&message));
}

/* A word of the command line as it may stand in a message. */
static const char *shown(const char *word, Text *out)
{
    text_append_shown(out, word, strlen(word), 60);
    return text_str(out);
}

bool call_unknown_command(const char *word, Error *err)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (const Command *c = commands; c->name && n < NAMES_MAX; c++)
        names[n++] = c->name;
    TEXT_AUTO(text);
    call_error(err, "unknown command '%s'", shown(word, &text));
    const char *near = nearest(word, names, n);
    if (near)
        return error_hint(err, "did you mean '%s'?", near);
    return error_hint(err, "'sluice help' lists the commands");
}

static bool unknown_option(const Call *call, const char *word, const char *name, Error *err)
{
    const Command *command = call->command;
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (const Option *const *o = global_options; *o && n < NAMES_MAX; o++)
        names[n++] = (*o)->name;
    for (const Option *const *o = command ? command->options : NULL; o && *o && n < NAMES_MAX; o++)
        names[n++] = (*o)->name;
    TEXT_AUTO(text);
    if (command && command_option(NULL, name[1] ? name : NULL, name[1] ? '\0' : name[0]))
        call_error(err, "'%s' has no option '%s'", command->name, shown(word, &text));
    else
        call_error(err, "unknown option '%s'", shown(word, &text));
    if (command && str_eq(command->name, "db") && call->argument_count > 0 && str_eq(call->arguments[0], "psql"))
        return error_hint(err, "put psql's own options behind '--': sluice db psql -- %s", word);
    const char *near = name[1] ? nearest(name, names, n) : NULL;
    if (near)
        return error_hint(err, "did you mean '--%s'?", near);
    return command ? error_hint(err, "'sluice help %s' lists its options", command->name)
                   : error_hint(err, "'sluice help' lists the options");
}

static bool wrong_word(const char *what, const char *words, const char *word, Error *err)
{
    char split[COMMAND_WORDS_MAX][COMMAND_WORD_SIZE];
    size_t n = command_words(words, split);
    const char *names[COMMAND_WORDS_MAX];
    TEXT_AUTO(list);
    for (size_t i = 0; i < n; i++) {
        names[i] = split[i];
        text_appendf(&list, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", split[i]);
    }
    TEXT_AUTO(text);
    call_error(err, "%s '%s' is not %s", what, shown(word, &text), text_str(&list));
    const char *near = nearest(word, names, n);
    return near ? error_hint(err, "did you mean '%s'?", near) : false;
}

static bool take(Call *call, const Option *option, const char *value, Error *err)
{
    if (value && !*value && option->argument)
        return call_error(err, "option '--%s' needs %s, not an empty text", option->name, option->argument);
    call->options[call->option_count++] = (CallOption){option, value ? value : ""};
    return true;
}

static bool missing_value(const Option *option, const char *word, Error *err)
{
    TEXT_AUTO(text);
    return call_error(err, "option '%s' needs %s", shown(word, &text), option->argument);
}

/* The command's own, or of any: which command it is may come later. */
static const Option *known_option(const Call *call, const char *name, char letter)
{
    const Option *own = call->command ? command_option(call->command, name, letter) : NULL;
    return own ? own : command_option(NULL, name, letter);
}

/* word is `--name` or `--name=value`; *i moves on where the next word is its value. */
static bool parse_long(Call *call, int argc, char **argv, int *i, Error *err)
{
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    const char *name = arena_strndup(&call->arena, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
    const Option *option = *name ? known_option(call, name, '\0') : NULL;
    if (!option) {
        TEXT_AUTO(dashed);
        text_appendf(&dashed, "--%s", name);
        return unknown_option(call, text_str(&dashed), *name ? name : "-", err);
    }
    if (!option->argument)
        return equals ? call_error(err, "option '--%s' takes no value", name) : take(call, option, NULL, err);
    if (equals)
        return take(call, option, equals + 1, err);
    if (*i + 1 >= argc)
        return missing_value(option, word, err);
    return take(call, option, argv[++*i], err);
}

/* word is `-a`, `-ab`, `-n5` or `-n`. */
static bool parse_letters(Call *call, int argc, char **argv, int *i, Error *err)
{
    for (const char *p = argv[*i] + 1; *p; p++) {
        char name[2] = {*p, '\0'};
        const Option *option = known_option(call, NULL, *p);
        if (!option) {
            char word[3] = {'-', *p, '\0'};
            return unknown_option(call, word, name, err);
        }
        if (!option->argument) {
            if (!take(call, option, NULL, err))
                return false;
            continue;
        }
        if (p[1])
            return take(call, option, p + 1, err);
        if (*i + 1 >= argc)
            return missing_value(option, argv[*i], err);
        return take(call, option, argv[++*i], err);
    }
    return true;
}

static bool take_word(Call *call, const char *word, Error *err)
{
    if (call->command) {
        call->arguments[call->argument_count++] = word;
        return true;
    }
    call->command = command_find(word);
    return call->command ? true : call_unknown_command(word, err);
}

static bool check_options(Call *call, Error *err)
{
    for (size_t i = 0; i < call->option_count; i++) {
        const char *name = call->options[i].option->name;
        /* The same name may mean other values in another command: take the command's own. */
        const Option *own = command_option(call->command, name, '\0');
        TEXT_AUTO(word);
        text_appendf(&word, "--%s", name);
        if (!own)
            return unknown_option(call, text_str(&word), name, err);
        call->options[i].option = own;
        if (own->values && !command_word_known(own->values, call->options[i].value)) {
            text_append_char(&word, ':');
            return wrong_word(text_str(&word), own->values, call->options[i].value, err);
        }
        for (size_t j = 0; j < i; j++)
            if (call->options[j].option == own && !own->repeat && own->argument)
                return call_error(err, "option '--%s' was given twice", name);
    }
    return true;
}

static bool check_arguments(const Call *call, Error *err)
{
    const Command *command = call->command;
    if ((int)call->argument_count < command->min) {
        call_error(err, "'%s' needs %s", command->name, command->arguments);
        return error_hint(err, "sluice %s %s", command->name, command->arguments);
    }
    if (command->max >= 0 && (int)call->argument_count > command->max) {
        TEXT_AUTO(text);
        const char *extra = shown(call->arguments[command->max], &text);
        call_error(err, "'%s' takes no argument '%s'", command->name, extra);
        return error_hint(err, "sluice %s%s%s", command->name, *command->arguments ? " " : "", command->arguments);
    }
    if (command->words && call->argument_count > 0 && !command_word_known(command->words, call->arguments[0])) {
        TEXT_AUTO(what);
        text_appendf(&what, "%s:", command->name);
        return wrong_word(text_str(&what), command->words, call->arguments[0], err);
    }
    return true;
}

bool call_parse(int argc, char **argv, Call *ret_call, Error *err)
{
    *ret_call = (Call){0};
    arena_init(&ret_call->arena);
    /* A word holds at most as many options as it has letters. */
    size_t room = 1;
    for (int i = 1; i < argc; i++)
        room += strlen(argv[i]);
    ret_call->options = arena_array(&ret_call->arena, room, sizeof(CallOption));
    ret_call->arguments = arena_array(&ret_call->arena, (size_t)argc + 1, sizeof(char *));
    bool open = true; /* `--` was not yet seen */
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool good;
        if (open && str_eq(word, "--")) {
            open = false;
            continue;
        }
        if (open && str_starts(word, "--"))
            good = parse_long(ret_call, argc, argv, &i, err);
        else if (open && word[0] == '-' && word[1])
            good = parse_letters(ret_call, argc, argv, &i, err);
        else
            good = take_word(ret_call, word, err);
        if (!good)
            return false;
    }
    if (!ret_call->command)
        return true;
    if (!check_options(ret_call, err))
        return false;
    if (call_has(ret_call, "help"))
        return true;
    if (!ret_call->command->run)
        return call_error(err, "'%s' is not supported yet", ret_call->command->name);
    return check_arguments(ret_call, err);
}

void call_clear(Call *call) { arena_clear(&call->arena); }

const char *call_value(const Call *call, const char *name)
{
    if (!command_option(NULL, name, '\0'))
        abort();
    const char *value = NULL;
    for (size_t i = 0; i < call->option_count; i++)
        if (str_eq(call->options[i].option->name, name))
            value = call->options[i].value;
    return value;
}

bool call_has(const Call *call, const char *name) { return call_value(call, name) != NULL; }

static void add_values(const Call *call, const char *name, const char **list, size_t *count)
{
    for (size_t i = 0; i < call->option_count; i++)
        if (str_eq(call->options[i].option->name, name))
            list[(*count)++] = call->options[i].value;
}

static const char **new_list(Call *call)
{
    return arena_array(&call->arena, call->option_count + call->argument_count + 1, sizeof(char *));
}

const char **call_values(Call *call, const char *name, size_t *ret_count)
{
    const char **list = new_list(call);
    *ret_count = 0;
    add_values(call, name, list, ret_count);
    return list;
}

const char **call_select(Call *call, size_t first, size_t *ret_count)
{
    const char **list = new_list(call);
    *ret_count = 0;
    for (size_t i = first; i < call->argument_count; i++)
        list[(*ret_count)++] = call->arguments[i];
    add_values(call, "select", list, ret_count);
    return list;
}

bool call_number(const Call *call, const char *name, long min, long max, long fallback, long *ret, Error *err)
{
    const char *value = call_value(call, name);
    *ret = fallback;
    if (!value)
        return true;
    char *end = NULL;
    errno = 0;
    *ret = strtol(value, &end, 10);
    if (errno == 0 && *value != ' ' && *value != '+' && end != value && !*end && *ret >= min && *ret <= max)
        return true;
    TEXT_AUTO(text);
    return call_error(err, "--%s: '%s' is not a number from %ld to %ld", name, shown(value, &text), min, max);
}

int call_failed(const Error *err)
{
    log_failure(err);
    switch (err->code) {
    case ERROR_PROJECT:
        return 2;
    case ERROR_CONNECTION:
        return 3;
    case ERROR_BUSY:
        return 4;
    case ERROR_CANCELLED:
        return 128 + (interrupt_signal() ? interrupt_signal() : 2);
    case ERROR_NONE:
    case ERROR_FAILED:
        break;
    }
    return 1;
}

int call_failed_project(Errors *errors)
{
    errors_sort(errors);
    for (size_t i = 0; i < errors->count; i++)
        log_failure(&errors->items[i]);
    size_t all = errors->count + errors->dropped;
    if (all < 2)
        return 2;
    ERROR_AUTO(total);
    if (errors->dropped > 0)
        error_set(&total, ERROR_PROJECT, "%zu errors, of which the first %zu are shown", all, errors->count);
    else
        error_set(&total, ERROR_PROJECT, "%zu errors", all);
    return call_failed(&total);
}
