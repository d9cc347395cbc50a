#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/call.h"
#include "cli/shell.h"
#include "cli/starter.h"

enum { FILES_MAX = 8, MADE_MAX = 64, COPY_MAX = 10 << 20, IGNORE_MAX = 1 << 20 };

static const char example_csv[] = "Ordered at,Customer,Amount,Paid\n"
                                  "2026-01-01 09:12:00,anna,19.90,true\n"
                                  "2026-01-01 17:40:31,bo,5.00,true\n"
                                  "2026-01-02 08:05:12,anna,42.50,false\n"
                                  "2026-01-03 11:30:00,cem,7.25,true\n"
                                  "2026-01-03 12:00:47,bo,12.00,true\n"
                                  "2026-01-03 22:59:59,dana,99.00,false\n";
static const char ignore_lines[] = ".env\n.sluice/\n";

typedef struct NewFile {
    const char *path; /* below the project's folder */
    const char *data;
    size_t len;
} NewFile;

typedef struct Init {
    Arena *arena;
    const char *dir;    /* as given */
    bool adds;          /* to a project that is there */
    bool left_in_place; /* the CSV file, for its size */
    Starter starter;
    NewFile files[FILES_MAX];
    size_t file_count;
    const char *made[MADE_MAX]; /* files and folders, in the order they were made, to be taken back */
    size_t made_count;
} Init;

static void add_file(Init *init, const char *path, const char *data, size_t len)
{
    init->files[init->file_count++] = (NewFile){path, data, len};
}

static const char *path_in(const Init *init, const char *path)
{
    return str_eq(init->dir, ".") ? path : arena_printf(init->arena, "%s/%s", init->dir, path);
}

static bool stands(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* --- what to write ---------------------------------------------------------------------------------------------- */

/* Where a CSV file is that stays where it is: relative to the project when it lies inside, else absolute. */
static const char *stay_path(const Init *init, const char *file)
{
    char *real CLEANUP(mem_free_p) = realpath(file, NULL);
    char *dir CLEANUP(mem_free_p) = realpath(init->dir, NULL);
    if (real && dir && str_starts(real, dir) && real[strlen(dir)] == '/')
        return arena_strdup(init->arena, real + strlen(dir) + 1);
    return arena_strdup(init->arena, real);
}

static bool take_csv(Init *init, const char *file, Error *err)
{
    uint64_t size;
    if (!file_check(file, &size, err))
        return false;
    init->starter.table = starter_name(init->arena, file, "data");
    if (!starter_columns(&init->starter, file, file, err))
        return false;
    const char *stays = stay_path(init, file);
    if (!stays)
        return error_at(err, ERROR_PROJECT, file, 0, 0, "cannot tell where it is: %s", strerror(errno));
    init->starter.csv = stays;
    if (*stays != '/') /* it lies in the project already */
        return true;
    if (size > COPY_MAX) {
        init->left_in_place = true;
        return true;
    }
    char *data;
    size_t len;
    if (!file_read(file, COPY_MAX, &data, &len, err))
        return false;
    char *kept = arena_alloc(init->arena, len + 1);
    memcpy(kept, data, len);
    free(data);
    init->starter.csv = arena_printf(init->arena, "data/%s.csv", init->starter.table);
    add_file(init, init->starter.csv, kept, len);
    return true;
}

static bool take_example(Init *init, Error *err)
{
    static const char *const headers[] = {"Ordered at", "Customer", "Amount", "Paid"};
    static const char *const types[] = {"timestamp", "text", "numeric(10,2)", "boolean"};
    enum { COUNT = sizeof types / sizeof *types };
    init->starter.table = "orders";
    init->starter.csv = "data/orders.csv";
    if (!starter_names(&init->starter, headers, COUNT, init->starter.csv, err))
        return false;
    for (size_t i = 0; i < COUNT; i++)
        init->starter.columns[i].type = types[i];
    add_file(init, init->starter.csv, example_csv, strlen(example_csv));
    return true;
}

static void add_made(Init *init, const char *path, void (*write)(const Starter *, Text *))
{
    TEXT_AUTO(text);
    write(&init->starter, &text);
    add_file(init, path, arena_strndup(init->arena, text_str(&text), text.len), text.len);
}

static void plan_files(Init *init)
{
    const Starter *starter = &init->starter;
    if (!init->adds)
        add_made(init, "sluice.yaml", starter_project_file);
    add_made(init, arena_printf(init->arena, "sources/%s.yaml", starter->table), starter_source_file);
    add_made(init, arena_printf(init->arena, "models/%s.sql", starter_model_name(starter)), starter_model_file);
    add_made(init, arena_printf(init->arena, "tests/%s.yaml", starter_model_name(starter)), starter_test_file);
    if (!init->adds && !stands(path_in(init, ".gitignore")))
        add_file(init, ".gitignore", ignore_lines, strlen(ignore_lines));
}

/* A .gitignore that is there is the user's; what is missing in it is said. */
static void look_at_ignore(const Init *init)
{
    ERROR_AUTO(err);
    char *data CLEANUP(mem_free_p) = NULL;
    size_t len;
    if (!file_read(path_in(init, ".gitignore"), IGNORE_MAX, &data, &len, &err))
        return;
    if (!strstr(data, ".env") || !strstr(data, ".sluice"))
        log_warn("%s is there already: add the lines .env and .sluice/ to it", path_in(init, ".gitignore"));
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static bool nothing_in_the_way(const Init *init, Error *err)
{
    TEXT_AUTO(list);
    size_t count = 0;
    for (size_t i = 0; i < init->file_count; i++)
        if (stands(path_in(init, init->files[i].path)))
            text_appendf(&list, "%s%s", count++ ? ", " : "", path_in(init, init->files[i].path));
    if (count == 0)
        return true;
    call_error(err, "nothing was written, since %s there already: %s", count == 1 ? "a file is" : "files are",
               text_str(&list));
    if (init->adds)
        return error_hint(err, "source and model are named after the CSV file: give it another name, or remove these");
    return error_hint(err, "choose another folder: sluice init DIR");
}

static void take_back(Init *init)
{
    while (init->made_count > 0) {
        const char *path = init->made[--init->made_count];
        if (unlink(path) != 0)
            rmdir(path);
    }
}

/* Makes the folders above a path, and remembers those it made. */
static bool make_folders(Init *init, const char *path, Error *err)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_strndup(init->arena, path, (size_t)(slash - path));
        if (mkdir(folder, 0777) == 0) {
            if (init->made_count < MADE_MAX - FILES_MAX) /* the files themselves always find room */
                init->made[init->made_count++] = folder;
        } else if (errno != EEXIST || !dir_exists(folder)) {
            return error_at(err, ERROR_PROJECT, folder, 0, 0, "cannot make the folder: %s",
                            errno == EEXIST ? "a file is in the way" : strerror(errno));
        }
    }
    return true;
}

static bool write_file(Init *init, const NewFile *file, Error *err)
{
    const char *path = path_in(init, file->path);
    if (!make_folders(init, path, err))
        return false;
    /* O_EXCL: whatever came to stand there since it was looked at stays as it is. */
    int fd CLEANUP(fd_close_p) = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_at(err, ERROR_PROJECT, path, 0, 0, "cannot write: %s", strerror(errno));
    init->made[init->made_count++] = path;
    for (size_t done = 0; done < file->len;) {
        ssize_t n = write(fd, file->data + done, file->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_at(err, ERROR_PROJECT, path, 0, 0, "cannot write: %s", strerror(errno));
        done += (size_t)n;
    }
    return true;
}

static bool write_files(Init *init, Error *err)
{
    if (!nothing_in_the_way(init, err))
        return false;
    for (size_t i = 0; i < init->file_count; i++)
        if (!write_file(init, &init->files[i], err)) {
            take_back(init);
            return false;
        }
    return true;
}

/* The project's name: its folder's. */
static const char *name_of_folder(const Init *init)
{
    char *real CLEANUP(mem_free_p) = realpath(init->dir, NULL);
    return starter_name(init->arena, real ? real : init->dir, "project");
}

static bool init_project(Init *init, const char *from, Error *err)
{
    init->starter.arena = init->arena;
    init->starter.project = name_of_folder(init);
    init->adds = from && stands(path_in(init, "sluice.yaml"));
    if (!(from ? take_csv(init, from, err) : take_example(init, err)))
        return false;
    plan_files(init);
    return write_files(init, err);
}

static void tell(const Init *init, const char *from)
{
    if (!init->adds)
        look_at_ignore(init);
    for (size_t i = 0; i < init->file_count; i++)
        printf("%s\n", path_in(init, init->files[i].path));
    fflush(stdout);
    if (init->left_in_place)
        log_info("%s is larger than %d MiB and was not copied: the source names it where it is", from, COPY_MAX >> 20);
    TEXT_AUTO(dir);
    shell_word(init->dir, &dir);
    if (str_eq(init->dir, "."))
        log_info("next: sluice run");
    else
        log_info("next: sluice --project %s run", text_str(&dir));
}

int cmd_init(Call *call)
{
    ERROR_AUTO(err);
    Init init = {.arena = &call->arena, .dir = "."};
    if (call->argument_count > 0) {
        size_t len = strlen(call->arguments[0]);
        while (len > 1 && call->arguments[0][len - 1] == '/')
            len--;
        init.dir = arena_strndup(&call->arena, call->arguments[0], len);
        if (len == 0) {
            call_error(&err, "'init' needs a folder, not an empty text");
            return call_failed(&err);
        }
    }
    if (!init_project(&init, call_value(call, "from"), &err))
        return call_failed(&err);
    tell(&init, call_value(call, "from"));
    return 0;
}
