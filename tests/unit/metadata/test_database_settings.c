#include "metadata/database_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static const struct setting *find(const char *key)
{
    const struct setting *row = database_settings_table.rows;

    while (strcmp(row->key, key) != 0) {
        row++;
    }
    return row;
}

static void urls_of_both_kinds_are_taken(void **state)
{
    static const char *const urls[] = {"sqlite:/data/x.sqlite", "postgresql://db/pierone",
                                       "postgres://me:secret@a:1,b:2/pierone?sslmode=require",
                                       "postgresql:///pierone?host=/run/postgresql"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        assert_int_equal(find("database.url")->check(str_from(urls[i]), NULL), OK);
    }
}

static void others_are_refused_without_being_shown(void **state)
{
    static const char *const urls[] = {"mysql://me:secret@db/pierone", "secret",
                                       "sqlite:", "postgresql://", "jdbc:postgresql://db/secret"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct error err = {0};

        assert_int_equal(find("database.url")->check(str_from(urls[i]), &err), ERROR_INVALID);
        assert_null(strstr(err.message, "secret"));
    }
}

static void login_is_for_postgresql(void **state)
{
    static const struct {
        struct database_settings settings;
        bool is_right;
    } rows[] = {
        {{0}, true},
        {{.url = "postgresql://db/x", .user = "me", .password = "secret"}, true},
        {{.url = "sqlite:x"}, true},
        {{.url = "sqlite:x", .user = "me"}, false},
        {{.password = "secret"}, false},
        {{.url = "postgresql://me@db/x?sslmode=verify-full", .aws_iam = true}, true},
        {{.url = "postgresql://a,b/x?sslmode=require", .user = "me", .aws_iam = true}, true},
        {{.url = "postgresql://me@db/x?sslmode=disable", .aws_iam = true}, false},
        {{.url = "postgresql://me@db/x", .aws_iam = true}, false},
        {{.url = "postgresql://me@/x?host=/run&sslmode=require", .aws_iam = true}, false},
        {{.url = "postgresql://db/x?sslmode=require", .aws_iam = true}, false},
        {{.url = "postgresql://me:secret@db/x?sslmode=require", .aws_iam = true}, false},
        {{.url = "postgresql://me@db/x?sslmode=require", .password = "secret", .aws_iam = true},
         false},
        {{.url = "sqlite:x", .aws_iam = true}, false},
        {{.aws_iam = true}, false},
    };

    (void)state;
    (void)unsetenv("PGSSLMODE");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(problems_release) struct problems problems;

        problems_init(&problems);
        database_settings_table.check(&rows[i].settings, &problems);
        assert_int_equal(problems_is_empty(&problems), rows[i].is_right);
        assert_null(strstr(problems.lines.text, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_both_kinds_are_taken),
        cmocka_unit_test(others_are_refused_without_being_shown),
        cmocka_unit_test(login_is_for_postgresql),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
