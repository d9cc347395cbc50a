/* Trace: the columns of a project's tables, and which come from which, from the files alone. */
#pragma once

#include "project/project.h"
#include "sql/lineage.h"

typedef struct TraceColumn {
    const char *name;
    SqlOrigins from; /* columns of the tables that the model reads */
} TraceColumn;

typedef struct TraceNode {
    const Node *node;
    TraceColumn *columns; /* of a source: as declared */
    size_t count;
    bool known;         /* the columns are all there are */
    SqlOrigins stars;   /* why not: tables of unknown columns that come out by a star */
    SqlOrigins filters; /* what decides which rows there are */
    SqlOrigins reads;   /* all that the model names, wherever */
} TraceNode;

typedef struct Trace {
    const Project *project;
    TraceNode *nodes; /* by the nodes' order */
} Trace;

/* All of it is in the arena. SQL that the parser does not know has no columns that are known. */
void trace_make(const Project *project, Arena *arena, Trace *ret);
/* The node that an origin of a column of `of` is a column of; NULL for a table that the project does not make. */
const TraceNode *trace_table(const Trace *trace, const Node *of, const SqlOrigin *origin);
const TraceColumn *trace_column(const TraceNode *node, const char *name); /* or NULL */
