#include "settings/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/settings.h"

static struct setting find(const char *key)
{
    struct setting setting;

    assert_true(settings_schema_find(&settings_schema, str_from(key), &setting));
    return setting;
}

struct value_case {
    const char *key;
    const char *text;
    const char *result; /* what it is written as, or the message */
};

static void values_are_read_and_written_again(void **state)
{
    static const struct value_case cases[] = {
        {"listen", "[::]:443", "[::]:443"},
        {"data", "/srv/ünïcode", "/srv/ünïcode"},
        {"public_url", "https://registry.example.org:8443", "https://registry.example.org:8443"},
        {"allow_open", "true", "true"},
        {"allow_open", "false", "false"},
        {"log.format", "json", "json"},
        {"log.level", "error", "error"},
        {"tags.signatures", "grow", "grow"},
        {"limits.workers", "1024", "1024"},
        {"limits.headers", "016", "16"},
        {"limits.head_size", "65536", "64KiB"},
        {"limits.body_rate", "1M", "1MiB"},
        {"limits.idle_timeout", "1s", "1s"},
        {"limits.upload_lifetime", "365d", "365d"},
    };
    struct settings settings;
    struct settings_target target;
    struct strbuf written;

    (void)state;
    settings_init(&settings);
    target = settings_target(&settings);
    strbuf_init(&written, 1000);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct setting setting = find(cases[i].key);

        assert_int_equal(setting_value_set(&setting, str_from(cases[i].text), &target, NULL), OK);
        strbuf_clear(&written);
        setting_value_append(&setting, &settings, &written);
        assert_string_equal(written.text, cases[i].result);
    }
    strbuf_release(&written);
    settings_release(&settings);
}

static void wrong_values_say_what_would_be_right(void **state)
{
    static const struct value_case cases[] = {
        {"data", "", "is empty"},
        {"listen", "8080", "\"8080\" must be HOST:PORT, such as 127.0.0.1:8080"},
        {"public_url", "registry.example.org",
         "\"registry.example.org\" is not http://HOST[:PORT] or https://HOST[:PORT]"},
        {"public_url", "https://", "\"https://\" is not http://HOST[:PORT] or https://HOST[:PORT]"},
        {"public_url", "https://a/b",
         "\"https://a/b\" is not http://HOST[:PORT] or https://HOST[:PORT]"},
        {"public_url", "https://user:password@a",
         "what stands before the @ has no place there: it is not http://HOST[:PORT] or "
         "https://HOST[:PORT]"},
        {"auth.tokeninfo_url", "https://user:password@a/b?c=d",
         "what stands before the @ has no place there: it is not http[s]://HOST[:PORT][/PATH]"},
        {"auth.tokeninfo_url", "https://a/b?access_token=d",
         "\"https://a/b?\" is not http[s]://HOST[:PORT][/PATH]"},
        {"allow_open", "TRUE", "\"TRUE\" is neither true nor false"},
        {"log.format", "xml", "\"xml\" is not allowed: auto, text or json"},
        {"tags.signatures", "shrink", "\"shrink\" is not allowed: immutable or grow"},
        {"limits.workers", "many", "\"many\" is not a whole number"},
        {"limits.workers", "0", "\"0\" is not allowed: 1 to 1024"},
        {"limits.workers", "4294967297", "\"4294967297\" is not allowed: 1 to 1024"},
        {"limits.headers", "129", "\"129\" is not allowed: 16 to 128"},
        {"limits.head_size", "64Q",
         "\"64Q\" is not a size: write bytes, or a unit as in 64K or 4MiB"},
        {"limits.body_rate", "fast",
         "\"fast\" is not a size per second: write bytes, or a unit as in 1K"},
        {"limits.idle_timeout", "999ms", "\"999ms\" is not allowed: 1s to 1h"},
        {"limits.upload_lifetime", "forever",
         "\"forever\" is not a duration: write a number with its unit, as in 500ms, 75s, 5m, 24h "
         "or 7d"},
    };
    struct settings settings;
    struct settings_target target;

    (void)state;
    settings_init(&settings);
    target = settings_target(&settings);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct setting setting = find(cases[i].key);
        struct error err;

        assert_int_equal(setting_value_set(&setting, str_from(cases[i].text), &target, &err),
                         ERROR_INVALID);
        assert_string_equal(err.message, cases[i].result);
    }
    settings_release(&settings);
}

static void a_refused_value_changes_nothing(void **state)
{
    const struct setting setting = find("limits.workers");
    struct settings settings;
    struct settings_target target;

    (void)state;
    settings_init(&settings);
    target = settings_target(&settings);
    assert_int_equal(setting_value_set(&setting, str_from("0"), &target, NULL), ERROR_INVALID);
    assert_int_equal(settings.limits.workers, 16);
    settings_release(&settings);
}

static void texts_are_bounded(void **state)
{
    const struct setting setting = find("data");
    struct settings settings;
    struct settings_target target;
    struct strbuf text;
    struct error err;

    (void)state;
    settings_init(&settings);
    target = settings_target(&settings);
    strbuf_init(&text, 10000000);
    for (int i = 0; i < 10000000; i++) {
        strbuf_append_byte(&text, 'x');
    }
    assert_int_equal(setting_value_set(&setting, strbuf_str(&text), &target, &err),
                     ERROR_TOO_LARGE);
    assert_string_equal(err.message, "is too long");
    strbuf_release(&text);
    settings_release(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_and_written_again),
        cmocka_unit_test(wrong_values_say_what_would_be_right),
        cmocka_unit_test(a_refused_value_changes_nothing),
        cmocka_unit_test(texts_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
