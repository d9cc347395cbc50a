/* Opening a connection: what the caller and libpq's own sources say, attempts, and errors one can act on. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "pg/hosts.h"
#include "pg/wire.h"

enum {
    CONNECT_TIMEOUT = 10,   /* seconds, where nothing says otherwise */
    PARAMETERS_MAX = 16,    /* given to libpq, with the end mark */
    PROJECT_BYTES = 36,     /* of application_name: 63, less "sluice/" and "/" with a number of 19 digits */
    MESSAGE_BYTES = 600,    /* of libpq's text */
    BACKOFF_FIRST = 50000,  /* microseconds before the second attempt, doubled each time */
    BACKOFF_LAST = 2000000, /* up to this */
    STATE_TEXT = 5,         /* length of an SQLSTATE */
};

/* One attempt that failed. */
typedef struct Attempt {
    Text message; /* libpq's text in one line */
    char sqlstate[STATE_TEXT + 1];
    bool timed_out;
    bool password_used;
} Attempt;

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *option = options; option && option->keyword; option++)
        if (str_eq(option->keyword, keyword) && option->val && *option->val)
            return option->val;
    return NULL;
}

static void register_secrets(const PQconninfoOption *options)
{
    log_secret(option_value(options, "password"));
    log_secret(option_value(options, "sslpassword"));
}

static const char percent_encode[] = "percent-encode / # ? @ in the password: %2F %23 %3F %40";

/* libpq's own message would quote parts of the text, and any part may be the password. *ret_misleading: what libpq
 * takes for host, port or database may be one too. */
static bool parse_url(const char *url, bool *ret_password, bool *ret_misleading, Error *err)
{
    *ret_misleading = !log_secret_url(url);
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &message);
    PQfreemem(message);
    if (!options) {
        error_set(err, ERROR_PROJECT, "the database url cannot be read");
        if (*ret_misleading)
            return error_hint(err, "%s", percent_encode);
        return error_hint(err, "write postgresql://user@host:5432/database or host=... dbname=... user=...; "
                               "in a URL, characters of a password such as @ : / %% are written %%40 %%3A %%2F %%25");
    }
    register_secrets(options);
    *ret_password = option_value(options, "password") != NULL;
    PQconninfoFree(options);
    return true;
}

void conn_session_name(const char *project, int64_t run_id, Text *out)
{
    text_append(out, "sluice/");
    for (size_t i = 0; project[i] && i < PROJECT_BYTES; i++)
        text_append_char(out, project[i] >= ' ' && project[i] <= '~' ? project[i] : '?');
    if (run_id > 0)
        text_appendf(out, "/%" PRId64, run_id);
}

static PGconn *start_attempt(const ConnOptions *options, const Hosts *hosts)
{
    TEXT_AUTO(name);
    conn_session_name(options->project ? options->project : "-", 0, &name);
    const char *keywords[PARAMETERS_MAX];
    const char *values[PARAMETERS_MAX];
    int n = 0;
#define PARAMETER(keyword, value) (keywords[n] = (keyword), values[n++] = (value))
    /* Those before dbname give way to what the url says; those after it do not. */
    PARAMETER("keepalives_idle", "30");
    PARAMETER("keepalives_interval", "10");
    PARAMETER("keepalives_count", "3");
    PARAMETER("tcp_user_timeout", "60000");
    if (options->url && *options->url)
        PARAMETER("dbname", options->url);
    if (hosts->some) {
        PARAMETER("host", text_str(&hosts->host));
        PARAMETER("hostaddr", text_str(&hosts->hostaddr));
        PARAMETER("port", text_str(&hosts->port));
    }
    PARAMETER("application_name", text_str(&name));
    PARAMETER("client_encoding", "UTF8");
#undef PARAMETER
    keywords[n] = NULL;
    values[n] = NULL;
    return PQconnectStartParams(keywords, values, 1);
}

static void drop_notice(void *arg, const char *message)
{
    Conn *conn = arg;
    conn->notices++;
    if (!log_wants(LOG_DEBUG))
        return;
    TEXT_AUTO(line);
    wire_one_line(&line, message, MESSAGE_BYTES);
    log_debug("%s", text_str(&line));
}

/* "loans on db:5432", or "loans on /run/postgresql" for a socket. */
static void set_place(Conn *conn)
{
    const char *db = PQdb(conn->pg);
    const char *host = PQhost(conn->pg);
    const char *port = PQport(conn->pg);
    TEXT_AUTO(place);
    text_append(&place, db && *db ? db : "the database");
    if (host && *host)
        text_appendf(&place, " on %s", host);
    if (host && *host && *host != '/' && port && *port)
        text_appendf(&place, ":%s", port);
    free(conn->place);
    conn->place = NULL;
    TEXT_AUTO(line);
    wire_one_line(&line, conn->misleading ? "the database" : text_str(&place), MESSAGE_BYTES);
    conn->place = text_steal(&line);
}

static int attempt_seconds(PGconn *pg, const ConnOptions *options)
{
    PQconninfoOption *all = PQconninfo(pg);
    register_secrets(all);
    const char *given = option_value(all, "connect_timeout");
    int seconds = given ? str_number(given) : 0;
    PQconninfoFree(all);
    if (seconds == 0)
        seconds = options->connect_timeout > 0 ? options->connect_timeout : CONNECT_TIMEOUT;
    return seconds;
}

/* Verbose text, because libpq tells the SQLSTATE of a refused connection in no other way, and the server's words
 * may be in any language. */
static WireWait poll_attempt(PGconn *pg, int64_t deadline)
{
    PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED && PQstatus(pg) != CONNECTION_BAD) {
        WireWait wait = wire_wait(PQsocket(pg), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, false, deadline);
        if (wait != WIRE_READY)
            return wait;
        state = PQconnectPoll(pg);
    }
    PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
    return WIRE_READY;
}

static bool is_state(const char *s)
{
    for (int i = 0; i < STATE_TEXT; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z')))
            return false;
    return s[STATE_TEXT] == ':' && s[STATE_TEXT + 1] == ' ';
}

/* `FATAL:  28P01: password ...` becomes `password ...`; the last state that is named is kept. */
static void append_line(Attempt *attempt, const char *line)
{
    static const char prefix[] = "connection to server ";
    const char *failed = str_starts(line, prefix) ? strstr(line, " failed: ") : NULL;
    if (failed)
        line = failed + strlen(" failed: ");
    for (const char *p = strstr(line, ":  "); p; p = strstr(p + 1, ":  ")) {
        if (is_state(p + 3)) {
            memcpy(attempt->sqlstate, p + 3, STATE_TEXT);
            line = p + 3 + STATE_TEXT + 2;
            break;
        }
    }
    while (*line == ' ' || *line == '\t')
        line++;
    /* Where a name has several addresses, each says the same. */
    if (!*line || strstr(text_str(&attempt->message), line))
        return;
    if (attempt->message.len)
        text_append(&attempt->message, "; ");
    text_append(&attempt->message, line);
}

static void read_failure(PGconn *pg, Attempt *attempt)
{
    attempt->password_used = PQconnectionUsedPassword(pg) || (PQpass(pg) && *PQpass(pg));
    char *copy CLEANUP(mem_free_p) = mem_strdup(PQerrorMessage(pg));
    char *rest = copy;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (!str_starts(line, "LOCATION: "))
            append_line(attempt, line);
    TEXT_AUTO(one);
    wire_one_line(&one, text_str(&attempt->message), MESSAGE_BYTES);
    text_clear(&attempt->message);
    text_append(&attempt->message, text_str(&one));
}

/* True: connected. False with err set: not to be tried again. False without: attempt tells why. */
static bool try_hosts(Conn *conn, const ConnOptions *options, const Hosts *hosts, Attempt *attempt, Error *err)
{
    PQfinish(conn->pg);
    conn->pg = start_attempt(options, hosts);
    if (!conn->pg)
        abort();
    PQsetNoticeProcessor(conn->pg, drop_notice, conn); /* the server may warn of settings before it lets us in */
    int seconds = attempt_seconds(conn->pg, options);
    log_secret(PQpass(conn->pg)); /* which may come from a password file */
    set_place(conn);
    WireWait wait = poll_attempt(conn->pg, clock_monotonic() + seconds * INT64_C(1000000));
    set_place(conn); /* of several hosts, the one that it came to */
    attempt->timed_out = false;
    if (wait == WIRE_INTERRUPTED)
        return wire_interrupted(err);
    if (wait == WIRE_READY && PQstatus(conn->pg) == CONNECTION_OK)
        return true;
    attempt->timed_out = wait == WIRE_TIMEOUT;
    text_reset(&attempt->message);
    *attempt->sqlstate = '\0';
    if (attempt->timed_out)
        text_appendf(&attempt->message, "no answer within %d s", seconds);
    else
        read_failure(conn->pg, attempt);
    return false;
}

/* All hosts of the url: one that is silent shall not keep us from those after it. */
static bool try_once(Conn *conn, const ConnOptions *options, Attempt *attempt, Error *err)
{
    Hosts hosts = {0};
    bool connected = try_hosts(conn, options, &hosts, attempt, err);
    while (!connected && attempt->timed_out && hosts_drop(&hosts, conn->pg))
        connected = try_hosts(conn, options, &hosts, attempt, err);
    hosts_clear(&hosts);
    return connected;
}

static bool says(const Attempt *attempt, const char *s) { return strstr(text_str(&attempt->message), s) != NULL; }

static bool says_errno(const Attempt *attempt, int number) { return says(attempt, strerror(number)); }

static bool is_tls(const Attempt *attempt)
{
    return says(attempt, "certificate") || says(attempt, "support SSL") || says(attempt, "SSL error") ||
           says(attempt, "sslmode");
}

/* Whether waiting can mend it: a server that starts up, restarts, fails over, or is full for the moment. */
static bool is_passing(const Attempt *attempt)
{
    static const char *const words[] = {
        "Temporary failure in name resolution",
        "session is read-only",
        "session is not read-only",
        "hot standby mode",
        "server closed the connection unexpectedly",
        "SSL connection has been closed unexpectedly",
        "SSL SYSCALL error",
    };
    static const int numbers[] = {ECONNREFUSED, ENOENT,   ECONNRESET, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN,
                                  ENETUNREACH,  ENETDOWN, EAGAIN,     EPIPE,     ECONNABORTED};
    if (attempt->timed_out)
        return true;
    const char *state = attempt->sqlstate;
    if (*state)
        return str_starts(state, "57P0") || str_starts(state, "08") || str_eq(state, "53300");
    if (is_tls(attempt) || says(attempt, "could not open certificate"))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (says(attempt, words[i]))
            return true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (says_errno(attempt, numbers[i]))
            return true;
    return false;
}

static bool hint_password(const Attempt *attempt, bool in_url, Error *err)
{
    const char *environment = getenv("PGPASSWORD");
    bool none = says(attempt, "no password supplied"); /* libpq counts one that was asked for as used */
    if (in_url)
        return error_hint(err, "the password came from the url");
    if (environment && *environment)
        return error_hint(err, "the password came from PGPASSWORD");
    if (attempt->password_used && !none)
        return error_hint(err, "the password came from the password file or the service file");
    return error_hint(err, "no password was found: the url, PGPASSWORD, the service file and the password file "
                           "(~/.pgpass, readable by its owner alone) were looked at");
}

/* What is told of it: of a url that misleads libpq, its words before it came to a server may name a part of the
 * password that is too short to be known for one. */
static const char *shown_message(const Conn *conn, const Attempt *attempt)
{
    if (conn->misleading && !*attempt->sqlstate && !attempt->timed_out)
        return "its url is not clear";
    return attempt->message.len ? text_str(&attempt->message) : "libpq does not say why";
}

static bool hint_for(const Conn *conn, const Attempt *attempt, bool in_url, Error *err)
{
    const char *state = attempt->sqlstate;
    if (conn->misleading)
        return error_hint(err, "%s", percent_encode);
    if (str_eq(state, "28P01") || says(attempt, "no password supplied"))
        return hint_password(attempt, in_url, err);
    if (str_starts(state, "28"))
        return error_hint(err, "the server does not let this user in from here: see the role and pg_hba.conf");
    if (str_eq(state, "3D000"))
        return error_hint(err, "create it with: createdb %s", PQdb(conn->pg));
    if (str_eq(state, "53300"))
        return error_hint(err, "the server has no connection left: see max_connections, and who is connected");
    if (str_starts(state, "57P0"))
        return error_hint(err, "the server is starting up or shutting down; try again in a moment");
    if (*state)
        return false;
    if (attempt->timed_out)
        return error_hint(err, "is the address right, and does a firewall stand between?");
    if (is_tls(attempt))
        return error_hint(err, "see sslmode and sslrootcert of the url, and the server's certificate");
    if (says_errno(attempt, ECONNREFUSED) || says_errno(attempt, ENOENT))
        return error_hint(err, "is the server running, and does it listen there?");
    if (says(attempt, "could not translate host name"))
        return error_hint(err, "is the name of the host right?");
    return false;
}

static bool fail_attempt(const Conn *conn, const Attempt *attempt, bool in_url, Error *err)
{
    error_set(err, ERROR_CONNECTION, "cannot connect to %s: %s", conn->place, shown_message(conn, attempt));
    if (err && *attempt->sqlstate)
        memcpy(err->sqlstate, attempt->sqlstate, STATE_TEXT + 1);
    hint_for(conn, attempt, in_url, err);
    return false;
}

/* Half of the pause is random, so that many clients do not come back all at once. */
static bool pause_before(int number, int64_t deadline, Error *err)
{
    int64_t pause = number < 6 ? (int64_t)BACKOFF_FIRST << number : BACKOFF_LAST;
    if (pause > BACKOFF_LAST)
        pause = BACKOFF_LAST;
    unsigned random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (unsigned)clock_monotonic();
    pause = pause / 2 + (int64_t)random % (pause / 2);
    int64_t until = clock_monotonic() + pause;
    if (wire_wait(-1, 0, false, until < deadline ? until : deadline) == WIRE_INTERRUPTED)
        return wire_interrupted(err);
    return true;
}

static bool connect_with_retry(Conn *conn, const ConnOptions *options, bool in_url, Error *err)
{
    Attempt attempt = {0};
    int64_t deadline = clock_monotonic() + (int64_t)options->retry_for * 1000000;
    bool connected = false;
    bool stopped = false;
    for (int number = 0; !connected && !stopped; number++) {
        ERROR_AUTO(last);
        connected = try_once(conn, options, &attempt, &last);
        stopped = last.code != ERROR_NONE;
        if (stopped) {
            error_move(err, &last);
        } else if (!connected && (!is_passing(&attempt) || clock_monotonic() >= deadline)) {
            fail_attempt(conn, &attempt, in_url, err);
            stopped = true;
        } else if (!connected) {
            if (number == 0)
                log_warn("cannot connect to %s yet: %s", conn->place, shown_message(conn, &attempt));
            stopped = !pause_before(number, deadline, err);
        }
    }
    text_clear(&attempt.message);
    return connected;
}

bool conn_open(const ConnOptions *options, Conn **ret_conn, Error *err)
{
    bool in_url = false, misleading = false;
    if (options->url && *options->url && !parse_url(options->url, &in_url, &misleading, err))
        return false;
    log_secret(getenv("PGPASSWORD"));
    if (interrupt_signal())
        return wire_interrupted(err);
    CONN_AUTO(conn);
    conn = mem_alloc(sizeof *conn);
    conn->misleading = misleading;
    if (!connect_with_retry(conn, options, in_url, err))
        return false;
    if (PQsetnonblocking(conn->pg, 1) != 0)
        return wire_lost(conn, PQerrorMessage(conn->pg), err);
    *ret_conn = conn;
    conn = NULL;
    return true;
}
