#include "base/memory_budget.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
        cmocka_unit_test(memory_is_taken_up_to_its_limit),
        cmocka_unit_test(nothing_is_freed),
        cmocka_unit_test(who_waits_gets_what_others_give_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
