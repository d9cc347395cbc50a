/* Log: what the program tells while it works, on standard error.
 *
 * Text: `2026-01-31T06:15:00Z info  message`, on a terminal without the time. JSON: one object a line.
 * Every message passes a filter that replaces registered secrets by "***" (law 8), before it is encoded, so nobody has
 * to remember to. Safe to call from any thread. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

typedef enum LogLevel { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;
typedef enum LogColor { LOG_COLOR_AUTO, LOG_COLOR_ALWAYS, LOG_COLOR_NEVER } LogColor;

void log_setup(LogLevel most, bool json, LogColor color); /* before other threads start */
bool log_wants(LogLevel level);
bool log_colored(FILE *stream); /* by --color, NO_COLOR and whether it is a terminal */

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* An error in full: place, message, detail, hint. In text: `file:line:column: message`, then `hint: ...`. */
void log_failure(const Error *err);

/* What the calling thread's task does now: see base/live.h. Cheap, and nothing where no task is shown. */
void log_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From now on this value is shown as "***", wherever it stands: as it is, as text_append_shown() shows it, escaped in
 * JSON, and cut, where 8 bytes or more of its beginning stand before a "...". Of a value of several lines each line is
 * a secret too, without the blanks around it. Values and lines under 4 bytes are left out: they would blot out ordinary
 * words. Bounded to 256 in all; forms and lines take at most 192 of them, so that they leave room for whole values. */
void log_secret(const char *value);
/* The same for the passwords in a libpq URL or keyword string, as written and with %XX read. In a URL the password
 * reaches from the first ':' after "://" to the last '@' (before the query), whatever stands between; where that is any
 * of / # ? @ its pieces are secrets as well, because a parser that takes them for the URL's own shows pieces. False
 * where the URL means something else to libpq for that reason: where / or @ stands in the password. */
bool log_secret_url(const char *url);
/* A copy of s with the secrets blotted out, for records and pages; the caller frees it. Of several secrets that begin
 * at one place the longest counts, and those that overlap become one "***". Apply it before a text is escaped or cut.
 */
char *log_redacted(const char *s);
