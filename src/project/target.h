/* Target: sluice.yaml: the project's own keys, the database to work on, and the defaults of folders. */
#pragma once

#include "project/reading.h"
#include "project/values.h"

/* A folder's defaults for the models below it. */
struct Folder {
    const char *path; /* models/staging/, with one slash at its end; empty: every model */
    Place place;
    Values values;
    bool used; /* holds a model */
};

/* Reads sluice.yaml into the project: name, zone, target, targets, and reading->folders. wanted is --target or NULL. */
void target_read(Reading *reading, const char *wanted);

/* Warns of folders that hold no model, once all models were read. */
void target_check_folders(Reading *reading);

/* The default for a model's key: of the longest folder above path that gives one, or NULL. */
const Value *target_default(const Reading *reading, const char *path, SettingId id);
