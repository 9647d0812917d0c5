#include "settings/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "server/settings.h"

/* Applies the variables; the problems that they made are returned in a buffer of the test. */
static const char *problems_of(const char *const *variables, struct settings *settings)
{
    static char lines[4096];
    char *environment[16] = {NULL};
    const struct settings_target target = settings_target(settings);
    struct problems problems;

    for (size_t i = 0; variables[i]; i++) {
        environment[i] = memory_copy_text(variables[i]);
    }
    problems_init(&problems);
    settings_read(&(struct settings_sources){.environment = environment}, &target, &problems);
    (void)snprintf(lines, sizeof(lines), "%.*s", STR_FORMAT(problems_lines(&problems)));
    problems_release(&problems);
    for (size_t i = 0; variables[i]; i++) {
        free(environment[i]);
    }
    return lines;
}

static void names_are_keys_in_upper_case(void **state)
{
    char name[SETTING_ENVIRONMENT_BYTES];
    struct setting setting;

    (void)state;
    assert_true(settings_schema_find(&settings_schema, str_from("listen"), &setting));
    setting_environment_name(&setting, name);
    assert_string_equal(name, "PIERONE_LISTEN");
    assert_true(settings_schema_find(&settings_schema, str_from("limits.head_size"), &setting));
    setting_environment_name(&setting, name);
    assert_string_equal(name, "PIERONE_LIMITS_HEAD_SIZE");
}

static void the_machines_region_is_a_default(void **state)
{
    static char region[] = "AWS_REGION=eu-central-1";
    static char other[] = "AWS_DEFAULT_REGION=eu-west-1";
    static char empty[] = "AWS_REGION=";
    static char own[] = "PIERONE_STORAGE_S3_REGION=eu-north-1";
    static const struct {
        char *environment[4];
        const char *region;
    } rows[] = {
        {{other, NULL}, "eu-west-1"},
        {{region, other, NULL}, "eu-central-1"},
        {{other, region, NULL}, "eu-central-1"},
        {{empty, NULL}, "us-east-1"},
        {{own, region, NULL}, "eu-north-1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct problems problems;
        struct settings settings;
        struct settings_target target;

        problems_init(&problems);
        settings_init(&settings);
        target = settings_target(&settings);
        settings_read(&(struct settings_sources){.environment = rows[i].environment}, &target,
                      &problems);
        assert_true(problems_is_empty(&problems));
        assert_string_equal(settings.storage.s3.region, rows[i].region);
        settings_release(&settings);
        problems_release(&problems);
    }
}

static void no_two_settings_share_a_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_schema_count(&settings_schema); i++) {
        for (size_t k = 0; k < i; k++) {
            char name[SETTING_ENVIRONMENT_BYTES];
            char other[SETTING_ENVIRONMENT_BYTES];
            const struct setting setting = settings_schema_at(&settings_schema, i);
            const struct setting before = settings_schema_at(&settings_schema, k);

            setting_environment_name(&setting, name);
            setting_environment_name(&before, other);
            assert_string_not_equal(name, other);
        }
    }
}

static void variables_set_what_they_name(void **state)
{
    static const char *const variables[] = {"HOME=/root", "PIERONE_DATA=/srv/a=b",
                                            "PIERONE_LIMITS_WORKERS=5", "PIERONEX=1", NULL};
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(problems_of(variables, &settings), "");
    assert_string_equal(settings.data, "/srv/a=b");
    assert_int_equal(settings.limits.workers, 5);
    settings_release(&settings);
}

static void empty_variables_are_not_set(void **state)
{
    static const char *const variables[] = {"PIERONE_DATA=", "PIERONE_NONSENSE=", "PIERONE_LISTEN",
                                            NULL};
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(problems_of(variables, &settings), "");
    assert_string_equal(settings.data, "data");
    settings_release(&settings);
}

static void variables_that_others_set_are_left_alone(void **state)
{
    static const char *const variables[] = {
        "PIERONE_URL=https://registry.example.org",
        "PIERONE_SERVICE_HOST=10.0.0.1",
        "PIERONE_SERVICE_PORT_HTTP=80",
        "PIERONE_PORT=tcp://10.0.0.1:80",
        "PIERONE_PORT_80_TCP=tcp://10.0.0.1:80",
        "PIERONE_PORT_80_TCP_ADDR=10.0.0.1",
        "PIERONE_WEB_PORT=udp://10.0.0.1:80",
        "PIERONE_WEB_PORT_80_UDP_PROTO=udp",
        NULL,
    };
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(problems_of(variables, &settings), "");
    settings_release(&settings);
}

static void wrong_variables_are_named(void **state)
{
    static const char *const variables[] = {"PIERONE_TLS_CERTIFICAT=x", "PIERONE_XYZZY_PLUGH=1",
                                            "PIERONE_CERTIFICATE=x", "PIERONE_ALLOW_OPEN=maybe",
                                            NULL};
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(problems_of(variables, &settings),
                        "environment: unknown variable \"PIERONE_TLS_CERTIFICAT\"; did you mean "
                        "\"PIERONE_TLS_CERTIFICATE\"?\n"
                        "environment: unknown variable \"PIERONE_XYZZY_PLUGH\"\n"
                        "environment: unknown variable \"PIERONE_CERTIFICATE\"; did you mean "
                        "\"PIERONE_TLS_CERTIFICATE\"?\n"
                        "environment: PIERONE_ALLOW_OPEN: \"maybe\" is neither true nor false");
    settings_release(&settings);
}

static void names_of_the_original_are_understood(void **state)
{
    static const char *const variables[] = {
        "HTTP_PORT=8081",
        "HTTP_ALLOW_PUBLIC_READ=true",
        "HTTP_TEAM_SERVICE_URL=https://teams",
        "HTTP_TOKENINFO_URL=https://info/a",
        "HTTP_KIO_URL=https://kio",
        "HTTP_IIDINFO_URL=https://iid",
        "STORAGE_DIRECTORY=/srv",
        "API_REPOSITORY=registry.example.org",
        "PIERONE_DATA=/mine", /* our own name wins */
        NULL,
    };
    static const char *const others[] = {"HTTP_PORT=tcp://10.0.0.1:80", "TOKENINFO_URL=https://i",
                                         "API_REPOSITORY=http://x:5000", NULL};
    static const char *const wrong[] = {"HTTP_PORT=http", NULL};
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(problems_of(variables, &settings), "");
    assert_string_equal(settings.listen, "0.0.0.0:8081");
    assert_true(settings.auth.public_read);
    assert_string_equal(settings.teams.team_service_url, "https://teams");
    assert_string_equal(settings.auth.tokeninfo_url, "https://info/a");
    assert_string_equal(settings.teams.kio_url, "https://kio");
    assert_string_equal(settings.auth.iidinfo_url, "https://iid");
    assert_string_equal(settings.data, "/mine");
    assert_string_equal(settings.public_url, "https://registry.example.org");
    assert_string_equal(problems_of(others, &settings), "");
    assert_string_equal(settings.listen, "0.0.0.0:8081");
    assert_string_equal(settings.auth.tokeninfo_url, "https://i");
    assert_string_equal(settings.public_url, "http://x:5000");
    assert_true(str_starts_with(str_from(problems_of(wrong, &settings)),
                                "environment: HTTP_PORT: \"0.0.0.0:http\""));
    settings_release(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_keys_in_upper_case),
        cmocka_unit_test(the_machines_region_is_a_default),
        cmocka_unit_test(no_two_settings_share_a_name),
        cmocka_unit_test(variables_set_what_they_name),
        cmocka_unit_test(empty_variables_are_not_set),
        cmocka_unit_test(variables_that_others_set_are_left_alone),
        cmocka_unit_test(wrong_variables_are_named),
        cmocka_unit_test(names_of_the_original_are_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
