#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void ids_are_hexadecimal_and_differ(void **state)
{
    char a[RANDOM_ID_BYTES];
    char b[RANDOM_ID_BYTES];

    (void)state;
    random_id(a);
    random_id(b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
}

static void all_bytes_are_filled(void **state)
{
    unsigned char bytes[1000] = {0};
    int zeros = 0;

    (void)state;
    random_fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        zeros += bytes[i] == 0;
    }
    assert_true(zeros < 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_hexadecimal_and_differ),
        cmocka_unit_test(all_bytes_are_filled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
