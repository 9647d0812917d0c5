#include "api/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

static void addresses_are_found_in_networks(void **state)
{
    static const struct {
        const char *networks;
        const char *address;
        bool is_trusted;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.4", false},
        {"10.1.2.128/25", "10.1.2.127", false},
        {"10.1.2.128/25", "10.1.2.129", true},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::1 10.0.0.1", "::1", true},
        {"::1  10.0.0.1", "10.0.0.1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::/0", "10.0.0.1", true},
        {"127.0.0.1", "::ffff:127.0.0.1", true},
        {"127.0.0.1", "", false},
        {"127.0.0.1", "unknown", false},
        {"127.0.0.1", "127.0.0.1 ", false},
        {"127.0.0.1", "127.0.0.1:80", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct proxies proxies;

        assert_int_equal(proxies_parse(str_from(rows[i].networks), &proxies, NULL), OK);
        assert_int_equal(proxies_trust(&proxies, str_from(rows[i].address)), rows[i].is_trusted);
    }
}

static void nobody_is_trusted_by_default(void **state)
{
    const struct proxies none = {0};

    (void)state;
    assert_false(proxies_trust(&none, str_from("127.0.0.1")));
}

static void an_address_does_not_end_in_its_middle(void **state)
{
    struct proxies proxies = {0};

    (void)state;
    assert_int_equal(proxies_parse(str_from("127.0.0.1"), &proxies, NULL), OK);
    assert_false(proxies_trust(&proxies, (struct str)STR_LITERAL("127.0.0.1\0.example")));
}

static void what_is_no_network_is_named(void **state)
{
    static const char *const rows[] = {
        "10.0.0.0/33", "::/129",      "10.0.0.0/", "10.0.0.0/-1",
        "10.0.0/8",    "example.org", "/8",        "10.0.0.1,10.0.0.2",
    };
    struct proxies proxies;
    struct error err;
    char quoted[64];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(proxies_parse(str_from(rows[i]), &proxies, &err), ERROR_INVALID);
        (void)snprintf(quoted, sizeof(quoted), "\"%s\" is neither", rows[i]);
        assert_non_null(strstr(err.message, quoted));
    }
}

static void there_may_be_so_many(void **state)
{
    struct proxies proxies;
    struct strbuf text;

    (void)state;
    strbuf_init(&text, 4096);
    for (int i = 0; i < PROXIES_MAX; i++) {
        strbuf_append_text(&text, "10.0.0.1 ");
    }
    assert_int_equal(proxies_parse(strbuf_str(&text), &proxies, NULL), OK);
    strbuf_append_text(&text, "10.0.0.1");
    assert_int_equal(proxies_parse(strbuf_str(&text), &proxies, NULL), ERROR_INVALID);
    strbuf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_found_in_networks),
        cmocka_unit_test(nobody_is_trusted_by_default),
        cmocka_unit_test(an_address_does_not_end_in_its_middle),
        cmocka_unit_test(what_is_no_network_is_named),
        cmocka_unit_test(there_may_be_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
