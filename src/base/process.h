/* Process: which process on which machine, so that a later one can tell whether it is still there. */
#pragma once

#include <stdbool.h>

#include "base/text.h"

void process_host(Text *out); /* the host's name */
/* Names this process for good: boot, pid namespace, pid and start time. Two processes never share it. */
void process_identity(Text *out);
/* True only where identity names a process of this boot and pid namespace that surely runs no longer: it has ended (be
 * it that its parent has not asked yet), or there is none, or its pid was given to another. Whatever cannot be told,
 * since /proc is not there, hides others' processes, or no file can be opened, is false. */
bool process_is_gone(const char *identity);
