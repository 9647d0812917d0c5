#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attributes.h"
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

static void the_exit_status_tells_how_it_went(void **state)
{
    static const struct {
        const char *arguments[3];
        int status;
        const char *printed;
    } cases[] = {
        {{"--version"}, 0, "pierone "},
        {{"--help"}, 0, "usage: pierone COMMAND"},
        {{"tags", "--help"}, 0, "usage: pierone tags"},
        {{"help", "tags"}, 0, "usage: pierone tags"},
        {{"completion", "bash"}, 0, "complete -F"},
        {{NULL}, 2, "usage: pierone COMMAND"},
        {{"nonsense"}, 2, "Try `pierone --help`"},
        {{"teams", "x"}, 2, "usage: pierone teams"},
        {{"--nonsense"}, 2, "unknown option"},
        {{"teams"}, 1, "pierone: which registry?"},
        {{"help", "nonsense"}, 1, "unknown command"},
    };
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char program[] = "pierone";
        char words[2][32];
        char *argv[4] = {program};

        for (size_t j = 0; j < 2 && cases[i].arguments[j]; j++) {
            (void)snprintf(words[j], sizeof(words[j]), "%s", cases[i].arguments[j]);
            argv[j + 1] = words[j];
        }
        assert_int_equal(client_world_run(world, PROGRAM, argv), cases[i].status);
        assert_non_null(strstr(client_world_read(world, client_world_path(world, "printed")),
                               cases[i].printed));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_exit_status_tells_how_it_went, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
