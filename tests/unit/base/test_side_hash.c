#include "base/side_hash.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PIECE_BYTES = 100000, PIECES = 50, CLIENTS = 8 };

static char bytes[PIECE_BYTES];

/* The same bytes again and again, by ones that are too few to be worth a thread as well. */
static struct digest hash_pieces(struct side_hashers *hashers)
{
    struct hasher hasher;

    hasher_init(&hasher, DIGEST_SHA256);
    for (int i = 0; i < PIECES; i++) {
        const size_t length = i % 5 == 0 ? 10 : PIECE_BYTES;
        struct side_hash hash;

        side_hash_begin(hashers, &hash, &hasher, (struct str){bytes, length});
        side_hash_end(hashers, &hash);
    }
    return hasher_digest(&hasher);
}

static void the_digest_is_that_of_one_thread(void **state)
{
    const struct digest alone = hash_pieces(NULL);
    struct side_hashers *hashers = NULL;
    struct digest together;

    (void)state;
    assert_int_equal(side_hashers_new(2, &hashers, NULL), OK);
    together = hash_pieces(hashers);
    assert_true(digest_equal(&alone, &together));
    side_hashers_free(hashers);
}

static void *be_client(void *hashers)
{
    struct digest *digest = malloc(sizeof(*digest));

    *digest = hash_pieces(hashers);
    return digest;
}

/* More than there is a thread for: theirs is hashed, too. */
static void many_are_served_by_one(void **state)
{
    const struct digest alone = hash_pieces(NULL);
    struct side_hashers *hashers = NULL;
    pthread_t clients[CLIENTS];

    (void)state;
    assert_int_equal(side_hashers_new(1, &hashers, NULL), OK);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_create(&clients[i], NULL, be_client, hashers), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        void *digest = NULL;

        assert_int_equal(pthread_join(clients[i], &digest), 0);
        assert_true(digest_equal(&alone, digest));
        free(digest);
    }
    side_hashers_free(hashers);
}

static void several_at_once_do_not_mix(void **state)
{
    struct side_hashers *hashers = NULL;
    struct hasher hashers_of[3];
    struct side_hash hashes[3];

    (void)state;
    assert_int_equal(side_hashers_new(1, &hashers, NULL), OK);
    for (int i = 0; i < 3; i++) {
        hasher_init(&hashers_of[i], DIGEST_SHA512);
        side_hash_begin(hashers, &hashes[i], &hashers_of[i], (struct str){bytes, PIECE_BYTES});
    }
    for (int i = 0; i < 3; i++) {
        const struct digest whole =
            hasher_digest_of(DIGEST_SHA512, (struct str){bytes, PIECE_BYTES});
        struct digest found;

        side_hash_end(hashers, &hashes[i]);
        found = hasher_digest(&hashers_of[i]);
        assert_true(digest_equal(&found, &whole));
    }
    side_hashers_free(hashers);
}

static void none_is_accepted(void **state)
{
    (void)state;
    side_hashers_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_that_of_one_thread),
        cmocka_unit_test(many_are_served_by_one),
        cmocka_unit_test(several_at_once_do_not_mix),
        cmocka_unit_test(none_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
