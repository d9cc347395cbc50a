/* Environment: what fills `${...}` in the values of a project's files.
 *
 *     ${NAME}            a variable of the process, else of the .env file beside sluice.yaml
 *     ${NAME:-default}   the same; the default where it is unset or empty. It ends at the first `}`
 *     ${file:PATH}       the content of a file (relative to the project), without the line end at its end
 *     $${                stands for ${
 *
 * Nothing that was filled in is looked at again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "project/index.h"

enum {
    ENVIRONMENT_FILE_MAX = 64 * 1024,  /* bytes of a file for ${file:} */
    ENVIRONMENT_TEXT_MAX = 256 * 1024, /* bytes of a value once filled in */
};

typedef struct Environment {
    Arena *arena;
    const char *dir; /* of the project */
    Index variables; /* of .env: name to value */
} Environment;

/* Reads DIR/.env if there is one: lines of NAME=VALUE, `export ` before it allowed, # comments, values bare (up to
 * ` #`), in single quotes (as they are) or in double quotes (\n \t \" \\ \$). The last of two equal names wins. Every
 * line that is none of these is an error, and named shown:line:column. */
void environment_read(Environment *environment, const char *shown, Errors *errors);

/* What a variable holds: the process's wins over .env. NULL where it is unset. */
const char *environment_get(const Environment *environment, const char *name);

/* Text with everything filled in, in the arena; text itself where there is nothing to fill in. key is named in errors,
 * which are ERROR_PROJECT with only a column: the character of text, from 1.
 * What comes from a file, or from a variable that is named like a secret (PASSWORD, SECRET, TOKEN; within a url also
 * KEY, URL), is given to log_secret(); any variable to log_secret_url(). */
bool environment_expand(const Environment *environment, const char *key, const char *text, bool url, const char **ret,
                        Error *err);
