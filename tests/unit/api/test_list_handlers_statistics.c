#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stocked_world.h"

static void counts_are_answered(void **state)
{
    static const char *const rows[][2] = {
        {"GET /stats/teams", "[{\"team\":\"all\",\"stats\":{\"artifacts\":2,\"tags\":3}}]"},
        {"GET /stats/teams?limit=1&cursor=all", "[]"},
        {"GET /stats/teams/all", "{\"artifacts\":2,\"tags\":3}"},
        {"GET /stats/teams/none", "{\"artifacts\":0,\"tags\":0}"},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(guarded_world_ask(world, rows[i][0], WHO)->status, 200);
        assert_string_equal(world->reply.body.text, rows[i][1]);
    }
    assert_int_equal(guarded_world_ask(world, "GET /stats", WHO)->status, 200);
    assert_true(reply_says(&world->reply, "{\"teams\":1,\"storage\":"));
}

static void images_are_found_by_a_part_of_their_id(void **state)
{
    struct guarded_world *world = *state;
    char line[STOCKED_PATH_BYTES];
    struct str id;

    (void)guarded_world_ask(world, "GET /v1/repositories/all/app/tags", WHO);
    id = strbuf_str(&world->reply.body);
    id = str_from_index(id, sizeof("{\"latest\":\"sha256:") - 1);
    (void)snprintf(line, sizeof(line), "GET /tags/%.*s", 12, id.bytes);
    assert_int_equal(guarded_world_ask(world, line, WHO)->status, 200);
    assert_string_equal(world->reply.body.text,
                        "[{\"name\":\"1.0\",\"team\":\"all\",\"artifact\":\"app\"},"
                        "{\"name\":\"2.0\",\"team\":\"all\",\"artifact\":\"app\"},"
                        "{\"name\":\"1\",\"team\":\"all\",\"artifact\":\"deep/er\"}]");
}

static void an_images_tags_come_in_pages(void **state)
{
    struct guarded_world *world = *state;
    char line[STOCKED_PATH_BYTES];
    struct str id;
    struct str link;

    (void)guarded_world_ask(world, "GET /v1/repositories/all/app/tags", WHO);
    id = str_from_index(strbuf_str(&world->reply.body), sizeof("{\"latest\":\"sha256:") - 1);
    (void)snprintf(line, sizeof(line), "GET /tags/%.*s?limit=2", 12, id.bytes);
    link = reply_field(guarded_world_ask(world, line, WHO), "Link");
    assert_true(str_starts_with(link, "</tags/") && str_ends_with(link, "-all/app>; rel=\"next\""));
    link = str_slice(link, 1, str_index_of(link, '>'));
    (void)snprintf(line, sizeof(line), "GET %.*s", STR_FORMAT(link));
    assert_string_equal(guarded_world_ask(world, line, WHO)->body.text,
                        "[{\"name\":\"1\",\"team\":\"all\",\"artifact\":\"deep/er\"}]");
    assert_null(reply_field(&world->reply, "Link").bytes);
}

static void what_goes_wrong_is_said(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        int status;
    } rows[] = {
        {"GET /stats", NULL, 401},
        {"GET /stats/teams", NULL, 401},
        {"GET /stats/teams/all", NULL, 401},
        {"GET /stats/teams/all/app", WHO, 404},
        {"GET /stats/teams?limit=0", WHO, 400},
        {"GET /tags/abc", NULL, 401},
        {"GET /tags/sha256%3A", WHO, 400},
        {"GET /tags/xyz", WHO, 400},
        {"GET /tags/%zz", WHO, 400},
        {"GET /tags/abc?limit=0", WHO, 400},
        {"GET /tags/abc?cursor=x", WHO, 400},
        {"GET /tags/abc?cursor=0-all/app", WHO, 400},
        {"GET /tags/abc?cursor=1-", WHO, 400},
        {"GET /tags/0000000000000000", WHO, 404},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply = guarded_world_ask(world, rows[i].line, rows[i].authorization);

        if (reply->status != rows[i].status) {
            fail_msg("row %zu: %d %s", i, reply->status, reply->body.text);
        }
        assert_true(reply_has(reply, "Content-Type: application/problem+json"));
    }
}

/* An index is its own image: of forty ids, some begin alike. */
static void a_beginning_of_several_images_is_412(void **state)
{
    struct guarded_world *world = *state;
    const char digits[] = "0123456789abcdef";
    unsigned conflicts = 0;

    api_world_serve(&world->world, &(struct api_config){0});
    for (int i = 0; i < 40; i++) {
        char manifest[STOCKED_PATH_BYTES];
        char path[STOCKED_PATH_BYTES];

        (void)snprintf(manifest, sizeof(manifest),
                       "{\"schemaVersion\":2,\"manifests\":[],\"annotations\":{\"n\":\"%d\"}}", i);
        (void)snprintf(path, sizeof(path), "all/many/manifests/%d", i);
        api_world_push(&world->world, path, TEST_INDEX_TYPE, manifest, &world->reply);
        assert_int_equal(world->reply.status, 201);
    }
    for (size_t i = 0; i < sizeof(digits) - 1; i++) {
        char line[STOCKED_PATH_BYTES];

        (void)snprintf(line, sizeof(line), "GET /tags/%c", digits[i]);
        conflicts += guarded_world_ask(world, line, NULL)->status == 412;
    }
    assert_true(conflicts > 0);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, stocked_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest statistics_handlers[] = {
        TEST(counts_are_answered),
        TEST(images_are_found_by_a_part_of_their_id),
        TEST(an_images_tags_come_in_pages),
        TEST(what_goes_wrong_is_said),
        TEST(a_beginning_of_several_images_is_412),
    };

    return cmocka_run_group_tests(statistics_handlers, NULL, NULL);
}
