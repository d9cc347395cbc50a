#include "ingest/load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "csv/input.h"
#include "csv/value.h"
#include "ingest/header.h"
#include "pg/copy.h"

enum { PIECE = 256 * 1024, PROGRESS_ROWS = 65536 };

/* How a pass over the file ended. */
typedef enum Outcome {
    OUTCOME_DONE,
    OUTCOME_ERROR,
    OUTCOME_UNSURE, /* a value only the server can read: start again in text */
} Outcome;

typedef struct Loader {
    Conn *conn;
    const Load *load;
    const Table *stage;
    bool binary;
    CsvReader *reader;
    CsvColumnType *types;
    CsvFormat *formats; /* count 0 where the column has none */
    size_t *fields;     /* per column: which field of the record */
    Text out;
    int64_t rows;
} Loader;

static void loader_clear(Loader *loader)
{
    csv_reader_free(loader->reader);
    free(loader->types);
    free(loader->formats);
    free(loader->fields);
    text_clear(&loader->out);
}

/* The server's word on the statement that makes the table gets the place of the column it is about, or the source's
 * file where it is about the table. */
static bool place_column(const Load *load, const Text *sql, const size_t *ends, int position, Error *err)
{
    size_t at = 0, i = 0;
    for (int seen = 0; at < sql->len; at++) {
        seen += ((unsigned char)sql->data[at] & 0xC0) != 0x80;
        if (seen == position)
            break;
    }
    while (i <= load->column_count && ends[i] <= at)
        i++;
    if (position < 1 || i == 0 || i > load->column_count)
        return error_place(err, load->columns[0].place.file, 0, 0);
    const Place *place = &load->columns[i - 1].place;
    return error_place(err, place->file, place->line, place->column);
}

bool load_create(Conn *conn, const Load *load, const Table *stage, Error *err)
{
    TEXT_AUTO(sql);
    /* Where the name ends, and each column. */
    size_t *ends CLEANUP(mem_free_p) = mem_alloc((load->column_count + 1) * sizeof *ends);
    text_appendf(&sql, "create table %s (", stage->quoted);
    ends[0] = sql.len;
    for (size_t i = 0; i < load->column_count; i++) {
        if (!conn_format(conn, &sql, err, "%s%I %s", i ? ", " : "", load->columns[i].name, load->columns[i].type))
            return false;
        ends[i + 1] = sql.len;
    }
    text_append(&sql, ")");
    return conn_exec(conn, text_str(&sql), err) || place_column(load, &sql, ends, conn_error_position(conn), err);
}

/* --- the header ------------------------------------------------------------------------------------------------ */

static bool match_header(Loader *loader, const CsvRecord *header, Error *err)
{
    const Load *load = loader->load;
    HeaderColumn *columns CLEANUP(mem_free_p) = mem_alloc(load->column_count * sizeof(HeaderColumn));
    HeaderField *fields CLEANUP(mem_free_p) = mem_alloc(header->count * sizeof(HeaderField));
    for (size_t i = 0; i < load->column_count; i++)
        columns[i] = (HeaderColumn){.name = load->columns[i].name, .header = load->columns[i].header};
    for (size_t i = 0; i < header->count; i++) {
        int line, column;
        csv_record_place(header, i, &line, &column);
        fields[i] = (HeaderField){.text = header->fields[i].data, .len = header->fields[i].len, .column = column};
    }
    return header_match(columns, load->column_count, fields, header->count, load->shown, (int)header->line,
                        loader->fields, err);
}

static bool open_file(Loader *loader, Error *err)
{
    CsvDialect wanted = {.delimiter = loader->load->delimiter};
    csv_reader_free(loader->reader);
    loader->reader = csv_reader_open(loader->load->path, loader->load->shown, &wanted, err);
    if (!loader->reader)
        return false;
    CsvRecord header;
    switch (csv_reader_next(loader->reader, &header, err)) {
    case CSV_RECORD:
        return match_header(loader, &header, err);
    case CSV_END:
        error_at(err, ERROR_FAILED, loader->load->shown, 1, 0, "the file has no header line");
        return error_hint(err, "the first line names the columns");
    case CSV_ERROR:
        break;
    }
    return false;
}

static bool prepare_columns(Loader *loader, Error *err)
{
    const Load *load = loader->load;
    loader->types = mem_alloc(load->column_count * sizeof(CsvColumnType));
    loader->formats = mem_alloc(load->column_count * sizeof(CsvFormat));
    loader->fields = mem_alloc(load->column_count * sizeof(size_t));
    for (size_t i = 0; i < load->column_count; i++) {
        const Column *column = &load->columns[i];
        loader->types[i] = csv_type_of(column->type);
        loader->types[i].utc = load->utc;
        loader->binary = loader->binary && loader->types[i].type != CSV_OTHER;
        if (column->format && !csv_format_parse(column->format, loader->types[i].type, &loader->formats[i], err))
            return error_place(err, column->place.file, column->place.line, column->place.column);
    }
    return true;
}

/* --- rows ------------------------------------------------------------------------------------------------------ */

static bool is_null(const Column *column, const CsvField *field)
{
    if (field->len == 0 && !field->quoted)
        return true;
    for (size_t i = 0; i < column->nulls.count; i++) {
        const char *null = column->nulls.items[i];
        if (strlen(null) == field->len && memcmp(null, field->data, field->len) == 0)
            return true;
    }
    return false;
}

/* "column a: ..." at the field's place in the file */
static bool field_error(const Loader *loader, const CsvRecord *record, size_t i, Error *err)
{
    int line, column;
    csv_record_place(record, loader->fields[i], &line, &column);
    error_prefix(err, "column %s: ", loader->load->columns[i].name);
    return error_place(err, loader->load->shown, line, column);
}

static void append_short(Text *out, unsigned value)
{
    const char bytes[2] = {(char)(value >> 8 & 0xFF), (char)(value & 0xFF)};
    text_append_n(out, bytes, 2);
}

static Outcome append_binary(Loader *loader, const CsvRecord *record, Error *err)
{
    const Load *load = loader->load;
    append_short(&loader->out, (unsigned)load->column_count);
    for (size_t i = 0; i < load->column_count; i++) {
        const CsvField *field = &record->fields[loader->fields[i]];
        if (is_null(&load->columns[i], field)) {
            value_encode_null(&loader->out);
            continue;
        }
        const CsvFormat *format = loader->formats[i].count ? &loader->formats[i] : NULL;
        ValueResult result = format
                                 ? value_encode_format(&loader->types[i], format, field->data, field->len, &loader->out)
                                 : value_encode(&loader->types[i], field->data, field->len, &loader->out);
        if (result == VALUE_OK)
            continue;
        if (result == VALUE_UNSURE)
            return OUTCOME_UNSURE;
        value_error(&loader->types[i], format, result, field->data, field->len, err);
        field_error(loader, record, i, err);
        return OUTCOME_ERROR;
    }
    return OUTCOME_DONE;
}

/* COPY's text format: a backslash before backslash, tab and line ends. */
static void append_escaped(Text *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t plain = i;
        while (plain < n && s[plain] != '\\' && s[plain] != '\t' && s[plain] != '\n' && s[plain] != '\r')
            plain++;
        text_append_n(out, s + i, plain - i);
        if (plain == n)
            return;
        const char *escaped = s[plain] == '\\' ? "\\\\" : s[plain] == '\t' ? "\\t" : s[plain] == '\n' ? "\\n" : "\\r";
        text_append_n(out, escaped, 2);
        i = plain + 1;
    }
}

static Outcome append_text(Loader *loader, const CsvRecord *record, Error *err)
{
    const Load *load = loader->load;
    for (size_t i = 0; i < load->column_count; i++) {
        const CsvField *field = &record->fields[loader->fields[i]];
        if (i)
            text_append_char(&loader->out, '\t');
        if (is_null(&load->columns[i], field)) {
            text_append(&loader->out, "\\N");
            continue;
        }
        const CsvFormat *format = loader->formats[i].count ? &loader->formats[i] : NULL;
        if (!format) {
            append_escaped(&loader->out, field->data, field->len);
            continue;
        }
        ValueResult result = value_format_text(&loader->types[i], format, field->data, field->len, &loader->out);
        if (result == VALUE_OK)
            continue;
        value_error(&loader->types[i], format, result, field->data, field->len, err);
        field_error(loader, record, i, err);
        return OUTCOME_ERROR;
    }
    text_append_char(&loader->out, '\n');
    return OUTCOME_DONE;
}

static bool flush(Loader *loader, Error *err)
{
    if (!copy_put(loader->conn, loader->out.data, loader->out.len, err))
        return false;
    text_reset(&loader->out);
    return true;
}

static void show_progress(const Loader *loader)
{
    uint64_t size = csv_reader_size(loader->reader);
    if (size)
        log_progress("%s: %lld rows, %d %%", loader->load->shown, (long long)loader->rows,
                     (int)((double)csv_reader_bytes(loader->reader) * 100 / (double)size));
    else
        log_progress("%s: %lld rows", loader->load->shown, (long long)loader->rows);
}

static Outcome append_rows(Loader *loader, Error *err)
{
    CsvRecord record;
    CsvNext next;
    while ((next = csv_reader_next(loader->reader, &record, err)) == CSV_RECORD) {
        Outcome outcome = loader->binary ? append_binary(loader, &record, err) : append_text(loader, &record, err);
        if (outcome != OUTCOME_DONE)
            return outcome;
        loader->rows++;
        if (loader->out.len >= PIECE && !flush(loader, err))
            return OUTCOME_ERROR;
        if (loader->rows % PROGRESS_ROWS == 0)
            show_progress(loader);
    }
    return next == CSV_END ? OUTCOME_DONE : OUTCOME_ERROR;
}

/* --- one pass -------------------------------------------------------------------------------------------------- */

static bool begin_copy(Loader *loader, Error *err)
{
    TEXT_AUTO(sql);
    text_appendf(&sql, "copy %s (", loader->stage->quoted);
    for (size_t i = 0; i < loader->load->column_count; i++)
        if (!conn_format(loader->conn, &sql, err, "%s%I", i ? ", " : "", loader->load->columns[i].name))
            return false;
    text_appendf(&sql, ") from stdin (format %s)", loader->binary ? "binary" : "text");
    return copy_begin(loader->conn, text_str(&sql), err);
}

static bool finish_copy(Loader *loader, Error *err)
{
    if (loader->binary)
        append_short(&loader->out, 0xFFFF);
    int64_t taken;
    return flush(loader, err) && copy_end(loader->conn, &taken, err);
}

static Outcome one_pass(Loader *loader, Error *err)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"; /* signature, flags, header extension */
    text_reset(&loader->out);
    loader->rows = 0;
    if (!open_file(loader, err) || !begin_copy(loader, err))
        return OUTCOME_ERROR;
    if (loader->binary)
        text_append_n(&loader->out, head, 19);
    Outcome outcome = append_rows(loader, err);
    if (outcome != OUTCOME_DONE) {
        copy_cancel(loader->conn, "the load was broken off");
        return outcome;
    }
    if (!csv_reader_changed(loader->reader))
        return finish_copy(loader, err) ? OUTCOME_DONE : OUTCOME_ERROR;
    copy_cancel(loader->conn, "the load was broken off");
    error_at(err, ERROR_FAILED, loader->load->shown, 0, 0, "the file changed while it was read");
    error_hint(err, "whoever writes it should write another name, and rename that when it is whole");
    return OUTCOME_ERROR;
}

/* As for the values that are refused on our side. What the server hints at is for psql: a DateStyle. */
static void add_expected(const CsvColumnType *type, bool format, Error *err)
{
    bool datetime = type->type == CSV_DATE || type->type == CSV_TIMESTAMP || type->type == CSV_TIMESTAMPTZ;
    const char *expected = value_expected(type);
    if (!expected || format ||
        !(str_starts(err->sqlstate, "22007") || str_starts(err->sqlstate, "22008") ||
          str_starts(err->sqlstate, "22P02") || str_starts(err->sqlstate, "22003")))
        return;
    error_hint(err, datetime ? "%s; other forms need `format:`" : "%s", expected);
}

/* The server refused a record of a text COPY: finds the place of its field in the file. */
static void place_server_error(Loader *loader, int64_t wanted, const char *column_name, Error *err)
{
    CsvRecord record;
    if (wanted <= 0 || !open_file(loader, NULL))
        return;
    for (int64_t n = 1; csv_reader_next(loader->reader, &record, NULL) == CSV_RECORD; n++) {
        if (n < wanted)
            continue;
        for (size_t i = 0; i < loader->load->column_count; i++)
            if (str_eq(loader->load->columns[i].name, column_name)) {
                field_error(loader, &record, i, err);
                add_expected(&loader->types[i], loader->formats[i].count > 0, err);
                return;
            }
        error_place(err, loader->load->shown, (int)record.line, 0);
        return;
    }
}

bool load_copy(Conn *conn, const Load *load, const Table *stage, LoadResult *ret, Error *err)
{
    Loader loader __attribute__((cleanup(loader_clear))) = {.conn = conn, .load = load, .stage = stage, .binary = true};
    if (!prepare_columns(&loader, err) || !conn_exec(conn, "savepoint sluice_load", err))
        return false;
    Outcome outcome = one_pass(&loader, err);
    if (outcome == OUTCOME_UNSURE) {
        log_debug("%s: holds values that only the server can read: loading as text", load->shown);
        loader.binary = false;
        if (!conn_exec(conn, "rollback to savepoint sluice_load", err))
            return false;
        outcome = one_pass(&loader, err);
    }
    if (outcome == OUTCOME_ERROR) {
        if (err->code == ERROR_FAILED && !err->file)
            place_server_error(&loader, copy_error_record(conn), copy_error_column(conn), err);
        return false;
    }
    *ret = (LoadResult){.rows = loader.rows, .bytes = csv_reader_bytes(loader.reader)};
    csv_reader_hash(loader.reader, ret->hash);
    return true;
}

/* --- lines of failing rows ------------------------------------------------------------------------------------- */

static int by_record(const void *a, const void *b)
{
    const FailedRow *x = *(FailedRow *const *)a, *y = *(FailedRow *const *)b;
    return (x->record > y->record) - (x->record < y->record);
}

/* The rows that know their record, in the order of the file; the caller frees them. */
static FailedRow **wanted_rows(CheckResults *results, size_t *ret_count)
{
    FailedRow **wanted = mem_alloc((results->count * CHECK_ROWS_KEPT + 1) * sizeof(FailedRow *));
    *ret_count = 0;
    for (size_t i = 0; i < results->count; i++)
        for (size_t j = 0; j < results->items[i].row_count; j++)
            if (results->items[i].rows[j].record > 0)
                wanted[(*ret_count)++] = &results->items[i].rows[j];
    qsort(wanted, *ret_count, sizeof *wanted, by_record);
    return wanted;
}

bool load_find_lines(const Load *load, CheckResults *results, Error *err)
{
    size_t count, found = 0;
    FailedRow **wanted CLEANUP(mem_free_p) = wanted_rows(results, &count);
    if (count == 0)
        return true;
    CsvDialect dialect = {.delimiter = load->delimiter};
    CsvReader *reader CLEANUP(csv_reader_free_p) = csv_reader_open(load->path, load->shown, &dialect, err);
    if (!reader)
        return false;
    CsvRecord record;
    for (int64_t n = 0; found < count; n++) { /* record 0 is the header */
        CsvNext next = csv_reader_next(reader, &record, err);
        if (next != CSV_RECORD)
            return next == CSV_END;
        for (; found < count && wanted[found]->record == n; found++)
            wanted[found]->line = (int64_t)record.line;
    }
    return true;
}

bool load_is_same(const char *path, const char *shown, const char *hash, int64_t size, bool *ret_same, Error *err)
{
    char found[CSV_INPUT_HASH_SIZE];
    size_t shift;
    *ret_same = false;
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return true; /* reading it will say what is wrong */
    if (size >= 0 && st.st_size != size)
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    CsvInput in CLEANUP(csv_input_clear);
    if (!csv_input_init(&in, fd, true, shown, err))
        return false;
    CsvFill fill;
    while ((fill = csv_input_fill(&in, SIZE_MAX, &shift, err)) == CSV_FILL_OK)
        in.begin = in.end;
    if (fill == CSV_FILL_ERROR)
        return false;
    csv_input_hash(&in, found);
    *ret_same = str_eq(found, hash);
    return true;
}
