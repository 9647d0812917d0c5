#include "cli/api_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/cli/command_world.h"

static int set_up(void **state)
{
    *state = command_world_new();
    return 0;
}

static int tear_down(void **state)
{
    command_world_free(*state);
    return 0;
}

static void keep(struct command_world *world, const struct login *login)
{
    const struct access access = client_world_access(world->world, NULL);
    bool was_there = false;

    if (!world->server) {
        command_world_serve(world);
    }
    assert_int_equal(access_keep(&access, world->host, login, &was_there, NULL), OK);
}

static const struct login person = {.kind = LOGIN_OAUTH,
                                    .secret = STR_LITERAL("sesame"),
                                    .expires_ms = INT64_C(4102444800000)}; /* in the year 2100 */
static const struct login joe = {
    .kind = LOGIN_PASSWORD, .user = STR_LITERAL("joe"), .secret = STR_LITERAL("sesame")};

static enum error_code get(struct command_world *world, struct json_value **json, struct error *err)
{
    command_world_open(world, "teams");
    return api_get(&world->cli, "/teams", json, err);
}

static void statuses_become_error_codes(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
        const char *told;
    } cases[] = {
        {400, "{\"message\":\"odd\"}", ERROR_INVALID, "odd ("},
        {401, "{\"message\":\"who\"}", ERROR_UNAUTHENTICATED, "run `pierone login --url http"},
        {403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"not yours\"}]}", ERROR_DENIED,
         "not yours ("},
        {404, "{\"message\":\"gone\",\"errors\":[{\"message\":\"x\"}]}", ERROR_NOT_FOUND, "gone ("},
        {409, "{}", ERROR_CONFLICT, "does not say why"},
        {412, "[]", ERROR_CONFLICT, "does not say why"},
        {418, "<html>", ERROR_INVALID, "status 418"},
        {429, "", ERROR_TOO_MANY, "status 429"},
        {500, "", ERROR_UNAVAILABLE, "status 500"},
        {502, "", ERROR_UNAVAILABLE, "status 502"},
        {503, "", ERROR_UNAVAILABLE, "status 503"},
        {504, "", ERROR_UNAVAILABLE, "status 504"},
        {200, "", ERROR_INVALID, "does not answer as a Pier One registry"},
        {200, "<html>", ERROR_INVALID, "check the address"},
        {302, "", ERROR_INVALID, "check the address"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value *json = NULL;
        struct error err = {0};

        command_world_reset(world);
        command_world_answer(world, cases[i].status, "", cases[i].body);
        keep(world, &person);
        assert_int_equal(get(world, &json, &err), cases[i].code);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_null(strstr(err.message, "sesame"));
        assert_null(json);
    }
}

static void a_401_depends_on_who_was_told(void **state)
{
    struct command_world *const world = *state;
    struct json_value *json = NULL;
    struct error err = {0};

    command_world_answer(world, 401, "", "");
    assert_int_equal(get(world, &json, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "wants to know who you are"));
    keep(world, &person);
    assert_int_equal(get(world, &json, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "does not take your login any more"));
}

static void nobody_answers_is_told(void **state)
{
    struct command_world *const world = *state;
    struct json_value *json = NULL;
    struct error err = {0};

    command_world_open(world, "teams --url http://127.0.0.1:1");
    assert_int_equal(api_get(&world->cli, "/teams", &json, &err), ERROR_UNAVAILABLE);
    assert_true(err.message[0] != '\0');
}

static void the_login_is_sent_as_its_kind_is(void **state)
{
    static const struct {
        const struct login *login; /* NULL: none */
        const char *sent;
    } cases[] = {
        {NULL, NULL},
        {&person, "Authorization: Bearer sesame\r\n"},
        {&joe, "Authorization: Basic am9lOnNlc2FtZQ==\r\n"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value *json = NULL;
        const char *request = NULL;

        command_world_reset(world);
        command_world_answer(world, 200, "", "{\"a\":\"b\"}");
        if (cases[i].login) {
            keep(world, cases[i].login);
        }
        assert_int_equal(get(world, &json, NULL), OK);
        assert_true(str_is(json_value_member_string(json, "a"), "b"));
        json_value_free(json);
        request = stub_server_request(world->server);
        assert_non_null(strstr(request, "GET /teams HTTP/1.1\r\n"));
        assert_non_null(strstr(request, "Accept: application/json\r\n"));
        assert_non_null(strstr(request, "User-Agent: pierone/"));
        assert_non_null(strstr(request, cases[i].sent ? cases[i].sent : "\r\n\r\n"));
        assert_int_equal(strstr(request, "Authorization") != NULL, cases[i].sent != NULL);
    }
}

static void what_is_posted_is_sent_once(void **state)
{
    struct command_world *const world = *state;
    struct json_value *json = NULL;
    const char *request = NULL;

    command_world_answer(world, 503, "", "");
    command_world_answer(world, 200, "", "{}");
    command_world_open(world, "teams");
    assert_int_equal(api_post(&world->cli, "/x", str_from("{\"a\":1}"), &json, NULL),
                     ERROR_UNAVAILABLE);
    assert_int_equal(stub_server_count(world->server), 1);
    assert_int_equal(api_post(&world->cli, "/x", str_from("{\"a\":1}"), &json, NULL), OK);
    json_value_free(json);
    request = stub_server_request(world->server);
    assert_non_null(strstr(request, "POST /x HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"a\":1}"));
}

struct seen {
    char names[100];
    const char *last; /* where it has enough; NULL: never */
};

static enum error_code see(void *context, const struct json_value *element, struct error *err)
{
    struct seen *const seen = context;
    const struct str name = json_value_string(element);

    (void)snprintf(seen->names + strlen(seen->names), sizeof(seen->names) - strlen(seen->names),
                   "%.*s ", STR_FORMAT(name));
    return seen->last && str_is(name, seen->last) ? error_set(err, ERROR_CONFLICT, "enough") : OK;
}

static void lists_are_read_page_by_page(void **state)
{
    static const struct {
        const char *link;
        const char *last;
        const char *seen;
        int requests;
        enum error_code code;
    } cases[] = {
        {"Link: </teams?n=2&last=b>; rel=\"next\"\r\n", NULL, "a b c ", 2, OK},
        {"link:  </teams?n=2&last=b>;rel=\"next\" \r\n", NULL, "a b c ", 2, OK},
        {"", NULL, "a b ", 1, OK},
        {"Link: </teams?last=b>; rel=\"prev\"\r\n", NULL, "a b ", 1, OK},
        {"Link: <http://127.0.0.1:1/teams>; rel=\"next\"\r\n", NULL, "a b ", 1, OK},
        {"Link: </teams?n=2&last=b>; rel=\"next\"\r\n", "a", "a ", 1, ERROR_CONFLICT},
        {"Link: </teams?n=2&last=b>; rel=\"next\"\r\n", "c", "a b c ", 2, ERROR_CONFLICT},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen = {.last = cases[i].last};
        const struct api_visitor visitor = {&seen, see};

        command_world_reset(world);
        command_world_answer(world, 200, cases[i].link, "[\"a\",\"b\"]");
        command_world_answer(world, 200, "", "[\"c\"]");
        keep(world, &person);
        command_world_open(world, "teams");
        assert_int_equal(api_list(&world->cli, "/teams", &visitor, NULL), cases[i].code);
        assert_string_equal(seen.names, cases[i].seen);
        assert_int_equal(stub_server_count(world->server), cases[i].requests);
        if (cases[i].requests == 2) {
            assert_non_null(
                strstr(stub_server_request(world->server), "GET /teams?n=2&last=b HTTP/1.1\r\n"));
            assert_non_null(strstr(stub_server_request(world->server), "Bearer sesame\r\n"));
        }
    }
}

static void a_page_that_fails_ends_the_list(void **state)
{
    struct command_world *const world = *state;
    struct seen seen = {.last = NULL};
    const struct api_visitor visitor = {&seen, see};

    command_world_answer(world, 200, "Link: </teams?last=b>; rel=\"next\"\r\n", "[\"a\"]");
    command_world_answer(world, 403, "", "{\"message\":\"not yours\"}");
    command_world_open(world, "teams");
    assert_int_equal(api_list(&world->cli, "/teams", &visitor, NULL), ERROR_DENIED);
    assert_string_equal(seen.names, "a ");
}

static void manifests_are_taken_as_they_are(void **state)
{
    struct command_world *const world = *state;
    struct strbuf bytes;

    strbuf_init(&bytes, 1000);
    command_world_answer(world, 200, "", "{ \"any\" :\n1}");
    command_world_open(world, "teams");
    assert_int_equal(api_get_manifest(&world->cli, "/v2/a/b/manifests/c", &bytes, NULL), OK);
    assert_string_equal(bytes.text, "{ \"any\" :\n1}");
    assert_non_null(strstr(stub_server_request(world->server),
                           "application/vnd.docker.distribution.manifest.list.v2+json"));
    strbuf_release(&bytes);
}

static enum error_code get_part(struct command_world *world, struct strbuf *bytes,
                                struct error *err)
{
    const struct api_part part = {"/v2/a/b/blobs/c", 10, 5};

    command_world_open(world, "teams");
    strbuf_clear(bytes);
    return api_get_part(&world->cli, &part, bytes, err);
}

static void a_part_is_asked_for_by_its_range(void **state)
{
    struct command_world *const world = *state;
    struct strbuf bytes;

    strbuf_init(&bytes, 1000);
    command_world_answer(world, 206, "", "hello");
    assert_int_equal(get_part(world, &bytes, NULL), OK);
    assert_string_equal(bytes.text, "hello");
    assert_non_null(strstr(stub_server_request(world->server), "Range: bytes=10-14\r\n"));
    strbuf_release(&bytes);
}

static void another_place_does_not_get_the_login(void **state)
{
    static const struct login *const logins[] = {&person, &joe};
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
        const char *const answers[] = {client_world_answer(world->world, 206, "", "hello"), NULL};
        struct stub_server *const other = stub_server_new(answers);
        struct strbuf bytes;

        command_world_reset(world);
        command_world_answer(world, 307,
                             arena_format(&world->world->arena, "Location: %s/there?sig=x\r\n",
                                          stub_server_url(other)),
                             "");
        keep(world, logins[i]);
        strbuf_init(&bytes, 1000);
        assert_int_equal(get_part(world, &bytes, NULL), OK);
        assert_string_equal(bytes.text, "hello");
        assert_non_null(strstr(stub_server_request(world->server), "Authorization: "));
        assert_non_null(strstr(stub_server_request(other), "GET /there?sig=x HTTP/1.1\r\n"));
        assert_non_null(strstr(stub_server_request(other), "Range: bytes=10-14\r\n"));
        assert_null(strstr(stub_server_request(other), "Authorization"));
        assert_null(strstr(stub_server_request(other), "sesame"));
        strbuf_release(&bytes);
        command_world_close(world);
        stub_server_free(other);
    }
}

/* RFC 9110 10.2.2; it is the registry itself, which wants to know who asks. */
static void a_relative_place_is_found_and_gets_the_login(void **state)
{
    static const char *const fields[] = {
        "Location: /v2/a/b/there?sig=x\r\n",
        "Location: ../there?sig=x\r\n",
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct strbuf bytes;

        command_world_reset(world);
        command_world_answer(world, 307, fields[i], "");
        command_world_answer(world, 206, "", "hello");
        keep(world, &person);
        strbuf_init(&bytes, 1000);
        assert_int_equal(get_part(world, &bytes, NULL), OK);
        assert_string_equal(bytes.text, "hello");
        assert_non_null(
            strstr(stub_server_request(world->server), "GET /v2/a/b/there?sig=x HTTP/1.1\r\n"));
        assert_non_null(
            strstr(stub_server_request(world->server), "Authorization: Bearer sesame\r\n"));
        strbuf_release(&bytes);
    }
}

static void places_that_lead_nowhere_are_told(void **state)
{
    static const struct {
        int status;
        const char *fields;
        enum error_code code;
    } cases[] = {
        {307, "", ERROR_UNAVAILABLE},
        {307, "Location: http://127.0.0.1:1/?sesame\r\n", ERROR_UNAVAILABLE},
        {404, "", ERROR_NOT_FOUND},
        {416, "", ERROR_INVALID},
        {304, "", ERROR_UNAVAILABLE},
    };
    struct command_world *const world = *state;
    struct strbuf bytes;

    strbuf_init(&bytes, 1000);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        command_world_reset(world);
        command_world_answer(world, cases[i].status, cases[i].fields, "");
        assert_int_equal(get_part(world, &bytes, &err), cases[i].code);
        assert_true(err.message[0] != '\0');
        assert_null(strstr(err.message, "sesame"));
        assert_int_equal(bytes.length, 0);
    }
    strbuf_release(&bytes);
}

static void paths_are_encoded(void **state)
{
    static const char *const parts[] = {"a/b", "c d", "e%\xc3\xa9", "..?#"};
    struct command_world *const world = *state;

    command_world_open(world, "teams");
    assert_string_equal(api_path(&world->cli, "/x/%s/y/%s/%s/%s", parts),
                        "/x/a%2Fb/y/c%20d/e%25%C3%A9/..%3F%23");
    assert_string_equal(api_path(&world->cli, "/plain", NULL), "/plain");
}

static enum error_code see_name(void *context, const struct json_value *element, struct error *err)
{
    (void)err;
    strbuf_append(context, json_value_member_string(element, "name"));
    strbuf_append_byte(context, ' ');
    return OK;
}

static void the_newest_are_asked_for(void **state)
{
    static const char *const parts[] = {"t", "a/b"};
    static const char tags[] = "[{\"name\":\"a\"},{\"name\":\"b\"}]";
    struct command_world *const world = *state;
    struct strbuf seen;
    const struct api_visitor visitor = {&seen, see_name};

    strbuf_init(&seen, 100);
    command_world_answer(world, 200, "", tags);
    command_world_open(world, "teams");
    assert_int_equal(api_list_newest(&world->cli, parts, 20, &visitor, NULL), OK);
    assert_string_equal(seen.text, "a b ");
    assert_non_null(
        strstr(stub_server_request(world->server), "GET /teams/t/artifacts/a%2Fb/tags?newest=20 "));
    strbuf_release(&seen);
}

static void what_fails_of_lists_is_passed_on(void **state)
{
    static const char *const parts[] = {"t", "a"};
    struct command_world *const world = *state;
    struct strbuf seen;
    const struct api_visitor visitor = {&seen, see_name};

    strbuf_init(&seen, 100);
    command_world_answer(world, 403, "", "{\"message\":\"no\"}");
    command_world_open(world, "teams");
    assert_int_equal(api_list_newest(&world->cli, parts, 5, &visitor, NULL), ERROR_DENIED);
    assert_string_equal(seen.text, "");
    strbuf_release(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statuses_become_error_codes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_401_depends_on_who_was_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_answers_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_login_is_sent_as_its_kind_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_posted_is_sent_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_are_read_page_by_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_that_fails_ends_the_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(manifests_are_taken_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_is_asked_for_by_its_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_place_does_not_get_the_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_relative_place_is_found_and_gets_the_login, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(places_that_lead_nowhere_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_are_encoded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_are_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_of_lists_is_passed_on, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
