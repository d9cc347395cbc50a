/* Shadowed: a model's query on a part of its inputs.
 *
 * Every reference to a table is replaced, where it stands in the text, by the rows that are needed of it; views and
 * ephemeral models by their own text, so treated. */
#pragma once

#include "build/decide.h"
#include "pg/conn.h"

/* `"t" >= '...' and "t" < '...' or ...`, in parentheses; column is quoted here. Everything: `true`. */
bool shadowed_condition(Conn *conn, const char *column, SqlTimeType type, const Touched *touched, Text *out,
                        Error *err);
/* Appends `select * from (QUERY on the needed rows) sluice_q where <time is among the touched>`. */
bool shadowed_query(Conn *conn, const Decided *decided, Text *out, Error *err);
