/* Column check: the short form of a check that stands under its column, made into the long one. */
#pragma once

#include "project/reading.h"

/* The item of `checks:` that one under column means: `not_null` is {not_null: [column]}, {accepted_values: [a]} is
 * {accepted_values: {column: column, values: [a]}}. In the scratch arena; NULL, with the error reported, where the item
 * is no check of a column. What is wrong inside it is left to who reads the long form. */
const YamlNode *column_check_item(Reading *reading, const char *file, const YamlNode *item, const char *column);
