#include "cli/access.h"

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

static const char host[] = "pierone.example.org";

#define GRANT "{\"access_token\":\"second-token\",\"token_type\":\"Bearer\",\"expires_in\":3600}"

/* A login server, and who asks it. */
struct asking {
    struct client_world *world;
    struct http_client *client;
    struct stub_server *server;
    const char *answers[2];
};

static struct http_client *new_client(void)
{
    static const struct http_client_config config = {
        .user_agent = "test", .timeout_ms = TIMEOUT_MS, .answer_max_bytes = ANSWER_MAX_BYTES};
    struct http_client *client = NULL;

    assert_int_equal(http_client_new(&config, &client, NULL), OK);
    return client;
}

static int set_up(void **state)
{
    struct asking *const asking = calloc(1, sizeof(*asking));

    asking->world = client_world_new();
    asking->client = new_client();
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

static void serve(struct asking *asking, int status, const char *body)
{
    asking->answers[0] = client_world_answer(asking->world, status, "", body);
    asking->server = stub_server_new(asking->answers);
}

static enum error_code get(struct asking *asking, struct login *login, struct error *err)
{
    const struct access access = client_world_access(asking->world, asking->client);

    return access_get(&access, host, login, err);
}

static void assert_no_secret(const struct error *err)
{
    static const char *const secrets[] = {"first-token", "first-refresh", "second", "sesame"};

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        assert_null(strstr(err->message, secrets[i]));
    }
}

static void nobody_is_logged_in_at_first(void **state)
{
    struct asking *const asking = *state;
    struct login login = {.kind = LOGIN_PASSWORD};

    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(login.kind, LOGIN_NONE);
    assert_int_equal(client_world_count(asking->world->folder), 0);
}

static void a_token_is_renewed_within_a_minute_of_its_end(void **state)
{
    static const struct {
        int64_t good_for_ms;
        bool is_renewed;
    } cases[] = {
        {MINUTE_MS + 1, false}, {MINUTE_MS, true}, {1, true}, {0, true}, {-MINUTE_MS, true}};
    struct asking *const asking = *state;
    int asked = 0;

    serve(asking, 200, GRANT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login;

        client_world_log_in(asking->world, host, stub_server_url(asking->server),
                            cases[i].good_for_ms);
        assert_int_equal(get(asking, &login, NULL), OK);
        asked += cases[i].is_renewed;
        assert_int_equal(stub_server_count(asking->server), asked);
        assert_string_equal(login.secret.bytes,
                            cases[i].is_renewed ? "second-token" : "first-token");
    }
}

static void a_renewed_token_is_kept(void **state)
{
    static const struct {
        const char *answer;
        const char *refresh_token;
        int64_t good_for_ms;
    } cases[] = {
        {"{\"access_token\":\"second-token\",\"refresh_token\":\"next\",\"expires_in\":120}",
         "next", 120 * 1000},
        {"{\"access_token\":\"second-token\",\"expires_in\":120}", "first-refresh", 120 * 1000},
        {"{\"access_token\":\"second-token\"}", "first-refresh", LOGIN_UNTOLD_LIFETIME_MS},
    };
    struct asking *const asking = *state;
    struct client_world *const world = asking->world;
    const int64_t now_ms = clock_wall_ms(&world->clock.clock);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login;

        serve(asking, 200, cases[i].answer);
        client_world_log_in(world, host, stub_server_url(asking->server), 0);
        for (int j = 0; j < 2; j++) { /* the second time from the file */
            assert_int_equal(get(asking, &login, NULL), OK);
            assert_string_equal(login.user.bytes, "jane");
            assert_string_equal(login.secret.bytes, "second-token");
            assert_string_equal(login.refresh_token.bytes, cases[i].refresh_token);
            assert_int_equal(login.expires_ms, now_ms + cases[i].good_for_ms);
            assert_int_equal(stub_server_count(asking->server), 1);
        }
        assert_non_null(strstr(stub_server_request(asking->server),
                               "grant_type=refresh_token&refresh_token=first-refresh"
                               "&client_id=pierone-cli"));
        assert_null(strstr(stub_server_request(asking->server), "first-token"));
        stub_server_free(asking->server);
        asking->server = NULL;
    }
    assert_int_equal(client_world_mode(world->paths.logins), 0600);
}

/* Docker asks once for a push: what it is given must last. */
static void a_token_is_renewed_when_half_of_its_time_is_over(void **state)
{
    struct asking *const asking = *state;
    struct client_world *const world = asking->world;
    struct login login;

    serve(asking, 200, GRANT);
    client_world_log_in(world, host, stub_server_url(asking->server), 0);
    assert_int_equal(get(asking, &login, NULL), OK);
    fake_clock_advance(&world->clock, 30 * MINUTE_MS - 1);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 1);
    fake_clock_advance(&world->clock, 1);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 2);
}

static void a_token_that_is_still_good_needs_no_login_server(void **state)
{
    static const int statuses[] = {400, 500};
    struct asking *const asking = *state;
    struct client_world *const world = asking->world;
    const struct access access = client_world_access(world, asking->client);

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        const int64_t now_ms = clock_wall_ms(&world->clock.clock);
        struct login kept = {
            .kind = LOGIN_OAUTH,
            .secret = STR_LITERAL("first-token"),
            .refresh_token = STR_LITERAL("first-refresh"),
            .client_id = STR_LITERAL("pierone-cli"),
            .renew_ms = now_ms,
            .expires_ms = now_ms + 3L * MINUTE_MS,
        };
        struct login login;
        bool was_there = true;

        serve(asking, statuses[i], "");
        kept.token_url = str_from(stub_server_url(asking->server));
        assert_int_equal(access_keep(&access, host, &kept, &was_there, NULL), OK);
        for (int asked = 1; asked <= 2; asked++) { /* once in a minute */
            for (int j = 0; j < 2; j++) {
                assert_int_equal(get(asking, &login, NULL), OK);
                assert_string_equal(login.secret.bytes, "first-token");
                assert_int_equal(stub_server_count(asking->server), asked);
            }
            fake_clock_advance(&world->clock, MINUTE_MS);
        }
        assert_int_not_equal(get(asking, &login, NULL), OK);
        stub_server_free(asking->server);
        asking->server = NULL;
    }
}

/* Its refresh token may be another one, and the former of no use any more. */
static void a_renewal_that_cannot_be_kept_is_told(void **state)
{
    enum { STORE_MAX_BYTES = 4 * 1024 * 1024, MORE_BYTES = 8 };
    struct asking *const asking = *state;
    struct client_world *const world = asking->world;
    const struct access access = client_world_access(world, asking->client);
    const int64_t now_ms = clock_wall_ms(&world->clock.clock);
    struct login kept = {
        .kind = LOGIN_OAUTH,
        .secret = STR_LITERAL("first"), /* shorter than the next one */
        .refresh_token = STR_LITERAL("first-refresh"),
        .renew_ms = now_ms,
        .expires_ms = now_ms + 3L * MINUTE_MS,
    };
    struct strbuf text;
    struct str before;
    struct error err = {0};
    struct login login;
    bool was_there = true;

    serve(asking, 200, GRANT);
    kept.token_url = str_from(stub_server_url(asking->server));
    assert_int_equal(access_keep(&access, host, &kept, &was_there, NULL), OK);
    before = str_from(client_world_read(world, world->paths.logins));
    strbuf_init(&text, STORE_MAX_BYTES);
    strbuf_append_text(&text, "{\"filler\": \"");
    while (text.length + before.length + MORE_BYTES < STORE_MAX_BYTES) {
        strbuf_append_byte(&text, 'x');
    }
    strbuf_append_text(&text, "\",");
    strbuf_append(&text, str_from_index(before, 1));
    client_world_write(world, world->paths.logins, text.text);
    strbuf_release(&text);
    assert_int_equal(get(asking, &login, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "too large"));
    assert_int_equal(stub_server_count(asking->server), 1);
}

static void a_refused_renewal_says_to_log_in_again(void **state)
{
    static const char *const refusals[] = {
        "{\"error\":\"invalid_grant\",\"error_description\":\"the token first-refresh is old\"}",
        "{\"error\":\"invalid_grant\"}",
        "",
        "<html>",
    };
    struct asking *const asking = *state;
    const char *before = NULL;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct error err = {0};
        struct login login;

        serve(asking, 400, refusals[i]);
        client_world_log_in(asking->world, host, stub_server_url(asking->server), 0);
        before = client_world_read(asking->world, asking->world->paths.logins);
        assert_int_equal(get(asking, &login, &err), ERROR_UNAUTHENTICATED);
        assert_non_null(strstr(err.message, "run `pierone login --url pierone.example.org`"));
        assert_no_secret(&err);
        assert_string_equal(client_world_read(asking->world, asking->world->paths.logins), before);
        stub_server_free(asking->server);
        asking->server = NULL;
    }
}

static void a_login_server_that_fails_leaves_the_login(void **state)
{
    static const struct {
        int status;
        const char *body;
    } cases[] = {{500, "{\"error\":\"server_error\"}"}, {200, "{}"}, {200, "second"}, {504, ""}};
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};
        struct login login;
        const char *before = NULL;

        serve(asking, cases[i].status, cases[i].body);
        client_world_log_in(asking->world, host, stub_server_url(asking->server), 0);
        before = client_world_read(asking->world, asking->world->paths.logins);
        assert_int_equal(get(asking, &login, &err), ERROR_UNAVAILABLE);
        assert_no_secret(&err);
        assert_string_equal(client_world_read(asking->world, asking->world->paths.logins), before);
        stub_server_free(asking->server);
        asking->server = NULL;
    }
}

static void what_cannot_be_renewed_says_to_log_in_again(void **state)
{
    static const struct login expired = {
        .kind = LOGIN_OAUTH, .secret = STR_LITERAL("first-token"), .expires_ms = 1};
    struct asking *const asking = *state;
    const struct access access = client_world_access(asking->world, asking->client);
    struct error err = {0};
    struct login login;
    bool was_there = true;

    assert_int_equal(access_keep(&access, host, &expired, &was_there, NULL), OK);
    assert_false(was_there);
    assert_int_equal(get(asking, &login, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "run `pierone login --url pierone.example.org`"));
    assert_no_secret(&err);
}

static void a_password_is_used_as_it_is(void **state)
{
    static const struct login kept = {
        .kind = LOGIN_PASSWORD, .user = STR_LITERAL("joe"), .secret = STR_LITERAL("sesame")};
    static const struct login token = {.kind = LOGIN_OAUTH, .user = STR_LITERAL("joe")};
    struct asking *const asking = *state;
    const struct access access = client_world_access(asking->world, asking->client);
    struct login login;
    bool was_there = true;

    assert_int_equal(access_keep(&access, host, &kept, &was_there, NULL), OK);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_string_equal(login.secret.bytes, "sesame");
    assert_string_equal(access_user_name(&login), "joe");
    assert_string_equal(access_user_name(&token), "oauth2");
}

static void a_login_by_https_is_not_sent_without(void **state)
{
    static const struct {
        const char *host;
        const char *url;
        enum error_code code;
    } cases[] = {
        {"pierone.example.org", "https://pierone.example.org", ERROR_UNAUTHENTICATED},
        {"pierone.example.org", "", ERROR_UNAUTHENTICATED}, /* as docker stores it */
        {"pierone.example.org", "http://pierone.example.org", OK},
        {"localhost:5000", "https://localhost:5000", ERROR_UNAUTHENTICATED},
        {"localhost:5000", "", OK},
    };
    struct asking *const asking = *state;
    struct access access = client_world_access(asking->world, asking->client);
    bool was_there = false;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct login kept = {.kind = LOGIN_PASSWORD,
                                   .url = str_from(cases[i].url),
                                   .user = STR_LITERAL("joe"),
                                   .secret = STR_LITERAL("sesame")};
        struct login login = {.kind = LOGIN_NONE};
        struct error err = {0};

        assert_int_equal(access_keep(&access, cases[i].host, &kept, &was_there, NULL), OK);
        access.is_plain = true;
        assert_int_equal(access_get(&access, cases[i].host, &login, &err), cases[i].code);
        assert_int_equal(strstr(err.message, "`pierone login --url http://") != NULL,
                         cases[i].code != OK);
        access.is_plain = false;
        assert_int_equal(access_get(&access, cases[i].host, &login, NULL), OK);
    }
    access.is_plain = true;
    assert_int_equal(access_get(&access, "other.example.org", &(struct login){0}, NULL), OK);
    client_world_set(asking->world, "OAUTH2_ACCESS_TOKENS=pierone=sesame");
    assert_int_equal(access_get(&access, "pierone.example.org", &(struct login){0}, NULL), OK);
    assert_int_equal(access_get(&access, "localhost:5000", &(struct login){0}, NULL), OK);
}

static void a_service_user_comes_before_a_person(void **state)
{
    struct asking *const asking = *state;
    struct client_world *const world = asking->world;
    const char *before = NULL;
    struct login login;

    client_world_log_in(world, host, "http://127.0.0.1:1/", 0);
    before = client_world_read(world, world->paths.logins);
    client_world_set(world, "OAUTH2_ACCESS_TOKENS=pierone=sesame");
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(login.kind, LOGIN_SERVICE);
    assert_true(str_is(login.secret, "sesame"));
    assert_string_equal(client_world_read(world, world->paths.logins), before);
}

static void a_service_users_login_needs_its_variables(void **state)
{
    static const struct login kept = {.kind = LOGIN_SERVICE, .secret = STR_LITERAL("sesame")};
    struct asking *const asking = *state;
    const struct access access = client_world_access(asking->world, asking->client);
    struct error err = {0};
    struct login login;
    bool was_there = true;

    assert_int_equal(access_keep(&access, host, &kept, &was_there, NULL), OK);
    assert_int_equal(get(asking, &login, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "CREDENTIALS_DIR"));
    assert_no_secret(&err);
}

/* One who has not logged in is asked for each time: the file is a person's business. */
static void a_service_users_token_is_kept_where_it_has_logged_in(void **state)
{
    static const struct login kept = {.kind = LOGIN_SERVICE, .user = STR_LITERAL("robot")};
    struct asking *const asking = *state;
    struct client_world *const world = asking->world;
    const struct access access = client_world_access(world, asking->client);
    struct login login;
    bool was_there = true;

    serve(asking, 200, GRANT);
    client_world_set(world, "CREDENTIALS_DIR=%s/c");
    client_world_set(world, arena_format(&world->arena, "OAUTH2_ACCESS_TOKEN_URL=%s",
                                         stub_server_url(asking->server)));
    client_world_write(world, client_world_path(world, "c/user.json"),
                       "{\"application_username\":\"robot\",\"application_password\":\"sesame\"}");
    client_world_write(world, client_world_path(world, "c/client.json"),
                       "{\"client_id\":\"id\",\"client_secret\":\"sesame\"}");
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(get(asking, &login, NULL), OK);
        assert_int_equal(stub_server_count(asking->server), i);
    }
    assert_null(client_world_read(world, world->paths.logins));
    assert_int_equal(access_keep(&access, host, &kept, &was_there, NULL), OK);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(get(asking, &login, NULL), OK);
        assert_string_equal(login.secret.bytes, "second-token");
        assert_int_equal(stub_server_count(asking->server), 3);
    }
    fake_clock_advance(&world->clock, 3600 * 1000 - MINUTE_MS);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 4);
    /* The same token once more, for another hour. */
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(stub_server_count(asking->server), 4);
    assert_true(str_is(login.user, "robot")); /* as `list` shows it */
}

static void a_damaged_file_is_told(void **state)
{
    struct asking *const asking = *state;
    const struct access access = client_world_access(asking->world, asking->client);
    const struct login login = {.kind = LOGIN_PASSWORD, .secret = STR_LITERAL("sesame")};
    struct login found;
    struct error err = {0};
    bool was_there = false;

    client_world_write(asking->world, asking->world->paths.logins, "{\"first-token");
    assert_int_equal(get(asking, &found, &err), ERROR_INVALID);
    assert_no_secret(&err);
    assert_int_equal(access_keep(&access, host, &login, &was_there, &err), ERROR_INVALID);
    assert_no_secret(&err);
}

static void forgetting_says_whether_there_was_a_login(void **state)
{
    static const struct login nobody = {.kind = LOGIN_NONE};
    struct asking *const asking = *state;
    struct client_world *const world = asking->world;
    const struct access access = client_world_access(world, asking->client);
    struct login login;
    bool was_there = true;

    assert_int_equal(access_keep(&access, host, &nobody, &was_there, NULL), OK);
    assert_false(was_there);
    assert_null(client_world_read(world, world->paths.logins));
    client_world_log_in(world, host, "http://127.0.0.1:1/", MINUTE_MS);
    client_world_log_in(world, "other", "http://127.0.0.1:1/", 2L * MINUTE_MS);
    assert_int_equal(access_keep(&access, host, &nobody, &was_there, NULL), OK);
    assert_true(was_there);
    assert_int_equal(get(asking, &login, NULL), OK);
    assert_int_equal(login.kind, LOGIN_NONE);
    assert_int_equal(access_get(&access, "other", &login, NULL), OK);
    assert_string_equal(login.secret.bytes, "first-token");
}

/* Waits for the word to go, and exits with 0 if it got the new token. */
static void be_child(struct asking *asking, int gate)
{
    struct login login = {0};
    char byte = 0;

    asking->client = new_client();
    (void)!read(gate, &byte, 1); /* its end: all begin at once */
    _exit(get(asking, &login, NULL) == OK && str_is(login.secret, "second-token") ? 0 : 1);
}

static void of_processes_that_need_a_new_token_one_asks(void **state)
{
    enum { CHILDREN = 6 };
    struct asking *const asking = *state;
    pid_t children[CHILDREN];
    int gate[2];

    assert_int_equal(pipe(gate), 0);
    http_client_free(asking->client);
    asking->client = NULL;
    for (int i = 0; i < CHILDREN; i++) { /* before there are threads */
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            (void)close(gate[1]);
            be_child(asking, gate[0]);
        }
    }
    (void)close(gate[0]);
    serve(asking, 200, GRANT);
    client_world_log_in(asking->world, host, stub_server_url(asking->server), 0);
    (void)close(gate[1]);
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(stub_server_count(asking->server), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_is_logged_in_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_is_renewed_within_a_minute_of_its_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_renewed_token_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_is_renewed_when_half_of_its_time_is_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_still_good_needs_no_login_server, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_renewal_that_cannot_be_kept_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_renewal_says_to_log_in_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_login_server_that_fails_leaves_the_login, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_renewed_says_to_log_in_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_password_is_used_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_login_by_https_is_not_sent_without, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_user_comes_before_a_person, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_users_login_needs_its_variables, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_service_users_token_is_kept_where_it_has_logged_in,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgetting_says_whether_there_was_a_login, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_processes_that_need_a_new_token_one_asks, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
