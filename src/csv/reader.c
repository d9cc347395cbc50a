#include "csv/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "csv/input.h"
#include "csv/scan.h"

enum { BLOCK = CSV_INPUT_PAD }; /* bytes looked at together */

typedef enum LineEnd { LINE_END_UNKNOWN, LINE_END_LF, LINE_END_CR } LineEnd; /* LF is CRLF too */

struct CsvReader {
    CsvInput in; /* in.begin is where the record being read, or to be read next, begins */
    CsvDialect dialect;
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
    return error_place(err, r->in.file, line, column);
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
    error_at(err, ERROR_FAILED, r->in.file, 0, 0, "the file holds nothing but blank lines, expected a header line");
    return CSV_ERROR;
}

/* --- records ---------------------------------------------------------------------------------------------------- */

/* More bytes behind the current record's. The fields done so far follow a move. */
static __attribute__((noinline)) CsvFill fill(CsvReader *r, Scan *s, Error *err)
{
    size_t shift;
    CsvFill filled = csv_input_fill(&r->in, CSV_RECORD_MAX, &shift, err);
    r->scanned -= shift;
    r->high_end = r->high_end > shift ? r->high_end - shift : 0;
    s->base = r->in.buf + r->in.begin;
    s->avail = r->in.end - r->in.begin;
    for (size_t i = 0; i < s->count; i++)
        r->fields[i].data = s->base + r->fields[i].offset + r->fields[i].quoted;
    if (filled == CSV_FILL_LONG)
        fail_long(r, s, err);
    r->failed |= filled == CSV_FILL_LONG || filled == CSV_FILL_ERROR;
    return filled;
}

/* The next byte that matters, or CSV_FILL_EOF where none is left. */
static inline CsvFill next_special(CsvReader *r, Scan *s, size_t *ret_pos, Error *err)
{
    while (s->bits == 0) {
        if (r->scanned == r->in.end) {
            CsvFill filled = fill(r, s, err);
            if (filled != CSV_FILL_OK)
                return filled;
        }
        size_t n = r->in.end - r->scanned;
        ScanMask mask = scan_block(r->in.buf + r->scanned, r->dialect.delimiter, r->dialect.quote);
        if (n < BLOCK) {
            uint64_t valid = (UINT64_C(1) << n) - 1;
            mask.special &= valid;
        } else {
            n = BLOCK;
        }
        s->bits = mask.special;
        s->block = r->scanned - r->in.begin;
        r->scanned += n;
        if (mask.high)
            r->high_end = r->scanned;
    }
    *ret_pos = s->block + (size_t)__builtin_ctzll(s->bits);
    s->bits &= s->bits - 1;
    return CSV_FILL_OK;
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
    while (pos + 1 == s->avail && !r->in.eof && !r->failed)
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
        return next_special(r, s, &second, err) == CSV_FILL_OK;
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
        if (next_special(r, s, &lf, err) != CSV_FILL_OK)
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
        CsvFill filled = next_special(r, s, &pos, err);
        if (__builtin_expect(filled != CSV_FILL_OK, 0))
            return filled == CSV_FILL_EOF && (s->avail == 0 || on_eof(r, s, err));
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

/* Whether a character of several bytes begins at byte i, and the file ends before it does. */
static bool is_cut_off(const CsvReader *r, const Scan *s, size_t i)
{
    static const char *const rests[] = {"\x80\x80\x80", "\xA0\x80\x80"}; /* one of them goes with any first byte */
    size_t n = s->length - i;
    if (!r->in.eof || s->base + s->length != r->in.buf + r->in.end || n > 3)
        return false;
    for (int k = 0; k < 2; k++) {
        char whole[6];
        memcpy(whole, s->base + i, n);
        memcpy(whole + n, rests[k], 3);
        if (utf8_len(whole, n + 3) > n)
            return true;
    }
    return false;
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
            if (is_cut_off(r, s, i))
                error_hint(err, "the file ends within a character: is it whole?");
            else
                error_hint(err,
                           "is the file in Latin-1 or Windows-1252? convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE");
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
    if (r->in.begin < r->high_end && !check_utf8(r, s, err))
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
        error_at(err, ERROR_FAILED, r->in.file, 0, 0, "reading has failed before");
        return CSV_ERROR;
    }
    for (;;) {
        Scan s = {.base = r->in.buf + r->in.begin, .avail = r->in.end - r->in.begin, .bits = r->bits};
        s.block = r->block - r->in.begin;
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
        r->block = s.block + r->in.begin;
        r->in.begin += s.next;
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
    CsvInput *in = &r->in;
    while (!in->eof && in->end < CSV_HEAD) {
        size_t shift;
        if (csv_input_fill(in, CSV_RECORD_MAX, &shift, err) == CSV_FILL_ERROR)
            return false;
        if (memchr(in->buf, '\n', in->end) || memchr(in->buf, '\r', in->end))
            break;
    }
    if (in->end == 0)
        return error_at(err, ERROR_FAILED, in->file, 0, 0, "the file is empty, expected a header line");
    size_t n = in->end < CSV_HEAD ? in->end : CSV_HEAD;
    if (!csv_dialect_detect(in->buf, n, in->file, &r->dialect, err))
        return false;
    in->begin = r->block = r->scanned = r->dialect.bom_size;
    return true;
}

static CsvReader *reader_new(int fd, bool own_fd, const char *shown, const CsvDialect *wanted, Error *err)
{
    CsvReader *r = mem_alloc(sizeof(*r));
    if (wanted)
        r->dialect = *wanted;
    r->line = 1;
    r->fields = mem_alloc(CSV_COLUMNS_MAX * sizeof(CsvField));
    if (csv_input_init(&r->in, fd, own_fd, shown, err) && read_head(r, err))
        return r;
    csv_reader_free(r);
    return NULL;
}

CsvReader *csv_reader_open(const char *path, const char *shown, const CsvDialect *wanted, Error *err)
{
    shown = shown ? shown : path;
    /* Non-blocking: opening a pipe would wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_at(err, ERROR_PROJECT, shown, 0, 0, "cannot open: %s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        error_at(err, ERROR_PROJECT, shown, 0, 0, "this is a %s, expected a CSV file",
                 S_ISDIR(st.st_mode)    ? "directory"
                 : S_ISFIFO(st.st_mode) ? "pipe"
                                        : "device");
        if (!S_ISDIR(st.st_mode))
            error_hint(err, "write it to a file first: files are read more than once");
    } else {
        return reader_new(fd, true, shown, wanted, err);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

CsvReader *csv_reader_open_fd(int fd, const char *shown, const CsvDialect *wanted, Error *err)
{
    return reader_new(fd, false, shown, wanted, err);
}

void csv_reader_free(CsvReader *r)
{
    if (!r)
        return;
    csv_input_clear(&r->in);
    text_clear(&r->unquoted);
    free(r->fields);
    free(r);
}

void csv_reader_free_p(CsvReader **reader) { csv_reader_free(*reader); }

const CsvDialect *csv_reader_dialect(const CsvReader *r) { return &r->dialect; }

const char *csv_reader_file(const CsvReader *r) { return r->in.file; }

uint64_t csv_reader_bytes(const CsvReader *r) { return r->in.bytes; }

uint64_t csv_reader_size(const CsvReader *r) { return r->in.size; }

bool csv_reader_changed(const CsvReader *r) { return csv_input_changed(&r->in); }

void csv_reader_hash(const CsvReader *r, char ret_hash[CSV_HASH_SIZE]) { csv_input_hash(&r->in, ret_hash); }
