#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"

static bool fail(Error *err, const char *path, const char *what)
{
    return error_at(err, ERROR_PROJECT, path, 0, 0, "%s: %s", what, strerror(errno));
}

static bool read_all(int fd, const char *path, size_t max, Text *out, Error *err)
{
    char buffer[16 * 1024];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, path, "cannot read");
        if (n == 0)
            return true;
        if (out->len + (size_t)n > max)
            return error_at(err, ERROR_PROJECT, path, 0, 0, "the file is larger than %zu bytes", max);
        text_append_n(out, buffer, (size_t)n);
    }
}

static bool not_a_file(const char *path, const struct stat *st, Error *err)
{
    return error_at(err, ERROR_PROJECT, path, 0, 0, "%s, not a file",
                    S_ISDIR(st->st_mode) ? "a directory" : "a device");
}

bool file_check(const char *path, uint64_t *ret_size, Error *err)
{
    struct stat st;
    if (stat(path, &st) != 0 || access(path, R_OK) != 0)
        return fail(err, path, "cannot open");
    *ret_size = (uint64_t)st.st_size;
    return S_ISREG(st.st_mode) || not_a_file(path, &st, err);
}

bool file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, Error *err)
{
    int fd CLEANUP(fd_close_p) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail(err, path, "cannot open");
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail(err, path, "cannot read");
    if (!S_ISREG(st.st_mode))
        return not_a_file(path, &st, err);
    TEXT_AUTO(text);
    if (!read_all(fd, path, max, &text, err))
        return false;
    *ret_len = text.len;
    *ret_data = text_steal(&text);
    return true;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd) == 0;
}

bool file_write(const char *path, const char *data, size_t len, unsigned mode, Error *err)
{
    TEXT_AUTO(temporary);
    text_appendf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    int fd CLEANUP(fd_close_p) =
        open(text_str(&temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return fail(err, path, "cannot write");
    if (write_all(fd, data, len) && rename(text_str(&temporary), path) == 0)
        return true;
    fail(err, path, "cannot write");
    unlink(text_str(&temporary));
    return false;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool dir_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
