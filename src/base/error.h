/* Error: what went wrong, where, and what to do about it.
 *
 * A function that can fail is `bool f(..., Error *err)`: true is success; false has filled err.
 * An Error is owned in place: ERROR_AUTO(err), or error_clear() when done. Setting one that is already set
 * replaces it. Lower floors return errors, run/ records them, cli/ prints each once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"

typedef enum ErrorCode {
    ERROR_NONE,
    ERROR_PROJECT,    /* project files, arguments, input that makes the call wrong: exit 2 */
    ERROR_CONNECTION, /* the database cannot be reached, or was lost: exit 3 */
    ERROR_FAILED,     /* a step, check, load or statement failed: exit 1 */
    ERROR_BUSY,       /* the table is being built by another run: exit 4 */
    ERROR_CANCELLED,  /* SIGINT or SIGTERM: exit 130 or 143 */
} ErrorCode;

typedef struct Error {
    ErrorCode code;
    char *message; /* one line, no trailing full stop; never NULL once set */
    char *detail;  /* or NULL */
    char *hint;    /* what to do, or NULL */
    char *file;    /* as the user would type it, or NULL */
    int line;      /* from 1; 0 where unknown */
    int column;    /* from 1, in characters; 0 where unknown */
    char sqlstate[6];
} Error;

#define ERROR_AUTO(name) __attribute__((cleanup(error_clear))) Error name = {0}

void error_clear(Error *err);
/* Sets code and message, clears the rest, returns false so that a caller can `return error_set(...)`.
 * A NULL err is allowed everywhere in this file and does nothing. */
bool error_set(Error *err, ErrorCode code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool error_at(Error *err, ErrorCode code, const char *file, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* These add to an error that is set; each returns false. */
bool error_hint(Error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool error_detail(Error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool error_place(Error *err, const char *file, int line, int column);
bool error_prefix(Error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* before the message */
void error_move(Error *to, Error *from); /* to takes over from's strings; from is clear after */

/* Appends where it is: file, file:line or file:line:column, the file as in text_append_shown(); nothing where there is
 * no file. */
void error_place_text(const Error *err, Text *out);
/* The text of an error as it is printed, without "error: ":
 *     file:line:column: message
 *     detail: ...
 *     hint: ...
 * The caller frees it. */
char *error_text(const Error *err);

/* All errors of a project, gathered in one pass. Bounded: past ERRORS_MAX they are only counted. */
enum { ERRORS_MAX = 200 };
typedef struct Errors {
    Error *items;
    size_t count;   /* kept */
    size_t dropped; /* seen past ERRORS_MAX */
} Errors;

#define ERRORS_AUTO(name) __attribute__((cleanup(errors_clear))) Errors name = {0}
void errors_clear(Errors *errors);
void errors_add(Errors *errors, Error *err); /* takes err over */
/* Adds an ERROR_PROJECT with a place; hint may be NULL. */
void errors_report(Errors *errors, const char *file, int line, int column, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void errors_sort(Errors *errors); /* by file, line, column; those alike keep their order */
