#include "csv/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "csv/value.h"

static void reads_values_by_their_format(void **state)
{
    (void)state;
    static const struct {
        const char *type, *format, *value, *expected; /* ISO text, BAD or RANGE */
    } CASES[] = {
        {"date", "DD/MM/YYYY", "09/05/2023", "2023-05-09"},
        {"date", "DD/MM/YYYY", " 9/5/2023 ", "2023-05-09"},
        {"date", "DD/MM/YYYY", "09/05/23", "BAD"},
        {"date", "DD/MM/YYYY", "09/05/20233", "BAD"},
        {"date", "DD/MM/YYYY", "09-05-2023", "BAD"},
        {"date", "DD/MM/YYYY", "09/05/2023 x", "BAD"},
        {"date", "DD/MM/YYYY", "31/02/2023", "RANGE"},
        {"date", "DD/MM/YYYY", "", "BAD"},
        {"date", "DDMMYYYY", "09052023", "2023-05-09"},
        {"date", "DDMMYYYY", "9052023", "BAD"},
        {"date", "DD.MM.YY", "09.05.69", "2069-05-09"},
        {"date", "DD.MM.YY", "09.05.70", "1970-05-09"},
        {"date", "Mon DD, YYYY", "may 9, 2023", "2023-05-09"},
        {"date", "Month DD, YYYY", "September 9, 2023", "2023-09-09"},
        {"date", "Month DD, YYYY", "Sep 9, 2023", "BAD"},
        {"date", "\"day\" DD MM YYYY", "day 9 5 2023", "2023-05-09"},
        {"timestamp", "YYYY-MM-DDTHH24:MI:SS", "2023-05-09T10:30:00", "2023-05-09 10:30:00"},
        {"timestamp", "yyyymmddhh24miss", "20230509103001", "2023-05-09 10:30:01"},
        {"timestamp", "MM/DD/YYYY HH12:MI AM", "5/9/2023 12:30 am", "2023-05-09 00:30:00"},
        {"timestamp", "MM/DD/YYYY HH:MI PM", "5/9/2023 12:30 PM", "2023-05-09 12:30:00"},
        {"timestamp", "MM/DD/YYYY HH:MI PM", "5/9/2023 13:30 PM", "RANGE"},
        {"timestamp", "YYYY-MM-DD HH24:MI:SS.MS", "2023-05-09 10:30:00.5", "2023-05-09 10:30:00.500000"},
        {"timestamp", "YYYY-MM-DD HH24:MI:SS.US", "2023-05-09 10:30:00.000001", "2023-05-09 10:30:00.000001"},
        {"timestamp", "YYYY-MM-DD HH24:MI", "2023-05-09 24:00", "RANGE"},
        {"timestamptz", "YYYY-MM-DD HH24:MI TZH:TZM", "2023-05-09 10:30 -05:30", "2023-05-09 10:30:00-05:30"},
        {"timestamptz", "YYYY-MM-DD HH24:MI", "2023-05-09 10:30", "2023-05-09 10:30:00"},
    };
    static const char *const NAMES[] = {"OK", "BAD", "RANGE", "UNSURE"};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        ERROR_AUTO(err);
        CsvColumnType type = csv_type_of(CASES[i].type);
        CsvFormat format;
        assert_true(csv_format_parse(CASES[i].format, type.type, &format, &err));
        TEXT_AUTO(text);
        ValueResult result = value_format_text(&type, &format, CASES[i].value, strlen(CASES[i].value), &text);
        if (result != VALUE_OK)
            text_append(&text, NAMES[result]);
        assert_string_equal(text_str(&text), CASES[i].expected);
    }
}

static void refuses_patterns_that_mean_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *type, *format, *message;
        int column;
    } CASES[] = {
        {"date", "DD/Q/YYYY", "unknown token \"Q\" in the format \"DD/Q/YYYY\"", 4},
        {"date", "DD/MM", "the format \"DD/MM\" lacks the year, the month or the day", 0},
        {"date", "DD/MM/YYYY DD", "\"DD\" says a second time what the format \"DD/MM/YYYY DD\" has already", 12},
        {"date", "DD/MM/Mon/YYYY", "\"Mon\" says a second time what the format \"DD/MM/Mon/YYYY\" has already", 7},
        {"timestamp", "DD/MM/YYYY HH:MI",
         "HH12 and AM go together, but the format \"DD/MM/YYYY HH:MI\" has one of them", 0},
        {"timestamp", "DD/MM/YYYY TZH",
         "the format \"DD/MM/YYYY TZH\" has an offset, the type timestamp without time zone has none", 0},
        {"date", "DD/MM/YYYY \"x", "a double quote is not closed in the format \"DD/MM/YYYY \"x\"", 12},
        {"integer", "YYYY", "only columns of type date, timestamp and timestamptz have a format", 0},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        ERROR_AUTO(err);
        CsvFormat format;
        assert_false(csv_format_parse(CASES[i].format, csv_type_of(CASES[i].type).type, &format, &err));
        assert_int_equal(err.code, ERROR_PROJECT);
        assert_string_equal(err.message, CASES[i].message);
        assert_int_equal(err.column, CASES[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values_by_their_format),
        cmocka_unit_test(refuses_patterns_that_mean_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
