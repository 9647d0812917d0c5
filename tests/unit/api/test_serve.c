#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "tests/support/faulty_store.h"

#define UNKNOWN_BLOB                                                                               \
    "/v2/team/app/blobs/"                                                                          \
    "sha256:0000000000000000000000000000000000000000000000000000000000000000"

struct fixture {
    struct api_world world;
    struct reply reply;
    struct strbuf text;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    api_world_init(&fixture.world);
    reply_init(&fixture.reply);
    strbuf_init(&fixture.text, 1024 * 1024);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    strbuf_release(&fixture->text);
    reply_release(&fixture->reply);
    api_world_release(&fixture->world);
    return 0;
}

static struct reply *ask(struct fixture *fixture, const char *line)
{
    api_world_ask(&fixture->world, &(struct question){.line = line}, &fixture->reply);
    return &fixture->reply;
}

static const char *last_line(struct fixture *fixture)
{
    return api_world_last_line(&fixture->world, &fixture->text);
}

static void unknown_path_is_an_error_of_the_specification(void **state)
{
    const struct reply *reply = ask(*state, "GET /v2/a/b");

    assert_true(reply_is_error(reply, 404, "UNSUPPORTED"));
    assert_false(reply->was_on[HTTP_WORKER]);
}

/* What the parser refuses is told in the form of the API that the path belongs to. */
static void refused_head_is_told_as_its_path_wants(void **state)
{
    static const struct {
        const char *path;
        bool is_problem;
    } rows[] = {{"/teams", true}, {"/v20", true}, {"/v2", false}, {"/v2/a/b", false}, {"", false}};
    const struct http_refusal refusal = {431, "too much"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        api_world_refuse(&fixture->world, rows[i].path, &refusal, &fixture->reply);
        assert_int_equal(fixture->reply.status, 431);
        assert_int_equal(reply_has(&fixture->reply, "Content-Type: application/problem+json"),
                         rows[i].is_problem);
        assert_true(reply_says(&fixture->reply, "\"message\":\"too much\""));
    }
}

static void other_method_is_told_which_are_allowed(void **state)
{
    static const char *const methods[] = {"POST", "OPTIONS", "PROPFIND"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        char line[64];

        (void)snprintf(line, sizeof(line), "%s /v2/a/b/manifests/1", methods[i]);
        assert_true(reply_is_error(ask(fixture, line), 405, "UNSUPPORTED"));
        assert_true(reply_has(&fixture->reply, "Allow: GET, HEAD, PUT"));
        assert_true(reply_says(&fixture->reply, methods[i]));
    }
}

static void everything_below_v2_says_its_version(void **state)
{
    static const char *const lines[] = {
        "GET /v2/",
        "GET /v2",
        "GET /v2/a/b",
        "POST /v2/",
        "GET /v2/alone/tags/list",
        "DELETE /v2/a/b/manifests/1",
        "POST /v2/a/b/blobs/uploads/",
        ("GET " UNKNOWN_BLOB),
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_true(
            reply_has(ask(fixture, lines[i]), "Docker-Distribution-API-Version: registry/2.0"));
    }
    assert_false(
        reply_has(ask(fixture, "GET /health"), "Docker-Distribution-API-Version: registry/2.0"));
}

static void what_blocks_is_left_to_a_worker(void **state)
{
    assert_false(ask(*state, "GET /v2/")->was_on[HTTP_WORKER]);
    assert_true(ask(*state, "GET " UNKNOWN_BLOB)->was_on[HTTP_WORKER]);
}

/* Before any work is done for it. */
static void name_is_checked_before_anything_is_done(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *code;
        const char *says;
    } cases[] = {
        {"GET /v2/alone/manifests/1.0", 404, "NAME_UNKNOWN", "team/alone"},
        {"GET /v2/Team/app/manifests/1.0", 404, "NAME_UNKNOWN", "lower case"},
        {"GET /v2/team%2Fapp/manifests/1.0", 404, "NAME_UNKNOWN", "team%2Fapp"},
        {"GET /v2/a/../b/manifests/1.0", 404, "NAME_UNKNOWN", "a/../b"},
        {"GET /v2/a/b%00/manifests/1.0", 404, "NAME_UNKNOWN", "b%00"},
        {"GET /v2/alone/blobs/x", 404, "NAME_UNKNOWN", "alone"},
        {"GET /v2/alone/tags/list", 404, "NAME_UNKNOWN", "alone"},
        {"GET /v2/alone/referrers/x", 404, "NAME_UNKNOWN", "alone"},
        {"GET /v2/alone/blobs/uploads/x", 404, "NAME_UNKNOWN", "alone"},
        {"POST /v2/a//b/blobs/uploads/", 403, "DENIED", "a//b"},
        {"POST /v2/alone/blobs/uploads/", 403, "DENIED", "team/alone"},
        {"PATCH /v2/alone/blobs/uploads/x", 403, "DENIED", "team/alone"},
        {"PUT /v2/alone/blobs/uploads/x", 403, "DENIED", "team/alone"},
        {"PUT /v2/alone/manifests/1.0", 403, "DENIED", "team/alone"},
        {"DELETE /v2/alone/blobs/x", 403, "DENIED", "alone"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct reply *reply = ask(fixture, cases[i].line);

        if (!reply_is_error(reply, cases[i].status, cases[i].code) ||
            !reply_says(reply, cases[i].says)) {
            fail_msg("%s: %d %s", cases[i].line, reply->status, reply->body.text);
        }
    }
}

static void path_that_is_badly_encoded_is_refused(void **state)
{
    assert_int_equal(ask(*state, "GET /v2/a/b/manifests/%00")->status, 400);
}

static void refused_head_is_answered_and_logged(void **state)
{
    struct fixture *fixture = *state;

    api_world_refuse(&fixture->world, "", &(struct http_refusal){431, "too long"}, &fixture->reply);
    assert_true(reply_is_error(&fixture->reply, 431, "UNSUPPORTED"));
    assert_true(reply_says(&fixture->reply, "too long"));
    assert_non_null(strstr(last_line(fixture), "\"status\":431"));
    api_world_refuse(&fixture->world, "", &(struct http_refusal){503, "full"}, &fixture->reply);
    assert_true(reply_is_error(&fixture->reply, 503, "UNAVAILABLE"));
    assert_true(reply_has(&fixture->reply, "Retry-After: 5"));
}

static void our_fault_is_told_to_the_log_alone(void **state)
{
    struct fixture *fixture = *state;

    faulty_store_fail_at(fixture->world.blobs, 1, ERROR_INTERNAL);
    assert_true(reply_is_error(ask(fixture, "GET " UNKNOWN_BLOB), 500, "UNKNOWN"));
    assert_true(reply_says(&fixture->reply, "request id"));
    assert_non_null(strstr(last_line(fixture), "\"failure\":"));
    assert_non_null(strstr(last_line(fixture), "\"level\":\"error\""));
}

static void trouble_that_passes_says_when_to_come_again(void **state)
{
    struct fixture *fixture = *state;

    faulty_store_fail_at(fixture->world.blobs, 1, ERROR_UNAVAILABLE);
    assert_true(reply_is_error(ask(fixture, "GET " UNKNOWN_BLOB), 503, "UNAVAILABLE"));
    assert_true(reply_has(&fixture->reply, "Retry-After: 5"));
}

static void registry_that_is_read_only_takes_no_pushes_and_says_why(void **state)
{
    static const char *const writers[] = {
        "POST /v2/team/app/blobs/uploads/",
        "PATCH /v2/team/app/blobs/uploads/00000000000000000000000000000000",
        "PUT /v2/team/app/blobs/uploads/00000000000000000000000000000000?digest=sha256:0",
        "PUT /v2/team/app/manifests/1.0",
    };
    struct fixture *fixture = *state;

    api_world_serve(&fixture->world, &(struct api_config){.read_only = "moving until 18:00"});
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        const struct reply *reply = ask(fixture, writers[i]);

        assert_true(reply_is_error(reply, 403, "DENIED"));
        assert_true(reply_says(reply, "only pulled: moving until 18:00\""));
        assert_string_equal(reply->reason, "Registry Is Read-Only");
        assert_false(reply->was_on[HTTP_WORKER]);
    }
    assert_int_equal(ask(fixture, "GET /v2/")->status, 200);
    assert_true(
        reply_is_error(ask(fixture, "GET /v2/team/app/manifests/1.0"), 404, "MANIFEST_UNKNOWN") ||
        reply_is_error(&fixture->reply, 404, "NAME_UNKNOWN"));
}

/* In the form that clients of the original understand. */
static void release_is_refused_as_its_own_api_tells_errors(void **state)
{
    struct fixture *fixture = *state;
    const struct reply *reply = NULL;

    api_world_serve(&fixture->world, &(struct api_config){.read_only = "moving until 18:00"});
    reply = ask(fixture, "POST /teams/team/artifacts/app/tags/1.0/production-ready");
    assert_int_equal(reply->status, 403);
    assert_true(reply_has(reply, "Content-Type: application/problem+json"));
    assert_true(reply_says(reply, "\"message\":\"nothing can be pushed at the moment"));
    assert_int_equal(ask(fixture, "POST /teams/team/artifacts/app/recheck")->status, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unknown_path_is_an_error_of_the_specification, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refused_head_is_told_as_its_path_wants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_method_is_told_which_are_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything_below_v2_says_its_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_blocks_is_left_to_a_worker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(name_is_checked_before_anything_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(path_that_is_badly_encoded_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_head_is_answered_and_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(our_fault_is_told_to_the_log_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trouble_that_passes_says_when_to_come_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(registry_that_is_read_only_takes_no_pushes_and_says_why,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(release_is_refused_as_its_own_api_tells_errors, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
