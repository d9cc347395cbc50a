/* Named: the columns that models name, held against those that the tables they read are known to have. */
#pragma once

#include "project/reading.h"
#include "sql/parse.h"

/* Asks for it: without that the others do nothing. */
void named_prepare(Reading *reading, size_t models);
/* Remembers the columns that a model's SQL names and that are of the tables it reads. */
void named_take(Reading *reading, const SqlTree *tree, Node *node);
/* After all is linked. Reports each that none of the tables has which it may be of, where that is sure: those are
 * sources with a file, and models whose columns can be told. */
void named_check(Reading *reading);
