#include "settings/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void problems_are_lines_in_order(void **state)
{
    struct problems problems;

    (void)state;
    problems_init(&problems);
    assert_true(problems_is_empty(&problems));
    assert_int_equal(problems_lines(&problems).length, 0);
    problems_add(&problems, "%s is wrong", "this");
    problems_add(&problems, "so is that");
    assert_false(problems_is_empty(&problems));
    assert_int_equal(problems.count, 2);
    assert_true(str_is(problems_lines(&problems), "this is wrong\nso is that"));
    problems_release(&problems);
}

static void control_characters_cannot_forge_lines(void **state)
{
    struct problems problems;

    (void)state;
    problems_init(&problems);
    problems_add(&problems, "bad\nvalue\x1b[2J\x7f ü");
    assert_true(str_is(problems_lines(&problems), "bad?value?[2J? ü"));
    problems_release(&problems);
}

static void only_so_many_are_kept(void **state)
{
    struct problems problems;
    struct str line;
    struct str rest;
    size_t kept = 0;

    (void)state;
    problems_init(&problems);
    for (int i = 0; i < 2 * PROBLEMS_MAX; i++) {
        problems_add(&problems, "problem %d", i);
    }
    assert_int_equal(problems.count, 2 * PROBLEMS_MAX);
    rest = problems_lines(&problems);
    while (str_cut(&rest, '\n', &line)) {
        kept++;
    }
    assert_int_equal(kept, PROBLEMS_MAX);
    problems_release(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problems_are_lines_in_order),
        cmocka_unit_test(control_characters_cannot_forge_lines),
        cmocka_unit_test(only_so_many_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
