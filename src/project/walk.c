#include "project/walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

typedef struct Dir {
    const char *path; /* relative to the project */
    dev_t device;
    ino_t inode;
    size_t parent; /* index, or itself */
    int depth;
} Dir;

typedef struct Walk {
    Reading *reading;
    const char *ending;
    bool deep;
    Strings *files;
    Dir *dirs; /* found, in the order they are visited */
    size_t dir_count;
} Walk;

static Place place_at(const Walk *w, const char *path)
{
    return (Place){.file = arena_printf(&w->reading->project->arena, "%s%s", w->reading->prefix, path)};
}

static bool is_above(const Walk *w, size_t dir, const struct stat *st)
{
    for (;; dir = w->dirs[dir].parent) {
        if (w->dirs[dir].device == st->st_dev && w->dirs[dir].inode == st->st_ino)
            return true;
        if (w->dirs[dir].parent == dir)
            return false;
    }
}

static void add_dir(Walk *w, const char *path, size_t parent, const struct stat *st)
{
    int depth = w->dir_count ? w->dirs[parent].depth + 1 : 0;
    if (depth > WALK_DEPTH_MAX || w->dir_count >= WALK_FILES_MAX) {
        reading_report(w->reading, place_at(w, path), NULL,
                       depth > WALK_DEPTH_MAX ? "folders are nested deeper than %d" : "more than %d folders",
                       depth > WALK_DEPTH_MAX ? WALK_DEPTH_MAX : WALK_FILES_MAX);
        return;
    }
    w->dirs = mem_resize(w->dirs, w->dir_count + 1, sizeof *w->dirs);
    w->dirs[w->dir_count] = (Dir){path, st->st_dev, st->st_ino, w->dir_count ? parent : 0, depth};
    w->dir_count++;
}

/* In capitals or not. */
static bool looks_like(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);
    return length >= end && strcasecmp(path + length - end, ending) == 0;
}

/* Files that look as if they were meant to be read, and are not. */
static void check_passed_over(Walk *w, const char *path)
{
    bool sources = str_eq(w->ending, ".yaml");
    if (looks_like(path, ".yml") || looks_like(path, ".yaml")) {
        if (sources)
            reading_report(w->reading, place_at(w, path), "rename it to end in .yaml", "%s end in .yaml",
                           w->dirs[0].path);
        else
            reading_unread(w->reading, place_at(w, path), "what is said of a model stands in its own front matter",
                           "not read: models are .sql files");
    } else if (looks_like(path, ".sql")) {
        if (!sources)
            reading_report(w->reading, place_at(w, path), "rename it to end in .sql", "models end in .sql");
        else
            reading_unread(w->reading, place_at(w, path), "models stand below models/",
                           "not read: sources are .yaml files");
    }
}

static void add_entry(Walk *w, size_t dir, const char *name)
{
    Project *project = w->reading->project;
    const char *path = arena_printf(&project->arena, "%s/%s", w->dirs[dir].path, name);
    const char *full = arena_printf(&w->reading->scratch, "%s/%s", project->dir, path);
    struct stat st;
    if (stat(full, &st) != 0) {
        if (str_ends(name, w->ending))
            reading_report(w->reading, place_at(w, path), NULL, "cannot open: %s", strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        if (!w->deep)
            reading_unread(w->reading, place_at(w, path), NULL, "not read: folders below %s/", w->dirs[0].path);
        else if (!is_above(w, dir, &st))
            add_dir(w, path, dir, &st);
    } else if (!str_ends(name, w->ending)) {
        check_passed_over(w, path);
    } else if (w->files->count == WALK_FILES_MAX) {
        reading_report(w->reading, place_at(w, path), NULL, "more than %d files", WALK_FILES_MAX);
        w->files->count++;
    } else if (w->files->count < WALK_FILES_MAX) {
        strings_add(&project->arena, w->files, path);
    }
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static void read_dir(Walk *w, size_t number)
{
    const char *path = w->dirs[number].path;
    DIR *dir CLEANUP(close_dir) = opendir(arena_printf(&w->reading->scratch, "%s/%s", w->reading->project->dir, path));
    if (!dir) {
        reading_report(w->reading, place_at(w, path), NULL, "cannot open the folder: %s", strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) && w->files->count <= WALK_FILES_MAX;)
        if (entry->d_name[0] != '.')
            add_entry(w, number, entry->d_name);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void walk_files(Reading *reading, const char *folder, const char *ending, bool deep, Strings *ret)
{
    Walk w = {.reading = reading, .ending = ending, .deep = deep, .files = ret};
    struct stat st;
    *ret = (Strings){0};
    if (stat(arena_printf(&reading->scratch, "%s/%s", reading->project->dir, folder), &st) != 0)
        return;
    if (!S_ISDIR(st.st_mode)) {
        reading_report(reading, place_at(&w, folder), NULL, "a file, where a folder should be");
        return;
    }
    add_dir(&w, folder, 0, &st);
    for (size_t i = 0; i < w.dir_count; i++)
        read_dir(&w, i);
    free(w.dirs);
    if (ret->count > WALK_FILES_MAX)
        ret->count = WALK_FILES_MAX;
    if (ret->count)
        qsort(ret->items, ret->count, sizeof *ret->items, compare_paths);
    arena_clear(&reading->scratch);
}
