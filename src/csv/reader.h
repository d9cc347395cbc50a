/* CsvReader: the records of a CSV file, one after the other, in flat memory.
 *
 * RFC 4180 and what is common beside it: a UTF-8 byte order mark, lines that end in LF, CRLF or (throughout) CR, a
 * last line without an end, delimiters and line ends inside quotes, quotes doubled inside quotes. White space
 * belongs to its field. A quote that is not the first byte of its field is an ordinary character there.
 * As in PostgreSQL's COPY, an empty field without quotes is meant as null, one with quotes is an empty string.
 *
 * Blank lines are skipped, except after the header of a file of one column: there an empty line is a record whose
 * one field is empty, as in COPY. `\.` has no meaning.
 * The first record, the header, sets how many fields every record must have.
 *
 * Errors about content are ERROR_FAILED with file, line and column (in characters); a file that cannot be opened is
 * ERROR_PROJECT; SIGINT and SIGTERM between two reads are ERROR_CANCELLED. After an error the reader gives no more
 * records. Content is valid UTF-8 without zero bytes once a record was handed out.
 * A reader is used by one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "csv/dialect.h"

enum {
    CSV_COLUMNS_MAX = 1600,    /* PostgreSQL's own limit */
    CSV_RECORD_MAX = 16 << 20, /* bytes of one record */
    CSV_HASH_SIZE = 33,        /* 32 hex digits and a terminator */
};

typedef struct CsvField {
    const char *data; /* without the quotes, doubled quotes made one; not terminated */
    uint32_t len;
    uint32_t offset; /* of the field's first byte (its opening quote, where quoted) in the record's raw bytes */
    bool quoted;
} CsvField;

/* Everything is valid until the next csv_reader_next() or csv_reader_free(). */
typedef struct CsvRecord {
    const CsvField *fields;
    size_t count;
    uint64_t line;   /* on which the record begins, from 1 */
    const char *raw; /* the record's original bytes, without its line end; not terminated */
    size_t raw_len;
} CsvRecord;

typedef enum CsvNext { CSV_ERROR, CSV_END, CSV_RECORD } CsvNext;

typedef struct CsvReader CsvReader;

/* Opens path, a file: pipes and devices, which cannot be read twice, are ERROR_PROJECT, as directories are. shown is
 * how errors name the file; NULL: path. wanted may be NULL, and members that are 0 are detected. An empty file is an
 * error. NULL on error; the caller frees the reader. */
CsvReader *csv_reader_open(const char *path, const char *shown, const CsvDialect *wanted, Error *err);
/* The same on a descriptor (file, pipe, socket), which stays the caller's. */
CsvReader *csv_reader_open_fd(int fd, const char *shown, const CsvDialect *wanted, Error *err);
void csv_reader_free(CsvReader *reader); /* NULL is allowed */
void csv_reader_free_p(CsvReader **reader);

/* The first record is the header. */
CsvNext csv_reader_next(CsvReader *reader, CsvRecord *ret_record, Error *err);

const CsvDialect *csv_reader_dialect(const CsvReader *reader);
const char *csv_reader_file(const CsvReader *reader); /* as errors name it */
uint64_t csv_reader_bytes(const CsvReader *reader);   /* read so far, for progress */
/* Bytes the file has, or 0 where that is unknown (a pipe). */
uint64_t csv_reader_size(const CsvReader *reader);
/* Whether the file was written to, or cut, since it was opened: what was read may be no whole delivery then. */
bool csv_reader_changed(const CsvReader *reader);
/* XXH3-128 of all bytes read so far, in hex: after CSV_END, of the whole file (byte order mark included). */
void csv_reader_hash(const CsvReader *reader, char ret_hash[CSV_HASH_SIZE]);

/* Where field number i (from 0) of a record begins in the file: line and column, from 1, column in characters.
 * i may be record->count: the record's end. Both stop at INT_MAX. */
void csv_record_place(const CsvRecord *record, size_t i, int *ret_line, int *ret_column);
