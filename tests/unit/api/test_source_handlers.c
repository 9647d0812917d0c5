#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stocked_world.h"

#define APP "/teams/all/artifacts/app"
#define INCIDENT "{\"incident_id\":\"INC-1\"}"

static void a_source_is_told(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply = guarded_world_ask(world, "GET " APP "/tags/1.0/scm-source", WHO);

    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body.text,
                        "{\"url\":\"git:x\",\"revision\":\"abc\",\"author\":\"\","
                        "\"status\":\"\",\"created\":\"2015-05-07T15:49:51.230Z\"}");
}

static void a_history_is_told(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply = guarded_world_ask(world, "GET " APP "/tags/1.0/history", WHO);

    assert_int_equal(reply->status, 200);
    assert_true(reply_says(reply, "[{\"changed\":\"2015-05-07T15:49:51.230Z\","
                                  "\"changed_by_kind\":\"service\","
                                  "\"changed_by\":\"robot\",\"from\":null,\"to\":\"sha256:"));
}

static void statuses_are_the_originals(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        const char *body;
        int status;
    } rows[] = {
        {"GET " APP "/tags/2.0/scm-source", WHO, NULL, 404},
        {"GET " APP "/tags/9/scm-source", WHO, NULL, 404},
        {"GET " APP "/tags/1.0/scm-source", NULL, NULL, 401},
        {"GET " APP "/tags/latest/scm-source", WHO, NULL, 404},
        {"GET " APP "/tags/1.0/history?cursor=9223372036854775808", WHO, NULL, 400},
        {"GET " APP "/tags/1.0/history?cursor=x", WHO, NULL, 400},
        {"GET " APP "/tags/1.0/history?limit=0", WHO, NULL, 400},
        {"GET " APP "/tags/9/history", WHO, NULL, 404},
        {"GET " APP "/tags/latest/history", WHO, NULL, 404},
        {"GET " APP "/tags/1.0/history", NULL, NULL, 401},
        {"POST " APP "/tags/1.0/production-ready", NULL, INCIDENT, 401},
        {"POST " APP "/tags/1.0/production-ready", "Bearer service:robot", INCIDENT, 403},
        {"POST " APP "/tags/1.0/production-ready", WHO, "", 400},
        {"POST " APP "/tags/1.0/production-ready", WHO, "INC-1", 400},
        {"POST " APP "/tags/1.0/production-ready", WHO, "{}", 400},
        {"POST " APP "/tags/1.0/production-ready", WHO, "{\"incident_id\":7}", 400},
        {"POST " APP "/tags/1.0/production-ready", WHO, "{\"incident_id\":\"\"}", 400},
        {"POST " APP "/tags/2.0/production-ready", WHO, INCIDENT, 422},
        {"POST " APP "/tags/9/production-ready", WHO, INCIDENT, 404},
        {"POST " APP "/tags/1.0/production-ready", WHO, INCIDENT, 200},
        {"POST " APP "/tags/1.0/production-ready", WHO, INCIDENT, 409},
        {"POST " APP "/tags/1.0/recheck", WHO, NULL, 200},
        {"POST " APP "/tags/9/recheck", WHO, NULL, 404},
        {"POST " APP "/recheck", WHO, NULL, 200},
        {"POST /teams/all/artifacts/none/recheck", WHO, NULL, 404},
        {"POST " APP "/recheck", NULL, NULL, 401},
        {"GET " APP "/recheck", WHO, NULL, 405},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply =
            guarded_world_send(world, rows[i].line, rows[i].authorization, rows[i].body);

        if (reply->status != rows[i].status) {
            fail_msg("row %zu: %d %s", i, reply->status, reply->body.text);
        }
        assert_true(reply_says(reply, "essage\":\""));
    }
}

static void an_incident_is_limited(void **state)
{
    char body[300] = "{\"incident_id\":\"";

    memset(body + strlen(body), 'x', 257);
    memcpy(body + strlen(body), "\"}", 3);
    assert_int_equal(
        guarded_world_send(*state, "POST " APP "/tags/1.0/production-ready", WHO, body)->status,
        400);
}

static void an_incident_is_json_and_says_so(void **state)
{
    static const struct {
        const char *type;
        int status;
    } rows[] = {
        {"text/plain", 400},
        {"application/x-www-form-urlencoded", 400},
        {"multipart/form-data; boundary=x", 400},
        {"application/jsonp", 400},
        {"Application/JSON ; charset=utf-8", 200},
        {"application/json", 409},
    };
    struct guarded_world *world = *state;
    char fields[256];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)snprintf(fields, sizeof(fields), "Authorization: " WHO "\r\nContent-Type: %s\r\n",
                       rows[i].type);
        api_world_ask(&world->world,
                      &(struct question){.line = "POST " APP "/tags/1.0/production-ready",
                                         .fields = fields,
                                         .body = STR_LITERAL(INCIDENT)},
                      &world->reply);
        assert_int_equal(world->reply.status, rows[i].status);
    }
}

static void a_released_tag_says_so(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply = guarded_world_ask(world, "GET " APP "/tags/1.0", WHO);

    assert_false(reply_says(reply, "status"));
    (void)guarded_world_send(world, "POST " APP "/tags/1.0/production-ready", WHO, INCIDENT);
    reply = guarded_world_ask(world, "GET " APP "/tags/1.0", WHO);
    assert_true(reply_says(reply, "\"status\":\"production-ready\",\"status_reason\":\"INC-1\","
                                  "\"status_received_at\":\"2015-05-07T15:49:54.230Z\""));
}

/* Who may say what an image was built from, and how. */
static void claims_need_trust_and_form(void **state)
{
    static const struct {
        const char *scopes;
        const char *source;
        int status;
    } rows[] = {
        {"employee:all", "%7B%22url%22%3A%22x%22%2C%22revision%22%3A%221%22%7D", 403},
        {"service:robot:application.write_all",
         "%7B%22url%22%3A%22x%22%2C%22revision%22%3A%221%22%7D", 403},
        {"service:robot:application.write_all_trusted", "{}", 400}, /* may push by itself */
        {"service:robot:application.write_all+application.write_all_trusted", "{}", 400},
        {"service:robot:application.write_all+application.write_all_trusted", "%7", 400},
        {"service:robot:application.write_all+application.write_all_trusted", "%00", 400},
        {"service:robot:application.write_all+application.write_all_trusted",
         "{\"url\":\"x\",\"revision\":\"1\"}", 201},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[STOCKED_PATH_BYTES];
        char fields[STOCKED_PATH_BYTES];

        (void)snprintf(path, sizeof(path), "all/app/manifests/claim-%zu", i);
        (void)snprintf(fields, sizeof(fields), "Authorization: Bearer %s\r\nX-SCM-Source: %s\r\n",
                       rows[i].scopes, rows[i].source);
        if (stocked_world_push(world, path, fields)->status != rows[i].status) {
            fail_msg("row %zu: %d %s", i, world->reply.status, world->reply.body.text);
        }
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, stocked_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest source_handlers[] = {
        TEST(a_source_is_told),           TEST(a_history_is_told),
        TEST(statuses_are_the_originals), TEST(an_incident_is_limited),
        TEST(a_released_tag_says_so),     TEST(an_incident_is_json_and_says_so),
        TEST(claims_need_trust_and_form),
    };

    return cmocka_run_group_tests(source_handlers, NULL, NULL);
}
