#include "project/front_matter.h"

#include <string.h>

#include "base/text.h"
#include "project/setting.h"

enum { PREFIX = 3 }; /* characters of `-- ` */

typedef struct Lines {
    const char *at; /* of the next line; NULL past the last one */
    const char *line;
    size_t length; /* without its end and the blanks before it */
    int number;
} Lines;

static bool next_line(Lines *lines)
{
    if (!lines->at || !*lines->at)
        return false;
    const char *end = strchr(lines->at, '\n');
    lines->line = lines->at;
    lines->length = end ? (size_t)(end - lines->at) : strlen(lines->at);
    lines->at = end ? end + 1 : NULL;
    lines->number++;
    while (lines->length > 0 && strchr(" \t\r", lines->line[lines->length - 1]))
        lines->length--;
    return true;
}

static bool line_is(const Lines *lines, const char *s)
{
    return lines->length == strlen(s) && strncmp(lines->line, s, lines->length) == 0;
}

static bool fail(const char *file, const Lines *lines, int column, const char *message, const char *hint, Error *err)
{
    error_at(err, ERROR_PROJECT, file, lines->number, column, "%s", message);
    return error_hint(err, "%s", hint);
}

/* Looks for an opening that is not where it should be, among the comments before the SQL. */
static bool check_none(const char *file, Lines lines, Error *err)
{
    do {
        if (line_is(&lines, "-- ---"))
            return fail(file, &lines, 1, "front matter must stand first in the file",
                        "move it above the other comments", err);
    } while ((lines.length == 0 || strncmp(lines.line, "--", 2) == 0) && next_line(&lines));
    return true;
}

static bool read_yaml(const char *file, Lines *lines, Text *yaml, Error *err)
{
    int opened = lines->number;
    while (next_line(lines)) {
        if (line_is(lines, "-- ---"))
            return true;
        if (lines->length < 2 || strncmp(lines->line, "--", 2) != 0)
            return fail(file, lines, 1, "front matter is not closed before this line",
                        "each of its lines begins with '-- ', and it ends with '-- ---'", err);
        if (lines->length > 2 && lines->line[2] != ' ')
            return fail(file, lines, 3, "a space must follow '--' in front matter", "begin the line with '-- '", err);
        if (lines->length > PREFIX)
            text_append_n(yaml, lines->line + PREFIX, lines->length - PREFIX);
        text_append_char(yaml, '\n');
    }
    lines->number = opened;
    return fail(file, lines, 1, "front matter that begins here is not closed", "end it with a line '-- ---'", err);
}

bool front_matter_find(Arena *arena, const char *file, const char *text, FrontMatter *ret, Error *err)
{
    const char *begin = str_starts(text, "\xEF\xBB\xBF") ? text + 3 : text;
    Lines lines = {.at = begin};
    *ret = (FrontMatter){.sql = begin, .sql_line = 1, .yaml = {.file = file, .columns_before = PREFIX}};
    bool any = false;
    while ((any = next_line(&lines)) && lines.length == 0)
        ;
    if (!any)
        return true;
    if (line_is(&lines, "---"))
        return fail(file, &lines, 1, "front matter must stand in comments", "begin each of its lines with '-- '", err);
    if (!line_is(&lines, "-- ---"))
        return check_none(file, lines, err);
    ret->yaml.lines_before = lines.number;
    TEXT_AUTO(yaml);
    if (!read_yaml(file, &lines, &yaml, err))
        return false;
    ret->yaml.text = arena_strdup(arena, text_str(&yaml));
    ret->yaml.length = yaml.len;
    ret->sql = lines.at ? lines.at : lines.line + strlen(lines.line);
    ret->sql_line = lines.number + 1;
    return true;
}

const char *front_matter_lost_key(const char *text, int *ret_line)
{
    Lines lines = {.at = str_starts(text, "\xEF\xBB\xBF") ? text + 3 : text};
    while (next_line(&lines) && (lines.length == 0 || strncmp(lines.line, "--", 2) == 0)) {
        size_t blanks = lines.length == 0 ? 0 : 2 + strspn(lines.line + 2, " \t");
        size_t end = blanks;
        while (end < lines.length && lines.line[end] != ':')
            end++;
        for (int id = 0; id < SETTING_COUNT && end < lines.length; id++) {
            const Setting *setting = setting_get((SettingId)id);
            if (setting->scope != SCOPE_MODEL || strlen(setting->key) != end - blanks ||
                strncmp(setting->key, lines.line + blanks, end - blanks) != 0)
                continue;
            *ret_line = lines.number;
            return setting->key;
        }
    }
    return NULL;
}
