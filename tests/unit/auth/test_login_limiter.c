#include "auth/login_limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"

enum { ADDRESS_FAILURES_MAX = 100 };

struct fixture {
    struct fake_clock clock;
    struct login_limiter *limiter;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fake_clock_init(&fixture.clock);
    fixture.limiter = login_limiter_new(ADDRESS_FAILURES_MAX, &fixture.clock.clock);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    login_limiter_free(fixture->limiter);
    return 0;
}

static void fail_often(struct fixture *fixture, const char *address, const char *name, int times)
{
    for (int i = 0; i < times; i++) {
        login_limiter_count(fixture->limiter, str_from(address), str_from(name));
    }
}

static enum error_code check(struct fixture *fixture, const char *address, const char *name)
{
    return login_limiter_check(fixture->limiter, str_from(address), str_from(name), NULL);
}

static void some_wrong_passwords_are_everybodys_right(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(check(fixture, "10.0.0.1", "alice"), OK);
    fail_often(fixture, "10.0.0.1", "alice", LOGIN_FAILURES_MAX - 1);
    assert_int_equal(check(fixture, "10.0.0.1", "alice"), OK);
}

static void too_many_are_refused_for_a_while(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    fail_often(fixture, "10.0.0.1", "alice", 1);
    fake_clock_advance(&fixture->clock, 10 * 1000);
    fail_often(fixture, "10.0.0.1", "alice", LOGIN_FAILURES_MAX - 1);
    assert_int_equal(
        login_limiter_check(fixture->limiter, str_from("10.0.0.1"), str_from("alice"), &err),
        ERROR_TOO_MANY);
    assert_int_equal(err.retry_after_s, 51); /* the window began with the first */
    assert_non_null(strstr(err.message, "wait 51 seconds"));
    fake_clock_advance(&fixture->clock, 50 * 1000);
    assert_int_equal(check(fixture, "10.0.0.1", "alice"), OK);
    fail_often(fixture, "10.0.0.1", "alice", LOGIN_FAILURES_MAX - 1);
    assert_int_equal(check(fixture, "10.0.0.1", "alice"), OK); /* counted anew */
}

static void other_names_and_addresses_are_not_held_up(void **state)
{
    struct fixture *fixture = *state;

    fail_often(fixture, "10.0.0.1", "alice", LOGIN_FAILURES_MAX);
    assert_int_equal(check(fixture, "10.0.0.1", "alice"), ERROR_TOO_MANY);
    assert_int_equal(check(fixture, "10.0.0.1", "bob"), OK);
    assert_int_equal(check(fixture, "10.0.0.2", "alice"), OK);
    assert_int_equal(check(fixture, "10.0.0.1a", "lice"), OK);
}

static void one_address_cannot_try_name_after_name(void **state)
{
    struct fixture *fixture = *state;
    char name[32];

    for (int i = 0; i < ADDRESS_FAILURES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "name%d", i);
        assert_int_equal(check(fixture, "10.0.0.1", name), OK);
        fail_often(fixture, "10.0.0.1", name, 1);
    }
    assert_int_equal(check(fixture, "10.0.0.1", "another"), ERROR_TOO_MANY);
    assert_int_equal(check(fixture, "10.0.0.2", "another"), OK);
    fake_clock_advance(&fixture->clock, LOGIN_WINDOW_MS);
    assert_int_equal(check(fixture, "10.0.0.1", "another"), OK);
}

/* Whoever has an IPv6 address has 2^64 of them. */
static void an_ipv6_network_is_one_address(void **state)
{
    static const char *const same[] = {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2",
                                       "2001:DB8::1:0:0:0:3"};
    static const char *const others[] = {"2001:db8:0:2::1", "2001:db8::1", "::ffff:10.0.0.2",
                                         "10.0.0.2"};
    struct fixture *fixture = *state;

    fail_often(fixture, "2001:db8:0:1::abcd", "alice", LOGIN_FAILURES_MAX);
    fail_often(fixture, "::ffff:10.0.0.1", "alice", LOGIN_FAILURES_MAX);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_int_equal(check(fixture, same[i], "alice"), ERROR_TOO_MANY);
        assert_int_equal(check(fixture, same[i], "bob"), OK);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(check(fixture, others[i], "alice"), OK);
    }
    assert_int_equal(check(fixture, "10.0.0.1", "alice"), ERROR_TOO_MANY);
}

/* Whoever has a /48 has 65536 networks. */
static void networks_of_an_ipv6_site_have_a_limit_together(void **state)
{
    struct fixture *fixture = *state;
    char address[64];

    for (int i = 0; i < LOGIN_SITE_FACTOR * ADDRESS_FAILURES_MAX; i++) {
        (void)snprintf(address, sizeof(address), "2001:db8:1:%x::1", (unsigned)i);
        assert_int_equal(check(fixture, address, "alice"), OK);
        fail_often(fixture, address, "alice", 1);
    }
    assert_int_equal(check(fixture, "2001:db8:1:ffff::1", "alice"), ERROR_TOO_MANY);
    assert_int_equal(login_limiter_check_address(fixture->limiter, str_from("2001:db8:1::"), NULL),
                     ERROR_TOO_MANY);
    assert_int_equal(check(fixture, "2001:db8:2::1", "alice"), OK);
    fake_clock_advance(&fixture->clock, LOGIN_WINDOW_MS);
    assert_int_equal(check(fixture, "2001:db8:1:ffff::1", "alice"), OK);
}

static enum login_rank rank_of(struct fixture *fixture, const char *address, const char *name)
{
    return login_limiter_rank(fixture->limiter, str_from(address), str_from(name));
}

static void who_was_right_goes_before_who_is_new_and_both_before_who_failed(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(rank_of(fixture, "10.0.0.1", "alice"), LOGIN_NEW);
    login_limiter_trust(fixture->limiter, str_from("10.0.0.1"), str_from("alice"));
    assert_int_equal(rank_of(fixture, "10.0.0.1", "alice"), LOGIN_TRUSTED);
    fail_often(fixture, "10.0.0.1", "bob", 1);
    assert_int_equal(rank_of(fixture, "10.0.0.1", "alice"), LOGIN_TRUSTED);
    assert_int_equal(rank_of(fixture, "10.0.0.1", "bob"), LOGIN_SUSPECT);
    assert_int_equal(rank_of(fixture, "10.0.0.1", "carol"), LOGIN_SUSPECT);
    assert_int_equal(rank_of(fixture, "10.0.0.2", "alice"), LOGIN_NEW);
    fail_often(fixture, "2001:db8:1:2::3", "bob", 1);
    assert_int_equal(rank_of(fixture, "2001:db8:1:ffff::1", "alice"), LOGIN_SUSPECT);
    assert_int_equal(rank_of(fixture, "2001:db8:2::1", "alice"), LOGIN_NEW);
    fake_clock_advance(&fixture->clock, LOGIN_WINDOW_MS);
    assert_int_equal(rank_of(fixture, "10.0.0.1", "bob"), LOGIN_NEW);
    fake_clock_advance(&fixture->clock, LOGIN_TRUST_MS - LOGIN_WINDOW_MS);
    assert_int_equal(rank_of(fixture, "10.0.0.1", "alice"), LOGIN_NEW);
}

/* Or a flood of wrong names would make all others new. */
static void failures_push_out_nobody_who_was_right(void **state)
{
    struct fixture *fixture = *state;
    char address[64];

    login_limiter_trust(fixture->limiter, str_from("10.0.0.1"), str_from("alice"));
    for (int i = 0; i < 4 * LOGIN_LIMITER_ENTRIES; i++) {
        (void)snprintf(address, sizeof(address), "10.1.%d.%d", i / 256, i % 256);
        fail_often(fixture, address, "alice", 1);
    }
    assert_int_equal(rank_of(fixture, "10.0.0.1", "alice"), LOGIN_TRUSTED);
}

static void what_is_no_address_stands_for_itself(void **state)
{
    struct fixture *fixture = *state;

    fail_often(fixture, "fe80::1%eth0", "alice", LOGIN_FAILURES_MAX);
    assert_int_equal(check(fixture, "fe80::1%eth0", "alice"), ERROR_TOO_MANY);
    assert_int_equal(check(fixture, "fe80::1%eth1", "alice"), OK);
    assert_int_equal(check(fixture, "", "alice"), OK);
    assert_int_equal(check(fixture, "unknown", "alice"), OK);
}

static void what_is_repeated_counts_once(void **state)
{
    const struct str address = STR_LITERAL("10.0.0.1");
    struct fixture *fixture = *state;
    char name[32];

    for (int i = 0; i < ADDRESS_FAILURES_MAX; i++) {
        login_limiter_count_once(fixture->limiter, address, str_from("expired"));
    }
    for (int i = 1; i < ADDRESS_FAILURES_MAX; i++) {
        assert_int_equal(login_limiter_check_address(fixture->limiter, address, NULL), OK);
        (void)snprintf(name, sizeof(name), "name%d", i);
        login_limiter_count_once(fixture->limiter, address, str_from(name));
    }
    assert_int_equal(login_limiter_check_address(fixture->limiter, address, NULL), ERROR_TOO_MANY);
    assert_int_equal(login_limiter_check_address(fixture->limiter, str_from("10.0.0.2"), NULL), OK);
    fake_clock_advance(&fixture->clock, LOGIN_WINDOW_MS);
    assert_int_equal(login_limiter_check_address(fixture->limiter, address, NULL), OK);
}

static void any_number_of_names_takes_bounded_memory(void **state)
{
    struct fixture *fixture = *state;
    char name[32];

    for (int i = 0; i < 4 * LOGIN_LIMITER_ENTRIES; i++) {
        (void)snprintf(name, sizeof(name), "name%d", i);
        fail_often(fixture, "10.0.0.1", name, 1);
    }
    fail_often(fixture, "10.0.0.1", "alice", LOGIN_FAILURES_MAX);
    assert_int_equal(check(fixture, "10.0.0.1", "alice"), ERROR_TOO_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(some_wrong_passwords_are_everybodys_right, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_many_are_refused_for_a_while, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_names_and_addresses_are_not_held_up, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_address_cannot_try_name_after_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ipv6_network_is_one_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(networks_of_an_ipv6_site_have_a_limit_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            who_was_right_goes_before_who_is_new_and_both_before_who_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_push_out_nobody_who_was_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_address_stands_for_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_repeated_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_number_of_names_takes_bounded_memory, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
