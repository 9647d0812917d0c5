#include "cli/login_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli/client_world.h"

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

enum { NOW_MS = 1000 };

static const struct login person = {
    .kind = LOGIN_OAUTH,
    .url = STR_LITERAL("http://pierone.example.org"),
    .user = STR_LITERAL("jane"),
    .secret = STR_LITERAL("sesame"),
    .refresh_token = STR_LITERAL("again"),
    .token_url = STR_LITERAL("https://login.example.org/token"),
    .client_id = STR_LITERAL("pierone-cli"),
    .renew_ms = 1431011991230,
    .expires_ms = 1431013791230,
};

static void assert_same(struct str found, struct str expected)
{
    assert_true(str_equal(found, expected));
    assert_non_null(found.bytes);
    assert_int_equal(found.bytes[found.length], '\0');
}

static struct login find(struct client_world *world, const char *host)
{
    struct json_value *store = NULL;
    struct login login;

    assert_int_equal(login_store_read(world->paths.logins, &store, NULL), OK);
    login = login_store_find(store, host, &world->arena);
    json_value_free(store);
    return login;
}

static void a_login_is_found_as_it_was_kept(void **state)
{
    struct client_world *const world = *state;
    struct login found;

    assert_int_equal(login_store_write(world->paths.logins, "a:5000", &person, NULL), OK);
    found = find(world, "a:5000");
    assert_int_equal(found.kind, LOGIN_OAUTH);
    assert_same(found.user, person.user);
    assert_same(found.secret, person.secret);
    assert_same(found.refresh_token, person.refresh_token);
    assert_same(found.token_url, person.token_url);
    assert_same(found.client_id, person.client_id);
    assert_same(found.source, str_from(""));
    assert_same(found.url, person.url);
    assert_int_equal(found.renew_ms, person.renew_ms);
    assert_int_equal(found.expires_ms, person.expires_ms);
    assert_int_equal(find(world, "a").kind, LOGIN_NONE);
    assert_int_equal(client_world_mode(world->paths.logins), 0600);
}

static void each_kind_is_kept(void **state)
{
    static const enum login_kind kinds[] = {LOGIN_OAUTH, LOGIN_PASSWORD, LOGIN_SERVICE};
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct login login = {.kind = kinds[i], .source = STR_LITERAL("s")};

        assert_int_equal(login_store_write(world->paths.logins, "a", &login, NULL), OK);
        assert_int_equal(find(world, "a").kind, kinds[i]);
        assert_same(find(world, "a").source, str_from("s"));
        assert_int_equal(find(world, "a").expires_ms, 0);
    }
}

static void other_logins_and_unknown_members_stay(void **state)
{
    static const struct login nobody = {.kind = LOGIN_NONE};
    struct client_world *const world = *state;
    const char *const path = world->paths.logins;

    client_world_write(world, path, "{\"later\":[1],\"logins\":{\"o\":{\"kind\":\"later\"}}}");
    assert_int_equal(login_store_write(path, "a", &person, NULL), OK);
    assert_int_equal(login_store_write(path, "a", &nobody, NULL), OK);
    assert_string_equal(client_world_read(world, path),
                        "{\n  \"later\": [\n    1\n  ],\n  \"logins\": {\n    \"o\": {\n"
                        "      \"kind\": \"later\"\n    }\n  }\n}\n");
}

static void what_is_odd_is_nobodys_login(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"logins\":[]}",
        "{\"logins\":{\"a\":[]}}",
        "{\"logins\":{\"a\":{}}}",
        "{\"logins\":{\"a\":{\"kind\":\"none\"}}}",
        "{\"logins\":{\"a\":{\"kind\":\"other\",\"secret\":\"x\"}}}",
        "{\"logins\":{\"a\":{\"kind\":1}}}",
    };
    struct client_world *const world = *state;

    assert_int_equal(find(world, "a").kind, LOGIN_NONE);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        client_world_write(world, world->paths.logins, texts[i]);
        assert_int_equal(find(world, "a").kind, LOGIN_NONE);
    }
}

static void a_token_is_fresh_for_half_of_its_time_and_good_until_its_last_minute(void **state)
{
    static const struct {
        int64_t lifetime_s; /* 0: not told */
        int64_t age_ms;
        bool is_fresh;
        bool is_good;
    } cases[] = {
        {3600, 0, true, true},        {3600, 1799999, true, true},   {3600, 1800000, false, true},
        {3600, 3539999, false, true}, {3600, 3540000, false, false}, {61, 999, true, true},
        {61, 1000, false, false},     {60, 0, false, false},         {0, 1, true, true},
        {0, 1799999, true, true},     {0, 1800000, false, true},     {0, 3540000, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login = {.kind = LOGIN_OAUTH};

        login_set_lifetime(&login, NOW_MS, cases[i].lifetime_s * 1000);
        assert_int_equal(login_is_fresh(&login, NOW_MS + cases[i].age_ms), cases[i].is_fresh);
        assert_int_equal(login_is_good(&login, NOW_MS + cases[i].age_ms), cases[i].is_good);
    }
}

/* {"exp":101}, {"exp":0} */
static void what_is_not_told_a_jwt_says_itself(void **state)
{
    struct login login = {.kind = LOGIN_OAUTH, .secret = STR_LITERAL("e30.eyJleHAiOjEwMX0.s")};

    (void)state;
    login_set_lifetime(&login, NOW_MS, 0);
    assert_int_equal(login.expires_ms, 101 * 1000);
    assert_int_equal(login.renew_ms, 51 * 1000);
    login_set_lifetime(&login, NOW_MS, 60 * 1000);
    assert_int_equal(login.expires_ms, 61 * 1000);
    login.secret = str_from("e30.eyJleHAiOjB9.s");
    login_set_lifetime(&login, NOW_MS, 0);
    assert_false(login_is_good(&login, NOW_MS));
}

static void an_odd_expiry_is_over(void **state)
{
    static const char *const odd[] = {"-1", "\"5\"", "1.5", "null"};
    struct client_world *const world = *state;
    struct login found;

    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        client_world_write(world, world->paths.logins,
                           arena_format(&world->arena,
                                        "{\"logins\":{\"a\":{\"kind\":\"oauth2\","
                                        "\"expires_ms\":%s}}}",
                                        odd[i]));
        assert_int_equal(find(world, "a").kind, LOGIN_OAUTH);
        assert_int_equal(find(world, "a").expires_ms, 0);
        found = find(world, "a");
        assert_false(login_is_good(&found, NOW_MS));
    }
}

static void a_damaged_file_is_told_and_not_touched(void **state)
{
    static const char *const damaged[] = {
        "{",
        "{\"logins\":{\"a\":{\"secret\":\"sesame\"",
        "{\"logins\":{\"a\":{\"secret\":\"sesame",
        "{\"secret\":\"sesame\" \"sesame\"}",
        "x",
        "[]",
        "null",
        "\"sesame\"",
        "7",
    };
    struct client_world *const world = *state;
    const char *const path = world->paths.logins;

    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        struct json_value *store = NULL;
        struct error err = {0};

        client_world_write(world, path, damaged[i]);
        assert_int_equal(login_store_read(path, &store, &err), ERROR_INVALID);
        assert_null(store);
        assert_non_null(strstr(err.message, path));
        assert_non_null(strstr(err.message, "`pierone login`"));
        assert_null(strstr(err.message, "sesame"));
        assert_int_equal(login_store_write(path, "a", &person, NULL), ERROR_INVALID);
        assert_string_equal(client_world_read(world, path), damaged[i]);
    }
}

static void a_file_that_would_become_too_large_is_not_written(void **state)
{
    enum { SECRET_BYTES = 4 * 1024 * 1024 };
    struct client_world *const world = *state;
    char *const secret = malloc(SECRET_BYTES);
    struct login login = {.kind = LOGIN_PASSWORD, .secret = {secret, SECRET_BYTES}};
    const char *before = NULL;

    assert_non_null(secret);
    memset(secret, 'x', SECRET_BYTES);
    assert_int_equal(login_store_write(world->paths.logins, "a", &person, NULL), OK);
    before = client_world_read(world, world->paths.logins);
    assert_int_equal(login_store_write(world->paths.logins, "a", &login, NULL), ERROR_INVALID);
    assert_string_equal(client_world_read(world, world->paths.logins), before);
    free(secret);
}

static void add(void *context, const char *host, struct str user)
{
    strbuf_append_format(context, "%s=%.*s ", host, STR_FORMAT(user));
}

static void logins_are_visited_in_order(void **state)
{
    struct client_world *const world = *state;
    struct json_value *store = NULL;
    struct strbuf seen;
    const struct login_visitor visitor = {&seen, add};

    strbuf_init(&seen, 1000);
    client_world_write(world, world->paths.logins,
                       "{\"logins\":{\"z\":{\"user\":\"y\"},\"b\":{\"user\":\"c\"},\"a\":{}}}");
    assert_int_equal(login_store_read(world->paths.logins, &store, NULL), OK);
    login_store_each(store, &visitor);
    assert_string_equal(seen.text, "z=y b=c a= ");
    json_value_free(store);
    strbuf_release(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_login_is_found_as_it_was_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_kind_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_logins_and_unknown_members_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_odd_is_nobodys_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_token_is_fresh_for_half_of_its_time_and_good_until_its_last_minute, set_up,
            tear_down),
        cmocka_unit_test(what_is_not_told_a_jwt_says_itself),
        cmocka_unit_test_setup_teardown(an_odd_expiry_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_told_and_not_touched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_would_become_too_large_is_not_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(logins_are_visited_in_order, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
