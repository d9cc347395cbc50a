#include "csv/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t g_seed = 42;

static unsigned char random_byte(void)
{
    g_seed = g_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned char)(g_seed >> 56);
}

/* Both versions against a look at every byte. Bytes next to those sought are frequent: a borrow would show there. */
static void finds_exactly_the_special_bytes(void **state)
{
    (void)state;
    static const unsigned char BYTES[] = {0,   1,   '\n', 11,  '\r', 14,   12,   ',', '-',
                                          '+', '"', '#',  '!', 0x80, 0x8A, 0xAC, 0xFF};
    for (int round = 0; round < 20000; round++) {
        char block[64];
        uint64_t special = 0;
        bool high = false;
        for (unsigned i = 0; i < 64; i++) {
            unsigned char c = round % 2 ? random_byte() : BYTES[random_byte() % sizeof(BYTES)];
            c = round % 4 < 2 ? c & 0x7F : c;
            block[i] = (char)c;
            special |= (uint64_t)(c == 0 || c == '\n' || c == '\r' || c == ',' || c == '"') << i;
            high |= c >= 0x80;
        }
        ScanMask native = scan_block(block, ',', '"'), portable = scan_block_portable(block, ',', '"');
        assert_true(native.special == special);
        assert_true(portable.special == special);
        assert_int_equal(native.high != 0, high);
        assert_int_equal(portable.high != 0, high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_exactly_the_special_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
