#include "registry/uploads.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "registry_world.h"
#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"

static struct upload_key key_of(const char *id)
{
    return (struct upload_key){
        .repository = repository_of("team/app"),
        .id = str_from(id),
        .identity = str_from("somebody"),
    };
}

static struct upload *begin(struct registry_world *world, enum digest_algorithm algorithm)
{
    const struct upload_key key = key_of("");
    struct upload *upload = NULL;

    assert_int_equal(upload_begin(world->registry, &key, algorithm, &upload, NULL), OK);
    return upload;
}

static enum error_code try_open(struct registry_world *world, const char *id,
                                struct upload **upload_out)
{
    const struct upload_key key = key_of(id);

    world->err = (struct error){0};
    return upload_open(world->registry, &key, upload_out, &world->err);
}

static struct upload *reopen(struct registry_world *world, const char *id)
{
    struct upload *upload = NULL;

    assert_int_equal(try_open(world, id, &upload), OK);
    return upload;
}

static void write_text(struct upload *upload, const char *text)
{
    assert_int_equal(upload_write(upload, str_from(text), NULL), OK);
}

/* An upload that rests with these bytes; its id lives as long as the test. */
static const char *rest(struct registry_world *world, const char *content)
{
    struct upload *upload = begin(world, DIGEST_SHA256);
    const char *id = arena_text(&world->arena, upload_id(upload));

    write_text(upload, content);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    upload_close(upload);
    return id;
}

static bool is_blob(struct registry_world *world, const char *content)
{
    const struct digest digest = digest_of(content);

    return test_blob_is(world->memory, &digest, str_from(content));
}

/* Whether the store still has bytes of that upload. */
static bool has_bytes(struct registry_world *world, const char *id)
{
    struct blob_upload rested = {.offset_bytes = 1};
    struct blob_writer *writer = NULL;
    enum error_code code = OK;

    memcpy(rested.id, id, sizeof(rested.id));
    code = blob_writer_open(world->memory, &rested, &writer, NULL);
    blob_writer_free(writer);
    return code == OK;
}

static long long count_rows(const struct registry_world *world)
{
    return registry_world_count(world, "select count(*) from upload");
}

static void whole_blob_in_one_request_needs_no_row(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("one two");
    struct upload *upload = NULL;

    registry_world_run_sql(world, "alter table upload rename to gone");
    upload = begin(world, DIGEST_SHA256);
    write_text(upload, "one ");
    write_text(upload, "two");
    assert_int_equal(upload_offset(upload), 7);
    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
    assert_true(is_blob(world, "one two"));
}

static void empty_blob_is_a_blob(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("");
    struct upload *upload = begin(world, DIGEST_SHA256);

    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
    assert_true(is_blob(world, ""));
}

static void rested_upload_goes_on_after_a_restart(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("one two");
    const char *id = rest(world, "one ");
    struct upload *upload = NULL;

    registry_world_let_move(world, false, false);
    upload = reopen(world, id);
    assert_true(str_is(upload_id(upload), id));
    assert_int_equal(upload_offset(upload), 4);
    write_text(upload, "two");
    assert_int_equal(upload_suspend(upload, NULL), OK);
    upload_close(upload);
    upload = reopen(world, id);
    assert_int_equal(upload_offset(upload), 7);
    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
    assert_true(is_blob(world, "one two"));
    assert_int_equal(count_rows(world), 0);
    assert_int_equal(try_open(world, id, &upload), ERROR_NOT_FOUND);
}

static void upload_rests_before_anything_was_written(void **state)
{
    struct registry_world *world = *state;
    struct upload *upload = NULL;
    const char *id = rest(world, "");

    upload = reopen(world, id);
    assert_int_equal(upload_offset(upload), 0);
    upload_close(upload);
    assert_int_equal(count_rows(world), 1);
}

static void blob_may_be_named_by_either_algorithm(void **state)
{
    static const enum digest_algorithm algorithms[] = {DIGEST_SHA256, DIGEST_SHA512};
    struct registry_world *world = *state;

    for (size_t i = 0; i < 4; i++) {
        const struct digest digest =
            hasher_digest_of(algorithms[i / 2], str_from(i % 2 ? "odd" : "even"));
        struct upload *upload = begin(world, algorithms[i % 2]);

        write_text(upload, i % 2 ? "odd" : "even");
        assert_int_equal(upload_commit(upload, &digest, NULL), OK);
        upload_close(upload);
        assert_true(test_blob_is(world->memory, &digest, str_from(i % 2 ? "odd" : "even")));
    }
}

static void wrong_digest_is_refused_and_the_upload_stays(void **state)
{
    struct registry_world *world = *state;
    const struct digest wrong = digest_of("another");
    const struct digest right = digest_of("one two");
    const char *id = rest(world, "one ");
    struct upload *upload = reopen(world, id);
    struct error err = {0};

    write_text(upload, "two");
    assert_int_equal(upload_commit(upload, &wrong, &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_DIGEST);
    assert_false(is_blob(world, "one two"));
    assert_int_equal(upload_commit(upload, &right, NULL), OK);
    upload_close(upload);
    assert_true(is_blob(world, "one two"));
}

/* It could be hashed as often as somebody likes. */
static void wrong_digest_of_another_algorithm_ends_the_upload(void **state)
{
    struct registry_world *world = *state;
    const struct digest wrong = hasher_digest_of(DIGEST_SHA512, str_from("another"));
    const char *id = rest(world, "one");
    struct upload *upload = reopen(world, id);
    struct error err = {0};

    assert_true(upload_may_commit(upload, &wrong));
    assert_int_equal(upload_commit(upload, &wrong, &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_DIGEST);
    upload_close(upload);
    assert_false(has_bytes(world, id));
    assert_int_equal(try_open(world, id, &upload), ERROR_NOT_FOUND);
}

static void what_did_not_come_to_rest_was_never_sent(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("one ");
    const char *id = rest(world, "one ");
    struct upload *upload = reopen(world, id);

    write_text(upload, "lost");
    assert_int_equal(upload_offset(upload), 8);
    upload_close(upload);
    upload = reopen(world, id);
    assert_int_equal(upload_offset(upload), 4);
    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
}

static void upload_that_never_rested_leaves_nothing(void **state)
{
    struct registry_world *world = *state;
    struct upload *upload = begin(world, DIGEST_SHA256);
    const char *id = arena_text(&world->arena, upload_id(upload));

    write_text(upload, "lost");
    assert_true(has_bytes(world, id));
    upload_close(upload);
    assert_false(has_bytes(world, id));
    assert_int_equal(count_rows(world), 0);
    assert_int_equal(try_open(world, id, &upload), ERROR_NOT_FOUND);
    upload_close(NULL);
}

static void upload_is_worked_on_by_one_request(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one");
    struct upload *upload = reopen(world, id);
    struct upload *second = NULL;

    assert_int_equal(try_open(world, id, &second), ERROR_CONFLICT);
    assert_int_equal(world->err.topic, ABOUT_UPLOAD);
    assert_null(second);
    upload_close(upload);
    upload_close(reopen(world, id));
}

static void upload_is_unknown_by_any_other_name(void **state)
{
    static const char *const ids[] = {
        "",
        "0",
        "00000000000000000000000000000000",
        "../../../../../../../../etc/passw",
        "0123456789ABCDEF0123456789ABCDEF",
        "000000000000000000000000000000000",
        "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2",
    };
    struct registry_world *world = *state;
    struct upload *upload = NULL;

    (void)rest(world, "one");
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        assert_int_equal(try_open(world, ids[i], &upload), ERROR_NOT_FOUND);
        assert_int_equal(world->err.topic, ABOUT_UPLOAD);
    }
    assert_null(upload);
}

static void upload_is_bound_to_repository_and_identity(void **state)
{
    static const struct {
        const char *repository;
        const char *identity;
        enum error_code code;
    } rows[] = {
        {"team/other", "somebody", ERROR_NOT_FOUND},
        {"team/app/deeper", "somebody", ERROR_NOT_FOUND},
        {"team/other", "somebody else", ERROR_NOT_FOUND},
        {"team/app", "somebody else", ERROR_DENIED},
        {"team/app", "", ERROR_UNAUTHENTICATED},
    };
    struct registry_world *world = *state;
    const char *id = rest(world, "one");
    struct upload *upload = NULL;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct upload_key key = {
            .repository = repository_of(rows[i].repository),
            .id = str_from(id),
            .identity = str_from(rows[i].identity),
        };

        assert_int_equal(upload_open(world->registry, &key, &upload, &world->err), rows[i].code);
        assert_int_equal(world->err.topic, ABOUT_UPLOAD);
    }
    upload_close(reopen(world, id));
}

/* Whoever it was: their time is over, but not the upload's. */
static void upload_goes_on_with_the_credentials_it_was_begun_with(void **state)
{
    struct registry_world *world = *state;
    struct upload_key key = key_of("");
    struct upload *upload = NULL;
    char id[RANDOM_ID_BYTES];

    key.login = str_from("0123456789abcdef0123456789abcdef");
    assert_int_equal(upload_begin(world->registry, &key, DIGEST_SHA256, &upload, NULL), OK);
    write_text(upload, "one");
    assert_int_equal(upload_suspend(upload, NULL), OK);
    (void)snprintf(id, sizeof(id), "%.*s", STR_FORMAT(upload_id(upload)));
    upload_close(upload);
    key.id = str_from(id);
    key.identity = (struct str){0};
    for (int i = 0; i < 2; i++) { /* it stays bound to both */
        assert_int_equal(upload_open(world->registry, &key, &upload, &world->err), OK);
        write_text(upload, "more");
        assert_int_equal(upload_suspend(upload, NULL), OK);
        upload_close(upload);
    }
    upload_close(reopen(world, id));
    key.login = str_from("another one, just as long as that");
    key.login.length = UPLOAD_LOGIN_BYTES;
    assert_int_equal(upload_open(world->registry, &key, &upload, &world->err),
                     ERROR_UNAUTHENTICATED);
    key.identity = str_from("somebody else");
    assert_int_equal(upload_open(world->registry, &key, &upload, &world->err), ERROR_DENIED);
}

static void cancelled_upload_is_gone(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one");
    struct upload *upload = reopen(world, id);

    write_text(upload, "two");
    assert_int_equal(upload_cancel(upload, NULL), OK);
    upload_close(upload);
    assert_false(has_bytes(world, id));
    assert_int_equal(count_rows(world), 0);
    assert_int_equal(try_open(world, id, &upload), ERROR_NOT_FOUND);
}

static void upload_of_another_version_is_not_found(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one");
    struct upload *upload = NULL;

    registry_world_run_sql(world, "update upload set state = x'00'");
    assert_int_equal(try_open(world, id, &upload), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_UPLOAD);
    /* And nobody holds it. */
    assert_int_equal(try_open(world, id, &upload), ERROR_NOT_FOUND);
}

/* As after a power failure. */
static void upload_whose_bytes_are_gone_is_not_found(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("one");
    const char *id = rest(world, "one");
    struct upload *upload = reopen(world, id);
    struct blob_upload rested = {.offset_bytes = 3};
    struct error err = {0};

    memcpy(rested.id, id, sizeof(rested.id));
    assert_int_equal(blob_store_discard(world->memory, &rested, NULL), OK);
    assert_int_equal(upload_write(upload, str_from("two"), &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    assert_int_equal(upload_commit(upload, &digest, NULL), ERROR_NOT_FOUND);
    upload_close(upload);
}

static void upload_expires_when_it_rested_too_long(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one");
    struct upload *upload = NULL;
    struct upload_expiry expiry = {.expired = 42};

    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(expiry.expired, 0);
    upload_close(reopen(world, id));
    fake_clock_advance(&world->clock, 1);
    /* Nobody can go on with what may be gone the next moment. */
    assert_int_equal(try_open(world, id, &upload), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_UPLOAD);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(expiry.expired, 1);
    assert_false(has_bytes(world, id));
    assert_int_equal(count_rows(world), 0);
}

static void uploads_expire_in_batches_until_none_is_left(void **state)
{
    enum { UPLOADS = 250 };
    struct registry_world *world = *state;
    struct upload_expiry expiry = {.has_more = true};
    size_t expired = 0;

    for (int i = 0; i < UPLOADS; i++) {
        (void)rest(world, "");
    }
    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS + 1);
    while (expiry.has_more) {
        assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
        assert_true(expiry.expired > 0);
        assert_true(expiry.expired < UPLOADS);
        expired += expiry.expired;
    }
    assert_int_equal(expired, UPLOADS);
    assert_int_equal(count_rows(world), 0);
}

static void upload_that_somebody_works_on_does_not_expire(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one");
    struct upload *upload = reopen(world, id);
    struct upload_expiry expiry = {.expired = 42};

    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS + 1);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(expiry.expired, 0);
    /* And resting again, it is as young as any. */
    assert_int_equal(upload_suspend(upload, NULL), OK);
    upload_close(upload);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(expiry.expired, 0);
    upload_close(reopen(world, id));
}

static void upload_that_cannot_be_discarded_does_not_keep_the_others(void **state)
{
    struct registry_world *world = *state;
    struct upload_expiry expiry = {.expired = 42};

    (void)rest(world, "one");
    (void)rest(world, "two");
    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS + 1);
    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), ERROR_UNAVAILABLE);
    assert_int_equal(expiry.expired, 1);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(expiry.expired, 1);
    assert_int_equal(count_rows(world), 0);
}

static void expiry_without_a_database_is_told(void **state)
{
    struct registry_world *world = *state;
    struct upload_expiry expiry = {.expired = 42};

    registry_world_run_sql(world, "alter table upload rename to gone");
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), ERROR_INTERNAL);
    assert_int_equal(expiry.expired, 0);
}

/* One more request: goes on, and commits. */
static enum error_code finish(struct registry_world *world, const char *id, struct error *err)
{
    const struct digest digest = digest_of("one two");
    struct upload *upload = reopen(world, id);
    enum error_code code = upload_write(upload, str_from("two"), err);

    if (!code) {
        code = upload_suspend(upload, err);
    }
    if (!code) {
        code = upload_commit(upload, &digest, err);
    }
    upload_close(upload);
    return code;
}

/* The calls: open, write, suspend, publish. After suspend more is acknowledged than before. */
static void failing_store_loses_nothing_acknowledged(void **state)
{
    static const uint64_t acknowledged_bytes[] = {4, 4, 4, 7};
    struct registry_world *world = *state;

    for (unsigned i = 0; i < ARRAY_LEN(acknowledged_bytes); i++) {
        const char *id = rest(world, "one ");
        struct upload *upload = NULL;

        faulty_store_fail_at(world->blobs, i + 1, ERROR_NO_SPACE);
        assert_int_equal(finish(world, id, NULL), ERROR_NO_SPACE);
        assert_false(is_blob(world, "one two"));
        upload = reopen(world, id);
        assert_int_equal(upload_offset(upload), acknowledged_bytes[i]);
        upload_close(upload);
    }
    faulty_store_fail_at(world->blobs, 0, OK);
    assert_int_equal(finish(world, rest(world, "one "), NULL), OK);
    assert_true(is_blob(world, "one two"));
}

static void upload_that_cannot_be_discarded_stays(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one");
    struct upload *upload = reopen(world, id);

    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(upload_cancel(upload, NULL), ERROR_UNAVAILABLE);
    upload_close(upload);
    upload = reopen(world, id);
    assert_int_equal(upload_offset(upload), 3);
    upload_close(upload);
}

static void rest_that_cannot_be_recorded_is_none(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one ");
    struct upload *fresh = begin(world, DIGEST_SHA256);
    struct upload *upload = reopen(world, id);

    write_text(fresh, "fresh");
    write_text(upload, "two");
    registry_world_run_sql(world, "alter table upload rename to gone");
    assert_int_equal(upload_suspend(fresh, NULL), ERROR_INTERNAL);
    assert_int_equal(upload_suspend(upload, NULL), ERROR_INTERNAL);
    upload_close(fresh);
    upload_close(upload);
    assert_int_equal(try_open(world, id, &upload), ERROR_INTERNAL);
    registry_world_run_sql(world, "alter table gone rename to upload");
    upload = reopen(world, id);
    assert_int_equal(upload_offset(upload), 4);
    upload_close(upload);
    assert_int_equal(count_rows(world), 1);
}

static void committed_blob_is_one_though_its_row_stays(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("one");
    const char *id = rest(world, "one");
    struct upload *upload = reopen(world, id);
    struct upload_expiry expiry = {0};

    registry_world_run_sql(world, "alter table upload rename to gone");
    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
    registry_world_run_sql(world, "alter table gone rename to upload");
    assert_true(is_blob(world, "one"));
    assert_int_equal(count_rows(world), 1);
    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS + 1);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(expiry.expired, 1);
    assert_true(is_blob(world, "one"));
}

enum { WRITERS = 8, WRITES = 20 };

/* One of many that append to the same upload, each whenever it is let in. */
struct writer {
    pthread_t thread;
    struct registry *registry;
    struct upload_key key;
    size_t written;
    size_t failures;
};

static void *append(void *context)
{
    struct writer *writer = context;

    for (int i = 0; i < WRITES; i++) {
        struct upload *upload = NULL;
        enum error_code code = upload_open(writer->registry, &writer->key, &upload, NULL);

        if (code == ERROR_CONFLICT) {
            continue;
        }
        code = code ? code : upload_write(upload, str_from("x"), NULL);
        code = code ? code : upload_suspend(upload, NULL);
        writer->written += code == OK;
        writer->failures += code != OK;
        upload_close(upload);
    }
    return NULL;
}

static void whatever_was_acknowledged_is_there_though_many_write(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "");
    struct writer writers[WRITERS];
    struct upload *upload = NULL;
    size_t written = 0;

    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.registry = world->registry, .key = key_of(id)};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, append, &writers[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        (void)pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].failures, 0);
        written += writers[i].written;
    }
    assert_true(written > 0);
    upload = reopen(world, id);
    assert_int_equal(upload_offset(upload), written);
    upload_close(upload);
}

static void upload_that_another_instance_went_on_with_is_a_conflict(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one ");
    struct upload *upload = reopen(world, id);
    struct error err = {0};

    write_text(upload, "two");
    registry_world_run_sql(world, "update upload set offset_bytes = offset_bytes + 1");
    assert_int_equal(upload_suspend(upload, &err), ERROR_CONFLICT);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    upload_close(upload);
    assert_int_equal(registry_world_count(world, "select offset_bytes from upload"), 5);
}

static void upload_that_another_instance_ended_does_not_come_back(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one ");
    struct upload *upload = reopen(world, id);

    write_text(upload, "two");
    registry_world_run_sql(world, "delete from upload");
    assert_int_equal(upload_suspend(upload, NULL), ERROR_NOT_FOUND);
    upload_close(upload);
    assert_int_equal(count_rows(world), 0);
}

static void upload_that_is_being_written_is_not_stale_to_other_instances(void **state)
{
    struct registry_world *world = *state;
    const char *id = rest(world, "one ");
    struct upload *upload = reopen(world, id);
    long long begun_ms = 0;

    begun_ms = registry_world_count(world, "select updated_ms from upload");
    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS / 8);
    write_text(upload, "two"); /* not at each piece */
    assert_int_equal(registry_world_count(world, "select updated_ms from upload"), begun_ms);
    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS);
    write_text(upload, "three");
    assert_int_equal(registry_world_count(world, "select updated_ms from upload"),
                     begun_ms + WORLD_UPLOAD_LIFETIME_MS + WORLD_UPLOAD_LIFETIME_MS / 8);
    upload_close(upload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(whole_blob_in_one_request_needs_no_row),
        WORLD_TEST(empty_blob_is_a_blob),
        WORLD_TEST(rested_upload_goes_on_after_a_restart),
        WORLD_TEST(upload_rests_before_anything_was_written),
        WORLD_TEST(blob_may_be_named_by_either_algorithm),
        WORLD_TEST(wrong_digest_is_refused_and_the_upload_stays),
        WORLD_TEST(wrong_digest_of_another_algorithm_ends_the_upload),
        WORLD_TEST(what_did_not_come_to_rest_was_never_sent),
        WORLD_TEST(upload_that_never_rested_leaves_nothing),
        WORLD_TEST(upload_is_worked_on_by_one_request),
        WORLD_TEST(upload_is_unknown_by_any_other_name),
        WORLD_TEST(upload_is_bound_to_repository_and_identity),
        WORLD_TEST(upload_goes_on_with_the_credentials_it_was_begun_with),
        WORLD_TEST(cancelled_upload_is_gone),
        WORLD_TEST(upload_of_another_version_is_not_found),
        WORLD_TEST(upload_whose_bytes_are_gone_is_not_found),
        WORLD_TEST(upload_expires_when_it_rested_too_long),
        WORLD_TEST(uploads_expire_in_batches_until_none_is_left),
        WORLD_TEST(upload_that_somebody_works_on_does_not_expire),
        WORLD_TEST(upload_that_cannot_be_discarded_does_not_keep_the_others),
        WORLD_TEST(expiry_without_a_database_is_told),
        WORLD_TEST(failing_store_loses_nothing_acknowledged),
        WORLD_TEST(upload_that_cannot_be_discarded_stays),
        WORLD_TEST(rest_that_cannot_be_recorded_is_none),
        WORLD_TEST(committed_blob_is_one_though_its_row_stays),
        WORLD_TEST(whatever_was_acknowledged_is_there_though_many_write),
        WORLD_TEST(upload_that_another_instance_went_on_with_is_a_conflict),
        WORLD_TEST(upload_that_another_instance_ended_does_not_come_back),
        WORLD_TEST(upload_that_is_being_written_is_not_stale_to_other_instances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
