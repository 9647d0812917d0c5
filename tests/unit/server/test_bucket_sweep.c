#include "server/bucket_sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/blob_places.h"
#include "server/storage.h"
#include "tests/support/stub_server.h"
#include "tests/support/temporary_folder.h"

#define REMOVED "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
#define HIDDEN "HTTP/1.1 204 No Content\r\nx-amz-delete-marker: true\r\nConnection: close\r\n\r\n"
#define MISSING                                                                                    \
    "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n<Error><Code>NoSuchKey</Code></Error>"
#define DENIED                                                                                     \
    "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>"
#define NO_S3 "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define UNKNOWN                                                                                    \
    "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n"                                          \
    "<Error><Code>InvalidAccessKeyId</Code></Error>"

enum { PATH_BYTES = 512 };

struct fixture {
    char *folder;
    struct metadata *metadata;
    struct settings settings;
    unsigned told;
    unsigned told_refused;
    int asked; /* how often S3 was */
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[PATH_BYTES];

    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "sesame", 1), 0);
    fixture->folder = temporary_folder_new();
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", fixture->folder);
    assert_int_equal(metadata_open_sqlite(path, &fixture->metadata, NULL), OK);
    settings_init(&fixture->settings);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    settings_release(&fixture->settings);
    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static void add(struct fixture *fixture, const char *content, const char *key)
{
    const struct blob_place_record place = {
        .digest = hasher_digest_of(DIGEST_SHA256, str_from(content)),
        .location = str_from(key),
        .size_bytes = strlen(content),
        .touched_ms = 1000,
    };

    assert_int_equal(metadata_add_blob_place(fixture->metadata, &place, NULL), OK);
}

static void tell(void *context, const struct old_blob *blob, const struct error *refusal)
{
    struct fixture *fixture = context;

    assert_int_equal(blob->size_bytes, 3);
    fixture->told += refusal == NULL;
    fixture->told_refused += refusal != NULL;
}

/* Against an S3 that answers so; NULL: it is not to be asked. */
static struct bucket_sweep sweep(struct fixture *fixture, const char *const *answers,
                                 enum error_code expected)
{
    static const char *const none[] = {DENIED, NULL};
    struct stub_server *server = stub_server_new(answers ? answers : none);
    struct s3_objects objects;
    struct storage storage;
    struct bucket_sweep sweep = {.metadata = fixture->metadata,
                                 .untouched_since_ms = 2000,
                                 .now_ms = 3000,
                                 .context = fixture,
                                 .tell = tell};

    fixture->settings.storage.s3.bucket = "layers";
    fixture->settings.storage.s3.endpoint = stub_server_url(server);
    fixture->settings.storage.s3.path_style = true;
    fixture->told = 0;
    fixture->told_refused = 0;
    assert_int_equal(storage_open_bucket(&fixture->settings, &storage, &objects, NULL), OK);
    sweep.objects = answers ? &objects : NULL;
    assert_int_equal(bucket_sweep_run(&sweep, NULL), expected);
    fixture->asked = stub_server_count(server);
    storage_release(&storage);
    stub_server_free(server);
    return sweep;
}

static void looking_asks_nobody_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "abc", "uploads/1");
    for (int i = 0; i < 2; i++) {
        (void)sweep(fixture, NULL, OK);
        assert_int_equal(fixture->told, 1);
        assert_int_equal(fixture->asked, 0);
    }
}

static void what_is_removed_is_told_once(void **state)
{
    static const char *const answers[] = {REMOVED, HIDDEN, MISSING, NULL};
    struct fixture *fixture = *state;

    add(fixture, "abc", "uploads/1");
    add(fixture, "def", "uploads/2");
    add(fixture, "ghi", "uploads/3");
    assert_int_equal(sweep(fixture, answers, OK).kept, 1);
    assert_int_equal(fixture->told, 3);
    (void)sweep(fixture, answers, OK);
    assert_int_equal(fixture->told, 0);
}

static void what_is_refused_is_tried_again(void **state)
{
    static const char *const refused[] = {DENIED, NULL};
    static const char *const removed[] = {REMOVED, NULL};
    struct fixture *fixture = *state;

    add(fixture, "abc", "uploads/1");
    assert_int_equal(sweep(fixture, refused, OK).refused, 1);
    assert_int_equal(fixture->told_refused, 1);
    (void)sweep(fixture, NULL, OK);
    assert_int_equal(fixture->told, 1);
    (void)sweep(fixture, removed, OK);
    assert_int_equal(fixture->told, 1);
}

static void nothing_more_is_marked_where_all_is_refused(void **state)
{
    static const char *const answers[] = {DENIED, NULL};
    struct fixture *fixture = *state;
    char text[16];

    for (int i = 0; i <= BLOB_PLACE_LIST_MAX; i++) {
        (void)snprintf(text, sizeof(text), "%03d", i);
        add(fixture, text, text);
    }
    assert_int_equal(sweep(fixture, answers, ERROR_DENIED).refused, BLOB_PLACE_LIST_MAX);
}

static void sweep_ends_where_s3_cannot_be_asked(void **state)
{
    static const char *const unknown[] = {UNKNOWN, NULL};
    static const char *const nobody[] = {NO_S3, NULL};
    static const char *const removed[] = {REMOVED, NULL};
    struct fixture *fixture = *state;

    add(fixture, "abc", "uploads/1");
    add(fixture, "def", "uploads/2");
    (void)sweep(fixture, unknown, ERROR_UNAVAILABLE);
    assert_int_equal(fixture->asked, 2); /* once more with keys that were fetched anew */
    (void)sweep(fixture, nobody, ERROR_NOT_FOUND);
    assert_int_equal(fixture->told + fixture->told_refused, 0);
    (void)sweep(fixture, removed, OK);
    assert_int_equal(fixture->told, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(looking_asks_nobody_and_changes_nothing),
        TEST(what_is_removed_is_told_once),
        TEST(what_is_refused_is_tried_again),
        TEST(nothing_more_is_marked_where_all_is_refused),
        TEST(sweep_ends_where_s3_cannot_be_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
