#include "auth/key_set.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/token.h"
#include "tests/support/token_maker.h"

enum { TEXT_MAX_BYTES = 512 * 1024, THREADS = 4 };

static const char claims[] = "{\"iss\":\"https://issuer.example\",\"sub\":\"jdoe\"}";

/* Made once: RSA keys take their time. */
static EVP_PKEY *rsa;
static EVP_PKEY *other_rsa;
static EVP_PKEY *short_rsa;
static EVP_PKEY *p256;
static EVP_PKEY *other_p256;
static EVP_PKEY *p384;
static EVP_PKEY *p521;

static int make_keys(void **state)
{
    (void)state;
    rsa = token_key_rsa(2048);
    other_rsa = token_key_rsa(2056);
    short_rsa = token_key_rsa(2040);
    p256 = token_key_curve("P-256");
    other_p256 = token_key_curve("P-256");
    p384 = token_key_curve("P-384");
    p521 = token_key_curve("P-521");
    return 0;
}

static int free_keys(void **state)
{
    EVP_PKEY *const all[] = {rsa, other_rsa, short_rsa, p256, other_p256, p384, p521};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        EVP_PKEY_free(all[i]);
    }
    return 0;
}

static void begin_set(struct strbuf *text)
{
    strbuf_init(text, TEXT_MAX_BYTES);
    strbuf_append_text(text, "{\"keys\":[");
}

static void append_key(struct strbuf *text, EVP_PKEY *key, const char *members)
{
    if (text->text[text->length - 1] != '[') {
        strbuf_append_byte(text, ',');
    }
    token_append_jwk(key, members, text);
}

static struct key_set *end_set(struct strbuf *text)
{
    struct key_set *keys = NULL;
    struct error err = {0};

    strbuf_append_text(text, "]}");
    if (key_set_parse(strbuf_str(text), &keys, &err)) {
        fail_msg("%s", err.message);
    }
    strbuf_release(text);
    return keys;
}

static struct key_set *set_of(EVP_PKEY *key, const char *members)
{
    struct strbuf text;

    begin_set(&text);
    append_key(&text, key, members);
    return end_set(&text);
}

static enum error_code verify_text(const struct key_set *keys, struct str token)
{
    struct jwt jwt = {0};
    struct error err = {0};
    enum error_code code = jwt_parse(token, &jwt, &err);

    if (!code) {
        code = key_set_verify(keys, &jwt, &err);
    }
    assert_int_equal(code == OK, err.message[0] == '\0');
    assert_null(strstr(err.message, "eyJ"));
    jwt_release(&jwt);
    return code;
}

/* A token by `key`, signed with `algorithm`, whose header has `alg` and `kid` (NULL: none). */
static enum error_code verify_made(const struct key_set *keys, EVP_PKEY *key, const char *algorithm,
                                   const char *named, const char *key_id)
{
    struct strbuf header;
    struct strbuf token;
    enum error_code code;

    strbuf_init(&header, TEXT_MAX_BYTES);
    strbuf_init(&token, TEXT_MAX_BYTES);
    strbuf_append_format(&header, "{\"alg\":\"%s\"", named);
    if (key_id) {
        strbuf_append_format(&header, ",\"kid\":\"%s\"", key_id);
    }
    strbuf_append_byte(&header, '}');
    token_append(key, algorithm, strbuf_str(&header), str_from(claims), &token);
    code = verify_text(keys, strbuf_str(&token));
    strbuf_release(&header);
    strbuf_release(&token);
    return code;
}

static EVP_PKEY *key_for(const char *algorithm)
{
    if (algorithm[0] != 'E') {
        return rsa;
    }
    if (strcmp(algorithm, "ES256") == 0) {
        return p256;
    }
    return strcmp(algorithm, "ES384") == 0 ? p384 : p521;
}

static const char *const algorithms[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                         "PS512", "ES256", "ES384", "ES512"};

static struct key_set *set_of_all(void)
{
    struct strbuf text;

    begin_set(&text);
    append_key(&text, rsa, "\"kid\":\"rsa\",\"use\":\"sig\"");
    append_key(&text, p256, "\"kid\":\"p256\"");
    append_key(&text, p384, "\"kid\":\"p384\"");
    append_key(&text, p521, "\"kid\":\"p521\"");
    return end_set(&text);
}

/* More than once, since a number that begins with zeros is rare. */
static void every_algorithm_is_verified(void **state)
{
    struct key_set *keys = set_of_all();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        for (int round = 0; round < 20; round++) {
            assert_int_equal(
                verify_made(keys, key_for(algorithms[i]), algorithms[i], algorithms[i], NULL), OK);
        }
    }
    key_set_release(keys);
}

/* Signed with one, named as another: whatever the header says, the signature must be that. */
static void no_algorithm_passes_for_another(void **state)
{
    struct key_set *keys = set_of_all();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        for (size_t named = 0; named < ARRAY_LEN(algorithms); named++) {
            if (named != i) {
                assert_int_not_equal(verify_made(keys, key_for(algorithms[i]), algorithms[i],
                                                 algorithms[named], NULL),
                                     OK);
            }
        }
    }
    key_set_release(keys);
}

static void every_changed_character_is_noticed(void **state)
{
    static const char *const some[] = {"RS256", "PS256", "ES256", "ES384", "ES512"};
    struct key_set *keys = set_of_all();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(some); i++) {
        struct strbuf header;
        struct strbuf token;

        strbuf_init(&header, TEXT_MAX_BYTES);
        strbuf_init(&token, TEXT_MAX_BYTES);
        strbuf_append_format(&header, "{\"alg\":\"%s\"}", some[i]);
        token_append(key_for(some[i]), some[i], strbuf_str(&header), str_from(claims), &token);
        assert_int_equal(verify_text(keys, strbuf_str(&token)), OK);
        for (size_t place = 0; place < token.length; place++) {
            const char kept = token.text[place];

            token.text[place] = kept == 'A' ? 'B' : 'A';
            assert_int_not_equal(verify_text(keys, strbuf_str(&token)), OK);
            token.text[place] = kept;
        }
        strbuf_release(&header);
        strbuf_release(&token);
    }
    key_set_release(keys);
}

/* Each pair of bytes, split in halves, would be the same numbers again. */
static void signatures_have_one_length(void **state)
{
    static const struct {
        const char *algorithm;
        bool is_in_front;
    } rows[] = {{"ES256", true}, {"ES256", false}, {"RS256", true}, {"PS256", true}};
    struct key_set *keys = set_of_all();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct strbuf header;
        struct strbuf token;
        struct jwt jwt = {0};
        struct strbuf signature;
        struct strbuf changed;

        strbuf_init(&header, TEXT_MAX_BYTES);
        strbuf_init(&token, TEXT_MAX_BYTES);
        strbuf_init(&signature, TEXT_MAX_BYTES);
        strbuf_init(&changed, TEXT_MAX_BYTES);
        strbuf_append_format(&header, "{\"alg\":\"%s\"}", rows[i].algorithm);
        token_append(key_for(rows[i].algorithm), rows[i].algorithm, strbuf_str(&header),
                     str_from(claims), &token);
        assert_int_equal(jwt_parse(strbuf_str(&token), &jwt, NULL), OK);
        if (rows[i].is_in_front) {
            strbuf_append_byte(&signature, '\0');
        }
        strbuf_append(&signature, jwt.signature);
        if (!rows[i].is_in_front) {
            strbuf_append_byte(&signature, 'x');
        }
        strbuf_append(&changed, jwt.signing_input);
        strbuf_append_byte(&changed, '.');
        base64url_encode(strbuf_str(&signature), &changed);
        assert_int_not_equal(verify_text(keys, strbuf_str(&changed)), OK);
        jwt_release(&jwt);
        strbuf_release(&header);
        strbuf_release(&token);
        strbuf_release(&signature);
        strbuf_release(&changed);
    }
    key_set_release(keys);
}

static void zeros_are_no_signature(void **state)
{
    static const struct {
        const char *algorithm;
        size_t bytes;
    } rows[] = {{"RS256", 256}, {"PS256", 256}, {"ES256", 64}, {"ES384", 96}, {"ES512", 132}};
    static const char zeros[256];
    struct key_set *keys = set_of_all();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct strbuf header;
        struct strbuf token;

        strbuf_init(&header, TEXT_MAX_BYTES);
        strbuf_init(&token, TEXT_MAX_BYTES);
        strbuf_append_format(&header, "{\"alg\":\"%s\"}", rows[i].algorithm);
        token_append_unsigned(strbuf_str(&header), str_from(claims), &token);
        strbuf_append_byte(&token, '.');
        base64url_encode((struct str){zeros, rows[i].bytes}, &token);
        assert_int_not_equal(verify_text(keys, strbuf_str(&token)), OK);
        strbuf_release(&header);
        strbuf_release(&token);
    }
    key_set_release(keys);
}

/* The oldest trick: the public key, which everybody has, as the secret of an HMAC. */
static void a_public_key_is_no_secret(void **state)
{
    struct key_set *keys = set_of_all();
    struct strbuf pem;
    struct strbuf token;

    (void)state;
    strbuf_init(&pem, TEXT_MAX_BYTES);
    strbuf_init(&token, TEXT_MAX_BYTES);
    token_append_pem(rsa, &pem);
    token_append_hmac(strbuf_str(&pem), str_from("{\"alg\":\"HS256\",\"kid\":\"rsa\"}"),
                      str_from(claims), &token);
    assert_int_equal(verify_text(keys, strbuf_str(&token)), ERROR_UNAUTHENTICATED);
    strbuf_clear(&token);
    token_append_hmac(strbuf_str(&pem), str_from("{\"alg\":\"RS256\",\"kid\":\"rsa\"}"),
                      str_from(claims), &token);
    assert_int_equal(verify_text(keys, strbuf_str(&token)), ERROR_UNAUTHENTICATED);
    strbuf_release(&pem);
    strbuf_release(&token);
    key_set_release(keys);
}

static void the_named_key_verifies(void **state)
{
    struct strbuf text;
    struct key_set *keys = NULL;

    (void)state;
    begin_set(&text);
    append_key(&text, rsa, "\"kid\":\"1\"");
    append_key(&text, other_rsa, "\"kid\":\"2\"");
    append_key(&text, p256, "\"kid\":\"3\"");
    append_key(&text, p384, "\"kid\":\"1\"");
    keys = end_set(&text);
    assert_int_equal(key_set_count(keys), 4);
    assert_int_equal(verify_made(keys, rsa, "RS256", "RS256", "1"), OK);
    assert_int_equal(verify_made(keys, other_rsa, "PS512", "PS512", "2"), OK);
    assert_int_equal(verify_made(keys, p384, "ES384", "ES384", "1"), OK);
    assert_int_equal(verify_made(keys, rsa, "RS256", "RS256", "2"), ERROR_UNAUTHENTICATED);
    assert_int_equal(verify_made(keys, rsa, "RS256", "RS256", "3"), ERROR_NOT_FOUND);
    assert_int_equal(verify_made(keys, rsa, "RS256", "RS256", "4"), ERROR_NOT_FOUND);
    assert_int_equal(verify_made(keys, rsa, "RS256", "RS256", ""), ERROR_NOT_FOUND);
    assert_int_equal(verify_made(keys, p256, "ES256", "ES256", "1"), ERROR_NOT_FOUND);
    key_set_release(keys);
}

static void without_a_name_only_one_key_may_fit(void **state)
{
    struct strbuf text;
    struct key_set *keys = NULL;

    (void)state;
    begin_set(&text);
    append_key(&text, rsa, "\"kid\":\"1\"");
    append_key(&text, other_rsa, "\"kid\":\"2\"");
    append_key(&text, p256, "\"kid\":\"3\"");
    keys = end_set(&text);
    assert_int_equal(verify_made(keys, rsa, "RS256", "RS256", NULL), ERROR_UNAUTHENTICATED);
    assert_int_equal(verify_made(keys, p256, "ES256", "ES256", NULL), OK);
    assert_int_equal(verify_made(keys, p384, "ES384", "ES384", NULL), ERROR_NOT_FOUND);
    /* The only key may have been replaced since. */
    assert_int_equal(verify_made(keys, other_p256, "ES256", "ES256", NULL), ERROR_NOT_FOUND);
    key_set_release(keys);
}

static void a_key_is_for_its_algorithm_alone(void **state)
{
    struct key_set *keys = set_of(rsa, "\"kid\":\"1\",\"alg\":\"PS256\"");
    struct strbuf text;

    (void)state;
    assert_int_equal(verify_made(keys, rsa, "PS256", "PS256", "1"), OK);
    assert_int_equal(verify_made(keys, rsa, "RS256", "RS256", "1"), ERROR_NOT_FOUND);
    assert_int_equal(verify_made(keys, rsa, "PS384", "PS384", NULL), ERROR_NOT_FOUND);
    strbuf_init(&text, 100);
    key_set_append_algorithms(keys, &text);
    assert_string_equal(text.text, "PS256");
    strbuf_release(&text);
    key_set_release(keys);
}

static void algorithms_are_listed(void **state)
{
    struct key_set *keys = set_of_all();
    struct strbuf text;

    (void)state;
    strbuf_init(&text, 100);
    key_set_append_algorithms(keys, &text);
    assert_string_equal(text.text, "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512");
    strbuf_release(&text);
    key_set_release(keys);
}

static void the_example_of_the_standard_is_verified(void **state)
{
    /* RFC 7515 A.3 */
    static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                              "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    static const char token[] =
        "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
        "VlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1"
        "Q";
    struct key_set *keys = NULL;

    (void)state;
    assert_int_equal(key_set_parse(str_from(set), &keys, NULL), OK);
    assert_int_equal(verify_text(keys, str_from(token)), OK);
    key_set_release(keys);
}

static void unusable_keys_are_left_out(void **state)
{
    static const char *const members[] = {
        "\"use\":\"enc\"",        "\"use\":7",         "\"use\":null",
        "\"key_ops\":[\"sign\"]", "\"key_ops\":[]",    "\"key_ops\":7",
        "\"alg\":\"RSA-OAEP\"",   "\"alg\":\"HS256\"", "\"alg\":\"ES384\"",
        "\"alg\":null",           "\"kid\":7",         "\"alg\":\"none\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        struct key_set *keys = NULL;
        struct strbuf text;

        begin_set(&text);
        append_key(&text, rsa, members[i]);
        append_key(&text, p256, members[i]);
        append_key(&text, p256, "\"kid\":\"good\",\"key_ops\":[\"sign\",\"verify\"]");
        keys = end_set(&text);
        assert_int_equal(key_set_count(keys), 1);
        assert_int_equal(verify_made(keys, p256, "ES256", "ES256", "good"), OK);
        key_set_release(keys);
    }
}

#define GOOD_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define GOOD_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

static void damaged_keys_are_left_out(void **state)
{
    static const char *const keys_text[] = {
        "{}",
        "[]",
        "7",
        "null",
        "{\"kty\":7}",
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" GOOD_X "\"}",
        "{\"kty\":\"RSA\"}",
        "{\"kty\":\"RSA\",\"n\":\"A===\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "\",\"y\":\"A===\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "AA\",\"y\":\"" GOOD_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_Y "\"}",
        "{\"kty\":\"EC\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_Y "\",\"d\":\"" GOOD_X "\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys_text); i++) {
        struct key_set *keys = NULL;
        struct strbuf text;

        begin_set(&text);
        strbuf_append_text(&text, keys_text[i]);
        keys = end_set(&text);
        assert_int_equal(key_set_count(keys), 0);
        assert_int_equal(verify_made(keys, p256, "ES256", "ES256", NULL), ERROR_NOT_FOUND);
        key_set_release(keys);
    }
}

/* A private part is of no interest, and does not replace the public ones. */
static void private_parts_are_ignored(void **state)
{
    struct key_set *keys = set_of(p256, "\"d\":\"" GOOD_X "\"");

    (void)state;
    assert_int_equal(verify_made(keys, p256, "ES256", "ES256", NULL), OK);
    key_set_release(keys);
}

static void weak_rsa_keys_are_left_out(void **state)
{
    static const char *const exponents[] = {"AQ", "AA",  "Ag",
                                            "",   "AAE", "AQABAQABAQABAQABAQABAQABAQAB"};
    struct key_set *keys = set_of(short_rsa, "\"kid\":\"a\"");

    (void)state;
    assert_int_equal(key_set_count(keys), 0);
    key_set_release(keys);
    for (size_t i = 0; i < ARRAY_LEN(exponents); i++) {
        struct strbuf text;
        char *exponent = NULL;

        begin_set(&text);
        append_key(&text, rsa, "");
        exponent = strstr(text.text, "\"e\":\"");
        text.length = (size_t)(exponent - text.text);
        strbuf_append_format(&text, "\"e\":\"%s\"}", exponents[i]);
        keys = end_set(&text);
        assert_int_equal(key_set_count(keys), 0);
        key_set_release(keys);
    }
}

static void other_documents_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":[]} x",
        "{\"keys\":[],\"keys\":[]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct key_set *keys = NULL;
        struct error err = {0};

        assert_int_equal(key_set_parse(str_from(texts[i]), &keys, &err), ERROR_INVALID);
        assert_null(keys);
        assert_string_not_equal(err.message, "");
    }
}

static void sizes_are_limited(void **state)
{
    struct key_set *keys = NULL;
    struct strbuf text;

    (void)state;
    begin_set(&text);
    for (int i = 0; i < KEY_SET_MAX_KEYS; i++) {
        append_key(&text, p256, "");
    }
    keys = end_set(&text);
    assert_int_equal(key_set_count(keys), KEY_SET_MAX_KEYS);
    key_set_release(keys);
    begin_set(&text);
    for (int i = 0; i <= KEY_SET_MAX_KEYS; i++) {
        append_key(&text, p256, "");
    }
    strbuf_append_text(&text, "]}");
    assert_int_equal(key_set_parse(strbuf_str(&text), &keys, NULL), ERROR_TOO_LARGE);
    strbuf_clear(&text);
    strbuf_append_text(&text, "{\"keys\":[]}");
    while (text.length < KEY_SET_MAX_BYTES) {
        strbuf_append_byte(&text, ' ');
    }
    assert_int_equal(key_set_parse(strbuf_str(&text), &keys, NULL), OK);
    key_set_release(keys);
    strbuf_append_byte(&text, ' ');
    assert_int_equal(key_set_parse(strbuf_str(&text), &keys, NULL), ERROR_TOO_LARGE);
    strbuf_release(&text);
}

static void *verify_often(void *argument)
{
    intptr_t failures = 0;

    for (int i = 0; i < 50; i++) {
        failures += verify_made(argument, p256, "ES256", "ES256", "p256") != OK;
        failures += verify_made(argument, rsa, "PS256", "PS256", "rsa") != OK;
    }
    return failures == 0 ? argument : NULL;
}

static void threads_share_one_set(void **state)
{
    struct key_set *keys = set_of_all();
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, keys), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, keys);
    }
    key_set_release(keys);
}

static void references_are_counted(void **state)
{
    struct key_set *keys = set_of(p256, "");

    (void)state;
    assert_ptr_equal(key_set_retain(keys), keys);
    key_set_release(keys);
    assert_int_equal(key_set_count(keys), 1);
    key_set_release(keys);
    key_set_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_is_verified),
        cmocka_unit_test(no_algorithm_passes_for_another),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(signatures_have_one_length),
        cmocka_unit_test(zeros_are_no_signature),
        cmocka_unit_test(a_public_key_is_no_secret),
        cmocka_unit_test(the_named_key_verifies),
        cmocka_unit_test(without_a_name_only_one_key_may_fit),
        cmocka_unit_test(a_key_is_for_its_algorithm_alone),
        cmocka_unit_test(algorithms_are_listed),
        cmocka_unit_test(the_example_of_the_standard_is_verified),
        cmocka_unit_test(unusable_keys_are_left_out),
        cmocka_unit_test(damaged_keys_are_left_out),
        cmocka_unit_test(private_parts_are_ignored),
        cmocka_unit_test(weak_rsa_keys_are_left_out),
        cmocka_unit_test(other_documents_are_refused),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(threads_share_one_set),
        cmocka_unit_test(references_are_counted),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
