#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stocked_world.h"

/* Through the handler that reads it first: there are three tags, and two teams at most. */
static void limits_are_numbers_above_zero(void **state)
{
    static const struct {
        const char *query;
        int status;
        bool has_link;
    } rows[] = {
        {"", 200, false},
        {"?limit=1", 200, true},
        {"?limit=2", 200, false},
        {"?limit=99999", 200, false},
        {"?limit=99999999999999999999", 400, false},
        {"?limit=0", 400, false},
        {"?limit=-1", 400, false},
        {"?limit=", 400, false},
        {"?limit=1x", 400, false},
        {"?cursor=app", 200, false},
        {"?unknown=%zz&unknown=%00", 200, false},
        {"?limit=1&cursor=app", 200, false},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[STOCKED_PATH_BYTES];

        (void)snprintf(line, sizeof(line), "GET /teams/all/artifacts%s", rows[i].query);
        if (guarded_world_ask(world, line, WHO)->status != rows[i].status ||
            (reply_field(&world->reply, "Link").length > 0) != rows[i].has_link) {
            fail_msg("%s: %d %s", line, world->reply.status, world->reply.body.text);
        }
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, stocked_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest team_query[] = {
        TEST(limits_are_numbers_above_zero),
    };

    return cmocka_run_group_tests(team_query, NULL, NULL);
}
