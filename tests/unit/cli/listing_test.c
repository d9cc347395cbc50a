#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "cli/listing.h"

static const ListingColumn columns[] = {
    {"run_id", LISTING_NUMBER}, {"name", LISTING_TEXT}, {"ok", LISTING_BOOL}, {"note", LISTING_TEXT}};

static void fill(Listing *listing)
{
    listing_init(listing, columns, 4);
    listing_add(listing, (const char *const[]){"7", "größe", "true", NULL});
    listing_add(listing, (const char *const[]){"1234567", "a\033[2Jb", "false", "a \"quoted\"\nline"});
    listing_add(listing, (const char *const[]){NULL, "x", NULL, "its hunter22 here"});
}

static void expect(const Listing *listing, bool json, const char *text)
{
    char *data = NULL;
    size_t len;
    FILE *out = open_memstream(&data, &len);
    listing_print(listing, json, out);
    fclose(out);
    assert_string_equal(data, text);
    free(data);
}

static void test_text(void **state)
{
    (void)state;
    LISTING_AUTO(listing);
    fill(&listing);
    expect(&listing, false,
           " RUN ID  NAME       OK   NOTE\n"
           "      7  größe      yes\n"
           "1234567  a\\x1b[2Jb  no   a \"quoted\"\\x0aline\n"
           "         x               its *** here\n");
}

static void test_json(void **state)
{
    (void)state;
    LISTING_AUTO(listing);
    fill(&listing);
    expect(&listing, true,
           "[{\"run_id\":7,\"name\":\"größe\",\"ok\":true,\"note\":null},"
           "{\"run_id\":1234567,\"name\":\"a\\u001b[2Jb\",\"ok\":false,\"note\":\"a \\\"quoted\\\"\\nline\"},"
           "{\"run_id\":null,\"name\":\"x\",\"ok\":null,\"note\":\"its *** here\"}]\n");
}

static void test_empty(void **state)
{
    (void)state;
    LISTING_AUTO(listing);
    listing_init(&listing, columns, 4);
    expect(&listing, false, "");
    expect(&listing, true, "[]\n");
}

/* Only what JSON takes for a number goes without quotes. */
static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *json;
    } cases[] = {{"0", "0"},       {"-1", "-1"},     {"1.50", "1.50"},   {"007", "\"007\""},
                 {"1.", "\"1.\""}, {"-", "\"-\""},   {"NaN", "\"NaN\""}, {"1e5", "\"1e5\""},
                 {"", "\"\""},     {"1 ", "\"1 \""}, {".5", "\".5\""},   {"0.5", "0.5"}};
    static const ListingColumn one[] = {{"n", LISTING_NUMBER}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        LISTING_AUTO(listing);
        listing_init(&listing, one, 1);
        listing_add(&listing, &cases[i].cell);
        char text[64];
        snprintf(text, sizeof text, "[{\"n\":%s}]\n", cases[i].json);
        expect(&listing, true, text);
    }
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *people, *json;
    } cases[] = {
        {"2026-01-31 06:15:00.123456+00", "2026-01-31 06:15:00+00", "2026-01-31T06:15:00.123456+00:00"},
        {"2026-01-31 06:15:00+05:30", "2026-01-31 06:15:00+05:30", "2026-01-31T06:15:00+05:30"},
        {"2026-01-31 06:15:00-03", "2026-01-31 06:15:00-03", "2026-01-31T06:15:00-03:00"},
        {"2026-01-31T06:15:00+00:00", "2026-01-31 06:15:00+00", "2026-01-31T06:15:00+00:00"},
        {"2026-01-31T06:15:00+05:30", "2026-01-31 06:15:00+05:30", "2026-01-31T06:15:00+05:30"},
        {"infinity", "infinity", "infinity"},
    };
    static const ListingColumn one[] = {{"t", LISTING_TIME}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        LISTING_AUTO(listing);
        listing_init(&listing, one, 1);
        listing_add(&listing, &cases[i].cell);
        char text[80];
        snprintf(text, sizeof text, "[{\"t\":\"%s\"}]\n", cases[i].json);
        expect(&listing, true, text);
        snprintf(text, sizeof text, "T\n%s\n", cases[i].people);
        expect(&listing, false, text);
    }
}

static void test_long(void **state)
{
    (void)state;
    static const ListingColumn one[] = {{"e", LISTING_LONG}};
    char text[161] = "", expected[512];
    memset(text, 'x', sizeof text - 1);
    LISTING_AUTO(listing);
    listing_init(&listing, one, 1);
    listing_add(&listing, (const char *const[]){text});
    snprintf(expected, sizeof expected, "E\n%.100s...\n", text);
    expect(&listing, false, expected);
    snprintf(expected, sizeof expected, "[{\"e\":\"%s\"}]\n", text);
    expect(&listing, true, expected);
}

/* JSON stays JSON, whatever a secret hides in it. */
static void test_json_cells(void **state)
{
    (void)state;
    static const ListingColumn one[] = {{"row", LISTING_JSON}};
    LISTING_AUTO(listing);
    listing_init(&listing, one, 1);
    listing_add(&listing, (const char *const[]){"{\"a\": [1, null]}"});
    listing_add(&listing, (const char *const[]){"{\"a\": \"hunter22\"}"});
    listing_add(&listing, (const char *const[]){NULL});
    expect(&listing, true, "[{\"row\":{\"a\": [1, null]}},{\"row\":\"{\\\"a\\\": \\\"***\\\"}\"},{\"row\":null}]\n");
}

int main(void)
{
    log_secret("hunter22");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_json),  cmocka_unit_test(test_empty),
        cmocka_unit_test(test_numbers),    cmocka_unit_test(test_times), cmocka_unit_test(test_long),
        cmocka_unit_test(test_json_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
