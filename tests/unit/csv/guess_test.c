#include "csv/guess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void finds_the_narrowest_type(void **state)
{
    (void)state;
    static const struct {
        const char *values[4]; /* "" is null */
        CsvType type;
    } CASES[] = {
        {{"true", "No", "", "t"}, CSV_BOOLEAN},
        {{"true", "1"}, CSV_TEXT},
        {{"0", "1", "0"}, CSV_INTEGER},
        {{"-5", "", "2147483647"}, CSV_INTEGER},
        {{"1", "2147483648"}, CSV_BIGINT},
        {{"1", "9223372036854775808"}, CSV_NUMERIC},
        {{"1", "0.5"}, CSV_NUMERIC},
        {{"1", "NaN"}, CSV_NUMERIC},
        {{"NaN", "nan"}, CSV_TEXT},
        {{"01234", "94103"}, CSV_TEXT},
        {{"0", "10"}, CSV_INTEGER},
        {{"+4930123456"}, CSV_TEXT},
        {{"1_000"}, CSV_TEXT},
        {{"2023-05-09", "2024-02-29"}, CSV_DATE},
        {{"2023-05-09", "2023-02-29"}, CSV_TEXT},
        {{"20230509"}, CSV_INTEGER},
        {{"5/9/2023"}, CSV_TEXT},
        {{"2023-05-09", "2023-05-09 10:30"}, CSV_TIMESTAMP},
        {{"2023-05-09T10:30:00Z", "2023-05-09 10:30:00+02"}, CSV_TIMESTAMPTZ},
        {{"2023-05-09T10:30:00Z", "2023-05-09 10:30:00"}, CSV_TEXT},
        {{"infinity"}, CSV_TEXT},
        {{"", ""}, CSV_TEXT},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        CsvGuess guess = {0};
        for (size_t k = 0; k < 4 && CASES[i].values[k]; k++)
            csv_guess_add(&guess, CASES[i].values[k], strlen(CASES[i].values[k]), false);
        if (csv_guess_type(&guess) != CASES[i].type)
            print_error("%s\n", CASES[i].values[0]);
        assert_int_equal(csv_guess_type(&guess), CASES[i].type);
    }
    CsvGuess guess = {0};
    csv_guess_add(&guess, "1", 1, false);
    csv_guess_add(&guess, "", 0, true); /* an empty string is a value */
    assert_int_equal(csv_guess_type(&guess), CSV_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_narrowest_type)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
