#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX32 "0123456789abcdef0123456789abcdef"

static void good_digests_come_back_as_they_were(void **state)
{
    static const char *const texts[] = {
        "sha256:" HEX32 HEX32,
        "sha512:" HEX32 HEX32 HEX32 HEX32,
    };
    char text[DIGEST_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct digest digest;

        assert_int_equal(digest_parse(str_from(texts[i]), &digest, NULL), OK);
        digest_format(&digest, text);
        assert_string_equal(text, texts[i]);
        assert_string_equal(digest_algorithm_name(digest.algorithm), i == 0 ? "sha256" : "sha512");
        assert_int_equal(digest_size_bytes(digest.algorithm), i == 0 ? 32 : 64);
    }
}

static void bad_digests_are_refused_with_a_reason(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        "sha256",
        "sha256:",
        "md5:" HEX32,
        "SHA256:" HEX32 HEX32,
        "sha256:" HEX32,
        "sha256:" HEX32 HEX32 "0",
        "sha256:" HEX32 "0123456789ABCDEF0123456789abcdef",
        "sha256:" HEX32 "g123456789abcdef0123456789abcdef",
        "sha512:" HEX32 HEX32,
        "sha256:" HEX32 "/../6789abcdef0123456789abcdef01",
        " sha256:" HEX32 HEX32,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct digest digest = {.bytes = {42}};
        struct error err = {0};

        assert_int_equal(digest_parse(str_from(texts[i]), &digest, &err), ERROR_INVALID);
        assert_int_equal(err.topic, ABOUT_DIGEST);
        assert_true(strlen(err.message) > 10);
        assert_int_equal(digest.bytes[0], 42);
    }
}

static void digests_compare_by_all_their_bytes(void **state)
{
    struct digest a;
    struct digest b;

    (void)state;
    assert_int_equal(digest_parse(str_from("sha256:" HEX32 HEX32), &a, NULL), OK);
    b = a;
    assert_true(digest_equal(&a, &b));
    b.bytes[31] ^= 1;
    assert_false(digest_equal(&a, &b));
    b = a;
    b.algorithm = DIGEST_SHA512;
    assert_false(digest_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_digests_come_back_as_they_were),
        cmocka_unit_test(bad_digests_are_refused_with_a_reason),
        cmocka_unit_test(digests_compare_by_all_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
