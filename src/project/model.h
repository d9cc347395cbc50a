/* Model: reading models/NAME.sql: front matter, the folder's defaults, and the SQL.
 *
 * What a model reads is told by the parser's grammar (sql/parse.h). SQL that it rejects is an error at its place; but
 * where the front matter says `depends_on`, the text is taken on trust, with a warning: a newer server may know a
 * newer grammar. References and output columns of such a model are not known, and the server judges it. */
#pragma once

#include "project/values.h"

/* Adds the file's node to the project's list; every error is reported. path is relative to the project. */
void model_read(Reading *reading, const char *path);
