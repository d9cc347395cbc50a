#include "csv/reader.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"

static int file_of(const char *data, size_t n)
{
    int fd = memfd_create("csv", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Everything a reader says of a file, in one line: fields in [], those quoted in {}, records by their line, and the
 * error as it is printed. */
static char *read_all(int fd, const CsvDialect *dialect)
{
    Text out = {0};
    ERROR_AUTO(err);
    CsvReader *reader = csv_reader_open_fd(fd, "f.csv", dialect, &err);
    CsvRecord record;
    CsvNext next = reader ? CSV_RECORD : CSV_ERROR;
    while (reader && (next = csv_reader_next(reader, &record, &err)) == CSV_RECORD) {
        text_appendf(&out, "%llu", (unsigned long long)record.line);
        for (size_t i = 0; i < record.count; i++) {
            const CsvField *f = &record.fields[i];
            text_append_char(&out, f->quoted ? '{' : '[');
            text_append_n(&out, f->data, f->len);
            text_append_char(&out, f->quoted ? '}' : ']');
        }
    }
    if (next == CSV_ERROR) {
        char *text = error_text(&err);
        text_append(&out, text);
        free(text);
    }
    csv_reader_free(reader);
    return text_steal(&out);
}

static void check(const char *data, size_t n, const char *expected)
{
    int fd = file_of(data, n);
    char *got = read_all(fd, NULL);
    if (strchr(expected, '~')) /* the rest does not matter */
        got[strlen(got) > strlen(expected) ? strlen(expected) - 1 : strlen(got)] = '\0';
    char *want = mem_strdup(expected);
    want[strcspn(want, "~")] = '\0';
    assert_string_equal(got, want);
    free(want);
    free(got);
    close(fd);
}

typedef struct Case {
    const char *data;
    size_t len;
    const char *expected;
} Case;
#define CASE(data, expected)                                                                                           \
    {                                                                                                                  \
        data, sizeof(data) - 1, expected                                                                               \
    }

static void reads_the_everyday_variants(void **state)
{
    (void)state;
    static const Case CASES[] = {
        CASE("a,b\n1,2\n", "1[a][b]2[1][2]"),
        CASE("a,b\n1,2", "1[a][b]2[1][2]"),
        CASE("a,b\r\n1,2\r\n", "1[a][b]2[1][2]"),
        CASE("a,b\r1,2\r", "1[a][b]2[1][2]"),
        CASE("a,b\r1,2", "1[a][b]2[1][2]"),
        CASE("a,b\n1,2\r\n3,4\n", "1[a][b]2[1][2]3[3][4]"),
        CASE("a,b\n1,2\r", "1[a][b]2[1][2]"),
        CASE("\xEF\xBB\xBF"
             "a,b\n1,2\n",
             "1[a][b]2[1][2]"),
        CASE("\xEF\xBB\xBF\"a\",b\n", "1{a}[b]"),
        CASE("a;b\n1,5;2\n", "1[a][b]2[1,5][2]"),
        CASE("a\tb\n1\t2\n", "1[a][b]2[1][2]"),
        CASE("a|b\n1|2\n", "1[a][b]2[1][2]"),
        CASE("\"a;x\",b\n", "1{a;x}[b]"),
        CASE("a,b\n,\"\"\n", "1[a][b]2[]{}"),
        CASE("a,b\n\"x\"\"y\",\"\"\"\"\n", "1[a][b]2{x\"y}{\"}"),
        CASE("a,b\n\"1,\n2\",3\n4,5\n", "1[a][b]2{1,\n2}[3]4[4][5]"),
        CASE("a,b\r\n\"1\r\n2\",3\r\n4,5\r\n", "1[a][b]2{1\r\n2}[3]4[4][5]"),
        CASE("a,b\r\"1\r2\",3\r4,5\r", "1[a][b]2{1\r2}[3]4[4][5]"),
        CASE("a,b\n5\" pipe,x\"y\"\n", "1[a][b]2[5\" pipe][x\"y\"]"),
        CASE("a,b\n 1 , \"2\"\n", "1[a][b]2[ 1 ][ \"2\"]"),
        CASE("\n\na,b\n\n1,2\n\n\n3,4\n\n", "3[a][b]5[1][2]8[3][4]"),
        CASE("a\n1\n\n2\n", "1[a]2[1]3[]4[2]"),
        CASE("a\n1\n\n", "1[a]2[1]3[]"),
        CASE("\na\n\"\"\n", "2[a]3{}"),
        CASE("a,b\n", "1[a][b]"),
        CASE("a,b\n\\.,1\n", "1[a][b]2[\\.][1]"),
        CASE("a,b\n\xC3\xA4,\xF0\x9F\x98\x80\n", "1[a][b]2[\xC3\xA4][\xF0\x9F\x98\x80]"),
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check(CASES[i].data, CASES[i].len, CASES[i].expected);
}

static void names_line_and_column_of_what_is_wrong(void **state)
{
    (void)state;
    static const Case CASES[] = {
        CASE("", "f.csv: the file is empty, expected a header line"),
        CASE("\n\r\n\n", "f.csv: the file holds nothing but blank lines, expected a header line"),
        CASE("\xEF\xBB\xBF", "f.csv: the file holds nothing but blank lines, expected a header line"),
        CASE("a,b\n1,2,3\n", "1[a][b]f.csv:2:5: found 3 fields, expected 2 as in the header~"),
        CASE("a,b\n\n1\n", "1[a][b]f.csv:3:2: found 1 field, expected 2 as in the header"),
        CASE("a,b\n\"x\ny\",2,3\n", "1[a][b]f.csv:3:6: found 3 fields~"),
        CASE("a,b\n\xC3\xA4\xC3\xA4,2,3\n", "1[a][b]f.csv:2:6: found 3 fields~"),
        CASE("a,b\n1,\"2\n3,4\n", "1[a][b]f.csv:2:3: this quote is never closed~"),
        CASE("a,b\n1,\"2\"x\n", "1[a][b]f.csv:2:6: text after the closing quote of a field~"),
        CASE("a,b\n1,\"2\" \n", "1[a][b]f.csv:2:6: text after the closing quote of a field~"),
        CASE("a,b\n1,\"2\"x", "1[a][b]f.csv:2:6: text after the closing quote of a field~"),
        CASE("a,b\n1,\"2\"\"", "1[a][b]f.csv:2:3: this quote is never closed~"),
        CASE("a,b\n1,x\xE4y\n", "1[a][b]f.csv:2:4: byte 0xE4 is not valid UTF-8 here\nhint: is the file in Latin-1~"),
        CASE("a,b\n1,\xC0\x80\n", "1[a][b]f.csv:2:3: byte 0xC0 is not valid UTF-8 here~"),
        CASE("a,b\n1,\xED\xA0\x80\n", "1[a][b]f.csv:2:3: byte 0xED is not valid UTF-8 here~"),
        CASE("a,b\n1,2\r3,4\n", "1[a][b]f.csv:2:4: carriage return outside quotes~"),
        CASE("a,b\r1,2\n3,4\r", "1[a][b]f.csv:2:4: line feed outside quotes~"),
        CASE("a\0b,c\n", "f.csv: this is a binary file, not CSV text: byte 2 is zero"),
        CASE("\xFF\xFE"
             "a\0,\0b\0\n\0",
             "f.csv: this looks like UTF-16 text, expected CSV text in UTF-8\n"
             "hint: convert it: iconv -f UTF-16 -t UTF-8 FILE"),
        CASE("a\0,\0b\0\n\0", "f.csv: this looks like UTF-16LE text~"),
        CASE("\0a\0,\0b\0\n", "f.csv: this looks like UTF-16BE text~"),
        CASE("\xFF\xFE\0\0a\0\0\0", "f.csv: this looks like UTF-32 text~"),
        CASE("PK\x03\x04zzzz", "f.csv: this looks like a ZIP archive or a spreadsheet~"),
        CASE("\x1F\x8B\x08", "f.csv: this looks like a gzip archive~"),
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check(CASES[i].data, CASES[i].len, CASES[i].expected);
}

static void takes_the_delimiter_it_is_given(void **state)
{
    (void)state;
    int fd = file_of("a,b;c\n1;2,3\n", 12);
    char *got = read_all(fd, &(CsvDialect){.delimiter = ';'});
    assert_string_equal(got, "1[a,b][c]2[1][2,3]");
    free(got);
    close(fd);
}

/* A file in packets: each read gives one. */
static int packets_of(const char *data, size_t n, size_t size)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    for (size_t i = 0; i < n; i += size) {
        size_t len = n - i < size ? n - i : size;
        assert_int_equal(send(fds[1], data + i, len, MSG_DONTWAIT), len);
    }
    close(fds[1]);
    return fds[0];
}

static void reads_the_same_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const char DATA[] =
        "\xEF\xBB\xBFna\xC3\xAFve,b,\"c\"\r\n1,\"x\"\"\r\n,y\",\r\n\r\n\"\",\"\"\"\",\"\"\"\"\"\"\r\n4,5,"
        "a rather long field that makes the record pass the block of 64 bytes\r\n";
    int whole = file_of(DATA, sizeof(DATA) - 1);
    char *expected = read_all(whole, NULL);
    assert_null(strstr(expected, "f.csv"));
    close(whole);
    for (size_t size = 1; size < sizeof(DATA); size++) {
        int fd = packets_of(DATA, sizeof(DATA) - 1, size);
        char *got = read_all(fd, NULL);
        assert_string_equal(got, expected);
        free(got);
        close(fd);
    }
    free(expected);
}

/* Records of every length near the buffer's, so that each kind of byte falls on its edges. */
static void reads_records_around_the_buffer_size(void **state)
{
    (void)state;
    for (size_t around = 256 << 10; around <= 1 << 20; around *= 2) {
        for (size_t len = around - 24; len < around + 8; len++) {
            TEXT_AUTO(data);
            text_append(&data, "a,b\n\"");
            size_t start = data.len;
            text_reserve(&data, len);
            memset(data.data + start, 'x', len);
            data.len += len;
            text_append(&data, "\"\"\",2\r\n3,4\r\n");
            int fd = file_of(data.data, data.len);
            ERROR_AUTO(err);
            CsvReader *reader = csv_reader_open_fd(fd, "f.csv", NULL, &err);
            CsvRecord record;
            assert_int_equal(csv_reader_next(reader, &record, &err), CSV_RECORD);
            assert_int_equal(csv_reader_next(reader, &record, &err), CSV_RECORD);
            assert_int_equal(record.count, 2);
            assert_int_equal(record.fields[0].len, len + 1);
            assert_int_equal(record.fields[0].data[len], '"');
            assert_int_equal(record.raw_len, len + 6);
            assert_int_equal(csv_reader_next(reader, &record, &err), CSV_RECORD);
            assert_memory_equal(record.raw, "3,4", 3);
            assert_int_equal(csv_reader_next(reader, &record, &err), CSV_END);
            assert_int_equal(csv_reader_next(reader, &record, &err), CSV_END);
            csv_reader_free(reader);
            close(fd);
        }
    }
}

/* 10 GB without a line end. Behind the first 18 MiB the file is a hole, whose zero bytes must not be reached. */
static void refuses_a_record_without_end_quickly(void **state)
{
    (void)state;
    static const char *const HEADS[] = {"a,b\n", "a,b\n1,\""};
    static const char *const EXPECTED[] = {
        "f.csv:2:1: this record is longer than 16 MiB\nhint: no line end was found",
        "f.csv:2:3: this record is longer than 16 MiB\nhint: a quote is opened here"};
    for (size_t i = 0; i < 2; i++) {
        TEXT_AUTO(data);
        text_append(&data, HEADS[i]);
        for (size_t n = 0; n < 18 << 20; n += 16)
            text_append(&data, "aaaaaaaaaaaaaaaa");
        int fd = file_of(data.data, data.len);
        assert_int_equal(ftruncate(fd, (off_t)10 << 30), 0);
        char *got = read_all(fd, NULL);
        assert_non_null(strstr(got, EXPECTED[i]));
        assert_true(lseek(fd, 0, SEEK_CUR) <= 40 << 20); /* it did not read on */
        free(got);
        close(fd);
    }
}

static void refuses_too_many_columns(void **state)
{
    (void)state;
    for (size_t columns = CSV_COLUMNS_MAX; columns <= CSV_COLUMNS_MAX + 1; columns++) {
        TEXT_AUTO(data);
        for (size_t i = 1; i < columns; i++)
            text_append(&data, "a,");
        text_append(&data, "a\n");
        int fd = file_of(data.data, data.len);
        char *got = read_all(fd, NULL);
        assert_int_equal(strstr(got, "more than 1600 fields") != NULL, columns > CSV_COLUMNS_MAX);
        free(got);
        close(fd);
    }
}

static void tells_what_cannot_be_opened(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    assert_null(csv_reader_open("/nonexistent/x.csv", "data/x.csv", NULL, &err));
    assert_int_equal(err.code, ERROR_PROJECT);
    char *text = error_text(&err);
    assert_string_equal(text, "data/x.csv: cannot open: No such file or directory");
    free(text);
    char dir[] = "/tmp/reader-test-XXXXXX", fifo[sizeof dir + 8];
    assert_non_null(mkdtemp(dir));
    snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    const struct {
        const char *path, *kind;
    } others[] = {{"/tmp", "directory"}, {"/dev/null", "device"}, {fifo, "pipe"}};
    assert_int_equal(mkfifo(fifo, 0600), 0); /* nobody will ever write to it */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_null(csv_reader_open(others[i].path, NULL, NULL, &err));
        assert_int_equal(err.code, ERROR_PROJECT);
        assert_non_null(strstr(err.message, others[i].kind));
    }
    unlink(fifo);
    rmdir(dir);
}

static void knows_the_place_of_a_field(void **state)
{
    (void)state;
    static const char DATA[] = "a,b,c\n\"\xC3\xA4\n\xE2\x82\xAC\",\xC3\xA4,z\n";
    int fd = file_of(DATA, sizeof(DATA) - 1);
    ERROR_AUTO(err);
    CsvReader *reader = csv_reader_open_fd(fd, "f.csv", NULL, &err);
    CsvRecord record;
    csv_reader_next(reader, &record, &err);
    assert_int_equal(csv_reader_next(reader, &record, &err), CSV_RECORD);
    static const int PLACES[][2] = {{2, 1}, {3, 4}, {3, 6}, {3, 7}};
    for (size_t i = 0; i <= record.count; i++) {
        int line, column;
        csv_record_place(&record, i, &line, &column);
        assert_int_equal(line, PLACES[i][0]);
        assert_int_equal(column, PLACES[i][1]);
    }
    csv_reader_free(reader);
    close(fd);
}

/* The expected hash is that of `xxhsum -H2`. */
static void tells_that_a_file_changed(void **state)
{
    (void)state;
    char path[] = "/tmp/reader-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "a,b\n1,2\n", 8) == 8);
    ERROR_AUTO(err);
    CsvRecord record;
    CsvReader *reader = csv_reader_open(path, NULL, NULL, &err);
    assert_non_null(reader);
    assert_int_equal(csv_reader_next(reader, &record, &err), CSV_RECORD);
    assert_false(csv_reader_changed(reader));
    assert_int_equal(ftruncate(fd, 4), 0);
    assert_true(csv_reader_changed(reader));
    csv_reader_free(reader);
    close(fd);
    unlink(path);
}

static void hashes_all_bytes(void **state)
{
    (void)state;
    static const char DATA[] = "\xEF\xBB\xBF"
                               "a,b\n1,2\n";
    for (int pieces = 0; pieces < 2; pieces++) {
        int fd = pieces ? packets_of(DATA, sizeof(DATA) - 1, 2) : file_of(DATA, sizeof(DATA) - 1);
        ERROR_AUTO(err);
        CsvReader *reader = csv_reader_open_fd(fd, "f.csv", NULL, &err);
        CsvRecord record;
        while (csv_reader_next(reader, &record, &err) == CSV_RECORD)
            continue;
        char hash[CSV_HASH_SIZE];
        csv_reader_hash(reader, hash);
        assert_string_equal(hash, "52e4f6973cef845fac0413018719309f");
        assert_int_equal(csv_reader_bytes(reader), sizeof(DATA) - 1);
        assert_int_equal(csv_reader_size(reader), pieces ? 0 : sizeof(DATA) - 1);
        csv_reader_free(reader);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_everyday_variants),
        cmocka_unit_test(names_line_and_column_of_what_is_wrong),
        cmocka_unit_test(takes_the_delimiter_it_is_given),
        cmocka_unit_test(reads_the_same_in_pieces_of_any_size),
        cmocka_unit_test(reads_records_around_the_buffer_size),
        cmocka_unit_test(refuses_a_record_without_end_quickly),
        cmocka_unit_test(refuses_too_many_columns),
        cmocka_unit_test(tells_what_cannot_be_opened),
        cmocka_unit_test(knows_the_place_of_a_field),
        cmocka_unit_test(tells_that_a_file_changed),
        cmocka_unit_test(hashes_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
