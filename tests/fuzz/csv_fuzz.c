/* The reader against a plain one that looks at byte after byte, on the file whole and in packets, and every value
 * through every type. The first byte of the input is the packets' size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "csv/guess.h"
#include "csv/reader.h"
#include "csv/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16384, MARK_FIELD = 1, MARK_QUOTED = 2, MARK_RECORD = 3 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* --- the plain reader: all records as one text, or up to the first error ------------------------------------ */

typedef struct Plain {
    const char *s;
    size_t n;
    size_t at;
    char delimiter;
    char eol; /* 0, '\n' or '\r' */
    size_t expected;
} Plain;

static bool at_field_end(const Plain *p)
{
    return p->at == p->n || p->s[p->at] == p->delimiter || p->s[p->at] == '\n' || p->s[p->at] == '\r';
}

static bool plain_field(Plain *p, Text *field, bool *ret_quoted)
{
    *ret_quoted = p->at < p->n && p->s[p->at] == '"';
    if (!*ret_quoted) {
        while (!at_field_end(p)) {
            if (p->s[p->at] == '\0')
                return false;
            text_append_char(field, p->s[p->at++]);
        }
        return true;
    }
    for (p->at++;; p->at++) {
        if (p->at == p->n || p->s[p->at] == '\0')
            return false;
        if (p->s[p->at] == '"') {
            if (p->at + 1 == p->n || p->s[p->at + 1] != '"')
                break;
            p->at++;
        }
        text_append_char(field, p->s[p->at]);
    }
    p->at++;
    return at_field_end(p);
}

static bool plain_line_end(Plain *p)
{
    if (p->at == p->n)
        return true;
    char c = p->s[p->at++];
    if (c == '\n') {
        if (p->eol == '\r')
            return false;
        p->eol = '\n';
        return true;
    }
    if (p->at < p->n && p->s[p->at] == '\n') {
        p->at++;
        p->eol = p->eol ? p->eol : '\n';
        return true;
    }
    if (p->at < p->n && p->eol == '\n')
        return false;
    p->eol = p->eol ? p->eol : '\r';
    return true;
}

static bool valid_utf8(const char *s, size_t n)
{
    for (size_t i = 0, len; i < n; i += len)
        if ((len = utf8_len(s + i, n - i)) == 0)
            return false;
    return true;
}

static bool plain_record(Plain *p, Text *out)
{
    size_t start = p->at, count = 0, before = out->len;
    for (;;) {
        TEXT_AUTO(field);
        bool quoted;
        if (!plain_field(p, &field, &quoted) || ++count > CSV_COLUMNS_MAX)
            return false;
        text_append_char(out, quoted ? MARK_QUOTED : MARK_FIELD);
        text_append_n(out, text_str(&field), field.len);
        if (p->at == p->n || p->s[p->at] != p->delimiter)
            break;
        p->at++;
    }
    size_t length = p->at - start;
    if (!plain_line_end(p))
        return false;
    if (count == 1 && length == 0 && p->expected != 1) {
        out->len = before;
        return true;
    }
    if (!valid_utf8(p->s + start, length) || (p->expected && p->expected != count))
        return false;
    p->expected = count;
    text_append_char(out, MARK_RECORD);
    return true;
}

static bool plain_read(const char *s, size_t n, const CsvDialect *dialect, Text *out)
{
    Plain p = {.s = s, .n = n, .at = dialect->bom_size, .delimiter = dialect->delimiter};
    while (p.at < p.n) {
        size_t before = out->len;
        if (!plain_record(&p, out)) {
            out->len = before;
            return false;
        }
    }
    return p.expected > 0;
}

/* --- the reader under test ---------------------------------------------------------------------------------- */

static void try_values(const CsvField *field)
{
    static const char *const TYPES[] = {"bool",      "int2",           "int4",       "int8",         "real",
                                        "float8",    "numeric",        "uuid",       "numeric(5,2)", "date",
                                        "timestamp", "timestamptz(3)", "varchar(3)", "char(3)"};
    static const char *const FORMATS[] = {"DD/MM/YYYY HH12:MI:SS.US AM TZH:TZM", "YYMonDDTHH24MISSMS"};
    TEXT_AUTO(out);
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        CsvColumnType type = csv_type_of(TYPES[i]);
        type.utc = true;
        ERROR_AUTO(err);
        size_t before = out.len;
        ValueResult result = value_encode(&type, field->data, field->len, &out);
        require((result == VALUE_OK) == (out.len > before));
        if (result == VALUE_BAD || result == VALUE_OUT_OF_RANGE)
            value_error(&type, NULL, result, field->data, field->len, &err);
    }
    const CsvColumnType zoned = {.type = CSV_TIMESTAMPTZ, .length = -1, .precision = -1};
    for (size_t i = 0; i < sizeof(FORMATS) / sizeof(FORMATS[0]); i++) {
        CsvFormat format;
        require(csv_format_parse(FORMATS[i], CSV_TIMESTAMPTZ, &format, NULL));
        value_encode_format(&zoned, &format, field->data, field->len, &out);
        value_format_text(&zoned, &format, field->data, field->len, &out);
    }
    char *pattern = mem_alloc((size_t)field->len + 1);
    memcpy(pattern, field->data, field->len);
    CsvFormat format;
    ERROR_AUTO(err);
    require(csv_format_parse(pattern, CSV_TIMESTAMP, &format, &err) || err.message);
    csv_type_of(pattern);
    free(pattern);
}

/* True where the file was read to its end. *ret_opened is false where it was refused at once. */
static bool read_all(int fd, bool values, Text *out, CsvDialect *ret_dialect, bool *ret_opened, char *ret_hash)
{
    ERROR_AUTO(err);
    CsvReader *reader = csv_reader_open_fd(fd, "fuzz", NULL, &err);
    *ret_opened = reader != NULL;
    require(reader || err.message);
    if (!reader)
        return false;
    *ret_dialect = *csv_reader_dialect(reader);
    CsvRecord record;
    CsvNext next;
    CsvGuess guess = {0};
    while ((next = csv_reader_next(reader, &record, &err)) == CSV_RECORD) {
        for (size_t i = 0; i < record.count; i++) {
            const CsvField *field = &record.fields[i];
            text_append_char(out, field->quoted ? MARK_QUOTED : MARK_FIELD);
            text_append_n(out, field->data, field->len);
            int line, column;
            csv_record_place(&record, i, &line, &column);
            require(line >= (int)record.line && column >= 1 && field->offset <= record.raw_len);
            if (values)
                try_values(field);
            csv_guess_add(&guess, field->data, field->len, field->quoted);
        }
        text_append_char(out, MARK_RECORD);
    }
    require(next == CSV_END || (err.message && err.file));
    csv_guess_result(&guess);
    csv_reader_hash(reader, ret_hash);
    csv_reader_free(reader);
    return next == CSV_END;
}

static int packets_of(const char *data, size_t n, size_t size)
{
    int fds[2];
    size = size > n / 100 ? size : n / 100 + 1;
    require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
    for (size_t i = 0; i < n; i += size) {
        size_t len = n - i < size ? n - i : size;
        require(send(fds[1], data + i, len, MSG_DONTWAIT) == (ssize_t)len);
    }
    close(fds[1]);
    return fds[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX)
        return 0;
    const char *s = (const char *)data + 1;
    size_t n = size - 1;
    TEXT_AUTO(whole);
    TEXT_AUTO(pieces);
    TEXT_AUTO(plain);
    CsvDialect dialect = {0}, again = {0};
    bool opened, opened_again;
    char hash[CSV_HASH_SIZE], hash_again[CSV_HASH_SIZE];

    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(write(fd, s, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
    bool done = read_all(fd, true, &whole, &dialect, &opened, hash);
    close(fd);
    if (opened) {
        require(plain_read(s, n, &dialect, &plain) == done);
        require(plain.len == whole.len && memcmp(text_str(&plain), text_str(&whole), plain.len) == 0);
    }

    fd = packets_of(s, n, data[0] ? data[0] : 1);
    bool done_again = read_all(fd, false, &pieces, &again, &opened_again, hash_again);
    close(fd);
    /* The delimiter is told from what the first reads give: the same only where it is. */
    if (opened && opened_again && again.delimiter == dialect.delimiter && again.bom_size == dialect.bom_size) {
        require(done == done_again && pieces.len == whole.len);
        require(memcmp(text_str(&pieces), text_str(&whole), whole.len) == 0);
        require(!done || strcmp(hash, hash_again) == 0);
    }
    return 0;
}
