/* Dry: the load of a source up to where it would write, to say what it would touch. */
#pragma once

#include "build/survey.h"
#include "pg/conn.h"

typedef struct DryLoad {
    bool same;       /* the file is the one that was loaded last */
    Touched touched; /* of the table; nothing where no row differs */
    int64_t inserted, updated, deleted;
} DryLoad;

/* In the caller's transaction, back to a savepoint. An error says why the load would fail, or why it cannot be told;
 * the transaction is good all the same. The table must be there. */
bool dry_load(Conn *conn, const Project *project, const SurveyRelation *relation, bool full_refresh, Arena *arena,
              DryLoad *ret, Error *err);
