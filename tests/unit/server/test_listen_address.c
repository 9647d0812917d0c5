#include "server/listen_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct address_case {
    const char *text;
    const char *host;
    unsigned port;
    bool is_ipv6;
    bool is_loopback;
};

static const struct address_case good_cases[] = {
    {"127.0.0.1:8080", "127.0.0.1", 8080, false, true},
    {"127.8.7.6:0", "127.8.7.6", 0, false, true},
    {"localhost:80", "localhost", 80, false, true},
    {"LocalHost:80", "LocalHost", 80, false, true},
    {"[::1]:8080", "::1", 8080, true, true},
    {"[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", 1, true, true},
    {"0.0.0.0:8080", "0.0.0.0", 8080, false, false},
    {"128.0.0.1:8080", "128.0.0.1", 8080, false, false},
    {"[::]:65535", "::", 65535, true, false},
    {"[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1, true, false},
    {"registry.example.org:443", "registry.example.org", 443, false, false},
    /* What looks like loopback only to a lenient reader is not taken for it. */
    {"127.1:80", "127.1", 80, false, false},
    {"127.0.0.1.example.org:80", "127.0.0.1.example.org", 80, false, false},
    {"localhost.example.org:80", "localhost.example.org", 80, false, false},
};

static void addresses_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good_cases); i++) {
        struct listen_address address;

        assert_int_equal(listen_address_parse(str_from(good_cases[i].text), &address, NULL), OK);
        assert_string_equal(address.host, good_cases[i].host);
        assert_int_equal(address.port, good_cases[i].port);
        assert_int_equal(address.is_ipv6, good_cases[i].is_ipv6);
    }
}

static void only_this_machine_reaches_loopback(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good_cases); i++) {
        struct listen_address address;

        assert_int_equal(listen_address_parse(str_from(good_cases[i].text), &address, NULL), OK);
        assert_int_equal(listen_address_is_loopback(&address), good_cases[i].is_loopback);
    }
}

static void wrong_addresses_say_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "must be HOST:PORT"},
        {"8080", "must be HOST:PORT"},
        {":8080", "has no host"},
        {"127.0.0.1:", "must end in a port"},
        {"127.0.0.1:65536", "must end in a port"},
        {"127.0.0.1:-1", "must end in a port"},
        {"127.0.0.1:http", "must end in a port"},
        {"::1:8080", "brackets"},
        {"[::1", "must be HOST:PORT"},
        {"[]:1", "brackets"},
        {"[zz]:1", "brackets"},
        {"[127.0.0.1]:1", "brackets"},
        {"a b:1", "must be HOST:PORT"},
        {"http://localhost:1", "must be HOST:PORT"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct listen_address address;
        struct error err;

        assert_int_equal(listen_address_parse(str_from(cases[i].text), &address, &err),
                         ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

static void too_long_a_host_is_refused(void **state)
{
    char text[LISTEN_HOST_BYTES + 8];
    struct listen_address address;
    struct error err;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text + LISTEN_HOST_BYTES, ":1", sizeof(":1"));
    assert_int_equal(listen_address_parse(str_from(text), &address, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "too long"));
}

static void formatting_takes_the_port_that_it_is_given(void **state)
{
    char text[LISTEN_TEXT_BYTES];
    struct listen_address address;

    (void)state;
    assert_int_equal(listen_address_parse(str_from("[::1]:0"), &address, NULL), OK);
    listen_address_format(&address, 40000, text);
    assert_string_equal(text, "[::1]:40000");
    assert_int_equal(listen_address_parse(str_from("localhost:0"), &address, NULL), OK);
    listen_address_format(&address, 40000, text);
    assert_string_equal(text, "localhost:40000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(only_this_machine_reaches_loopback),
        cmocka_unit_test(wrong_addresses_say_what_is_wrong),
        cmocka_unit_test(too_long_a_host_is_refused),
        cmocka_unit_test(formatting_takes_the_port_that_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
