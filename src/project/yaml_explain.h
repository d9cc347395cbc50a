/* YamlExplain: what a YAML parser's complaint means to whoever wrote the file, and what to write instead. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "project/yaml.h"

/* A complaint in the parser's words; lines and columns count from 0, in the source's own text. */
typedef struct YamlComplaint {
    const char *problem;
    size_t line, column;
    const char *context; /* or NULL */
    size_t context_line, context_column;
} YamlComplaint;

/* Fills err with a place in the file, a message and, wherever one can be given, a hint. Returns false. */
bool yaml_explain(const YamlSource *source, const YamlComplaint *complaint, Error *err);

/* For an alias or anchor at a place that counts from 0: what it is, and the value to write. Returns false. */
bool yaml_explain_alias(const YamlSource *source, size_t line, size_t column, Error *err);
