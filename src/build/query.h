/* Query: a model's text inside the statement that makes its rows or its view. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "pg/conn.h"
#include "project/project.h"
#include "sql/shadow.h"

typedef struct Query {
    Text text;          /* may begin with what stands before it: `create table x as ` */
    const Node **nodes; /* of the map's parts: the ephemeral models, then the model itself */
    SqlMap map;
    const Project *project;
} Query;

void query_clear(Query *query);
#define QUERY_AUTO(name) __attribute__((cleanup(query_clear))) Query name = {0}

/* Appends `with eph as (...) select * from (model) q`, with every ephemeral model that the node reads, directly or
 * through others. What the map needs is in the arena. */
bool query_append(Conn *conn, const Project *project, const Node *node, Arena *arena, Query *query, Error *err);
/* Runs the statement. An error of the server's stands at its place in the model's file. */
bool query_run(Conn *conn, const Query *query, int64_t *ret_rows, Error *err);
/* The same, and what it returns, held whole; the caller owns *ret_rows. */
bool query_rows(Conn *conn, const Query *query, Rows **ret_rows, Error *err);
/* Hash of the model's tokens and of those of the ephemeral models inside it; in the arena. */
const char *query_definition(const Project *project, const Node *node, Arena *arena);
/* The model's text and, after it, that of each of those ephemeral models, for people; in the arena. */
const char *query_sql(const Project *project, const Node *node, Arena *arena);
