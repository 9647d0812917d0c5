#include "api/token_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matters_is_taken),
        cmocka_unit_test(what_cannot_be_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
