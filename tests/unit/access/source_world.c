#include "tests/unit/access/source_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Each is a yes in the eyes of nobody, whatever its status. */
static const char *const nonsense[] = {
    "",
    " ",
    "null",
    "true",
    "1",
    "\"acme\"",
    "{}",
    "{\"team_id\":null}",
    "{\"team_id\":true}",
    "{\"team_id\":[\"acme\"]}",
    "{\"team_id\":{\"id\":\"acme\"}}",
    "{\"team_id\":\"\"}",
    "{\"team_id\":\"acme\"",
    "{\"team_id\":\"acme\"} x",
    "{\"team_id\":\"other\",\"team_id\":\"acme\"}",
    "{\"name\":\"acme\",\"id\":\"acme\"}",
    "[{\"name\":\"acme\"}",
    "[{\"name\":\"acme\"}]]",
    "<html>acme</html>",
    "\xff\xfe",
};

void source_world_init(struct source_world *world)
{
    *world = (struct source_world){
        .client = fake_http_client_new(),
        .identity = {.kind = IDENTITY_EMPLOYEE,
                     .name = STR_LITERAL("jdoe"),
                     .expires_ms = INT64_MAX},
        .token = "a-secret",
        .team = "acme",
    };
}

void source_world_release(struct source_world *world)
{
    team_source_free(world->source);
    http_client_free(world->client);
}

/* As the directory does. */
static enum error_code ask_for_list(struct source_world *world,
                                    const struct team_question *question)
{
    CLEANUP(strbuf_release) struct strbuf teams;
    struct identity listed = {0};
    enum error_code code = OK;

    strbuf_init(&teams, IDENTITY_LIST_BYTES);
    code = world->source->driver->list(world->source, question, &teams, &world->err);
    listed.teams = strbuf_str(&teams);
    return code || identity_names_team(&listed, question->team)
               ? code
               : error_set(&world->err, ERROR_DENIED, "not listed");
}

enum error_code source_world_ask(struct source_world *world)
{
    const struct team_question question = {&world->identity, world->token, str_from(world->team)};
    const struct team_source_driver *driver = world->source->driver;
    enum error_code code = OK;

    world->err = (struct error){0};
    code = driver->list ? ask_for_list(world, &question)
                        : driver->is_member(world->source, &question, &world->err);
    assert_null(strstr(world->err.message, "secret"));
    assert_int_equal(code == OK, world->err.message[0] == '\0');
    return code;
}

void source_world_expect(struct source_world *world, const struct source_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum error_code code = OK;

        fake_http_client_answer_all(world->client, cases[i].status, cases[i].body);
        code = source_world_ask(world);
        if (code != cases[i].code) {
            fail_msg("%d %s: %s, not %s", cases[i].status, cases[i].body, error_code_name(code),
                     error_code_name(cases[i].code));
        }
        assert_string_equal(world->err.message, cases[i].message);
    }
}

void source_world_expect_no_yes_from_a_failure(struct source_world *world)
{
    static const char yes_of_all[] = "[{\"name\":\"acme\",\"id\":\"acme\",\"disabled\":false}]";
    static const char yes_of_kio[] = "{\"id\":\"jdoe\",\"team_id\":\"acme\"}";

    for (int status = 0; status < 600; status += status == 0 ? 100 : 1) {
        if (status == 200) {
            continue;
        }
        fake_http_client_answer_all(world->client, status, yes_of_all);
        assert_int_not_equal(source_world_ask(world), OK);
        fake_http_client_answer_all(world->client, status, yes_of_kio);
        assert_int_not_equal(source_world_ask(world), OK);
        assert_true(status < 500 || source_world_ask(world) == ERROR_UNAVAILABLE);
    }
    for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
        fake_http_client_answer_all(world->client, 200, nonsense[i]);
        assert_int_equal(source_world_ask(world), ERROR_UNAVAILABLE);
    }
}

void source_world_expect_no_question_without_a_token(struct source_world *world)
{
    const unsigned count = fake_http_client_request(world->client)->count;

    world->token = NULL;
    fake_http_client_answer_all(world->client, 200, "[{\"name\":\"acme\"}]");
    assert_int_equal(source_world_ask(world), ERROR_DENIED);
    assert_non_null(strstr(world->err.message, "with an OAuth 2.0 token"));
    assert_int_equal(fake_http_client_request(world->client)->count, count);
}

void source_world_expect_check(struct source_world *world, const char *url, const char *name)
{
    static const int reachable[] = {200, 204, 301, 400, 401, 403, 404, 405};
    static const int broken[] = {0, 500, 502, 503};
    CLEANUP(strbuf_release) struct strbuf report;

    strbuf_init(&report, FAKE_HTTP_TEXT_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(reachable); i++) {
        strbuf_clear(&report);
        fake_http_client_answer_all(world->client, reachable[i], "");
        assert_int_equal(world->source->driver->check(world->source, &report, &world->err), OK);
        assert_string_equal(fake_http_client_request(world->client)->url, url);
        assert_false(fake_http_client_request(world->client)->has_bearer);
        assert_true(str_starts_with(strbuf_str(&report), name));
        assert_non_null(strstr(report.text, url));
        assert_true(str_ends_with(strbuf_str(&report), "\n"));
    }
    strbuf_clear(&report);
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        fake_http_client_answer_all(world->client, broken[i], "no route");
        assert_int_equal(world->source->driver->check(world->source, &report, &world->err),
                         ERROR_UNAVAILABLE);
        assert_true(world->err.message[0] != '\0');
    }
    assert_int_equal(report.length, 0);
}
