/* Source: reading sources/NAME.yaml. */
#pragma once

#include "project/values.h"

/* Adds the file's node to the project's list; every error is reported. path is relative to the project. */
void source_read(Reading *reading, const char *path);
