/* Verdict report: what a comparison found, for people and for programs. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "build/verify.h"

typedef struct VerdictNames {
    const char *node;
    const char *sides[2]; /* in sentences: "the table", "the query" */
    const char *keys[2];  /* in JSON: "table", "query" */
} VerdictNames;

void verdict_print(const VerdictNames *names, const Verdict *verdict, Arena *arena);
void verdict_json(const VerdictNames *names, const Verdict *verdict, Arena *arena, Json *json);
