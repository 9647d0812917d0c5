#include "cli/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void variables_are_found_by_their_whole_name(void **state)
{
    char home[] = "HOME=/home/jdoe";
    char homely[] = "HOMELY=no";
    char empty[] = "EMPTY=";
    char equals[] = "PAIR=a=b";
    char *const entries[] = {homely, home, empty, equals, NULL};
    const struct environment environment = {entries};
    const struct environment none = {NULL};

    (void)state;
    assert_string_equal(environment_get(&environment, "HOME"), "/home/jdoe");
    assert_string_equal(environment_get(&environment, "PAIR"), "a=b");
    assert_null(environment_get(&environment, "EMPTY"));
    assert_null(environment_get(&environment, "HOM"));
    assert_null(environment_get(&environment, "OTHER"));
    assert_null(environment_get(&none, "HOME"));
}

int main(void)
{
    const struct CMUnitTest environment[] = {
        cmocka_unit_test(variables_are_found_by_their_whole_name),
    };

    return cmocka_run_group_tests(environment, NULL, NULL);
}
