#include "csv/guess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

enum { MAX = 4 };

static void check_order(const char *const *values, size_t count, bool backwards, CsvGuessed expected)
{
    CsvGuess guess = {0};
    for (size_t i = 0; i < count; i++) {
        const char *value = values[backwards ? count - 1 - i : i];
        csv_guess_add(&guess, value, strlen(value), false);
    }
    CsvGuessed guessed = csv_guess_result(&guess);
    if (guessed.type != expected.type || guessed.doubt != expected.doubt || !str_eq(guessed.format, expected.format))
        fail_msg("%s%s: %s, format %s, doubt %d", values[0], backwards ? ", backwards" : "",
                 csv_type_name(guessed.type), guessed.format ? guessed.format : "none", (int)guessed.doubt);
}

/* The values in both orders: the guess must not depend on it. */
static void check(const char *const *values, CsvGuessed expected)
{
    size_t count = 0;
    while (count < MAX && values[count])
        count++;
    check_order(values, count, false, expected);
    check_order(values, count, true, expected);
}

static void finds_the_narrowest_type(void **state)
{
    (void)state;
    static const struct {
        const char *values[MAX]; /* "" is null */
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
        {{"5/9/23"}, CSV_TEXT},
        {{"2023-05-09", "2023-05-09 10:30"}, CSV_TIMESTAMP},
        {{"2023-05-09T10:30:00Z", "2023-05-09 10:30:00+02"}, CSV_TIMESTAMPTZ},
        {{"2023-05-09T10:30:00Z", "2023-05-09 10:30:00"}, CSV_TEXT},
        {{"infinity"}, CSV_TEXT},
        {{"", ""}, CSV_TEXT},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check(CASES[i].values, (CsvGuessed){.type = CASES[i].type});
    CsvGuess guess = {0};
    csv_guess_add(&guess, "1", 1, false);
    csv_guess_add(&guess, "", 0, true); /* an empty string is a value */
    assert_int_equal(csv_guess_result(&guess).type, CSV_TEXT);
}

static void finds_formats_of_dates(void **state)
{
    (void)state;
    static const struct {
        const char *values[MAX];
        CsvType type;
        const char *format; /* NULL: none */
    } CASES[] = {
        {{"13/01/2023", "", "1/2/2023"}, CSV_DATE, "DD/MM/YYYY"},
        {{"01/02/2023", "01/13/2023"}, CSV_DATE, "MM/DD/YYYY"},
        {{"13/01/2023", "01/13/2023"}, CSV_TEXT, NULL},
        {{"31-12-2023", "01-02-2023"}, CSV_DATE, "DD-MM-YYYY"},
        {{"12-31-2023", "01-02-2023"}, CSV_DATE, "MM-DD-YYYY"},
        {{"13/01/2023", "13-01-2023"}, CSV_TEXT, NULL},
        {{"01.02.2023"}, CSV_DATE, "DD.MM.YYYY"},
        {{"13.13.2023"}, CSV_TEXT, NULL},
        {{"12.31.2023"}, CSV_TEXT, NULL},
        {{"2023/02/01", "2024/2/29"}, CSV_DATE, "YYYY/MM/DD"},
        {{"2023/02/29"}, CSV_TEXT, NULL},
        {{"2023.02.01"}, CSV_DATE, "YYYY.MM.DD"},
        {{"29/02/2024"}, CSV_DATE, "DD/MM/YYYY"},
        {{"29/02/2023"}, CSV_TEXT, NULL},
        {{"13/01/23"}, CSV_TEXT, NULL},
        {{"13/01/2023x"}, CSV_TEXT, NULL},
        {{"13/01/2023 09:30", "14/01/2023 23:59"}, CSV_TIMESTAMP, "DD/MM/YYYY HH24:MI"},
        {{"1/13/2023 9:30"}, CSV_TIMESTAMP, "MM/DD/YYYY HH24:MI"},
        {{"13-01-2023 09:30"}, CSV_TIMESTAMP, "DD-MM-YYYY HH24:MI"},
        {{"01-13-2023 09:30:59"}, CSV_TIMESTAMP, "MM-DD-YYYY HH24:MI:SS"},
        {{"13.01.2023 09:30:59", "", ""}, CSV_TIMESTAMP, "DD.MM.YYYY HH24:MI:SS"},
        {{"2023/01/13 09:30:59"}, CSV_TIMESTAMP, "YYYY/MM/DD HH24:MI:SS"},
        {{"2023.01.13 00:00"}, CSV_TIMESTAMP, "YYYY.MM.DD HH24:MI"},
        {{"13.01.2023 09:30", "13.01.2023 09:30:59"}, CSV_TEXT, NULL},
        {{"13.01.2023", "13.01.2023 09:30"}, CSV_TEXT, NULL},
        {{"13.01.2023 24:00"}, CSV_TEXT, NULL},
        {{"13.01.2023 09:60"}, CSV_TEXT, NULL},
        {{"13/01/2023", "2023-01-13"}, CSV_TEXT, NULL},
        {{"13/01/2023", "13"}, CSV_TEXT, NULL},
        {{"13/01/2023", "NaN"}, CSV_TEXT, NULL},
        {{"13/01/2023", "true"}, CSV_TEXT, NULL},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check(CASES[i].values, (CsvGuessed){CASES[i].type, CASES[i].format, CSV_NO_DOUBT});
}

static void doubts(void **state)
{
    (void)state;
    static const struct {
        const char *values[MAX];
        CsvGuessed guessed;
    } CASES[] = {
        {{"01/02/2023", "12/12/2023"}, {CSV_DATE, "DD/MM/YYYY", CSV_DAY_OR_MONTH}},
        {{"01-02-2023"}, {CSV_DATE, "DD-MM-YYYY", CSV_DAY_OR_MONTH}},
        {{"1/1/2023 10:00"}, {CSV_TIMESTAMP, "DD/MM/YYYY HH24:MI", CSV_DAY_OR_MONTH}},
        {{"01-02-2023 10:00:30"}, {CSV_TIMESTAMP, "DD-MM-YYYY HH24:MI:SS", CSV_DAY_OR_MONTH}},
        {{"12,5"}, {CSV_NUMERIC, NULL, CSV_DECIMAL_COMMA}},
        {{"7", "1.234,50", "-0,25"}, {CSV_NUMERIC, NULL, CSV_DECIMAL_COMMA}},
        {{"1.234", "12,5", " 3 "}, {CSV_NUMERIC, NULL, CSV_DECIMAL_COMMA}},
        {{"1.234.567,8"}, {CSV_NUMERIC, NULL, CSV_DECIMAL_COMMA}},
        {{"12345678901234567890", "1,234", "1,5"}, {CSV_NUMERIC, NULL, CSV_DECIMAL_COMMA}},
        {{"1,234", "12"}, {CSV_NUMERIC, NULL, CSV_COMMAS}},
        {{"1,234,567.50", "0.5", "12"}, {CSV_NUMERIC, NULL, CSV_COMMAS}},
        {{"1,234", "0,5"}, {CSV_NUMERIC, NULL, CSV_DECIMAL_COMMA}},
        {{"1,234.5", "0,5"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{"12.5", "12,5"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{"1234.567,8", "1.23,4"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{"01,5"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{"12,"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{",5"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{"a,b"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{"12,5", "01/02/2023"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
        {{"192.168.100.200"}, {CSV_TEXT, NULL, CSV_NO_DOUBT}},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check(CASES[i].values, CASES[i].guessed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_narrowest_type),
        cmocka_unit_test(finds_formats_of_dates),
        cmocka_unit_test(doubts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
