/* Reads lines `type TAB value` from standard input, the value with \\, \t, \n, \r, \v and \f escaped, and prints for
 * each `OK hex` (the binary form, without its length), `BAD`, `RANGE` or `UNSURE`. A type may end in `@format`. The
 * session's zone is taken as UTC. For values.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv/value.h"

static size_t unescape(char *s)
{
    static const char FROM[] = "\\tnrvf", TO[] = "\\\t\n\r\v\f";
    char *to = s;
    for (const char *p = s; *p; p++) {
        const char *code = *p == '\\' && p[1] ? strchr(FROM, p[1]) : NULL;
        *to++ = code ? TO[code - FROM] : *p;
        p += code != NULL;
    }
    *to = '\0';
    return (size_t)(to - s);
}

static ValueResult encode(char *type_text, const char *value, size_t n, Text *out)
{
    char *pattern = strchr(type_text, '@');
    if (pattern)
        *pattern++ = '\0';
    CsvColumnType type = csv_type_of(type_text);
    type.utc = true;
    if (!pattern)
        return value_encode(&type, value, n, out);
    CsvFormat format;
    ERROR_AUTO(err);
    if (!csv_format_parse(pattern, type.type, &format, &err)) {
        fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
    return value_encode_format(&type, &format, value, n, out);
}

int main(void)
{
    static const char *const NAMES[] = {"OK", "BAD", "RANGE", "UNSURE"};
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        line[len - (line[len - 1] == '\n')] = '\0';
        char *tab = strchr(line, '\t');
        if (!tab)
            return 2;
        *tab = '\0';
        size_t n = unescape(tab + 1);
        TEXT_AUTO(out);
        ValueResult result = encode(line, tab + 1, n, &out);
        printf("%s ", NAMES[result]);
        for (size_t i = 4; result == VALUE_OK && i < out.len; i++)
            printf("%02x", (unsigned)(unsigned char)out.data[i]);
        putchar('\n');
    }
    free(line);
    return 0;
}
