#include "server/database_login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX_BYTES = 4096 };

static void without_the_setting_nothing_is_prepared(void **state)
{
    struct database_login login;
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_int_equal(database_login_open(&settings, &login, NULL), OK);
    assert_null(settings.database.passwords);
    assert_null(login.http);
    database_login_release(&login);
    settings_release(&settings);
}

/* The token that settings lead to names it. */
static bool token_names(struct settings *settings, const char *region)
{
    const struct database_server server = {"db.example", 5432, "pierone"};
    const struct database_passwords *passwords = NULL;
    struct database_login login;
    struct strbuf token;
    bool names_it = false;

    assert_int_equal(database_login_open(settings, &login, NULL), OK);
    passwords = settings->database.passwords;
    assert_non_null(passwords);
    strbuf_init_secret(&token, TEXT_MAX_BYTES);
    assert_int_equal(passwords->get(passwords->context, &server, &token, NULL), OK);
    assert_int_equal(strncmp(token.text, "db.example:5432/?Action=connect", 31), 0);
    names_it = strstr(token.text, region) != NULL;
    strbuf_release(&token);
    database_login_release(&login);
    return names_it;
}

static void the_region_is_its_own_or_that_of_s3(void **state)
{
    struct settings settings;

    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
    settings_init(&settings);
    settings.database.aws_iam = true;
    settings.storage.s3.region = "eu-north-1";
    assert_true(token_names(&settings, "%2Feu-north-1%2Frds-db%2F"));
    settings.database.aws_region = "ap-south-1";
    assert_true(token_names(&settings, "%2Fap-south-1%2Frds-db%2F"));
    settings_release(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_setting_nothing_is_prepared),
        cmocka_unit_test(the_region_is_its_own_or_that_of_s3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
