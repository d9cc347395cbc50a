/* Lineage graph: tables, or columns, and what comes from what, for people and for programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "project/index.h"

typedef struct Vertex {
    const char *table, *column; /* column NULL: the table itself, or its columns that are not known */
    const char *kind;           /* "source", "view" ...; "" for a table that the project does not make */
    const char *use;            /* not NULL: no column, but what the table's query does with one: "is read by" */
    size_t *inputs, *outputs;
    size_t input_count, output_count;
    bool chosen, shown;
} Vertex;

typedef struct LineageGraph {
    Arena *arena;
    bool columns; /* vertices are columns */
    Vertex **vertices;
    size_t count;
    Index index;
} LineageGraph;

void lineage_graph_init(LineageGraph *graph, bool columns, Arena *arena);
/* The vertex of that name, made where there is none. Strings are not copied. */
size_t lineage_graph_vertex(LineageGraph *graph, const char *table, const char *column, const char *kind);
/* The same for a use of columns that are not among the output's origins. */
size_t lineage_graph_use(LineageGraph *graph, const char *use, const char *table, const char *kind);
void lineage_graph_edge(LineageGraph *graph, size_t from, size_t to); /* a second one of the same is dropped */
/* Chooses a vertex and all it comes from and goes to. */
void lineage_graph_choose(LineageGraph *graph, size_t vertex);

/* A tree, indented by two blanks a level from `indent` on, of what a vertex comes from or goes to; what was shown
 * before in it is named and not gone into again. */
void lineage_graph_tree(LineageGraph *graph, size_t vertex, bool up, int indent, Text *out);
void lineage_graph_forget(LineageGraph *graph); /* what was shown */
void lineage_graph_name(const Vertex *vertex, bool with_kind, Text *out);
/* Of the chosen vertices. json is inside an object: adds the key edges. */
void lineage_graph_json(const LineageGraph *graph, Json *json);
void lineage_graph_dot(const LineageGraph *graph, Text *out);
