#include "csv/dialect.h"

#include <string.h>

/* Files that people take for CSV, by their first bytes. */
static const struct {
    const char *magic;
    size_t size;
    const char *what;
    const char *hint;
} MAGICS[] = {
    {"\xFF\xFE\x00\x00", 4, "UTF-32 text", "convert it: iconv -f UTF-32 -t UTF-8 FILE"},
    {"\x00\x00\xFE\xFF", 4, "UTF-32 text", "convert it: iconv -f UTF-32 -t UTF-8 FILE"},
    {"\xFF\xFE", 2, "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8 FILE"},
    {"\xFE\xFF", 2, "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8 FILE"},
    {"\x1F\x8B", 2, "a gzip archive", "unpack it first: gunzip FILE"},
    {"\x28\xB5\x2F\xFD", 4, "a zstd archive", "unpack it first: unzstd FILE"},
    {"PK\x03\x04", 4, "a ZIP archive or a spreadsheet", "unpack it first, or save the sheet as CSV in UTF-8"},
    {"\xD0\xCF\x11\xE0", 4, "an old spreadsheet", "save the sheet as CSV in UTF-8"},
    {"SQLite format 3", 15, "an SQLite database", NULL},
    {"PAR1", 4, "a Parquet file", NULL},
    {"%PDF-", 5, "a PDF document", NULL},
};

static bool check_encoding(const char *head, size_t n, const char *file, Error *err)
{
    for (size_t i = 0; i < sizeof(MAGICS) / sizeof(MAGICS[0]); i++) {
        if (n < MAGICS[i].size || memcmp(head, MAGICS[i].magic, MAGICS[i].size) != 0)
            continue;
        error_at(err, ERROR_FAILED, file, 0, 0, "this looks like %s, expected CSV text in UTF-8", MAGICS[i].what);
        return MAGICS[i].hint ? error_hint(err, "%s", MAGICS[i].hint) : false;
    }
    size_t zeros[2] = {0, 0};
    for (size_t i = 0; i < n; i++)
        zeros[i & 1] += head[i] == '\0';
    if (zeros[0] + zeros[1] == 0)
        return true;
    /* Text of mostly Latin letters in UTF-16 has a zero byte in about every second place, always on the same side. */
    bool little = zeros[0] == 0 && zeros[1] > n / 4, big = zeros[1] == 0 && zeros[0] > n / 4;
    if (little || big) {
        const char *encoding = little ? "UTF-16LE" : "UTF-16BE";
        error_at(err, ERROR_FAILED, file, 0, 0, "this looks like %s text, expected CSV text in UTF-8", encoding);
        return error_hint(err, "convert it: iconv -f %s -t UTF-8 FILE", encoding);
    }
    const char *zero = memchr(head, '\0', n);
    error_at(err, ERROR_FAILED, file, 0, 0, "this is a binary file, not CSV text: byte %zu is zero",
             (size_t)(zero - head) + 1);
    return false;
}

static const char CANDIDATES[] = {',', ';', '\t', '|'};
enum { CANDIDATE_COUNT = sizeof(CANDIDATES) };

static char detect_delimiter(const char *s, size_t n, char quote)
{
    size_t counts[CANDIDATE_COUNT] = {0}, i = 0;
    while (i < n && (s[i] == '\n' || s[i] == '\r'))
        i++;
    bool inside = false, may_open = true; /* a quote opens only at the start of a field */
    for (; i < n; i++) {
        char c = s[i];
        if (inside) {
            inside = c != quote;
            may_open = !inside; /* a doubled quote goes on */
            continue;
        }
        if (c == '\n' || c == '\r')
            break;
        if (c == quote && may_open) {
            inside = true;
            continue;
        }
        may_open = false;
        for (size_t k = 0; k < CANDIDATE_COUNT; k++) {
            if (c == CANDIDATES[k]) {
                counts[k]++;
                may_open = true;
            }
        }
    }
    size_t best = 0;
    for (size_t k = 1; k < CANDIDATE_COUNT; k++)
        if (counts[k] > counts[best])
            best = k;
    return CANDIDATES[best];
}

bool csv_dialect_detect(const char *head, size_t n, const char *file, CsvDialect *dialect, Error *err)
{
    if (!check_encoding(head, n, file, err))
        return false;
    if (!dialect->quote)
        dialect->quote = '"';
    dialect->bom_size = n >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    if (!dialect->delimiter)
        dialect->delimiter = detect_delimiter(head + dialect->bom_size, n - dialect->bom_size, dialect->quote);
    return true;
}

bool csv_delimiter_of(const char *text, char *ret_delimiter, Error *err)
{
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        text = "\t";
    char c = text[0];
    bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    bool plain = (c == '\t' || (c >= ' ' && c < 0x7F)) && c != '"' && !word;
    if (!plain || text[1] != '\0') {
        error_set(err, ERROR_PROJECT, "\"%.20s\" cannot be a delimiter", text);
        return error_hint(
            err, "expected one ASCII character that is no letter, digit or quote, such as \",\" or \";\", or tab");
    }
    *ret_delimiter = c;
    return true;
}
