#include "csv/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void knows_names_and_modifiers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        CsvType type;
        int length, precision, scale;
    } CASES[] = {
        {"int", CSV_INTEGER, -1, -1, 0},
        {"INT4", CSV_INTEGER, -1, -1, 0},
        {" Integer ", CSV_INTEGER, -1, -1, 0},
        {"int8", CSV_BIGINT, -1, -1, 0},
        {"int2", CSV_SMALLINT, -1, -1, 0},
        {"bool", CSV_BOOLEAN, -1, -1, 0},
        {"double   precision", CSV_DOUBLE, -1, -1, 0},
        {"float", CSV_DOUBLE, -1, -1, 0},
        {"float(24)", CSV_REAL, -1, -1, 0},
        {"float(25)", CSV_DOUBLE, -1, -1, 0},
        {"float(54)", CSV_OTHER, -1, -1, 0},
        {"numeric", CSV_NUMERIC, -1, -1, 0},
        {"decimal(10,2)", CSV_NUMERIC, -1, 10, 2},
        {"dec ( 10 , 2 )", CSV_NUMERIC, -1, 10, 2},
        {"numeric(5)", CSV_NUMERIC, -1, 5, 0},
        {"numeric(2,3)", CSV_OTHER, -1, -1, 0},
        {"numeric(5,-2)", CSV_OTHER, -1, -1, 0},
        {"numeric(1001)", CSV_OTHER, -1, -1, 0},
        {"numeric(5,2,1)", CSV_OTHER, -1, -1, 0},
        {"character varying(20)", CSV_VARCHAR, 20, -1, 0},
        {"varchar", CSV_VARCHAR, -1, -1, 0},
        {"varchar(0)", CSV_OTHER, -1, -1, 0},
        {"varchar(10485761)", CSV_OTHER, -1, -1, 0},
        {"char", CSV_CHAR, 1, -1, 0},
        {"character(3)", CSV_CHAR, 3, -1, 0},
        {"bpchar", CSV_CHAR, -1, -1, 0},
        {"timestamp", CSV_TIMESTAMP, -1, -1, 0},
        {"timestamp (3) without time zone", CSV_TIMESTAMP, -1, 3, 0},
        {"TIMESTAMP WITH TIME ZONE", CSV_TIMESTAMPTZ, -1, -1, 0},
        {"timestamp(0)with time zone", CSV_TIMESTAMPTZ, -1, 0, 0},
        {"timestamptz(7)", CSV_OTHER, -1, -1, 0},
        {"uuid", CSV_UUID, -1, -1, 0},
        {"date", CSV_DATE, -1, -1, 0},
        {"text", CSV_TEXT, -1, -1, 0},
        {"text[]", CSV_OTHER, -1, -1, 0},
        {"int(4)", CSV_OTHER, -1, -1, 0},
        {"\"char\"", CSV_OTHER, -1, -1, 0},
        {"jsonb", CSV_OTHER, -1, -1, 0},
        {"varchar(5", CSV_OTHER, -1, -1, 0},
        {"varchar()", CSV_OTHER, -1, -1, 0},
        {"varchar(5)(5)", CSV_OTHER, -1, -1, 0},
        {"varchar(99999999999999999999)", CSV_OTHER, -1, -1, 0},
        {"int; drop table x", CSV_OTHER, -1, -1, 0},
        {"a name that is longer than any type name that we know", CSV_OTHER, -1, -1, 0},
        {"", CSV_OTHER, -1, -1, 0},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        CsvColumnType type = csv_type_of(CASES[i].name);
        if (type.type != CASES[i].type)
            print_error("%s\n", CASES[i].name);
        assert_int_equal(type.type, CASES[i].type);
        assert_int_equal(type.length, CASES[i].length);
        assert_int_equal(type.precision, CASES[i].precision);
        assert_int_equal(type.scale, CASES[i].scale);
        assert_false(type.utc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(knows_names_and_modifiers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
