#include "csv/value.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "csv/binary.h"
#include "csv/datetime.h"
#include "csv/number.h"

enum { SHOWN_MAX = 60 }; /* bytes of a value in a message */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void put_bytes(const char *s, size_t n, Text *out)
{
    binary_put(out, n, 4);
    text_append_n(out, s, n);
}

/* As boolin: white space trimmed, then any prefix that is unique. */
static ValueResult encode_boolean(const char *s, size_t n, Text *out)
{
    static const struct {
        const char *word;
        size_t min;
        size_t max;
        bool value;
    } WORDS[] = {{"true", 1, 4, true}, {"false", 1, 5, false}, {"yes", 1, 3, true}, {"no", 1, 2, false},
                 {"on", 2, 2, true},   {"off", 2, 3, false},   {"1", 1, 1, true},   {"0", 1, 1, false}};
    while (n > 0 && is_space(*s)) {
        s++;
        n--;
    }
    while (n > 0 && is_space(s[n - 1]))
        n--;
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (n >= WORDS[i].min && n <= WORDS[i].max && strncasecmp(s, WORDS[i].word, n) == 0) {
            binary_field(out, WORDS[i].value, 1);
            return VALUE_OK;
        }
    }
    return VALUE_BAD;
}

static size_t characters(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

/* As varchar_input and bpchar_input: what is too long must be spaces, and these are cut off. */
static ValueResult encode_limited(const char *s, size_t n, int length, Text *out)
{
    size_t limit = (size_t)length;
    if (length >= 0 && n > limit) {
        size_t excess = characters(s, n);
        excess = excess > limit ? excess - limit : 0;
        for (; excess > 0; excess--)
            if (s[--n] != ' ')
                return VALUE_OUT_OF_RANGE;
    }
    put_bytes(s, n, out);
    return VALUE_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As string_to_uuid: braces around it, a hyphen after every four digits, both optional. */
static ValueResult encode_uuid(const char *s, size_t n, Text *out)
{
    const char *p = s, *end = s + n;
    bool braces = n > 0 && *p == '{';
    p += braces;
    char uuid[16];
    for (int i = 0; i < 16; i++) {
        if (end - p < 2 || hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0)
            return VALUE_BAD;
        uuid[i] = (char)(unsigned char)(hex_digit(p[0]) * 16 + hex_digit(p[1]));
        p += 2;
        p += p < end && *p == '-' && i % 2 == 1 && i < 15;
    }
    if (braces && (p == end || *p++ != '}'))
        return VALUE_BAD;
    if (p != end)
        return VALUE_BAD;
    put_bytes(uuid, sizeof(uuid), out);
    return VALUE_OK;
}

static ValueResult encode_datetime(const CsvColumnType *type, const char *s, size_t n, Text *out)
{
    DateTime t;
    ValueResult result = datetime_read(s, n, &t);
    return result == VALUE_OK ? datetime_encode(type, &t, out) : result;
}

ValueResult value_encode(const CsvColumnType *type, const char *s, size_t n, Text *out)
{
    switch (type->type) {
    case CSV_BOOLEAN:
        return encode_boolean(s, n, out);
    case CSV_SMALLINT:
        return number_integer(s, n, 2, out);
    case CSV_INTEGER:
        return number_integer(s, n, 4, out);
    case CSV_BIGINT:
        return number_integer(s, n, 8, out);
    case CSV_REAL:
        return number_float(s, n, 4, out);
    case CSV_DOUBLE:
        return number_float(s, n, 8, out);
    case CSV_NUMERIC:
        return number_numeric(s, n, type->precision, type->scale, out);
    case CSV_DATE:
    case CSV_TIMESTAMP:
    case CSV_TIMESTAMPTZ:
        return encode_datetime(type, s, n, out);
    case CSV_TEXT:
        put_bytes(s, n, out);
        return VALUE_OK;
    case CSV_VARCHAR:
    case CSV_CHAR:
        return encode_limited(s, n, type->length, out);
    case CSV_UUID:
        return encode_uuid(s, n, out);
    case CSV_OTHER:
    default:
        return VALUE_UNSURE;
    }
}

void value_encode_null(Text *out) { binary_put(out, UINT32_MAX, 4); }

ValueResult value_encode_format(const CsvColumnType *type, const CsvFormat *format, const char *s, size_t n, Text *out)
{
    DateTime t;
    ValueResult result = csv_format_read(format, s, n, &t);
    return result == VALUE_OK ? datetime_encode(type, &t, out) : result;
}

ValueResult value_format_text(const CsvColumnType *type, const CsvFormat *format, const char *s, size_t n, Text *out)
{
    DateTime t;
    ValueResult result = csv_format_read(format, s, n, &t);
    if (result == VALUE_OK)
        datetime_show(type->type, &t, out);
    return result;
}

/* --- messages ----------------------------------------------------------------------------------------------- */

typedef struct Messages {
    const char *bad_state;
    const char *range_state;
    const char *expected;
} Messages;

static Messages messages_of(CsvType type)
{
    switch (type) {
    case CSV_BOOLEAN:
        return (Messages){"22P02", "22P02", "expected true, false, yes, no, on, off, 1 or 0"};
    case CSV_SMALLINT:
        return (Messages){"22P02", "22003", "expected a whole number from -32768 to 32767"};
    case CSV_INTEGER:
        return (Messages){"22P02", "22003", "expected a whole number from -2147483648 to 2147483647"};
    case CSV_BIGINT:
        return (Messages){"22P02", "22003", "expected a whole number from -9223372036854775808 to 9223372036854775807"};
    case CSV_REAL:
    case CSV_DOUBLE:
    case CSV_NUMERIC:
        return (Messages){"22P02", "22003",
                          "expected a number such as 1234.5, with a point and no thousands separator"};
    case CSV_DATE:
        return (Messages){"22007", "22008", "expected a date such as 2023-05-09"};
    case CSV_TIMESTAMP:
        return (Messages){"22007", "22008", "expected a time such as 2023-05-09 10:30:00"};
    case CSV_TIMESTAMPTZ:
        return (Messages){"22007", "22008", "expected a time such as 2023-05-09 10:30:00+02"};
    case CSV_UUID:
        return (Messages){"22P02", "22P02", "expected 32 hexadecimal digits"};
    case CSV_TEXT:
    case CSV_VARCHAR:
    case CSV_CHAR:
    case CSV_OTHER:
    default:
        return (Messages){"22P02", "22001", NULL};
    }
}

const char *value_expected(const CsvColumnType *type) { return messages_of(type->type).expected; }

static bool is_datetime(const CsvColumnType *type)
{
    return type->type == CSV_DATE || type->type == CSV_TIMESTAMP || type->type == CSV_TIMESTAMPTZ;
}

static void describe(const CsvColumnType *type, ValueResult result, const char *shown, size_t n, size_t length,
                     Error *err)
{
    const char *name = csv_type_name(type->type);
    bool text = type->type == CSV_VARCHAR || type->type == CSV_CHAR;
    if (n == 0)
        error_set(err, ERROR_FAILED, "an empty string is not valid for type %s", name);
    else if (result == VALUE_BAD)
        error_set(err, ERROR_FAILED, "\"%s\" is not valid for type %s", shown, name);
    else if (text)
        error_set(err, ERROR_FAILED, "\"%s\" has %zu characters, too long for type %s(%d)", shown, length, name,
                  type->length);
    else if (is_datetime(type))
        error_set(err, ERROR_FAILED, "\"%s\" is no date or time that exists, or out of range for type %s", shown, name);
    else if (type->type == CSV_NUMERIC && type->precision >= 0)
        error_set(err, ERROR_FAILED, "\"%s\" is out of range for type numeric(%d,%d)", shown, type->precision,
                  type->scale);
    else
        error_set(err, ERROR_FAILED, "\"%s\" is out of range for type %s", shown, name);
}

bool value_error(const CsvColumnType *type, const CsvFormat *format, ValueResult result, const char *s, size_t n,
                 Error *err)
{
    if (!err)
        return false;
    TEXT_AUTO(shown);
    text_append_shown(&shown, s, n, SHOWN_MAX);
    describe(type, result, text_str(&shown), n, characters(s, n), err);
    Messages messages = messages_of(type->type);
    memcpy(err->sqlstate, result == VALUE_BAD ? messages.bad_state : messages.range_state, sizeof(err->sqlstate));
    if (n == 0)
        return error_hint(err, "an empty field without quotes is null, one with quotes is an empty string");
    if (format)
        return error_hint(err, "expected the format \"%s\"", format->pattern);
    if (is_datetime(type))
        return error_hint(err, "%s; other forms need `format:`", messages.expected);
    return messages.expected ? error_hint(err, "%s", messages.expected) : false;
}
