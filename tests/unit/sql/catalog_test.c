/* Facts of names, looked up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/catalog.h"

static void types_of_time(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        SqlTimeType expected;
    } cases[] = {
        {"date", SQL_TIME_DATE},
        {"smallint", SQL_TIME_INTEGER},
        {"integer", SQL_TIME_INTEGER},
        {"bigint", SQL_TIME_INTEGER},
        {"timestamp without time zone", SQL_TIME_TIMESTAMP},
        {"timestamp(3) without time zone", SQL_TIME_TIMESTAMP},
        {"timestamp with time zone", SQL_TIME_TIMESTAMPTZ},
        {"timestamp(0) with time zone", SQL_TIME_TIMESTAMPTZ},
        {"timestamp(3", SQL_TIME_NONE},
        {"time with time zone", SQL_TIME_NONE},
        {"date[]", SQL_TIME_NONE},
        {"timestamp with time zone[]", SQL_TIME_NONE},
        {"text", SQL_TIME_NONE},
        {NULL, SQL_TIME_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sql_time_type(cases[i].type), cases[i].expected);
}

static void names_are_found(void **state)
{
    (void)state;
    const SqlRelationFacts relations[] = {{.schema = "other", .name = "a"}, {.schema = "public", .name = "a"}};
    const SqlFunctionFacts functions[] = {{.name = "lower", .volatility = 'i'}};
    const SqlCatalog catalog = {
        .schema = "public", .relations = relations, .relation_count = 2, .functions = functions, .function_count = 1};
    assert_ptr_equal(sql_catalog_relation(&catalog, NULL, "a"), &relations[1]);
    assert_ptr_equal(sql_catalog_relation(&catalog, "other", "a"), &relations[0]);
    assert_null(sql_catalog_relation(&catalog, "third", "a"));
    assert_null(sql_catalog_relation(&catalog, NULL, "A"));
    assert_null(sql_catalog_relation(&catalog, NULL, NULL));
    assert_ptr_equal(sql_catalog_function(&catalog, "lower"), functions);
    assert_null(sql_catalog_function(&catalog, "upper"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_time),
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
