/* Interrupt: SIGINT and SIGTERM ask the program to stop; whoever waits looks here.
 * A second signal of the kind ends the program at once. */
#pragma once

#include <stdbool.h>

void interrupt_setup(void); /* installs the handlers; SIGPIPE is ignored */
int interrupt_signal(void); /* 0, or the signal that arrived */
int interrupt_fd(void);     /* becomes readable when one arrives, for poll(); never read from it */
