#include "metadata/swept_blobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "metadata/manifests.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096 };

struct fixture {
    char *folder;
    char path[PATH_BYTES];
    struct metadata *metadata;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->folder = temporary_folder_new();
    (void)snprintf(fixture->path, PATH_BYTES, "%s/metadata.sqlite", fixture->folder);
    assert_int_equal(metadata_open_sqlite(fixture->path, &fixture->metadata, NULL), OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static struct digest digest_of(const char *content)
{
    return hasher_digest_of(DIGEST_SHA256, str_from(content));
}

/* A manifest that names one blob. */
static enum error_code push(struct fixture *fixture, const char *blob, bool must_not_be_swept,
                            struct error *err)
{
    const struct named_blob named = {digest_of(blob), strlen(blob), must_not_be_swept};
    const struct manifest_push wanted = {
        .repository = str_from("team/app"),
        .manifest = {.digest = digest_of("manifest"),
                     .media_type = str_from("type"),
                     .content = str_from("{}")},
        .blobs = &named,
        .blob_count = 1,
    };
    enum push_outcome outcome = PUSH_DONE;
    struct tag_found found;

    return metadata_push_manifest(fixture->metadata, &wanted, &outcome, &found, err);
}

static bool sweep(struct fixture *fixture, const char *blob)
{
    const struct digest digest = digest_of(blob);
    const struct blob_sweep sweep = {&digest, 1, 1000};
    bool is_swept = false;

    assert_int_equal(metadata_sweep_blobs(fixture->metadata, &sweep, &is_swept, NULL), OK);
    return is_swept;
}

static enum blob_standing standing_of(struct fixture *fixture, const char *blob)
{
    const struct digest digest = digest_of(blob);
    enum blob_standing standing = BLOB_UNNAMED;

    assert_int_equal(metadata_find_blob_standing(fixture->metadata, &digest, &standing, NULL), OK);
    return standing;
}

static void what_a_manifest_names_is_not_swept(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(push(fixture, "blob", true, NULL), OK);
    assert_false(sweep(fixture, "blob"));
    assert_false(sweep(fixture, "manifest"));
    assert_int_equal(standing_of(fixture, "blob"), BLOB_NAMED);
}

static void swept_blob_cannot_be_named(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(standing_of(fixture, "blob"), BLOB_UNNAMED);
    assert_true(sweep(fixture, "blob"));
    assert_true(sweep(fixture, "blob"));
    assert_int_equal(standing_of(fixture, "blob"), BLOB_SWEPT);
    assert_int_equal(push(fixture, "blob", true, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_REFERENCED);
    assert_int_equal(standing_of(fixture, "manifest"), BLOB_UNNAMED);
}

static void swept_blob_that_is_pushed_again_is_there(void **state)
{
    const struct digest digest = digest_of("blob");
    struct fixture *fixture = *state;

    assert_true(sweep(fixture, "blob"));
    assert_int_equal(metadata_revive_blob(fixture->metadata, &digest, NULL), OK);
    assert_int_equal(metadata_revive_blob(fixture->metadata, &digest, NULL), OK);
    assert_int_equal(standing_of(fixture, "blob"), BLOB_UNNAMED);
    assert_int_equal(push(fixture, "blob", true, NULL), OK);
}

static void what_need_not_be_here_may_be_named_all_the_same(void **state)
{
    struct fixture *fixture = *state;

    assert_true(sweep(fixture, "blob"));
    assert_int_equal(push(fixture, "blob", false, NULL), OK);
    assert_int_equal(standing_of(fixture, "blob"), BLOB_NAMED);
    assert_false(sweep(fixture, "blob"));
}

static void database_is_joined_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct metadata *second = NULL;
    struct error err = {0};
    char path[PATH_BYTES + 16];

    assert_int_equal(metadata_join_sqlite(fixture->path, &second, NULL), OK);
    metadata_free(second);
    (void)snprintf(path, sizeof(path), "%s.none", fixture->path);
    assert_int_equal(metadata_join_sqlite(path, &second, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "no database"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_manifest_names_is_not_swept),
        TEST(swept_blob_cannot_be_named),
        TEST(swept_blob_that_is_pushed_again_is_there),
        TEST(what_need_not_be_here_may_be_named_all_the_same),
        TEST(database_is_joined_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
