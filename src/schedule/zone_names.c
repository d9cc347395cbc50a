#include "schedule/zone_names.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"

/* Today's data has some 600 names, at most two slashes deep, and an index of 110 kB. */
enum { NAMES_MAX = 4000, DEPTH_MAX = 3, INDEX_MAX = 1 << 20 };

typedef struct Names {
    Arena arena;
    const char **items;
    size_t count;
} Names;

static void add(Names *names, const char *prefix, const char *name)
{
    if (names->count == NAMES_MAX)
        return;
    if (!names->items)
        names->items = arena_array(&names->arena, NAMES_MAX, sizeof *names->items);
    names->items[names->count++] = arena_printf(&names->arena, "%s%s", prefix, name);
}

/* Zones begin with a capital; posix/, right/, localtime, zone.tab and the like are not zones. */
static bool is_candidate(const char *name) { return name[0] >= 'A' && name[0] <= 'Z' && !strchr(name, '.'); }

/* NOLINTNEXTLINE(misc-no-recursion): bounded by DEPTH_MAX */
static void walk(Names *names, const char *dir, const char *prefix, int depth)
{
    DIR *stream = opendir(dir);
    if (!stream)
        return;
    const struct dirent *entry;
    while (names->count < NAMES_MAX && (entry = readdir(stream))) {
        if (!is_candidate(entry->d_name))
            continue;
        const char *path = arena_printf(&names->arena, "%s/%s", dir, entry->d_name);
        struct stat st;
        if (stat(path, &st) != 0)
            continue;
        if (S_ISREG(st.st_mode))
            add(names, prefix, entry->d_name);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            walk(names, path, arena_printf(&names->arena, "%s%s/", prefix, entry->d_name), depth + 1);
    }
    closedir(stream);
}

/* The zone that an old name stands for, by the links ("L target name") of zoneinfo's index; NULL where it is none.
 * Debian 13 keeps old names such as US/Eastern in a package of their own, but lists them. */
static const char *link_target(Names *names, const char *dir, const char *name)
{
    char *data CLEANUP(mem_free_p) = NULL;
    size_t len;
    if (!file_read(arena_printf(&names->arena, "%s/tzdata.zi", dir), INDEX_MAX, &data, &len, NULL))
        return NULL;
    char *rest = data, *line;
    while ((line = strsep(&rest, "\n"))) {
        if (!str_starts(line, "L "))
            continue;
        char *link = strchr(line + 2, ' ');
        if (link && strcasecmp(link + 1, name) == 0)
            return arena_strndup(&names->arena, line + 2, (size_t)(link - line - 2));
    }
    return NULL;
}

/* Case and a missing region are commoner slips than letters: europe/berlin, Berlin. */
static const char *likeliest(const Names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->items[i], name) == 0)
            return names->items[i];
    for (size_t i = 0; i < names->count; i++) {
        const char *slash = strrchr(names->items[i], '/');
        if (slash && strcasecmp(slash + 1, name) == 0)
            return names->items[i];
    }
    return nearest(name, names->items, names->count);
}

/* UTC+2 and GMT-5: the zones of that kind count the other way round. */
static bool hint_offset(const Names *names, const char *name, Error *err)
{
    if (strncasecmp(name, "UTC", 3) != 0 && strncasecmp(name, "GMT", 3) != 0)
        return false;
    if (name[3] != '+' && name[3] != '-')
        return false;
    char *end;
    long hours = strtol(name + 4, &end, 10);
    char zone[16];
    if (end == name + 4 || *end || hours < 1 || hours > 14)
        return false;
    snprintf(zone, sizeof zone, "Etc/GMT%c%ld", name[3] == '+' ? '-' : '+', hours);
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(names->items[i], zone)) {
            error_hint(err,
                       "%ld hours %s of UTC is %s (the sign is so by POSIX); a zone such as Europe/Berlin also "
                       "knows summer time",
                       hours, name[3] == '+' ? "east" : "west", zone);
            return true;
        }
    return false;
}

bool zone_names_unknown(const char *dir, const char *name, Error *err)
{
    Names names = {0};
    arena_init(&names.arena);
    error_set(err, ERROR_PROJECT, "unknown time zone \"%s\"", name);
    walk(&names, dir, "", 1);
    bool empty = names.count == 0;
    add(&names, "", "UTC"); /* known without a file too */
    const char *target = link_target(&names, dir, name);
    const char *guess = likeliest(&names, name);
    if (empty)
        error_hint(err, "there is no time zone data in %s: install the package tzdata, or use UTC", dir);
    else if (hint_offset(&names, name, err))
        ;
    else if (guess && strcasecmp(guess, name) == 0)
        error_hint(err, "did you mean %s?", guess);
    else if (target)
        error_hint(err, "it is an old name of %s; use that, or install the package tzdata-legacy", target);
    else if (guess)
        error_hint(err, "did you mean %s?", guess);
    else
        error_hint(err, "use a name such as Europe/Berlin or America/New_York; %s has them all", dir);
    arena_clear(&names.arena);
    return false;
}
