#include "project/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "project/vars.h"

/* --- targets ----------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_names(Reading *reading, const char *file, const Value *targets)
{
    Project *project = reading->project;
    if (targets->node)
        for (const YamlNode *t = targets->node->child; t; t = t->next) {
            if (!*t->key->text)
                reading_report(reading, place_of(file, t->key), NULL, "a target has no name");
            else
                strings_add(&project->arena, &project->targets, arena_strdup(&project->arena, t->key->text));
        }
    if (project->targets.count == 0)
        strings_add(&project->arena, &project->targets, "local");
    qsort(project->targets.items, project->targets.count, sizeof *project->targets.items, compare_names);
}

/* The chosen target's name, or NULL with the error reported. */
static const char *choose(Reading *reading, const char *wanted, const Values *values)
{
    Project *project = reading->project;
    const Value *said = &values->items[KEY_PROJECT_TARGET], *targets = &values->items[KEY_PROJECT_TARGETS];
    const char *from = "--target: ";
    Place place = {.file = project->file};
    if (!wanted) {
        wanted = environment_get(&reading->environment, "SLUICE_TARGET");
        from = "SLUICE_TARGET: ";
    }
    if (!wanted || !*wanted) {
        wanted = said->text;
        from = "";
        if (said->node)
            place = value_place(said);
    }
    if (!wanted && said->said)
        return NULL;
    if (!wanted && project->targets.count == 1)
        return project->targets.items[0];
    if (!wanted) {
        reading_report(reading, targets->key_place, "add target: NAME", "there are %zu targets, and none is chosen",
                       project->targets.count);
        return NULL;
    }
    if (strings_have(&project->targets, wanted))
        return arena_strdup(&project->arena, wanted);
    const char *hint = reading_nearest(reading, wanted, project->targets);
    if (!hint) {
        TEXT_AUTO(all);
        for (size_t i = 0; i < project->targets.count; i++)
            text_appendf(&all, "%s%s", i ? ", " : "", project->targets.items[i]);
        hint = arena_printf(&project->arena, "there are: %s", text_str(&all));
    }
    reading_report(reading, place, hint, "%sthere is no target '%s'", from, wanted);
    return NULL;
}

static void take_target(Reading *reading, const Values *values)
{
    Target *target = &reading->project->target;
    const Value *url = &values->items[KEY_TARGET_URL];
    if (values->items[KEY_TARGET_SCHEMA].text)
        target->schema = values->items[KEY_TARGET_SCHEMA].text;
    target->url = url->text;
    if (url->text && url->text[strspn(url->text, " \t\n")] == '\0')
        reading_report(reading, value_place(url), "leave the key out for the private PostgreSQL", "'url' is empty");
    if (url->text)
        log_secret_url(url->text);
}

/* Gives the chosen target's vars, which stand in the project's arena. */
static Value read_targets(Reading *reading, const char *wanted, const char *file, const Values *values)
{
    Value vars = {0};
    Project *project = reading->project;
    const Value *targets = &values->items[KEY_PROJECT_TARGETS];
    read_names(reading, file, targets);
    project->target = (Target){.name = choose(reading, wanted, values), .schema = "public"};
    for (const YamlNode *t = targets->node ? targets->node->child : NULL; t; t = t->next) {
        bool chosen = project->target.name && str_eq(t->key->text, project->target.name);
        Values read;
        values_read(reading, SCOPE_TARGET, chosen ? VALUES_FILLED : VALUES_RAW, file, t, &read);
        if (chosen) {
            take_target(reading, &read);
            vars = read.items[KEY_TARGET_VARS];
        }
    }
    if (!project->target.name)
        project->target.name = project->targets.items[0];
    return vars;
}

/* --- defaults ---------------------------------------------------------------------------------------------------- */

/* models/staging/ of `models/staging`, `./models/staging/`: NULL where it is not below models. */
static const char *folder_path(Arena *arena, const char *written)
{
    if (str_starts(written, "./"))
        written += 2;
    size_t length = strlen(written);
    while (length > 0 && written[length - 1] == '/')
        length--;
    const char *path = arena_printf(arena, "%.*s/", (int)length, written);
    return str_starts(path, "models/") && !strstr(path, "//") && !strstr(path, "/../") ? path : NULL;
}

static int compare_folders(const void *a, const void *b)
{
    const Folder *x = a, *y = b;
    size_t n = strlen(x->path), m = strlen(y->path);
    return n != m ? (n > m ? -1 : 1) : strcmp(x->path, y->path);
}

/* What stands under defaults: without a folder is for every model: those keys, as a mapping of their own. */
static YamlNode *keys_for_all(Arena *arena, const YamlNode *map)
{
    YamlNode *all = arena_alloc(arena, sizeof *all), **end = &all->child;
    *all = *map;
    all->child = NULL;
    all->count = 0;
    for (const YamlNode *child = map->child; child; child = child->next) {
        if (strchr(child->key->text, '/') || str_eq(child->key->text, "models"))
            continue;
        *end = arena_alloc(arena, sizeof **end);
        **end = *child;
        (*end)->next = NULL;
        end = &(*end)->next;
        all->count++;
    }
    return all;
}

static void read_folders(Reading *reading, const char *file, const YamlNode *map)
{
    Arena *arena = &reading->project->arena;
    if (!map || map->kind != YAML_MAP)
        return;
    reading->folders = arena_array(arena, map->count + 1, sizeof *reading->folders);
    Folder *all = &reading->folders[reading->folder_count++];
    *all = (Folder){.path = "", .place = place_of(file, map)};
    values_read(reading, SCOPE_MODEL, VALUES_FOLDER, file, keys_for_all(arena, map), &all->values);
    for (const YamlNode *child = map->child; child; child = child->next) {
        if (!strchr(child->key->text, '/') && !str_eq(child->key->text, "models"))
            continue;
        Place place = place_of(file, child->key);
        const char *path = folder_path(arena, child->key->text);
        if (!path) {
            reading_report(reading, place, "write a folder, such as models/staging/", "'%s' is no folder below models/",
                           child->key->text);
            continue;
        }
        Folder *folder = &reading->folders[reading->folder_count++];
        *folder = (Folder){.path = path, .place = place};
        values_read(reading, SCOPE_MODEL, VALUES_FOLDER, file, child, &folder->values);
    }
    qsort(reading->folders, reading->folder_count, sizeof *reading->folders, compare_folders);
}

void target_check_folders(Reading *reading)
{
    for (size_t i = 0; i < reading->folder_count; i++) {
        const Folder *folder = &reading->folders[i];
        if (!folder->used && *folder->path)
            reading_warn(reading, folder->place, NULL, "the defaults of %s hold for no model", folder->path);
    }
}

const Value *target_default(const Reading *reading, const char *path, SettingId id)
{
    for (size_t i = 0; i < reading->folder_count; i++) {
        Folder *folder = &reading->folders[i];
        if (!str_starts(path, folder->path))
            continue;
        folder->used = true;
        if (folder->values.items[id].node)
            return &folder->values.items[id];
    }
    return NULL;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static YamlNode *read_tree(Reading *reading)
{
    Project *project = reading->project;
    char *data CLEANUP(mem_free_p) = NULL;
    YamlSource source = {.file = project->file};
    YamlNode *root = NULL;
    ERROR_AUTO(err);
    const char *path = arena_printf(&project->arena, "%s/sluice.yaml", project->dir);
    bool read = file_read(path, YAML_BYTES_MAX, &data, &source.length, &err);
    source.text = data;
    if (!read)
        error_place(&err, project->file, 0, 0);
    /* The tree stays: folders keep pointers into it. */
    if (!read || !yaml_read(&project->arena, &source, &root, &err))
        errors_add(reading->errors, &err);
    return root;
}

void target_read(Reading *reading, const char *wanted)
{
    Project *project = reading->project;
    Arena *arena = &project->arena;
    environment_read(&reading->environment, arena_printf(arena, "%s.env", reading->prefix), reading->errors);
    YamlNode *root = read_tree(reading);
    Values *values = arena_alloc(arena, sizeof *values);
    values_read(reading, SCOPE_PROJECT, VALUES_FILLED, project->file, root, values);

    const char *slash = strrchr(project->dir, '/');
    project->name = slash && slash[1] ? slash + 1 : "project";
    const Value *name = &values->items[KEY_PROJECT_NAME], *zone = &values->items[KEY_PROJECT_TIMEZONE];
    if (name->text && !*name->text)
        reading_report(reading, value_place(name), NULL, "'name' is empty");
    else if (name->text)
        project->name = name->text;
    project->timezone = zone->zone ? zone->text : "UTC";
    project->zone = zone->zone ? zone->zone : reading_zone(reading, "UTC", (Place){.file = project->file});
    Value vars = read_targets(reading, wanted, project->file, values);
    vars_read(reading, &values->items[KEY_PROJECT_VARS], &vars);
    read_folders(reading, project->file, values->items[KEY_PROJECT_DEFAULTS].node);
}
