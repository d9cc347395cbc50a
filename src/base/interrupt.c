#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int g_signal;
static int g_pipe[2] = {-1, -1};

static void on_signal(int signal_number)
{
    int saved = errno;
    if (atomic_exchange(&g_signal, signal_number) != 0)
        _exit(128 + signal_number);
    ssize_t ignored = write(g_pipe[1], "x", 1);
    (void)ignored;
    errno = saved;
}

void interrupt_setup(void)
{
    if (pipe(g_pipe) != 0)
        abort();
    for (int i = 0; i < 2; i++) {
        fcntl(g_pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(g_pipe[i], F_SETFL, O_NONBLOCK);
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
}

int interrupt_signal(void) { return atomic_load(&g_signal); }

int interrupt_fd(void) { return g_pipe[0]; }
