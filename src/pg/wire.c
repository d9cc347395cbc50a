#include "pg/wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"

enum {
    CANCEL_SECONDS = 3, /* for the request to cancel */
    DRAIN_SECONDS = 5,  /* for the answer of a cancelled statement */
    MESSAGE_MAX = 2000, /* bytes of a message or detail that are kept */
};

WireWait wire_wait(int fd, short events, bool shielded, int64_t deadline)
{
    for (;;) {
        if (!shielded && interrupt_signal())
            return WIRE_INTERRUPTED;
        int64_t left = deadline ? deadline - clock_monotonic() : -1;
        if (deadline && left <= 0)
            return WIRE_TIMEOUT;
        int timeout = deadline ? (int)((left + 999) / 1000) : -1;
        struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = shielded ? -1 : interrupt_fd(), .events = POLLIN}};
        int n = poll(fds, 2, timeout);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return WIRE_READY; /* let libpq find out what is wrong with its socket */
        if (n > 0 && fds[0].revents)
            return WIRE_READY;
    }
}

bool wire_interrupted(Error *err)
{
    return error_set(err, ERROR_CANCELLED, "stopped by %s", strsignal(interrupt_signal()));
}

bool wire_stopped(const Conn *conn, Error *err)
{
    bool overdue = conn->overdue && !interrupt_signal();
    return overdue ? error_set(err, ERROR_FAILED, "took longer than it may") : wire_interrupted(err);
}

bool wire_to_stop(Conn *conn)
{
    if (conn->shielded)
        return false;
    if (conn->limit && clock_monotonic() >= conn->limit)
        conn->overdue = true;
    return conn->overdue || interrupt_signal();
}

bool wire_ready(Conn *conn, Error *err)
{
    conn->position = 0;
    conn->cancelled = false;
    conn->copy_record = 0;
    free(conn->copy_column);
    conn->copy_column = NULL;
    if (conn->lost || PQstatus(conn->pg) == CONNECTION_BAD)
        return wire_lost(conn, NULL, err);
    return wire_to_stop(conn) ? wire_stopped(conn, err) : true;
}

/* PQcancel makes a connection of its own and knows no timeout, so it runs on a thread that can be left behind. */
static void *send_cancel(void *arg)
{
    PGcancel *cancel = arg;
    char message[256];
    if (!PQcancel(cancel, message, sizeof message))
        log_debug("the request to cancel a statement failed");
    PQfreeCancel(cancel);
    return NULL;
}

static void cancel_statement(Conn *conn)
{
    conn->cancelled = true;
    conn->deadline = clock_monotonic() + (CANCEL_SECONDS + DRAIN_SECONDS) * INT64_C(1000000);
    PGcancel *cancel = PQgetCancel(conn->pg);
    if (!cancel)
        return;
    pthread_t thread;
    if (pthread_create(&thread, NULL, send_cancel, cancel) != 0) {
        PQfreeCancel(cancel);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CANCEL_SECONDS;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0) {
        pthread_detach(thread);
        conn->lost = true; /* a late cancel could hit the next statement: there shall be none */
    }
}

/* One wait for a statement that runs. A signal or the limit cancels it, once; after that only the deadline counts. */
static bool await(Conn *conn, short events)
{
    bool shielded = conn->shielded || conn->cancelled;
    WireWait wait = wire_wait(PQsocket(conn->pg), events, shielded, shielded ? conn->deadline : conn->limit);
    if (wait == WIRE_READY)
        return true;
    if (wait == WIRE_TIMEOUT && shielded) {
        conn->lost = true;
        return false;
    }
    conn->overdue = conn->overdue || wait == WIRE_TIMEOUT;
    cancel_statement(conn);
    return !conn->lost;
}

bool wire_input(Conn *conn)
{
    struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};
    if (poll(&fd, 1, 0) <= 0 || !fd.revents)
        return true;
    int64_t notices = conn->notices;
    if (!PQconsumeInput(conn->pg))
        return false;
    (void)PQisBusy(conn->pg); /* takes in notices */
    if (conn->notices != notices)
        conn->suspect = 0;
    else if (!conn->suspect)
        conn->suspect = clock_monotonic();
    return true;
}

bool wire_flush(Conn *conn)
{
    for (;;) {
        int state = PQflush(conn->pg);
        if (state == 0)
            return true;
        if (state < 0)
            return false;
        /* The server may refuse to read before we have read what it says. */
        if (!await(conn, POLLIN | POLLOUT) || !wire_input(conn))
            return false;
    }
}

PGresult *wire_result(Conn *conn)
{
    while (!conn->lost && PQisBusy(conn->pg)) {
        if (!await(conn, POLLIN))
            break;
        if (!PQconsumeInput(conn->pg))
            break; /* PQgetResult says what happened */
    }
    return conn->lost ? NULL : PQgetResult(conn->pg);
}

void wire_drain(Conn *conn)
{
    PGresult *result;
    while ((result = wire_result(conn))) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH ||
            PQstatus(conn->pg) == CONNECTION_BAD) {
            conn->lost = true; /* would go round for ever */
            return;
        }
    }
}

void wire_one_line(Text *out, const char *s, size_t max)
{
    char *redacted CLEANUP(mem_free_p) = log_redacted(s ? s : ""); /* while it is whole */
    TEXT_AUTO(line);
    char last = ' ';
    for (s = redacted; *s && line.len < max; s++) {
        char c = *s == '\n' || *s == '\t' || *s == '\r' ? ' ' : *s;
        if (c != ' ' || last != ' ')
            text_append_char(&line, c);
        last = c;
    }
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.data[--line.len] = '\0';
    text_append_shown(out, text_str(&line), line.len, max);
}

bool wire_lost(Conn *conn, const char *why, Error *err)
{
    conn->lost = true;
    TEXT_AUTO(first); /* line; those that follow say what this may mean, or what failed because of it */
    text_append_n(&first, why ? why : "", why ? strcspn(why, "\n") : 0);
    TEXT_AUTO(reason);
    wire_one_line(&reason, text_str(&first), MESSAGE_MAX);
    error_set(err, ERROR_CONNECTION, "the connection to %s was lost%s%s", conn->place, reason.len ? ": " : "",
              text_str(&reason));
    return false;
}

static void set_detail(const PGresult *result, Error *err)
{
    TEXT_AUTO(detail);
    wire_one_line(&detail, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL), MESSAGE_MAX);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    /* Inside a function the statement alone does not tell the place. */
    if (context && (strstr(context, "PL/") || strstr(context, "SQL function"))) {
        text_append(&detail, detail.len ? " (" : "(");
        wire_one_line(&detail, context, MESSAGE_MAX / 4);
        text_append(&detail, ")");
    }
    if (detail.len)
        error_detail(err, "%s", text_str(&detail));
    TEXT_AUTO(hint);
    wire_one_line(&hint, PQresultErrorField(result, PG_DIAG_MESSAGE_HINT), MESSAGE_MAX);
    if (hint.len)
        error_hint(err, "%s", text_str(&hint));
}

/* What to do where the server does not say. */
static void hint_for_state(Error *err)
{
    static const struct {
        const char *state, *hint;
    } hints[] = {
        {"25006", "is this a standby, or is default_transaction_read_only set for the database or the role?"},
        {"3F000", "tables are made here, schemas are not: CREATE SCHEMA makes it"},
        {"42501", "docs/operations.md lists the privileges that the role needs"},
        {"53100", "the server's disk is full: make room there, and run again"},
    };
    for (size_t i = 0; err && !err->hint && i < sizeof hints / sizeof *hints; i++)
        if (str_eq(err->sqlstate, hints[i].state))
            error_hint(err, "%s", hints[i].hint);
}

static bool means_lost(const Conn *conn, const char *state)
{
    return PQstatus(conn->pg) == CONNECTION_BAD || str_starts(state, "57P01") || str_starts(state, "57P02") ||
           str_starts(state, "57P03") || str_starts(state, "08");
}

bool wire_failed(Conn *conn, const PGresult *result, Error *err)
{
    if (conn->cancelled)
        return wire_stopped(conn, err);
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (!primary)
        primary = result ? PQresultErrorMessage(result) : PQerrorMessage(conn->pg);
    if (conn->lost || means_lost(conn, state ? state : "")) {
        wire_lost(conn, primary, err);
    } else {
        TEXT_AUTO(message);
        wire_one_line(&message, primary, MESSAGE_MAX);
        error_set(err, ERROR_FAILED, "%s", message.len ? text_str(&message) : "the server gave no answer");
    }
    if (!result)
        return false;
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    conn->position = position ? str_number(position) : 0;
    if (err && state && strlen(state) == 5)
        memcpy(err->sqlstate, state, 6);
    set_detail(result, err);
    hint_for_state(err);
    return false;
}
