#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "base/digest.h"
#include "registry/source_finder.h"
#include "tests/support/faulty_store.h"

#define UNKNOWN_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

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

static struct reply *push(struct fixture *fixture, const char *path, const char *manifest)
{
    api_world_push(&fixture->world, path, TEST_IMAGE_TYPE, manifest, &fixture->reply);
    return &fixture->reply;
}

static void digest_of(const char *manifest, char text[DIGEST_TEXT_BYTES])
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from(manifest));

    digest_format(&digest, text);
}

/* Whether there is a line that begins so and then has the digest, and its end. */
static bool has_with_digest(const struct reply *reply, const char *begin, const char *digest,
                            const char *end)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "%s%s%s", begin, digest, end);
    return reply_has(reply, line);
}

static void manifest_comes_back_exactly_by_tag_and_by_digest(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_make_image(&fixture->world, "exact", manifest);
    digest_of(manifest, digest);
    assert_int_equal(push(fixture, "team/app/manifests/1.0", manifest)->status, 201);
    assert_true(has_with_digest(&fixture->reply, "Docker-Content-Digest: ", digest, ""));
    assert_true(has_with_digest(&fixture->reply, "Location: /v2/team/app/manifests/", digest, ""));

    assert_int_equal(ask(fixture, "GET /v2/team/app/manifests/1.0", NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, manifest);
    assert_true(reply_has(&fixture->reply, "Content-Type: " TEST_IMAGE_TYPE));
    assert_true(has_with_digest(&fixture->reply, "Docker-Content-Digest: ", digest, ""));
    assert_true(has_with_digest(&fixture->reply, "ETag: \"", digest, "\""));
    assert_true(reply_has(&fixture->reply, "Cache-Control: private, no-cache"));

    (void)snprintf(line, sizeof(line), "GET /v2/team/app/manifests/%s", digest);
    assert_int_equal(ask(fixture, line, NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, manifest);
    assert_true(reply_has(&fixture->reply, "Cache-Control: private, max-age=31536000, immutable"));
}

static void head_and_condition_send_no_content(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char digest[DIGEST_TEXT_BYTES];
    char fields[512];

    api_world_make_image(&fixture->world, "head", manifest);
    digest_of(manifest, digest);
    (void)push(fixture, "team/app/manifests/1.0", manifest);
    assert_int_equal(ask(fixture, "HEAD /v2/team/app/manifests/1.0", NULL)->status, 200);
    assert_true(has_with_digest(&fixture->reply, "Docker-Content-Digest: ", digest, ""));
    (void)snprintf(fields, sizeof(fields), "If-None-Match: \"%s\"\r\n", digest);
    assert_int_equal(ask(fixture, "GET /v2/team/app/manifests/1.0", fields)->status, 304);
}

/* From the first answer on no worker is woken for it, and it is the same answer. */
static void fixed_manifest_is_recalled_on_the_loop(void **state)
{
    static const char *const methods[] = {"GET", "HEAD"};
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_make_image(&fixture->world, "recalled", manifest);
    digest_of(manifest, digest);
    (void)push(fixture, "team/app/manifests/1.0", manifest);
    assert_true(ask(fixture, "GET /v2/team/app/manifests/1.0", NULL)->was_on[HTTP_WORKER]);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        (void)snprintf(line, sizeof(line), "%s /v2/team/app/manifests/1.0", methods[i]);
        assert_int_equal(ask(fixture, line, NULL)->status, 200);
        assert_false(fixture->reply.was_on[HTTP_WORKER]);
        assert_true(reply_has(&fixture->reply, "Content-Type: " TEST_IMAGE_TYPE));
        assert_true(reply_has(&fixture->reply, "Cache-Control: private, no-cache"));
        (void)snprintf(line, sizeof(line), "%s /v2/team/app/manifests/%s", methods[i], digest);
        assert_int_equal(ask(fixture, line, NULL)->status, 200);
        assert_false(fixture->reply.was_on[HTTP_WORKER]);
        assert_true(has_with_digest(&fixture->reply, "ETag: \"", digest, "\""));
    }
    assert_int_equal(ask(fixture, "GET /v2/team/app/manifests/1.0", NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, manifest);
}

static void a_push_queues_behind_those_that_look_into_layers(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "queued", manifest);
    assert_int_equal(push(fixture, "team/app/manifests/1.0", manifest)->status, 201);
    assert_false(fixture->reply.has_queued);
    for (int i = 0; i < SOURCE_SEARCHES_MAX; i++) {
        assert_true(source_search_begin(fixture->world.registry, PUSH_GIVES_WAY));
    }
    assert_int_equal(push(fixture, "team/app/manifests/2.0", manifest)->status, 201);
    assert_true(fixture->reply.has_queued);
    assert_int_equal(push(fixture, "team/app/manifests/latest", manifest)->status, 201);
    assert_false(fixture->reply.has_queued);
}

static void repair(void *context)
{
    struct fixture *fixture = context;

    faulty_store_fail_all(fixture->world.blobs, OK);
    fake_clock_advance(&fixture->world.clock, 1000);
}

/* The harness is told to come later twice before the way is made. */
static void a_push_outlasts_what_passes(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_serve(&fixture->world, &(struct api_config){.push_patience_ms = 15000});
    api_world_make_image(&fixture->world, "patient", manifest);
    fixture->world.make_way = repair;
    fixture->world.make_way_context = fixture;
    faulty_store_fail_all(fixture->world.blobs, ERROR_UNAVAILABLE);
    assert_int_equal(push(fixture, "team/app/manifests/1.0", manifest)->status, 201);
    assert_true(fixture->reply.has_queued);
}

static void stay_broken_for_long(void *context)
{
    struct fixture *fixture = context;

    fake_clock_advance(&fixture->world.clock, 15000);
}

static void a_push_does_not_wait_forever(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_serve(&fixture->world, &(struct api_config){.push_patience_ms = 15000});
    api_world_make_image(&fixture->world, "impatient", manifest);
    fixture->world.make_way = stay_broken_for_long;
    fixture->world.make_way_context = fixture;
    faulty_store_fail_all(fixture->world.blobs, ERROR_UNAVAILABLE);
    assert_true(
        reply_is_error(push(fixture, "team/app/manifests/1.0", manifest), 503, "UNAVAILABLE"));
    assert_true(reply_has(&fixture->reply, "Retry-After: 5"));
    api_world_serve(&fixture->world, &(struct api_config){0});
    assert_true(
        reply_is_error(push(fixture, "team/app/manifests/1.0", manifest), 503, "UNAVAILABLE"));
    assert_false(fixture->reply.has_queued);
}

static void latest_is_never_recalled(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "first", manifest);
    (void)push(fixture, "team/app/manifests/1.0", manifest);
    (void)ask(fixture, "GET /v2/team/app/manifests/latest", NULL);
    fake_clock_advance(&fixture->world.clock, 1);
    api_world_make_image(&fixture->world, "second", manifest);
    (void)push(fixture, "team/app/manifests/2.0", manifest);
    assert_int_equal(ask(fixture, "GET /v2/team/app/manifests/latest", NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, manifest);
}

static void accept_never_changes_the_answer(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "accept", manifest);
    (void)push(fixture, "team/app/manifests/1.0", manifest);
    (void)ask(fixture, "GET /v2/team/app/manifests/1.0",
              "Accept: text/plain\r\nAccept: " TEST_INDEX_TYPE ";q=1\r\n");
    assert_int_equal(fixture->reply.status, 200);
    assert_string_equal(fixture->reply.body.text, manifest);
}

static void parameters_of_the_content_type_are_ignored(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "parameters", manifest);
    api_world_push(&fixture->world, "team/app/manifests/1.0", TEST_IMAGE_TYPE " ; charset=utf-8",
                   manifest, &fixture->reply);
    assert_int_equal(fixture->reply.status, 201);
    (void)ask(fixture, "GET /v2/team/app/manifests/1.0", NULL);
    assert_true(reply_has(&fixture->reply, "Content-Type: " TEST_IMAGE_TYPE));
}

static void what_was_never_pushed_is_unknown(void **state)
{
    static const char *const lines[] = {
        "GET /v2/team/app/manifests/2.0", ("GET /v2/team/app/manifests/" UNKNOWN_DIGEST),
        "GET /v2/team/app/manifests/-not-a-tag", "GET /v2/team/app/manifests/sha256:short",
        "GET /v2/team/app/manifests/a%2Fb"};
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    assert_true(
        reply_is_error(ask(fixture, "GET /v2/no/such/manifests/1.0", NULL), 404, "NAME_UNKNOWN"));
    api_world_make_image(&fixture->world, "known", manifest);
    (void)push(fixture, "team/app/manifests/1.0", manifest);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_true(reply_is_error(ask(fixture, lines[i], NULL), 404, "MANIFEST_UNKNOWN"));
    }
    assert_int_equal(ask(fixture, "HEAD /v2/team/app/manifests/2.0", NULL)->status, 404);
}

static void manifest_belongs_to_one_repository(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char other[TEST_MANIFEST_BYTES];
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_make_image(&fixture->world, "ours", manifest);
    api_world_make_image(&fixture->world, "theirs", other);
    (void)push(fixture, "team/app/manifests/1.0", manifest);
    (void)push(fixture, "other/app/manifests/1.0", other);
    digest_of(manifest, digest);
    (void)snprintf(line, sizeof(line), "GET /v2/other/app/manifests/%s", digest);
    assert_true(reply_is_error(ask(fixture, line, NULL), 404, "MANIFEST_UNKNOWN"));
}

static void taken_tag_is_denied_with_both_digests(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char other[TEST_MANIFEST_BYTES];
    char digest[DIGEST_TEXT_BYTES];
    char other_digest[DIGEST_TEXT_BYTES];
    char detail[512];

    api_world_make_image(&fixture->world, "first", manifest);
    api_world_make_image(&fixture->world, "second", other);
    digest_of(manifest, digest);
    digest_of(other, other_digest);
    assert_int_equal(push(fixture, "team/app/manifests/1.0", manifest)->status, 201);
    assert_int_equal(push(fixture, "team/app/manifests/1.0", manifest)->status, 201);
    assert_true(reply_is_error(push(fixture, "team/app/manifests/1.0", other), 409, "DENIED"));
    assert_string_equal(fixture->reply.reason, "Tag Is Immutable");
    (void)snprintf(detail, sizeof(detail),
                   "\"detail\":{\"Tag\":\"1.0\",\"existing\":\"%s\",\"refused\":\"%s\"}", digest,
                   other_digest);
    assert_true(reply_says(&fixture->reply, detail));
    assert_true(reply_says(&fixture->reply, "team/app:1.0"));
    (void)ask(fixture, "GET /v2/team/app/manifests/1.0", NULL);
    assert_string_equal(fixture->reply.body.text, manifest);
}

static void latest_is_the_newest_tag_and_never_pushed(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char newer[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "old", manifest);
    api_world_make_image(&fixture->world, "new", newer);
    assert_true(
        reply_is_error(push(fixture, "team/app/manifests/latest", manifest), 409, "DENIED"));
    assert_true(reply_says(&fixture->reply, "version tag"));
    (void)push(fixture, "team/app/manifests/1.0", manifest);
    fake_clock_advance(&fixture->world.clock, 1);
    (void)push(fixture, "team/app/manifests/0.9", newer);
    (void)ask(fixture, "GET /v2/team/app/manifests/latest", NULL);
    assert_string_equal(fixture->reply.body.text, newer);
    assert_true(reply_has(&fixture->reply, "Cache-Control: private, no-cache"));
    assert_int_equal(push(fixture, "team/app/manifests/latest", newer)->status, 201);
    assert_int_equal(push(fixture, "team/app/manifests/latest", manifest)->status, 409);
}

static void each_missing_digest_is_an_error_of_its_own(void **state)
{
    static const char manifest[] =
        "{\"schemaVersion\":2,\"mediaType\":\"" TEST_IMAGE_TYPE "\","
        "\"config\":{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"" UNKNOWN_DIGEST "\"},"
        "\"layers\":[{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"sha256:"
        "1111111111111111111111111111111111111111111111111111111111111111\"}]}";
    struct fixture *fixture = *state;

    assert_true(reply_is_error(push(fixture, "team/app/manifests/1.0", manifest), 404,
                               "MANIFEST_BLOB_UNKNOWN"));
    assert_true(reply_says(&fixture->reply, "\"detail\":{\"digest\":\"" UNKNOWN_DIGEST "\"}},{"));
    assert_true(reply_says(&fixture->reply, "\"detail\":{\"digest\":\"sha256:1111"));
    assert_int_equal(ask(fixture, "GET /v2/team/app/manifests/1.0", NULL)->status, 404);
}

static void manifest_that_is_none_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_true(
        reply_is_error(push(fixture, "team/app/manifests/1.0", "{"), 400, "MANIFEST_INVALID"));
    assert_true(
        reply_is_error(push(fixture, "team/app/manifests/1.0", ""), 400, "MANIFEST_INVALID"));
    api_world_push(&fixture->world, "team/app/manifests/1.0",
                   "application/vnd.docker.distribution.manifest.v1+prettyjws", "{}",
                   &fixture->reply);
    assert_true(reply_is_error(&fixture->reply, 415, "UNSUPPORTED"));
    assert_true(reply_says(&fixture->reply, "schema 1"));
}

static void content_type_must_be_there(void **state)
{
    struct fixture *fixture = *state;
    const struct question question = {.line = "PUT /v2/team/app/manifests/1.0",
                                      .body = STR_LITERAL("{}")};

    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_true(reply_is_error(&fixture->reply, 400, "MANIFEST_INVALID"));
    assert_true(reply_says(&fixture->reply, "Content-Type"));
}

static void reference_must_be_a_tag_or_the_digest(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "reference", manifest);
    assert_true(
        reply_is_error(push(fixture, "team/app/manifests/-x", manifest), 400, "TAG_INVALID"));
    assert_true(
        reply_is_error(push(fixture, "team/app/manifests/md5:x", manifest), 400, "DIGEST_INVALID"));
    assert_true(reply_is_error(push(fixture, "team/app/manifests/" UNKNOWN_DIGEST, manifest), 400,
                               "DIGEST_INVALID"));
}

static int push_with_query(struct fixture *fixture, const char *manifest, const char *query)
{
    char digest[DIGEST_TEXT_BYTES];
    char path[1024];

    digest_of(manifest, digest);
    (void)snprintf(path, sizeof(path), "team/app/manifests/%s?%s", digest, query);
    return push(fixture, path, manifest)->status;
}

static void each_tag_of_a_digest_is_answered_once(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "tags", manifest);
    assert_int_equal(push_with_query(fixture, manifest, "tag=1.0&tag=1&tag=1.0&%74ag=%31"), 201);
    assert_non_null(strstr(fixture->reply.headers.text, "\r\nOCI-Tag: 1.0\r\nOCI-Tag: 1\r\n"));
    assert_non_null(strstr(fixture->reply.headers.text, "OCI-Tag: 1\r\n"));
    assert_int_equal(ask(fixture, "GET /v2/team/app/manifests/1", NULL)->status, 200);
    assert_int_equal(push(fixture, "team/app/manifests/2", manifest)->status, 201);
    assert_null(strstr(fixture->reply.headers.text, "OCI-Tag"));
}

static void tags_that_cannot_be_set_are_refused(void **state)
{
    static const char most[] = "tag=1&tag=2&tag=3&tag=4&tag=5&tag=6&tag=7&tag=8&tag=9&tag=a&tag=b&"
                               "tag=c&tag=d&tag=e&tag=f&tag=g&tag=h&tag=i&tag=j&tag=k&tag=1";
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char query[512];

    api_world_make_image(&fixture->world, "tags", manifest);
    assert_true(reply_is_error(push(fixture, "team/app/manifests/1.0?tag=1", manifest), 400,
                               "TAG_INVALID"));
    assert_int_equal(push_with_query(fixture, manifest, "tag=1&tag=-x"), 400);
    assert_true(reply_is_error(&fixture->reply, 400, "TAG_INVALID"));
    assert_int_equal(push_with_query(fixture, manifest, "tag="), 400);
    assert_int_equal(push_with_query(fixture, manifest, "tag=1&tag=%00"), 400);
    (void)snprintf(query, sizeof(query), "%s&tag=l", most);
    assert_int_equal(push_with_query(fixture, manifest, query), 414);
    assert_true(reply_is_error(&fixture->reply, 414, "SIZE_INVALID"));
    assert_int_equal(ask(fixture, "GET /v2/team/app/tags/list", NULL)->status, 404);
    assert_int_equal(push_with_query(fixture, manifest, most), 201);
}

static void refusal_of_one_of_several_tags_names_it(void **state)
{
    struct fixture *fixture = *state;
    char first[TEST_MANIFEST_BYTES];
    char second[TEST_MANIFEST_BYTES];

    api_world_make_image(&fixture->world, "first", first);
    api_world_make_image(&fixture->world, "second", second);
    assert_int_equal(push_with_query(fixture, first, "tag=2&tag=3"), 201);
    assert_int_equal(push_with_query(fixture, second, "tag=1&tag=3&tag=2"), 409);
    assert_true(reply_is_error(&fixture->reply, 409, "DENIED"));
    assert_non_null(strstr(fixture->reply.body.text, "\"Tag\":\"3\""));
    assert_null(strstr(fixture->reply.headers.text, "OCI-Tag"));
    assert_int_equal(ask(fixture, "GET /v2/team/app/manifests/1", NULL)->status, 404);
}

/* Told before the body is read if the client says how long it is, else in its middle. */
static void manifest_that_is_too_large_is_refused_early(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf body;
    struct question question = {.line = "PUT /v2/team/app/manifests/1.0",
                                .fields = "Content-Type: " TEST_IMAGE_TYPE "\r\n"};

    strbuf_init(&body, 2 * API_WORLD_MANIFEST_MAX_BYTES);
    strbuf_append_format(&body, "%0*d", 2 * API_WORLD_MANIFEST_MAX_BYTES - 2, 1);
    question.body = strbuf_str(&body);
    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_true(reply_is_error(&fixture->reply, 413, "SIZE_INVALID"));
    question.is_chunked = true;
    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_true(reply_is_error(&fixture->reply, 413, "SIZE_INVALID"));
    assert_false(fixture->reply.took_body);
    strbuf_release(&body);
}

static void subject_that_was_understood_is_told(void **state)
{
    struct fixture *fixture = *state;
    char manifest[TEST_MANIFEST_BYTES];
    char referrer[TEST_MANIFEST_BYTES + 512];

    api_world_make_image(&fixture->world, "subject", manifest);
    (void)snprintf(referrer, sizeof(referrer),
                   "%.*s,\"subject\":{\"mediaType\":\"" TEST_IMAGE_TYPE
                   "\",\"size\":5,\"digest\":\"" UNKNOWN_DIGEST "\"}}",
                   (int)strlen(manifest) - 1, manifest);
    assert_int_equal(push(fixture, "team/app/manifests/1.0", referrer)->status, 201);
    assert_true(reply_has(&fixture->reply, "OCI-Subject: " UNKNOWN_DIGEST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(manifest_comes_back_exactly_by_tag_and_by_digest, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(head_and_condition_send_no_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fixed_manifest_is_recalled_on_the_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_push_queues_behind_those_that_look_into_layers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_push_outlasts_what_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_push_does_not_wait_forever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(latest_is_never_recalled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(accept_never_changes_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameters_of_the_content_type_are_ignored, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_never_pushed_is_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(manifest_belongs_to_one_repository, set_up, tear_down),
        cmocka_unit_test_setup_teardown(taken_tag_is_denied_with_both_digests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(latest_is_the_newest_tag_and_never_pushed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_missing_digest_is_an_error_of_its_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(manifest_that_is_none_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(content_type_must_be_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reference_must_be_a_tag_or_the_digest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_tag_of_a_digest_is_answered_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tags_that_cannot_be_set_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusal_of_one_of_several_tags_names_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(manifest_that_is_too_large_is_refused_early, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(subject_that_was_understood_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
