#include "registry/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry_world.h"

static void nothing_can_be_freed(void **state)
{
    (void)state;
    registry_free(NULL);
}

static void restart_with_other_settings_keeps_what_was_pushed(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    registry_world_let_move(world, true, true);
    assert_true(registry_world_has(world, "team/app", "1.0", image));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_can_be_freed),
        WORLD_TEST(restart_with_other_settings_keeps_what_was_pushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
