/* CsvInput: the bytes of a file or pipe in a buffer that slides along, and their hash. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

enum {
    CSV_INPUT_PAD = 64, /* bytes behind the buffer that may be read; they are zero */
    CSV_INPUT_HASH_SIZE = 33,
};

typedef enum CsvFill { CSV_FILL_OK, CSV_FILL_EOF, CSV_FILL_LONG, CSV_FILL_ERROR } CsvFill;

typedef struct CsvInput {
    int fd;
    bool own_fd;
    char *file;               /* as errors name it */
    uint64_t size;            /* of a regular file, else 0 */
    struct timespec modified; /* of a regular file, when it was opened */
    uint64_t bytes;           /* read so far */
    void *hash;
    char *buf;
    size_t cap;
    size_t begin; /* set by the user: what is before it is not needed any more */
    size_t end;   /* of what was read */
    bool eof;
} CsvInput;

/* Takes the descriptor over where own_fd is set, also on error. After an error, csv_input_clear() still is due. */
bool csv_input_init(CsvInput *in, int fd, bool own_fd, const char *shown, Error *err);
void csv_input_clear(CsvInput *in);

/* Reads once, and moves what is from begin on to the buffer's start to have the room; the buffer grows where that
 * is more than half of it, and past max bytes the answer is CSV_FILL_LONG. *ret_shift is how far bytes moved. */
CsvFill csv_input_fill(CsvInput *in, size_t max, size_t *ret_shift, Error *err);

/* Whether a regular file was written to, or cut, since it was opened. */
bool csv_input_changed(const CsvInput *in);
/* XXH3-128 of all bytes read so far, in hex. */
void csv_input_hash(const CsvInput *in, char ret_hash[CSV_INPUT_HASH_SIZE]);
