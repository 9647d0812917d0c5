#include "access/team_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "outbound/url.h"
#include "tests/support/fake_http_client.h"

static struct team_source *freed;

static void note(struct team_source *source)
{
    freed = source;
}

static void driver_frees_its_source(void **state)
{
    static const struct team_source_driver driver = {.name = "none", .free = note};
    struct team_source source = {&driver};

    (void)state;
    team_source_free(&source);
    assert_ptr_equal(freed, &source);
}

/* Or a team could be named so as to be two. */
static void what_is_no_name_is_not_listed(void **state)
{
    CLEANUP(strbuf_release) struct strbuf teams;

    (void)state;
    strbuf_init(&teams, 100);
    team_list_append(&teams, str_from("acme"));
    team_list_append(&teams, str_from("x\nroot"));
    team_list_append(&teams, str_from("\n"));
    team_list_append(&teams, (struct str){0});
    team_list_append(&teams, str_from("other"));
    assert_string_equal(teams.text, "acme\nother\n");
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    team_source_free(NULL);
}

static void every_status_has_its_meaning(void **state)
{
    struct http_client *client = fake_http_client_new();
    const struct team_lookup lookup = {
        "oracle", client, {.url = "http://x/?member=jdoe", .bearer = "a-secret"}};

    (void)state;
    for (int status = 0; status < 1000; status++) {
        struct json_value *json = NULL;
        struct error err = {0};
        const enum error_code expected = status == 200                    ? OK
                                         : status == 404                  ? ERROR_NOT_FOUND
                                         : status == 401 || status == 403 ? ERROR_DENIED
                                                                          : ERROR_UNAVAILABLE;

        fake_http_client_answer_all(client, status, "[\"not to be told\"]");
        assert_int_equal(team_lookup_json(&lookup, &json, status == 0 ? NULL : &err), expected);
        assert_int_equal(json != NULL, status == 200);
        assert_null(strstr(err.message, "secret"));
        assert_null(strstr(err.message, "jdoe"));
        assert_null(strstr(err.message, "told"));
        json_value_free(json);
    }
    http_client_free(client);
}

static void status_is_given_where_the_service_may_say_no(void **state)
{
    static const struct {
        int status;
        enum error_code code;
    } rows[] = {
        {200, OK},
        {204, OK},
        {302, OK},
        {400, OK},
        {404, OK},
        {401, ERROR_DENIED},
        {403, ERROR_DENIED},
        {500, ERROR_UNAVAILABLE},
        {199, ERROR_UNAVAILABLE},
        {0, ERROR_UNAVAILABLE},
    };
    struct http_client *client = fake_http_client_new();
    const struct team_lookup lookup = {"oracle", client, {.url = "http://x/", .bearer = "t"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = -1;

        fake_http_client_answer_all(client, rows[i].status, "");
        assert_int_equal(team_lookup_status(&lookup, &status, NULL), rows[i].code);
        assert_true(rows[i].code || status == rows[i].status);
    }
    http_client_free(client);
}

static void nothing_is_asked_without_a_token(void **state)
{
    struct http_client *client = fake_http_client_new();
    const struct team_lookup lookup = {"oracle", client, {.url = "http://x/"}};
    struct json_value *json = NULL;
    struct error err = {0};
    int status = 0;

    (void)state;
    fake_http_client_answer_all(client, 200, "[]");
    assert_int_equal(team_lookup_json(&lookup, &json, &err), ERROR_DENIED);
    assert_string_equal(err.message, "the oracle can only be asked with an OAuth 2.0 token");
    assert_int_equal(team_lookup_status(&lookup, &status, &err), ERROR_DENIED);
    assert_null(json);
    assert_int_equal(fake_http_client_request(client)->count, 0);
    http_client_free(client);
}

static void check_asks_without_a_token(void **state)
{
    struct http_client *client = fake_http_client_new();
    const struct team_lookup lookup = {"oracle", client, {.url = "http://x/y"}};
    CLEANUP(strbuf_release) struct strbuf report;
    struct error err = {0};

    (void)state;
    strbuf_init(&report, FAKE_HTTP_TEXT_BYTES);
    fake_http_client_answer_all(client, 502, "");
    assert_int_equal(team_lookup_check(&lookup, &report, &err), ERROR_UNAVAILABLE);
    assert_string_equal(err.message, "http://x/y answers with status 502");
    fake_http_client_answer_all(client, 0, "no route");
    assert_int_equal(team_lookup_check(&lookup, &report, &err), ERROR_UNAVAILABLE);
    assert_string_equal(err.message, "no route");
    fake_http_client_answer_all(client, 401, "");
    assert_int_equal(team_lookup_check(&lookup, &report, &err), OK);
    assert_string_equal(report.text, "oracle: http://x/y answers (status 401 without a token)\n");
    strbuf_clear(&report);
    fake_http_client_answer_all(client, 404, "");
    assert_int_equal(team_lookup_check(&lookup, &report, &err), OK);
    assert_string_equal(report.text, "oracle: http://x/y answers (status 404 without a token: is "
                                     "its path right?)\n");
    http_client_free(client);
}

static void url_has_one_slash_and_room_for_the_longest_name(void **state)
{
    static const char *const bases[] = {"https://x", "https://x/"};
    char name[IDENTITY_NAME_BYTES];
    struct strbuf url;

    (void)state;
    memset(name, '%', sizeof(name));
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        team_url_begin(&url, bases[i], "/a/");
        assert_string_equal(url.text, "https://x/a/");
        url_append_encoded(&url, (struct str){name, sizeof(name)});
        assert_false(url.is_truncated);
        assert_int_equal(url.length, strlen("https://x/a/") + 3 * sizeof(name));
        strbuf_release(&url);
    }
}

static void segment_is_neither_empty_nor_leads_elsewhere(void **state)
{
    static const char *const good[] = {"a", "...", "a.", ".a", "a..b", "%2e", "a b", "\xc3\xbc"};
    static const char *const bad[] = {"", ".", "..", "/", "a/b", "../a", "a/..", "\\", "..\\a"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(team_url_takes(str_from(good[i])));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(team_url_takes(str_from(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(driver_frees_its_source),
        cmocka_unit_test(what_is_no_name_is_not_listed),
        cmocka_unit_test(nothing_can_be_freed),
        cmocka_unit_test(every_status_has_its_meaning),
        cmocka_unit_test(status_is_given_where_the_service_may_say_no),
        cmocka_unit_test(nothing_is_asked_without_a_token),
        cmocka_unit_test(check_asks_without_a_token),
        cmocka_unit_test(url_has_one_slash_and_room_for_the_longest_name),
        cmocka_unit_test(segment_is_neither_empty_nor_leads_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
