#include "http/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_port_of_its_own_is_found(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "localhost:0", ":0"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        int fd = -1;

        assert_int_equal(listener_open(addresses[i], &fd, NULL), OK);
        assert_true(listener_port(fd) > 0);
        (void)close(fd);
    }
}

static void a_port_that_is_taken_is_an_error_that_says_so(void **state)
{
    struct error err = {0};
    char address[32];
    int first = -1;
    int second = -1;

    (void)state;
    assert_int_equal(listener_open("127.0.0.1:0", &first, NULL), OK);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", listener_port(first));
    assert_int_equal(listener_open(address, &second, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "Address already in use"));
    assert_non_null(strstr(err.message, address));
    assert_int_equal(second, -1);
    (void)close(first);
}

static void bad_addresses_are_refused(void **state)
{
    static const char *const addresses[] = {"",        "8080",     "host:", "host:x",   "host:-1",
                                            "h:70000", "::1:8080", "[::1]", "[::1]8080"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct error err = {0};
        int fd = -1;

        assert_int_equal(listener_open(addresses[i], &fd, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, "HOST:PORT"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_of_its_own_is_found),
        cmocka_unit_test(a_port_that_is_taken_is_an_error_that_says_so),
        cmocka_unit_test(bad_addresses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
