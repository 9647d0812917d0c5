#include "base/memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
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
    copy = memory_new_text("abcdef", 2);
    assert_string_equal(copy, "ab");
    free(copy);
    copy = memory_new_text(NULL, 0);
    assert_string_equal(copy, "");
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

enum { LIMIT = 100, LONG_MS = 60 * 1000, THREADS = 8, ROUNDS = 500 };

static void memory_is_taken_up_to_its_limit(void **state)
{
    struct memory_budget *memory = memory_budget_new(LIMIT);

    (void)state;
    assert_true(memory_budget_take(memory, 60, 0));
    assert_true(memory_budget_take(memory, 40, 0));
    assert_false(memory_budget_take(memory, 1, 0));
    assert_false(memory_budget_take(memory, 1, 5));
    memory_budget_give(memory, 40);
    assert_false(memory_budget_take(memory, 41, 0));
    assert_true(memory_budget_take(memory, 40, 0));
    memory_budget_give(memory, 100);
    memory_budget_free(memory);
}

static void nothing_is_freed(void **state)
{
    (void)state;
    memory_budget_free(NULL);
}

struct eaters {
    struct memory_budget *memory;
    atomic_int held;
    atomic_int most;
    atomic_int failures;
};

static void *eat(void *argument)
{
    struct eaters *eaters = argument;

    for (int i = 0; i < ROUNDS; i++) {
        const int bytes = 10 + i % 50;
        int held = 0;

        if (!memory_budget_take(eaters->memory, (uint64_t)bytes, LONG_MS)) {
            (void)atomic_fetch_add(&eaters->failures, 1);
            return NULL;
        }
        held = atomic_fetch_add(&eaters->held, bytes) + bytes;
        if (held > atomic_load(&eaters->most)) {
            atomic_store(&eaters->most, held);
        }
        (void)atomic_fetch_sub(&eaters->held, bytes);
        memory_budget_give(eaters->memory, (uint64_t)bytes);
    }
    return NULL;
}

static void who_waits_gets_what_others_give_back(void **state)
{
    struct eaters eaters = {.memory = memory_budget_new(LIMIT)};
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, eat, &eaters), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&eaters.failures), 0);
    assert_true(atomic_load(&eaters.most) <= LIMIT);
    memory_budget_free(eaters.memory); /* asserts that all came back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed_and_can_grow),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(wiped_memory_holds_nothing),
        cmocka_unit_test(memory_of_others_can_grow_and_be_given_back),
        cmocka_unit_test(memory_is_taken_up_to_its_limit),
        cmocka_unit_test(nothing_is_freed),
        cmocka_unit_test(who_waits_gets_what_others_give_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
