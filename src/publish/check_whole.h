/* Check whole: the checks that ask a question of a table as a whole: how fresh it is, what a query of the user's makes
 * of it. Private to this room. */
#pragma once

#include "publish/check.h"

/* Age of the newest value by target->now: warns past warn_after, fails past error_after. No rows at all count as older
 * than anything. The result's check is then a copy with the severity that holds. */
bool check_fresh_run(Conn *conn, const CheckTarget *target, const Check *check, Arena *arena, CheckResult *ret,
                     Error *err);

/* The rows that the check's query returns are wrong. Its references to the node's own relation are to the rows that are
 * judged (with those that stay beside them); all others are to what is published. Errors of the server's stand at their
 * place in the query's file. */
bool check_query_run(Conn *conn, const CheckTarget *target, const Check *check, Arena *arena, CheckResult *ret,
                     Error *err);
