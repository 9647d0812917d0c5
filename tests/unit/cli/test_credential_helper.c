#include "cli/credential_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli/client_world.h"

enum { INPUT_BYTES = 256 };

static const char host[] = "pierone.example.org";
static const char not_found[] = "credentials not found in native keychain\n";

static int set_up(void **state)
{
    *state = client_world_new();
    return 0;
}

static int tear_down(void **state)
{
    client_world_free(*state);
    return 0;
}

static void keep(struct client_world *world, const char *at, const struct login *login)
{
    const struct access access = client_world_access(world, NULL);
    bool was_there = false;

    assert_int_equal(access_keep(&access, at, login, &was_there, NULL), OK);
}

/* Runs it as docker does, and holds what it says against the protocol. */
static void assert_says(struct client_world *world, const char *action, const char *input,
                        int status, const char *expected)
{
    char program[] = "docker-credential-pierone";
    char word[INPUT_BYTES];
    char text[INPUT_BYTES];
    char *const argv[] = {program, action ? word : NULL, NULL};
    char *said = NULL;
    size_t length = 0;
    FILE *const output = open_memstream(&said, &length);
    FILE *from = NULL;

    (void)snprintf(word, sizeof(word), "%s", action ? action : "");
    (void)snprintf(text, sizeof(text), "%s", input);
    from = input[0] == '\0' ? fopen("/dev/null", "r") : fmemopen(text, strlen(text), "r");
    assert_non_null(from);
    assert_int_equal(credential_helper_run(action ? 2 : 1, argv, world->variables, from, output),
                     status);
    (void)fclose(from);
    (void)fclose(output);
    assert_string_equal(said, expected);
    free(said);
}

static const struct login person = {
    .kind = LOGIN_OAUTH,
    .user = STR_LITERAL("jane"),
    .secret = STR_LITERAL("token"),
    .refresh_token = STR_LITERAL("refresh"),
    .expires_ms = INT64_C(4102444800000), /* in the year 2100 */
};
static const struct login joe = {
    .kind = LOGIN_PASSWORD, .user = STR_LITERAL("joe"), .secret = STR_LITERAL("sesame\"")};

static void get_answers_for_all_forms_of_a_host(void **state)
{
    static const char *const forms[] = {
        "pierone.example.org",
        "pierone.example.org\n",
        "https://pierone.example.org\r\n",
        "https://pierone.example.org/v1/\n",
        " PierOne.example.org \nmore",
    };

    keep(*state, host, &person);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        assert_says(*state, "get", forms[i], 0,
                    "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"oauth2\","
                    "\"Secret\":\"token\"}\n");
    }
    assert_says(*state, "get", "http://pierone.example.org/", 1,
                "the login at pierone.example.org was made by https, and is not sent without TLS: "
                "give https://pierone.example.org, or log in without it: `pierone login --url "
                "http://pierone.example.org`\n");
    keep(*state, "localhost:5000", &joe);
    assert_says(*state, "get", "http://localhost:5000", 0,
                "{\"ServerURL\":\"localhost:5000\",\"Username\":\"joe\","
                "\"Secret\":\"sesame\\\"\"}\n");
}

static void get_knows_no_other_hosts(void **state)
{
    static const struct {
        const char *input;
        const char *said;
    } cases[] = {
        {"example.org", not_found},
        {"pierone.example.org:443", not_found},
        {"https://index.docker.io/v1/", not_found},
        {"a b", not_found},
        {"", "no credentials server URL\n"},
        {"\n", "no credentials server URL\n"},
        {" \r\n", "no credentials server URL\n"},
    };

    keep(*state, host, &person);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_says(*state, "get", cases[i].input, 1, cases[i].said);
        assert_says(*state, "erase", cases[i].input, 1, cases[i].said);
    }
}

/* docker asks for each host there is. */
static void a_service_users_token_goes_where_it_has_logged_in(void **state)
{
    static const struct login service = {.kind = LOGIN_SERVICE};

    client_world_set(*state, "OAUTH2_ACCESS_TOKENS=pierone=service-token,x=y");
    assert_says(*state, "get", host, 1, not_found);
    keep(*state, host, &service);
    assert_says(*state, "get", "example.org", 1, not_found);
    assert_says(*state, "get", host, 0,
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"oauth2\","
                "\"Secret\":\"service-token\"}\n");
}

static void list_names_hosts_and_users(void **state)
{
    assert_says(*state, "list", "", 0, "{}\n");
    keep(*state, host, &person);
    keep(*state, "a:1", &joe);
    assert_says(*state, "list", "", 0, "{\"pierone.example.org\":\"jane\",\"a:1\":\"joe\"}\n");
}

static void erase_forgets_one(void **state)
{
    keep(*state, host, &person);
    keep(*state, "a", &joe);
    assert_says(*state, "erase", "https://pierone.example.org\n", 0, "\n");
    assert_says(*state, "erase", host, 1, not_found);
    assert_says(*state, "get", host, 1, not_found);
    assert_says(*state, "list", "", 0, "{\"a\":\"joe\"}\n");
}

static void store_keeps_what_it_is_given(void **state)
{
    assert_says(*state, "store",
                "{\"ServerURL\":\"https://pierone.example.org\",\"Username\":\"joe\","
                "\"Secret\":\"s\"}\n",
                0, "\n");
    assert_says(*state, "get", host, 0,
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"joe\","
                "\"Secret\":\"s\"}\n");
    assert_says(*state, "store",
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"oauth2\","
                "\"Secret\":\"t\"}",
                0, "\n");
    assert_says(*state, "get", host, 0,
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"oauth2\","
                "\"Secret\":\"t\"}\n");
}

static void a_token_that_is_stored_is_not_kept_for_ever(void **state)
{
    struct client_world *const world = *state;

    assert_says(world, "store",
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"oauth2\","
                "\"Secret\":\"e30.eyJleHAiOjF9.s\"}", /* {"exp":1} */
                0, "\n");
    assert_says(world, "get", host, 1,
                "the login at pierone.example.org has expired: run `pierone login --url "
                "pierone.example.org`\n");
    assert_says(world, "store",
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"oauth2\","
                "\"Secret\":\"opaque\"}",
                0, "\n");
    assert_non_null(strstr(client_world_read(world, world->paths.logins), "expires_ms"));
}

static void a_login_that_renews_itself_outlives_docker_login(void **state)
{
    struct client_world *const world = *state;
    const char *before = NULL;

    keep(world, host, &person);
    before = client_world_read(world, world->paths.logins);
    assert_says(world, "store",
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"oauth2\","
                "\"Secret\":\"other\"}",
                0, "\n");
    assert_string_equal(client_world_read(world, world->paths.logins), before);
    assert_says(world, "store",
                "{\"ServerURL\":\"pierone.example.org\",\"Username\":\"joe\","
                "\"Secret\":\"s\"}",
                0, "\n");
    assert_says(world, "list", "", 0, "{\"pierone.example.org\":\"joe\"}\n");
}

static void malformed_input_is_not_stored(void **state)
{
    static const struct {
        const char *input;
        const char *said;
    } cases[] = {
        {"", "the input is no JSON object: not valid JSON at line 1, column 0\n"},
        {"{\"Secret\":\"sesame\"",
         "the input is no JSON object: not valid JSON at line 1, column 18\n"},
        {"[]", "the input is no JSON object\n"},
        {"{\"ServerURL\":\"a\",\"Secret\":\"sesame\"}", "no credentials username\n"},
        {"{\"ServerURL\":\"a\",\"Username\":\"\",\"Secret\":\"s\"}", "no credentials username\n"},
        {"{\"Username\":\"joe\",\"Secret\":\"sesame\"}", "no credentials server URL\n"},
        {"{\"ServerURL\":\"\",\"Username\":\"joe\"}", "no credentials server URL\n"},
    };
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_says(world, "store", cases[i].input, 1, cases[i].said);
    }
    assert_null(client_world_read(world, world->paths.logins));
}

static void failures_are_told_without_secrets(void **state)
{
    static const struct login expired = {
        .kind = LOGIN_OAUTH, .secret = STR_LITERAL("sesame"), .expires_ms = 1};
    struct client_world *const world = *state;

    keep(world, host, &expired);
    assert_says(world, "get", host, 1,
                "the login at pierone.example.org has expired: run `pierone login --url "
                "pierone.example.org`\n");
    client_world_write(world, world->paths.logins, "{\"secret\":\"sesame");
    assert_says(
        world, "get", host, 1,
        arena_format(
            &world->arena,
            "%s is damaged (no JSON object: not valid JSON at line 1, column 17): remove it and "
            "run `pierone login` again\n",
            world->paths.logins));
}

static void other_actions_are_refused(void **state)
{
    static const char usage[] = "Usage: docker-credential-pierone <store|get|erase|list|version>\n";

    assert_says(*state, "GET", host, 1, "Unknown credential action `GET`\n");
    assert_says(*state, "gets", host, 1, "Unknown credential action `gets`\n");
    assert_says(*state, "--help", "", 0, usage);
    assert_says(*state, NULL, "", 1, usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(get_answers_for_all_forms_of_a_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_knows_no_other_hosts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_users_token_goes_where_it_has_logged_in, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(list_names_hosts_and_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erase_forgets_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(store_keeps_what_it_is_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_login_that_renews_itself_outlives_docker_login, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_stored_is_not_kept_for_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(malformed_input_is_not_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_are_told_without_secrets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_actions_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
