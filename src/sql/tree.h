/* Tree: parsed SQL as plain data, so that whoever reads it needs no parser library.
 *
 * Kinds and field names are those of PostgreSQL's raw parse tree as libpg_query writes them ("SelectStmt",
 * "targetList"); enums are their names ("SETOP_UNION"), single characters are strings ("p"). Fields that have
 * their zero value (0, false, NULL, an empty list) are absent. Everything lives in the arena given to sql_parse().
 * The depth of nodes is at most SQL_DEPTH_MAX, so recursion over a tree is bounded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum { SQL_DEPTH_MAX = 2000 }; /* nodes from the statement down */

typedef struct SqlToken { /* comments are none */
    size_t start;         /* byte offset */
    size_t end;
} SqlToken;

typedef struct SqlNode SqlNode;

typedef struct SqlList {
    const SqlNode *const *items; /* an item may be NULL: DISTINCT without ON is a list of one NULL */
    size_t count;
} SqlList;

typedef enum SqlType { SQL_NODE, SQL_LIST, SQL_STRING, SQL_INT, SQL_BOOL } SqlType;

typedef struct SqlField {
    const char *name;
    SqlType type;
    union {
        const SqlNode *node;
        SqlList list;
        const char *string;
        int64_t integer;
        bool boolean;
    };
} SqlField;

struct SqlNode {
    const char *kind;
    int location; /* byte offset in the text, or -1 where the parser keeps none */
    uint32_t field_count;
    const SqlField *fields; /* "location" is not among them */
};

/* All of these take a NULL node, and a field that is absent or of another type, as nothing: NULL, 0, false, an
 * empty list. */
bool sql_is(const SqlNode *node, const char *kind);
const SqlNode *sql_node_get(const SqlNode *node, const char *name);
SqlList sql_node_list(const SqlNode *node, const char *name);
const char *sql_node_string(const SqlNode *node, const char *name);
int64_t sql_node_int(const SqlNode *node, const char *name);
bool sql_node_bool(const SqlNode *node, const char *name);

/* The text of a String node, or NULL for any other: names in PostgreSQL's tree are lists of those. */
const char *sql_string_value(const SqlNode *node);
/* The last String of a list of names: "f" of pg_catalog.f; NULL where the last is none. */
const char *sql_last_name(SqlList names);

/* Builds the nodes of every statement from libpg_query's JSON of text. Used by parse.c alone.
 * False where nodes are nested deeper than SQL_DEPTH_MAX, or the JSON is not of the known form. */
typedef struct SqlRawStatement {
    const SqlNode *node;
    size_t location; /* where the text between the semicolons begins, white space and comments included */
    size_t length;   /* 0: to the end of the text */
} SqlRawStatement;

typedef struct SqlSource {
    const char *text;
    const SqlToken *tokens;
    size_t token_count;
} SqlSource;

bool sql_tree_build(Arena *arena, const char *json, const SqlSource *source, SqlRawStatement **ret_statements,
                    size_t *ret_count, Error *err);
size_t sql_source_token(const SqlSource *source, size_t offset); /* the first token at or after offset */
