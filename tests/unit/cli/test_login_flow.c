#include "cli/login_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_becomes_a_persons_login),
        cmocka_unit_test(a_pause_takes_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
