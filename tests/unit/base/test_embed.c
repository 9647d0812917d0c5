/* What cmake/embed.cmake makes of a file with every byte: 0 to 255, then 255 to 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { VALUES = 256 };

extern const char all_bytes[];
extern const size_t all_bytes_length;

static void every_byte_is_embedded(void **state)
{
    (void)state;
    assert_int_equal(all_bytes_length, 2 * VALUES);
    for (size_t i = 0; i < VALUES; i++) {
        assert_int_equal((unsigned char)all_bytes[i], i);
        assert_int_equal((unsigned char)all_bytes[2 * VALUES - 1 - i], i);
    }
    assert_int_equal(all_bytes[all_bytes_length], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_embedded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
