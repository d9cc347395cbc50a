#include "cli/crontab.h"

#include <string.h>

#include "cli/shell.h"

/* A word for sh. cron turns `\%` into `%` before the shell sees it, inside quotes too. */
static void append_word(const char *s, Text *out)
{
    TEXT_AUTO(word);
    shell_word(s, &word);
    for (const char *p = text_str(&word); *p; p++) {
        if (*p == '%')
            text_append_char(out, '\\');
        text_append_char(out, *p);
    }
}

bool crontab_line(const char *program, const char *dir, const char *target, Text *out, Error *err)
{
    const char *names[] = {program, dir, target ? target : ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strpbrk(names[i], "\n\r"))
            return error_set(err, ERROR_PROJECT, "a name with a line end in it cannot stand in a crontab");
    text_append(out, "* * * * * ");
    append_word(program, out);
    text_append(out, " --project ");
    append_word(dir, out);
    if (target) {
        text_append(out, " --target ");
        append_word(target, out);
    }
    text_append(out, " run --due");
    return true;
}

/* The byte after the line that begins at s. */
static const char *line_end(const char *s)
{
    size_t len = strcspn(s, "\n");
    return s + len + (s[len] == '\n');
}

static bool line_is(const char *line, const Text *text)
{
    size_t len = strcspn(line, "\n");
    return len == text->len && strncmp(line, text_str(text), len) == 0;
}

static const char *find_line(const char *s, const Text *text)
{
    for (; *s; s = line_end(s))
        if (line_is(s, text))
            return s;
    return NULL;
}

void crontab_edit(const char *old, const char *dir, const char *line, Text *out, bool *ret_changed)
{
    TEXT_AUTO(begin);
    TEXT_AUTO(end);
    text_appendf(&begin, "# sluice begin %s", dir);
    text_appendf(&end, "# sluice end %s", dir);
    const char *first = find_line(old, &begin);
    /* A begin whose end somebody removed: only what surely is ours, the comment itself, is replaced. */
    const char *last = first ? find_line(first, &end) : NULL;
    const char *rest = last ? line_end(last) : first ? line_end(first) : "";
    size_t kept = first ? (size_t)(first - old) : strlen(old);
    size_t before = out->len;
    text_append_n(out, old, kept);
    if (line && kept > 0 && old[kept - 1] != '\n')
        text_append_char(out, '\n');
    if (line)
        text_appendf(out, "%s\n%s\n%s\n", text_str(&begin), line, text_str(&end));
    text_append(out, rest);
    *ret_changed = !str_eq(text_str(out) + before, old);
}
