/* The program: its set-up, and the way to the command. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
    interrupt_setup();
    Call call;
    ERROR_AUTO(err);
    bool good = call_parse(argc, argv, &call, &err);
    setup_log(&call);
    int status = finish(good ? dispatch(&call) : call_failed(&err));
    call_clear(&call);
    return status;
}
