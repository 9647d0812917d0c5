#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "base/digest.h"
#include "base/memory.h"

enum {
    LARGE_ANNOTATION_BYTES = 240 * 1024,
    HUGE_TYPE_BYTES = 3 * 1024 * 1024,
    MANY = 1001,
    HUGE_TYPES = 10, /* together more than a batch may take */
};

#define SUBJECT "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define REFERRERS "/v2/team/app/referrers/" SUBJECT

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

/* Pushes an image or index that refers to SUBJECT, with what else is to be in it. */
static void push_referrer(struct fixture *fixture, const char *media_type, const char *members)
{
    struct strbuf manifest;
    char image[TEST_MANIFEST_BYTES];
    struct digest digest;
    char path[256] = "team/app/manifests/";

    strbuf_init(&manifest, API_WORLD_MANIFEST_MAX_BYTES);
    if (strcmp(media_type, TEST_INDEX_TYPE) == 0) {
        strbuf_append_text(&manifest, "{\"schemaVersion\":2,\"manifests\":[]");
    } else {
        api_world_make_image(&fixture->world, "referrer", image);
        strbuf_append(&manifest, (struct str){image, strlen(image) - 1});
    }
    strbuf_append_text(&manifest, ",\"subject\":{\"mediaType\":\"" TEST_IMAGE_TYPE
                                  "\",\"size\":5,\"digest\":\"" SUBJECT "\"}");
    strbuf_append_text(&manifest, members);
    strbuf_append_text(&manifest, "}");
    digest = hasher_digest_of(DIGEST_SHA256, strbuf_str(&manifest));
    digest_format(&digest, path + strlen(path));
    api_world_push(&fixture->world, path, media_type, manifest.text, &fixture->reply);
    assert_int_equal(fixture->reply.status, 201);
    strbuf_release(&manifest);
}

/* How many descriptors the index in the reply has. */
static size_t count_of(const struct reply *reply)
{
    size_t count = 0;

    for (const char *at = reply->body.text; (at = strstr(at, "\"digest\":")); at++) {
        count++;
    }
    return count;
}

static void nothing_refers_to_what_is_unknown(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(ask(fixture, "GET " REFERRERS, NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text,
                        "{\"schemaVersion\":2,\"mediaType\":\"" TEST_INDEX_TYPE
                        "\",\"manifests\":[]}");
    assert_true(reply_has(&fixture->reply, "Content-Type: " TEST_INDEX_TYPE));
    assert_null(reply_field(&fixture->reply, "OCI-Filters-Applied").bytes);
}

static void subject_must_be_a_digest(void **state)
{
    struct fixture *fixture = *state;

    assert_true(reply_is_error(ask(fixture, "GET /v2/team/app/referrers/latest", NULL), 400,
                               "DIGEST_INVALID"));
    assert_true(reply_is_error(ask(fixture, "GET /v2/team/app/referrers/sha256:x", NULL), 400,
                               "DIGEST_INVALID"));
}

static void page_begins_behind_one_that_was_told(void **state)
{
    static const char *const bad[] = {
        "x", "1-x", "-" SUBJECT, SUBJECT, "x-" SUBJECT, "9223372036854775808-" SUBJECT, "1-",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char line[512];

        (void)snprintf(line, sizeof(line), "GET " REFERRERS "?last=%s", bad[i]);
        assert_true(reply_is_error(ask(fixture, line, NULL), 400, "PAGINATION_NUMBER_INVALID"));
    }
    push_referrer(fixture, TEST_IMAGE_TYPE, "");
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS "?last=0-" SUBJECT, NULL)), 0);
    assert_int_equal(
        count_of(ask(fixture, "GET " REFERRERS "?last=9223372036854775807-" SUBJECT, NULL)), 1);
}

static void referrer_is_described_as_the_specification_says(void **state)
{
    struct fixture *fixture = *state;

    push_referrer(fixture, TEST_IMAGE_TYPE,
                  ",\"artifactType\":\"application/vnd.example.sbom\","
                  "\"annotations\":{\"a\":\"1\",\"b\":\"\\u00e9\"}");
    (void)ask(fixture, "GET " REFERRERS, NULL);
    assert_true(reply_says(&fixture->reply, "\"mediaType\":\"" TEST_IMAGE_TYPE "\",\"digest\":"));
    assert_true(reply_says(&fixture->reply, "\"artifactType\":\"application/vnd.example.sbom\""));
    assert_true(reply_says(&fixture->reply, "\"annotations\":{\"a\":\"1\",\"b\":\"\xc3\xa9\"}"));
    assert_true(reply_says(&fixture->reply, "\"size\":"));
}

static void type_of_an_image_is_its_config_s_and_of_an_index_none(void **state)
{
    struct fixture *fixture = *state;

    push_referrer(fixture, TEST_IMAGE_TYPE, "");
    (void)ask(fixture, "GET " REFERRERS, NULL);
    assert_true(reply_says(&fixture->reply, "\"artifactType\":\"application/vnd.example.config\""));
    tear_down(state);
    set_up(state);
    push_referrer(fixture, TEST_INDEX_TYPE, "");
    (void)ask(fixture, "GET " REFERRERS, NULL);
    assert_int_equal(count_of(&fixture->reply), 1);
    assert_false(reply_says(&fixture->reply, "artifactType"));
}

static void referrers_are_filtered_by_type(void **state)
{
    struct fixture *fixture = *state;

    push_referrer(fixture, TEST_IMAGE_TYPE, ",\"artifactType\":\"x/a+b\"");
    push_referrer(fixture, TEST_INDEX_TYPE, ",\"artifactType\":\"x/c\"");
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS, NULL)), 2);
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS "?artifactType=x/a%2Bb", NULL)), 1);
    assert_true(reply_has(&fixture->reply, "OCI-Filters-Applied: artifactType"));
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS "?artifactType=x/none", NULL)), 0);
    assert_true(reply_has(&fixture->reply, "OCI-Filters-Applied: artifactType"));
}

static void referrers_belong_to_one_repository(void **state)
{
    struct fixture *fixture = *state;

    push_referrer(fixture, TEST_IMAGE_TYPE, "");
    assert_int_equal(count_of(ask(fixture, "GET /v2/other/app/referrers/" SUBJECT, NULL)), 0);
}

static void next_page(struct fixture *fixture)
{
    const struct str link = reply_field(&fixture->reply, "Link");
    char line[1024];

    assert_true(str_ends_with(link, ">; rel=\"next\""));
    (void)snprintf(line, sizeof(line), "GET %.*s",
                   STR_FORMAT(str_slice(link, 1, str_index_of(link, '>'))));
    (void)ask(fixture, line, NULL);
    assert_int_equal(fixture->reply.status, 200);
}

static void pages_follow_one_another_also_when_filtered(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 40; i++) {
        char members[128];

        (void)snprintf(members, sizeof(members),
                       ",\"artifactType\":\"x/y\",\"annotations\":{\"i\":\"%d\"}", i);
        push_referrer(fixture, TEST_INDEX_TYPE, members);
    }
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS, NULL)), 40);
    assert_null(reply_field(&fixture->reply, "Link").bytes);
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS "?n=33&artifactType=x/y", NULL)), 33);
    next_page(fixture);
    assert_true(reply_has(&fixture->reply, "OCI-Filters-Applied: artifactType"));
    assert_int_equal(count_of(&fixture->reply), 7);
    assert_null(reply_field(&fixture->reply, "Link").bytes);
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS "?n=0", NULL)), 0);
    assert_null(reply_field(&fixture->reply, "Link").bytes);
}

static void thousands_fit_on_one_page(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < MANY; i++) {
        char members[64];

        (void)snprintf(members, sizeof(members), ",\"annotations\":{\"i\":\"%d\"}", i);
        push_referrer(fixture, TEST_INDEX_TYPE, members);
    }
    assert_int_equal(count_of(ask(fixture, "GET " REFERRERS, NULL)), MANY);
    assert_null(reply_field(&fixture->reply, "Link").bytes);
}

/* Clients take no index larger than 4 MiB: what does not fit is on further pages. */
static void page_ends_before_it_is_too_large_for_clients(void **state)
{
    struct fixture *fixture = *state;
    char *members = memory_new(LARGE_ANNOTATION_BYTES + 128, 1);
    size_t count = 0;

    for (int i = 0; i < 20; i++) {
        (void)snprintf(members, LARGE_ANNOTATION_BYTES + 128, ",\"annotations\":{\"a\":\"%0*d\"}",
                       LARGE_ANNOTATION_BYTES, i);
        push_referrer(fixture, TEST_INDEX_TYPE, members);
    }
    (void)ask(fixture, "GET " REFERRERS, NULL);
    assert_int_equal(fixture->reply.status, 200);
    count = count_of(&fixture->reply);
    assert_true(count > 10 && count < 20);
    assert_true(fixture->reply.body.length < 4 * 1024 * 1024);
    next_page(fixture);
    assert_int_equal(count_of(&fixture->reply), 20 - count);
    assert_null(reply_field(&fixture->reply, "Link").bytes);
    free(members);
}

/* Whatever was taken as a manifest can be listed. */
static void referrers_with_much_to_say_are_listed_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    char *members = memory_new(HUGE_TYPE_BYTES + 128, 1);
    size_t count = 0;

    for (int i = 0; i < HUGE_TYPES; i++) {
        (void)snprintf(members, HUGE_TYPE_BYTES + 128, ",\"artifactType\":\"%0*d\"",
                       HUGE_TYPE_BYTES, i);
        push_referrer(fixture, TEST_INDEX_TYPE, members);
    }
    (void)ask(fixture, "GET " REFERRERS, NULL);
    count = count_of(&fixture->reply);
    while (count < HUGE_TYPES && reply_field(&fixture->reply, "Link").bytes) {
        next_page(fixture);
        count += count_of(&fixture->reply);
    }
    assert_int_equal(count, HUGE_TYPES);
    free(members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_refers_to_what_is_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(subject_must_be_a_digest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(page_begins_behind_one_that_was_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(referrer_is_described_as_the_specification_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(type_of_an_image_is_its_config_s_and_of_an_index_none,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(referrers_are_filtered_by_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(referrers_belong_to_one_repository, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_follow_one_another_also_when_filtered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(thousands_fit_on_one_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(page_ends_before_it_is_too_large_for_clients, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(referrers_with_much_to_say_are_listed_one_by_one, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
