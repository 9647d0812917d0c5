#include "server/storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registry/blobs.h"
#include "registry/uploads.h"
#include "tests/support/blob_helper.h"
#include "tests/support/stub_server.h"
#include "tests/support/temporary_folder.h"

#define DONE "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define DENIED                                                                                     \
    "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>"

#define BEGUN                                                                                      \
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "                                     \
    "26\r\n\r\n<UploadId>2~x</UploadId>\n\n"
#define WHOLE                                                                                      \
    "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nConnection: close\r\n\r\n"                                  \
    "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>"

enum { PATH_BYTES = 512, LARGE_BYTES = (5 << 20) + 10 };

struct fixture {
    char *folder;
    struct metadata *metadata;
    struct settings settings;
    struct storage storage;
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

    storage_release(&fixture->storage);
    settings_release(&fixture->settings);
    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static void open_storage(struct fixture *fixture)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/blobs", fixture->folder);
    assert_int_equal(
        storage_open(&fixture->settings, path, fixture->metadata, NULL, &fixture->storage, NULL),
        OK);
}

static void use_s3(struct fixture *fixture, const struct stub_server *server)
{
    fixture->settings.storage.s3.bucket = "layers";
    fixture->settings.storage.s3.endpoint = stub_server_url(server);
    fixture->settings.storage.s3.path_style = true;
}

static void without_a_bucket_blobs_are_files(void **state)
{
    struct fixture *fixture = *state;
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("abc"));
    struct blob_content content;

    open_storage(fixture);
    assert_false(blob_store_is_remote(fixture->storage.blobs));
    assert_int_equal(test_blob_push(fixture->storage.blobs, str_from("abc"), NULL), OK);
    assert_int_equal(blob_store_read(fixture->storage.blobs, &digest, NULL, &content, NULL), OK);
    assert_int_equal(content.kind, BLOB_IN_FILE);
    blob_content_release(&content);
}

static struct registry *open_registry(const struct fixture *fixture)
{
    return registry_new(&(struct registry_config){.metadata = fixture->metadata,
                                                  .blobs = fixture->storage.blobs,
                                                  .clock = &clock_system,
                                                  .settings = fixture->settings.registry});
}

static void push(struct registry *registry, const char *content)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from(content));
    const struct upload_key key = {.repository.name = str_from("team/app"),
                                   .identity = str_from("employee:alice")};
    struct upload *upload = NULL;

    assert_int_equal(upload_begin(registry, &key, DIGEST_SHA256, &upload, NULL), OK);
    assert_int_equal(upload_write(upload, str_from(content), NULL), OK);
    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
}

static void with_a_bucket_the_metadata_know_where_blobs_are(void **state)
{
    static const char *const answers[] = {DONE, NULL};
    struct fixture *fixture = *state;
    struct stub_server *server = stub_server_new(answers);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("abc"));
    struct blob_content content;

    use_s3(fixture, server);
    for (int i = 0; i < 2; i++) { /* and again after a restart */
        struct registry *registry = NULL;

        open_storage(fixture);
        assert_true(blob_store_is_remote(fixture->storage.blobs));
        registry = open_registry(fixture);
        push(registry, "abc");
        assert_int_equal(registry_read_blob(registry, &digest, &content, NULL), OK);
        assert_int_equal(content.kind, BLOB_REMOTE);
        assert_int_equal(content.size_bytes, 3);
        assert_true(content.is_linked);
        registry_free(registry);
        storage_release(&fixture->storage);
    }
    assert_int_equal(stub_server_count(server), 1);
    stub_server_free(server);
}

static struct upload *go_on(struct registry *registry, const struct upload_key *key)
{
    struct upload *upload = NULL;

    assert_int_equal(upload_open(registry, key, &upload, NULL), OK);
    return upload;
}

/* Two instances over one bucket and the same metadata: what does not fill a part is there. */
static void an_upload_goes_on_where_another_instance_laid_it_to_rest(void **state)
{
    static const char *const answers[] = {BEGUN, DONE, DONE, WHOLE, NULL};
    struct fixture *fixture = *state;
    struct stub_server *server = stub_server_new(answers);
    char *bytes = test_bytes_new(LARGE_BYTES, 7);
    const struct str all = {bytes, LARGE_BYTES};
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, all);
    struct upload_key key = {.repository.name = str_from("team/app"),
                             .identity = str_from("employee:alice")};
    struct storage other = {0};
    struct registry *registries[2] = {NULL};
    struct upload *upload = NULL;
    struct upload *behind = NULL;
    char id[RANDOM_ID_BYTES];

    use_s3(fixture, server);
    open_storage(fixture);
    registries[0] = open_registry(fixture);
    other = fixture->storage;
    open_storage(fixture);
    registries[1] = open_registry(fixture);

    assert_int_equal(upload_begin(registries[0], &key, DIGEST_SHA256, &upload, NULL), OK);
    assert_int_equal(upload_write(upload, str_slice(all, 0, LARGE_BYTES - 3), NULL), OK);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    (void)snprintf(id, sizeof(id), "%s", upload_id(upload).bytes);
    upload_close(upload);

    key.id = str_from(id);
    behind = go_on(registries[0], &key); /* sees what rests now */
    upload = go_on(registries[1], &key);
    assert_int_equal(upload_write(upload, str_from_index(all, LARGE_BYTES - 3), NULL), OK);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    upload_close(upload);
    assert_int_equal(upload_write(behind, str_from("x"), NULL), ERROR_NOT_FOUND);
    upload_close(behind);

    upload = go_on(registries[0], &key);
    assert_int_equal(upload_offset(upload), LARGE_BYTES);
    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
    assert_non_null(strstr(stub_server_request(server), "<PartNumber>2</PartNumber>"));
    assert_int_equal(stub_server_count(server), 4);
    registry_free(registries[0]);
    registry_free(registries[1]);
    storage_release(&other);
    stub_server_free(server);
    free(bytes);
}

/* Nobody's memory is needed to say so. */
static void a_wrong_digest_is_refused_while_all_memory_is_taken(void **state)
{
    static const char *const answers[] = {BEGUN, DONE, NULL};
    struct fixture *fixture = *state;
    struct stub_server *server = stub_server_new(answers);
    char *bytes = test_bytes_new(LARGE_BYTES, 7);
    const struct digest wrong = hasher_digest_of(DIGEST_SHA256, str_from("x"));
    struct upload_key key = {.repository.name = str_from("team/app"),
                             .identity = str_from("employee:alice")};
    struct upload *others[2] = {NULL};
    struct registry *registry = NULL;
    struct upload *upload = NULL;
    char id[RANDOM_ID_BYTES];

    use_s3(fixture, server);
    fixture->settings.storage.s3.largest_blob_bytes = 1 << 30;
    fixture->settings.storage.s3.upload_memory_bytes = 10 << 20;
    open_storage(fixture);
    registry = open_registry(fixture);
    assert_int_equal(upload_begin(registry, &key, DIGEST_SHA256, &upload, NULL), OK);
    assert_int_equal(upload_write(upload, (struct str){bytes, LARGE_BYTES}, NULL), OK);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    (void)snprintf(id, sizeof(id), "%s", upload_id(upload).bytes);
    upload_close(upload);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(upload_begin(registry, &key, DIGEST_SHA256, &others[i], NULL), OK);
        assert_int_equal(upload_write(others[i], str_from("a"), NULL), OK);
    }

    key.id = str_from(id);
    upload = go_on(registry, &key);
    assert_int_equal(upload_commit(upload, &wrong, NULL), ERROR_INVALID);
    upload_close(upload);
    upload_close(others[0]);
    upload_close(others[1]);
    registry_free(registry);
    stub_server_free(server);
    free(bytes);
}

static void a_bucket_is_checked_and_a_folder_is_not(void **state)
{
    static const char *const answers[] = {DENIED, NULL};
    struct fixture *fixture = *state;
    struct stub_server *server = stub_server_new(answers);
    struct problems problems;
    struct strbuf report;

    problems_init(&problems);
    strbuf_init(&report, 10000);
    storage_check(&fixture->settings, &report, &problems);
    assert_true(problems_is_empty(&problems));
    assert_int_equal(report.length, 0);
    use_s3(fixture, server);
    storage_check(&fixture->settings, &report, &problems);
    assert_false(problems_is_empty(&problems));
    assert_non_null(strstr(report.text, "bucket layers at 127.0.0.1:"));
    assert_non_null(strstr(report.text, "credentials: "));
    assert_null(strstr(report.text, "sesame"));
    strbuf_release(&report);
    problems_release(&problems);
    stub_server_free(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_bucket_blobs_are_files),
        TEST(with_a_bucket_the_metadata_know_where_blobs_are),
        TEST(an_upload_goes_on_where_another_instance_laid_it_to_rest),
        TEST(a_wrong_digest_is_refused_while_all_memory_is_taken),
        TEST(a_bucket_is_checked_and_a_folder_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
