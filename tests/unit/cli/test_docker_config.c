#include "cli/docker_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
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

#define HOST "registry.example.org:5000"

static enum error_code change(const char *name, enum docker_means means, struct error *err)
{
    const struct docker_login login = {HOST, means, "oauth2", str_from("token")};

    return docker_config_set(in_folder(name), &login, err);
}

/* What becomes of a configuration, spaces and line feeds left out. */
static const char *changed(const char *before, enum docker_means means)
{
    static char plain[4096];
    const char *content = NULL;
    size_t length = 0;

    if (before) {
        write_file("config.json", before);
    }
    assert_int_equal(change("config.json", means, NULL), OK);
    content = read_file("config.json");
    for (size_t i = 0; content[i] != '\0'; i++) {
        if (content[i] != ' ' && content[i] != '\n') {
            plain[length++] = content[i];
        }
    }
    plain[length] = '\0';
    return plain;
}

/* b2F1dGgyOnRva2Vu: oauth2:token */
static void configurations_are_changed_in_one_place(void **state)
{
    static const struct {
        const char *before;
        enum docker_means means;
        const char *after;
    } rows[] = {
        {NULL, DOCKER_HELPER, "{\"credHelpers\":{\"" HOST "\":\"pierone\"}}"},
        {"", DOCKER_AUTH, "{\"auths\":{\"" HOST "\":{\"auth\":\"b2F1dGgyOnRva2Vu\"}}}"},
        {"{\"auths\":{\"" HOST "\":{\"auth\":\"x\"},\"o\":{}},\"z\":1}", DOCKER_HELPER,
         "{\"auths\":{\"o\":{}},\"z\":1,\"credHelpers\":{\"" HOST "\":\"pierone\"}}"},
        {"{\"credHelpers\":{\"" HOST "\":\"pierone\",\"gcr.io\":\"gcloud\"}}", DOCKER_AUTH,
         "{\"credHelpers\":{\"gcr.io\":\"gcloud\"},"
         "\"auths\":{\"" HOST "\":{\"auth\":\"b2F1dGgyOnRva2Vu\"}}}"},
        {"{\"credsStore\":\"desktop\"}", DOCKER_AUTH,
         "{\"credsStore\":\"desktop\",\"auths\":{\"" HOST "\":{\"auth\":\"b2F1dGgyOnRva2Vu\"}},"
         "\"credHelpers\":{\"" HOST "\":\"\"}}"},
        {"{\"credsStore\":\"desktop\"}", DOCKER_HELPER,
         "{\"credsStore\":\"desktop\",\"credHelpers\":{\"" HOST "\":\"pierone\"}}"},
        {"{\"auths\":{\"https://" HOST "\":{},\"http://" HOST "\":{},\"https://" HOST
         "/v1/\":{}},\"credHelpers\":{\"" HOST "\":\"pierone\"}}",
         DOCKER_FORGET, "{\"auths\":{},\"credHelpers\":{}}"},
        {"{\"auths\":{\"registry.example.org\":{}}}", DOCKER_FORGET,
         "{\"auths\":{\"registry.example.org\":{}}}"},
        {"{\"auths\":null}", DOCKER_AUTH,
         "{\"auths\":{\"" HOST "\":{\"auth\":\"b2F1dGgyOnRva2Vu\"}}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(changed(rows[i].before, rows[i].means), rows[i].after);
    }
}

static void what_is_broken_stays(void **state)
{
    static const char *const texts[] = {"{", "[]", "\"x\"", "{\"a\":1}x", "{\"a\":1,\"a\":2}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err = {0};

        write_file("config.json", texts[i]);
        assert_int_equal(change("config.json", DOCKER_HELPER, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, "config.json"));
        assert_string_equal(read_file("config.json"), texts[i]);
    }
}

static void nothing_is_made_to_forget(void **state)
{
    (void)state;
    assert_int_equal(change("none.json", DOCKER_FORGET, NULL), OK);
    assert_false(docker_config_is_there(in_folder("none.json")));
}

static void the_old_form_has_hosts_at_its_top(void **state)
{
    struct docker_login login = {HOST, DOCKER_AUTH, "alice", str_from("secret")};

    (void)state;
    write_file(".dockercfg", "{\"other\":{\"auth\":\"x\"}}");
    assert_int_equal(dockercfg_set(in_folder(".dockercfg"), &login, NULL), OK);
    assert_true(docker_config_is_there(in_folder(".dockercfg")));
    assert_non_null(strstr(read_file(".dockercfg"), "\"" HOST "\": {\n    \"auth\": "
                                                    "\"YWxpY2U6c2VjcmV0\""));
    login.means = DOCKER_FORGET;
    assert_int_equal(dockercfg_set(in_folder(".dockercfg"), &login, NULL), OK);
    assert_null(strstr(read_file(".dockercfg"), HOST));
    assert_non_null(strstr(read_file(".dockercfg"), "other"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest docker_config[] = {
        TEST(configurations_are_changed_in_one_place),
        TEST(what_is_broken_stays),
        TEST(nothing_is_made_to_forget),
        TEST(the_old_form_has_hosts_at_its_top),
    };

    return cmocka_run_group_tests(docker_config, NULL, NULL);
}
