#include "api/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guarded_world.h"

static const char *last_line(const struct guarded_world *world)
{
    static char copy[LOG_LINE_MAX_BYTES];
    struct strbuf text;

    strbuf_init(&text, 1024 * 1024);
    (void)snprintf(copy, sizeof(copy), "%s", api_world_last_line(&world->world, &text));
    strbuf_release(&text);
    return copy;
}

/* Whether the last line has that part. */
static bool logs(const struct guarded_world *world, const char *part)
{
    return strstr(last_line(world), part);
}

static const struct reply *ask(struct guarded_world *world, const char *line, const char *fields)
{
    api_world_ask(&world->world, &(struct question){.line = line, .fields = fields}, &world->reply);
    return &world->reply;
}

static void copy_field(const struct reply *reply, const char *name, char text[64])
{
    const struct str value = reply_field(reply, name);

    (void)snprintf(text, 64, "%.*s", STR_FORMAT(value));
}

static void request_id_is_answered_and_logged(void **state)
{
    struct guarded_world *world = *state;
    char first[64];
    char second[64];

    copy_field(guarded_world_ask(world, "GET /health", NULL), "X-Request-Id", first);
    copy_field(guarded_world_ask(world, "GET /health", NULL), "X-Request-Id", second);
    assert_true(strlen(first) > 0);
    assert_string_not_equal(first, second);
    assert_true(logs(world, second));
}

static void request_is_logged_in_one_line(void **state)
{
    static const char *const parts[] = {
        "\"event\":\"request\"",
        "\"method\":\"GET\"",
        "\"path\":\"/v2/\"",
        "\"status\":200",
        "\"bytes\":2",
        "\"received\":0",
        "\"user\":\"jdoe\"",
        "\"peer\":\"192.0.2.1\"",
        "\"agent\":\"docker/1\"",
        "\"microseconds\":",
        "\"request_id\":",
        "\"level\":\"info\"",
    };
    struct guarded_world *world = *state;

    ask(world, "GET /v2/?secret=x",
        "Authorization: Bearer employee:jdoe\r\nUser-Agent: docker/1\r\n");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        assert_true(logs(world, parts[i]));
    }
    assert_false(logs(world, "secret"));
    assert_false(logs(world, "\n"));
}

static void endless_path_and_agent_are_cut_in_the_log(void **state)
{
    struct guarded_world *world = *state;
    struct strbuf fields;
    struct strbuf line;

    strbuf_init(&line, 16 * 1024);
    strbuf_init(&fields, 16 * 1024);
    strbuf_append_format(&line, "GET /%08000d", 1);
    strbuf_append_format(&fields, "User-Agent: %08000d\r\n", 1);
    ask(world, line.text, fields.text);
    assert_true(strlen(last_line(world)) < 2048);
    strbuf_release(&line);
    strbuf_release(&fields);
}

static void client_that_went_away_is_logged_so(void **state)
{
    struct guarded_world *world = *state;
    const struct question question = {
        .line = "PUT /v2/all/app/manifests/1.0",
        .fields = "Authorization: Bearer employee:jdoe\r\nContent-Type: text/plain\r\n",
        .body = STR_LITERAL("{}"),
        .breaks_off = true,
    };

    api_world_ask(&world->world, &question, &world->reply);
    assert_int_equal(world->reply.status, 0);
    assert_true(logs(world, "\"outcome\":\"client_gone\""));
}

static void who_was_kept_out_is_logged_with_the_reason(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        const char *parts[3];
    } rows[] = {
        {"GET /v2/",
         "Basic YWxpY2U6d3Jvbmc=", /* alice:wrong */
         {"\"tried\":\"alice\"", "\"user\":\"\"",
          "\"failure\":\"the user name or the password is wrong\""}},
        {"GET /v2/",
         "Basic aHVudGVyMjp4", /* hunter2:x */
         {"\"tried\":\"(unknown)\"", "\"status\":401", "\"failure\":"}},
        {"GET /v2/",
         "Bearer hunter2",
         {"\"failure\":\"the provider refuses the token\"", "\"user\":\"\"", "\"status\":401"}},
        {"POST /v2/other/app/blobs/uploads/",
         "Bearer employee:jdoe",
         {"\"user\":\"jdoe\"", "\"failure\":\"employee jdoe may not push to team other",
          "\"status\":403"}},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)guarded_world_ask(world, rows[i].line, rows[i].authorization);
        for (size_t k = 0; k < ARRAY_LEN(rows[i].parts); k++) {
            assert_true(logs(world, rows[i].parts[k]));
        }
        assert_false(logs(world, "hunter2"));
        assert_int_equal(logs(world, "\"tried\""), rows[i].authorization[1] == 'a');
    }
    (void)guarded_world_ask(world, "GET /v2/", "Basic YWxpY2U6cmlnaHQ=");
    assert_false(logs(world, "\"tried\""));
    assert_false(logs(world, "\"failure\""));
}

static void what_a_token_grants_is_logged(void **state)
{
    struct guarded_world *world = *state;

    (void)guarded_world_ask(
        world, "GET /v2/token?scope=repository:jdoe/a:pull,push&scope=repository:other/b:pull,push",
        "Bearer employee:jdoe");
    assert_true(logs(world, "\"granted\":\"repository:jdoe/a:pull,push repository:other/b:pull\""));
    (void)guarded_world_ask(world, "GET /v2/token", "Bearer employee:jdoe");
    assert_true(logs(world, "\"granted\":\"\""));
    (void)guarded_world_ask(world, "GET /v2/token?scope=repository:jdoe/a:pull", "Bearer wrong");
    assert_false(logs(world, "\"granted\""));
}

static void client_behind_a_trusted_proxy_is_logged_beside_the_peer(void **state)
{
    struct guarded_world *world = *state;

    ask(world, "GET /health", "X-Forwarded-For: 198.51.100.7\r\n");
    assert_true(logs(world, "\"peer\":\"192.0.2.1\",\"client\":\"198.51.100.7\""));
    ask(world, "GET /health", NULL);
    assert_true(logs(world, "\"peer\":\"192.0.2.1\",\"client\":\"192.0.2.1\""));
}

static void what_anybody_says_of_the_client_is_not_logged(void **state)
{
    struct guarded_world *world = *state;

    ask(world, "GET /health", "X-Forwarded-For: 198.51.100.7\r\n");
    assert_true(logs(world, "\"client\":\"192.0.2.1\""));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, guarded_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_id_is_answered_and_logged),
        TEST(request_is_logged_in_one_line),
        TEST(endless_path_and_agent_are_cut_in_the_log),
        TEST(client_that_went_away_is_logged_so),
        TEST(who_was_kept_out_is_logged_with_the_reason),
        TEST(what_a_token_grants_is_logged),
        cmocka_unit_test_setup_teardown(client_behind_a_trusted_proxy_is_logged_beside_the_peer,
                                        guarded_world_set_up_behind_proxy, guarded_world_tear_down),
        TEST(what_anybody_says_of_the_client_is_not_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
