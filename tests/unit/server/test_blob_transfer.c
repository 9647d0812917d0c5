#include "server/blob_transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "metadata/manifests.h"
#include "tests/support/faulty_store.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096, BLOBS = 40, THREADS = 3, LARGE_BYTES = 300 * 1000 };

struct fixture {
    char *folder;
    struct metadata *metadata;
    struct blob_store *memory; /* behind `from` */
    struct blob_store *from;
    struct blob_store *behind; /* `to` */
    struct blob_store *to;
    struct blob_transfer transfer;
    struct blob_transfer_count told;
    struct digest damaged;
    unsigned damaged_count;
    char *large;
};

static void tell(void *context, const struct blob_transfer_count *count)
{
    struct fixture *fixture = context;

    fixture->told = *count;
}

static void tell_damaged(void *context, const struct digest *digest, const char *reason)
{
    struct fixture *fixture = context;

    assert_true(strlen(reason) > 0);
    fixture->damaged = *digest;
    fixture->damaged_count++;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[PATH_BYTES];

    fixture->folder = temporary_folder_new();
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", fixture->folder);
    assert_int_equal(metadata_open_sqlite(path, &fixture->metadata, NULL), OK);
    fixture->memory = memory_store_new();
    fixture->from = faulty_store_new(fixture->memory);
    fixture->behind = memory_store_new();
    fixture->to = faulty_store_new(fixture->behind);
    fixture->large = calloc(1, LARGE_BYTES);
    fixture->transfer = (struct blob_transfer){
        .from_metadata = fixture->metadata,
        .from = fixture->from,
        .to_metadata = fixture->metadata,
        .to = fixture->to,
        .threads = THREADS,
        .context = fixture,
        .tell = tell,
        .tell_damaged = tell_damaged,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    free(fixture->large);
    blob_store_free(fixture->to);
    blob_store_free(fixture->behind);
    blob_store_free(fixture->from);
    blob_store_free(fixture->memory);
    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

/* Only some of them are larger than what is read at a time. */
static struct str content_of(struct fixture *fixture, int number)
{
    const size_t length = number % 10 == 0 ? LARGE_BYTES : 10;

    (void)snprintf(fixture->large, LARGE_BYTES, "blob %04d", number);
    return (struct str){fixture->large, length};
}

static struct digest digest_of(struct fixture *fixture, int number)
{
    return hasher_digest_of(DIGEST_SHA256, content_of(fixture, number));
}

static void put(struct fixture *fixture, int number)
{
    const struct digest digest = digest_of(fixture, number);
    struct blob_writer *writer = NULL;
    struct blob_upload upload;

    blob_upload_init(&upload, DIGEST_SHA256);
    assert_int_equal(blob_writer_open(fixture->memory, &upload, &writer, NULL), OK);
    assert_int_equal(blob_writer_write(writer, content_of(fixture, number), NULL), OK);
    assert_int_equal(blob_writer_commit(writer, &digest, NULL, NULL), OK);
    blob_writer_free(writer);
}

/* A manifest that names that many blobs, from `first` on, each said to have `size_bytes`. */
static void name(struct fixture *fixture, int first, size_t count, uint64_t size_bytes)
{
    struct named_blob named[BLOBS];
    char content[32];
    const int length = snprintf(content, sizeof(content), "names %d", first);
    const struct str bytes = {content, (size_t)length};
    const struct manifest_push push = {
        .repository = str_from("team/app"),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, bytes),
                     .media_type = str_from("type"),
                     .content = bytes},
        .blobs = named,
        .blob_count = count,
        .created_by = {str_from("employee"), str_from("jdoe")},
    };
    enum push_outcome outcome = PUSH_TAG_TAKEN;

    for (size_t i = 0; i < count; i++) {
        named[i] = (struct named_blob){.digest = digest_of(fixture, first + (int)i),
                                       .size_bytes = size_bytes};
    }
    assert_int_equal(metadata_push_manifest(fixture->metadata, &push, &outcome, NULL, NULL), OK);
}

static void fill(struct fixture *fixture)
{
    for (int i = 0; i < BLOBS; i++) {
        put(fixture, i);
    }
    name(fixture, 0, BLOBS, 10);
}

static enum error_code run(struct fixture *fixture, struct blob_transfer_count *count,
                           struct error *err)
{
    return blob_transfer_run(&fixture->transfer, count, err);
}

static bool is_there(struct fixture *fixture, int number)
{
    const struct digest digest = digest_of(fixture, number);
    struct blob_content content;
    const enum error_code code = blob_store_read(fixture->behind, &digest, NULL, &content, NULL);

    if (!code) {
        blob_content_release(&content);
    }
    return !code;
}

static void all_that_is_named_comes_once(void **state)
{
    struct fixture *fixture = *state;
    struct blob_transfer_count count = {0};

    fill(fixture);
    put(fixture, BLOBS); /* no manifest names it */
    assert_int_equal(run(fixture, &count, NULL), OK);
    assert_int_equal(count.copied, BLOBS);
    assert_int_equal(count.copied_bytes, 36 * 10 + 4 * LARGE_BYTES);
    assert_int_equal(fixture->told.copied, BLOBS);
    for (int i = 0; i < BLOBS; i++) {
        assert_true(is_there(fixture, i));
    }
    assert_false(is_there(fixture, BLOBS));
    assert_int_equal(run(fixture, &count, NULL), OK);
    assert_int_equal(count.copied, 0);
    assert_int_equal(count.present, BLOBS);
}

/* What an index names, or a layer that is elsewhere, need not ever have been here. */
static void missing_blob_is_damaged_if_it_was_ever_here(void **state)
{
    struct fixture *fixture = *state;
    const struct digest lost = digest_of(fixture, BLOBS);
    struct blob_transfer_count count = {0};

    fill(fixture);
    name(fixture, BLOBS, 1, 10);
    name(fixture, BLOBS + 1, 1, 0);
    assert_int_equal(run(fixture, &count, NULL), OK);
    assert_int_equal(count.copied, BLOBS);
    assert_int_equal(count.damaged, 1);
    assert_int_equal(fixture->damaged_count, 1);
    assert_true(digest_equal(&fixture->damaged, &lost));
}

static void medium_that_cannot_read_one_is_damage_to_that_one(void **state)
{
    struct fixture *fixture = *state;
    struct blob_transfer_count count = {0};

    fill(fixture);
    fixture->transfer.threads = 1;
    faulty_store_fail_at(fixture->from, 5, ERROR_NOT_FOUND);
    assert_int_equal(run(fixture, &count, NULL), OK);
    assert_int_equal(count.copied, BLOBS - 1);
    assert_int_equal(count.damaged, 1);
}

/* The rest is for the next time. */
static void destination_that_fails_ends_it(void **state)
{
    struct fixture *fixture = *state;
    struct blob_transfer_count count = {0};
    struct error err = {0};

    fill(fixture);
    faulty_store_fail_all(fixture->to, ERROR_NO_SPACE);
    assert_int_equal(run(fixture, &count, &err), ERROR_NO_SPACE);
    assert_true(strlen(err.message) > 0);
    assert_int_equal(count.copied, 0);
    assert_int_equal(fixture->damaged_count, 0);
    faulty_store_fail_at(fixture->to, 60, ERROR_UNAVAILABLE);
    assert_int_equal(run(fixture, &count, &err), ERROR_UNAVAILABLE);
    assert_true(count.copied < BLOBS);
    faulty_store_fail_at(fixture->to, 0, OK);
    assert_int_equal(run(fixture, &count, &err), OK);
    assert_int_equal(count.copied + count.present, BLOBS);
}

static void source_that_is_away_ends_it(void **state)
{
    struct fixture *fixture = *state;
    struct blob_transfer_count count = {0};

    fill(fixture);
    faulty_store_fail_all(fixture->from, ERROR_UNAVAILABLE);
    assert_int_equal(run(fixture, &count, NULL), ERROR_UNAVAILABLE);
    assert_int_equal(count.damaged, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_is_named_comes_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_blob_is_damaged_if_it_was_ever_here, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(medium_that_cannot_read_one_is_damage_to_that_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(destination_that_fails_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(source_that_is_away_ends_it, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
