#include "api/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What a path must come to; a handler of NULL: nothing there. */
static const struct {
    enum http_method method;
    const char *path;
    const struct handler *handler;
    const char *parameters; /* what the path says, with spaces between */
} paths[] = {
    {HTTP_GET, "/v2/", &base_handler, ""},
    {HTTP_GET, "/v2", &base_handler, ""},
    {HTTP_HEAD, "/v2/", &base_handler, ""},
    {HTTP_GET, "/health", &health_handler, ""},
    {HTTP_GET, "/.well-known/health", &health_handler, ""},
    {HTTP_GET, "/ready", &ready_handler, ""},
    {HTTP_GET, "/v2/_catalog", &catalog_handler, ""},

    {HTTP_GET, "/v2/a/b/blobs/sha256:" HASH, &blob_get_handler, "a/b sha256:" HASH},
    {HTTP_HEAD, "/v2/a/b/blobs/sha256:" HASH, &blob_get_handler, "a/b sha256:" HASH},
    {HTTP_DELETE, "/v2/a/b/blobs/sha256:" HASH, &immutable_handler, "a/b sha256:" HASH},
    {HTTP_GET, "/v2/a/b/manifests/1.0", &manifest_get_handler, "a/b 1.0"},
    {HTTP_HEAD, "/v2/a/b/manifests/1.0", &manifest_get_handler, "a/b 1.0"},
    {HTTP_PUT, "/v2/a/b/manifests/1.0", &manifest_put_handler, "a/b 1.0"},
    {HTTP_DELETE, "/v2/a/b/manifests/1.0", &immutable_handler, "a/b 1.0"},
    {HTTP_POST, "/v2/a/b/blobs/uploads/", &upload_post_handler, "a/b"},
    {HTTP_GET, "/v2/a/b/blobs/uploads/id", &upload_get_handler, "a/b id"},
    {HTTP_HEAD, "/v2/a/b/blobs/uploads/id", &upload_get_handler, "a/b id"},
    {HTTP_PATCH, "/v2/a/b/blobs/uploads/id", &upload_patch_handler, "a/b id"},
    {HTTP_PUT, "/v2/a/b/blobs/uploads/id", &upload_put_handler, "a/b id"},
    {HTTP_DELETE, "/v2/a/b/blobs/uploads/id", &upload_delete_handler, "a/b id"},
    {HTTP_GET, "/v2/a/b/tags/list", &tag_list_handler, "a/b"},
    {HTTP_GET, "/v2/a/b/referrers/sha256:" HASH, &referrers_handler, "a/b sha256:" HASH},

    /* Names of one component match, to be told what is wrong with them; long ones too. */
    {HTTP_GET, "/v2/a/manifests/1.0", &manifest_get_handler, "a 1.0"},
    {HTTP_GET, "/v2/a/b/c/d/e/f/manifests/1.0", &manifest_get_handler, "a/b/c/d/e/f 1.0"},

    /* Components that are called like parts of the API. */
    {HTTP_GET, "/v2/t/blobs/manifests/1.0", &manifest_get_handler, "t/blobs 1.0"},
    {HTTP_GET, "/v2/t/manifests/manifests/1.0", &manifest_get_handler, "t/manifests 1.0"},
    {HTTP_GET, "/v2/manifests/manifests/manifests/manifests", &manifest_get_handler,
     "manifests/manifests manifests"},
    {HTTP_GET, "/v2/t/tags/manifests/list", &manifest_get_handler, "t/tags list"},
    {HTTP_GET, "/v2/t/manifests/tags/list", &tag_list_handler, "t/manifests"},
    {HTTP_GET, "/v2/t/tags/tags/list", &tag_list_handler, "t/tags"},
    {HTTP_GET, "/v2/t/tags/list/tags/list", &tag_list_handler, "t/tags/list"},
    {HTTP_GET, "/v2/tags/list/blobs/x", &blob_get_handler, "tags/list x"},
    {HTTP_GET, "/v2/t/uploads/blobs/x", &blob_get_handler, "t/uploads x"},
    {HTTP_GET, "/v2/t/blobs/uploads/blobs/x", &blob_get_handler, "t/blobs/uploads x"},
    {HTTP_GET, "/v2/t/blobs/uploads/manifests/1.0", &manifest_get_handler, "t/blobs/uploads 1.0"},
    {HTTP_POST, "/v2/t/blobs/blobs/uploads/", &upload_post_handler, "t/blobs"},
    {HTTP_POST, "/v2/t/uploads/blobs/uploads/", &upload_post_handler, "t/uploads"},
    {HTTP_POST, "/v2/t/blobs/uploads/blobs/uploads/", &upload_post_handler, "t/blobs/uploads"},
    {HTTP_PATCH, "/v2/t/blobs/uploads/blobs/uploads/blobs", &upload_patch_handler,
     "t/blobs/uploads blobs"},
    {HTTP_GET, "/v2/t/blobs/uploads/uploads", &upload_get_handler, "t uploads"},
    {HTTP_GET, "/v2/t/referrers/referrers/x", &referrers_handler, "t/referrers x"},
    {HTTP_GET, "/v2/v2/v2/manifests/v2", &manifest_get_handler, "v2/v2 v2"},
    {HTTP_GET, "/v2/_catalog/x/manifests/1", &manifest_get_handler, "_catalog/x 1"},

    {HTTP_GET, "/teams/t/artifacts/tags/tags", &artifact_tags_handler, "t tags"},
    {HTTP_GET, "/teams/t/artifacts/tags/tags/tags", &artifact_tag_handler, "t tags tags"},
    {HTTP_GET, "/teams/t/artifacts/tags/tags/scm-source", &artifact_tag_handler,
     "t tags scm-source"},
    {HTTP_GET, "/teams/t/artifacts/tags/tags/history", &artifact_tag_handler, "t tags history"},
    {HTTP_GET, "/teams/t/artifacts/a/tags/tags/history", &tag_history_handler, "t a tags"},
    {HTTP_GET, "/teams/t/artifacts/a/tags/tags", &artifact_tag_handler, "t a tags"},
    {HTTP_GET, "/teams/t/artifacts/a%2Ftags/tags", &artifact_tags_handler, "t a%2Ftags"},
    {HTTP_POST, "/teams/t/artifacts/tags/recheck", &artifact_recheck_handler, "t tags"},
    {HTTP_GET, "/v1/repositories/t/a/b/tags", &image_ids_handler, "t a/b"},
    {HTTP_GET, "/stats/teams/t", &team_statistics_handler, "t"},
    {HTTP_GET, "/tags/sha256:ab", &image_tags_handler, "sha256:ab"},
    {HTTP_GET, "/teams//artifacts", NULL, ""},
    {HTTP_GET, "/teams/t/u/artifacts", NULL, ""},
    {HTTP_GET, "/teams/t/artifacts//tags", NULL, ""},
    {HTTP_GET, "/v1/repositories/a/tags", NULL, ""},
    {HTTP_GET, "/stats/teams/t/u", NULL, ""},
    {HTTP_GET, "/teams/t/tags", NULL, ""},
    {HTTP_GET, "/teams/t/artifacts/tags", NULL, ""},

    /* What is encoded stays so: it separates nothing. */
    {HTTP_GET, "/v2/a%2Fb/manifests/1.0", &manifest_get_handler, "a%2Fb 1.0"},
    {HTTP_GET, "/v2/a/b%2Fmanifests%2F1.0/manifests/x%2Fy", &manifest_get_handler,
     "a/b%2Fmanifests%2F1.0 x%2Fy"},
    {HTTP_GET, "/v2/a/../b/manifests/1.0", &manifest_get_handler, "a/../b 1.0"},
    {HTTP_GET, "/v2/a//b/manifests/1.0", &manifest_get_handler, "a//b 1.0"},
    {HTTP_GET, "/v2//a/manifests/1.0", &manifest_get_handler, "/a 1.0"},

    {HTTP_GET, "", NULL, ""},
    {HTTP_GET, "*", NULL, ""},
    {HTTP_GET, "/", NULL, ""},
    {HTTP_GET, "/v1/", NULL, ""},
    {HTTP_GET, "/V2/", NULL, ""},
    {HTTP_GET, "//v2/", NULL, ""},
    {HTTP_GET, "/v2/a", NULL, ""},
    {HTTP_GET, "/v2/a/b", NULL, ""},
    {HTTP_GET, "/v2/a/b/blobs", NULL, ""},
    {HTTP_GET, "/v2/a/b/blobs/", NULL, ""},
    {HTTP_GET, "/v2/a/b/manifests", NULL, ""},
    {HTTP_GET, "/v2/a/b/manifests/", NULL, ""},
    {HTTP_GET, "/v2/a/b/manifests/1.0/", NULL, ""},
    {HTTP_GET, "/v2/a/b/manifests/1.0/x", NULL, ""},
    {HTTP_GET, "/v2/a/b/tags/list/", NULL, ""},
    {HTTP_GET, "/v2/a/b/tags", NULL, ""},
    {HTTP_GET, "/v2/a/b/referrers/", NULL, ""},
    {HTTP_GET, "/v2/manifests/1.0", NULL, ""},
    {HTTP_GET, "/v2//manifests/1.0", NULL, ""},
    {HTTP_GET, "/v2/tags/list", NULL, ""},
    {HTTP_POST, "/v2/blobs/uploads/", NULL, ""},
    {HTTP_GET, "/v2/_catalog/", NULL, ""},
    {HTTP_GET, "/health/", NULL, ""},
    {HTTP_POST, "/v2/a/b/manifests/1.0", NULL, ""},
    {HTTP_PATCH, "/v2/a/b/blobs/sha256:" HASH, NULL, ""},
    {HTTP_OPTIONS, "/v2/", NULL, ""},
    {HTTP_METHOD_OTHER, "/v2/", NULL, ""},
};

static void append_parameters(const struct route_match *match, struct strbuf *buf)
{
    for (int i = 0; i < PATH_PARAMETERS; i++) {
        if (match->parameters[i].length > 0) {
            strbuf_append_text(buf, buf->length > 0 ? " " : "");
            strbuf_append(buf, match->parameters[i]);
        }
    }
}

static void path_comes_to_its_handler(void **state)
{
    struct strbuf parameters;

    (void)state;
    strbuf_init(&parameters, 1024);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const struct route_match match = routes_find(paths[i].method, str_from(paths[i].path));
        const struct handler *handler = match.route ? match.route->handler : NULL;

        strbuf_clear(&parameters);
        append_parameters(&match, &parameters);
        if (handler != paths[i].handler || !str_is(strbuf_str(&parameters), paths[i].parameters)) {
            fail_msg("%s: '%s'", paths[i].path, parameters.text);
        }
        assert_true(!match.route || match.is_known_path);
    }
    strbuf_release(&parameters);
}

static void each_row_says_who_may(void **state)
{
    size_t count = 0;
    const struct route *rows = routes_all(&count);

    (void)state;
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].access == ACCESS_NOBODY) {
            fail_msg("%s says nothing of access", rows[i].pattern);
        }
        assert_non_null(rows[i].handler);
        assert_non_null(rows[i].handler->begin);
    }
}

/* The right that a path needs; a new row has to be thought about here, too. */
static enum access access_of(const struct route *row)
{
    const bool is_upload = strstr(row->pattern, "/uploads/") != NULL;

    if (strcmp(row->pattern, "/teams") == 0 ||
        strcmp(row->pattern, "/teams/{team}/artifacts") == 0 ||
        strncmp(row->pattern, "/stats", strlen("/stats")) == 0 ||
        strncmp(row->pattern, "/tags/", strlen("/tags/")) == 0) {
        return ACCESS_CATALOG;
    }
    if (strstr(row->pattern, "/production-ready")) {
        return ACCESS_PUSH;
    }
    if (strcmp(row->pattern, "/whoami") == 0) {
        return ACCESS_LOGIN;
    }
    if (strncmp(row->pattern, "/teams/", strlen("/teams/")) == 0 ||
        strncmp(row->pattern, "/v1/", strlen("/v1/")) == 0) {
        return ACCESS_PULL;
    }
    if (strncmp(row->pattern, "/v2", strlen("/v2")) != 0) {
        return ACCESS_PUBLIC;
    }
    if (strcmp(row->pattern, "/v2") == 0 || strcmp(row->pattern, "/v2/") == 0) {
        return ACCESS_LOGIN;
    }
    if (strcmp(row->pattern, "/v2/token") == 0) {
        return ACCESS_TOKEN;
    }
    if (strstr(row->pattern, "_catalog")) {
        return ACCESS_CATALOG;
    }
    if (is_upload) {
        return row->method == HTTP_POST ? ACCESS_PUSH : ACCESS_UPLOAD;
    }
    return row->method == HTTP_GET ? ACCESS_PULL : ACCESS_PUSH;
}

static void access_follows_what_a_row_does(void **state)
{
    size_t count = 0;
    const struct route *rows = routes_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].access != access_of(&rows[i])) {
            fail_msg("row %zu, %s: access %d", i, rows[i].pattern, (int)rows[i].access);
        }
    }
}

/* The whole list: what a registry that is read-only refuses. */
static void only_pushes_and_words_about_them_write(void **state)
{
    static const struct {
        enum http_method method;
        const char *pattern;
    } writers[] = {
        {HTTP_DELETE, "/v2/{name}/blobs/{digest}"},
        {HTTP_PUT, "/v2/{name}/manifests/{reference}"},
        {HTTP_DELETE, "/v2/{name}/manifests/{reference}"},
        {HTTP_POST, "/v2/{name}/blobs/uploads/"},
        {HTTP_PATCH, "/v2/{name}/blobs/uploads/{upload}"},
        {HTTP_PUT, "/v2/{name}/blobs/uploads/{upload}"},
        {HTTP_DELETE, "/v2/{name}/blobs/uploads/{upload}"},
        {HTTP_POST, "/teams/{team}/artifacts/{artifact}/tags/{tag}/production-ready"},
    };
    size_t count = 0;
    size_t found = 0;
    const struct route *rows = routes_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (route_writes(&rows[i])) {
            assert_true(found < ARRAY_LEN(writers));
            assert_int_equal(rows[i].method, writers[found].method);
            assert_string_equal(rows[i].pattern, writers[found].pattern);
            found++;
        }
    }
    assert_int_equal(found, ARRAY_LEN(writers));
}

static void what_never_waits_is_for_the_loop(void **state)
{
    size_t count = 0;
    const struct route *rows = routes_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct handler *handler = rows[i].handler;
        const bool is_quick = handler == &base_handler || handler == &health_handler ||
                              handler == &ready_handler || handler == &immutable_handler ||
                              handler == &token_get_handler || handler == &whoami_handler ||
                              handler == &client_handler || handler == &openapi_handler;

        const bool is_token = handler == &token_post_handler;
        const bool is_storage = handler == &manifest_put_handler ||
                                handler == &upload_patch_handler ||
                                handler == &upload_put_handler || handler == &upload_delete_handler;
        const enum http_thread thread = is_token     ? HTTP_WAITER
                                        : is_quick   ? HTTP_LOOP
                                        : is_storage ? HTTP_CARRIER
                                                     : HTTP_WORKER;

        assert_int_equal(rows[i].thread, thread);
    }
}

static void errors_are_told_as_the_api_does_that_a_row_is_of(void **state)
{
    size_t count = 0;
    const struct route *rows = routes_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const bool is_distribution = strncmp(rows[i].pattern, "/v2", strlen("/v2")) == 0;

        assert_int_equal(rows[i].errors, is_distribution ? ERRORS_OCI : ERRORS_PROBLEM);
        assert_int_equal(rows[i].errors, routes_error_format(NULL, str_from(rows[i].pattern)));
    }
    assert_int_equal(routes_error_format(NULL, str_from("/nowhere")), ERRORS_PROBLEM);
    assert_int_equal(routes_error_format(NULL, str_from("/v2nowhere")), ERRORS_PROBLEM);
    assert_int_equal(routes_error_format(NULL, str_from("/v2/nowhere")), ERRORS_OCI);
    assert_int_equal(routes_error_format(NULL, (struct str){0}), ERRORS_OCI);
}

/* What matching relies on. */
static void what_spans_components_stands_once_and_not_last(void **state)
{
    size_t count = 0;
    const struct route *rows = routes_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct str rest = str_from(rows[i].pattern);
        struct str component;
        int spans = 0;

        while (str_cut(&rest, '/', &component)) {
            const enum path_parameter parameter = routes_parameter(component);

            if (parameter == PATH_NAME || parameter == PATH_ARTIFACT) {
                spans++;
                assert_non_null(rest.bytes);
            }
        }
        assert_true(spans <= 1);
    }
}

static void no_two_rows_are_the_same(void **state)
{
    size_t count = 0;
    const struct route *rows = routes_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            assert_false(rows[i].method == rows[j].method &&
                         strcmp(rows[i].pattern, rows[j].pattern) == 0);
        }
    }
}

static void known_path_with_another_method_is_known(void **state)
{
    const struct route_match match = routes_find(HTTP_POST, str_from("/v2/a/b/manifests/1"));

    (void)state;
    assert_null(match.route);
    assert_true(match.is_known_path);
    assert_false(routes_find(HTTP_POST, str_from("/v2/a/b")).is_known_path);
}

static void allowed_methods_are_told_without_what_is_never_done(void **state)
{
    static const struct {
        const char *path;
        const char *allowed;
    } cases[] = {
        {"/v2/", "GET, HEAD"},
        {"/v2/a/b/blobs/x", "GET, HEAD"},
        {"/v2/a/b/manifests/x", "GET, HEAD, PUT"},
        {"/v2/a/b/blobs/uploads/", "POST"},
        {"/v2/a/b/blobs/uploads/x", "GET, HEAD, PATCH, PUT, DELETE"},
        {"/v2/a/b/tags/list", "GET, HEAD"},
        {"/teams/t/artifacts/a/tags/tags", "GET, HEAD"},
        {"/nowhere", ""},
    };
    struct strbuf allowed;

    (void)state;
    strbuf_init(&allowed, 128);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        strbuf_clear(&allowed);
        routes_append_allowed(str_from(cases[i].path), &allowed);
        assert_string_equal(allowed.text, cases[i].allowed);
    }
    strbuf_release(&allowed);
}

/* Who has an upload's id, and the login, may go on with it. */
static void shown_path_has_the_beginning_of_an_uploads_id(void **state)
{
    static const struct {
        const char *path;
        const char *shown;
    } cases[] = {
        {"/v2/a/b/blobs/uploads/0123456789abcdef", "/v2/a/b/blobs/uploads/01234567"},
        {"/v2/a/b/blobs/uploads/0123456789abcdef/", "/v2/a/b/blobs/uploads/01234567"},
        {"/v2/a/b/blobs/uploads/blobs/uploads/0123456789", "/v2/a/b/blobs/uploads/blobs/uploads/"
                                                           "01234567"},
        {"/v2/a/b/blobs/uploads/0123", "/v2/a/b/blobs/uploads/0123"},
        {"/v2/a/b/blobs/uploads/", "/v2/a/b/blobs/uploads/"},
        {"/v2/blobs/uploads/0123456789abcdef", "/v2/blobs/uploads/01234567"},
        {"/v2/a/blobs/uploads/0123456789/manifests/1",
         "/v2/a/blobs/uploads/0123456789/manifests/1"},
        {"/v2/a/b/blobs/0123456789abcdef", "/v2/a/b/blobs/0123456789abcdef"},
        {"/", "/"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(str_is(routes_shown_path(str_from(cases[i].path)), cases[i].shown));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_comes_to_its_handler),
        cmocka_unit_test(each_row_says_who_may),
        cmocka_unit_test(access_follows_what_a_row_does),
        cmocka_unit_test(only_pushes_and_words_about_them_write),
        cmocka_unit_test(what_never_waits_is_for_the_loop),
        cmocka_unit_test(errors_are_told_as_the_api_does_that_a_row_is_of),
        cmocka_unit_test(what_spans_components_stands_once_and_not_last),
        cmocka_unit_test(no_two_rows_are_the_same),
        cmocka_unit_test(known_path_with_another_method_is_known),
        cmocka_unit_test(shown_path_has_the_beginning_of_an_uploads_id),
        cmocka_unit_test(allowed_methods_are_told_without_what_is_never_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
