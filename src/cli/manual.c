#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { WIDTH = 80, INDENT = 2, DOC_COLUMN = 26 };

/* Appends words of text, broken so that no line goes past WIDTH; lines after the first begin with indent blanks.
 * column is where the first one begins. */
static void wrap(const char *text, int indent, int column, FILE *out)
{
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > indent && column + 1 + len > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", len, text);
        column += len;
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* Two columns: what, and what it is. */
static void entry(const char *what, const char *doc, FILE *out)
{
    int used = fprintf(out, "%*s%s", INDENT, "", what);
    if (used + 1 >= DOC_COLUMN)
        fprintf(out, "\n%*s", DOC_COLUMN, "");
    else
        fprintf(out, "%*s", DOC_COLUMN - used, "");
    wrap(doc, DOC_COLUMN, DOC_COLUMN, out);
}

/* Lines of a help text that are examples begin with four blanks. */
static void paragraphs(const char *help, FILE *out)
{
    while (help && *help) {
        int len = (int)strcspn(help, "\n");
        if (len == 0) {
            fputc('\n', out);
        } else if (strncmp(help, "    ", 4) == 0) {
            fprintf(out, "%.*s\n", len, help);
        } else {
            TEXT_AUTO(line);
            text_append_n(&line, help, (size_t)len);
            wrap(text_str(&line), 0, 0, out);
        }
        help += len + (help[len] == '\n');
    }
}

static void option_syntax(const Option *option, Text *out)
{
    if (option->letter)
        text_appendf(out, "-%c, ", option->letter);
    text_appendf(out, "--%s", option->name);
    if (option->argument)
        text_appendf(out, " %s", option->argument);
}

static void option_doc(const Option *option, Text *out)
{
    char words[COMMAND_WORDS_MAX][COMMAND_WORD_SIZE];
    size_t n = option->values ? command_words(option->values, words) : 0;
    for (size_t i = 0; i < n; i++)
        text_appendf(out, "%s%s", i ? ", " : "", words[i]);
    text_appendf(out, "%s%s", n ? ": " : "", option->doc);
    if (option->repeat)
        text_append(out, "; may be repeated");
}

bool manual_has_options(const Command *command)
{
    for (const Option *const *o = command->options; o && *o; o++)
        if (!(*o)->hidden)
            return true;
    return false;
}

void manual_options(const Option *const *list, ManualOption write, FILE *out)
{
    for (; list && *list; list++) {
        if ((*list)->hidden)
            continue;
        TEXT_AUTO(syntax);
        TEXT_AUTO(doc);
        option_syntax(*list, &syntax);
        option_doc(*list, &doc);
        write(text_str(&syntax), text_str(&doc), out);
    }
}

/* "sluice run [SELECT...] [OPTION...]" */
void manual_usage_line(const Command *command, Text *out)
{
    text_appendf(out, "sluice %s%s%s%s", command->name, *command->arguments ? " " : "", command->arguments,
                 manual_has_options(command) ? " [OPTION...]" : "");
}

void manual_usage(FILE *out)
{
    fputs("usage: sluice COMMAND [ARGUMENT...] [OPTION...]\n"
          "\n"
          "  sluice init DIR      make a small project that runs as it is\n"
          "  sluice run           load its sources and build its models\n"
          "  sluice help          all commands\n",
          out);
}

void manual_all(FILE *out)
{
    fputs("Scheduled SQL for PostgreSQL: files and foreign tables in, checked tables out.\n"
          "\n"
          "usage: sluice COMMAND [ARGUMENT...] [OPTION...]\n"
          "\n"
          "Commands:\n",
          out);
    for (const Command *c = commands; c->name; c++)
        if (c->run)
            entry(c->name, c->summary, out);
    fputs("\nNot supported yet:\n", out);
    for (const Command *c = commands; c->name; c++)
        if (!c->run)
            entry(c->name, c->summary, out);
    fputs("\nOptions of every command:\n", out);
    manual_options(global_options, entry, out);
    fputs("\n'sluice help COMMAND' tells more about one of them.\n", out);
}

void manual_command(const Command *command, FILE *out)
{
    TEXT_AUTO(usage);
    manual_usage_line(command, &usage);
    fprintf(out, "sluice %s: %s%s\n\nusage: %s\n", command->name, command->summary,
            command->run ? "" : " (not supported yet)", text_str(&usage));
    if (command->help) {
        fputc('\n', out);
        paragraphs(command->help, out);
    }
    if (manual_has_options(command)) {
        fputs("\nOptions:\n", out);
        manual_options(command->options, entry, out);
    }
    fputs("\nOptions of every command:\n", out);
    manual_options(global_options, entry, out);
}

/* --- the manual page ------------------------------------------------------------------------------------------ */

/* roff: a backslash is doubled, a dash in code kept as it is, and no line begins with a control character. */
static void roff(const char *s, size_t n, FILE *out)
{
    if (n > 0 && (*s == '.' || *s == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < n; i++) {
        switch (s[i]) {
        case '\\':
            fputs("\\e", out);
            break;
        case '-':
            fputs("\\-", out);
            break;
        case '\'':
            fputs("\\(aq", out);
            break;
        case '~':
            fputs("\\(ti", out);
            break;
        case '^':
            fputs("\\(ha", out);
            break;
        default:
            fputc(s[i], out);
        }
    }
}

static void roff_line(const char *s, FILE *out)
{
    roff(s, strlen(s), out);
    fputc('\n', out);
}

static void roff_paragraphs(const char *help, FILE *out)
{
    bool example = false;
    while (help && *help) {
        size_t len = strcspn(help, "\n");
        bool code = strncmp(help, "    ", 4) == 0;
        if (code != example && len > 0) {
            fputs(code ? ".PP\n.RS 4\n.nf\n" : ".fi\n.RE\n", out);
            example = code;
        }
        if (len == 0)
            fputs(example ? "" : ".PP\n", out);
        else {
            roff(help + (code ? 4 : 0), len - (code ? 4 : 0), out);
            fputc('\n', out);
        }
        help += len + (help[len] == '\n');
    }
    if (example)
        fputs(".fi\n.RE\n", out);
}

static void roff_option(const char *syntax, const char *doc, FILE *out)
{
    fputs(".TP\n\\fB", out);
    roff(syntax, strlen(syntax), out);
    fputs("\\fR\n", out);
    roff_line(doc, out);
}

const ManualEntry manual_statuses[] = {
    {"0", "done; with --due also: nothing was due, or another run is building the table (a recorded skip)"},
    {"1", "a step or a check failed; all else was done"},
    {"2", "the project or the call is wrong; nothing was done"},
    {"3", "the database cannot be reached"},
    {"4", "a table asked for is being built by another run"},
    {"130", "stopped by SIGINT"},
    {"143", "stopped by SIGTERM"},
    {NULL, NULL},
};
const ManualEntry manual_variables[] = {
    {"SLUICE_TARGET", "the target, unless --target is given"},
    {"SLUICE_PG_BINDIR", "where the programs of PostgreSQL are, for the private server"},
    {"NO_COLOR", "no colours, unless --color=always is given"},
    {"TZDIR", "where the time zones are; default: /usr/share/zoneinfo"},
    {"PGHOST, PGPASSWORD, ...", "as for every libpq program, where a target's url leaves them open"},
    {NULL, NULL},
};

static void roff_entries(const ManualEntry *list, FILE *out)
{
    for (; list->what; list++) {
        fputs(".TP\n\\fB", out);
        roff(list->what, strlen(list->what), out);
        fputs("\\fR\n", out);
        roff_line(list->meaning, out);
    }
}

void manual_page(FILE *out)
{
    fputs(".\\\" Made by `sluice help --format man`.\n"
          ".TH SLUICE 1 \"\" \"sluice " SLUICE_VERSION "\" \"User Commands\"\n"
          ".SH NAME\nsluice \\- scheduled SQL for PostgreSQL\n"
          ".SH SYNOPSIS\n\\fBsluice\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n"
          ".SH DESCRIPTION\nFiles and foreign tables in, checked tables out. A project is a folder of plain SQL and a "
          "few lines\nof YAML; the guide and the reference describe its files.\n"
          ".SH COMMANDS\n",
          out);
    for (const Command *c = commands; c->name; c++) {
        TEXT_AUTO(usage);
        manual_usage_line(c, &usage);
        fputs(".SS ", out);
        roff_line(text_str(&usage), out);
        TEXT_AUTO(summary);
        text_appendf(&summary, "%c%s%s.", toupper((unsigned char)c->summary[0]), c->summary + 1,
                     c->run ? "" : " (not supported yet)");
        roff_line(text_str(&summary), out);
        if (c->help) {
            fputs(".PP\n", out);
            roff_paragraphs(c->help, out);
        }
        manual_options(c->options, roff_option, out);
    }
    fputs(".SH OPTIONS\nThese may be given to every command.\n", out);
    manual_options(global_options, roff_option, out);
    fputs(".SH \"EXIT STATUS\"\n", out);
    roff_entries(manual_statuses, out);
    fputs(".SH ENVIRONMENT\n", out);
    roff_entries(manual_variables, out);
}
