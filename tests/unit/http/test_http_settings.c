#include "http/http_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/tls.h"
#include "tests/support/owner_settings.h"

static void certificate_and_key_go_together(void **state)
{
    struct tls_config settings = {0};
    struct arena texts;

    (void)state;
    owner_settings_init(&tls_settings_table, &settings, &texts);
    settings.certificate = "/a";
    owner_settings_assert(&tls_settings_table, &settings,
                          "tls.key: is missing, tls.certificate is set");
    settings.key = "/b";
    owner_settings_assert(&tls_settings_table, &settings, "");
    settings.certificate = NULL;
    owner_settings_assert(&tls_settings_table, &settings,
                          "tls.certificate: is missing, tls.key is set");
    arena_release(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_and_key_go_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
