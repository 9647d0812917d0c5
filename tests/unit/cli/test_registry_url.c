#include "cli/registry_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

enum { ARENA_BYTES = 64 * 1024 };

static void addresses_are_understood(void **state)
{
    static const char *const rows[][3] = {
        {"pierone.example.org", "https://pierone.example.org", "pierone.example.org"},
        {"https://pierone.example.org/", "https://pierone.example.org", "pierone.example.org"},
        {"http://localhost:8080", "http://localhost:8080", "localhost:8080"},
        {"HOST:5000/v2/", "https://host:5000", "host:5000"},
        {"https://index.docker.io/v1/", "https://index.docker.io", "index.docker.io"},
        {" spaced.example.org ", "https://spaced.example.org", "spaced.example.org"},
        {"[::1]:80", "https://[::1]:80", "[::1]:80"},
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct registry_url url = {0};

        assert_int_equal(registry_url_parse(str_from(rows[i][0]), &arena, &url, NULL), OK);
        assert_string_equal(url.url, rows[i][1]);
        assert_string_equal(url.host, rows[i][2]);
    }
    arena_release(&arena);
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const texts[] = {"",       "/",          "http://", "https:///v2/",
                                        "a b",    "user@host",  ":80",     "ftp://x",
                                        "host\n", "h\xc3\xb6st"};
    struct arena arena;
    struct strbuf longest;
    struct registry_url url = {0};

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error err = {0};

        if (registry_url_parse(str_from(texts[i]), &arena, &url, &err) != ERROR_INVALID) {
            fail_msg("%s is taken as %s", texts[i], url.host);
        }
        assert_non_null(strstr(err.message, "pierone.example.org"));
    }
    strbuf_init(&longest, 1000);
    for (int i = 0; i <= REGISTRY_URL_MAX_BYTES; i++) {
        strbuf_append_byte(&longest, 'a');
    }
    assert_int_equal(registry_url_parse(strbuf_str(&longest), &arena, &url, NULL), ERROR_INVALID);
    strbuf_release(&longest);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest registry_url[] = {
        cmocka_unit_test(addresses_are_understood),
        cmocka_unit_test(what_is_no_address_is_refused),
    };

    return cmocka_run_group_tests(registry_url, NULL, NULL);
}
