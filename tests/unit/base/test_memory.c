#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void new_memory_is_zeroed_and_can_grow(void **state)
{
    char *bytes = memory_new(10, 10);

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(bytes[i], 0);
    }
    bytes[99] = 'x';
    bytes = memory_resize(bytes, 1000, 10);
    assert_int_equal(bytes[99], 'x');
    free(bytes);
}

static void texts_are_copied(void **state)
{
    char *copy = memory_copy_text("abc");

    (void)state;
    assert_string_equal(copy, "abc");
    assert_null(memory_copy_text(NULL));
    free(copy);
}

static void wiped_memory_holds_nothing(void **state)
{
    char secret[] = "sesame";
    static const char nothing[sizeof(secret) - 2] = {0};

    (void)state;
    memory_wipe(secret, 0);
    assert_string_equal(secret, "sesame");
    memory_wipe(secret + 1, sizeof(secret) - 2);
    assert_int_equal(secret[0], 's');
    assert_memory_equal(secret + 1, nothing, sizeof(nothing));
}

/* What they wipe is not ours any more: the sanitizers see to it that they are free and realloc. */
static void memory_of_others_can_grow_and_be_given_back(void **state)
{
    char *bytes = NULL;

    (void)state;
    bytes = memory_wipe_and_resize(NULL, 4);
    assert_non_null(bytes);
    memcpy(bytes, "abc", 4);
    bytes = memory_wipe_and_resize(bytes, 1000);
    assert_string_equal(bytes, "abc");
    bytes = memory_wipe_and_resize(bytes, 2);
    assert_memory_equal(bytes, "ab", 2);
    memory_wipe_and_free(bytes);
    memory_wipe_and_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed_and_can_grow),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(wiped_memory_holds_nothing),
        cmocka_unit_test(memory_of_others_can_grow_and_be_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
