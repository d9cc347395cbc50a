#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pg/conn.h"

static void session_names_are_cut_alike(void **state)
{
    (void)state;
    static const struct {
        const char *project;
        int64_t run_id;
        const char *name;
    } cases[] = {
        {"loans", 0, "sluice/loans"},
        {"loans", 17, "sluice/loans/17"},
        {"b\xC3\xBC\tcher", 1, "sluice/b???cher/1"},
        {"123456789012345678901234567890123456789", 0, "sluice/123456789012345678901234567890123456"},
        {"123456789012345678901234567890123456789", INT64_MAX,
         "sluice/123456789012345678901234567890123456/9223372036854775807"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TEXT_AUTO(name);
        conn_session_name(cases[i].project, cases[i].run_id, &name);
        assert_string_equal(text_str(&name), cases[i].name);
        assert_true(name.len <= NAME_BYTES_MAX); /* which the server takes as it is */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_names_are_cut_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
