/* Manual: the command table told to people: help on a terminal, the manual page, the reference in docs/. */
#pragma once

#include <stdio.h>

#include "base/text.h"
#include "cli/command.h"

void manual_usage(FILE *out);                           /* a few lines, for a call without a command */
void manual_all(FILE *out);                             /* all commands and global options */
void manual_command(const Command *command, FILE *out); /* one command in full */
void manual_page(FILE *out);                            /* docs/sluice.1 */
void manual_reference(FILE *out);                       /* docs/reference.md: keys of the files included */

/* The pieces they share. */
typedef struct ManualEntry {
    const char *what, *meaning; /* NULL at the end of a list */
} ManualEntry;
extern const ManualEntry manual_statuses[];
extern const ManualEntry manual_variables[];

void manual_option_syntax(const Option *option, Text *out); /* "-n, --count N" */
void manual_option_doc(const Option *option, Text *out);    /* with its allowed values */
void manual_usage_line(const Command *command, Text *out);  /* "sluice run [SELECT...] [OPTION...]" */
bool manual_has_options(const Command *command);            /* of its own, and not hidden */
