/* Reading: what the readers of a project's files share while they read it. Private to this room. */
#pragma once

#include "project/environment.h"
#include "project/index.h"
#include "project/project.h"
#include "project/yaml.h"

typedef struct Folder Folder;             /* target.h */
typedef struct NamedColumns NamedColumns; /* named.c */

typedef struct Reading {
    Project *project; /* its arena holds everything that stays */
    Errors *errors;
    Environment environment;
    Index zones; /* name to Zone */
    Index nodes; /* name to Node: sources and models read so far */
    Index vars;  /* name to value */
    Strings var_names;
    Folder *folders; /* of defaults:, the longest first */
    size_t folder_count;
    NamedColumns *named; /* room for every model; NULL: not asked for */
    size_t named_count;
    const char *prefix; /* what stands before a project's own paths in messages: "" or "../" ... */
    Arena scratch;      /* trees of the file being read; cleared after it */
} Reading;

Place place_of(const char *file, const YamlNode *node);
/* Of a character of a text's value, from 0, where that can be told. */
Place place_in(const char *file, const YamlNode *node, int character);

/* Adds an error, or a warning, at a place. hint may be NULL. */
void reading_report(Reading *reading, Place place, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void reading_warn(Reading *reading, Place place, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same of what is not read. */
void reading_unread(Reading *reading, Place place, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A hint in the project's arena, "did you mean 'x'?"; NULL where no candidate is near. */
const char *reading_nearest(Reading *reading, const char *word, Strings candidates);

/* The zone of that name, opened once per project. NULL, with the error reported at place, where it cannot be. */
const Zone *reading_zone(Reading *reading, const char *name, Place place);

/* A list that grows, in the project's arena. */
void strings_add(Arena *arena, Strings *strings, const char *item);
bool strings_have(const Strings *strings, const char *item);
