#include "auth/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_client.h"
#include "tests/support/token_maker.h"

#define ISSUER "https://issuer.example"
#define DISCOVERY ISSUER "/.well-known/openid-configuration"
#define KEYS ISSUER "/jwks"

/* The clock stands at 1431013791.230 s. */
#define CLAIMS                                                                                     \
    "{\"iss\":\"" ISSUER "\",\"aud\":\"pierone\",\"uid\":\"jdoe\",\"sub\":\"x\","                  \
    "\"realm\":\"employees\",\"exp\":1431017391}"

enum { TEXT_MAX_BYTES = 256 * 1024 };

static EVP_PKEY *rsa;
static EVP_PKEY *first;
static EVP_PKEY *second;

struct world {
    struct http_client *client;
    struct fake_clock clock;
    struct identity_source *source;
};

static int make_keys(void **state)
{
    (void)state;
    rsa = token_key_rsa(2048);
    first = token_key_curve("P-256");
    second = token_key_curve("P-256");
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    return 0;
}

/* What the issuer publishes: the RSA key, and this one as `curve` if it is not NULL. */
static void publish(struct world *world, EVP_PKEY *curve)
{
    struct strbuf text;

    strbuf_init(&text, TEXT_MAX_BYTES);
    strbuf_append_text(&text, "{\"keys\":[");
    token_append_jwk(rsa, "\"kid\":\"rsa\",\"use\":\"sig\"", &text);
    if (curve) {
        strbuf_append_byte(&text, ',');
        token_append_jwk(curve, "\"kid\":\"curve\"", &text);
    }
    strbuf_append_text(&text, "]}");
    fake_http_client_answer(world->client, KEYS, 200, text.text, 3600);
    strbuf_release(&text);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct oidc_config config = {
        .issuer = ISSUER,
        .audience = "pierone",
        .claims = {"uid sub", "realm", "scope scp", "teams groups", NULL},
        .leeway_ms = 30000,
    };

    world->client = fake_http_client_new();
    fake_clock_init(&world->clock);
    fake_http_client_answer(world->client, DISCOVERY, 200,
                            "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"" KEYS "\"}", -1);
    publish(world, first);
    config.client = world->client;
    config.clock = &world->clock.clock;
    world->source = oidc_source_new(&config);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    identity_source_free(world->source);
    http_client_free(world->client);
    free(world);
    return 0;
}

static struct credentials token_of(const struct strbuf *text)
{
    return (struct credentials){.kind = CREDENTIALS_TOKEN, .secret = strbuf_str(text)};
}

/* Asks about a token and checks that nothing of it is in the message. */
static enum error_code identify(struct world *world, const struct strbuf *token,
                                struct identity **identity_out, struct error *err)
{
    const struct credentials credentials = token_of(token);
    const enum error_code code =
        world->source->driver->identify(world->source, &credentials, identity_out, err);

    assert_null(strstr(err->message, "eyJ"));
    assert_int_equal(code == OK, err->message[0] == '\0');
    return code;
}

static void append_token(EVP_PKEY *key, const char *header, struct strbuf *token)
{
    strbuf_init(token, TEXT_MAX_BYTES);
    token_append(key, EVP_PKEY_is_a(key, "RSA") ? "RS256" : "ES256", str_from(header),
                 str_from(CLAIMS), token);
}

static enum error_code identify_made(struct world *world, EVP_PKEY *key, const char *header)
{
    struct identity *identity = NULL;
    struct error err = {0};
    struct strbuf token;
    enum error_code code;

    append_token(key, header, &token);
    code = identify(world, &token, &identity, &err);
    identity_release(identity);
    strbuf_release(&token);
    return code;
}

static void a_good_token_gives_an_identity(void **state)
{
    struct world *world = *state;
    struct identity *identity = NULL;
    struct error err = {0};
    struct strbuf token;
    struct credentials credentials;

    append_token(rsa, "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\"}", &token);
    credentials = token_of(&token);
    assert_int_equal(world->source->driver->interest(world->source, &credentials), SOURCE_DECIDES);
    assert_int_equal(identify(world, &token, &identity, &err), OK);
    assert_true(str_is(identity->name, "jdoe"));
    assert_true(identity->expires_ms == 1431017391000);
    identity_release(identity);
    strbuf_release(&token);
}

static void every_kind_of_key_is_used(void **state)
{
    static const char claims[] = CLAIMS;
    struct world *world = *state;
    struct identity *identity = NULL;
    struct error err = {0};
    struct strbuf token;

    assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\"}"), OK);
    strbuf_init(&token, TEXT_MAX_BYTES);
    token_append(rsa, "PS256", str_from("{\"alg\":\"PS256\"}"), str_from(claims), &token);
    assert_int_equal(identify(world, &token, &identity, &err), OK);
    identity_release(identity);
    strbuf_release(&token);
    assert_int_equal(fake_http_client_count(world->client, NULL), 2);
}

static void only_tokens_of_this_issuer_are_of_interest(void **state)
{
    struct world *world = *state;
    const struct identity_source *source = world->source;
    struct strbuf token;
    struct credentials credentials;

    append_token(rsa, "{\"alg\":\"none\"}", &token);
    credentials = token_of(&token);
    assert_int_equal(source->driver->interest(source, &credentials), SOURCE_DECIDES);
    credentials.kind = CREDENTIALS_PASSWORD;
    assert_int_equal(source->driver->interest(source, &credentials), SOURCE_IGNORES);
    strbuf_clear(&token);
    token_append(rsa, "RS256", str_from("{\"alg\":\"RS256\"}"),
                 str_from("{\"iss\":\"https://other.example\"}"), &token);
    credentials = token_of(&token);
    assert_int_equal(source->driver->interest(source, &credentials), SOURCE_IGNORES);
    strbuf_clear(&token);
    strbuf_append_text(&token, "an-opaque-token");
    credentials = token_of(&token);
    assert_int_equal(source->driver->interest(source, &credentials), SOURCE_IGNORES);
    strbuf_release(&token);
    assert_int_equal(fake_http_client_count(world->client, NULL), 0);
}

static const struct {
    const char *header;
    const char *claims;
    enum error_code code;
    const char *message;
} refused[] = {
    {"{\"alg\":\"none\"}", CLAIMS, ERROR_UNAUTHENTICATED, "algorithm must be one of"},
    {"{\"alg\":\"HS256\",\"kid\":\"rsa\"}", CLAIMS, ERROR_UNAUTHENTICATED,
     "algorithm must be one of"},
    {"{\"alg\":\"RS256\",\"kid\":\"curve\"}", CLAIMS, ERROR_UNAUTHENTICATED, "does not have"},
    {"{\"alg\":\"RS256\",\"kid\":\"unknown\"}", CLAIMS, ERROR_UNAUTHENTICATED, "does not have"},
    {"{\"alg\":\"PS256\",\"kid\":\"rsa\"}", CLAIMS, ERROR_UNAUTHENTICATED, "signature is wrong"},
    {"{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}", CLAIMS, ERROR_UNAUTHENTICATED, "another use"},
    {"{\"alg\":\"RS256\"}", "{\"iss\":\"https://other.example\",\"exp\":1431017391}",
     ERROR_UNAUTHENTICATED, "by 'https://other.example'"},
    {"{\"alg\":\"RS256\"}", "{\"iss\":\"" ISSUER "\",\"aud\":\"shop\",\"exp\":1431017391}",
     ERROR_UNAUTHENTICATED, "the token is for audience 'shop', not for 'pierone'"},
    {"{\"alg\":\"RS256\"}", "{\"iss\":\"" ISSUER "\",\"aud\":\"pierone\",\"exp\":1431013700}",
     ERROR_UNAUTHENTICATED, "the token expired at 2015-05-07T15:48:20.000Z"},
    {"{\"alg\":\"RS256\"}",
     "{\"iss\":\"" ISSUER "\",\"aud\":\"pierone\",\"exp\":1431017391,\"nbf\":1431013900}",
     ERROR_UNAUTHENTICATED, "not valid before 2015-05-07T15:51:40.000Z"},
    {"{\"alg\":\"RS256\"}", "{\"iss\":\"" ISSUER "\",\"aud\":\"pierone\",\"exp\":1431017391}",
     ERROR_DENIED, ""},
};

static void bad_tokens_are_refused_with_the_reason(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct identity *identity = NULL;
        struct error err = {0};
        struct strbuf token;

        strbuf_init(&token, TEXT_MAX_BYTES);
        token_append(rsa, "RS256", str_from(refused[i].header), str_from(refused[i].claims),
                     &token);
        assert_int_equal(identify(world, &token, &identity, &err), refused[i].code);
        assert_null(identity);
        if (!strstr(err.message, refused[i].message)) {
            fail_msg("'%s' does not say '%s'", err.message, refused[i].message);
        }
        strbuf_release(&token);
    }
}

static void a_token_of_another_key_is_refused(void **state)
{
    assert_int_equal(identify_made(*state, second, "{\"alg\":\"ES256\",\"kid\":\"curve\"}"),
                     ERROR_UNAUTHENTICATED);
}

static void a_new_key_is_found(void **state)
{
    static const char header[] = "{\"alg\":\"ES256\",\"kid\":\"curve\"}";
    struct world *world = *state;

    publish(world, NULL);
    assert_int_equal(identify_made(world, second, header), ERROR_UNAUTHENTICATED);
    publish(world, second);
    fake_clock_advance(&world->clock, 9999);
    assert_int_equal(identify_made(world, second, header), ERROR_UNAUTHENTICATED);
    assert_int_equal(fake_http_client_count(world->client, KEYS), 1);
    fake_clock_advance(&world->clock, 1);
    assert_int_equal(identify_made(world, second, header), OK);
    assert_int_equal(fake_http_client_count(world->client, KEYS), 2);
}

/* Issuers with one key may give it no name. */
static void a_new_key_without_a_name_is_found(void **state)
{
    struct world *world = *state;

    assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\"}"), OK);
    publish(world, second);
    fake_clock_advance(&world->clock, 10000);
    assert_int_equal(identify_made(world, second, "{\"alg\":\"ES256\"}"), OK);
    assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\"}"), ERROR_UNAUTHENTICATED);
}

static void unknown_keys_do_not_hammer_the_issuer(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 100; i++) {
        fake_clock_advance(&world->clock, 1000);
        assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\",\"kid\":\"forged\"}"),
                         ERROR_UNAUTHENTICATED);
    }
    assert_in_range(fake_http_client_count(world->client, KEYS), 9, 10);
}

static void an_issuer_that_is_down_is_told_from_a_bad_token(void **state)
{
    struct world *world = *state;

    fake_http_client_answer(world->client, KEYS, 0, "", -1);
    assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\",\"kid\":\"curve\"}"),
                     ERROR_UNAVAILABLE);
    publish(world, first);
    fake_clock_advance(&world->clock, 10000);
    assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\",\"kid\":\"curve\"}"), OK);
    fake_http_client_answer(world->client, KEYS, 0, "", -1);
    fake_clock_advance(&world->clock, 10000);
    assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\",\"kid\":\"new\"}"),
                     ERROR_UNAVAILABLE);
    assert_int_equal(identify_made(world, first, "{\"alg\":\"ES256\",\"kid\":\"curve\"}"), OK);
}

static enum error_code check(struct world *world, struct strbuf *report, struct error *err)
{
    strbuf_init(report, TEXT_MAX_BYTES);
    return world->source->driver->check(world->source, report, err);
}

static void the_check_reports_keys(void **state)
{
    struct error err = {0};
    struct strbuf report;

    assert_int_equal(check(*state, &report, &err), OK);
    assert_string_equal(report.text,
                        "oidc: " ISSUER " has 2 usable keys, for RS256, RS384, RS512, PS256, "
                        "PS384, PS512, ES256\n");
    strbuf_release(&report);
}

static void the_check_says_what_is_wrong(void **state)
{
    static const struct {
        const char *url;
        int status;
        const char *body;
        const char *message;
    } rows[] = {
        {KEYS, 200, "{\"keys\":[]}", "no usable key"},
        {KEYS, 404, "", "answered 404"},
        {DISCOVERY, 200, "{\"issuer\":\"https://other\"}", "calls itself 'https://other'"},
        {DISCOVERY, 0, "", "nobody answers"},
    };
    struct world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {0};
        struct strbuf report;

        fake_http_client_answer(world->client, rows[i].url, rows[i].status, rows[i].body, -1);
        assert_int_equal(check(world, &report, &err), ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.message, rows[i].message));
        assert_string_equal(report.text, "");
        strbuf_release(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_token_gives_an_identity, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_kind_of_key_is_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_tokens_of_this_issuer_are_of_interest, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bad_tokens_are_refused_with_the_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_of_another_key_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_without_a_name_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_keys_do_not_hammer_the_issuer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_issuer_that_is_down_is_told_from_a_bad_token, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_check_reports_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_check_says_what_is_wrong, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
