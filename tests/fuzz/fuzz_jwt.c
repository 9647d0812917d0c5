#include "fuzz.h"

#include <assert.h>

#include "auth/claims.h"
#include "auth/jwt.h"
#include "auth/key_set.h"
#include "base/token.h"

enum { TEXT_MAX_BYTES = 2 * JWT_MAX_BYTES };

/* The key of RFC 7515 A.3: nobody's guess makes a signature of it, but that example is in the
 * corpus. */
static const char published[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                                "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
static const char example[] =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static void check_token(struct str text, const struct key_set *keys);
static void check_form(struct str text, const struct jwt *jwt);
static void check_own_token(struct str text);
static void check_key_set(struct str text);

/* The bytes as a token of an issuer, as one of our own, and as the keys of an issuer. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str text = {(const char *)bytes, length};
    struct key_set *keys = NULL;

    assert(key_set_parse(str_from(published), &keys, NULL) == OK);
    check_token(text, keys);
    check_own_token(text);
    check_key_set(text);
    key_set_release(keys);
    return 0;
}

static void check_token(struct str text, const struct key_set *keys)
{
    const struct claim_rules rules = {.issuer = "joe", .audience = "pierone", .now_ms = 1};
    struct jwt jwt = {0};
    struct error err = {0};
    const enum error_code code = jwt_parse(text, &jwt, &err);

    assert(code == OK || code == ERROR_UNAUTHENTICATED);
    assert((code == OK) == (err.message[0] == '\0'));
    if (code) {
        return;
    }
    assert(jwt.algorithm != JWT_HS256);
    check_form(text, &jwt);
    assert(key_set_verify(keys, &jwt, &err) != OK || str_is(text, example));
    if (claims_check(jwt.claims, &rules, &err) == OK) {
        assert(jwt_names_issuer(text, "joe"));
        assert(claims_expires_ms(jwt.claims) > 1);
    }
    jwt_release(&jwt);
}

/* What was read is all there is: written again, it is the same text. */
static void check_form(struct str text, const struct jwt *jwt)
{
    struct strbuf again;

    strbuf_init(&again, TEXT_MAX_BYTES);
    strbuf_append(&again, jwt->signing_input);
    strbuf_append_byte(&again, '.');
    base64url_encode(jwt->signature, &again);
    assert(str_equal(strbuf_str(&again), text));
    assert(json_value_is_object(jwt->claims));
    strbuf_release(&again);
}

static void check_own_token(struct str text)
{
    const struct str secret = STR_LITERAL("0123456789abcdef0123456789abcdef");
    struct jwt jwt = {0};

    if (jwt_parse_own(text, "JWT", &jwt, NULL)) {
        return;
    }
    assert(jwt.algorithm == JWT_HS256);
    assert(jwt_verify_hmac(&jwt, secret, NULL) == ERROR_UNAUTHENTICATED);
    check_form(text, &jwt);
    jwt_release(&jwt);
}

static void check_key_set(struct str text)
{
    struct key_set *keys = NULL;
    struct jwt jwt = {0};
    struct strbuf algorithms;

    if (key_set_parse(text, &keys, NULL)) {
        return;
    }
    strbuf_init(&algorithms, TEXT_MAX_BYTES);
    key_set_append_algorithms(keys, &algorithms);
    assert((algorithms.length == 0) == (key_set_count(keys) == 0));
    assert(jwt_parse(str_from(example), &jwt, NULL) == OK);
    (void)!key_set_verify(keys, &jwt, NULL);
    jwt_release(&jwt);
    strbuf_release(&algorithms);
    key_set_release(keys);
}
