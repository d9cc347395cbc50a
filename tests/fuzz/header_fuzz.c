/* Lines of the input are columns (`name`, or `name=header`) up to an empty line, and headers of the file after it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "ingest/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIDE_MAX = 64, INPUT_MAX = 4096 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The normal form is in its form already, and holds what the header says it does. */
static void check_normal(const char *s, size_t n)
{
    TEXT_AUTO(once);
    TEXT_AUTO(twice);
    header_normalise(s, n, &once);
    header_normalise(text_str(&once), once.len, &twice);
    require(once.len <= n + n / 2 && once.len == twice.len && memcmp(text_str(&once), text_str(&twice), once.len) == 0);
    for (size_t i = 0, len; i < once.len; i += len)
        require((len = utf8_len(once.data + i, once.len - i)) > 0);
    require(once.len == 0 || (once.data[0] != '_' && once.data[once.len - 1] != '_' && !strstr(once.data, "__")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    char *text = mem_alloc(size + 1), *line = text;
    memcpy(text, data, size);
    HeaderColumn columns[SIDE_MAX];
    HeaderField fields[SIDE_MAX];
    size_t ret[SIDE_MAX], n_columns = 0, n_fields = 0;
    bool in_columns = true;
    while (line < text + size) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + 1;
        line[len] = '\0';
        if (in_columns && len == 0) {
            in_columns = false;
        } else if (in_columns && n_columns < SIDE_MAX) {
            char *header = strchr(line, '=');
            if (header)
                *header++ = '\0';
            columns[n_columns++] = (HeaderColumn){line, header};
        } else if (!in_columns && n_fields < SIDE_MAX) {
            check_normal(line, len);
            fields[n_fields] = (HeaderField){line, len, (int)n_fields + 1};
            n_fields++;
        }
        line = next;
    }
    ERROR_AUTO(err);
    if (header_match(columns, n_columns, fields, n_fields, "fuzz", 1, ret, &err)) {
        require(n_columns == n_fields);
        bool taken[SIDE_MAX] = {false};
        for (size_t i = 0; i < n_columns; i++) {
            require(ret[i] < n_fields && !taken[ret[i]]);
            taken[ret[i]] = true;
        }
    } else {
        require(err.message && err.code == ERROR_FAILED);
    }
    free(text);
    return 0;
}
