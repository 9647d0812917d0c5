#include "cli/service_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/stub_server.h"
#include "tests/unit/cli/client_world.h"

enum { TIMEOUT_MS = 20 * 1000, ANSWER_MAX_BYTES = 64 * 1024, MINUTE_MS = 60 * 1000 };

#define USER "{\"application_username\":\"robot\",\"application_password\":\"open sesame\"}"
#define CLIENT "{\"client_id\":\"id\",\"client_secret\":\"client-sesame\"}"
#define GRANT "{\"access_token\":\"new-token\",\"expires_in\":3600}"

struct asking {
    struct client_world *world;
    struct http_client *client;
    struct stub_server *server;
    const char *answers[3];
};

static int set_up(void **state)
{
    static const struct http_client_config config = {
        .user_agent = "test", .timeout_ms = TIMEOUT_MS, .answer_max_bytes = ANSWER_MAX_BYTES};
    struct asking *const asking = calloc(1, sizeof(*asking));

    asking->world = client_world_new();
    assert_int_equal(http_client_new(&config, &asking->client, NULL), OK);
    *state = asking;
    return 0;
}

static int tear_down(void **state)
{
    struct asking *const asking = *state;

    http_client_free(asking->client);
    if (asking->server) {
        stub_server_free(asking->server);
    }
    client_world_free(asking->world);
    free(asking);
    return 0;
}

static void write_in(struct client_world *world, const char *name, const char *text)
{
    const char *const path = client_world_path(world, name);

    (void)unlink(path);
    if (text) {
        client_world_write(world, path, text);
    }
}

static void serve(struct asking *asking, int status, const char *body)
{
    struct client_world *const world = asking->world;

    asking->answers[0] = client_world_answer(world, status, "", body);
    asking->server = stub_server_new(asking->answers);
    client_world_set(world, "CREDENTIALS_DIR=%s/c");
    client_world_set(world, arena_format(&world->arena, "OAUTH2_ACCESS_TOKEN_URL=%s/token",
                                         stub_server_url(asking->server)));
    write_in(world, "c/user.json", USER);
    write_in(world, "c/client.json", CLIENT);
}

static enum error_code get(struct asking *asking, struct login *login, struct error *err)
{
    const struct service_request request = {
        .environment = &asking->world->environment,
        .client = asking->client,
        .arena = &asking->world->arena,
        .now_ms = clock_wall_ms(&asking->world->clock.clock),
    };

    return service_token_get(&request, login, err);
}

static void assert_no_secret(const struct error *err)
{
    assert_null(strstr(err->message, "sesame"));
    assert_null(strstr(err->message, "new-token"));
}

static void the_first_source_that_is_set_counts(void **state)
{
    static const struct {
        const char *tokens;
        const char *file;
        const char *url;
        enum service_source source;
    } cases[] = {
        {NULL, NULL, NULL, SERVICE_NONE},
        {"OAUTH2_ACCESS_TOKENS=pierone=a", "b", "OAUTH2_ACCESS_TOKEN_URL=c", SERVICE_VARIABLE},
        {"OAUTH2_ACCESS_TOKENS=other=a", "b", "OAUTH2_ACCESS_TOKEN_URL=c", SERVICE_FILE},
        {NULL, "b", NULL, SERVICE_FILE},
        {NULL, "", NULL, SERVICE_FILE},
        {"OAUTH2_ACCESS_TOKENS=", NULL, "OAUTH2_ACCESS_TOKEN_URL=c", SERVICE_URL},
        {NULL, NULL, "OAUTH2_ACCESS_TOKEN_URL=c", SERVICE_URL},
        {NULL, NULL, "OAUTH_ACCESS_TOKEN_URL=c", SERVICE_URL}, /* its older name */
        {NULL, NULL, "OAUTH2_ACCESS_TOKEN_URL=", SERVICE_NONE},
    };
    struct client_world *const world = ((struct asking *)*state)->world;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        client_world_unset_all(world);
        client_world_set(world, "CREDENTIALS_DIR=%s/c");
        write_in(world, "c/pierone-token-secret", cases[i].file);
        if (cases[i].tokens) {
            client_world_set(world, cases[i].tokens);
        }
        if (cases[i].url) {
            client_world_set(world, cases[i].url);
        }
        assert_int_equal(service_token_source(&world->environment), cases[i].source);
    }
    client_world_unset_all(world);
    assert_int_equal(service_token_source(&world->environment), SERVICE_NONE);
}

static void a_variable_has_tokens_by_name(void **state)
{
    static const struct {
        const char *variable;
        const char *token; /* NULL: none */
    } cases[] = {
        {"OAUTH2_ACCESS_TOKENS=pierone=a.b-c", "a.b-c"},
        {"OAUTH2_ACCESS_TOKENS=x=1, pierone = t ", "t"},
        {"OAUTH2_ACCESS_TOKENS=x=1,pierone=t,y=2", "t"},
        {"OAUTH2_ACCESS_TOKENS=pierone=t==", "t=="},
        {"OAUTH2_ACCESS_TOKENS=xpierone=t", NULL},
        {"OAUTH2_ACCESS_TOKENS=pierone2=t", NULL},
        {"OAUTH2_ACCESS_TOKENS=pierone=", NULL},
        {"OAUTH2_ACCESS_TOKENS=pierone", NULL},
        {"OAUTH2_ACCESS_TOKENS=,,=,", NULL},
    };
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login = {0};
        const enum error_code expected = cases[i].token ? OK : ERROR_NOT_FOUND;

        client_world_unset_all(asking->world);
        client_world_set(asking->world, cases[i].variable);
        assert_int_equal(get(asking, &login, NULL), expected);
        if (cases[i].token) {
            assert_int_equal(login.kind, LOGIN_SERVICE);
            assert_string_equal(login.secret.bytes, cases[i].token);
            assert_int_equal(login.secret.length, strlen(cases[i].token));
            assert_int_equal(login.expires_ms, 0);
        }
    }
}

static void a_file_is_read_each_time(void **state)
{
    static const struct {
        const char *text;
        const char *token; /* NULL: ERROR_INVALID */
    } cases[] = {
        {"one", "one"}, {"two\n", "two"}, {"three\r\n", "three"}, {" four \nmore\n", "four"},
        {"", NULL},     {"\nfive", NULL}, {" \t\r\n", NULL},
    };
    struct asking *const asking = *state;

    client_world_set(asking->world, "CREDENTIALS_DIR=%s/c");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login = {.expires_ms = INT64_MAX, .kind = LOGIN_SERVICE};
        struct error err = {0};

        write_in(asking->world, "c/pierone-token-secret", cases[i].text);
        assert_int_equal(get(asking, &login, &err), cases[i].token ? OK : ERROR_INVALID);
        if (cases[i].token) {
            assert_string_equal(login.secret.bytes, cases[i].token);
            assert_int_equal(login.expires_ms, 0);
        } else {
            assert_non_null(strstr(err.message, "c/pierone-token-secret"));
            assert_null(strstr(err.message, "five"));
        }
    }
}

static void a_file_that_cannot_be_read_is_not_passed_over(void **state)
{
    struct asking *const asking = *state;
    const char *const path = client_world_path(asking->world, "c/pierone-token-secret");
    struct error err = {0};
    struct login login;

    client_world_set(asking->world, "CREDENTIALS_DIR=%s/c");
    client_world_set(asking->world, "OAUTH2_ACCESS_TOKEN_URL=http://127.0.0.1:1/");
    client_world_write(asking->world, client_world_path(asking->world, "c/x"), "");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(get(asking, &login, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
}

static void without_anything_it_says_what_to_set(void **state)
{
    struct asking *const asking = *state;
    struct error err = {0};
    struct login login;

    assert_int_equal(get(asking, &login, &err), ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "CREDENTIALS_DIR"));
    client_world_set(asking->world, "OAUTH2_ACCESS_TOKEN_URL=http://127.0.0.1:1/");
    assert_int_equal(get(asking, &login, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "CREDENTIALS_DIR is not"));
}

static void malformed_credentials_are_told_by_file_and_name(void **state)
{
    static const struct {
        const char *file;
        const char *text; /* NULL: none */
        const char *told;
    } cases[] = {
        {"c/user.json", NULL, "user.json"},
        {"c/user.json", "", "user.json is no JSON object"},
        {"c/user.json", "{\"application_username\":\"open sesame\"", "user.json is no JSON object"},
        {"c/user.json", "[]", "user.json is no JSON object"},
        {"c/user.json", "{\"application_username\":\"robot\"}",
         "user.json has no \"application_password\""},
        {"c/user.json", "{\"application_username\":\"\",\"application_password\":\"sesame\"}",
         "user.json has no \"application_username\""},
        {"c/user.json", "{\"application_username\":1,\"application_password\":\"sesame\"}",
         "user.json has a \"application_username\" that is no string"},
        {"c/client.json", NULL, "client.json"},
        {"c/client.json", "sesame", "client.json is no JSON object"},
        {"c/client.json", "{\"client_id\":\"id\"}", "client.json has no \"client_secret\""},
        {"c/client.json", "{\"client_secret\":\"sesame\"}", "client.json has no \"client_id\""},
    };
    struct asking *const asking = *state;

    serve(asking, 200, GRANT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};
        struct login login = {0};

        write_in(asking->world, "c/user.json", USER);
        write_in(asking->world, "c/client.json", CLIENT);
        write_in(asking->world, cases[i].file, cases[i].text);
        assert_int_equal(get(asking, &login, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_no_secret(&err);
    }
    assert_int_equal(stub_server_count(asking->server), 0);
}

static void a_token_is_asked_for_with_the_credentials(void **state)
{
    struct asking *const asking = *state;
    struct login login = {.kind = LOGIN_OAUTH, .secret = STR_LITERAL("a person's")};
    const char *request = NULL;

    serve(asking, 200, GRANT);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(login.kind, LOGIN_SERVICE);
    assert_string_equal(login.secret.bytes, "new-token");
    assert_int_equal(login.expires_ms, clock_wall_ms(&asking->world->clock.clock) + 3600 * 1000);
    request = stub_server_request(asking->server);
    assert_non_null(strstr(request, "POST /token HTTP/1.1\r\n"));
    /* id:client-sesame */
    assert_non_null(strstr(request, "Authorization: Basic aWQ6Y2xpZW50LXNlc2FtZQ==\r\n"));
    assert_non_null(strstr(request, "\r\n\r\ngrant_type=password&username=robot&password="
                                    "open%20sesame&scope=uid%20application.write"));
}

static void a_token_whose_end_is_not_told_is_asked_for_again_after_a_while(void **state)
{
    struct asking *const asking = *state;
    struct login login = {0};

    serve(asking, 200, "{\"access_token\":\"new-token\"}");
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(get(asking, &login, NULL), OK);
        assert_int_equal(get(asking, &login, NULL), OK);
        assert_int_equal(stub_server_count(asking->server), i);
        fake_clock_advance(&asking->world->clock, LOGIN_UNTOLD_LIFETIME_MS / 2);
    }
}

static void a_token_that_is_good_is_kept(void **state)
{
    struct asking *const asking = *state;
    struct login login = {0};

    serve(asking, 200, GRANT);
    assert_int_equal(get(asking, &login, NULL), OK);
    fake_clock_advance(&asking->world->clock, 1800 * 1000 - 1);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 1);
    fake_clock_advance(&asking->world->clock, 1);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 2);
    /* of another user, or client: not the same token; of a new password: the same */
    write_in(asking->world, "c/user.json",
             "{\"application_username\":\"robot\",\"application_password\":\"new\"}");
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 2);
    write_in(asking->world, "c/user.json",
             "{\"application_username\":\"other\",\"application_password\":\"new\"}");
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 3);
    write_in(asking->world, "c/client.json", "{\"client_id\":\"x\",\"client_secret\":\"y\"}");
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 4);
    assert_null(strstr(login.source.bytes, "other"));
}

static void a_token_that_is_still_good_needs_no_login_server(void **state)
{
    struct asking *const asking = *state;
    struct login login = {0};

    serve(asking, 200, GRANT);
    assert_int_equal(get(asking, &login, NULL), OK);
    stub_server_free(asking->server);
    asking->server = NULL;
    fake_clock_advance(&asking->world->clock, 3600 * 1000 - MINUTE_MS - 1);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_string_equal(login.secret.bytes, "new-token");
    fake_clock_advance(&asking->world->clock, 1);
    assert_int_equal(get(asking, &login, NULL), ERROR_UNAVAILABLE);
}

static void a_token_that_is_still_good_is_renewed_in_vain_once_a_minute(void **state)
{
    struct asking *const asking = *state;
    struct login login = {0};

    asking->answers[1] = client_world_answer(asking->world, 500, "", "");
    serve(asking, 200, GRANT);
    assert_int_equal(get(asking, &login, NULL), OK);
    fake_clock_advance(&asking->world->clock, 1800 * 1000);
    for (int asked = 2; asked <= 3; asked++) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(get(asking, &login, NULL), OK);
            assert_string_equal(login.secret.bytes, "new-token");
            assert_int_equal(stub_server_count(asking->server), asked);
        }
        fake_clock_advance(&asking->world->clock, MINUTE_MS);
    }
}

static void refusals_and_failures_are_told_apart(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } cases[] = {
        {400, "{\"error\":\"invalid_grant\"}", ERROR_UNAUTHENTICATED},
        {401, "", ERROR_UNAUTHENTICATED},
        {500, "", ERROR_UNAVAILABLE},
        {200, "{\"token\":\"new-token\"}", ERROR_UNAVAILABLE},
    };
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};
        struct login login = {0};

        client_world_unset_all(asking->world);
        serve(asking, cases[i].status, cases[i].body);
        assert_int_equal(get(asking, &login, &err), cases[i].code);
        assert_true(err.message[0] != '\0');
        assert_no_secret(&err);
        stub_server_free(asking->server);
        asking->server = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_source_that_is_set_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_variable_has_tokens_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_read_each_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_not_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_anything_it_says_what_to_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(malformed_credentials_are_told_by_file_and_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_is_asked_for_with_the_credentials, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_token_whose_end_is_not_told_is_asked_for_again_after_a_while, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_good_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_still_good_needs_no_login_server, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_still_good_is_renewed_in_vain_once_a_minute,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals_and_failures_are_told_apart, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
