/* Session: the project a call is about. */
#pragma once

#include "cli/call.h"
#include "project/project.h"

typedef enum SessionNeed {
    SESSION_WHOLE,   /* every file of the project is right */
    SESSION_COLUMNS, /* and models name columns that are there */
    SESSION_FRAME,   /* sluice.yaml is; an error in a model is no reason not to stop its database */
} SessionNeed;

/* Reads the project by --project and --target. Where that fails, all errors are printed and false is returned: the
 * exit status is 2. The project must be cleared in any case. */
bool session_project(const Call *call, SessionNeed need, Project *ret_project);
/* The same for another target than the call's. */
bool session_project_of(const Call *call, const char *target, SessionNeed need, Project *ret_project);
/* Reads the project, acts on it, clears it. Returns the exit status: 0, or that of the error, which is printed. */
typedef bool (*SessionAct)(Call *call, const Project *project, Error *err);
int session_act(Call *call, SessionNeed need, SessionAct act);
/* Warns of what stands in the project's files and is not read. */
void session_warn_unread(const Project *project);
/* Whether there is one: at or above the working directory, or named by --project. */
bool session_has_project(const Call *call);
