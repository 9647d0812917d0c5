#include "cli/service_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/fake_http_client.h"
#include "tests/support/temporary_folder.h"

static char *folder;

static const char *in_folder(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    folder = temporary_folder_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temporary_folder_free(folder);
    return 0;
}

static void write_file(const char *name, const char *content)
{
    FILE *file = fopen(in_folder(name), "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

enum { ARENA_BYTES = 256 * 1024, NOW_MS = 1000 * 1000 };

#define TOKEN_URL "https://x/token"

static char variables[3][600];

/* The environment: any of the three variables may be NULL. */
static struct environment environment_of(const char *tokens, bool has_folder, const char *url)
{
    static char *entries[4];
    size_t count = 0;

    if (tokens) {
        (void)snprintf(variables[0], sizeof(variables[0]), "OAUTH2_ACCESS_TOKENS=%s", tokens);
        entries[count++] = variables[0];
    }
    if (has_folder) {
        (void)snprintf(variables[1], sizeof(variables[1]), "CREDENTIALS_DIR=%s", folder);
        entries[count++] = variables[1];
    }
    if (url) {
        (void)snprintf(variables[2], sizeof(variables[2]), "OAUTH2_ACCESS_TOKEN_URL=%s", url);
        entries[count++] = variables[2];
    }
    entries[count] = NULL;
    return (struct environment){entries};
}

static enum error_code get(const struct environment *environment, struct http_client *client,
                           struct login *login, struct error *err)
{
    static struct arena arena;
    const struct service_request request = {environment, client, &arena, NOW_MS};

    arena_release(&arena);
    arena_init(&arena, ARENA_BYTES);
    return service_token_get(&request, login, err);
}

static void the_first_that_is_set_counts(void **state)
{
    struct environment environment = environment_of("a=1,pierone = two ,b=3", true, TOKEN_URL);
    struct login login = {0};

    (void)state;
    write_file("pierone-token-secret", " three \r\nrest");
    assert_int_equal(service_token_source(&environment), SERVICE_VARIABLE);
    assert_int_equal(get(&environment, NULL, &login, NULL), OK);
    assert_true(str_is(login.secret, "two"));
    environment = environment_of("a=1", true, TOKEN_URL);
    assert_int_equal(service_token_source(&environment), SERVICE_FILE);
    assert_int_equal(get(&environment, NULL, &login, NULL), OK);
    assert_true(str_is(login.secret, "three"));
    assert_int_equal(login.kind, LOGIN_SERVICE);
    environment = environment_of("pierone=", false, TOKEN_URL);
    assert_int_equal(service_token_source(&environment), SERVICE_URL);
    environment = environment_of(NULL, false, NULL);
    assert_int_equal(service_token_source(&environment), SERVICE_NONE);
    assert_int_equal(get(&environment, NULL, &login, NULL), ERROR_NOT_FOUND);
}

static void write_credentials(void)
{
    write_file("user.json",
               "{\"application_username\":\"robot\",\"application_password\":\"pass&word\"}");
    write_file("client.json", "{\"client_id\":\"id\",\"client_secret\":\"secret\"}");
}

static void tokens_are_asked_for_and_kept_until_they_expire(void **state)
{
    struct environment environment = environment_of(NULL, true, TOKEN_URL);
    struct http_client *client = fake_http_client_new();
    struct login login = {0};

    (void)state;
    write_credentials();
    fake_http_client_answer(client, TOKEN_URL, 200, "{\"access_token\":\"t\",\"expires_in\":3600}",
                            -1);
    assert_int_equal(get(&environment, client, &login, NULL), OK);
    assert_true(str_is(login.secret, "t"));
    assert_int_equal(login.expires_ms, NOW_MS + 3600 * 1000);
    assert_string_equal(fake_http_client_request(client)->body,
                        "grant_type=password&username=robot&password=pass%26word&"
                        "scope=uid%20application.write");
    http_client_free(client);
}

static void a_token_from_before_is_good_if_it_was_got_in_the_same_way(void **state)
{
    struct environment environment = environment_of(NULL, true, TOKEN_URL);
    struct http_client *client = fake_http_client_new();
    struct login login = {0};
    char source[200];

    (void)state;
    write_credentials();
    fake_http_client_answer(client, TOKEN_URL, 200, "{\"access_token\":\"new\"}", -1);
    assert_int_equal(get(&environment, client, &login, NULL), OK);
    (void)snprintf(source, sizeof(source), "%.*s", STR_FORMAT(login.source));
    assert_null(strstr(source, "secret"));
    for (int i = 0; i < 3; i++) {
        const struct login before = {
            .kind = LOGIN_SERVICE,
            .secret = str_from("kept"),
            .source = str_from(i == 1 ? "another" : source),
            .expires_ms = i == 2 ? NOW_MS + 59 * 1000 : NOW_MS + 61 * 1000,
        };

        login = before;
        assert_int_equal(get(&environment, client, &login, NULL), OK);
        assert_true(str_is(login.secret, i == 0 ? "kept" : "new"));
    }
    http_client_free(client);
}

static void what_is_missing_is_named(void **state)
{
    static const struct {
        const char *name;
        const char *content;
        const char *said;
    } rows[] = {
        {"user.json", "{", "user.json is not JSON"},
        {"user.json", "{\"application_username\":\"x\"}", "\"application_password\""},
        {"user.json", "{\"application_username\":7,\"application_password\":\"\"}",
         "\"application_username\""},
        {"client.json", "{}", "\"client_id\""},
        {"pierone-token-secret", "\n", "holds no token"},
    };
    struct environment environment = environment_of(NULL, true, TOKEN_URL);
    struct http_client *client = fake_http_client_new();
    struct login login = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(get(&environment, client, &login, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "user.json"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_credentials();
        write_file(rows[i].name, rows[i].content);
        login = (struct login){0};
        assert_int_equal(get(&environment, client, &login, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, rows[i].said));
    }
    environment = environment_of(NULL, false, TOKEN_URL);
    assert_int_equal(get(&environment, client, &login, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "CREDENTIALS_DIR"));
    http_client_free(client);
}

static void refusals_hold_no_secret(void **state)
{
    struct environment environment = environment_of(NULL, true, TOKEN_URL);
    struct http_client *client = fake_http_client_new();
    struct login login = {0};
    struct error err = {0};

    (void)state;
    write_credentials();
    fake_http_client_answer(client, TOKEN_URL, 401, "{\"error\":\"invalid_client\"}", -1);
    assert_int_equal(get(&environment, client, &login, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "invalid_client"));
    assert_null(strstr(err.message, "word"));
    fake_http_client_answer(client, TOKEN_URL, 0, "", -1);
    login = (struct login){0};
    assert_int_equal(get(&environment, client, &login, &err), ERROR_UNAVAILABLE);
    http_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest service_token[] = {
        TEST(the_first_that_is_set_counts),
        TEST(tokens_are_asked_for_and_kept_until_they_expire),
        TEST(a_token_from_before_is_good_if_it_was_got_in_the_same_way),
        TEST(what_is_missing_is_named),
        TEST(refusals_hold_no_secret),
    };

    return cmocka_run_group_tests(service_token, NULL, NULL);
}
