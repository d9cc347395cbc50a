/* Select: which nodes a command is about, in dbt's graph syntax.
 *
 * `name`, `+name` (with all it needs), `name+` (with all that needs it), `2+name`, `name+1`, `@name`, `tag:x`,
 * `source:x`, `path:models/x`, `*` in a name; several arguments or a space: union; a comma: intersection. */
#pragma once

#include "project/project.h"

typedef struct Selection {
    bool *chosen; /* per position in project->nodes; owned by arena */
    bool *named;  /* asked for by name, not only drawn in by + or @ */
    size_t count; /* chosen ones */
} Selection;

/* No expressions: every node, none of them named. Errors name the expression, with the nearest node as hint. */
bool select_nodes(const Project *project, const char *const *expressions, size_t n, Arena *arena,
                  Selection *ret_selection, Error *err);
