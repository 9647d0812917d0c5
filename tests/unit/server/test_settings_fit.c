#include "server/settings.h"

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

static void a_manifest_fits_into_a_request(void **state)
{
    struct settings *const settings = *state;

    settings->registry.manifest_max_bytes = 8388608;
    assert_problem(settings, "");
    settings->registry.manifest_max_bytes = 8388609;
    assert_problem(settings, "limits.request_memory: must be at least twice limits.manifest_size: "
                             "16777218 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_fit_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_server_stays_on_loopback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logins_without_tls_are_warned_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_takes_a_provider_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_manifest_fits_into_a_request, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
