/* Value: the text of a CSV field as a field of COPY BINARY.
 *
 * VALUE_OK promises the very value that the server's own input function would give, on PostgreSQL 14 to 18, whatever
 * its DateStyle. VALUE_BAD and VALUE_OUT_OF_RANGE promise that it would refuse it. VALUE_UNSURE is everything else:
 * forms that depend on settings or version, or are too rare to be worth code here; only the server can tell.
 * Input must be valid UTF-8 without zero bytes, and client_encoding UTF8. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "csv/format.h"
#include "csv/result.h"
#include "csv/type.h"

/* Appends the value's length (4 bytes, big-endian) and its binary form. Nothing is appended unless VALUE_OK.
 * CSV_OTHER is always VALUE_UNSURE. char(n) is not padded: the server does that. */
ValueResult value_encode(const CsvColumnType *type, const char *s, size_t n, Text *out);

/* The same for a date, timestamp or timestamptz written in a format of the project's. VALUE_UNSURE only for a
 * timestamptz without an offset where the session's zone is not UTC: send value_format_text() then. */
ValueResult value_encode_format(const CsvColumnType *type, const CsvFormat *format, const char *s, size_t n, Text *out);
/* Appends the value in ISO 8601 form for text COPY ("2023-05-09 10:00:00+02"). Never VALUE_UNSURE. */
ValueResult value_format_text(const CsvColumnType *type, const CsvFormat *format, const char *s, size_t n, Text *out);

void value_encode_null(Text *out);

/* What a value of that type looks like, as a hint: "expected a date such as 2023-05-09". NULL where there is nothing to
 * say. */
const char *value_expected(const CsvColumnType *type);

/* Sets err (ERROR_FAILED, no place) to what is wrong with a value that was VALUE_BAD or VALUE_OUT_OF_RANGE, with the
 * SQLSTATE PostgreSQL would give and a hint of what is expected. The value is shown cut and escaped. format may be
 * NULL. Returns false. */
bool value_error(const CsvColumnType *type, const CsvFormat *format, ValueResult result, const char *s, size_t n,
                 Error *err);
