/* Yaml: the part of YAML that a project's files are written in, as a tree that knows where everything stands.
 *
 * Mappings, lists, and plain, quoted and block scalars, in block or flow form; comments. Everything else is an error
 * that says what to write instead: anchors, aliases, tags, merge keys, directives, several documents, keys that
 * are no plain text, keys given twice, zero bytes and bytes that are no UTF-8.
 *
 * Read off libyaml's events, with a stack of fixed size: nothing here recurses. The only file that knows libyaml. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

enum {
    YAML_BYTES_MAX = 1024 * 1024, /* of a file */
    YAML_DEPTH_MAX = 32,          /* mappings and lists within each other */
    YAML_NODES_MAX = 100000,      /* of a file */
};

typedef enum YamlKind { YAML_TEXT, YAML_LIST, YAML_MAP } YamlKind;
typedef enum YamlStyle { YAML_PLAIN, YAML_QUOTED, YAML_BLOCK } YamlStyle;

typedef struct YamlNode YamlNode;
struct YamlNode {
    YamlKind kind;
    YamlStyle style;     /* of a text */
    int line, column;    /* where it begins (a quoted text: at its quote), from 1, in characters */
    bool verbatim;       /* a text that stands in the file as it is: on one line, without escapes */
    const char *text;    /* of a text, without zero bytes; NULL for others */
    const YamlNode *key; /* of a mapping's child */
    YamlNode *child;     /* the first of a mapping's or list's */
    YamlNode *next;      /* the next of the same mapping or list */
    size_t count;        /* children */
};

/* What to read, and where it stands in its file. */
typedef struct YamlSource {
    const char *file; /* for errors; not copied */
    const char *text; /* need not be terminated */
    size_t length;
    int lines_before;   /* lines of the file before text */
    int columns_before; /* characters cut off the front of every line: 3 for the `-- ` of front matter */
} YamlSource;

/* The document's root, in the arena; NULL in *ret where there is nothing but comments. Stops at the first error, which
 * is ERROR_PROJECT with a place and, wherever there is one, a hint that can be pasted. */
bool yaml_read(Arena *arena, const YamlSource *source, YamlNode **ret, Error *err);

bool yaml_is_null(const YamlNode *node);          /* a plain ``, `~` or `null` */
const char *yaml_kind_name(const YamlNode *node); /* "text", "a list", "a mapping", "nothing" */

/* Where a character of a text's value stands (counted from 0); where its lines or escapes make that impossible to
 * tell, where the text begins. */
void yaml_place_in(const YamlNode *node, int character, int *ret_line, int *ret_column);
