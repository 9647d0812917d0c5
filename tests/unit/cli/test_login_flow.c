#include "cli/login_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_client.h"

static void a_grant_becomes_a_persons_login(void **state)
{
    static const struct {
        int64_t lifetime_ms;
        int64_t good_for_ms;
    } cases[] = {{60 * 1000, 60 * 1000}, {0, LOGIN_UNTOLD_LIFETIME_MS}};
    static const struct provider provider = {.token_url = "https://t", .client_id = "c"};
    struct fake_clock clock;
    const struct login_flow flow = {.provider = &provider, .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct oauth_grant grant = {
            .access_token = STR_LITERAL("a"),
            .refresh_token = STR_LITERAL("r"),
            .lifetime_ms = cases[i].lifetime_ms,
        };
        const struct login login = login_flow_result(&flow, &grant);

        assert_int_equal(login.kind, LOGIN_OAUTH);
        assert_true(str_is(login.secret, "a"));
        assert_true(str_is(login.refresh_token, "r"));
        assert_true(str_is(login.token_url, "https://t"));
        assert_true(str_is(login.client_id, "c"));
        assert_int_equal(login.expires_ms, clock_wall_ms(&clock.clock) + cases[i].good_for_ms);
    }
}

static void a_pause_takes_its_time(void **state)
{
    const int64_t begin_ms = clock_monotonic_ms(&clock_system);

    (void)state;
    login_flow_pause(NULL, 0);
    login_flow_pause(NULL, 2);
    assert_true(clock_monotonic_ms(&clock_system) - begin_ms >= 1);
}

static const char device_url[] = "https://login/device";
static const char token_url[] = "https://login/token";

enum { CHATTER_BYTES = 4096, STEPS_MAX = 8, PAUSES_MAX = 400 };

#define DEVICE                                                                                     \
    "{\"device_code\":\"dev&sesame\",\"user_code\":\"ABCD-EFGH\",\"verification_uri\":"            \
    "\"https://login/activate\",\"expires_in\":200,\"interval\":7}"
#define PENDING "{\"error\":\"authorization_pending\"}"
#define SLOW_DOWN "{\"error\":\"slow_down\"}"
#define GRANT "{\"access_token\":\"token\",\"refresh_token\":\"refresh\",\"expires_in\":60}"

/* What the login server answers, one after another; the last again and again. */
struct step {
    int status; /* 0: the end */
    const char *body;
};

/* A login on its way, whose pauses turn the clock. */
struct device_world {
    struct login_flow flow;
    struct provider provider;
    struct arena arena;
    struct fake_clock clock;
    const struct step *step;
    int64_t pauses_ms[PAUSES_MAX];
    size_t pause_count;
    char chatter[CHATTER_BYTES];
};

static void pause_and_answer(void *context, int64_t duration_ms)
{
    struct device_world *const world = context;

    assert_true(world->pause_count < PAUSES_MAX);
    world->pauses_ms[world->pause_count++] = duration_ms;
    fake_clock_advance(&world->clock, duration_ms);
    fake_http_client_answer(world->flow.client, token_url, world->step->status, world->step->body,
                            -1);
    world->step += world->step[1].body ? 1 : 0;
}

static int set_up(void **state)
{
    struct device_world *const world = calloc(1, sizeof(*world));

    arena_init(&world->arena, 1024 * 1024);
    fake_clock_init(&world->clock);
    world->provider = (struct provider){.issuer = "https://login",
                                        .client_id = "c",
                                        .scopes = "openid uid",
                                        .token_url = token_url,
                                        .device_url = device_url};
    world->flow = (struct login_flow){
        .provider = &world->provider,
        .client = fake_http_client_new(),
        .clock = &world->clock.clock,
        .arena = &world->arena,
        .chatter = fmemopen(world->chatter, sizeof(world->chatter), "w"),
        .pause = pause_and_answer,
        .pause_context = world,
    };
    assert_non_null(world->flow.chatter);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct device_world *const world = *state;

    (void)fclose(world->flow.chatter);
    http_client_free(world->flow.client);
    arena_release(&world->arena);
    free(world);
    return 0;
}

static enum error_code log_in(struct device_world *world, const char *device,
                              const struct step *steps, struct error *err)
{
    struct login login = {0};
    enum error_code code = OK;

    world->step = steps;
    world->pause_count = 0;
    fake_http_client_answer(world->flow.client, device_url, 200, device, -1);
    code = device_login(&world->flow, &login, err);
    if (!code) {
        assert_int_equal(login.kind, LOGIN_OAUTH);
        assert_string_equal(login.secret.bytes, "token");
        assert_string_equal(login.refresh_token.bytes, "refresh");
    }
    return code;
}

static void the_person_is_told_where_to_go(void **state)
{
    static const struct step steps[] = {{200, GRANT}, {0, NULL}};
    struct device_world *const world = *state;

    assert_int_equal(log_in(world, DEVICE, steps, NULL), OK);
    assert_non_null(strstr(world->chatter, "https://login/activate\n"));
    assert_non_null(strstr(world->chatter, "ABCD-EFGH"));
    assert_null(strstr(world->chatter, "sesame"));
    assert_int_equal(world->pause_count, 1);
    assert_int_equal(world->pauses_ms[0], 7 * MS_PER_SECOND);
    assert_string_equal(fake_http_client_request(world->flow.client)->body,
                        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
                        "&device_code=dev%26sesame&client_id=c");
}

static void an_address_that_has_the_code_in_it_is_shown_instead(void **state)
{
    static const struct step steps[] = {{200, GRANT}, {0, NULL}};
    struct device_world *const world = *state;

    assert_int_equal(log_in(world,
                            "{\"device_code\":\"d\",\"user_code\":\"U\",\"verification_uri\":\"v\","
                            "\"verification_uri_complete\":\"https://login/?U\"}",
                            steps, NULL),
                     OK);
    assert_non_null(strstr(world->chatter, "  https://login/?U\n"));
    assert_int_equal(world->pauses_ms[0], 5 * MS_PER_SECOND); /* RFC 8628 3.2 */
}

static void who_asks_too_often_is_slowed_down(void **state)
{
    static const struct step steps[] = {{400, PENDING},   {400, SLOW_DOWN}, {400, PENDING},
                                        {400, SLOW_DOWN}, {400, PENDING},   {200, GRANT},
                                        {0, NULL}};
    static const int64_t pauses_s[] = {7, 7, 12, 12, 17, 17};
    struct device_world *const world = *state;

    assert_int_equal(log_in(world, DEVICE, steps, NULL), OK);
    assert_int_equal(world->pause_count, ARRAY_LEN(pauses_s));
    for (size_t i = 0; i < ARRAY_LEN(pauses_s); i++) {
        assert_int_equal(world->pauses_ms[i], pauses_s[i] * MS_PER_SECOND);
    }
}

static void refusals_and_failures_end_it(void **state)
{
    static const struct {
        struct step steps[3];
        enum error_code code;
        const char *told;
    } cases[] = {
        {{{400, "{\"error\":\"access_denied\"}"}, {0, NULL}},
         ERROR_UNAUTHENTICATED,
         "access_denied"},
        {{{400, PENDING}, {400, "{\"error\":\"access_denied\"}"}, {0, NULL}},
         ERROR_UNAUTHENTICATED,
         "access_denied"},
        {{{400, PENDING}, {400, "{\"error\":\"expired_token\"}"}, {0, NULL}},
         ERROR_UNAUTHENTICATED,
         "expired_token"},
        {{{400, ""}, {0, NULL}}, ERROR_UNAUTHENTICATED, "does not say why"},
        {{{500, ""}, {0, NULL}}, ERROR_UNAVAILABLE, "status 500"},
        {{{200, "{}"}, {0, NULL}}, ERROR_UNAVAILABLE, "access_token"},
    };
    struct device_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        assert_int_equal(log_in(world, DEVICE, cases[i].steps, &err), cases[i].code);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_null(strstr(err.message, "sesame"));
    }
}

static void nobody_is_waited_for_only_so_long(void **state)
{
    static const struct step steps[] = {{400, PENDING}, {0, NULL}};
    static const struct {
        const char *expires_in;
        const char *interval;
        size_t pauses;
    } cases[] = {
        {"20", "7", 3},                         /* as long as the server keeps the code */
        {"3600", "60", 5},                      /* LOGIN_WAIT_MS */
        {"3600", "999", 5}, {"3600", "0", 300}, /* one a second */
        {"0", "5", 0},      {"\"20\"", "\"7\"", 3}, {"20.5", "6.9", 3},
    };
    struct device_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        assert_int_equal(
            log_in(world,
                   arena_format(&world->arena,
                                "{\"device_code\":\"d\",\"user_code\":\"U\",\"verification_uri\":"
                                "\"v\",\"expires_in\":%s,\"interval\":%s}",
                                cases[i].expires_in, cases[i].interval),
                   steps, &err),
            ERROR_UNAUTHENTICATED);
        assert_non_null(strstr(err.message, "nobody has logged in"));
        assert_int_equal(world->pause_count, cases[i].pauses);
    }
}

static void a_server_that_gives_no_code_is_told(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } cases[] = {
        {0, "", ERROR_UNAVAILABLE},
        {400, "{\"error\":\"unauthorized_client\"}", ERROR_UNAUTHENTICATED},
        {400, DEVICE, ERROR_UNAUTHENTICATED},
        {200, "", ERROR_UNAUTHENTICATED},
        {200, "<html>", ERROR_UNAUTHENTICATED},
        {200, "{\"device_code\":\"d\"}", ERROR_UNAUTHENTICATED},
        {200, "{\"verification_uri\":\"v\"}", ERROR_UNAUTHENTICATED},
        {200, "{\"device_code\":1,\"verification_uri\":\"v\"}", ERROR_UNAUTHENTICATED},
    };
    struct device_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login = {.kind = LOGIN_NONE};
        struct error err = {0};

        fake_http_client_answer(world->flow.client, device_url, cases[i].status, cases[i].body, -1);
        assert_int_equal(device_login(&world->flow, &login, &err), cases[i].code);
        assert_true(err.message[0] != '\0');
        assert_int_equal(login.kind, LOGIN_NONE);
        assert_true(cases[i].code != ERROR_UNAUTHENTICATED ||
                    strstr(err.message, "not allow the client \"c\" to use the device grant"));
    }
    assert_string_equal(fake_http_client_request(world->flow.client)->body,
                        "client_id=c&scope=openid%20uid");
}

static void a_provider_without_the_grant_is_told(void **state)
{
    struct device_world *const world = *state;
    struct error err = {0};
    struct login login;

    world->provider.device_url = NULL;
    assert_int_equal(device_login(&world->flow, &login, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "https://login"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_becomes_a_persons_login),
        cmocka_unit_test(a_pause_takes_its_time),
        cmocka_unit_test_setup_teardown(the_person_is_told_where_to_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_that_has_the_code_in_it_is_shown_instead, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_asks_too_often_is_slowed_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals_and_failures_end_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_waited_for_only_so_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_gives_no_code_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_provider_without_the_grant_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
