#include "base/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void addresses_of_both_kinds_are_read(void **state)
{
    static const struct {
        const char *text;
        uint8_t address[16];
        bool is_ipv4;
    } rows[] = {
        {"10.0.0.1", {[10] = 0xff, 0xff, 10, 0, 0, 1}, true},
        {"::ffff:10.0.0.1", {[10] = 0xff, 0xff, 10, 0, 0, 1}, false},
        {"2001:DB8::1", {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, false},
        {"::", {0}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct in6_addr address;
        bool is_ipv4 = false;

        assert_true(host_parse_address(str_from(rows[i].text), &address, &is_ipv4));
        assert_memory_equal(address.s6_addr, rows[i].address, sizeof(address));
        assert_int_equal(is_ipv4, rows[i].is_ipv4);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const struct str rows[] = {
        STR_LITERAL(""),
        STR_LITERAL("10.0.0"),
        STR_LITERAL("10.0.0.1 "),
        STR_LITERAL("[::1]"),
        STR_LITERAL("fe80::1%eth0"),
        STR_LITERAL("10.0.0.1:80"),
        STR_LITERAL("localhost"),
        STR_LITERAL("127.0.0.1\0.example"),
        STR_LITERAL("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"),
    };
    struct in6_addr address;
    bool is_ipv4 = false;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(host_parse_address(rows[i], &address, &is_ipv4));
    }
}

static void ports_and_brackets_are_cut_off(void **state)
{
    static const char *const rows[][2] = {
        {"example.org", "example.org"},
        {"example.org:443", "example.org"},
        {"10.0.0.1:80", "10.0.0.1"},
        {"10.0.0.1", "10.0.0.1"},
        {"[2001:db8::1]:80", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"2001:db8::1", "2001:db8::1"},
        {"", ""},
        {"[", ""},
        {":80", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(str_is(host_without_port(str_from(rows[i][0])), rows[i][1]));
    }
}

static void only_this_machine_is_loopback(void **state)
{
    static const struct {
        const char *host;
        bool is_loopback;
    } rows[] = {
        {"localhost", true},
        {"LOCALHOST:5000", true},
        {"127.0.0.1", true},
        {"127.8.9.10:80", true},
        {"[::1]:80", true},
        {"::1", true},
        {"[::ffff:127.0.0.1]", true},
        {"128.0.0.1", false},
        {"0.0.0.0", false},
        {"[::]:80", false},
        {"localhost.example.org", false},
        {"127.0.0.1.example.org", false},
        {"example.org", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(host_is_loopback(str_from(rows[i].host)), rows[i].is_loopback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_both_kinds_are_read),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(only_this_machine_is_loopback),
        cmocka_unit_test(ports_and_brackets_are_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
