#include "cli/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"
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

enum { ARENA_BYTES = 256 * 1024 };

#define TOKEN_URL "https://x/token"

struct world {
    struct fake_clock clock;
    struct arena arena;
    struct http_client *client;
    struct paths paths;
    char logins[512];
    char variable[64];
    char *entries[2];
    struct environment environment;
    struct access access;
};

static void open_world(struct world *world)
{
    *world = (struct world){0};
    fake_clock_init(&world->clock);
    arena_init(&world->arena, ARENA_BYTES);
    world->client = fake_http_client_new();
    (void)snprintf(world->logins, sizeof(world->logins), "%s", in_folder("logins.json"));
    world->paths.logins = world->logins;
    world->environment.entries = world->entries;
    world->access = (struct access){&world->environment, &world->paths, world->client,
                                    &world->clock.clock, &world->arena};
}

static void close_world(struct world *world)
{
    http_client_free(world->client);
    arena_release(&world->arena);
}

static void keep(struct world *world, const struct login *login)
{
    bool was_there = false;

    assert_int_equal(access_keep(&world->access, "host", login, &was_there, NULL), OK);
}

static struct login oauth_until(struct world *world, int64_t left_ms)
{
    return (struct login){
        .kind = LOGIN_OAUTH,
        .secret = str_from("old"),
        .refresh_token = str_from("refresh"),
        .token_url = str_from(TOKEN_URL),
        .client_id = str_from("pierone"),
        .expires_ms = clock_wall_ms(&world->clock.clock) + left_ms,
    };
}

static void nobody_is_logged_in_at_first(void **state)
{
    struct world world;
    struct login login = {.kind = LOGIN_OAUTH};

    (void)state;
    open_world(&world);
    assert_int_equal(access_get(&world.access, "host", &login, NULL), OK);
    assert_int_equal(login.kind, LOGIN_NONE);
    close_world(&world);
}

static void tokens_are_renewed_a_minute_before_their_end(void **state)
{
    struct world world;
    struct login login;

    (void)state;
    open_world(&world);
    fake_http_client_answer(world.client, TOKEN_URL, 200,
                            "{\"access_token\":\"new\",\"refresh_token\":\"next\","
                            "\"expires_in\":3600}",
                            -1);
    login = oauth_until(&world, 61 * 1000);
    keep(&world, &login);
    assert_int_equal(access_get(&world.access, "host", &login, NULL), OK);
    assert_true(str_is(login.secret, "old"));
    fake_clock_advance(&world.clock, 1000);
    assert_int_equal(access_get(&world.access, "host", &login, NULL), OK);
    assert_true(str_is(login.secret, "new"));
    assert_int_equal(access_get(&world.access, "host", &login, NULL), OK); /* as it was kept */
    assert_true(str_is(login.refresh_token, "next"));
    assert_int_equal(fake_http_client_count(world.client, TOKEN_URL), 1);
    close_world(&world);
}

static void logins_that_are_over_say_so_without_tokens(void **state)
{
    struct world world;
    struct login login;
    struct error err = {0};

    (void)state;
    open_world(&world);
    fake_http_client_answer(world.client, TOKEN_URL, 400, "{\"error\":\"invalid_grant\"}", -1);
    login = oauth_until(&world, 0);
    keep(&world, &login);
    assert_int_equal(access_get(&world.access, "host", &login, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "run `pierone login --url host`"));
    assert_null(strstr(err.message, "refresh"));
    login = oauth_until(&world, 0);
    login.refresh_token = (struct str){0};
    keep(&world, &login);
    assert_int_equal(access_get(&world.access, "host", &login, &err), ERROR_UNAUTHENTICATED);
    fake_http_client_answer(world.client, TOKEN_URL, 503, "", -1);
    login = oauth_until(&world, 0);
    keep(&world, &login);
    assert_int_equal(access_get(&world.access, "host", &login, NULL), ERROR_UNAVAILABLE);
    close_world(&world);
}

static void services_come_before_people(void **state)
{
    struct world world;
    struct login login;
    struct error err = {0};

    (void)state;
    open_world(&world);
    login = oauth_until(&world, 3600 * 1000);
    keep(&world, &login);
    (void)snprintf(world.variable, sizeof(world.variable), "OAUTH2_ACCESS_TOKENS=pierone=t");
    world.entries[0] = world.variable;
    assert_int_equal(access_get(&world.access, "host", &login, NULL), OK);
    assert_int_equal(login.kind, LOGIN_SERVICE);
    assert_true(str_is(login.secret, "t"));
    keep(&world, &login);
    world.entries[0] = NULL;
    assert_int_equal(access_get(&world.access, "host", &login, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "CREDENTIALS_DIR"));
    close_world(&world);
}

static void names_are_as_docker_needs_them(void **state)
{
    const struct login password = {.kind = LOGIN_PASSWORD, .user = str_from("alice")};
    const struct login token = {.kind = LOGIN_OAUTH, .user = str_from("alice")};

    (void)state;
    assert_string_equal(access_user_name(&password), "alice");
    assert_string_equal(access_user_name(&token), "oauth2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest access[] = {
        TEST(nobody_is_logged_in_at_first),
        TEST(tokens_are_renewed_a_minute_before_their_end),
        TEST(logins_that_are_over_say_so_without_tokens),
        TEST(services_come_before_people),
        TEST(names_are_as_docker_needs_them),
    };

    return cmocka_run_group_tests(access, NULL, NULL);
}
