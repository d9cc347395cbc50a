/* Load file: a CSV file into a table that no source of the project describes (`sluice load FILE TABLE`). The table is
 * made to hold what the file holds, and is from then on the project's own. */
#pragma once

#include "project/project.h"
#include "run/run.h"

typedef struct FileLoad {
    const char *path, *shown;
    const char *table;
    const char *command;   /* as recorded: "load FILE TABLE" */
    const Column *columns; /* as the file's header and values suggest */
    size_t column_count;
} FileLoad;

/* Where the table is there already, its columns' types take the place of those suggested. Otherwise as run_project()
 * of one node that is called like the table. */
bool run_load_file(const Project *project, const FileLoad *load, const RunListener *listener, bool wait,
                   RunSummary *ret, Error *err);
