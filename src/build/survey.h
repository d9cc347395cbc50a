/* Survey: what the server and the ledger know of a project's nodes and of what they read, asked in a few statements
 * however many nodes there are, and within the caller's transaction, so that all of it is of one snapshot.
 *
 * From it follow a step's key (what its rows were computed by), what has changed since, and the facts for sql/reach. */
#pragma once

#include "base/arena.h"
#include "project/project.h"
#include "record/ledger.h"
#include "sql/catalog.h"
#include "sql/ranges.h"

typedef struct SurveyRelation {
    SqlRelationFacts facts; /* a SQL_RELATION_QUERY has its tree only where decide() put it there */
    const Node *node;       /* or NULL: a table that the project does not know */
    LedgerRelation known;   /* of whichever project */
    char relkind;           /* 0: not there */
    const char *print;      /* hash of what its rows are read by: kind, OID, columns, what dates a row */
    const char *oid;        /* NULL: not there */
    const char *beneath;    /* of a view: the OIDs of what it reads, each between blanks; NULL: none */
    /* A view of the project that stays with tables which other ones were put in the place of, under their names: it has
     * to be made again, and nothing is known of its changes until then. */
    bool stale;
} SurveyRelation;

/* A table whose rows a node's query reads, directly or through nodes that stand for their query. */
typedef struct SurveyInput {
    SurveyRelation *relation;
    Touched changed; /* since the snapshot by which the node's rows were computed */
    bool hidden;     /* by depends_on alone: the SQL does not show it */
} SurveyInput;

typedef struct SurveyNode {
    const Node *node;
    SurveyRelation *relation; /* its own */
    SurveyRelation **reads;   /* one per reference of the node, in order; never NULL */
    SurveyInput *inputs;      /* each once */
    size_t input_count;
    const char *part; /* hashes of its SQL, of what that reads, and of the functions it calls, parted by colons */
    const char *key;  /* what its rows are computed by: the analysis' version, part, and a hash of settings */
    bool trusted;     /* the ledger knows a snapshot by which its rows were computed, and by the same key */
} SurveyNode;

typedef struct Survey {
    const Project *project;
    Arena *arena;
    const char *system;   /* the server's system identifier */
    const char *snapshot; /* the transaction's */
    const char *settings; /* whatever results depend on besides tables and functions */
    SurveyNode **nodes;   /* by order; NULL: not asked about. Not in the arena: it is as long as the project */
    SqlFunctionFacts *functions;
    const char **function_prints; /* of user functions: hash of their definitions; else NULL */
    size_t function_count;
    const char **user_operators, **user_types;
    size_t user_operator_count, user_type_count;
    const char *user_cast;
} Survey;

void survey_clear(Survey *survey);

/* Asks about the chosen nodes (by order), and about what they read, directly and through nodes that stand for their
 * query. ledger: there is one. *ret is to be cleared in any case.
 *
 * earlier (or NULL): taken before in this run, of these nodes among others. What it knows of the server, of functions,
 * operators and types is not asked again, since each step would look through catalogs that are as long as the project.
 * One that is redefined while the run goes on gives a key that does not fit it, and so the next run computes all. */
bool survey_take(Conn *conn, const Project *project, const bool *chosen, bool ledger, const Survey *earlier,
                 Arena *arena, Survey *ret, Error *err);

/* Whether the relation of a model is up to date as it stands: made by the same definition, and nothing that it reads
 * was touched. Never so for history. */
bool survey_clean(const Survey *survey, const Node *node);
