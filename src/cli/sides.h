/* Sides: the project as two targets see it, whose schemas and values differ: the chosen one, and --against. */
#pragma once

#include "cli/call.h"
#include "pg/conn.h"
#include "project/project.h"

typedef struct Sides {
    Project projects[2]; /* as the chosen target sees it, and as the other one does */
    Conn *conns[2];      /* not opened by sides_read(), closed by sides_clear() */
} Sides;

/* Reads --against, which must be another target than the chosen one, and the project for both. Returns 0, or the exit
 * status of what was wrong, which is printed. To be cleared in any case; zeroed before. */
int sides_read(Call *call, Sides *ret);
void sides_clear(Sides *sides);
