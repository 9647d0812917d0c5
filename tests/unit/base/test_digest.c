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

/* RFC 1321 A.5, in base64. */
static void known_texts_have_their_md5(void **state)
{
    static const struct {
        struct str text;
        const char *md5;
    } rows[] = {
        {{NULL, 0}, "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {STR_LITERAL(""), "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {STR_LITERAL("abc"), "kAFQmDzST7DWlj99KOF/cg=="},
        {STR_LITERAL("message digest"), "+WtpfXy3k41SWi8xqvFh0A=="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char md5[CHECKSUM_MD5_BYTES];

        checksum_md5(rows[i].text, md5);
        assert_string_equal(md5, rows[i].md5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_digests_come_back_as_they_were),
        cmocka_unit_test(bad_digests_are_refused_with_a_reason),
        cmocka_unit_test(digests_compare_by_all_their_bytes),
        cmocka_unit_test(hashes_are_the_published_ones),
        cmocka_unit_test(a_saved_hash_goes_on),
        cmocka_unit_test(what_was_not_saved_is_not_restored),
        cmocka_unit_test(known_texts_have_their_md5),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
