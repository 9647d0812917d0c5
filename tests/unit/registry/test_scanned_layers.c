#include "registry/scanned_layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/digest.h"
#include "base/memory.h"

enum { THREADS = 4, ROUNDS = 20000 };

static struct digest numbered(unsigned number)
{
    return hasher_digest_of(DIGEST_SHA256, (struct str){(const char *)&number, sizeof(number)});
}

static void what_was_added_is_known(void **state)
{
    struct scanned_layers *layers = memory_new(1, sizeof(*layers));
    const struct digest digest = numbered(1);

    (void)state;
    scanned_layers_init(layers);
    assert_false(scanned_layers_has(layers, &digest));
    scanned_layers_add(layers, &digest);
    assert_true(scanned_layers_has(layers, &digest));
    assert_false(scanned_layers_has(layers, &(struct digest){.bytes = {1}}));
    scanned_layers_release(layers);
    free(layers);
}

/* A newer one at the same place is remembered instead; no other is ever taken for it. */
static void what_is_forgotten_is_unknown(void **state)
{
    struct scanned_layers *layers = memory_new(1, sizeof(*layers));
    unsigned known = 0;

    (void)state;
    scanned_layers_init(layers);
    for (unsigned i = 0; i < 2 * SCANNED_LAYERS_SLOTS; i++) {
        const struct digest digest = numbered(i);

        scanned_layers_add(layers, &digest);
        assert_true(scanned_layers_has(layers, &digest));
    }
    for (unsigned i = 0; i < 3 * SCANNED_LAYERS_SLOTS; i++) {
        const struct digest digest = numbered(i);
        const bool is_known = scanned_layers_has(layers, &digest);

        assert_false(is_known && i >= 2 * SCANNED_LAYERS_SLOTS);
        known += is_known;
    }
    assert_true(known > SCANNED_LAYERS_SLOTS / 2);
    assert_true(known <= SCANNED_LAYERS_SLOTS);
    scanned_layers_release(layers);
    free(layers);
}

static void *add_and_ask(void *context)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct digest digest = numbered(i % 100);

        scanned_layers_add(context, &digest);
        (void)scanned_layers_has(context, &digest);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    struct scanned_layers *layers = memory_new(1, sizeof(*layers));
    pthread_t threads[THREADS];
    const struct digest digest = numbered(5);

    (void)state;
    scanned_layers_init(layers);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_and_ask, layers), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    scanned_layers_add(layers, &digest);
    assert_true(scanned_layers_has(layers, &digest));
    scanned_layers_release(layers);
    free(layers);
}

int main(void)
{
    const struct CMUnitTest scanned_layers[] = {
        cmocka_unit_test(what_was_added_is_known),
        cmocka_unit_test(what_is_forgotten_is_unknown),
        cmocka_unit_test(threads_share_it),
    };

    return cmocka_run_group_tests(scanned_layers, NULL, NULL);
}
