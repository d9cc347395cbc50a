/* Shell completion, made from the command table. */
#include <stdio.h>

#include "base/text.h"
#include "cli/call.h"

/* ` --name -n` for each option; one that takes an argument counts too. */
static void option_words(const Option *const *list, Text *out)
{
    for (; list && *list; list++) {
        if ((*list)->hidden || (*list)->later)
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

/* Every option that takes an argument from a list, or a file or folder, once. */
static void bash_arguments(void)
{
    fputs("    case $previous in\n"
          "        --project) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
          "        --from) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n",
          stdout);
    for (const Option *const *o = global_options; *o; o++) {
        if (!(*o)->values)
            continue;
        TEXT_AUTO(words);
        words_with_blanks((*o)->values, &words);
        printf("        --%s) COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", (*o)->name, text_str(&words));
    }
    fputs("        --format) COMPREPLY=($(compgen -W 'text json' -- \"$word\")); return ;;\n"
          "    esac\n",
          stdout);
}

static void bash(void)
{
    TEXT_AUTO(names);
    TEXT_AUTO(global);
    command_names(&names);
    option_words(global_options, &global);
    fputs("# bash completion for sluice\n"
          "_sluice() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words= options= i\n",
          stdout);
    bash_arguments();
    printf("    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case ${COMP_WORDS[i]} in\n"
           "            --project|--target|--log-format|--color) ((i++)) ;;\n"
           "            -*) ;;\n"
           "            *) command=${COMP_WORDS[i]}; break ;;\n"
           "        esac\n"
           "    done\n"
           "    case $command in\n"
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
        printf("        %s) options='%s' words='%s' ;;\n", c->name, text_str(&options), text_str(&words));
    }
    printf("    esac\n"
           "    if [[ $word == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$options %s\" -- \"$word\"))\n"
           "    elif [[ -n $words ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "    else\n"
           "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "    fi\n"
           "}\n"
           "complete -o filenames -F _sluice sluice\n",
           text_str(&global));
}

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
    for (; list && *list; list++) {
        const Option *option = *list;
        if (option->hidden || option->later)
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
                printf(":%s:%s", option->argument,
                       str_eq(option->name, "project") ? "_directories"
                       : str_eq(option->name, "from")  ? "_files"
                                                       : " ");
            putchar('\'');
        }
    }
}

static void zsh(void)
{
    fputs("#compdef sluice\n"
          "# zsh completion for sluice\n"
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
            fputs(" '*:argument:_files'", stdout);
        fputs(" ;;\n", stdout);
    }
    fputs("        esac ;;\n"
          "    esac\n"
          "}\n"
          "compdef _sluice sluice\n",
          stdout);
}

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
        if (option->hidden || option->later)
            continue;
        fputs("complete -c sluice", stdout);
        if (command)
            printf(" -n '__fish_seen_subcommand_from %s'", command->name);
        printf(" -l %s", option->name);
        if (option->letter)
            printf(" -s %c", option->letter);
        TEXT_AUTO(words);
        words_with_blanks(option->values, &words);
        if (words.len)
            printf(" -x -a '%s'", text_str(&words));
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
    }
}

int cmd_completion(Call *call)
{
    const char *shell = call->arguments[0];
    if (str_eq(shell, "bash"))
        bash();
    else if (str_eq(shell, "zsh"))
        zsh();
    else
        fish();
    return 0;
}
