/* Diff where: the target's rows that staged ones can pair with, and whether there are any. Private to this room. */
#pragma once

#include "publish/diff.h"

/* Where the time is part of the key, rows pair within one time. An index on it finds those of the target that can, when
 * few times are staged, and none of the others has to be looked at: sets diff->times, unless rows are to go. */
bool diff_where_times(Conn *conn, Diff *diff, Arena *arena, Error *err);
/* Nothing stands where the scope and diff->times say: all staged rows are new. Not asked where they say nothing. */
bool diff_where_nothing(Conn *conn, const Diff *diff, bool *ret_nothing, Error *err);
