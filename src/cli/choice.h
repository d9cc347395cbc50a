/* Choice: the sources and models that a call selects. */
#pragma once

#include "cli/call.h"
#include "project/select.h"

/* Arguments and --select, less --exclude. In the call's arena. */
bool choice_make(Call *call, const Project *project, Selection *ret_selection, Error *err);
/* Whether --full-refresh may go with it. What cannot be built from nothing (a history, full_refresh: false) is an error
 * where it is asked for by name, else it is run as ever, with a warning. */
bool choice_full_refresh(const Project *project, const Selection *selection, Error *err);
/* The call as it is recorded: "run --due a +b". In the call's arena. */
const char *choice_words(Call *call);
