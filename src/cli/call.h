/* Call: one command line, taken apart.
 *
 * Options may stand anywhere, before the command's name too; `--` ends them. `--name value`, `--name=value`, `-nvalue`
 * and `-n value` are the same; letters that take no argument may be joined. Names are not abbreviated: what works
 * today would become ambiguous with tomorrow's option. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "cli/command.h"

typedef struct CallOption {
    const Option *option;
    const char *value; /* "" for a flag */
} CallOption;

struct Call {
    Arena arena;
    const Command *command; /* NULL: none was named */
    const char **arguments; /* in order, NULL at the end */
    size_t argument_count;
    CallOption *options; /* in order */
    size_t option_count;
};

/* Errors are ERROR_PROJECT and, where there is one, give the nearest name as hint. Strings point into argv. The call
 * must be cleared in any case. Where help or the version was asked for, nothing but the options is checked. */
bool call_parse(int argc, char **argv, Call *ret_call, Error *err);
void call_clear(Call *call);

/* By long name. Asking for a name that is in no table is a bug and aborts. */
bool call_has(const Call *call, const char *name);
const char *call_value(const Call *call, const char *name); /* the last one given, or NULL */
/* Those given for a repeatable option, in order, in the call's arena; NULL at the end. */
const char **call_values(Call *call, const char *name, size_t *ret_count);
/* The SELECT expressions: arguments from number `first` on, and each --select. */
const char **call_select(Call *call, size_t first, size_t *ret_count);
/* A whole number in [min, max]; fallback where the option was not given. */
bool call_number(const Call *call, const char *name, long min, long max, long fallback, long *ret, Error *err);

/* An error of the call itself: ERROR_PROJECT, shown as `sluice: ...`. Returns false. */
bool call_error(Error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The error for a word that is no command, with the nearest one. Returns false. */
bool call_unknown_command(const char *word, Error *err);

/* Prints an error, once, and returns the exit status that goes with it. */
int call_failed(const Error *err);
/* The same for a project's errors: all of them, sorted, and how many there are. Returns 2. */
int call_failed_project(Errors *errors);
