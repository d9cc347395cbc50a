#include "base/process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"

void process_host(Text *out)
{
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    text_append(out, name[0] ? name : "unknown");
}

typedef enum Seen {
    SEEN_RUNNING,
    SEEN_ENDED, /* what is left of it until its parent asks how it ended */
    SEEN_NOT,   /* there is none, or it is hidden from us, or no file can be opened */
} Seen;

/* "boot/namespace", the part that all processes of one machine and container share. False where it is not known. */
static bool append_where(Text *out)
{
    char *boot CLEANUP(mem_free_p) = NULL;
    size_t len;
    if (file_read("/proc/sys/kernel/random/boot_id", 64, &boot, &len, NULL))
        text_append_n(out, boot, strcspn(boot, "\n"));
    bool known = out->len > 0;
    struct stat st;
    unsigned long long space = stat("/proc/self/ns/pid", &st) == 0 ? (unsigned long long)st.st_ino : 0;
    text_appendf(out, "/%llu", space);
    return known && space > 0;
}

/* Field 22 of /proc/PID/stat, counted from behind the command's closing parenthesis: see proc(5). */
static Seen append_start_time(Text *out, long pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    char *stat_line CLEANUP(mem_free_p) = NULL;
    size_t len;
    if (!file_read(path, 4096, &stat_line, &len, NULL))
        return SEEN_NOT;
    char *p = strrchr(stat_line, ')');
    if (p && (str_starts(p, ") Z") || str_starts(p, ") X")))
        return SEEN_ENDED;
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    if (!p)
        return SEEN_NOT;
    text_append_n(out, p, strcspn(p, " \n"));
    return SEEN_RUNNING;
}

void process_identity(Text *out)
{
    append_where(out);
    text_appendf(out, "/%ld/", (long)getpid());
    append_start_time(out, (long)getpid());
}

bool process_is_gone(const char *identity)
{
    TEXT_AUTO(here);
    if (!append_where(&here) || !str_starts(identity, text_str(&here)) || identity[here.len] != '/')
        return false;
    long pid = strtol(identity + here.len + 1, NULL, 10);
    const char *start = strrchr(identity, '/') + 1;
    if (pid <= 0 || pid > INT_MAX || !*start)
        return false;
    TEXT_AUTO(now);
    switch (append_start_time(&now, pid)) {
    case SEEN_RUNNING:
        return !str_eq(text_str(&now), start);
    case SEEN_ENDED:
        return true;
    case SEEN_NOT:
        break;
    }
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}
