#include "base/hasher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void hashes_are_the_published_ones(void **state)
{
    /* FIPS 180-2, "abc" */
    static const char sha256[] =
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char sha512[] =
        "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    char text[DIGEST_TEXT_BYTES];
    struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("abc"));

    (void)state;
    digest_format(&digest, text);
    assert_string_equal(text, sha256);
    digest = hasher_digest_of(DIGEST_SHA512, str_from("abc"));
    digest_format(&digest, text);
    assert_string_equal(text, sha512);
}

static void a_saved_hash_goes_on(void **state)
{
    const struct digest whole = hasher_digest_of(DIGEST_SHA256, str_from("hello, world"));
    struct hasher first;
    struct hasher second;
    struct digest digest;
    char saved[HASHER_SAVED_BYTES];

    (void)state;
    hasher_init(&first, DIGEST_SHA256);
    hasher_update(&first, str_from("hello, "));
    memcpy(saved, hasher_save(&first).bytes, sizeof(saved));
    assert_true(hasher_restore(&second, (struct str){saved, sizeof(saved)}));
    hasher_update(&second, str_from("world"));
    digest = hasher_digest(&second);
    assert_true(digest_equal(&digest, &whole));
    digest = hasher_digest(&second);
    assert_true(digest_equal(&digest, &whole));
}

static void what_was_not_saved_is_not_restored(void **state)
{
    struct hasher hasher;
    char saved[HASHER_SAVED_BYTES];

    (void)state;
    memset(saved, 0xff, sizeof(saved));
    assert_false(hasher_restore(&hasher, (struct str){saved, sizeof(saved)}));
    assert_false(hasher_restore(&hasher, (struct str){saved, sizeof(saved) - 1}));
    assert_false(hasher_restore(&hasher, (struct str){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_the_published_ones),
        cmocka_unit_test(a_saved_hash_goes_on),
        cmocka_unit_test(what_was_not_saved_is_not_restored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
