/* Walk: the files of a project's folder. */
#pragma once

#include "project/reading.h"

enum {
    WALK_DEPTH_MAX = 16,
    WALK_FILES_MAX = 20000,
};

/* Adds the paths of all files below a folder of the project that end as given, relative to the project, in byte order.
 * Names that begin with a dot are passed over. Links are followed; a folder that holds itself through a link is
 * entered once. With `deep` false, folders inside the folder are passed over with a warning. A folder that does
 * not exist holds nothing. */
void walk_files(Reading *reading, const char *folder, const char *ending, bool deep, Strings *ret);
