/* CsvType: the PostgreSQL types whose text form is turned into binary on our side. */
#pragma once

#include <stdbool.h>

typedef enum CsvType {
    CSV_OTHER, /* any type not below: only the server can read it */
    CSV_BOOLEAN,
    CSV_SMALLINT,
    CSV_INTEGER,
    CSV_BIGINT,
    CSV_REAL,
    CSV_DOUBLE,
    CSV_NUMERIC,
    CSV_DATE,
    CSV_TIMESTAMP,
    CSV_TIMESTAMPTZ,
    CSV_TEXT,
    CSV_VARCHAR,
    CSV_CHAR, /* character(n), which PostgreSQL also calls bpchar */
    CSV_UUID,
} CsvType;

/* A type with its modifiers. */
typedef struct CsvColumnType {
    CsvType type;
    int length;    /* of varchar(n) and char(n), in characters; -1: no limit */
    int precision; /* of numeric(p, s); -1: none. Of timestamp(p): 0 to 6 */
    int scale;     /* of numeric(p, s) */
    bool utc;      /* the session's time zone is UTC: a timestamptz without an offset can be read. Set by the caller */
} CsvColumnType;

/* The type that a SQL type name means: names and aliases of pg_catalog in any case and spacing (int4, decimal(10,2),
 * character varying(20), timestamp(3) with time zone, float(24)). Whatever else stands there, arrays, domains, quoted
 * names, modifiers that not every supported server takes, is CSV_OTHER. utc is false. */
CsvColumnType csv_type_of(const char *sqltype);

/* The name PostgreSQL prints, without modifiers: "double precision". CSV_OTHER: "other". */
const char *csv_type_name(CsvType type);
