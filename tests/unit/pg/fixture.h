/* Fixture: a private PostgreSQL in a directory of its own under /tmp, for the tests of this room. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "pg/rows.h"
#include "pg/server.h"

static int fixture_remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void fixture_remove(const char *path) { nftw(path, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

/* An empty project that any user can pass through; the caller frees the path. */
static inline char *fixture_project(void)
{
    char *dir = mem_strdup("/tmp/sluice-test-XXXXXX");
    if (!mkdtemp(dir) || chmod(dir, 0755) != 0)
        abort();
    return dir;
}

static inline void fixture_discard(char *project)
{
    bool was;
    server_stop(project, &was, NULL);
    fixture_remove(project);
    free(project);
}

static inline void fixture_show(const Error *err)
{
    if (err->code != ERROR_NONE)
        log_failure(err);
}

/* Fails the test, saying why, unless ok. */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        bool ok_ = (call);                                                                                             \
        if (!ok_)                                                                                                      \
            fixture_show(&err);                                                                                        \
        assert_true(ok_);                                                                                              \
    } while (0)

#define assert_says(text, part)                                                                                        \
    do {                                                                                                               \
        const char *text_ = (text);                                                                                    \
        if (!text_ || !strstr(text_, (part)))                                                                          \
            fail_msg("\"%s\" does not say \"%s\"", text_ ? text_ : "(null)", (part));                                  \
    } while (0)

/* A server for the tests of one program: for group set-up and tear-down. */
static inline int fixture_start(const char *dbname, char **ret_project, Text *ret_url)
{
    ERROR_AUTO(err);
    bool started;
    *ret_project = fixture_project();
    bool ok = server_start(*ret_project, dbname, &started, ret_url, &err);
    fixture_show(&err);
    return ok ? 0 : -1;
}

static inline int fixture_stop(char *project, Text *url)
{
    fixture_discard(project);
    text_clear(url);
    return 0;
}
