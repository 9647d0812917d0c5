#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"

struct fixture {
    struct api_world world;
    struct reply reply;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    api_world_init(&fixture.world);
    reply_init(&fixture.reply);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    reply_release(&fixture->reply);
    api_world_release(&fixture->world);
    return 0;
}

static struct reply *ask(struct fixture *fixture, const char *line, const char *fields)
{
    api_world_ask(&fixture->world, &(struct question){.line = line, .fields = fields},
                  &fixture->reply);
    return &fixture->reply;
}

/* Pushes one image to each of the paths. */
static void push_all(struct fixture *fixture, const char *const *paths, size_t count)
{
    char manifest[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "listed", manifest);
    for (size_t i = 0; i < count; i++) {
        api_world_push(&fixture->world, paths[i], TEST_IMAGE_TYPE, manifest, &fixture->reply);
        assert_int_equal(fixture->reply.status, 201);
    }
}

static void push_tags(struct fixture *fixture)
{
    static const char *const paths[] = {
        "team/app/manifests/b", "team/app/manifests/a",  "team/app/manifests/10",
        "team/app/manifests/9", "team/app/manifests/B_",
    };

    push_all(fixture, paths, ARRAY_LEN(paths));
}

static void tags_are_listed_in_byte_order(void **state)
{
    struct fixture *fixture = *state;

    push_tags(fixture);
    assert_int_equal(ask(fixture, "GET /v2/team/app/tags/list", NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text,
                        "{\"name\":\"team/app\",\"tags\":[\"10\",\"9\",\"B_\",\"a\",\"b\"]}");
    assert_true(reply_has(&fixture->reply, "Content-Type: application/json"));
    assert_null(reply_field(&fixture->reply, "Link").bytes);
}

static void pages_follow_one_another(void **state)
{
    struct fixture *fixture = *state;

    push_tags(fixture);
    (void)ask(fixture, "GET /v2/team/app/tags/list?n=2", NULL);
    assert_string_equal(fixture->reply.body.text,
                        "{\"name\":\"team/app\",\"tags\":[\"10\",\"9\"]}");
    assert_true(
        reply_has(&fixture->reply, "Link: </v2/team/app/tags/list?n=2&last=9>; rel=\"next\""));
    (void)ask(fixture, "GET /v2/team/app/tags/list?n=2&last=9", NULL);
    assert_string_equal(fixture->reply.body.text,
                        "{\"name\":\"team/app\",\"tags\":[\"B_\",\"a\"]}");
    (void)ask(fixture, "GET /v2/team/app/tags/list?n=2&last=a", NULL);
    assert_string_equal(fixture->reply.body.text, "{\"name\":\"team/app\",\"tags\":[\"b\"]}");
    assert_null(reply_field(&fixture->reply, "Link").bytes);
}

static void last_needs_no_n_and_no_such_tag(void **state)
{
    struct fixture *fixture = *state;

    push_tags(fixture);
    (void)ask(fixture, "GET /v2/team/app/tags/list?last=Z", NULL);
    assert_string_equal(fixture->reply.body.text, "{\"name\":\"team/app\",\"tags\":[\"a\",\"b\"]}");
    (void)ask(fixture, "GET /v2/team/app/tags/list?last=zzz", NULL);
    assert_string_equal(fixture->reply.body.text, "{\"name\":\"team/app\",\"tags\":[]}");
}

static void none_are_listed_if_none_are_asked_for(void **state)
{
    struct fixture *fixture = *state;

    push_tags(fixture);
    assert_int_equal(ask(fixture, "GET /v2/team/app/tags/list?n=0", NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, "{\"name\":\"team/app\",\"tags\":[]}");
    assert_null(reply_field(&fixture->reply, "Link").bytes);
}

static void number_that_is_none_is_refused(void **state)
{
    struct fixture *fixture = *state;

    push_tags(fixture);
    assert_true(reply_is_error(ask(fixture, "GET /v2/team/app/tags/list?n=-1", NULL), 400,
                               "PAGINATION_NUMBER_INVALID"));
    assert_true(reply_is_error(ask(fixture, "GET /v2/_catalog?n=x", NULL), 400,
                               "PAGINATION_NUMBER_INVALID"));
}

static void tags_of_no_repository_are_unknown(void **state)
{
    assert_true(
        reply_is_error(ask(*state, "GET /v2/no/such/tags/list", NULL), 404, "NAME_UNKNOWN"));
}

static void catalog_lists_all_repositories(void **state)
{
    static const char *const paths[] = {"team/b/manifests/1", "team/a/c/manifests/1",
                                        "a/z/manifests/1"};
    struct fixture *fixture = *state;

    assert_int_equal(ask(fixture, "GET /v2/_catalog", NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, "{\"repositories\":[]}");
    push_all(fixture, paths, ARRAY_LEN(paths));
    (void)ask(fixture, "GET /v2/_catalog", NULL);
    assert_string_equal(fixture->reply.body.text,
                        "{\"repositories\":[\"a/z\",\"team/a/c\",\"team/b\"]}");
    (void)ask(fixture, "GET /v2/_catalog?n=2", NULL);
    assert_string_equal(fixture->reply.body.text, "{\"repositories\":[\"a/z\",\"team/a/c\"]}");
    assert_true(reply_has(&fixture->reply, "Link: </v2/_catalog?n=2&last=team/a/c>; rel=\"next\""));
    (void)ask(fixture, "GET /v2/_catalog?n=2&last=team/a/c", NULL);
    assert_string_equal(fixture->reply.body.text, "{\"repositories\":[\"team/b\"]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tags_are_listed_in_byte_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_follow_one_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(last_needs_no_n_and_no_such_tag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_are_listed_if_none_are_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(number_that_is_none_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tags_of_no_repository_are_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(catalog_lists_all_repositories, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
