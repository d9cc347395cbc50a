/* The part of Starter that reads a CSV file. */

#include "cli/starter.h"
#include "cli/starter_key.h"
#include "csv/guess.h"
#include "csv/reader.h"

static const char *type_name(CsvType type)
{
    switch (type) {
    case CSV_BOOLEAN:
        return "boolean";
    case CSV_INTEGER:
        return "integer";
    case CSV_BIGINT:
        return "bigint";
    case CSV_NUMERIC:
        return "numeric";
    case CSV_DATE:
        return "date";
    case CSV_TIMESTAMP:
        return "timestamp";
    case CSV_TIMESTAMPTZ:
        return "timestamptz";
    default:
        return "text";
    }
}

static void set_type(Arena *arena, CsvGuessed guessed, StarterColumn *ret)
{
    ret->type = type_name(guessed.doubt == CSV_NO_DOUBT ? guessed.type : CSV_TEXT);
    switch (guessed.doubt) {
    case CSV_NO_DOUBT:
        ret->format = guessed.format;
        break;
    case CSV_DAY_OR_MONTH: {
        TEXT_AUTO(format);
        starter_yaml_text(guessed.format, &format);
        ret->remark = arena_printf(arena, "dates, but day or month first? {type: %s, format: %s}",
                                   type_name(guessed.type), text_str(&format));
        break;
    }
    case CSV_DECIMAL_COMMA:
        ret->remark = "numbers with a decimal comma cannot be read as numbers yet";
        break;
    case CSV_COMMAS:
        ret->remark = "numbers with commas cannot be read as numbers yet";
        break;
    }
}

/* Makes an error of the file's content one of the call: nothing was done. */
static bool refused(Error *err)
{
    if (err->code == ERROR_FAILED)
        err->code = ERROR_PROJECT;
    return false;
}

static bool read_names(Starter *starter, CsvReader *reader, Error *err)
{
    CsvRecord record;
    CsvNext next = csv_reader_next(reader, &record, err);
    if (next == CSV_END)
        return error_at(err, ERROR_PROJECT, csv_reader_file(reader), 1, 1, "the file has no header");
    if (next == CSV_ERROR)
        return refused(err);
    const char **headers = arena_array(starter->arena, record.count, sizeof(char *));
    for (size_t i = 0; i < record.count; i++)
        headers[i] = arena_strndup(starter->arena, record.fields[i].data, record.fields[i].len);
    return starter_names(starter, headers, record.count, csv_reader_file(reader), err);
}

/* Types of which the same value is always the same text. */
static bool can_be_key(const StarterColumn *column)
{
    return str_eq(column->type, "integer") || str_eq(column->type, "bigint") || str_eq(column->type, "text") ||
           (str_eq(column->type, "date") && !column->format);
}

/* The first column, and the first few that are called like a key, are watched. */
enum { WATCHED_MAX = 4 };
typedef struct Watched {
    StarterKey keys[WATCHED_MAX];
    size_t columns[WATCHED_MAX];
    size_t count;
} Watched;

static void watched_clear(Watched *watched)
{
    for (size_t i = 0; i < watched->count; i++)
        starter_key_clear(&watched->keys[i]);
}

static void choose_watched(const Starter *starter, Watched *ret)
{
    for (size_t i = 0; i < starter->column_count && ret->count < WATCHED_MAX; i++)
        if (i == 0 || starter_key_name(starter->columns[i].name))
            ret->columns[ret->count++] = i;
}

static bool guess_types(Starter *starter, CsvReader *reader, Error *err)
{
    Watched watched CLEANUP(watched_clear) = {0};
    choose_watched(starter, &watched);
    CsvGuess *guesses = arena_array(starter->arena, starter->column_count, sizeof(CsvGuess));
    CsvRecord record;
    CsvNext next;
    while ((next = csv_reader_next(reader, &record, err)) == CSV_RECORD) {
        for (size_t i = 0; i < starter->column_count && i < record.count; i++)
            csv_guess_add(&guesses[i], record.fields[i].data, record.fields[i].len, record.fields[i].quoted);
        for (size_t i = 0; i < watched.count; i++) {
            const CsvField *field = &record.fields[watched.columns[i]];
            starter_key_add(&watched.keys[i], field->data, field->len, field->quoted);
        }
    }
    if (next == CSV_ERROR)
        return refused(err);
    for (size_t i = 0; i < starter->column_count; i++)
        set_type(starter->arena, csv_guess_result(&guesses[i]), &starter->columns[i]);
    for (size_t i = 0; i < watched.count; i++) {
        StarterColumn *column = &starter->columns[watched.columns[i]];
        column->unique = can_be_key(column) && starter_key_unique(&watched.keys[i]);
    }
    return true;
}

bool starter_columns(Starter *starter, const char *path, const char *shown, Error *err)
{
    CsvReader *reader CLEANUP(csv_reader_free_p) = csv_reader_open(path, shown, NULL, err);
    if (!reader)
        return refused(err);
    return read_names(starter, reader, err) && guess_types(starter, reader, err);
}
