/* Project: everything a project's files say, read and checked in one pass, without a database.
 *
 * All memory belongs to the project's arena, but for zones (zone_close) which project_clear() closes too.
 * Reading never stops at the first error: every error of every file goes to an Errors list. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "schedule/cron.h"
#include "schedule/zone.h"

/* Where something was said. */
typedef struct Place {
    const char *file; /* relative to the working directory where that is shorter, as the user would type it */
    int line;         /* from 1 */
    int column;       /* from 1, in characters */
} Place;

typedef struct Strings {
    const char **items;
    size_t count;
} Strings;

/* A place of SQL where the value of a var was filled in. In bytes. */
typedef struct Filling {
    size_t written, written_length; /* of :name, in the text as it is written */
    size_t at, length;              /* of the value, in the SQL */
} Filling;

/* SQL whose vars were filled in, and what it was made from. */
typedef struct Written {
    const char *text; /* as it stands in the file */
    const char *sql;  /* as it is parsed, hashed and sent */
    const Filling *fillings;
    size_t count;
} Written;

typedef struct Node Node;

/* One occurrence of a table's name in SQL. */
typedef struct Reference {
    const char *schema; /* NULL: unqualified */
    const char *name;
    Place place;
    Node *node; /* the node it means, or NULL: a table that the project does not know */
} Reference;

typedef enum CheckKind {
    CHECK_NOT_NULL, /* one Check per declared list; each of columns must not be null */
    CHECK_UNIQUE,   /* columns together; rows with a null among them are left out, as a unique index does */
    CHECK_ACCEPTED_VALUES,
    CHECK_RELATIONSHIPS,
    CHECK_EXPRESSION,
    CHECK_ROW_COUNT,
    CHECK_FRESHNESS,
    CHECK_SQL,
} CheckKind;

typedef struct Check {
    CheckKind kind;
    const char *name; /* given, or derived and unique within its node: not_null_a_b, row_count ... */
    bool warn;        /* severity: warn */
    Place place;
    Strings columns;            /* not_null, unique; exactly one for accepted_values and relationships */
    Strings values;             /* accepted_values, as text */
    const char *to, *field;     /* relationships: a node's name, or a table as SQL would name it */
    const struct Node *to_node; /* the node that `to` names, or NULL */
    Place to_place, field_place;
    const char *expression;          /* its vars filled in */
    int64_t min, max;                /* row_count; INT64_MIN and INT64_MAX where not given */
    int64_t warn_after, error_after; /* freshness: microseconds, 0: not given; the column is in columns */
    const char *sql;                 /* sql: the query, without a closing semicolon; its vars filled in */
    const char *sql_file;            /* as the user would type it */
    const Written *written;          /* of sql; NULL: it stands in its file as it is */
    Reference *references;           /* of sql, in the order of sql_refs() without those that are `system` */
    size_t reference_count;
} Check;

typedef struct Column {
    const char *name;
    const char *type;        /* SQL type as written */
    const char *header;      /* exact text or pattern, or NULL */
    Strings nulls;           /* texts that stand for null, besides the empty unquoted field */
    const char *format;      /* or NULL */
    const char *description; /* or NULL */
    Place place;
} Column;

typedef enum NodeKind { NODE_SOURCE, NODE_MODEL } NodeKind;
typedef enum Materialized {
    MATERIALIZED_TABLE,
    MATERIALIZED_VIEW,
    MATERIALIZED_HISTORY,
    MATERIALIZED_EPHEMERAL,
    MATERIALIZED_INCREMENTAL
} Materialized;
typedef enum LoadMode { LOAD_UPSERT, LOAD_REPLACE, LOAD_APPEND } LoadMode;
typedef enum SchemaChange { SCHEMA_FAIL, SCHEMA_IGNORE, SCHEMA_APPEND_NEW, SCHEMA_SYNC_ALL } SchemaChange;
/* How changes to a table that others write are found out. */
typedef enum ChangesKind { CHANGES_UNKNOWN, CHANGES_TRIGGER, CHANGES_COLUMN } ChangesKind;

/* `10%` or `100`: a share of the rows there were, or a number of rows. */
typedef struct Amount {
    bool is_share;
    int64_t value; /* percent, or rows */
} Amount;

typedef struct Grant {
    const char *privilege; /* select, insert, update, delete, references, trigger; lower case */
    Strings roles;
    Place place;
} Grant;

typedef struct ColumnNote { /* one of a model's columns: */
    const char *name;
    const char *description; /* or NULL */
    Place place;
} ColumnNote;

/* A source or a model. */
struct Node {
    NodeKind kind;
    const char *name;   /* of the file, without its ending; unique in the project */
    const char *schema; /* of its relation */
    const char *table;  /* name of its relation */
    Place place;        /* of the file */
    const char *path;   /* of the file relative to the project, such as models/a/b.sql, for path: */
    const char *description, *owner;
    Strings tags;
    Check *checks;
    size_t check_count;
    Strings unique_key;
    const char *schedule; /* as written, or NULL */
    Place schedule_place;
    Cron cron;        /* meaningful where schedule is not NULL */
    const Zone *zone; /* of the schedule; never NULL */

    Node **inputs; /* nodes it reads, each once, by name (relationships are not inputs) */
    size_t input_count;
    size_t order;            /* position in topological order; ties by name */
    const char *time_column; /* as declared, or NULL */
    int64_t timeout;         /* microseconds; 0: none */
    int retries;             /* of a step that failed for a passing reason; default 3 */
    Strings *indexes;        /* each a list of columns */
    size_t index_count;
    Grant *grants;
    size_t grant_count;
    Amount max_shrink; /* default 50 %: how many rows a publish may take from the table; 100 %: all */
    Amount min_rows;   /* of a delivery; default 50 % of the last accepted one */
    int rollback;      /* how many publishes can be taken back; default 0 */
    SchemaChange on_schema_change;

    /* sources */
    const char *csv;       /* path that open() takes, or NULL: others write this table */
    const char *csv_shown; /* the path as the user would type it */
    char delimiter;        /* 0: found out from the header */
    Column *columns;
    size_t column_count;
    LoadMode mode; /* default: upsert where there is a unique_key, else replace */
    ChangesKind changes;
    const char *changes_column;
    Place changes_place;

    /* models; SQL that the parser does not know, taken on trust of depends_on, has no references and no output */
    Materialized materialized;
    const char *sql;        /* the statement: without front matter, without a closing semicolon */
    const Written *written; /* of sql; NULL: it stands in the file as it is. See node_place() */
    int sql_line;           /* line of the file on which sql begins, from 1 (its column is 1) */
    const char *sql_hash;   /* of its tokens: comments and white space do not count; 32 hex digits */
    int64_t keep;           /* history: microseconds */
    int64_t lookback;       /* incremental: microseconds */
    bool no_full_refresh;   /* full_refresh: false */
    ColumnNote *column_notes;
    size_t column_note_count;
    Strings functions; /* names that the SQL calls, each once */
    Reference *references;
    size_t reference_count;
    Reference *depends_on; /* as declared: name is a node's */
    size_t depends_on_count;
    Strings output; /* column names that can be told from the text; count 0 where they cannot (select *) */
};

typedef struct Target {
    const char *name;
    const char *url;    /* NULL: the private PostgreSQL */
    const char *schema; /* default: public */
} Target;

typedef struct Project {
    Arena arena;
    const char *dir;  /* absolute */
    const char *file; /* of sluice.yaml, as the user would type it */
    const char *name;
    const char *timezone;
    const Zone *zone;
    Target target;   /* the chosen one */
    Strings targets; /* names of all, sorted */
    Node **nodes;    /* in topological order */
    size_t node_count;
    Errors warnings; /* what is allowed, and worth a word: each as a place, a message and perhaps a hint */
    Errors unread;   /* the same, of what stands in the project's files and is not read */
    Zone **zones;    /* every zone that was opened, closed by project_clear() */
    size_t zone_count;
} Project;

typedef struct ProjectOptions {
    const char *dir;    /* --project, or NULL: the nearest sluice.yaml at or above the working directory */
    const char *target; /* --target, or NULL: SLUICE_TARGET, then `target:` */
    bool columns;       /* hold the columns that models name against those of what they read */
} ProjectOptions;

/* The nearest folder at or above one (an absolute path) that holds sluice.yaml; NULL where there is none. */
const char *project_dir_above(Arena *arena, const char *below);

/* Reads the whole project: sluice.yaml, .env beside it, sources/NAME.yaml, and models/NAME.sql at any depth. False
 * where any error was added to errors; *ret_project then still holds what could be read, and must be cleared as well.
 */
bool project_read(const ProjectOptions *options, Project *ret_project, Errors *errors);
void project_clear(Project *project);
/* The names alone of sources and models, from their files' names, and of targets: fast, and whatever is wrong with what
 * the files say. Nothing outside of a project. The project holds no more than this, and must be cleared. */
void project_names(const ProjectOptions *options, Project *ret_project, Strings *ret_nodes);

Node *project_find(const Project *project, const char *name); /* by node name; NULL where there is none */
/* Error for a name that is no node: with the nearest one as hint. Returns false. */
bool project_unknown(const Project *project, const char *name, Error *err);

/* Where a line and column that were counted in the SQL (lines with those of the file before it) stand in the file: the
 * same, but where vars were filled in. Within a value: where its name stands. */
void node_place(const Node *node, int *line, int *column);
void written_place(const Written *written, int lines_before, int *line, int *column); /* written NULL: as it is */

bool node_is_ephemeral(const Node *node);
bool node_is_query(const Node *node);    /* reads as its query: a view or an ephemeral model */
bool node_is_external(const Node *node); /* a source whose table others write */
bool node_has_checks(const Node *node);  /* its unique_key is one too */
/* What its relation is: "table", "view", "history"; "table" for sources. */
const char *node_relation_kind(const Node *node);
const char *node_kind_name(const Node *node);  /* "source", "model" */
const char *materialized_name(Materialized m); /* as written in front matter */
