/* Log line: what base/log and base/live share, of this room alone: the terminal, and the lock that keeps lines whole.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "base/text.h"

void log_lock(void);
void log_unlock(void);
void log_wait(pthread_cond_t *condition, const struct timespec *until); /* the lock is given up meanwhile */
/* Under the lock: to standard error, in one piece. */
void log_write(const Text *text);
bool log_on_terminal(void); /* standard error is one, messages are text, and not only errors are wanted */

/* Under the lock: what wipes the live lines that stand there, and what draws them anew. */
void live_wipe(Text *out);
void live_draw(Text *out);
