#include "csv/type.h"

#include <stddef.h>
#include <string.h>

typedef enum Modifier { NO_MODIFIER, LENGTH, DIGITS, FRACTION, BITS } Modifier;

static const struct {
    const char *name;
    CsvType type;
    Modifier modifier;
} NAMES[] = {
    {"boolean", CSV_BOOLEAN, NO_MODIFIER},
    {"bool", CSV_BOOLEAN, NO_MODIFIER},
    {"smallint", CSV_SMALLINT, NO_MODIFIER},
    {"int2", CSV_SMALLINT, NO_MODIFIER},
    {"integer", CSV_INTEGER, NO_MODIFIER},
    {"int", CSV_INTEGER, NO_MODIFIER},
    {"int4", CSV_INTEGER, NO_MODIFIER},
    {"bigint", CSV_BIGINT, NO_MODIFIER},
    {"int8", CSV_BIGINT, NO_MODIFIER},
    {"real", CSV_REAL, NO_MODIFIER},
    {"float4", CSV_REAL, NO_MODIFIER},
    {"double precision", CSV_DOUBLE, NO_MODIFIER},
    {"float8", CSV_DOUBLE, NO_MODIFIER},
    {"float", CSV_DOUBLE, BITS},
    {"numeric", CSV_NUMERIC, DIGITS},
    {"decimal", CSV_NUMERIC, DIGITS},
    {"dec", CSV_NUMERIC, DIGITS},
    {"date", CSV_DATE, NO_MODIFIER},
    {"timestamp", CSV_TIMESTAMP, FRACTION},
    {"timestamp without time zone", CSV_TIMESTAMP, FRACTION},
    {"timestamptz", CSV_TIMESTAMPTZ, FRACTION},
    {"timestamp with time zone", CSV_TIMESTAMPTZ, FRACTION},
    {"text", CSV_TEXT, NO_MODIFIER},
    {"varchar", CSV_VARCHAR, LENGTH},
    {"character varying", CSV_VARCHAR, LENGTH},
    {"char varying", CSV_VARCHAR, LENGTH},
    {"character", CSV_CHAR, LENGTH},
    {"char", CSV_CHAR, LENGTH},
    {"bpchar", CSV_CHAR, LENGTH},
    {"uuid", CSV_UUID, NO_MODIFIER},
};

enum { NAME_MAX_BYTES = 40, LENGTH_MAX = 10485760, PRECISION_MAX = 1000 };

/* A type name apart: words in lower case with one space between, and the numbers in parentheses. */
typedef struct Parts {
    char name[NAME_MAX_BYTES + 1];
    size_t len;
    int modifiers[2];
    int count;
} Parts;

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Reads "(10, 2)" from *s on. */
static bool read_modifiers(const char **s, Parts *parts)
{
    const char *p = *s + 1;
    for (;;) {
        while (is_space(*p))
            p++;
        if (*p < '0' || *p > '9' || parts->count == 2)
            return false;
        long value = 0;
        for (; *p >= '0' && *p <= '9'; p++) {
            value = value * 10 + (*p - '0');
            if (value > LENGTH_MAX)
                return false;
        }
        parts->modifiers[parts->count++] = (int)value;
        while (is_space(*p))
            p++;
        if (*p != ',')
            break;
        p++;
    }
    *s = p + 1;
    return *p == ')';
}

static bool take_apart(const char *s, Parts *parts)
{
    bool space = false;
    while (*s) {
        if (*s == '(') {
            if (parts->count > 0 || !read_modifiers(&s, parts))
                return false;
            space = true;
            continue;
        }
        char c = *s++;
        if (is_space(c)) {
            space = true;
            continue;
        }
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        if (parts->len + 2 > NAME_MAX_BYTES)
            return false;
        if (space && parts->len > 0)
            parts->name[parts->len++] = ' ';
        space = false;
        parts->name[parts->len++] = c;
    }
    return true;
}

static bool apply_modifiers(Modifier kind, const Parts *parts, CsvColumnType *type)
{
    int first = parts->modifiers[0], second = parts->modifiers[1];
    if (parts->count == 0) {
        if (type->type == CSV_CHAR && strcmp(parts->name, "bpchar") != 0)
            type->length = 1;
        return true;
    }
    if (parts->count == 2 && kind != DIGITS)
        return false;
    switch (kind) {
    case LENGTH:
        type->length = first;
        return first >= 1;
    case DIGITS: /* a negative scale, or one past the precision, is new in PostgreSQL 15 */
        type->precision = first;
        type->scale = parts->count == 2 ? second : 0;
        return first >= 1 && first <= PRECISION_MAX && type->scale <= first;
    case FRACTION:
        type->precision = first;
        return first <= 6;
    case BITS:
        type->type = first <= 24 ? CSV_REAL : CSV_DOUBLE;
        return first >= 1 && first <= 53;
    case NO_MODIFIER:
    default:
        return false;
    }
}

CsvColumnType csv_type_of(const char *sqltype)
{
    const CsvColumnType other = {.type = CSV_OTHER, .length = -1, .precision = -1};
    Parts parts = {0};
    if (!take_apart(sqltype, &parts))
        return other;
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (strcmp(parts.name, NAMES[i].name) != 0)
            continue;
        CsvColumnType type = other;
        type.type = NAMES[i].type;
        return apply_modifiers(NAMES[i].modifier, &parts, &type) ? type : other;
    }
    return other;
}

const char *csv_type_name(CsvType type)
{
    static const char *const PRINTED[] = {
        [CSV_OTHER] = "other",
        [CSV_BOOLEAN] = "boolean",
        [CSV_SMALLINT] = "smallint",
        [CSV_INTEGER] = "integer",
        [CSV_BIGINT] = "bigint",
        [CSV_REAL] = "real",
        [CSV_DOUBLE] = "double precision",
        [CSV_NUMERIC] = "numeric",
        [CSV_DATE] = "date",
        [CSV_TIMESTAMP] = "timestamp without time zone",
        [CSV_TIMESTAMPTZ] = "timestamp with time zone",
        [CSV_TEXT] = "text",
        [CSV_VARCHAR] = "character varying",
        [CSV_CHAR] = "character",
        [CSV_UUID] = "uuid",
    };
    return PRINTED[type];
}
