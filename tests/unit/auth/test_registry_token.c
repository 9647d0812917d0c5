#include "auth/registry_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/jwt.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_folder.h"

enum { NOW_MS = 1000 * 1000, LIFETIME_MS = 300 * 1000 };

struct fixture {
    struct fake_clock clock;
    char *folder;
    struct metadata *metadata;
    struct log log;
    struct token_keys *keys;
    struct strbuf token;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const struct str secret = STR_LITERAL("0123456789abcdef0123456789abcdef");
    char path[256];

    fake_clock_init(&fixture.clock);
    fixture.folder = temporary_folder_new();
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", fixture.folder);
    assert_int_equal(metadata_open_sqlite(path, &fixture.metadata, NULL), OK);
    log_init(&fixture.log, STDERR_FILENO, LOG_TEXT, LOG_ERROR, &fixture.clock.clock);
    assert_int_equal(token_keys_new(&(struct token_keys_config){fixture.metadata, secret,
                                                                &fixture.clock.clock, &fixture.log},
                                    &fixture.keys, NULL),
                     OK);
    strbuf_init_secret(&fixture.token, REGISTRY_TOKEN_MAX_BYTES);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    strbuf_release(&fixture->token);
    token_keys_free(fixture->keys);
    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    return 0;
}

static enum error_code sign(struct fixture *fixture, const char *grants, const char *refusals,
                            struct str login)
{
    const struct identity identity = {.kind = IDENTITY_SERVICE, .name = STR_LITERAL("robot")};
    const struct registry_token token = {
        .identity = &identity,
        .audience = STR_LITERAL("registry.example:5000"),
        .grants = str_from(grants),
        .refusals = str_from(refusals),
        .login = login,
        .issued_ms = NOW_MS,
        .expires_ms = NOW_MS + LIFETIME_MS,
    };

    strbuf_clear(&fixture->token);
    return registry_token_sign(fixture->keys, &token, &fixture->token, NULL);
}

static enum error_code read_at(struct fixture *fixture, int64_t now_ms, enum registry_token_age age,
                               struct identity **identity_out, struct error *err)
{
    const struct token_reading reading = {fixture->keys, now_ms, age};

    return registry_token_read(&reading, strbuf_str(&fixture->token), identity_out, err);
}

static void a_token_says_what_was_granted_and_what_was_not(void **state)
{
    struct fixture *fixture = *state;
    struct identity *identity = NULL;
    struct str reason = {0};

    assert_int_equal(sign(fixture,
                          "repository:team/app:pull,push\nregistry:catalog:*\n"
                          "repository:host:5000/x:pull\n",
                          "repository:other/app:push robot: \"not\" a member of other\n",
                          (struct str){0}),
                     OK);
    assert_true(registry_token_is_one(strbuf_str(&fixture->token)));
    assert_int_equal(read_at(fixture, NOW_MS, TOKEN_MUST_BE_VALID, &identity, NULL), OK);
    assert_true(str_is(identity->name, "robot"));
    assert_true(str_is(identity->audience, "registry.example:5000"));
    assert_int_equal(identity->kind, IDENTITY_SERVICE);
    assert_true(identity->is_limited);
    assert_int_equal(identity->expires_ms, NOW_MS + LIFETIME_MS);
    assert_int_equal(identity->login.length, 0);
    assert_int_equal(
        registry_token_grant(identity, str_from("repository:team/app"), "push", &reason),
        GRANT_GIVEN);
    assert_int_equal(
        registry_token_grant(identity, str_from("repository:host:5000/x"), "pull", &reason),
        GRANT_GIVEN);
    assert_int_equal(registry_token_grant(identity, str_from("registry:catalog"), "*", &reason),
                     GRANT_GIVEN);
    assert_int_equal(
        registry_token_grant(identity, str_from("repository:team/ap"), "push", &reason),
        GRANT_NOT_ASKED);
    assert_int_equal(
        registry_token_grant(identity, str_from("repository:team/app"), "pus", &reason),
        GRANT_NOT_ASKED);
    assert_int_equal(
        registry_token_grant(identity, str_from("repository:other/app"), "pull", &reason),
        GRANT_NOT_ASKED);
    assert_int_equal(
        registry_token_grant(identity, str_from("repository:other/app"), "push", &reason),
        GRANT_REFUSED);
    assert_true(str_is(reason, "robot: \"not\" a member of other"));
    identity_release(identity);
}

static void a_token_remembers_its_login(void **state)
{
    const struct str login = STR_LITERAL("\x01\x02 fingerprint of thirty-two");
    struct fixture *fixture = *state;
    struct identity *identity = NULL;
    char bytes[32] = {0};

    memcpy(bytes, login.bytes, login.length);
    assert_int_equal(sign(fixture, "", "", (struct str){bytes, sizeof(bytes)}), OK);
    assert_int_equal(read_at(fixture, NOW_MS, TOKEN_MUST_BE_VALID, &identity, NULL), OK);
    assert_int_equal(identity->login.length, sizeof(bytes));
    assert_memory_equal(identity->login.bytes, bytes, sizeof(bytes));
    identity_release(identity);
}

static void a_token_that_has_expired_names_its_owner_and_grants_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct identity *identity = NULL;
    struct str reason = {0};
    struct error err;

    assert_int_equal(sign(fixture, "repository:team/app:push\n", "", (struct str){0}), OK);
    assert_int_equal(
        read_at(fixture, NOW_MS + LIFETIME_MS - 1, TOKEN_MUST_BE_VALID, &identity, NULL), OK);
    identity_release(identity);
    assert_int_equal(read_at(fixture, NOW_MS + LIFETIME_MS, TOKEN_MUST_BE_VALID, &identity, &err),
                     ERROR_UNAUTHENTICATED);
    assert_string_equal(err.message, "the token has expired");
    assert_int_equal(
        read_at(fixture, NOW_MS + LIFETIME_MS, TOKEN_MAY_HAVE_EXPIRED, &identity, NULL), OK);
    assert_true(str_is(identity->name, "robot"));
    assert_int_equal(
        registry_token_grant(identity, str_from("repository:team/app"), "push", &reason),
        GRANT_NOT_ASKED);
    identity_release(identity);
}

/* Any bit, anywhere. */
static void a_token_that_was_changed_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct identity *identity = NULL;

    assert_int_equal(sign(fixture, "repository:team/app:push\n", "", (struct str){0}), OK);
    for (size_t i = 0; i < fixture->token.length; i++) {
        for (int bit = 0; bit < 7; bit++) {
            fixture->token.text[i] ^= (char)(1 << bit);
            assert_int_equal(read_at(fixture, NOW_MS, TOKEN_MAY_HAVE_EXPIRED, &identity, NULL),
                             ERROR_UNAUTHENTICATED);
            fixture->token.text[i] ^= (char)(1 << bit);
        }
    }
    assert_int_equal(read_at(fixture, NOW_MS, TOKEN_MUST_BE_VALID, &identity, NULL), OK);
    identity_release(identity);
}

static void a_token_of_another_key_or_another_use_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct identity *identity = NULL;
    struct token_key key;
    struct jwt_making making = {.type = "pierone+jwt",
                                .secret = STR_LITERAL("0123456789abcdef0123456789abcdef")};
    const struct str claims = STR_LITERAL("{\"sub\":\"x\",\"exp\":99999999999}");

    token_keys_signer(fixture->keys, &key);
    making.key_id = str_from(key.id);
    strbuf_clear(&fixture->token);
    jwt_sign_hmac(&making, claims, &fixture->token);
    assert_int_equal(read_at(fixture, NOW_MS, TOKEN_MUST_BE_VALID, &identity, NULL),
                     ERROR_UNAUTHENTICATED);
    making.secret = (struct str){(const char *)key.bytes, sizeof(key.bytes)};
    making.type = "JWT";
    strbuf_clear(&fixture->token);
    jwt_sign_hmac(&making, claims, &fixture->token);
    assert_false(registry_token_is_one(strbuf_str(&fixture->token)));
    assert_int_equal(read_at(fixture, NOW_MS, TOKEN_MUST_BE_VALID, &identity, NULL),
                     ERROR_UNAUTHENTICATED);
    making.type = "pierone+jwt";
    making.key_id = str_from("unknown");
    strbuf_clear(&fixture->token);
    jwt_sign_hmac(&making, claims, &fixture->token);
    assert_int_equal(read_at(fixture, NOW_MS, TOKEN_MUST_BE_VALID, &identity, NULL),
                     ERROR_UNAUTHENTICATED);
}

static void too_much_for_one_token_is_refused(void **state)
{
    static char grants[40 * 1024];
    struct fixture *fixture = *state;

    while (strlen(grants) < sizeof(grants) - 100) {
        (void)snprintf(grants + strlen(grants), 100, "repository:team/app%zu:pull\n",
                       strlen(grants));
    }
    assert_int_equal(sign(fixture, grants, "", (struct str){0}), ERROR_TOO_LARGE);
}

static void other_texts_are_none(void **state)
{
    (void)state;
    assert_false(registry_token_is_one(str_from("")));
    assert_false(registry_token_is_one(str_from("opaque")));
    assert_false(registry_token_is_one(str_from("a.b.c")));
    assert_false(registry_token_is_one(str_from("eyJhbGciOiJub25lIn0.e30.")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_says_what_was_granted_and_what_was_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_remembers_its_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_has_expired_names_its_owner_and_grants_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_was_changed_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_of_another_key_or_another_use_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_much_for_one_token_is_refused, set_up, tear_down),
        cmocka_unit_test(other_texts_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
