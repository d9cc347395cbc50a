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

/* Writes every option of a list (or NULL) that is not hidden: its syntax, "-n, --count N", and what it does, with its
 * allowed values. */
typedef void (*ManualOption)(const char *syntax, const char *doc, FILE *out);
void manual_options(const Option *const *list, ManualOption write, FILE *out);
void manual_usage_line(const Command *command, Text *out); /* "sluice run [SELECT...] [OPTION...]" */
bool manual_has_options(const Command *command);           /* of its own, and not hidden */
