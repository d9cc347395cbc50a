/* The program: its set-up, and the way to the command. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/call.h"
#include "cli/manual.h"

static void setup_log(const Call *call)
{
    LogLevel most = call_has(call, "verbose") ? LOG_DEBUG : call_has(call, "quiet") ? LOG_WARN : LOG_INFO;
    const char *color = call_value(call, "color");
    LogColor when = str_eq(color, "always")  ? LOG_COLOR_ALWAYS
                    : str_eq(color, "never") ? LOG_COLOR_NEVER
                                             : LOG_COLOR_AUTO;
    log_setup(most, str_eq(call_value(call, "log-format"), "json"), when);
}

static int dispatch(Call *call)
{
    if (call_has(call, "help")) {
        if (call->command)
            manual_command(call->command, stdout);
        else
            manual_all(stdout);
        return 0;
    }
    if (call_has(call, "version"))
        return cmd_version(call);
    if (!call->command) {
        manual_usage(stderr);
        return 2;
    }
    return call->command->run(call);
}

/* A full disk behind a redirection must not look like success; a reader that has seen enough is no failure. */
static int finish(int status)
{
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost || errno == EPIPE)
        return status;
    ERROR_AUTO(err);
    error_set(&err, ERROR_FAILED, "cannot write to standard output: %s", strerror(errno));
    return status ? status : call_failed(&err);
}

/* Where the caller has closed one of the first three descriptors, the next file or socket that is opened would become
 * it, and what is written to standard error would go into the database's connection. Opened the wrong way round, as
 * gnulib's stdopen() does: reading standard input and writing to the others fails, as it does where they are closed. */
static bool keep_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        bool closed = fcntl(fd, F_GETFD) == -1 && errno == EBADF;
        if (closed && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!keep_standard_descriptors())
        return 2; /* nothing can be said */
    interrupt_setup();
    Call call;
    ERROR_AUTO(err);
    bool good = call_parse(argc, argv, &call, &err);
    setup_log(&call);
    int status = finish(good ? dispatch(&call) : call_failed(&err));
    call_clear(&call);
    return status;
}
