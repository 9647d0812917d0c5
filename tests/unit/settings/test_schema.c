#include "settings/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/settings.h"
#include "settings/value.h"

static void every_default_fits_its_type_and_range(void **state)
{
    struct settings settings;
    struct settings_target target;

    (void)state;
    settings_init(&settings);
    target = settings_target(&settings);
    for (size_t i = 0; i < settings_schema_count(&settings_schema); i++) {
        const struct setting setting = settings_schema_at(&settings_schema, i);
        const char *const text = setting.default_text ? setting.default_text : setting.example;

        assert_non_null(text);
        assert_int_equal(setting_value_set(&setting, str_from(text), &target, NULL), OK);
        assert_true(setting.minimum <= setting.maximum);
    }
    settings_release(&settings);
}

static void every_setting_has_a_field_and_a_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_schema_count(&settings_schema); i++) {
        const struct setting setting = settings_schema_at(&settings_schema, i);

        assert_true(setting.offset < offsetof(struct settings, texts));
        assert_true(str_ends_with(str_from(setting.help), "."));
        for (size_t k = 0; k < i; k++) {
            const struct setting before = settings_schema_at(&settings_schema, k);

            assert_string_not_equal(setting.key, before.key);
            assert_true(setting.offset != before.offset);
        }
    }
}

static void the_limits_of_http_are_all_set(void **state)
{
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_int_equal(settings.limits.connections, 16384);
    assert_int_equal(settings.limits.loops, 0);
    assert_int_equal(settings.limits.workers, 16);
    assert_int_equal(settings.limits.head_bytes, 65536);
    assert_int_equal(settings.limits.headers, 100);
    assert_int_equal(settings.limits.arena_bytes, 16777216);
    assert_int_equal(settings.limits.head_timeout_ms, 15000);
    assert_int_equal(settings.limits.idle_timeout_ms, 120000);
    assert_int_equal(settings.limits.stall_timeout_ms, 30000);
    assert_int_equal(settings.limits.body_rate_bytes_per_second, 1024);
    assert_int_equal(settings.limits.drain_delay_ms, 1000);
    assert_int_equal(settings.limits.drain_timeout_ms, 20000);
    assert_int_equal(settings.limits.discard_bytes, 1048576);
    assert_int_equal(settings.registry.manifest_max_bytes, 4194304);
    assert_int_equal(settings.registry.upload_lifetime_ms, 86400000);
    settings_release(&settings);
}

static void settings_are_found_by_key(void **state)
{
    struct setting setting;

    (void)state;
    assert_true(settings_schema_find(&settings_schema, str_from("tls.key"), &setting));
    assert_string_equal(setting.key, "tls.key");
    assert_false(settings_schema_find(&settings_schema, str_from("tls"), &setting));
    assert_false(settings_schema_find(&settings_schema, str_from("tls.ke"), &setting));
    assert_false(settings_schema_find(&settings_schema, str_from(""), &setting));
}

static void sections_are_known(void **state)
{
    (void)state;
    assert_true(settings_schema_has_section(&settings_schema, str_from("tls")));
    assert_false(settings_schema_has_section(&settings_schema, str_from("tl")));
    assert_false(settings_schema_has_section(&settings_schema, str_from("listen")));
    assert_false(settings_schema_has_section(&settings_schema, str_from("tls.key")));
}

static void sections_are_offered_only_for_sections(void **state)
{
    struct nearest nearest;

    (void)state;
    nearest_init(&nearest, str_from("limitz"));
    settings_schema_offer(&settings_schema, &nearest, false);
    assert_null(nearest.best.bytes);
    settings_schema_offer(&settings_schema, &nearest, true);
    assert_true(str_is(nearest.best, "limits"));
}

struct part {
    unsigned first;
    unsigned second;
};

static void check_part(const void *values, struct problems *problems)
{
    const struct part *const part = values;

    problems_add(problems, "%u and %u", part->first, part->second);
}

static const struct setting part_rows[] = {
    {.key = "a.first", .offset = offsetof(struct part, first)},
    {.key = "a.second", .offset = offsetof(struct part, second)},
};

static void each_owner_sees_its_part(void **state)
{
    static const struct {
        struct part here;
        struct part there;
    } whole = {{1, 2}, {3, 4}};
    const struct settings_table table = {part_rows, ARRAY_LEN(part_rows), check_part};
    const struct settings_table silent = {part_rows, ARRAY_LEN(part_rows), NULL};
    const struct settings_part parts[] = {{&table, 0}, {&silent, 0}, {&table, sizeof(struct part)}};
    const struct settings_schema schema = {.parts = parts, .count = ARRAY_LEN(parts)};
    struct problems problems;

    (void)state;
    assert_int_equal(settings_schema_count(&schema), 6);
    assert_string_equal(settings_schema_at(&schema, 5).key, "a.second");
    assert_int_equal(settings_schema_at(&schema, 5).offset, 3 * sizeof(unsigned));
    problems_init(&problems);
    settings_schema_check(&schema, &whole, &problems);
    assert_true(str_is(problems_lines(&problems), "1 and 2\n3 and 4"));
    problems_release(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_fits_its_type_and_range),
        cmocka_unit_test(every_setting_has_a_field_and_a_help),
        cmocka_unit_test(the_limits_of_http_are_all_set),
        cmocka_unit_test(each_owner_sees_its_part),
        cmocka_unit_test(settings_are_found_by_key),
        cmocka_unit_test(sections_are_known),
        cmocka_unit_test(sections_are_offered_only_for_sections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
