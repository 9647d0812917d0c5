#include "http/address_shares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attributes.h"

enum { MANY = 1000 };

static unsigned count_of(struct address_shares *shares, const char *address)
{
    unsigned count = 0;

    address_shares_give_back(shares, address_shares_take(shares, str_from(address), &count));
    return count - 1;
}

static void each_address_has_its_own(void **state)
{
    struct address_shares *shares = address_shares_new(8);
    struct address_share *taken[3];
    unsigned count = 0;

    (void)state;
    taken[0] = address_shares_take(shares, str_from("192.0.2.1"), &count);
    assert_int_equal(count, 1);
    taken[1] = address_shares_take(shares, str_from("192.0.2.1"), &count);
    assert_int_equal(count, 2);
    taken[2] = address_shares_take(shares, str_from("192.0.2.2"), &count);
    assert_int_equal(count, 1);
    address_shares_give_back(shares, taken[0]);
    assert_int_equal(count_of(shares, "192.0.2.1"), 1);
    address_shares_give_back(shares, taken[1]);
    assert_int_equal(count_of(shares, "192.0.2.1"), 0);
    assert_int_equal(count_of(shares, "192.0.2.2"), 1);
    address_shares_give_back(shares, taken[2]);
    address_shares_give_back(shares, NULL);
    address_shares_free(shares);
}

static void some_are_one(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        bool are_one;
    } pairs[] = {
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"unknown", "", true},
        {"unknown", "192.0.2.1", false},
    };
    struct address_shares *shares = address_shares_new(8);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        unsigned count = 0;
        struct address_share *share = address_shares_take(shares, str_from(pairs[i].one), &count);

        assert_int_equal(count_of(shares, pairs[i].other), pairs[i].are_one ? 1 : 0);
        address_shares_give_back(shares, share);
    }
    address_shares_free(shares);
}

static void more_addresses_than_planned_fit(void **state)
{
    struct address_shares *shares = address_shares_new(1);
    struct address_share *taken[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        char address[40];
        unsigned count = 0;

        (void)snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
        taken[i] = address_shares_take(shares, str_from(address), &count);
        assert_int_equal(count, 1);
    }
    for (int i = 0; i < MANY; i++) {
        address_shares_give_back(shares, taken[i]);
    }
    address_shares_free(shares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_own),
        cmocka_unit_test(some_are_one),
        cmocka_unit_test(more_addresses_than_planned_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
