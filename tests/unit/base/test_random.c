#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attributes.h"

static void ids_are_hexadecimal_and_differ(void **state)
{
    char a[RANDOM_ID_BYTES];
    char b[RANDOM_ID_BYTES];

    (void)state;
    random_id(a);
    random_id(b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
}

static void all_bytes_are_filled(void **state)
{
    unsigned char bytes[1000] = {0};
    int zeros = 0;

    (void)state;
    random_fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        zeros += bytes[i] == 0;
    }
    assert_true(zeros < 50);
}

/* The key of the reference implementation's vectors: bytes 0 to 15, as little-endian words. */
static const struct hash_key reference_key = {{0x0706050403020100U, 0x0f0e0d0c0b0a0908U}};

static void reference_vectors_come_out(void **state)
{
    static const struct {
        size_t length;
        uint64_t hash;
    } rows[] = {
        {0, 0x726fdb47dd0e0e31U},
        {1, 0x74f839c593dc67fdU},
        {8, 0x93f5f5799a932462U},
        {15, 0xa129ca6149be45e5U},
    };
    static const char bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(hash_of(&reference_key, (struct str){bytes, rows[i].length}) == rows[i].hash);
    }
}

static void another_key_gives_another_hash(void **state)
{
    const struct str bytes = STR_LITERAL("team/app");
    struct hash_key one;
    struct hash_key other;

    (void)state;
    hash_key_init(&one);
    hash_key_init(&other);
    assert_true(hash_of(&one, bytes) == hash_of(&one, bytes));
    assert_true(hash_of(&one, bytes) != hash_of(&other, bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_hexadecimal_and_differ),
        cmocka_unit_test(all_bytes_are_filled),
        cmocka_unit_test(reference_vectors_come_out),
        cmocka_unit_test(another_key_gives_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
