#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "cli/manual.h"
#include "project/setting.h"

/* A cell of a Markdown table. */
static void cell(const char *s, FILE *out)
{
    for (; *s; s++) {
        if (*s == '|' || *s == '<' || *s == '*')
            fputc('\\', out);
        fputc(*s, out);
    }
}

static void paragraphs(const char *help, FILE *out)
{
    fputc('\n', out);
    for (; help && *help; help += strcspn(help, "\n"), help += *help == '\n')
        fprintf(out, "%.*s\n", (int)strcspn(help, "\n"), help);
}

static void row(const char *what, const char *meaning, FILE *out)
{
    fprintf(out, "| `%s` | ", what);
    cell(meaning, out);
    fputs(" |\n", out);
}

static void options(const Option *const *list, FILE *out)
{
    fputs("\n| option | what it does |\n| --- | --- |\n", out);
    manual_options(list, row, out);
}

static void entries(const char *title, const ManualEntry *list, FILE *out)
{
    fprintf(out, "| %s | meaning |\n| --- | --- |\n", title);
    for (; list->what; list++)
        row(list->what, list->meaning, out);
}

static void command_section(const Command *command, FILE *out)
{
    TEXT_AUTO(usage);
    manual_usage_line(command, &usage);
    fprintf(out, "\n### sluice %s\n\n`%s`\n\n", command->name, text_str(&usage));
    fprintf(out, "%c%s.%s\n", toupper((unsigned char)command->summary[0]), command->summary + 1,
            command->run ? "" : " Not supported yet.");
    if (command->help)
        paragraphs(command->help, out);
    if (manual_has_options(command))
        options(command->options, out);
}

static void value_of(const Setting *setting, Text *out)
{
    text_append(out, setting_type_name(setting->type));
    for (const SettingChoice *c = setting->choices; c && c->name; c++) {
        text_appendf(out, "%s%s", c == setting->choices ? ": " : ", ", c->name);
        if (c->status != SETTING_NOW && setting->status == SETTING_NOW)
            text_append(out, " (not supported yet)");
    }
}

static void key_row(const Setting *setting, FILE *out)
{
    TEXT_AUTO(value);
    value_of(setting, &value);
    fprintf(out, "| `%s` | ", setting->key);
    cell(text_str(&value), out);
    fputs(" | ", out);
    cell(setting->doc, out);
    if (setting->folder)
        fputs("; may be a folder's default", out);
    if (setting->status == SETTING_LATER)
        fputs(" (not supported yet)", out);
    if (setting->status == SETTING_LATER_FILLED)
        fputs(" (only an empty one is supported yet)", out);
    fputs(" | ", out);
    cell(setting->fallback ? setting->fallback : "", out);
    fprintf(out, " | `%s: %s` |\n", setting->key, setting->example);
}

static void keys(FILE *out)
{
    static const char *const where[SCOPE_COUNT] = {
        [SCOPE_PROJECT] = "sluice.yaml",
        [SCOPE_TARGET] = "A target, under targets: of sluice.yaml",
        [SCOPE_SOURCE] = "sources/NAME.yaml",
        [SCOPE_COLUMN] = "A column, under columns: of a source",
        [SCOPE_CHANGES] = "changes, where it is a mapping",
        [SCOPE_MODEL] = "Front matter of models/NAME.sql",
        [SCOPE_MODEL_COLUMN] = "A column, under columns: of a model",
        [SCOPE_GRANTS] = "grants",
        [SCOPE_CHECK] = "A check, under checks: of a source or model",
        [SCOPE_ACCEPTED_VALUES] = "accepted_values",
        [SCOPE_RELATIONSHIPS] = "relationships",
        [SCOPE_ROW_COUNT] = "row_count",
        [SCOPE_FRESHNESS] = "freshness",
    };
    size_t count;
    const Setting *settings = setting_table(&count);
    fputs("\n## Keys of the files\n", out);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || settings[i].scope != settings[i - 1].scope)
            fprintf(out,
                    "\n### %s\n\n| key | value | what it does | default | example |\n| --- | --- | --- | --- | --- |\n",
                    where[settings[i].scope]);
        key_row(&settings[i], out);
    }
}

void manual_reference(FILE *out)
{
    fputs("# Reference\n\nMade by `sluice help --format markdown` from the tables in the program; do not edit.\n"
          "\n## Commands\n\n| command | what it does |\n| --- | --- |\n",
          out);
    for (const Command *c = commands; c->name; c++) {
        fprintf(out, "| [`%s`](#sluice-%s) | ", c->name, c->name);
        cell(c->summary, out);
        fputs(c->run ? " |\n" : " (not supported yet) |\n", out);
    }
    for (const Command *c = commands; c->name; c++)
        command_section(c, out);
    fputs("\n## Options of every command\n", out);
    options(global_options, out);
    keys(out);
    fputs("\n## Exit status\n\n", out);
    entries("status", manual_statuses, out);
    fputs("\n## Environment\n\n", out);
    entries("variable", manual_variables, out);
}
