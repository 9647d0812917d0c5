#include "auth/auth_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/owner_settings.h"

static void what_takes_a_provider_says_so(void **state)
{
    static const char problem[] = "auth.public_read: needs an identity provider: set "
                                  "auth.oidc.issuer, auth.tokeninfo_url, auth.introspection.url "
                                  "or auth.users_file";
    struct auth_settings settings = {.public_read = true};

    (void)state;
    owner_settings_assert(&auth_settings_table, &settings, problem);
    settings.tokeninfo_url = "https://info";
    owner_settings_assert(&auth_settings_table, &settings, "");
}

static void introspection_needs_a_client(void **state)
{
    struct auth_settings settings = {0};

    (void)state;
    settings.introspection.url = "https://issuer";
    settings.introspection.client_id = "pierone";
    owner_settings_assert(&auth_settings_table, &settings,
                          "auth.introspection.client_secret: is missing, "
                          "auth.introspection.url is set");
    settings.introspection.client_secret = "secret";
    settings.introspection.client_id = NULL;
    owner_settings_assert(&auth_settings_table, &settings,
                          "auth.introspection.client_id: is missing, "
                          "auth.introspection.url is set");
    settings.introspection.client_id = "pierone";
    owner_settings_assert(&auth_settings_table, &settings, "");
}

static void a_service_claim_has_a_value(void **state)
{
    struct auth_settings settings = {0};

    (void)state;
    settings.claims.service = "gty";
    owner_settings_assert(&auth_settings_table, &settings,
                          "auth.claims.service: \"gty\" is not NAME=VALUE");
    settings.claims.service = "gty=client-credentials";
    owner_settings_assert(&auth_settings_table, &settings, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_a_provider_says_so),
        cmocka_unit_test(introspection_needs_a_client),
        cmocka_unit_test(a_service_claim_has_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
