#include "http/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void receive(struct input *input, const char *text)
{
    assert_true(input_reserve(input, 8192) >= strlen(text));
    memcpy(input_end(input), text, strlen(text));
    input_extend(input, strlen(text));
}

static void bytes_are_used_in_order(void **state)
{
    struct input input = {0};

    (void)state;
    assert_int_equal(input_str(&input).length, 0);
    receive(&input, "abcdef");
    input_consume(&input, 2);
    assert_true(str_is(input_str(&input), "cdef"));
    receive(&input, "gh");
    assert_true(str_is(input_str(&input), "cdefgh"));
    input_consume(&input, 6);
    assert_int_equal(input_str(&input).length, 0);
    input_release(&input);
    assert_null(input.bytes);
}

static void it_grows_up_to_its_limit(void **state)
{
    struct input input = {0};
    size_t room = 0;

    (void)state;
    for (room = input_reserve(&input, 10000); room > 0; room = input_reserve(&input, 10000)) {
        memset(input_end(&input), 'x', room);
        input_extend(&input, room);
    }
    assert_int_equal(input_str(&input).length, 10000);
    input_consume(&input, 1);
    assert_int_equal(input_reserve(&input, 10000), 1);
    input_release(&input);
}

static void what_was_received_elsewhere_is_added(void **state)
{
    struct input input = {0};

    (void)state;
    input_append(&input, (struct str){0});
    assert_null(input.bytes);
    input_append(&input, str_from("abc"));
    input_consume(&input, 1);
    input_append(&input, str_from("def"));
    assert_true(str_is(input_str(&input), "bcdef"));
    input_release(&input);
}

static void what_was_used_is_wiped(void **state)
{
    struct input input = {0};

    (void)state;
    input_append(&input, str_from("secret rest"));
    input_consume(&input, 7);
    input_wipe_used(&input);
    assert_memory_equal(input.bytes, "\0\0\0\0\0\0\0rest", 11);
    (void)input_reserve(&input, 64); /* moves to the front */
    assert_memory_equal(input.bytes, "rest\0\0\0\0\0\0\0", 11);
    assert_true(str_is(input_str(&input), "rest"));
    input_release(&input);
    input_wipe_used(&input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_used_in_order),
        cmocka_unit_test(it_grows_up_to_its_limit),
        cmocka_unit_test(what_was_received_elsewhere_is_added),
        cmocka_unit_test(what_was_used_is_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
