#include "csv/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "csv/scan.h"

enum {
    BUFFER_START = 256 << 10, /* stays within a core's cache */
    BUFFER_MAX = CSV_RECORD_MAX + (1 << 20),
    BLOCK = 64, /* bytes looked at together; also the room kept behind the buffer for reading past its end */
};

typedef enum LineEnd { LINE_END_UNKNOWN, LINE_END_LF, LINE_END_CR } LineEnd; /* LF is CRLF too */

struct CsvReader {
    int fd;
    bool own_fd;
    char *file;
    CsvDialect dialect;
    uint64_t size;
    uint64_t bytes;
    XXH3_state_t *hash;

    char *buf; /* cap + BLOCK bytes */
    size_t cap;
    size_t begin; /* of the record being read, or to be read next */
    size_t end;   /* of what was read from the file */
    bool eof;
    bool failed;

    /* What was scanned ahead: specials in the block at buf + block that are still to come. */
    uint64_t bits;
    size_t block;
    size_t scanned;
    size_t high_end; /* records that begin before this may hold bytes that are no ASCII */

    uint64_t line;
    LineEnd line_end;
    size_t expected; /* fields of a record; 0 before the header */
    CsvField *fields;
    Text unquoted; /* fields of this record that had doubled quotes */
};

/* The record being read. Positions count from its first byte, so that they outlive a move of the buffer. */
typedef struct Scan {
    const char *base;
    size_t avail; /* bytes at base */
    uint64_t bits;
    size_t block;   /* wraps below zero where the block begins before the record */
    size_t count;   /* fields done */
    size_t field;   /* where the current field begins */
    size_t close;   /* its closing quote, once seen */
    size_t length;  /* of the record without its line end, once seen */
    size_t next;    /* where the next record begins, once seen */
    uint64_t lines; /* line ends inside quotes */
    bool quoted;
    bool inside; /* the quotes of the current field */
    bool doubled;
} Scan;

typedef enum Fill { FILL_OK, FILL_EOF, FILL_LONG, FILL_ERROR } Fill;

/* --- places and errors -------------------------------------------------------------------------------------- */

static int clamp_int(uint64_t n) { return n > INT_MAX ? INT_MAX : (int)n; }

/* The line and column of byte `to` of a record that begins on `line`. */
static void place_of(const char *raw, size_t to, uint64_t line, int *ret_line, int *ret_column)
{
    uint64_t column = 1;
    for (size_t i = 0; i < to; i++) {
        bool line_end = raw[i] == '\n' || (raw[i] == '\r' && !(i + 1 < to && raw[i + 1] == '\n'));
        line += line_end;
        column = line_end ? 1 : column + (((unsigned char)raw[i] & 0xC0) != 0x80);
    }
    *ret_line = clamp_int(line);
    *ret_column = clamp_int(column);
}

void csv_record_place(const CsvRecord *record, size_t i, int *ret_line, int *ret_column)
{
    size_t to = i < record->count ? record->fields[i].offset : record->raw_len;
    place_of(record->raw, to, record->line, ret_line, ret_column);
}

/* Sets the error's place to byte `to` of the current record. Returns false. */
static bool fail_at(CsvReader *r, const Scan *s, size_t to, Error *err)
{
    int line, column;
    place_of(s->base, to, r->line, &line, &column);
    r->failed = true;
    return error_place(err, r->file, line, column);
}

static bool fail_long(CsvReader *r, const Scan *s, Error *err)
{
    error_set(err, ERROR_FAILED, "this record is longer than %d MiB", CSV_RECORD_MAX >> 20);
    if (s->inside)
        error_hint(err, "a quote is opened here and not closed: is the closing quote missing?");
    else
        error_hint(err, "no line end was found: is this a CSV file?");
    return fail_at(r, s, s->inside ? s->field : 0, err);
}

static bool fail_ragged(CsvReader *r, const Scan *s, Error *err)
{
    error_set(err, ERROR_FAILED, "found %zu field%s, expected %zu as in the header", s->count, s->count == 1 ? "" : "s",
              r->expected);
    if (s->count > r->expected) {
        error_hint(err, "a value that holds the delimiter '%s' must stand in quotes",
                   r->dialect.delimiter == '\t' ? "tab" : (char[]){r->dialect.delimiter, '\0'});
        return fail_at(r, s, r->fields[r->expected].offset, err);
    }
    return fail_at(r, s, s->length, err);
}

static CsvNext fail_no_header(CsvReader *r, Error *err)
{
    r->failed = true;
    error_at(err, ERROR_FAILED, r->file, 0, 0, "the file holds nothing but blank lines, expected a header line");
    return CSV_ERROR;
}

/* --- input -------------------------------------------------------------------------------------------------- */

/* Reads once into the room behind r->end. */
static Fill read_more(CsvReader *r, Error *err)
{
    for (;;) {
        if (interrupt_signal() != 0) {
            error_set(err, ERROR_CANCELLED, "interrupted while reading %s", r->file);
            return FILL_ERROR;
        }
        ssize_t n = read(r->fd, r->buf + r->end, r->cap - r->end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_at(err, errno == EISDIR ? ERROR_PROJECT : ERROR_FAILED, r->file, 0, 0, "cannot read: %s",
                     strerror(errno));
            return FILL_ERROR;
        }
        if (n == 0) {
            r->eof = true;
            return FILL_EOF;
        }
        XXH3_128bits_update(r->hash, r->buf + r->end, (size_t)n);
        r->end += (size_t)n;
        memset(r->buf + r->end, 0, BLOCK); /* what a block reads past the end is always the same */
        r->bytes += (uint64_t)n;
        return FILL_OK;
    }
}

/* Makes room: moves the unfinished record to the buffer's start, and grows the buffer where the record fills it. */
static Fill make_room(CsvReader *r)
{
    size_t kept = r->end - r->begin;
    if (kept > CSV_RECORD_MAX)
        return FILL_LONG;
    if (r->begin > 0) {
        memmove(r->buf, r->buf + r->begin, kept);
        r->scanned -= r->begin;
        r->high_end = r->high_end > r->begin ? r->high_end - r->begin : 0;
        r->end = kept;
        r->begin = 0;
    }
    if (r->cap - kept < r->cap / 2 && r->cap < BUFFER_MAX) {
        r->cap = r->cap * 2 < BUFFER_MAX ? r->cap * 2 : BUFFER_MAX;
        r->buf = mem_resize(r->buf, r->cap + BLOCK, 1);
    }
    return FILL_OK;
}

/* More bytes behind the current record's. The fields done so far follow a move. */
static __attribute__((noinline)) Fill fill(CsvReader *r, Scan *s, Error *err)
{
    if (r->eof)
        return FILL_EOF;
    Fill filled = make_room(r);
    if (filled == FILL_OK)
        filled = read_more(r, err);
    s->base = r->buf + r->begin;
    s->avail = r->end - r->begin;
    for (size_t i = 0; i < s->count; i++)
        r->fields[i].data = s->base + r->fields[i].offset + r->fields[i].quoted;
    if (filled == FILL_LONG)
        fail_long(r, s, err);
    r->failed = filled == FILL_LONG || filled == FILL_ERROR;
    return filled;
}

/* --- records ------------------------------------------------------------------------------------------------ */

/* The next byte that matters, or FILL_EOF where none is left. */
static inline Fill next_special(CsvReader *r, Scan *s, size_t *ret_pos, Error *err)
{
    while (s->bits == 0) {
        if (r->scanned == r->end) {
            Fill filled = fill(r, s, err);
            if (filled != FILL_OK)
                return filled;
        }
        size_t n = r->end - r->scanned;
        ScanMask mask = scan_block(r->buf + r->scanned, r->dialect.delimiter, r->dialect.quote);
        if (n < BLOCK) {
            uint64_t valid = (UINT64_C(1) << n) - 1;
            mask.special &= valid;
        } else {
            n = BLOCK;
        }
        s->bits = mask.special;
        s->block = r->scanned - r->begin;
        r->scanned += n;
        if (mask.high)
            r->high_end = r->scanned;
    }
    *ret_pos = s->block + (size_t)__builtin_ctzll(s->bits);
    s->bits &= s->bits - 1;
    return FILL_OK;
}

static bool end_field(CsvReader *r, Scan *s, size_t pos, Error *err)
{
    if (s->count == CSV_COLUMNS_MAX) {
        error_set(err, ERROR_FAILED, "this record has more than %d fields", CSV_COLUMNS_MAX);
        return fail_at(r, s, s->field, err);
    }
    CsvField *field = &r->fields[s->count++];
    if (__builtin_expect(!s->quoted, 1)) {
        *field = (CsvField){s->base + s->field, (uint32_t)(pos - s->field), (uint32_t)s->field, false};
        s->field = pos + 1;
        return true;
    }
    if (pos != s->close + 1) {
        error_set(err, ERROR_FAILED, "text after the closing quote of a field");
        error_hint(err, "a quote inside quotes is written twice");
        return fail_at(r, s, s->close + 1, err);
    }
    *field = (CsvField){s->base + s->field + 1, (uint32_t)(s->close - s->field - 1), (uint32_t)s->field, true};
    s->quoted = false;
    s->field = pos + 1;
    return true;
}

/* Makes byte pos + 1 present where the file has one. */
static bool look_ahead(CsvReader *r, Scan *s, size_t pos, Error *err)
{
    while (pos + 1 == s->avail && !r->eof && !r->failed)
        fill(r, s, err);
    return !r->failed;
}

static bool on_quote(CsvReader *r, Scan *s, size_t pos, Error *err)
{
    if (!s->inside) {
        if (pos == s->field)
            s->inside = s->quoted = true;
        return true; /* elsewhere it is an ordinary character */
    }
    if (!look_ahead(r, s, pos, err))
        return false;
    if (pos + 1 < s->avail && s->base[pos + 1] == r->dialect.quote) {
        s->doubled = true;
        size_t second;
        return next_special(r, s, &second, err) == FILL_OK;
    }
    s->inside = false;
    s->close = pos;
    return true;
}

static bool fail_zero(CsvReader *r, const Scan *s, size_t pos, Error *err)
{
    error_set(err, ERROR_FAILED, "zero byte in the text");
    error_hint(err, "expected CSV text in UTF-8: is this file binary, or damaged?");
    return fail_at(r, s, pos, err);
}

/* A carriage return: false with *ret_done unset is an error. */
static bool on_return(CsvReader *r, Scan *s, size_t pos, bool *ret_done, Error *err)
{
    *ret_done = false;
    if (!look_ahead(r, s, pos, err))
        return false;
    bool at_end = pos + 1 == s->avail, before_lf = !at_end && s->base[pos + 1] == '\n';
    if (s->inside) {
        s->lines += !before_lf; /* else the LF is counted */
        return true;
    }
    size_t skip = 1;
    if (before_lf) {
        size_t lf;
        if (next_special(r, s, &lf, err) != FILL_OK)
            return false;
        skip = 2;
    } else if (!at_end && r->line_end == LINE_END_LF) {
        error_set(err, ERROR_FAILED, "carriage return outside quotes, in a file whose lines end otherwise");
        error_hint(err, "a value that holds a line end must stand in quotes");
        return fail_at(r, s, pos, err);
    }
    if (r->line_end == LINE_END_UNKNOWN)
        r->line_end = before_lf ? LINE_END_LF : LINE_END_CR;
    s->length = pos;
    s->next = pos + skip;
    *ret_done = true;
    return end_field(r, s, pos, err);
}

static bool on_newline(CsvReader *r, Scan *s, size_t pos, Error *err)
{
    if (__builtin_expect(r->line_end == LINE_END_CR, 0)) {
        error_set(err, ERROR_FAILED, "line feed outside quotes, in a file whose lines end in a carriage return");
        error_hint(err, "a value that holds a line end must stand in quotes");
        return fail_at(r, s, pos, err);
    }
    r->line_end = LINE_END_LF;
    s->length = pos;
    s->next = pos + 1;
    return end_field(r, s, pos, err);
}

/* The file ends inside the record. */
static bool on_eof(CsvReader *r, Scan *s, Error *err)
{
    if (s->inside) {
        error_set(err, ERROR_FAILED, "this quote is never closed");
        error_hint(err, "a quote inside quotes is written twice; one that is text must not be first in its field");
        return fail_at(r, s, s->field, err);
    }
    s->length = s->next = s->avail;
    return end_field(r, s, s->avail, err);
}

/* Splits one record, or nothing where s->avail is 0 in the end. */
static bool split(CsvReader *r, Scan *s, Error *err)
{
    const char delimiter = r->dialect.delimiter, quote = r->dialect.quote;
    for (;;) {
        size_t pos;
        Fill filled = next_special(r, s, &pos, err);
        if (__builtin_expect(filled != FILL_OK, 0))
            return filled == FILL_EOF && (s->avail == 0 || on_eof(r, s, err));
        char c = s->base[pos];
        if (c == delimiter) {
            if (!s->inside && !end_field(r, s, pos, err))
                return false;
        } else if (c == '\n') {
            if (!s->inside)
                return on_newline(r, s, pos, err);
            s->lines++;
        } else if (c == quote) {
            if (!on_quote(r, s, pos, err))
                return false;
        } else if (c == '\r') {
            bool done;
            if (!on_return(r, s, pos, &done, err))
                return false;
            if (done)
                return true;
        } else {
            return fail_zero(r, s, pos, err);
        }
    }
}

static bool check_utf8(CsvReader *r, const Scan *s, Error *err)
{
    const char *p = s->base;
    size_t n = s->length, i = 0;
    while (i < n) {
        uint64_t word;
        while (n - i >= sizeof(word) && (memcpy(&word, p + i, sizeof(word)), !(word & UINT64_C(0x8080808080808080))))
            i += sizeof(word);
        if (i == n)
            break;
        size_t len = utf8_len(p + i, n - i);
        if (len == 0) {
            error_set(err, ERROR_FAILED, "byte 0x%02X is not valid UTF-8 here", (unsigned)(unsigned char)p[i]);
            error_hint(err, "is the file in Latin-1 or Windows-1252? convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE");
            return fail_at(r, s, i, err);
        }
        i += len;
    }
    return true;
}

/* Doubled quotes are made one in a copy, so that raw stays as it was. */
static void undouble(CsvReader *r, const Scan *s)
{
    text_reset(&r->unquoted);
    text_reserve(&r->unquoted, s->length); /* at once: fields point into it */
    for (size_t i = 0; i < s->count; i++) {
        CsvField *field = &r->fields[i];
        if (!field->quoted || !memchr(field->data, r->dialect.quote, field->len))
            continue;
        char *to = r->unquoted.data + r->unquoted.len, *start = to;
        for (uint32_t k = 0; k < field->len; k++) {
            *to++ = field->data[k];
            k += field->data[k] == r->dialect.quote;
        }
        field->data = start;
        field->len = (uint32_t)(to - start);
        r->unquoted.len += field->len;
    }
}

static bool is_blank(const CsvReader *r, const Scan *s) { return s->count == 1 && s->length == 0 && r->expected != 1; }

/* Checks a record that was split, and finishes its fields. */
static bool finish(CsvReader *r, Scan *s, Error *err)
{
    if (s->length > CSV_RECORD_MAX)
        return fail_long(r, s, err);
    if (r->begin < r->high_end && !check_utf8(r, s, err))
        return false;
    if (r->expected == 0)
        r->expected = s->count;
    if (s->count != r->expected)
        return fail_ragged(r, s, err);
    if (s->doubled)
        undouble(r, s);
    return true;
}

CsvNext csv_reader_next(CsvReader *r, CsvRecord *ret_record, Error *err)
{
    if (r->failed) {
        error_at(err, ERROR_FAILED, r->file, 0, 0, "reading has failed before");
        return CSV_ERROR;
    }
    for (;;) {
        Scan s = {.base = r->buf + r->begin, .avail = r->end - r->begin, .bits = r->bits};
        s.block = r->block - r->begin;
        if (!split(r, &s, err))
            return CSV_ERROR;
        if (s.count == 0 && r->expected == 0)
            return fail_no_header(r, err);
        if (s.count == 0)
            return CSV_END;
        bool blank = is_blank(r, &s);
        if (!blank && !finish(r, &s, err))
            return CSV_ERROR;
        uint64_t line = r->line;
        r->line += s.lines + 1;
        r->bits = s.bits;
        r->block = s.block + r->begin;
        r->begin += s.next;
        if (blank)
            continue;
        *ret_record = (CsvRecord){r->fields, s.count, line, s.base, s.length};
        return CSV_RECORD;
    }
}

/* --- opening ------------------------------------------------------------------------------------------------ */

/* Reads until the first line is whole, the head is full or the file ends. */
static bool read_head(CsvReader *r, Error *err)
{
    while (!r->eof && r->end < CSV_HEAD) {
        if (read_more(r, err) == FILL_ERROR)
            return false;
        if (memchr(r->buf, '\n', r->end) || memchr(r->buf, '\r', r->end))
            break;
    }
    if (r->end == 0) {
        error_at(err, ERROR_FAILED, r->file, 0, 0, "the file is empty, expected a header line");
        return false;
    }
    size_t n = r->end < CSV_HEAD ? r->end : CSV_HEAD;
    if (!csv_dialect_detect(r->buf, n, r->file, &r->dialect, err))
        return false;
    r->begin = r->block = r->scanned = r->dialect.bom_size;
    return true;
}

static bool check_kind(CsvReader *r, Error *err)
{
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return error_at(err, ERROR_PROJECT, r->file, 0, 0, "cannot open: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_at(err, ERROR_PROJECT, r->file, 0, 0, "this is a directory, expected a CSV file");
    if (S_ISREG(st.st_mode)) {
        r->size = (uint64_t)st.st_size;
        posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return true;
}

static CsvReader *reader_new(int fd, bool own_fd, const char *shown, const CsvDialect *wanted, Error *err)
{
    CsvReader *r = mem_alloc(sizeof(*r));
    r->fd = fd;
    r->own_fd = own_fd;
    r->file = mem_strdup(shown);
    if (wanted)
        r->dialect = *wanted;
    r->line = 1;
    r->cap = BUFFER_START;
    r->buf = mem_alloc(r->cap + BLOCK);
    r->fields = mem_alloc(CSV_COLUMNS_MAX * sizeof(CsvField));
    r->hash = XXH3_createState();
    if (!r->hash)
        abort();
    XXH3_128bits_reset(r->hash);
    if (check_kind(r, err) && read_head(r, err))
        return r;
    csv_reader_free(r);
    return NULL;
}

CsvReader *csv_reader_open(const char *path, const char *shown, const CsvDialect *wanted, Error *err)
{
    if (strcmp(path, "-") == 0)
        return reader_new(STDIN_FILENO, false, shown ? shown : "standard input", wanted, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        error_at(err, ERROR_PROJECT, shown ? shown : path, 0, 0, "cannot open: %s", strerror(errno));
        return NULL;
    }
    return reader_new(fd, true, shown ? shown : path, wanted, err);
}

CsvReader *csv_reader_open_fd(int fd, const char *shown, const CsvDialect *wanted, Error *err)
{
    return reader_new(fd, false, shown, wanted, err);
}

void csv_reader_free(CsvReader *r)
{
    if (!r)
        return;
    if (r->own_fd)
        close(r->fd);
    XXH3_freeState(r->hash);
    text_clear(&r->unquoted);
    free(r->fields);
    free(r->buf);
    free(r->file);
    free(r);
}

void csv_reader_free_p(CsvReader **reader) { csv_reader_free(*reader); }

const CsvDialect *csv_reader_dialect(const CsvReader *r) { return &r->dialect; }

const char *csv_reader_file(const CsvReader *r) { return r->file; }

uint64_t csv_reader_bytes(const CsvReader *r) { return r->bytes; }

uint64_t csv_reader_size(const CsvReader *r) { return r->size; }

void csv_reader_hash(const CsvReader *r, char ret_hash[CSV_HASH_SIZE])
{
    static const char HEX[] = "0123456789abcdef";
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(r->hash));
    for (size_t i = 0; i < sizeof(canonical.digest); i++) {
        ret_hash[2 * i] = HEX[canonical.digest[i] >> 4];
        ret_hash[2 * i + 1] = HEX[canonical.digest[i] & 15];
    }
    ret_hash[CSV_HASH_SIZE - 1] = '\0';
}
