#include "server/settings_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_problem(const struct settings *settings, const char *problem)
{
    struct problems problems;

    problems_init(&problems);
    settings_check(settings, &problems);
    assert_true(str_is(problems_lines(&problems), problem));
    problems_release(&problems);
}

static int set_up(void **state)
{
    static struct settings settings;

    settings_init(&settings);
    *state = &settings;
    return 0;
}

static int tear_down(void **state)
{
    settings_release(*state);
    return 0;
}

static void defaults_fit_together(void **state)
{
    assert_problem(*state, "");
}

static void an_open_server_stays_on_loopback(void **state)
{
    struct settings *const settings = *state;

    settings->listen = "0.0.0.0:8080";
    assert_problem(settings,
                   "listen: other machines can reach \"0.0.0.0:8080\", and without an identity "
                   "provider everybody may push: set one up (auth.users_file needs nobody else), "
                   "listen on 127.0.0.1, or set allow_open to true");
    settings->auth.users_file = "/etc/users";
    assert_problem(settings, "");
    settings->auth.users_file = NULL;
    settings->listen = "[::1]:8080";
    assert_problem(settings, "");
    settings->listen = "[::]:8080";
    settings->allow_open = true;
    assert_problem(settings, "");
}

static void logins_without_tls_are_warned_of(void **state)
{
    struct settings *const settings = *state;

    settings->listen = "0.0.0.0:8080";
    assert_null(settings_warning(settings)); /* nobody logs in */
    settings->auth.users_file = "/etc/users";
    assert_non_null(settings_warning(settings));
    assert_non_null(strstr(settings_warning(settings), "public_url"));
    settings->trusted_proxies = "10.0.0.0/8"; /* which may or may not say how clients came */
    assert_non_null(settings_warning(settings));
    settings->public_url = "https://registry.example.org";
    assert_null(settings_warning(settings));
    settings->public_url = NULL;
    settings->tls.certificate = "/etc/certificate.pem";
    assert_null(settings_warning(settings));
    settings->tls.certificate = NULL;
    settings->listen = "127.0.0.1:8080";
    assert_null(settings_warning(settings));
}

static void what_takes_a_provider_says_so(void **state)
{
    static const char *const needs = "needs an identity provider: set auth.oidc.issuer, "
                                     "auth.tokeninfo_url, auth.introspection.url or "
                                     "auth.users_file";
    struct settings *const settings = *state;
    char problem[256];

    settings->auth.public_read = true;
    (void)snprintf(problem, sizeof(problem), "auth.public_read: %s", needs);
    assert_problem(settings, problem);
    settings->auth.public_read = false;
    settings->teams.kio_url = "https://kio";
    (void)snprintf(problem, sizeof(problem), "teams.kio_url: %s", needs);
    assert_problem(settings, problem);
    settings->auth.tokeninfo_url = "https://info";
    assert_problem(settings, "");
}

static void introspection_needs_a_client(void **state)
{
    struct settings *const settings = *state;

    settings->auth.introspection.url = "https://issuer";
    settings->auth.introspection.client_id = "pierone";
    assert_problem(settings, "auth.introspection.client_secret: is missing, "
                             "auth.introspection.url is set");
    settings->auth.introspection.client_secret = "secret";
    settings->auth.introspection.client_id = NULL;
    assert_problem(settings, "auth.introspection.client_id: is missing, "
                             "auth.introspection.url is set");
    settings->auth.introspection.client_id = "pierone";
    assert_problem(settings, "");
}

static void a_service_claim_has_a_value(void **state)
{
    struct settings *const settings = *state;

    settings->auth.claims.service = "gty";
    assert_problem(settings, "auth.claims.service: \"gty\" is not NAME=VALUE");
    settings->auth.claims.service = "gty=client-credentials";
    assert_problem(settings, "");
}

static void certificate_and_key_go_together(void **state)
{
    struct settings *const settings = *state;

    settings->tls.certificate = "/a";
    assert_problem(settings, "tls.key: is missing, tls.certificate is set");
    settings->tls.key = "/b";
    assert_problem(settings, "");
    settings->tls.certificate = NULL;
    assert_problem(settings, "tls.certificate: is missing, tls.key is set");
}

static void a_manifest_fits_into_a_request(void **state)
{
    struct settings *const settings = *state;

    settings->manifest_max_bytes = 8388608;
    assert_problem(settings, "");
    settings->manifest_max_bytes = 8388609;
    assert_problem(settings, "limits.request_memory: must be at least twice limits.manifest_size: "
                             "16777218 bytes");
}

static void settings_of_s3_fit_together(void **state)
{
    struct settings *settings = *state;

    settings->storage.s3.bucket = "layers";
    assert_problem(settings, "");
    settings->storage.s3.bucket = "Company_Layers";
    assert_problem(settings,
                   "storage.s3.bucket: \"Company_Layers\" is not a bucket's name: 3 to 63 "
                   "small letters, digits, dots and hyphens");
    settings->storage.s3.bucket = "layers";
    settings->storage.s3.region = "eu-x\"y";
    assert_problem(settings, "storage.s3.region: letters, digits and -_ are allowed");
    settings->storage.s3.region = "eu-central-1";
    settings->storage.s3.largest_blob_bytes = UINT64_C(5) << 40;
    assert_problem(settings, "storage.s3.upload_memory: must be at least 2189557760 bytes, two of "
                             "the largest parts that storage.s3.largest_blob needs");
    settings->storage.s3.upload_memory_bytes = UINT64_C(3) << 30;
    assert_problem(settings, "");
    settings->storage.s3.encryption = "aes";
    assert_problem(settings,
                   "storage.s3.encryption: \"aes\" is none of AES256, aws:kms, aws:kms:dsse");
    settings->storage.s3.encryption = "AES256";
    assert_problem(settings, "");
    settings->storage.s3.kms_key = "key";
    assert_problem(settings, "storage.s3.kms_key: needs storage.s3.encryption: aws:kms");
    settings->storage.s3.encryption = "aws:kms:dsse";
    assert_problem(settings, "");
    settings->storage.s3.bucket = NULL; /* then nothing of it matters */
    settings->storage.s3.encryption = NULL;
    assert_problem(settings, "");
}

static void prefix_of_s3_is_the_same_to_everybody(void **state)
{
    static const struct {
        const char *prefix;
        bool is_right;
    } rows[] = {
        {"", true},       {"a", true},      {"a/b-c_d.e/", true},  {"..a/.b/c..", true},
        {"a b", false},   {"/a", false},    {"a//b", false},       {"a//", false},
        {"../a/", false}, {"a/../", false}, {"a/./b", false},      {".", false},
        {"a/..", false},  {"a?b", false},   {"a\xc3\xa4/", false},
    };
    struct settings *settings = *state;

    settings->storage.s3.bucket = "layers";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        settings->storage.s3.prefix = rows[i].prefix;
        assert_problem(settings, rows[i].is_right
                                     ? ""
                                     : "storage.s3.prefix: up to 255 letters, digits and -_./ are "
                                       "allowed, and no part of it may be empty, . or ..");
    }
}

static void dots_in_a_bucket_need_its_name_in_the_path(void **state)
{
    static const char problem[] = "storage.s3.path_style: must be true: no certificate fits a "
                                  "bucket's name with dots in front of a host name";
    struct settings *settings = *state;

    settings->storage.s3.bucket = "layers.example";
    assert_problem(settings, problem);
    settings->storage.s3.endpoint = "https://s3.example.org";
    assert_problem(settings, problem);
    settings->storage.s3.endpoint = "http://s3.example.org";
    assert_problem(settings, "");
    settings->storage.s3.endpoint = NULL;
    settings->storage.s3.path_style = true;
    assert_problem(settings, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_fit_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_server_stays_on_loopback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logins_without_tls_are_warned_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_takes_a_provider_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(introspection_needs_a_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settings_of_s3_fit_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(prefix_of_s3_is_the_same_to_everybody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dots_in_a_bucket_need_its_name_in_the_path, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_service_claim_has_a_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(certificate_and_key_go_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_manifest_fits_into_a_request, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
