/* Log: what the program tells while it works, on standard error.
 *
 * Text: `2026-01-31T06:15:00Z info  message`, on a terminal without the time. JSON: one object a line.
 * Every line passes a filter that replaces registered secrets by "***" (law 8), so nobody has to remember
 * to. Safe to call from any thread. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

typedef enum LogLevel { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;
typedef enum LogColor { LOG_COLOR_AUTO, LOG_COLOR_ALWAYS, LOG_COLOR_NEVER } LogColor;

void log_setup(LogLevel most, bool json, LogColor color); /* before other threads start */
bool log_wants(LogLevel level);
bool log_colored(FILE *stream); /* by --color, NO_COLOR and whether stream is a terminal */

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* An error in full: place, message, detail, hint. In text: `file:line:column: message`, then `hint: ...`. */
void log_failure(const Error *err);

/* A line that the next one takes the place of, on a terminal only, at most ten a second: for long work. */
void log_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From now on this value is shown as "***". Values under 4 bytes are left out: they would blot out ordinary
 * words. Bounded to 64 values. */
void log_secret(const char *value);
/* A copy of s with the secrets blotted out, for records and pages; the caller frees it. */
char *log_redacted(const char *s);
