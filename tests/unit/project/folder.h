/* Folder: a temporary folder that tests write projects into, and work in. */
#pragma once

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

typedef struct TestFolder {
    char path[64];
    char before[4096]; /* the working directory */
} TestFolder;

static int folder_remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

/* Makes it and goes there. */
static inline void folder_enter(TestFolder *folder)
{
    strcpy(folder->path, "/tmp/sluice-project-XXXXXX");
    assert_non_null(getcwd(folder->before, sizeof folder->before));
    assert_non_null(mkdtemp(folder->path));
    assert_int_equal(chdir(folder->path), 0);
}

static inline void folder_leave(TestFolder *folder)
{
    assert_int_equal(chdir(folder->before), 0);
    nftw(folder->path, folder_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file, with the folders it stands in. */
static inline void folder_write_n(const char *path, const char *data, size_t length)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        char *dir CLEANUP(mem_free_p) = strndup(path, (size_t)(slash - path));
        assert_true(mkdir(dir, 0700) == 0 || dir_exists(dir));
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void folder_write(const char *path, const char *text) { folder_write_n(path, text, strlen(text)); }
