#include "base/ascii.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_one_of(char byte, const char *bytes)
{
    return byte != '\0' && strchr(bytes, byte) != NULL;
}

static void each_byte_is_in_its_classes_only(void **state)
{
    (void)state;
    for (int number = CHAR_MIN; number <= CHAR_MAX; number++) {
        const char byte = (char)number;

        assert_int_equal(ascii_is_lower(byte), is_one_of(byte, LOWER));
        assert_int_equal(ascii_is_upper(byte), is_one_of(byte, UPPER));
        assert_int_equal(ascii_is_letter(byte), is_one_of(byte, LOWER UPPER));
        assert_int_equal(ascii_is_digit(byte), is_one_of(byte, DIGITS));
        assert_int_equal(ascii_is_letter_or_digit(byte), is_one_of(byte, LOWER UPPER DIGITS));
    }
}

static void only_capital_letters_are_made_small(void **state)
{
    (void)state;
    for (int number = CHAR_MIN; number <= CHAR_MAX; number++) {
        const char byte = (char)number;

        assert_int_equal(ascii_lower(byte), ascii_is_upper(byte) ? LOWER[byte - 'A'] : byte);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_in_its_classes_only),
        cmocka_unit_test(only_capital_letters_are_made_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
