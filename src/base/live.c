#include "base/live.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_line.h"
#include "base/text.h"

enum {
    TASKS_MAX = 64,
    TEXT_MAX = 200,         /* bytes of a name, and of what is done */
    PERIOD = 250 * 1000000, /* nanoseconds between two drawings */
    YOUNG = 400 * 1000,     /* microseconds after which a task is shown */
    COLUMNS = 80,           /* where the terminal does not say */
    ROWS = 24,
    NAME_COLUMNS = 32,
};

typedef struct Task {
    bool used;
    int64_t since;
    char name[TEXT_MAX], doing[TEXT_MAX];
} Task;

/* Everything is guarded by the log's lock: lines and messages share the terminal. */
static struct {
    bool on, stopping;
    pthread_t thread;
    pthread_cond_t stop;
    Task tasks[TASKS_MAX];
    size_t drawn; /* lines on the terminal */
} g_live;

static _Thread_local Task *t_task; /* of this thread, or NULL */

static void copy(char to[TEXT_MAX], const char *s)
{
    TEXT_AUTO(shown);
    text_append_shown(&shown, s, strlen(s), TEXT_MAX - 4);
    snprintf(to, TEXT_MAX, "%s", text_str(&shown));
}

/* Cursor to the first of the lines, and everything from there wiped: ECMA-48 CUU and ED. */
void live_wipe(Text *out)
{
    if (g_live.drawn > 0)
        text_appendf(out, "\033[%zuA\r\033[J", g_live.drawn);
    g_live.drawn = 0;
}

/* At most so many columns of s, counting characters. */
static void append_columns(Text *out, const char *s, size_t columns)
{
    size_t left = strlen(s);
    while (left > 0 && columns-- > 0) {
        size_t n = utf8_len(s, left);
        n = n ? n : 1;
        text_append_n(out, s, n);
        s += n;
        left -= n;
    }
}

static void append_task(Text *out, const Task *task, int64_t now, size_t columns)
{
    TEXT_AUTO(line);
    TEXT_AUTO(name);
    append_columns(&name, task->name, NAME_COLUMNS);
    int64_t seconds = (now - task->since) / 1000000;
    text_appendf(&line, "%-12s ", text_str(&name));
    if (seconds >= 60)
        text_appendf(&line, "%3" PRId64 ":%02d", seconds / 60, (int)(seconds % 60));
    else
        text_appendf(&line, "%4d s", (int)seconds);
    text_appendf(&line, "  %s", task->doing);
    char *shown CLEANUP(mem_free_p) = log_redacted(text_str(&line));
    append_columns(out, shown, columns);
    text_append(out, "\n");
}

void live_draw(Text *out)
{
    struct winsize size = {0};
    if (!g_live.on || g_live.stopping)
        return;
    (void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    size_t columns = size.ws_col > 1 ? size.ws_col - 1U : COLUMNS - 1;
    size_t most = size.ws_row > 1 ? size.ws_row - 1U : ROWS - 1; /* what has left the screen cannot be wiped */
    int64_t now = clock_monotonic();
    for (size_t i = 0; i < TASKS_MAX && g_live.drawn < most; i++) {
        if (!g_live.tasks[i].used || now - g_live.tasks[i].since < YOUNG)
            continue;
        append_task(out, &g_live.tasks[i], now, columns);
        g_live.drawn++;
    }
}

static void *draw_lines(void *arg)
{
    (void)arg;
    log_lock();
    while (!g_live.stopping) {
        TEXT_AUTO(frame);
        live_wipe(&frame);
        live_draw(&frame);
        log_write(&frame);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += PERIOD;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        log_wait(&g_live.stop, &until);
    }
    log_unlock();
    return NULL;
}

void live_start(void)
{
    if (g_live.on || !log_on_terminal())
        return;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&g_live.stop, &attributes);
    pthread_condattr_destroy(&attributes);
    log_lock();
    g_live.stopping = false;
    g_live.on = pthread_create(&g_live.thread, NULL, draw_lines, NULL) == 0;
    log_unlock();
}

void live_stop(void)
{
    if (!g_live.on)
        return;
    log_lock();
    g_live.stopping = true;
    TEXT_AUTO(frame);
    live_wipe(&frame);
    log_write(&frame);
    pthread_cond_signal(&g_live.stop);
    log_unlock();
    pthread_join(g_live.thread, NULL);
    pthread_cond_destroy(&g_live.stop);
    memset(&g_live, 0, sizeof g_live);
}

void live_begin(const char *name)
{
    if (!g_live.on)
        return;
    log_lock();
    for (size_t i = 0; i < TASKS_MAX && !t_task; i++)
        if (!g_live.tasks[i].used)
            t_task = &g_live.tasks[i];
    if (t_task) {
        *t_task = (Task){.used = true, .since = clock_monotonic()};
        copy(t_task->name, name);
    }
    log_unlock();
}

void live_end(void)
{
    if (!t_task)
        return;
    log_lock();
    t_task->used = false;
    t_task = NULL;
    log_unlock();
}

void log_progress(const char *fmt, ...)
{
    if (!t_task)
        return;
    TEXT_AUTO(doing);
    va_list ap;
    va_start(ap, fmt);
    text_vappendf(&doing, fmt, ap);
    va_end(ap);
    log_lock();
    copy(t_task->doing, text_str(&doing));
    log_unlock();
}
