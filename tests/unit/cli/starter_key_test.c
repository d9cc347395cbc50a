/* Columns whose every value occurs once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/starter_key.h"

static bool unique_of(const char *const *values)
{
    StarterKey key = {0};
    for (; *values; values++)
        starter_key_add(&key, *values, strlen(*values), false);
    bool unique = starter_key_unique(&key);
    starter_key_clear(&key);
    return unique;
}

static void tells_what_is_unique(void **state)
{
    (void)state;
    assert_true(unique_of((const char *const[]){"1", "2", "10", NULL}));
    assert_false(unique_of((const char *const[]){"1", "2", "1", NULL}));
    assert_false(unique_of((const char *const[]){"1", "", NULL})); /* null */
    assert_false(unique_of((const char *const[]){"1", "1", "2", "3", NULL}));
    assert_false(unique_of((const char *const[]){"1", NULL})); /* one row tells nothing */
    assert_false(unique_of((const char *const[]){NULL}));
}

static void is_bounded(void **state)
{
    StarterKey key = {0};
    char text[24];
    (void)state;
    for (int i = 0; i <= STARTER_KEY_ROWS_MAX; i++) {
        assert_int_equal(starter_key_unique(&key), i > 1);
        starter_key_add(&key, text, (size_t)snprintf(text, sizeof text, "%d", i), false);
    }
    assert_false(starter_key_unique(&key));
    assert_null(key.slots);
    starter_key_clear(&key);
}

static void knows_names(void **state)
{
    static const char *const keys[] = {"id", "order_id", "key", "row_key", "uuid"};
    static const char *const others[] = {"paid", "monkey", "id_of_order", "day", "identity"};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_true(starter_key_name(keys[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(starter_key_name(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_what_is_unique), cmocka_unit_test(is_bounded),
                                       cmocka_unit_test(knows_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
