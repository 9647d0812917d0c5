#include "auth/oidc_keys.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_client.h"

#define URL "https://issuer.example/jwks"

enum { THREADS = 8, S = 1000 };

static const char key_set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                              "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

struct world {
    struct http_client *client;
    struct fake_clock clock;
    struct oidc_keys *keys;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct oidc_issuer issuer = {.id = "https://issuer.example", .jwks_url = URL};

    world->client = fake_http_client_new();
    issuer.client = world->client;
    fake_clock_init(&world->clock);
    fake_http_client_answer(world->client, URL, 200, key_set, 300);
    world->keys = oidc_keys_new(&issuer, &world->clock.clock);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    oidc_keys_free(world->keys);
    oidc_keys_free(NULL);
    http_client_free(world->client);
    free(world);
    return 0;
}

static struct key_set *get(struct world *world)
{
    struct key_set *set = NULL;

    assert_int_equal(oidc_keys_get(world->keys, &set, NULL), OK);
    return set;
}

/* The number of requests after one more call. */
static unsigned count_after_get(struct world *world)
{
    key_set_release(get(world));
    return fake_http_client_count(world->client, NULL);
}

static void keys_are_fetched_once_for_their_time(void **state)
{
    static const struct {
        int64_t max_age_s;
        int64_t lifetime_s;
    } rows[] = {
        {300, 300},           {-1, OIDC_AGE_DEFAULT_S}, {0, OIDC_AGE_MIN_S},
        {59, OIDC_AGE_MIN_S}, {3601, OIDC_AGE_MAX_S},   {INT64_MAX, OIDC_AGE_MAX_S},
    };
    struct world *world = *state;
    unsigned count = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_http_client_answer(world->client, URL, 200, key_set, rows[i].max_age_s);
        assert_int_equal(count_after_get(world), ++count);
        fake_clock_advance(&world->clock, rows[i].lifetime_s * S - 1);
        assert_int_equal(count_after_get(world), count);
        fake_clock_advance(&world->clock, 1);
    }
}

static void old_keys_count_while_the_issuer_is_down(void **state)
{
    struct world *world = *state;
    struct key_set *first = get(world);
    struct key_set *second = NULL;

    fake_http_client_answer(world->client, URL, 503, "", -1);
    fake_clock_advance(&world->clock, 300 * S);
    second = get(world);
    assert_ptr_equal(second, first);
    assert_int_equal(fake_http_client_count(world->client, NULL), 2);
    /* It is left alone for a while. */
    fake_clock_advance(&world->clock, OIDC_AGE_MIN_S * S - 1);
    assert_int_equal(count_after_get(world), 2);
    fake_http_client_answer(world->client, URL, 200, key_set, 300);
    fake_clock_advance(&world->clock, 1);
    key_set_release(second);
    second = get(world);
    assert_ptr_not_equal(second, first);
    assert_int_equal(fake_http_client_count(world->client, NULL), 3);
    key_set_release(first);
    key_set_release(second);
}

static void without_any_keys_it_says_why_and_pauses(void **state)
{
    struct world *world = *state;
    struct key_set *set = NULL;

    fake_http_client_answer(world->client, URL, 500, "", -1);
    for (int i = 0; i < 3; i++) {
        struct error err = {0};

        assert_int_equal(oidc_keys_get(world->keys, &set, &err), ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.message, "answered 500"));
    }
    assert_int_equal(fake_http_client_count(world->client, NULL), 1);
    fake_http_client_answer(world->client, URL, 200, key_set, -1);
    fake_clock_advance(&world->clock, OIDC_PAUSE_MS - 1);
    assert_int_equal(oidc_keys_get(world->keys, &set, NULL), ERROR_UNAVAILABLE);
    fake_clock_advance(&world->clock, 1);
    assert_int_equal(count_after_get(world), 2);
}

static void newer_keys_are_asked_for_with_a_pause(void **state)
{
    struct world *world = *state;
    struct key_set *known = get(world);
    struct key_set *newer = NULL;

    assert_int_equal(oidc_keys_get_newer(world->keys, known, &newer, NULL), ERROR_NOT_FOUND);
    fake_clock_advance(&world->clock, OIDC_PAUSE_MS - 1);
    assert_int_equal(oidc_keys_get_newer(world->keys, known, &newer, NULL), ERROR_NOT_FOUND);
    assert_int_equal(fake_http_client_count(world->client, NULL), 1);
    fake_clock_advance(&world->clock, 1);
    assert_int_equal(oidc_keys_get_newer(world->keys, known, &newer, NULL), OK);
    assert_ptr_not_equal(newer, known);
    assert_int_equal(fake_http_client_count(world->client, NULL), 2);
    key_set_release(newer);
    /* Who has the first ones still gets these, without another request. */
    assert_int_equal(oidc_keys_get_newer(world->keys, known, &newer, NULL), OK);
    assert_int_equal(fake_http_client_count(world->client, NULL), 2);
    key_set_release(newer);
    key_set_release(known);
}

static void an_issuer_that_is_down_has_nothing_newer(void **state)
{
    struct world *world = *state;
    struct key_set *known = get(world);
    struct key_set *newer = NULL;
    struct error err = {0};

    fake_http_client_answer(world->client, URL, 0, "", -1);
    fake_clock_advance(&world->clock, OIDC_PAUSE_MS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oidc_keys_get_newer(world->keys, known, &newer, &err), ERROR_UNAVAILABLE);
        assert_string_equal(err.message, "nobody answers");
    }
    assert_int_equal(fake_http_client_count(world->client, NULL), 2);
    key_set_release(known);
}

static void *get_in_thread(void *argument)
{
    struct world *world = argument;
    struct key_set *set = NULL;

    return oidc_keys_get(world->keys, &set, NULL) ? NULL : set;
}

static void start(struct world *world, pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, get_in_thread, world), 0);
    }
}

static void end(pthread_t threads[THREADS], const struct key_set *expected)
{
    const struct key_set *first = expected;

    for (int i = 0; i < THREADS; i++) {
        void *set = NULL;

        assert_int_equal(pthread_join(threads[i], &set), 0);
        assert_non_null(set);
        first = first ? first : set;
        assert_ptr_equal(set, first);
        key_set_release(set);
    }
}

static void one_of_many_threads_fetches(void **state)
{
    struct world *world = *state;
    pthread_t threads[THREADS];

    fake_http_client_hold(world->client, true);
    start(world, threads);
    fake_http_client_wait_for_request(world->client);
    fake_http_client_hold(world->client, false);
    end(threads, NULL);
    assert_int_equal(fake_http_client_count(world->client, NULL), 1);
}

static void a_slow_issuer_does_not_hold_up_those_with_keys(void **state)
{
    struct world *world = *state;
    struct key_set *known = get(world);
    pthread_t fetching;
    pthread_t threads[THREADS];
    void *set = NULL;

    fake_clock_advance(&world->clock, 300 * S);
    fake_http_client_hold(world->client, true);
    assert_int_equal(pthread_create(&fetching, NULL, get_in_thread, world), 0);
    fake_http_client_wait_for_request(world->client);
    start(world, threads);
    end(threads, known);
    fake_http_client_hold(world->client, false);
    assert_int_equal(pthread_join(fetching, &set), 0);
    assert_ptr_not_equal(set, known);
    assert_int_equal(fake_http_client_count(world->client, NULL), 2);
    key_set_release(set);
    key_set_release(known);
}

#define ISSUER "https://issuer.example/realm"
#define DISCOVERY ISSUER "/.well-known/openid-configuration"
#define KEYS "https://keys.example/jwks"

static int fetch_set_up(void **state)
{
    struct http_client *client = fake_http_client_new();

    fake_http_client_answer(client, DISCOVERY, 200,
                            "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"" KEYS "\"}", 5);
    fake_http_client_answer(client, KEYS, 200, key_set, 300);
    *state = client;
    return 0;
}

static int fetch_tear_down(void **state)
{
    http_client_free(*state);
    return 0;
}

static void expect_keys(const struct oidc_issuer *issuer)
{
    struct oidc_fetched fetched = {0};
    struct error err = {0};

    if (oidc_fetch_keys(issuer, &fetched, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(key_set_count(fetched.keys), 1);
    assert_int_equal(fetched.max_age_s, 300);
    key_set_release(fetched.keys);
}

static void expect_failure(const struct oidc_issuer *issuer, const char *part)
{
    struct oidc_fetched fetched = {0};
    struct error err = {0};

    assert_int_equal(oidc_fetch_keys(issuer, &fetched, &err), ERROR_UNAVAILABLE);
    assert_null(fetched.keys);
    if (!strstr(err.message, part)) {
        fail_msg("'%s' does not say '%s'", err.message, part);
    }
}

static void keys_are_found_by_discovery(void **state)
{
    expect_keys(&(struct oidc_issuer){.id = ISSUER, .client = *state});
    assert_int_equal(fake_http_client_count(*state, NULL), 2);
}

static void a_slash_at_the_end_is_left_out(void **state)
{
    fake_http_client_answer(*state, DISCOVERY, 200,
                            "{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"" KEYS "\"}", 5);
    expect_keys(&(struct oidc_issuer){.id = ISSUER "/", .client = *state});
}

static void a_known_address_needs_no_discovery(void **state)
{
    expect_keys(&(struct oidc_issuer){.id = ISSUER, .jwks_url = KEYS, .client = *state});
    assert_int_equal(fake_http_client_count(*state, NULL), 1);
}

static void bad_discovery_is_told(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *message;
    } rows[] = {
        {0, "", "nobody answers"},
        {404, "", DISCOVERY " answered 404"},
        {301, "", "answered 301"},
        {200, "<html>", "is no JSON object"},
        {200, "[]", "is no JSON object"},
        {200, "{}", "has no \"issuer\""},
        {200, "{\"issuer\":\"https://other\",\"jwks_uri\":\"" KEYS "\"}",
         "what the issuer " ISSUER " has at /.well-known/openid-configuration calls itself "
         "'https://other'"},
        {200, "{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"" KEYS "\"}", "calls itself"},
        {200, "{\"issuer\":\"" ISSUER "\"}", "has no \"jwks_uri\""},
        {200, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":7}", "has a \"jwks_uri\" that is no string"},
        {200, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"file:///etc/passwd\"}",
         "no usable 'jwks_uri'"},
        {200, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://keys.example/jwks\"}",
         "no usable 'jwks_uri'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_http_client_answer(*state, DISCOVERY, rows[i].status, rows[i].body, -1);
        expect_failure(&(struct oidc_issuer){.id = ISSUER, .client = *state}, rows[i].message);
    }
    assert_int_equal(fake_http_client_count(*state, KEYS), 0);
}

static void an_issuer_without_tls_may_have_keys_without(void **state)
{
    fake_http_client_answer(
        *state, "http://127.0.0.1:1/.well-known/openid-configuration", 200,
        "{\"issuer\":\"http://127.0.0.1:1\",\"jwks_uri\":\"http://127.0.0.1:1/jwks\"}", 5);
    fake_http_client_answer(*state, "http://127.0.0.1:1/jwks", 200, key_set, 300);
    expect_keys(&(struct oidc_issuer){.id = "http://127.0.0.1:1", .client = *state});
}

static void bad_key_sets_are_told(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *message;
    } rows[] = {
        {0, "", "nobody answers"},
        {500, "", KEYS " answered 500"},
        {200, "", "the keys of " ISSUER " cannot be read"},
        {200, "{}", "has no array 'keys'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_http_client_answer(*state, KEYS, rows[i].status, rows[i].body, -1);
        expect_failure(&(struct oidc_issuer){.id = ISSUER, .client = *state}, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_are_fetched_once_for_their_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_keys_count_while_the_issuer_is_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_any_keys_it_says_why_and_pauses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(newer_keys_are_asked_for_with_a_pause, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_issuer_that_is_down_has_nothing_newer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_of_many_threads_fetches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_issuer_does_not_hold_up_those_with_keys, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_are_found_by_discovery, fetch_set_up, fetch_tear_down),
        cmocka_unit_test_setup_teardown(a_slash_at_the_end_is_left_out, fetch_set_up,
                                        fetch_tear_down),
        cmocka_unit_test_setup_teardown(a_known_address_needs_no_discovery, fetch_set_up,
                                        fetch_tear_down),
        cmocka_unit_test_setup_teardown(bad_discovery_is_told, fetch_set_up, fetch_tear_down),
        cmocka_unit_test_setup_teardown(an_issuer_without_tls_may_have_keys_without, fetch_set_up,
                                        fetch_tear_down),
        cmocka_unit_test_setup_teardown(bad_key_sets_are_told, fetch_set_up, fetch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
