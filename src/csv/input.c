#include "csv/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"
#include "base/interrupt.h"

enum {
    BUFFER_START = 256 << 10, /* stays within a core's cache */
    READ_MAX = BUFFER_START,  /* also once a long record has made the buffer larger */
};

bool csv_input_init(CsvInput *in, int fd, bool own_fd, const char *shown, Error *err)
{
    *in = (CsvInput){.fd = fd, .own_fd = own_fd, .file = mem_strdup(shown)};
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_at(err, ERROR_PROJECT, shown, 0, 0, "cannot open: %s", strerror(errno));
    if (S_ISREG(st.st_mode)) {
        in->size = (uint64_t)st.st_size;
        in->modified = st.st_mtim;
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    in->cap = BUFFER_START;
    in->buf = mem_alloc(in->cap + CSV_INPUT_PAD);
    XXH3_state_t *hash = XXH3_createState();
    if (!hash)
        abort();
    XXH3_128bits_reset(hash);
    in->hash = hash;
    return true;
}

void csv_input_clear(CsvInput *in)
{
    if (in->own_fd)
        close(in->fd);
    XXH3_freeState(in->hash);
    free(in->buf);
    free(in->file);
    *in = (CsvInput){.fd = -1};
}

/* Moves what is still needed to the buffer's start. Returns how far. */
static size_t make_room(CsvInput *in)
{
    size_t shift = in->begin, kept = in->end - shift;
    memmove(in->buf, in->buf + shift, kept);
    in->begin = 0;
    in->end = kept;
    if (kept > in->cap / 2) {
        in->cap *= 2;
        in->buf = mem_resize(in->buf, in->cap + CSV_INPUT_PAD, 1);
    }
    return shift;
}

CsvFill csv_input_fill(CsvInput *in, size_t max, size_t *ret_shift, Error *err)
{
    *ret_shift = 0;
    if (in->eof)
        return CSV_FILL_EOF;
    if (in->end - in->begin > max)
        return CSV_FILL_LONG;
    *ret_shift = make_room(in);
    ssize_t n;
    do {
        if (interrupt_signal() != 0) {
            error_set(err, ERROR_CANCELLED, "interrupted while reading %s", in->file);
            return CSV_FILL_ERROR;
        }
        size_t room = in->cap - in->end;
        n = read(in->fd, in->buf + in->end, room < READ_MAX ? room : READ_MAX);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        error_at(err, ERROR_FAILED, in->file, 0, 0, "cannot read: %s", strerror(errno));
        return CSV_FILL_ERROR;
    }
    in->eof = n == 0;
    XXH3_128bits_update(in->hash, in->buf + in->end, (size_t)n);
    in->end += (size_t)n;
    in->bytes += (uint64_t)n;
    memset(in->buf + in->end, 0, CSV_INPUT_PAD);
    return in->eof ? CSV_FILL_EOF : CSV_FILL_OK;
}

void csv_input_hash(const CsvInput *in, char ret_hash[CSV_INPUT_HASH_SIZE])
{
    static const char HEX[] = "0123456789abcdef";
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(in->hash));
    for (size_t i = 0; i < sizeof(canonical.digest); i++) {
        ret_hash[2 * i] = HEX[canonical.digest[i] >> 4];
        ret_hash[2 * i + 1] = HEX[canonical.digest[i] & 15];
    }
    ret_hash[CSV_INPUT_HASH_SIZE - 1] = '\0';
}

bool csv_input_changed(const CsvInput *in)
{
    struct stat st;
    if (fstat(in->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    return (uint64_t)st.st_size != in->size || st.st_mtim.tv_sec != in->modified.tv_sec ||
           st.st_mtim.tv_nsec != in->modified.tv_nsec;
}
