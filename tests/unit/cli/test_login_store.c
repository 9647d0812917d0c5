#include "cli/login_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
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

static const char *read_file(const char *name)
{
    static char content[4096];
    FILE *file = fopen(in_folder(name), "r");
    size_t length = 0;

    assert_non_null(file);
    length = fread(content, 1, sizeof(content) - 1, file);
    content[length] = '\0';
    assert_int_equal(fclose(file), 0);
    return content;
}

enum { ARENA_BYTES = 64 * 1024 };

static const struct login oauth = {
    .kind = LOGIN_OAUTH,
    .user = STR_LITERAL("jdoe"),
    .secret = STR_LITERAL("access"),
    .refresh_token = STR_LITERAL("refresh"),
    .token_url = STR_LITERAL("https://login/token"),
    .client_id = STR_LITERAL("pierone"),
    .expires_ms = 1431013791230,
};
static const struct login service = {
    .kind = LOGIN_SERVICE, .secret = STR_LITERAL("t"), .source = STR_LITERAL("sha256:1")};

static struct login find(const char *host, struct arena *arena)
{
    struct json_value *store = NULL;
    struct login login;

    assert_int_equal(login_store_read(in_folder("logins.json"), &store, NULL), OK);
    login = login_store_find(store, host, arena);
    json_value_free(store);
    return login;
}

static void set(const char *host, const struct login *login)
{
    assert_int_equal(login_store_write(in_folder("logins.json"), host, login, NULL), OK);
}

static void a_login_comes_back_as_it_was(void **state)
{
    struct arena arena;
    struct login login;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(find("a:1", &arena).kind, LOGIN_NONE);
    set("a:1", &oauth);
    set("b", &service);
    login = find("a:1", &arena);
    assert_int_equal(login.kind, LOGIN_OAUTH);
    assert_true(str_equal(login.user, oauth.user));
    assert_true(str_equal(login.secret, oauth.secret));
    assert_true(str_equal(login.refresh_token, oauth.refresh_token));
    assert_true(str_equal(login.token_url, oauth.token_url));
    assert_true(str_equal(login.client_id, oauth.client_id));
    assert_int_equal(login.expires_ms, oauth.expires_ms);
    login = find("b", &arena);
    assert_int_equal(login.kind, LOGIN_SERVICE);
    assert_true(str_equal(login.source, service.source));
    assert_int_equal(find("a", &arena).kind, LOGIN_NONE);
    arena_release(&arena);
}

static void logins_are_replaced_and_removed(void **state)
{
    static const struct login nobody = {.kind = LOGIN_NONE};
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    set("a", &oauth);
    set("b", &oauth);
    set("a", &service);
    assert_int_equal(find("a", &arena).refresh_token.length, 0);
    set("a", &nobody);
    assert_int_equal(find("a", &arena).kind, LOGIN_NONE);
    assert_int_equal(find("b", &arena).kind, LOGIN_OAUTH);
    set("b", &nobody);
    assert_string_equal(read_file("logins.json"), "{\n  \"logins\": {}\n}\n");
    arena_release(&arena);
}

static void what_others_wrote_into_it_stays(void **state)
{
    (void)state;
    write_file("logins.json", "{\"later\":{\"x\":1},\"logins\":{\"z\":{\"kind\":\"new\"}}}");
    set("a", &service);
    assert_non_null(strstr(read_file("logins.json"), "\"later\": {\n    \"x\": 1\n  }"));
    assert_non_null(strstr(read_file("logins.json"), "\"kind\": \"new\""));
}

static void entries_that_make_no_sense_are_none(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"logins\":[]}",
        "{\"logins\":{\"a\":1}}",
        "{\"logins\":{\"a\":{}}}",
        "{\"logins\":{\"a\":{\"kind\":\"other\",\"expires_ms\":-1}}}"};
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_file("logins.json", texts[i]);
        assert_int_equal(find("a", &arena).kind, LOGIN_NONE);
    }
    arena_release(&arena);
}

static void a_damaged_file_is_told_and_stays(void **state)
{
    struct json_value *store = NULL;
    struct error err = {0};

    (void)state;
    write_file("logins.json", "{\"logins\":");
    assert_int_equal(login_store_read(in_folder("logins.json"), &store, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "logins.json"));
    assert_non_null(strstr(err.message, "pierone login"));
    assert_int_equal(login_store_write(in_folder("logins.json"), "a", &oauth, NULL), ERROR_INVALID);
    assert_string_equal(read_file("logins.json"), "{\"logins\":");
}

static void note(void *context, const char *host, struct str user)
{
    strbuf_append_format(context, "%s=%.*s ", host, STR_FORMAT(user));
}

static void all_are_visited(void **state)
{
    struct json_value *store = NULL;
    struct strbuf text;
    const struct login_visitor visitor = {&text, note};

    (void)state;
    set("b", &oauth);
    set("a", &service);
    strbuf_init(&text, 100);
    assert_int_equal(login_store_read(in_folder("logins.json"), &store, NULL), OK);
    login_store_each(store, &visitor);
    assert_string_equal(text.text, "b=jdoe a= ");
    json_value_free(store);
    strbuf_release(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest login_store[] = {
        TEST(a_login_comes_back_as_it_was),     TEST(logins_are_replaced_and_removed),
        TEST(what_others_wrote_into_it_stays),  TEST(entries_that_make_no_sense_are_none),
        TEST(a_damaged_file_is_told_and_stays), TEST(all_are_visited),
    };

    return cmocka_run_group_tests(login_store, NULL, NULL);
}
