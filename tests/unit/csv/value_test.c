/* What must hold without a server at hand; tests/property/values.py compares with a real one. */
#include "csv/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "OK" and the field in hex, length included, or the result's name. */
static void encoded(const char *type_name, bool utc, const char *value, char *out, size_t size)
{
    static const char *const NAMES[] = {"OK ", "BAD", "RANGE", "UNSURE"};
    CsvColumnType type = csv_type_of(type_name);
    type.utc = utc;
    TEXT_AUTO(text);
    ValueResult result = value_encode(&type, value, strlen(value), &text);
    assert_true(result == VALUE_OK || text.len == 0);
    int at = snprintf(out, size, "%s", NAMES[result]);
    for (size_t i = 0; i < text.len; i++)
        at += snprintf(out + at, size - (size_t)at, "%02x", (unsigned)(unsigned char)text.data[i]);
}

static void encodes_as_the_server_does(void **state)
{
    (void)state;
    static const struct {
        const char *type, *value, *expected;
        bool utc;
    } CASES[] = {
        {"boolean", " TRUE ", "OK 0000000101", false},
        {"boolean", "of", "OK 0000000100", false},
        {"boolean", "o", "BAD", false},
        {"smallint", "-32768", "OK 000000028000", false},
        {"smallint", "32768", "RANGE", false},
        {"integer", " 42\t", "OK 000000040000002a", false},
        {"integer", "2147483648", "RANGE", false},
        {"integer", "1.0", "BAD", false},
        {"integer", "", "BAD", false},
        {"integer", "0x1F", "UNSURE", false},
        {"integer", "1_000", "UNSURE", false},
        {"bigint", "-9223372036854775808", "OK 000000088000000000000000", false},
        {"bigint", "18446744073709551617", "RANGE", false},
        {"real", "3.4028236e38", "RANGE", false},
        {"double precision", "0.1", "OK 000000083fb999999999999a", false},
        {"double precision", "1e-400", "RANGE", false},
        {"double precision", "5e-324", "OK 000000080000000000000001", false},
        {"double precision", "1,5", "BAD", false},
        {"numeric", "-12345.678",
         "OK 0000000e00030001400000030001092"
         "91a7c",
         false},
        {"numeric", "0.00", "OK 000000080000000000000002", false},
        {"numeric(4,1)", "999.95", "RANGE", false},
        {"numeric(4,1)", "-0.05", "OK 0000000a0001ffff4000000103e8", false},
        {"date", "2000-01-01", "OK 0000000400000000", false},
        {"date", "2023-02-29", "RANGE", false},
        {"date", "5/9/2023", "UNSURE", false},
        {"date", "n/a", "BAD", false},
        {"date", "infinity", "OK 000000047fffffff", false},
        {"timestamp", "2000-01-01T00:00:01.5", "OK 00000008000000000016e360", false},
        {"timestamptz", "2000-01-01 02:00:01.5+02", "OK 00000008000000000016e360", false},
        {"timestamptz", "2000-01-01 00:00:01.5", "OK 00000008000000000016e360", true},
        {"timestamptz", "2000-01-01 00:00:01.5", "UNSURE", false},
        {"timestamptz", "2000-01-01 00:00:01.5 Europe/Berlin", "UNSURE", false},
        {"timestamp", "2000-01-01 00:00:01.1234567", "UNSURE", false},
        {"varchar(2)", "\xC3\xA4\xC3\xB6  ", "OK 00000004c3a4c3b6", false},
        {"varchar(2)", "abc", "RANGE", false},
        {"text", "", "OK 00000000", false},
        {"uuid", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}", "OK 00000010a0eebc999c0b4ef8bb6d6bb9bd380a11", false},
        {"uuid", "a0eebc99", "BAD", false},
        {"jsonb", "{}", "UNSURE", false},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char out[200];
        encoded(CASES[i].type, CASES[i].utc, CASES[i].value, out, sizeof(out));
        if (strcmp(out, CASES[i].expected) != 0)
            print_error("%s '%s'\n", CASES[i].type, CASES[i].value);
        assert_string_equal(out, CASES[i].expected);
    }
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        ValueResult result;
        const char *value, *sqlstate, *message;
    } CASES[] = {
        {"int", VALUE_BAD, "a\nb", "22P02", "\"a\\x0ab\" is not valid for type integer"},
        {"int", VALUE_BAD, "", "22P02", "an empty string is not valid for type integer"},
        {"int", VALUE_OUT_OF_RANGE, "9999999999", "22003", "\"9999999999\" is out of range for type integer"},
        {"numeric(3,1)", VALUE_OUT_OF_RANGE, "100", "22003", "\"100\" is out of range for type numeric(3,1)"},
        {"varchar(2)", VALUE_OUT_OF_RANGE,
         "\xC3\xA4"
         "bc",
         "22001",
         "\"\xC3\xA4"
         "bc\" has 3 characters, too long for type character varying(2)"},
        {"date", VALUE_OUT_OF_RANGE, "2023-02-30", "22008",
         "\"2023-02-30\" is no date or time that exists, or out of range for type date"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        ERROR_AUTO(err);
        CsvColumnType type = csv_type_of(CASES[i].type);
        assert_false(value_error(&type, NULL, CASES[i].result, CASES[i].value, strlen(CASES[i].value), &err));
        assert_int_equal(err.code, ERROR_FAILED);
        assert_string_equal(err.message, CASES[i].message);
        assert_string_equal(err.sqlstate, CASES[i].sqlstate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_as_the_server_does),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
