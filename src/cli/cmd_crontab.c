#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/crontab.h"
#include "cli/session.h"

enum { CRONTAB_MAX = 4 << 20 };

/* Runs crontab(1) with one argument. child_fd (stdin or stdout of the child) is one end of a pipe whose other end is
 * *ret_fd. Its standard error goes to complaints, or to ours where that is -1. */
static bool crontab_start(const char *argument, int child_fd, int complaints, pid_t *ret_pid, int *ret_fd, Error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, ERROR_FAILED, "cannot make a pipe: %s", strerror(errno));
    int theirs = child_fd == STDIN_FILENO ? 0 : 1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[theirs], child_fd);
    if (complaints >= 0)
        posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
    char program[] = "crontab";
    char *given = mem_strdup(argument);
    char *argv[] = {program, given, NULL};
    int failure = posix_spawnp(ret_pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    free(given);
    close(ends[theirs]);
    *ret_fd = ends[1 - theirs];
    if (failure == 0)
        return true;
    close(*ret_fd);
    if (failure != ENOENT)
        return error_set(err, ERROR_FAILED, "cannot run crontab(1): %s", strerror(failure));
    error_set(err, ERROR_PROJECT, "there is no crontab(1) on this machine");
    return error_hint(err, "install the package cron, or run the line that 'sluice crontab' prints by other means");
}

static bool crontab_wait(pid_t pid, int *ret_status, Error *err)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(err, ERROR_FAILED, "cannot wait for crontab(1): %s", strerror(errno));
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return true;
}

/* `crontab -l` was not well: a user without one gets "no crontab for ..." and status 1. */
static bool crontab_none(int status, int complaints, Text *ret, Error *err)
{
    char said[1024] = "";
    ssize_t n = pread(complaints, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    text_reset(ret);
    if (strstr(said, "no crontab for "))
        return true;
    error_set(err, ERROR_FAILED, "'crontab -l' failed with status %d", status);
    return *said ? error_detail(err, "%.*s", (int)strcspn(said, "\n"), said) : false;
}

static bool crontab_read(Text *ret, Error *err)
{
    pid_t pid = -1;
    int fd CLEANUP(fd_close_p) = -1;
    int complaints CLEANUP(fd_close_p) = memfd_create("crontab", MFD_CLOEXEC);
    if (complaints < 0)
        return error_set(err, ERROR_FAILED, "cannot make a temporary file: %s", strerror(errno));
    if (!crontab_start("-l", STDOUT_FILENO, complaints, &pid, &fd, err))
        return false;
    char buffer[4096];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || ret->len > CRONTAB_MAX)
            break;
        text_append_n(ret, buffer, (size_t)n);
    }
    close(fd);
    fd = -1;
    int status = -1;
    if (!crontab_wait(pid, &status, err))
        return false;
    if (ret->len > CRONTAB_MAX || strlen(text_str(ret)) != ret->len)
        return error_set(err, ERROR_FAILED, "the crontab is larger than %d bytes, or no text", CRONTAB_MAX);
    return status == 0 || crontab_none(status, complaints, ret, err);
}

static bool crontab_write(const Text *text, Error *err)
{
    pid_t pid = -1;
    int fd CLEANUP(fd_close_p) = -1;
    if (!crontab_start("-", STDIN_FILENO, -1, &pid, &fd, err))
        return false;
    size_t sent = 0;
    while (sent < text->len) {
        ssize_t n = write(fd, text_str(text) + sent, text->len - sent);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    close(fd);
    fd = -1;
    int status = -1;
    if (!crontab_wait(pid, &status, err))
        return false;
    if (status == 0 && sent == text->len)
        return true;
    return error_set(err, ERROR_FAILED, "'crontab -' failed with status %d", status);
}

/* Where this program is, for a line that must work without PATH. */
static bool own_path(Text *out, Error *err)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0 || (size_t)n == sizeof path)
        return error_set(err, ERROR_FAILED, "cannot tell where this program is: %s", strerror(errno));
    text_append_n(out, path, (size_t)n);
    return true;
}

static bool install(const char *dir, const char *line, Error *err)
{
    TEXT_AUTO(old);
    TEXT_AUTO(new);
    bool changed;
    if (!crontab_read(&old, err))
        return false;
    crontab_edit(text_str(&old), dir, line, &new, &changed);
    if (!changed) {
        puts("the crontab has this line already:");
    } else {
        if (!crontab_write(&new, err))
            return false;
        puts("put into the crontab:");
    }
    puts(line);
    return true;
}

static bool remove_lines(const char *dir, Error *err)
{
    TEXT_AUTO(old);
    TEXT_AUTO(new);
    bool changed;
    if (!crontab_read(&old, err))
        return false;
    crontab_edit(text_str(&old), dir, NULL, &new, &changed);
    if (changed && !crontab_write(&new, err))
        return false;
    puts(changed ? "took this project's lines out of the crontab" : "the crontab has no line of this project");
    return true;
}

static bool act(Call *call, const Project *project, Error *err)
{
    TEXT_AUTO(program);
    TEXT_AUTO(line);
    if (call_has(call, "remove"))
        return call_has(call, "install") ? call_error(err, "'crontab' takes --install or --remove, not both")
                                         : remove_lines(project->dir, err);
    if (!own_path(&program, err) ||
        !crontab_line(text_str(&program), project->dir, call_value(call, "target"), &line, err))
        return false;
    if (call_has(call, "install"))
        return install(project->dir, text_str(&line), err);
    puts(text_str(&line));
    return true;
}

int cmd_crontab(Call *call)
{
    /* To take lines out, a project need not be right. */
    return session_act(call, call_has(call, "remove") ? SESSION_FRAME : SESSION_WHOLE, act);
}
