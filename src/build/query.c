#include "build/query.h"

#include <string.h>

#include "base/log.h"

void query_clear(Query *query) { text_clear(&query->text); }

static SqlBody body_of(const Node *node)
{
    return (SqlBody){.text = node->sql, .length = strlen(node->sql), .lines_before = node->sql_line - 1};
}

static bool reads_ephemeral(const Node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (node_is_ephemeral(node->inputs[i]))
            return true;
    return false;
}

/* The ephemeral models that a node reads, directly or through others, in the project's order: an array of *ret_count in
 * the arena. What a node reads comes before it, so one pass backwards finds them all. */
static const Node **ephemeral_inputs(const Project *project, const Node *of, Arena *arena, size_t *ret_count)
{
    *ret_count = 0;
    if (!reads_ephemeral(of)) /* most do not, and cost nothing however large the project */
        return NULL;
    bool *marked CLEANUP(mem_free_p) = mem_alloc(of->order + 1);
    for (size_t i = of->order + 1; i-- > 0;) {
        const Node *node = project->nodes[i];
        for (size_t j = 0; (node == of || marked[i]) && j < node->input_count; j++)
            marked[node->inputs[j]->order] = node_is_ephemeral(node->inputs[j]);
        *ret_count += marked[i];
    }
    const Node **found = arena_array(arena, *ret_count, sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < of->order; i++)
        if (marked[i])
            found[count++] = project->nodes[i];
    return found;
}

bool query_append(Conn *conn, const Project *project, const Node *node, Arena *arena, Query *query, Error *err)
{
    size_t count;
    const Node **inputs = ephemeral_inputs(project, node, arena, &count);
    SqlCte *ctes = arena_array(arena, count, sizeof(SqlCte));
    query->project = project;
    query->nodes = arena_array(arena, count + 1, sizeof *query->nodes);
    for (size_t i = 0; i < count; i++) {
        TEXT_AUTO(name);
        if (!conn_format(conn, &name, err, "%I", inputs[i]->table))
            return false;
        ctes[i] = (SqlCte){.name = arena_strdup(arena, text_str(&name)), .body = body_of(inputs[i])};
        query->nodes[i] = inputs[i];
    }
    query->nodes[count] = node;
    sql_with_ctes(arena, &query->text, ctes, count, body_of(node), &query->map);
    return true;
}

/* A relation that is not there: the nearest one of the project's, where the name was written. */
static void suggest_table(const Query *query, const Node *node, int line, int column, Error *err)
{
    const Project *project = query->project;
    const Reference *unknown = NULL;
    for (size_t i = 0; i < node->reference_count; i++)
        if (node->references[i].place.line == line && node->references[i].place.column == column)
            unknown = &node->references[i];
    if (!unknown || err->hint)
        return;
    const char **names CLEANUP(mem_free_p) = mem_alloc(project->node_count * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < project->node_count; i++)
        if (project->nodes[i] != node)
            names[count++] = project->nodes[i]->table;
    const char *near = nearest(unknown->name, names, count);
    if (unknown->node)
        error_hint(err, "sluice run %s makes it", unknown->node->name);
    else if (near)
        error_hint(err, "did you mean %s?", near);
}

static bool place_error(Conn *conn, const Query *query, Error *err)
{
    size_t part;
    int line, column;
    const Node *model = query->nodes[query->map.count - 1];
    if (err->code != ERROR_FAILED || err->file)
        return false;
    if (!sql_map_place(&query->map, conn_error_position(conn), &part, &line, &column))
        return error_place(err, model->place.file, model->sql_line, 0);
    node_place(query->nodes[part], &line, &column);
    if (str_eq(err->sqlstate, "42P01"))
        suggest_table(query, query->nodes[part], line, column, err);
    return error_place(err, query->nodes[part]->place.file, line, column);
}

bool query_run(Conn *conn, const Query *query, int64_t *ret_rows, Error *err)
{
    log_progress("computing rows");
    return conn_exec_counted(conn, text_str(&query->text), ret_rows, err) || place_error(conn, query, err);
}

bool query_rows(Conn *conn, const Query *query, Rows **ret_rows, Error *err)
{
    return conn_query(conn, text_str(&query->text), 0, NULL, ret_rows, err) || place_error(conn, query, err);
}

const char *query_definition(const Project *project, const Node *node, Arena *arena)
{
    size_t count;
    const Node **inputs = ephemeral_inputs(project, node, arena, &count);
    TEXT_AUTO(text);
    text_append(&text, node->sql_hash);
    for (size_t i = 0; i < count; i++)
        text_appendf(&text, "+%s", inputs[i]->sql_hash);
    return arena_strdup(arena, text_str(&text));
}

const char *query_sql(const Project *project, const Node *node, Arena *arena)
{
    size_t count;
    const Node **inputs = ephemeral_inputs(project, node, arena, &count);
    if (count == 0)
        return node->sql;
    TEXT_AUTO(text);
    text_append(&text, node->sql);
    for (size_t i = 0; i < count; i++)
        text_appendf(&text, "\n\n-- %s, ephemeral:\n%s", inputs[i]->name, inputs[i]->sql);
    return arena_strdup(arena, text_str(&text));
}
