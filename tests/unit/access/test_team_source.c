#include "access/team_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct team_source *freed;

static void note(struct team_source *source)
{
    freed = source;
}

static void driver_frees_its_source(void **state)
{
    static const struct team_source_driver driver = {.name = "none", .free = note};
    struct team_source source = {&driver};

    (void)state;
    team_source_free(&source);
    assert_ptr_equal(freed, &source);
}

/* Or a team could be named so as to be two. */
static void what_is_no_name_is_not_listed(void **state)
{
    CLEANUP(strbuf_release) struct strbuf teams;

    (void)state;
    strbuf_init(&teams, 100);
    team_list_append(&teams, str_from("acme"));
    team_list_append(&teams, str_from("x\nroot"));
    team_list_append(&teams, str_from("\n"));
    team_list_append(&teams, (struct str){0});
    team_list_append(&teams, str_from("other"));
    assert_string_equal(teams.text, "acme\nother\n");
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    team_source_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(driver_frees_its_source),
        cmocka_unit_test(what_is_no_name_is_not_listed),
        cmocka_unit_test(nothing_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
