#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log_line.h"
#include "base/text.h"

static struct {
    LogLevel most;
    bool json;
    LogColor color;
    bool terminal;
    pthread_mutex_t mutex; /* keeps lines whole */
} g_log = {.most = LOG_INFO, .mutex = PTHREAD_MUTEX_INITIALIZER};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_setup(LogLevel most, bool json, LogColor color)
{
    g_log.most = most;
    g_log.json = json;
    g_log.color = color;
    g_log.terminal = isatty(STDERR_FILENO) == 1;
}

bool log_wants(LogLevel level) { return level <= g_log.most; }

void log_lock(void) { pthread_mutex_lock(&g_log.mutex); }

void log_unlock(void) { pthread_mutex_unlock(&g_log.mutex); }

void log_wait(pthread_cond_t *condition, const struct timespec *until)
{
    pthread_cond_timedwait(condition, &g_log.mutex, until);
}

void log_write(const Text *text) { fwrite(text_str(text), 1, text->len, stderr); }

bool log_on_terminal(void) { return g_log.terminal && !g_log.json && log_wants(LOG_INFO); }

bool log_colored(FILE *stream)
{
    if (g_log.color != LOG_COLOR_AUTO)
        return g_log.color == LOG_COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR");
    return (!no_color || !*no_color) && isatty(fileno(stream)) == 1;
}

static void begin_json(Json *json, LogLevel level)
{
    char now[CLOCK_TEXT];
    clock_format(clock_now(), now);
    json_object(json);
    json_key(json, "time");
    json_string(json, now);
    json_key(json, "level");
    json_string(json, level_names[level]);
}

/* A value is redacted before it becomes part of the line: escaped it might not be known again, and what the line says
 * besides (keys, the time) is no secret. */
static void write_line(const Text *line)
{
    TEXT_AUTO(whole);
    log_lock();
    live_wipe(&whole);
    text_appendf(&whole, "%s\n", text_str(line));
    live_draw(&whole);
    log_write(&whole);
    log_unlock();
}

static void begin_text(Text *line, LogLevel level)
{
    static const char *const colors[] = {"\033[31m", "\033[33m", "", "\033[2m"};
    if (!g_log.terminal) {
        char now[CLOCK_TEXT];
        clock_format(clock_now(), now);
        text_appendf(line, "%s %-5s ", now, level_names[level]);
    } else if (level != LOG_INFO) {
        bool colored = log_colored(stderr);
        text_appendf(line, "%s%s:%s ", colored ? colors[level] : "", level_names[level], colored ? "\033[0m" : "");
    }
}

static __attribute__((format(printf, 2, 0))) void write_message(LogLevel level, const char *fmt, va_list ap)
{
    if (!log_wants(level))
        return;
    TEXT_AUTO(message);
    text_vappendf(&message, fmt, ap);
    char *shown CLEANUP(mem_free_p) = log_redacted(text_str(&message));
    TEXT_AUTO(line);
    if (g_log.json) {
        Json json = {.out = &line};
        begin_json(&json, level);
        json_key(&json, "message");
        json_string(&json, shown);
        json_end(&json);
    } else {
        begin_text(&line, level);
        text_append(&line, shown);
    }
    write_line(&line);
}

#define LOG_FUNCTION(name, level)                                                                                      \
    void name(const char *fmt, ...)                                                                                    \
    {                                                                                                                  \
        va_list ap;                                                                                                    \
        va_start(ap, fmt);                                                                                             \
        write_message(level, fmt, ap);                                                                                 \
        va_end(ap);                                                                                                    \
    }
LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)

static void json_member(Json *json, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    json_key(json, key);
    json_string(json, value);
}

static char *redacted_or_null(const char *s) { return s ? log_redacted(s) : NULL; }

static void redact(const Error *err, Error *ret)
{
    *ret = *err;
    ret->message = redacted_or_null(err->message);
    ret->detail = redacted_or_null(err->detail);
    ret->hint = redacted_or_null(err->hint);
    ret->file = redacted_or_null(err->file);
}

void log_failure(const Error *err)
{
    TEXT_AUTO(line);
    ERROR_AUTO(shown);
    redact(err, &shown);
    if (!g_log.json) {
        char *text CLEANUP(mem_free_p) = error_text(&shown);
        text_append(&line, text);
        write_line(&line);
        return;
    }
    Json json = {.out = &line};
    begin_json(&json, LOG_ERROR);
    json_member(&json, "message", shown.message);
    json_member(&json, "file", shown.file);
    if (shown.line > 0) {
        json_key(&json, "line");
        json_int(&json, shown.line);
    }
    if (shown.column > 0) {
        json_key(&json, "column");
        json_int(&json, shown.column);
    }
    json_member(&json, "detail", shown.detail);
    json_member(&json, "hint", shown.hint);
    json_member(&json, "sqlstate", shown.sqlstate);
    json_end(&json);
    write_line(&line);
}
