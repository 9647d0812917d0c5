#include "registry/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEX32 "0123456789abcdef0123456789abcdef"
#define TEXT_64 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01"

static void names_are_taken_apart_at_the_first_slash(void **state)
{
    static const struct {
        const char *name;
        const char *team;
        const char *artifact;
    } names[] = {
        {"team/app", "team", "app"},
        {"a/b", "a", "b"},
        {"0/1", "0", "1"},
        {"team/app/web/ui", "team", "app/web/ui"},
        {"team/blobs/uploads/manifests/tags", "team", "blobs/uploads/manifests/tags"},
        {"my-team/my.app", "my-team", "my.app"},
        {"my_team/my__app", "my_team", "my__app"},
        {"my----team/app", "my----team", "app"},
        {"a.b_c__d-e--f/0.1_2", "a.b_c__d-e--f", "0.1_2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct repository repository;

        assert_int_equal(repository_parse(str_from(names[i].name), &repository, NULL), OK);
        assert_true(str_is(repository.name, names[i].name));
        assert_true(str_is(repository.team, names[i].team));
        assert_true(str_is(repository.artifact, names[i].artifact));
    }
}

static void bad_names_are_refused_and_told_how_names_look(void **state)
{
    static const char *const names[] = {
        "",           "app",        "/",         "/app",      "team/",      "team//app",
        "team/app/",  "/team/app",  "Team/app",  "team/App",  "team/.app",  "team/app.",
        "team/-app",  "team/app-",  "team/_app", "team/app_", "team/a..b",  "team/a___b",
        "team/a._b",  "team/a-.b",  "team/a_-b", "../app",    "team/..",    "team/../app",
        "team/a b",   "team/a%2fb", "te:am/app", "team/app:", "team/a\nb",  "team/\xc3\xa4pp",
        "team/app\\", "team@/app",  "-/app",     "team/__",   "team/app/.", "./team/app",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct repository repository = {.name = STR_LITERAL("untouched")};
        struct error err = {0};

        assert_int_equal(repository_parse(str_from(names[i]), &repository, &err), ERROR_INVALID);
        assert_int_equal(err.topic, ABOUT_NAME);
        assert_non_null(strstr(err.message, "team/app"));
        assert_true(str_is(repository.name, "untouched"));
    }
}

static void single_component_is_told_that_a_team_is_missing(void **state)
{
    struct repository repository;
    struct error err = {0};

    (void)state;
    assert_int_equal(repository_parse(str_from("ubuntu"), &repository, &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_NAME);
    assert_non_null(strstr(err.message, "names no team"));
    assert_non_null(strstr(err.message, "team/ubuntu"));
}

static void name_has_at_most_255_bytes(void **state)
{
    const struct str name = STR_LITERAL(TEXT_64 "/" TEXT_64 "/" TEXT_64 "/" TEXT_64);
    struct repository repository;
    struct error err = {0};

    (void)state;
    assert_int_equal(repository_parse(str_slice(name, 0, 255), &repository, NULL), OK);
    assert_int_equal(repository_parse(str_slice(name, 0, 256), &repository, &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_NAME);
    assert_non_null(strstr(err.message, "255"));
}

static void name_with_a_nul_is_refused(void **state)
{
    const struct str name = STR_LITERAL("team/a\0b");
    struct repository repository;

    (void)state;
    assert_int_equal(repository_parse(name, &repository, NULL), ERROR_INVALID);
}

static void tags_are_letters_digits_dots_underscores_and_dashes(void **state)
{
    static const char *const good[] = {
        "1.0",
        "latest",
        "v1",
        "_",
        "A",
        "0",
        "1.0-SNAPSHOT",
        "a.b_c-d",
        "__",
        ("sha256-" HEX32 HEX32),
        (TEXT_64 TEXT_64),
    };
    static const char *const bad[] = {
        "",
        ".",
        "-",
        ".1",
        "-1",
        "a b",
        "a/b",
        "a:b",
        "a@b",
        "a+b",
        "a\xc3",
        "1.0\n",
        "../etc",
        "%2e%2e",
        "*",
        "1.0?n=1",
        (TEXT_64 TEXT_64 "x"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(tag_check(str_from(good[i]), NULL), OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = {0};

        assert_int_equal(tag_check(str_from(bad[i]), &err), ERROR_INVALID);
        assert_int_equal(err.topic, ABOUT_TAG);
        assert_non_null(strstr(err.message, "128"));
    }
}

static void reference_with_a_colon_is_a_digest(void **state)
{
    struct reference reference;
    struct digest digest;

    (void)state;
    assert_int_equal(digest_parse(str_from("sha256:" HEX32 HEX32), &digest, NULL), OK);
    assert_int_equal(reference_parse(str_from("sha256:" HEX32 HEX32), &reference, NULL), OK);
    assert_true(reference.is_digest);
    assert_true(digest_equal(&reference.digest, &digest));
    assert_int_equal(reference_parse(str_from("sha256-" HEX32 HEX32), &reference, NULL), OK);
    assert_false(reference.is_digest);
    assert_true(str_is(reference.tag, "sha256-" HEX32 HEX32));
}

static void bad_references_are_about_a_digest_or_a_tag(void **state)
{
    static const struct {
        const char *text;
        enum error_topic topic;
    } references[] = {
        {"", ABOUT_TAG},
        {"..", ABOUT_TAG},
        {":", ABOUT_DIGEST},
        {"sha256:", ABOUT_DIGEST},
        {"1.0:2.0", ABOUT_DIGEST},
        {"sha256:0123456789ABCDEF0123456789abcdef" HEX32, ABOUT_DIGEST},
        {"md5:" HEX32, ABOUT_DIGEST},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(references); i++) {
        struct reference reference = {.tag = STR_LITERAL("untouched")};
        struct error err = {0};

        assert_int_equal(reference_parse(str_from(references[i].text), &reference, &err),
                         ERROR_INVALID);
        assert_int_equal(err.topic, references[i].topic);
        assert_true(str_is(reference.tag, "untouched"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart_at_the_first_slash),
        cmocka_unit_test(bad_names_are_refused_and_told_how_names_look),
        cmocka_unit_test(single_component_is_told_that_a_team_is_missing),
        cmocka_unit_test(name_has_at_most_255_bytes),
        cmocka_unit_test(name_with_a_nul_is_refused),
        cmocka_unit_test(tags_are_letters_digits_dots_underscores_and_dashes),
        cmocka_unit_test(reference_with_a_colon_is_a_digest),
        cmocka_unit_test(bad_references_are_about_a_digest_or_a_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
