/* FrontMatter: the YAML in `--` comments at the top of a model's file.
 *
 *     -- ---
 *     -- description: ...
 *     -- ---
 *     select ...
 *
 * Every line begins with `-- `, or is `--` alone. Blank lines may stand before it, and nothing else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "project/yaml.h"

typedef struct FrontMatter {
    YamlSource yaml; /* text NULL: there is none */
    const char *sql; /* what follows: points into the file's text, at the start of a line */
    int sql_line;    /* of sql, from 1 */
} FrontMatter;

/* text is terminated, and outlives *ret; file is not copied. Front matter that does not end, a line in it that is no
 * comment, one that does not stand first, and one that is not in comments are ERROR_PROJECT with a place. */
bool front_matter_find(Arena *arena, const char *file, const char *text, FrontMatter *ret, Error *err);

/* Where there is none: the first of the comments before the SQL that reads like a line of it, `-- KEY: x` for a key of
 * models. NULL where there is none of those either; *ret_line is its line, from 1. */
const char *front_matter_lost_key(const char *text, int *ret_line);
