/* Crontab: the text of a crontab(5), and one project's lines in it. */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* Appends `* * * * * PROGRAM --project DIR [--target NAME] run --due`, without a line end: quoted for the shell, and
 * `%` escaped for cron. target may be NULL. A line end in a name is an error: a crontab cannot hold it. */
bool crontab_line(const char *program, const char *dir, const char *target, Text *out, Error *err);

/* Copies a crontab byte for byte, but for the project's lines between their two comments, in whose place the line is
 * put; at the end where there were none. line NULL: the project's lines are left out. dir holds no line end.
 * *ret_changed: out differs from old. */
void crontab_edit(const char *old, const char *dir, const char *line, Text *out, bool *ret_changed);
