#include "api/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guarded_world.h"

#define PLACE "Bearer realm=\"http://registry.example/v2/token\",service=\"registry.example\""

static void a_challenge_says_what_is_needed(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        const char *challenge;
    } rows[] = {
        {"GET /v2/", NULL, PLACE},
        {"GET /v2/", "Bearer wrong", PLACE ",error=\"invalid_token\""},
        {"GET /v2/a/b/manifests/1", NULL, PLACE ",scope=\"repository:a/b:pull\""},
        {"HEAD /v2/a/b/c/blobs/x", NULL, PLACE ",scope=\"repository:a/b/c:pull\""},
        {"GET /v2/a/b/tags/list", NULL, PLACE ",scope=\"repository:a/b:pull\""},
        {"PUT /v2/a/b/manifests/1", NULL, PLACE ",scope=\"repository:a/b:pull,push\""},
        {"POST /v2/a/b/blobs/uploads/", "Bearer wrong",
         PLACE ",scope=\"repository:a/b:pull,push\",error=\"invalid_token\""},
        {"PATCH /v2/a/b/blobs/uploads/x", NULL, PLACE ",scope=\"repository:a/b:pull,push\""},
        {"GET /teams", NULL, PLACE ",scope=\"registry:catalog:*\""},
        {"GET /teams/a/artifacts/b%2Fc/tags", NULL, PLACE ",scope=\"repository:a/b/c:pull\""},
        {"GET /v1/repositories/a/b/tags", NULL, PLACE ",scope=\"repository:a/b:pull\""},
        {"GET /v2/_catalog", NULL, PLACE ",scope=\"registry:catalog:*\""},
        {"GET /v2/A%22/b/manifests/1", NULL, PLACE}, /* no repository's name */
        {"GET /v2/token", NULL, "Basic realm=\"pierone\", charset=\"UTF-8\""},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply = guarded_world_ask(world, rows[i].line, rows[i].authorization);

        assert_int_equal(reply->status, 401);
        assert_true(str_is(reply_field(reply, "WWW-Authenticate"), rows[i].challenge));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_challenge_says_what_is_needed, guarded_world_set_up,
                                        guarded_world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
