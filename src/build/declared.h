/* Declared: what a node's files say of its relation besides the rows. */
#pragma once

#include "project/project.h"
#include "record/ledger.h"
#include "record/track.h"

/* Hash of checks, indexes, grants and comments, and of how a file is read: the relation is brought to them where they
 * differ from what was last recorded, even if no row changed. In the arena. */
const char *declared_hash(const Node *node, Arena *arena);

/* By what a source's file is read, besides its columns. In the arena. */
const char *declared_load(const Project *project, Arena *arena);

/* Whether the file of a source is the one that was loaded last, and read and judged in the same way: loading it would
 * change nothing. */
bool declared_is_loaded(const Project *project, const Node *node, const LedgerRelation *known, Arena *arena,
                        bool *ret_loaded, Error *err);

/* A check that may fail without a change of the rows it judges: of time, or of other tables. */
bool check_is_restless(const Check *check);

/* A source whose table others write, as record/track wants it. */
TrackTable declared_track(const Project *project, const Node *node, const SqlRelationFacts *facts);
