#include "api/token_scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void scopes_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        const char *type; /* NULL: not valid */
        const char *name;
        const char *actions;
    } rows[] = {
        {"repository:team/app:pull,push", "repository", "team/app", "pull,push"},
        {"registry:catalog:*", "registry", "catalog", "*"},
        {"repository:host:5000/a/b:pull", "repository", "host:5000/a/b", "pull"},
        {"repository(plugin):a/b:pull", "repository", "a/b", "pull"},
        {"repository(plugin:a/b:pull", "repository(plugin", "a/b", "pull"},
        {"(plugin):a/b:pull", "", "a/b", "pull"},
        {"repository", NULL, NULL, NULL},
        {"repository:team/app", NULL, NULL, NULL},
        {"repository:team/app:", NULL, NULL, NULL},
        {"repository::pull", NULL, NULL, NULL},
        {":team/app:pull", NULL, NULL, NULL},
        {"repository:a\nb:pull", NULL, NULL, NULL},
        {"repository:\xc3\xa4/b:pull", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str rest = str_from(rows[i].text);
        struct token_scope scope = {0};
        bool is_valid = false;

        assert_true(token_scope_next(&rest, &scope, &is_valid));
        assert_int_equal(is_valid, rows[i].type != NULL);
        if (is_valid) {
            assert_true(str_is(scope.type, rows[i].type));
            assert_true(str_is(scope.name, rows[i].name));
            assert_true(str_is(scope.actions, rows[i].actions));
        }
        assert_false(token_scope_next(&rest, &scope, &is_valid));
    }
}

static void several_are_separated_by_spaces(void **state)
{
    struct str rest = STR_LITERAL("  a:b:c  bad d:e:f ");
    struct token_scope scope = {0};
    bool is_valid = false;

    (void)state;
    assert_true(token_scope_next(&rest, &scope, &is_valid) && is_valid);
    assert_true(str_is(scope.name, "b"));
    assert_true(token_scope_next(&rest, &scope, &is_valid) && !is_valid);
    assert_true(token_scope_next(&rest, &scope, &is_valid) && is_valid);
    assert_true(str_is(scope.name, "e"));
    assert_false(token_scope_next(&rest, &scope, &is_valid));
}

static void what_was_granted_is_told_as_it_is_asked_for(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"repository:a/b:pull\n", "repository:a/b:pull"},
        {"repository:a/b:pull\nregistry:catalog:*\n", "repository:a/b:pull registry:catalog:*"},
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(token_scope_of(str_from(rows[i][0]), &arena), rows[i][1]);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_granted_is_told_as_it_is_asked_for),
        cmocka_unit_test(scopes_are_taken_apart),
        cmocka_unit_test(several_are_separated_by_spaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
