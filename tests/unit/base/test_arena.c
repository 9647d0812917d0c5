#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_is_zeroed_and_aligned(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t size = 1; size < 10000; size = size * 3 + 1) {
        const char *bytes = arena_new(&arena, 1, size);

        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(bytes[i], 0);
        }
    }
    arena_release(&arena);
    assert_null(arena.newest);
}

static void the_limit_is_for_all_together(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    assert_non_null(arena_new(&arena, 1, 1000));
    assert_null(arena_new(&arena, 1, 100));
    assert_non_null(arena_new(&arena, 1, 16));
    assert_null(arena_new(&arena, 1, 1));
    assert_null(arena_new(&arena, SIZE_MAX, 2));
    assert_null(arena_text(&arena, str_from("x")));
    assert_null(arena_copy(&arena, str_from("x")).bytes);
    assert_int_equal(arena_copy(&arena, str_from("x")).length, 0);
    assert_null(arena_format(&arena, "%d", 1));
    arena_release(&arena);
    assert_non_null(arena_new(&arena, 1, 1000));
    arena_release(&arena);
}

static void texts_are_copied(void **state)
{
    struct arena arena;
    const struct str with_nul = {"a\0b", 3};

    (void)state;
    arena_init(&arena, 10000);
    assert_string_equal(arena_text(&arena, str_from("abc")), "abc");
    assert_memory_equal(arena_text(&arena, with_nul), "a\0b", 4);
    assert_string_equal(arena_text(&arena, (struct str){0}), "");
    assert_true(str_equal(arena_copy(&arena, with_nul), with_nul));
    assert_string_equal(arena_copy(&arena, (struct str){0}).bytes, "");
    assert_string_equal(arena_format(&arena, "%s-%d", "x", 5), "x-5");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(the_limit_is_for_all_together),
        cmocka_unit_test(texts_are_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
