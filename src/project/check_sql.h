/* Check sql: reading the query of a check, checks/NAME.sql. */
#pragma once

#include "project/values.h"

/* Takes the file that value names (relative to the project) into the check: its one SELECT, and the tables it reads.
 * Every error is reported, at its place in that file where there is one. */
void check_sql_read(Reading *reading, const Value *value, Check *check);
