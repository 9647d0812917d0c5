#include "api/token_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

static void what_matters_is_taken(void **state)
{
    struct token_request request;
    struct arena arena;

    (void)state;
    arena_init(&arena, 65536);
    assert_int_equal(
        token_request_parse(str_from("service=x&scope=a%3Ab%3Ac&grant_type=password&client_id=y&"
                                     "username=alice&password=p%26q+r&scope=d:e:f+g:h:i&"
                                     "access_type=offline&refresh_token=t"),
                            &arena, &request, NULL),
        OK);
    assert_int_equal(request.scope_count, 3);
    assert_true(str_is(request.scopes[0], "a:b:c"));
    assert_true(str_is(request.scopes[1], "d:e:f"));
    assert_true(str_is(request.scopes[2], "g:h:i"));
    assert_true(str_is(request.grant_type, "password"));
    assert_true(str_is(request.user, "alice"));
    assert_true(str_is(request.password, "p&q r"));
    assert_true(str_is(request.refresh_token, "t"));
    assert_int_equal(token_request_parse((struct str){0}, &arena, &request, NULL), OK);
    assert_int_equal(request.scope_count, 0);
    arena_release(&arena);
}

static void what_cannot_be_read_is_refused(void **state)
{
    struct token_request request = {.scope_count = 42};
    struct strbuf form;
    struct arena arena;
    struct error err;

    (void)state;
    arena_init(&arena, 65536);
    strbuf_init(&form, 4096);
    assert_int_equal(token_request_parse(str_from("scope=%zz"), &arena, &request, &err),
                     ERROR_INVALID);
    assert_int_equal(token_request_parse(str_from("username=&username=a"), &arena, &request, &err),
                     ERROR_INVALID);
    for (int i = 0; i < TOKEN_SCOPES_MAX; i++) {
        strbuf_append_text(&form, "scope=a:b:c&");
    }
    assert_int_equal(token_request_parse(strbuf_str(&form), &arena, &request, &err), OK);
    request.scope_count = 42;
    strbuf_append_text(&form, "scope=a:b:c");
    assert_int_equal(token_request_parse(strbuf_str(&form), &arena, &request, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "at most 32 scopes"));
    assert_int_equal(request.scope_count, 42);
    strbuf_clear(&form);
    strbuf_append_text(&form, "scope=a:b:c"); /* all in one field */
    for (int i = 0; i < TOKEN_SCOPES_MAX; i++) {
        strbuf_append_text(&form, "+a:b:c");
    }
    assert_int_equal(token_request_parse(strbuf_str(&form), &arena, &request, &err), ERROR_INVALID);
    strbuf_release(&form);
    arena_release(&arena);
}

/* Reads all fields and writes them as `name=value|`; ! for one that cannot be read. */
static void read_all(const char *text, char *out, size_t capacity)
{
    struct str rest = str_from(text);
    struct form_field field = {0};
    struct arena arena;
    bool is_valid = false;

    out[0] = '\0';
    arena_init(&arena, 4096);
    while (form_next(&rest, &arena, &field, &is_valid)) {
        const size_t length = strlen(out);

        if (is_valid) {
            (void)snprintf(out + length, capacity - length, "%.*s=%.*s|", STR_FORMAT(field.name),
                           STR_FORMAT(field.value));
        } else {
            (void)snprintf(out + length, capacity - length, "!|");
        }
    }
    arena_release(&arena);
}

static void fields_are_decoded(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"&&", ""},
        {"a=1", "a=1|"},
        {"a=1&a=2&b", "a=1|a=2|b=|"},
        {"scope=repository%3Aa%2Fb%3Apull,push", "scope=repository:a/b:pull,push|"},
        {"p=a+b%2Bc", "p=a b+c|"},
        {"a=b=c&=x", "a=b=c|=x|"},
        {"a=%zz&b=1", "!|b=1|"},
        {"a=%00", "!|"},
        {"a=%4", "!|"},
    };
    char out[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_all(rows[i][0], out, sizeof(out));
        assert_string_equal(out, rows[i][1]);
    }
}

static void a_field_that_does_not_fit_is_not_valid(void **state)
{
    struct str rest = STR_LITERAL("a=0123456789");
    struct form_field field = {0};
    struct arena arena;
    bool is_valid = true;

    (void)state;
    arena_init(&arena, 8);
    assert_true(form_next(&rest, &arena, &field, &is_valid));
    assert_false(is_valid);
    arena_release(&arena);
}

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
        cmocka_unit_test(what_matters_is_taken),
        cmocka_unit_test(what_cannot_be_read_is_refused),
        cmocka_unit_test(fields_are_decoded),
        cmocka_unit_test(a_field_that_does_not_fit_is_not_valid),
        cmocka_unit_test(what_was_granted_is_told_as_it_is_asked_for),
        cmocka_unit_test(scopes_are_taken_apart),
        cmocka_unit_test(several_are_separated_by_spaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
