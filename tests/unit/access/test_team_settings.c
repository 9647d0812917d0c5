#include "access/team_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void who_knows_teams_needs_to_know_identities(void **state)
{
    static const char lines[] =
        "teams.kio_url: needs an identity provider: set auth.oidc.issuer, auth.tokeninfo_url, "
        "auth.introspection.url or auth.users_file";
    struct team_settings settings = {.claim = "teams"};
    struct problems problems;

    (void)state;
    problems_init(&problems);
    team_settings_check_open(&settings, &problems);
    assert_true(problems_is_empty(&problems));
    settings.kio_url = "https://kio";
    team_settings_check_open(&settings, &problems);
    assert_true(str_is(problems_lines(&problems), lines));
    settings.team_service_url = "https://teams";
    settings.permission_service_url = "https://permissions";
    team_settings_check_open(&settings, &problems);
    assert_int_equal(problems.count, 4);
    problems_release(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_knows_teams_needs_to_know_identities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
