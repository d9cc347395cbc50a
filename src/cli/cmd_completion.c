/* Shell completion, made from the command table. */
#include <stdio.h>

#include <string.h>

#include "base/text.h"
#include "cli/call.h"
#include "project/project.h"

/* ` --name -n` for each option; one that takes an argument counts too. */
static void option_words(const Option *const *list, Text *out)
{
    for (; list && *list; list++) {
        if ((*list)->hidden)
            continue;
        text_appendf(out, "%s--%s", out->len ? " " : "", (*list)->name);
        if ((*list)->letter)
            text_appendf(out, " -%c", (*list)->letter);
    }
}

static void words_with_blanks(const char *words, Text *out)
{
    for (; words && *words; words++)
        text_append_char(out, *words == '|' ? ' ' : *words);
}

static void command_names(Text *out)
{
    for (const Command *c = commands; c->name; c++)
        if (c->run)
            text_appendf(out, "%s%s", out->len ? " " : "", c->name);
}

/* --- what an argument is --------------------------------------------------------------------------------------- */

typedef enum ArgumentKind {
    ARGUMENT_NONE,
    ARGUMENT_WORD,
    ARGUMENT_FILE,
    ARGUMENT_FOLDER,
    ARGUMENT_NODE,
    ARGUMENT_TARGET
} ArgumentKind;

static ArgumentKind argument_of(const Option *option)
{
    if (!option->argument)
        return ARGUMENT_NONE;
    if (str_eq(option->name, "target") || str_eq(option->argument, "TARGET"))
        return ARGUMENT_TARGET;
    if (str_eq(option->argument, "SELECT") || str_eq(option->argument, "NAME"))
        return ARGUMENT_NODE;
    if (str_starts(option->argument, "FILE"))
        return ARGUMENT_FILE;
    return str_eq(option->argument, "DIR") ? ARGUMENT_FOLDER : ARGUMENT_WORD;
}

static bool takes_nodes(const Command *command)
{
    return strstr(command->arguments, "SELECT") || strstr(command->arguments, "NAME") ||
           strstr(command->arguments, "MODEL");
}

/* --- bash -------------------------------------------------------------------------------------------------------- */

/* Every option that takes an argument from a list, or a file or folder, once. */
static void bash_option(const char *command, const Option *option)
{
    static const char *const replies[] = {
        [ARGUMENT_WORD] = "",
        [ARGUMENT_FILE] = "COMPREPLY=($(compgen -f -- \"$word\")); ",
        [ARGUMENT_FOLDER] = "COMPREPLY=($(compgen -d -- \"$word\")); ",
        [ARGUMENT_NODE] = "_sluice_nodes; ",
        [ARGUMENT_TARGET] = "_sluice_names targets; ",
    };
    ArgumentKind kind = argument_of(option);
    if (kind == ARGUMENT_NONE || option->hidden)
        return;
    printf("        %s:--%s", command, option->name);
    if (option->letter)
        printf("|%s:-%c", command, option->letter);
    if (!option->values) {
        printf(") %sreturn ;;\n", replies[kind]);
        return;
    }
    TEXT_AUTO(words);
    words_with_blanks(option->values, &words);
    printf(") COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", text_str(&words));
}

static void bash_arguments(void)
{
    puts("    case $command:$previous in");
    for (const Option *const *o = global_options; *o; o++)
        bash_option("*", *o);
    for (const Command *c = commands; c->name; c++)
        for (const Option *const *o = c->run ? c->options : NULL; o && *o; o++)
            bash_option(c->name, *o);
    puts("    esac");
}

static void bash_commands(void)
{
    TEXT_AUTO(names);
    command_names(&names);
    printf("    case $command in\n"
           "        '') words='%s' ;;\n",
           text_str(&names));
    for (const Command *c = commands; c->name; c++) {
        if (!c->run)
            continue;
        TEXT_AUTO(options);
        TEXT_AUTO(words);
        option_words(c->options, &options);
        words_with_blanks(c->words, &words);
        if (str_eq(c->name, "help"))
            text_append(&words, text_str(&names));
        printf("        %s) options='%s' words='%s'%s ;;\n", c->name, text_str(&options), text_str(&words),
               takes_nodes(c) ? " nodes=yes" : "");
    }
    puts("    esac");
}

static void bash(void)
{
    TEXT_AUTO(global);
    option_words(global_options, &global);
    fputs("# bash completion for sluice\n"
          "_sluice_names() { # of the project: nodes or targets; PREFIX REST of the word\n"
          "    compopt +o filenames 2>/dev/null\n"
          "    COMPREPLY=($(compgen -P \"${2-}\" -W \"$(sluice ${project:+--project \"$project\"} completion \"$1\" "
          "2>/dev/null)\" -- \"${3-$word}\"))\n"
          "}\n"
          "_sluice_nodes() {\n"
          "    if [[ $word =~ ^([0-9]*\\+|@)(.*)$ ]]; then\n"
          "        _sluice_names nodes \"${BASH_REMATCH[1]}\" \"${BASH_REMATCH[2]}\"\n"
          "    else\n"
          "        _sluice_names nodes\n"
          "    fi\n"
          "}\n"
          "_sluice() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words= options= "
          "nodes=\n"
          "    local project= i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "            --project) project=${COMP_WORDS[++i]} ;;\n"
          "            --target|--log-format|--color) ((i++)) ;;\n"
          "            -*) ;;\n"
          "            *) command=${COMP_WORDS[i]}; break ;;\n"
          "        esac\n"
          "    done\n",
          stdout);
    bash_arguments();
    bash_commands();
    printf("    if [[ $word == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$options %s\" -- \"$word\"))\n"
           "    elif [[ -n $words ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "    elif [[ -n $nodes ]]; then\n"
           "        _sluice_nodes\n"
           "    else\n"
           "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "    fi\n"
           "}\n"
           "complete -o filenames -F _sluice sluice\n",
           text_str(&global));
}

/* --- zsh --------------------------------------------------------------------------------------------------------- */

/* Inside single quotes, and where a colon or bracket would part what zsh reads. */
static void zsh_quoted(const char *s)
{
    for (; *s; s++) {
        if (*s == '\'')
            fputs("'\\''", stdout);
        else if (*s == ':' || *s == '[' || *s == ']')
            printf("\\%c", *s);
        else
            putchar(*s);
    }
}

static void zsh_options(const Option *const *list)
{
    static const char *const actions[] = {
        [ARGUMENT_WORD] = " ",
        [ARGUMENT_FILE] = "_files",
        [ARGUMENT_FOLDER] = "_directories",
        [ARGUMENT_NODE] = "_sluice_nodes",
        [ARGUMENT_TARGET] = "_sluice_targets",
    };
    for (; list && *list; list++) {
        const Option *option = *list;
        if (option->hidden)
            continue;
        for (int letter = 0; letter <= (option->letter != 0); letter++) {
            if (letter)
                printf(" \\\n        '*-%c[", option->letter);
            else
                printf(" \\\n        '*--%s[", option->name);
            zsh_quoted(option->doc);
            putchar(']');
            TEXT_AUTO(words);
            words_with_blanks(option->values, &words);
            if (words.len)
                printf(":%s:(%s)", option->argument, text_str(&words));
            else if (option->argument)
                printf(":%s:%s", option->argument, actions[argument_of(option)]);
            putchar('\'');
        }
    }
}

static void zsh(void)
{
    fputs("#compdef sluice\n"
          "# zsh completion for sluice\n"
          "_sluice_names() {\n"
          "    local -a names\n"
          "    names=(${(f)\"$(sluice completion $1 2>/dev/null)\"})\n"
          "    compadd -a names\n"
          "}\n"
          "_sluice_targets() { _sluice_names targets }\n"
          "_sluice_nodes() { compset -P '*[+@]'; _sluice_names nodes }\n"
          "_sluice() {\n"
          "    local context state state_descr line\n"
          "    typeset -A opt_args\n"
          "    local -a commands\n"
          "    commands=(\n",
          stdout);
    for (const Command *c = commands; c->name; c++) {
        if (!c->run)
            continue;
        printf("        '%s:", c->name);
        zsh_quoted(c->summary);
        fputs("'\n", stdout);
    }
    fputs("    )\n"
          "    _arguments -C",
          stdout);
    zsh_options(global_options);
    fputs(" \\\n        '1:command:->command' '*::argument:->argument'\n"
          "    case $state in\n"
          "        command) _describe command commands ;;\n"
          "        argument) case $words[1] in\n",
          stdout);
    for (const Command *c = commands; c->name; c++) {
        if (!c->run)
            continue;
        printf("            %s) _arguments", c->name);
        zsh_options(c->options);
        TEXT_AUTO(words);
        words_with_blanks(c->words, &words);
        if (str_eq(c->name, "help"))
            command_names(&words);
        if (words.len)
            printf(" '1:word:(%s)'", text_str(&words));
        else if (c->max != 0)
            printf(" '*:argument:%s'", takes_nodes(c) ? "_sluice_nodes" : "_files");
        fputs(" ;;\n", stdout);
    }
    fputs("        esac ;;\n"
          "    esac\n"
          "}\n"
          "compdef _sluice sluice\n",
          stdout);
}

/* --- fish -------------------------------------------------------------------------------------------------------- */

static void fish_quoted(const char *s)
{
    putchar('\'');
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\')
            putchar('\\');
        putchar(*s);
    }
    putchar('\'');
}

static void fish_options(const Command *command, const Option *const *list)
{
    for (; list && *list; list++) {
        const Option *option = *list;
        if (option->hidden)
            continue;
        fputs("complete -c sluice", stdout);
        if (command)
            printf(" -n '__fish_seen_subcommand_from %s'", command->name);
        printf(" -l %s", option->name);
        if (option->letter)
            printf(" -s %c", option->letter);
        TEXT_AUTO(words);
        words_with_blanks(option->values, &words);
        ArgumentKind kind = argument_of(option);
        if (words.len)
            printf(" -x -a '%s'", text_str(&words));
        else if (kind == ARGUMENT_NODE || kind == ARGUMENT_TARGET)
            printf(" -x -a '(sluice completion %s 2>/dev/null)'", kind == ARGUMENT_NODE ? "nodes" : "targets");
        else if (option->argument)
            fputs(" -r", stdout);
        fputs(" -d ", stdout);
        fish_quoted(option->doc);
        putchar('\n');
    }
}

static void fish(void)
{
    fputs("# fish completion for sluice\n", stdout);
    fish_options(NULL, global_options);
    for (const Command *c = commands; c->name; c++) {
        if (!c->run)
            continue;
        printf("complete -c sluice -n __fish_use_subcommand -f -a %s -d ", c->name);
        fish_quoted(c->summary);
        putchar('\n');
        fish_options(c, c->options);
        TEXT_AUTO(words);
        words_with_blanks(c->words, &words);
        if (str_eq(c->name, "help"))
            command_names(&words);
        if (words.len)
            printf("complete -c sluice -n '__fish_seen_subcommand_from %s' -f -a '%s'\n", c->name, text_str(&words));
        else if (takes_nodes(c))
            printf("complete -c sluice -n '__fish_seen_subcommand_from %s' -f "
                   "-a '(sluice completion nodes 2>/dev/null)'\n",
                   c->name);
    }
}

/* Asked at each press of a key: as few files are read as will do, and nothing is said of what is wrong with them. */
static void print_names(const Call *call, bool of_targets)
{
    Project project;
    Strings nodes;
    ProjectOptions options = {.dir = call_value(call, "project"), .target = call_value(call, "target")};
    project_names(&options, &project, &nodes);
    const Strings *names = of_targets ? &project.targets : &nodes;
    for (size_t i = 0; i < names->count; i++)
        if (!strpbrk(names->items[i], " \t\n"))
            puts(names->items[i]);
    project_clear(&project);
}

int cmd_completion(Call *call)
{
    const char *shell = call->arguments[0];
    bool targets = str_eq(shell, "targets");
    if (targets || str_eq(shell, "nodes")) {
        print_names(call, targets);
        return 0;
    }
    if (str_eq(shell, "bash"))
        bash();
    else if (str_eq(shell, "zsh"))
        zsh();
    else
        fish();
    return 0;
}
