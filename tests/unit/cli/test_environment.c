#include "cli/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli/client_world.h"

static int set_up(void **state)
{
    *state = client_world_new();
    return 0;
}

static int tear_down(void **state)
{
    client_world_free(*state);
    return 0;
}

static void variables_are_found_by_their_whole_name(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } cases[] = {
        {"A", "1"}, {"AB", "2=3"}, {"EMPTY", NULL}, {"B", NULL}, {"", NULL}, {"A=1", NULL},
    };
    struct client_world *const world = *state;

    client_world_set(world, "AB=2=3");
    client_world_set(world, "A=1");
    client_world_set(world, "A=second");
    client_world_set(world, "EMPTY=");
    client_world_set(world, "ODD");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const found = environment_get(&world->environment, cases[i].name);

        assert_int_equal(found == NULL, cases[i].value == NULL);
        if (found) {
            assert_string_equal(found, cases[i].value);
        }
    }
    assert_null(environment_get(&world->environment, "ODD"));
}

static void there_may_be_none(void **state)
{
    static const struct environment none = {NULL};
    struct client_world *const world = *state;

    assert_null(environment_get(&none, "HOME"));
    client_world_unset_all(world);
    assert_null(environment_get(&world->environment, "HOME"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(variables_are_found_by_their_whole_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_may_be_none, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
