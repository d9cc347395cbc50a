/* Live: a line for each task under way, at the foot of the terminal: its name, for how long, what it does.
 *
 * Drawn a few times a second by one thread of its own, on a terminal only: not into a pipe or a file, not as JSON, not
 * with --quiet. Messages of base/log stand above the lines. No mode of the terminal is changed, so whatever ends the
 * program leaves nothing to be put back; the lines themselves are wiped by live_stop(). A task that ends soon is never
 * shown. */
#pragma once

#include <stdint.h>

/* Starts the thread; what follows does nothing before that, or where there is no terminal. */
void live_start(void);
void live_stop(void); /* wipes the lines and ends the thread; once more does nothing */

/* The calling thread begins a task, which is the one that it tells of by log_progress(), and ends it. name is copied.
 */
void live_begin(const char *name);
void live_end(void);
