/* Secrets: what log_secret() and log_secret_url() were told, in every form in which it may come to be shown, and the
 * filter that finds them. */
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"

enum {
    SECRETS_MAX = 256,
    DERIVED_MAX = 192, /* lines and escaped forms take no more places than these, so that whole values find one */
    LINES_MAX = 64,    /* of one value */
    PIECES_MAX = 32,   /* of one password */
    SECRET_MIN = 4,    /* bytes */
    CUT_MIN = 8,       /* bytes of a secret that was cut */
};

static struct {
    pthread_mutex_t mutex;
    char *items[SECRETS_MAX];
    size_t lengths[SECRETS_MAX];
    size_t count;
    bool begins[UINT8_MAX + 1]; /* whether a secret begins with this byte */
} g_secrets = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* --- what is kept ------------------------------------------------------------------------------------------------ */

static void add(const char *s, size_t n, bool derived)
{
    if (n < SECRET_MIN || g_secrets.count >= (derived ? DERIVED_MAX : SECRETS_MAX))
        return;
    for (size_t i = 0; i < g_secrets.count; i++)
        if (g_secrets.lengths[i] == n && memcmp(g_secrets.items[i], s, n) == 0)
            return;
    char *copy = mem_alloc(n + 1);
    memcpy(copy, s, n);
    g_secrets.items[g_secrets.count] = copy;
    g_secrets.lengths[g_secrets.count++] = n;
    g_secrets.begins[(unsigned char)*s] = true;
}

/* As PostgreSQL writes a string in JSON: rows that failed a check come back from it so. */
static void append_json(Text *out, const char *s, size_t n)
{
    static const char plain[] = "\"\\\b\f\n\r\t", escaped[] = "\"\\bfnrt";
    for (size_t i = 0; i < n; i++) {
        const char *at = strchr(plain, s[i]);
        if (at)
            text_appendf(out, "\\%c", escaped[at - plain]);
        else if ((unsigned char)s[i] < 0x20)
            text_appendf(out, "\\u%04x", (unsigned)s[i]);
        else
            text_append_char(out, s[i]);
    }
}

/* As SQL writes it: as a literal, with or without E, or as an identifier. */
static void add_sql(const char *s, size_t n)
{
    static const char *const doubled[] = {"'", "'\\", "\""};
    for (size_t i = 0; i < sizeof doubled / sizeof *doubled; i++) {
        TEXT_AUTO(sql);
        for (size_t k = 0; k < n; k++) {
            if (strchr(doubled[i], s[k]))
                text_append_char(&sql, s[k]);
            text_append_char(&sql, s[k]);
        }
        add(text_str(&sql), sql.len, true);
    }
}

static void add_forms(const char *s, size_t n, bool derived)
{
    if (n < SECRET_MIN)
        return;
    TEXT_AUTO(shown);
    TEXT_AUTO(json);
    text_append_shown(&shown, s, n, SIZE_MAX);
    append_json(&json, s, n);
    add(s, n, derived);
    add(text_str(&shown), shown.len, true);
    add(text_str(&json), json.len, true);
    add_sql(s, n);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void log_secret(const char *value)
{
    if (!value)
        return;
    pthread_mutex_lock(&g_secrets.mutex);
    add_forms(value, strlen(value), false);
    const char *line = strchr(value, '\n') ? value : "";
    for (int i = 0; *line && i < LINES_MAX; i++) {
        const char *end = line + strcspn(line, "\n"), *next = *end ? end + 1 : end;
        while (line < end && is_blank(*line))
            line++;
        while (end > line && is_blank(end[-1]))
            end--;
        add_forms(line, (size_t)(end - line), true);
        line = next;
    }
    pthread_mutex_unlock(&g_secrets.mutex);
}

/* --- passwords in urls ------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Both as written and with its %XX read. */
static void add_written(const char *s, size_t n)
{
    TEXT_AUTO(written);
    TEXT_AUTO(plain);
    text_append_n(&written, s, n);
    for (size_t i = 0; i < n; i++) {
        bool escape = s[i] == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0;
        text_append_char(&plain, escape ? (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2])) : s[i]);
        i += escape ? 2 : 0;
    }
    log_secret(text_str(&written));
    log_secret(text_str(&plain));
}

/* A reader that takes one of these characters for a delimiter shows a piece, or all that follows it. */
static void add_pieces(const char *s, size_t n)
{
    static const char delimiters[] = "/#?@:";
    size_t start = 0;
    for (int pieces = 0; start < n && pieces < PIECES_MAX; pieces++) {
        size_t length = 0;
        while (start + length < n && !strchr(delimiters, s[start + length]))
            length++;
        add_written(s + start, length);
        add_written(s + start, n - start);
        start += length + 1;
    }
}

/* Whether s is the query of a connection's url, and not the rest of a password with a `?` in it. */
static bool begins_query(const char *s)
{
    static const char *const keywords[] = {"application_name",
                                           "channel_binding",
                                           "client_encoding",
                                           "connect_timeout",
                                           "dbname",
                                           "fallback_",
                                           "gss",
                                           "host",
                                           "keepalives",
                                           "krbsrvname",
                                           "load_balance",
                                           "max_protocol",
                                           "min_protocol",
                                           "options",
                                           "passfile",
                                           "password",
                                           "port",
                                           "replication",
                                           "require",
                                           "service",
                                           "ssl",
                                           "target_session",
                                           "tcp_user",
                                           "user"};
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");
    for (size_t i = 0; s[n] == '=' && i < sizeof keywords / sizeof *keywords; i++)
        if (str_starts(s, keywords[i]))
            return true;
    return false;
}

/* `${NAME}`, not filled in: no secret, and worth showing. */
static bool is_reference(const char *s, size_t n)
{
    return n > 3 && str_starts(s, "${") && s[n - 1] == '}' && !memchr(s, ':', n) && !memchr(s, '@', n);
}

/* postgresql://user:PASSWORD@host/...: to the last @, because a password may hold any character unescaped. */
static bool add_from_authority(const char *s)
{
    const char *end = s;
    while (*end && !(*end == '?' && begins_query(end + 1)))
        end++;
    const char *at = memrchr(s, '@', (size_t)(end - s));
    const char *colon = at ? memchr(s, ':', (size_t)(at - s)) : NULL;
    if (!colon)
        return true;
    const char *password = colon + 1;
    size_t n = (size_t)(at - password);
    if (is_reference(password, n))
        return true;
    add_written(password, n);
    bool misleading = memchr(password, '/', n) || memchr(password, '@', n);
    if (misleading || memchr(password, '?', n) || memchr(password, '#', n))
        add_pieces(password, n);
    return !misleading;
}

/* password=PASSWORD of a keyword string, whose values may be quoted, with backslashes. */
static void add_keyword(const char *s)
{
    TEXT_AUTO(plain);
    bool quoted = *s == '\'';
    s += quoted ? 1 : 0;
    const char *start = s;
    while (*s && !(quoted ? *s == '\'' : strchr(" \t\n\r\f\v", *s) != NULL)) {
        s += *s == '\\' && s[1] ? 1 : 0;
        text_append_char(&plain, *s++);
    }
    log_secret(text_str(&plain));
    add_written(start, (size_t)(s - start));
}

bool log_secret_url(const char *url)
{
    const char *scheme = strstr(url, "://");
    bool clear = !scheme || add_from_authority(scheme + 3);
    for (const char *p = url; (p = strstr(p, "password")); p++) {
        const char *s = p + strlen("password");
        s += strspn(s, " ");
        if (*s != '=')
            continue;
        s += 1 + strspn(s + 1, " ");
        if (scheme)
            add_written(s, strcspn(s, "&"));
        else
            add_keyword(s);
    }
    return clear;
}

/* --- the filter -------------------------------------------------------------------------------------------------- */

/* How many bytes of a secret stand at s: all, or its beginning where "..." tells that it was cut. */
static size_t length_of(const char *s, const char *secret, size_t length)
{
    size_t n = 0;
    while (n < length && s[n] == secret[n])
        n++;
    if (n == length)
        return n;
    for (size_t dots = 0; dots < 3 && n >= CUT_MIN + dots; dots++) /* its own dots may meet those of the cut */
        if (str_starts(s + n - dots, "..."))
            return n - dots;
    return 0;
}

static size_t longest_at(const char *s)
{
    size_t longest = 0;
    for (size_t i = 0; g_secrets.begins[(unsigned char)*s] && i < g_secrets.count; i++) {
        size_t n = length_of(s, g_secrets.items[i], g_secrets.lengths[i]);
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* The same with the secrets that begin within it and reach further. */
static size_t covered_at(const char *s)
{
    size_t end = longest_at(s);
    for (size_t i = 1; i < end; i++) {
        size_t n = longest_at(s + i);
        end = i + n > end ? i + n : end;
    }
    return end;
}

char *log_redacted(const char *s)
{
    Text out = {0};
    pthread_mutex_lock(&g_secrets.mutex);
    const char *from = s;
    while (g_secrets.count && *s) {
        size_t n = covered_at(s);
        if (n == 0) {
            s++;
            continue;
        }
        text_append_n(&out, from, (size_t)(s - from));
        text_append(&out, "***");
        s += n;
        from = s;
    }
    text_append(&out, from);
    pthread_mutex_unlock(&g_secrets.mutex);
    return text_steal(&out);
}
