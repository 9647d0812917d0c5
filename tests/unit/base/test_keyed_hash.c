#include "base/keyed_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

/* RFC 4231, test case 2: the derived key is HMAC-SHA256 of the purpose under the secret. */
static void a_derived_key_is_the_hmac_of_its_purpose(void **state)
{
    static const uint8_t expected[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                       0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
                                       0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
                                       0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    struct keyed_hash hash;

    (void)state;
    keyed_hash_derive(&hash, str_from("Jefe"), "what do ya want for nothing?");
    assert_memory_equal(hash.key, expected, sizeof(expected));
    keyed_hash_release(&hash);
    assert_int_equal(hash.key[0], 0);
}

static void lists_that_read_the_same_have_different_hashes(void **state)
{
    const struct str first[] = {STR_LITERAL("ab"), STR_LITERAL("c")};
    const struct str second[] = {STR_LITERAL("a"), STR_LITERAL("bc")};
    uint8_t hashes[3][KEYED_HASH_BYTES];
    struct keyed_hash hash;

    (void)state;
    keyed_hash_init(&hash);
    keyed_hash_of(&hash, first, ARRAY_LEN(first), hashes[0]);
    keyed_hash_of(&hash, second, ARRAY_LEN(second), hashes[1]);
    keyed_hash_of(&hash, first, ARRAY_LEN(first), hashes[2]);
    assert_memory_not_equal(hashes[0], hashes[1], KEYED_HASH_BYTES);
    assert_memory_equal(hashes[0], hashes[2], KEYED_HASH_BYTES);
}

static void another_key_gives_another_hash(void **state)
{
    const struct str part = STR_LITERAL("secret");
    uint8_t hashes[2][KEYED_HASH_BYTES];
    struct keyed_hash one;
    struct keyed_hash other;

    (void)state;
    keyed_hash_init(&one);
    keyed_hash_init(&other);
    keyed_hash_of(&one, &part, 1, hashes[0]);
    keyed_hash_of(&other, &part, 1, hashes[1]);
    assert_memory_not_equal(hashes[0], hashes[1], KEYED_HASH_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_derived_key_is_the_hmac_of_its_purpose),
        cmocka_unit_test(lists_that_read_the_same_have_different_hashes),
        cmocka_unit_test(another_key_gives_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
