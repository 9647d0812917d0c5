#include "auth/authenticator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/login_limiter.h"
#include "tests/support/fake_clock.h"

enum { CACHE_MS = 120 * 1000, ADDRESS_FAILURES_MAX = 100 };

/* A source that answers what a test has written down. */
struct fake_source {
    struct identity_source base; /* first */
    enum source_interest interest;
    enum error_code code;
    const char *name;
    int64_t expires_ms;
    unsigned long generation;
    enum error_code expired_code;
    int questions;
};

struct fixture {
    struct fake_clock clock;
    struct fake_source sources[2];
    struct identity_source *list[2];
    struct authenticator *authenticator;
    struct identity *identity; /* of the last login */
    struct authenticator_ticket ticket;
    struct error err;
    bool waits;
};

static struct fake_source *of(struct identity_source *source)
{
    return (struct fake_source *)source; /* its first member */
}

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials)
{
    (void)credentials;
    return ((const struct fake_source *)source)->interest; /* its first member */
}

static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err)
{
    struct fake_source *fake = of(source);
    const struct identity fields = {.name = str_from(fake->name), .expires_ms = fake->expires_ms};

    (void)credentials;
    fake->questions++;
    if (!fake->code) {
        *identity_out = identity_new(&fields);
        return OK;
    }
    return error_set(err, fake->code, "%s says %d", fake->name, fake->code);
}

static enum error_code identify_expired(struct identity_source *source,
                                        const struct credentials *credentials,
                                        struct identity **identity_out, struct error *err)
{
    struct fake_source *fake = of(source);
    const struct identity fields = {.name = str_from(fake->name)};

    (void)credentials;
    if (!fake->expired_code) {
        *identity_out = identity_new(&fields);
        return OK;
    }
    return error_set(err, fake->expired_code, "forged");
}

static unsigned long generation(struct identity_source *source)
{
    return of(source)->generation;
}

static const struct identity_source_driver driver = {
    .name = "fake",
    .interest = interest,
    .identify = identify,
    .identify_expired = identify_expired,
    .generation = generation,
};

static int set_up(void **state)
{
    static struct fixture fixture;
    static const char *const names[] = {"first", "second"};

    fixture = (struct fixture){0};
    fake_clock_init(&fixture.clock);
    for (size_t i = 0; i < 2; i++) {
        fixture.sources[i] = (struct fake_source){
            .base = {&driver},
            .interest = SOURCE_MAY_KNOW,
            .code = ERROR_UNAUTHENTICATED,
            .name = names[i],
            .expires_ms = INT64_MAX,
            .expired_code = ERROR_UNAUTHENTICATED,
        };
        fixture.list[i] = &fixture.sources[i].base;
    }
    fixture.authenticator = authenticator_new(&(struct authenticator_config){
        fixture.list, 2, 100, CACHE_MS, ADDRESS_FAILURES_MAX, &fixture.clock.clock, NULL});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    identity_release(fixture->identity);
    authenticator_free(fixture->authenticator);
    return 0;
}

static enum error_code log_in_as(struct fixture *fixture, enum credentials_kind kind,
                                 const char *secret, bool may_ask)
{
    const struct credentials credentials = {
        .kind = kind,
        .name = str_from(kind == CREDENTIALS_PASSWORD ? "alice" : ""),
        .secret = str_from(secret),
    };
    const struct login login = {&credentials, STR_LITERAL("10.0.0.1"), may_ask, &fixture->ticket};

    identity_release(fixture->identity);
    fixture->identity = NULL;
    return authenticator_identify(fixture->authenticator, &login, &fixture->waits,
                                  &fixture->identity, &fixture->err);
}

static enum error_code log_in(struct fixture *fixture, const char *token)
{
    return log_in_as(fixture, CREDENTIALS_TOKEN, token, true);
}

static void what_is_known_is_not_asked_again(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    assert_int_equal(log_in_as(fixture, CREDENTIALS_TOKEN, "t", false), ERROR_UNAVAILABLE);
    assert_true(fixture->waits);
    assert_int_equal(log_in(fixture, "t"), OK);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_TOKEN, "t", false), OK);
    assert_false(fixture->waits);
    assert_true(str_is(fixture->identity->name, "first"));
    assert_int_equal(fixture->sources[0].questions, 1);
    assert_int_equal(fixture->sources[1].questions, 0);
    assert_int_equal(log_in(fixture, "another"), OK);
    assert_int_equal(fixture->sources[0].questions, 2);
}

static void an_answer_never_outlives_the_token(void **state)
{
    static const struct {
        int64_t left_ms;
        int64_t kept_ms;
    } rows[] = {{7000, 7000}, {120000, 120000}, {500000, 120000}, {0, 0}, {-5, 0}};
    struct fixture *fixture = *state;
    char token[16];

    fixture->sources[0].code = OK;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int before = fixture->sources[0].questions;

        (void)snprintf(token, sizeof(token), "t%zu", i);
        fixture->sources[0].expires_ms = clock_wall_ms(&fixture->clock.clock) + rows[i].left_ms;
        assert_int_equal(log_in(fixture, token), OK);
        if (rows[i].kept_ms > 0) {
            fake_clock_advance(&fixture->clock, rows[i].kept_ms - 1);
            assert_int_equal(log_in(fixture, token), OK);
            assert_int_equal(fixture->sources[0].questions, before + 1);
            fake_clock_advance(&fixture->clock, 1);
        }
        assert_int_equal(log_in(fixture, token), OK);
        assert_int_equal(fixture->sources[0].questions, before + 2);
    }
}

static void a_refusal_counts_for_seconds_and_an_outage_not_at_all(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(log_in(fixture, "t"), ERROR_UNAUTHENTICATED);
    fixture->sources[0].code = OK;
    assert_int_equal(log_in(fixture, "t"), ERROR_UNAUTHENTICATED);
    assert_string_equal(fixture->err.message, "first says 2");
    fake_clock_advance(&fixture->clock, 5000);
    assert_int_equal(log_in(fixture, "t"), OK);
    fixture->sources[0].code = ERROR_UNAVAILABLE;
    assert_int_equal(log_in(fixture, "u"), ERROR_UNAVAILABLE);
    fixture->sources[0].code = OK;
    assert_int_equal(log_in(fixture, "u"), OK);
}

static void sources_are_weighed(void **state)
{
    static const struct {
        enum error_code first;
        enum error_code second;
        enum error_code result;
        const char *who;
    } rows[] = {
        {OK, OK, OK, "first"},
        {ERROR_UNAUTHENTICATED, OK, OK, "second"},
        {ERROR_UNAVAILABLE, OK, OK, "second"},
        {ERROR_DENIED, OK, OK, "second"},
        {ERROR_UNAUTHENTICATED, ERROR_UNAUTHENTICATED, ERROR_UNAUTHENTICATED, "first"},
        {ERROR_UNAVAILABLE, ERROR_UNAUTHENTICATED, ERROR_UNAVAILABLE, "first"},
        {ERROR_UNAUTHENTICATED, ERROR_UNAVAILABLE, ERROR_UNAVAILABLE, "second"},
        {ERROR_DENIED, ERROR_UNAVAILABLE, ERROR_UNAVAILABLE, "second"},
        {ERROR_UNAVAILABLE, ERROR_DENIED, ERROR_UNAVAILABLE, "first"},
        {ERROR_UNAUTHENTICATED, ERROR_DENIED, ERROR_DENIED, "second"},
        {ERROR_DENIED, ERROR_UNAUTHENTICATED, ERROR_DENIED, "first"},
    };
    struct fixture *fixture = *state;
    char token[16];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture->sources[0].code = rows[i].first;
        fixture->sources[1].code = rows[i].second;
        (void)snprintf(token, sizeof(token), "t%zu", i);
        assert_int_equal(log_in(fixture, token), rows[i].result);
        if (rows[i].result) {
            assert_true(str_starts_with(str_from(fixture->err.message), rows[i].who));
        } else {
            assert_true(str_is(fixture->identity->name, rows[i].who));
        }
    }
}

static void a_source_that_decides_is_asked_alone(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    fixture->sources[1].interest = SOURCE_DECIDES;
    assert_int_equal(log_in(fixture, "t"), ERROR_UNAUTHENTICATED);
    assert_int_equal(fixture->sources[0].questions, 0);
    assert_string_equal(fixture->err.message, "second says 2");
}

static void what_nobody_is_for_is_said(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].interest = SOURCE_IGNORES;
    fixture->sources[1].interest = SOURCE_IGNORES;
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "p", true), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(fixture->err.message, "use the user name oauth2"));
    assert_int_equal(log_in_as(fixture, CREDENTIALS_TOKEN, "t", true), ERROR_UNAUTHENTICATED);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_INSTANCE, "d", true), ERROR_UNAUTHENTICATED);
    assert_int_equal(fixture->sources[0].questions + fixture->sources[1].questions, 0);
}

static void a_source_that_changed_is_asked_again(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    assert_int_equal(log_in(fixture, "t"), OK);
    fixture->sources[0].generation++;
    assert_int_equal(log_in(fixture, "t"), OK);
    assert_int_equal(fixture->sources[0].questions, 2);
}

static void wrong_passwords_are_counted_also_from_memory(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "right", true), OK);
    fixture->sources[0].code = ERROR_UNAUTHENTICATED;
    for (int i = 0; i < LOGIN_FAILURES_MAX; i++) {
        assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "wrong", true),
                         ERROR_UNAUTHENTICATED);
    }
    assert_int_equal(fixture->sources[0].questions, 2);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "wrong", true), ERROR_TOO_MANY);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "other", true), ERROR_TOO_MANY);
    assert_true(fixture->err.retry_after_s > 0);
    assert_int_equal(fixture->sources[0].questions, 2); /* nothing is hashed for those */
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "right", true), OK);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_TOKEN, "t", true), ERROR_UNAUTHENTICATED);
}

static enum login_rank rank_of(struct fixture *fixture, const char *address)
{
    const struct credentials credentials = {.kind = CREDENTIALS_PASSWORD,
                                            .name = STR_LITERAL("alice")};
    const struct login login = {&credentials, str_from(address), false, NULL};

    return authenticator_rank(fixture->authenticator, &login);
}

static void who_was_right_before_need_not_wait_behind_others(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(rank_of(fixture, "10.0.0.1"), LOGIN_NEW);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "wrong", true),
                     ERROR_UNAUTHENTICATED);
    assert_int_equal(rank_of(fixture, "10.0.0.1"), LOGIN_SUSPECT);
    fixture->sources[0].code = OK;
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "right", true), OK);
    assert_int_equal(rank_of(fixture, "10.0.0.1"), LOGIN_TRUSTED);
    assert_int_equal(rank_of(fixture, "10.0.0.2"), LOGIN_NEW);
}

/* A place in the queue is for those who have something to be told there. */
static void who_guessed_too_often_is_told_without_waiting(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < LOGIN_FAILURES_MAX; i++) {
        assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "wrong", true),
                         ERROR_UNAUTHENTICATED);
    }
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "other", false), ERROR_TOO_MANY);
    assert_false(fixture->waits);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_TOKEN, "t", false), ERROR_UNAVAILABLE);
    assert_true(fixture->waits);
}

/* The one with the number i. */
static bool is_recalled(struct fixture *fixture)
{
    struct identity *identity = authenticator_recall(fixture->authenticator, &fixture->ticket);

    identity_release(identity);
    return identity;
}

static void a_ticket_recalls_what_is_remembered(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    assert_int_equal(log_in(fixture, "known"), OK);
    assert_true(is_recalled(fixture));
    fixture->sources[0].generation++;
    assert_false(is_recalled(fixture));
    assert_int_equal(log_in(fixture, "known"), OK);
    assert_true(is_recalled(fixture));
    fake_clock_advance(&fixture->clock, CACHE_MS);
    assert_false(is_recalled(fixture));
}

static void a_ticket_recalls_nobody_who_is_refused_by_now(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    assert_int_equal(log_in(fixture, "known"), OK);
    fake_clock_advance(&fixture->clock, CACHE_MS);
    fixture->sources[0].code = ERROR_UNAUTHENTICATED;
    assert_int_equal(log_in(fixture, "known"), ERROR_UNAUTHENTICATED);
    assert_false(is_recalled(fixture));
}

static enum error_code try_token(struct fixture *fixture, int i)
{
    char token[16];

    (void)snprintf(token, sizeof(token), "t%d", i);
    return log_in(fixture, token);
}

static void one_address_asks_about_so_many_tokens_that_nobody_knows(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    assert_int_equal(log_in(fixture, "known"), OK);
    fixture->sources[0].code = ERROR_UNAUTHENTICATED;
    for (int i = 0; i < ADDRESS_FAILURES_MAX; i++) {
        assert_int_equal(try_token(fixture, i), ERROR_UNAUTHENTICATED);
    }
    assert_int_equal(try_token(fixture, ADDRESS_FAILURES_MAX), ERROR_TOO_MANY);
    assert_true(fixture->err.retry_after_s > 0);
    assert_int_equal(fixture->sources[0].questions, 1 + ADDRESS_FAILURES_MAX);
    assert_int_equal(log_in(fixture, "known"), OK);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "p", true), ERROR_UNAUTHENTICATED);
    fake_clock_advance(&fixture->clock, LOGIN_WINDOW_MS);
    fixture->sources[0].code = OK;
    assert_int_equal(try_token(fixture, ADDRESS_FAILURES_MAX), OK);
}

/* A pipeline does not give up: others behind the same address must not suffer for it. */
static void an_expired_token_that_is_sent_again_and_again_locks_nobody_out(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 2 * ADDRESS_FAILURES_MAX; i++) {
        assert_int_equal(log_in(fixture, "expired"), ERROR_UNAUTHENTICATED);
        fake_clock_advance(&fixture->clock, 5000);
    }
    assert_int_equal(fixture->sources[0].questions, 2 * ADDRESS_FAILURES_MAX);
    fixture->sources[0].code = OK;
    assert_int_equal(log_in(fixture, "new"), OK);
}

static void tokens_that_are_verified_here_are_not_counted(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[1].interest = SOURCE_DECIDES;
    for (int i = 0; i < 2 * ADDRESS_FAILURES_MAX; i++) {
        assert_int_equal(try_token(fixture, i), ERROR_UNAUTHENTICATED);
    }
}

static void an_outage_is_no_wrong_password(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = ERROR_UNAVAILABLE;
    for (int i = 0; i < 2 * LOGIN_FAILURES_MAX; i++) {
        assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "p", true), ERROR_UNAVAILABLE);
    }
}

static void a_password_is_remembered_for_a_minute_only(void **state)
{
    struct fixture *fixture = *state;

    fixture->sources[0].code = OK;
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "right", true), OK);
    fake_clock_advance(&fixture->clock, 59999);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "right", true), OK);
    assert_int_equal(fixture->sources[0].questions, 1);
    fake_clock_advance(&fixture->clock, 1);
    assert_int_equal(log_in_as(fixture, CREDENTIALS_PASSWORD, "right", true), OK);
    assert_int_equal(fixture->sources[0].questions, 2);
}

static void expired_credentials_are_for_whom_they_name(void **state)
{
    const struct credentials credentials = {.kind = CREDENTIALS_TOKEN, .secret = STR_LITERAL("t")};
    struct fixture *fixture = *state;

    fixture->sources[1].expired_code = OK;
    assert_int_equal(authenticator_identify_expired(fixture->authenticator, &credentials,
                                                    &fixture->identity, &fixture->err),
                     ERROR_UNAUTHENTICATED);
    fixture->sources[1].interest = SOURCE_DECIDES;
    assert_int_equal(authenticator_identify_expired(fixture->authenticator, &credentials,
                                                    &fixture->identity, &fixture->err),
                     OK);
    assert_true(str_is(fixture->identity->name, "second"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_known_is_not_asked_again),
        TEST(an_answer_never_outlives_the_token),
        TEST(a_refusal_counts_for_seconds_and_an_outage_not_at_all),
        TEST(sources_are_weighed),
        TEST(a_source_that_decides_is_asked_alone),
        TEST(what_nobody_is_for_is_said),
        TEST(a_source_that_changed_is_asked_again),
        TEST(wrong_passwords_are_counted_also_from_memory),
        TEST(who_was_right_before_need_not_wait_behind_others),
        TEST(who_guessed_too_often_is_told_without_waiting),
        TEST(one_address_asks_about_so_many_tokens_that_nobody_knows),
        TEST(an_expired_token_that_is_sent_again_and_again_locks_nobody_out),
        TEST(tokens_that_are_verified_here_are_not_counted),
        TEST(an_outage_is_no_wrong_password),
        TEST(a_ticket_recalls_what_is_remembered),
        TEST(a_ticket_recalls_nobody_who_is_refused_by_now),
        TEST(a_password_is_remembered_for_a_minute_only),
        TEST(expired_credentials_are_for_whom_they_name),
    };

    authenticator_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
