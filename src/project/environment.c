#include "project/environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

static bool starts_name(char c) { return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (starts_name(s[n]) || (n > 0 && s[n] >= '0' && s[n] <= '9'))
        n++;
    return n;
}

/* --- .env -------------------------------------------------------------------------------------------------------- */

/* Reads a value that begins with a quote, to its end; what follows must be blank or a comment. */
static const char *read_quoted(const char *s, Text *out, const char **ret_rest)
{
    char quote = *s++;
    for (; *s && *s != quote; s++) {
        if (quote == '"' && *s == '\\' && s[1]) {
            s++;
            text_append_char(out, *s == 'n' ? '\n' : *s == 't' ? '\t' : *s);
        } else {
            text_append_char(out, *s);
        }
    }
    if (!*s)
        return "the quote that opens here is not closed";
    for (s++; *s == ' ' || *s == '\t'; s++)
        ;
    *ret_rest = s;
    return *s && *s != '#' ? "text after the closing quote" : NULL;
}

static void read_bare(const char *s, Text *out)
{
    const char *end = s + strlen(s);
    for (const char *p = s; *p; p++)
        if (*p == '#' && (p == s || p[-1] == ' ' || p[-1] == '\t')) {
            end = p;
            break;
        }
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    text_append_n(out, s, (size_t)(end - s));
}

static const char *skip_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static void set_variable(Environment *env, const char *name, const char *value)
{
    char **slot = arena_alloc(env->arena, sizeof *slot);
    char **known = index_put(&env->variables, name, slot);
    *(known ? known : slot) = arena_strdup(env->arena, value);
}

/* A message, with *ret_at where it is wrong; NULL when the line is fine. */
static const char *read_line(Environment *env, const char *line, const char **ret_at)
{
    const char *s = skip_blanks(line);
    if (!*s || *s == '#')
        return NULL;
    if (str_starts(s, "export ") || str_starts(s, "export\t"))
        s = skip_blanks(s + 7);
    size_t n = name_length(s);
    *ret_at = s;
    if (n == 0 || s[n] != '=')
        return "expected NAME=VALUE";
    const char *name = arena_strndup(env->arena, s, n);
    s = skip_blanks(s + n + 1);
    TEXT_AUTO(value);
    if (*s == '"' || *s == '\'') {
        const char *rest = s;
        const char *wrong = read_quoted(s, &value, &rest);
        *ret_at = rest;
        if (wrong)
            return wrong;
    } else {
        read_bare(s, &value);
    }
    set_variable(env, name, text_str(&value));
    return NULL;
}

void environment_read(Environment *env, const char *shown, Errors *errors)
{
    char *data CLEANUP(mem_free_p) = NULL;
    size_t length = 0;
    const char *path = arena_printf(env->arena, "%s/.env", env->dir);
    ERROR_AUTO(err);
    if (!file_exists(path))
        return;
    if (!file_read(path, ENVIRONMENT_TEXT_MAX, &data, &length, &err)) {
        error_place(&err, shown, 0, 0);
        errors_add(errors, &err);
        return;
    }
    if (memchr(data, '\0', length)) {
        errors_report(errors, shown, 0, 0, NULL, "the file holds a zero byte");
        return;
    }
    int number = 1;
    for (char *line = data, *next; line; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        size_t n = strlen(line);
        if (n > 0 && line[n - 1] == '\r')
            line[n - 1] = '\0';
        const char *at = line;
        const char *wrong = read_line(env, line, &at);
        if (wrong)
            errors_report(errors, shown, number, (int)(at - line) + 1, NULL, "%s", wrong);
    }
}

const char *environment_get(const Environment *env, const char *name)
{
    const char *value = getenv(name);
    char **slot = value ? NULL : index_get(&env->variables, name);
    return slot ? *slot : value;
}

/* --- ${...} ------------------------------------------------------------------------------------------------------ */

static bool is_secret_name(const char *name, bool url)
{
    static const char *const words[] = {"PASSWORD", "SECRET", "TOKEN", "KEY", "URL"};
    for (size_t i = 0; i < (url ? 5 : 3); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

typedef struct Filling {
    const Environment *env;
    const char *key, *start; /* of the whole text */
    bool url;
    Text *out;
    Error *err;
} Filling;

static bool fail(const Filling *f, const char *at, const char *message)
{
    int column = 1;
    for (const char *p = f->start; p < at; p++)
        column += ((unsigned char)*p & 0xC0) != 0x80;
    error_set(f->err, ERROR_PROJECT, "%s", message);
    return error_place(f->err, NULL, 0, column);
}

static bool fill_file(const Filling *f, const char *at, const char *name)
{
    char *data CLEANUP(mem_free_p) = NULL;
    size_t length = 0;
    const char *path = *name == '/' ? name : arena_printf(f->env->arena, "%s/%s", f->env->dir, name);
    ERROR_AUTO(err);
    if (!*name)
        return fail(f, at, "${file:} needs a path");
    if (!file_read(path, ENVIRONMENT_FILE_MAX, &data, &length, &err))
        return fail(f, at, arena_printf(f->env->arena, "'%s' needs the file %s: %s", f->key, name, err.message));
    if (memchr(data, '\0', length))
        return fail(f, at, arena_printf(f->env->arena, "'%s' needs the file %s: it holds a zero byte", f->key, name));
    if (length > 0 && data[length - 1] == '\n')
        length--;
    if (length > 0 && data[length - 1] == '\r')
        length--;
    data[length] = '\0';
    log_secret(data);
    text_append_n(f->out, data, length);
    return true;
}

/* What stands between the braces. */
static bool fill(const Filling *f, const char *at, const char *inner, size_t n)
{
    char *name = arena_strndup(f->env->arena, inner, n);
    if (str_starts(name, "file:"))
        return fill_file(f, at, name + 5);
    size_t length = name_length(name);
    const char *fallback = NULL;
    if (str_starts(name + length, ":-"))
        fallback = name + length + 2;
    if (length == 0 || (name[length] && !fallback)) {
        fail(f, at, "expected ${NAME}, ${NAME:-default} or ${file:/path}");
        return error_hint(f->err, "write $${ for a plain ${");
    }
    name[length] = '\0';
    const char *value = environment_get(f->env, name);
    if (fallback && (!value || !*value)) {
        text_append(f->out, fallback);
        return true;
    }
    if (!value) {
        fail(f, at, arena_printf(f->env->arena, "'%s' needs the variable %s, which is not set", f->key, name));
        return error_hint(f->err, "set it in the environment or in .env, or give a default: ${%s:-...}", name);
    }
    if (is_secret_name(name, f->url))
        log_secret(value);
    log_secret_url(value);
    text_append(f->out, value);
    return true;
}

bool environment_expand(const Environment *env, const char *key, const char *text, bool url, const char **ret,
                        Error *err)
{
    *ret = text;
    if (!strstr(text, "${"))
        return true;
    TEXT_AUTO(out);
    Filling f = {env, key, text, url, &out, err};
    for (const char *p = text; *p;) {
        if (str_starts(p, "$${")) {
            text_append(&out, "${");
            p += 3;
        } else if (str_starts(p, "${")) {
            const char *close = strchr(p, '}');
            if (!close)
                return fail(&f, p, "${ is not closed by }");
            if (!fill(&f, p, p + 2, (size_t)(close - p - 2)))
                return false;
            p = close + 1;
        } else {
            text_append_char(&out, *p++);
        }
        if (out.len > ENVIRONMENT_TEXT_MAX)
            return fail(
                &f, text,
                arena_printf(env->arena, "'%s' is larger than %d bytes once filled in", key, ENVIRONMENT_TEXT_MAX));
    }
    *ret = arena_strdup(env->arena, text_str(&out));
    return true;
}
