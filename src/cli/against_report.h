/* Against, for people and for programs. No secret is shown. */
#pragma once

#include "base/arena.h"
#include "build/against.h"

/* target: the name of the one that was asked. To standard output. */
void against_print(const Against *against, const char *target, Arena *arena);
void against_json(const Against *against, const char *target);
