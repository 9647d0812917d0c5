#include "registry/open_uploads.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "registry/uploads.h"
#include "registry_world.h"

enum { THREADS = 8, ROUNDS = 2000 };

/* What all threads of the test share. */
struct crowd {
    struct open_uploads uploads;
    atomic_int inside;
    atomic_int entered;
};

static void upload_is_open_once_at_a_time(void **state)
{
    struct open_uploads uploads;
    struct open_upload first = {.id = "a"};
    struct open_upload second = {.id = "a"};
    struct open_upload other = {.id = "b"};

    (void)state;
    open_uploads_init(&uploads, NULL);
    assert_true(open_uploads_enter(&uploads, &first));
    assert_false(open_uploads_enter(&uploads, &second));
    assert_true(open_uploads_enter(&uploads, &other));
    open_uploads_leave(&uploads, &first);
    assert_true(open_uploads_enter(&uploads, &second));
    open_uploads_leave(&uploads, &second);
    open_uploads_leave(&uploads, &other);
    open_uploads_release(&uploads);
}

static void what_is_open_to_be_ended_is_known(void **state)
{
    struct open_uploads uploads;
    struct open_upload going_on = {.id = "a"};
    struct open_upload ending = {.id = "b", .ends = true};

    (void)state;
    open_uploads_init(&uploads, NULL);
    assert_true(open_uploads_enter(&uploads, &going_on));
    assert_true(open_uploads_enter(&uploads, &ending));
    assert_true(open_uploads_is_going_on(&uploads, "a"));
    assert_false(open_uploads_is_going_on(&uploads, "b"));
    assert_false(open_uploads_is_going_on(&uploads, "c"));
    open_uploads_leave(&uploads, &going_on);
    open_uploads_leave(&uploads, &ending);
    assert_false(open_uploads_is_going_on(&uploads, "a"));
    open_uploads_release(&uploads);
}

static void one_upload_of_an_identity_is_hashed_again_at_a_time(void **state)
{
    struct open_uploads uploads;
    struct open_upload open[] = {
        {.id = "a", .use = {.created_by = STR_LITERAL("one")}},
        {.id = "b", .use = {.created_by = STR_LITERAL("one")}},
        {.id = "c", .use = {.created_by = STR_LITERAL("two")}},
        {.id = "d", .use = {.created_by = STR_LITERAL("three")}},
    };

    (void)state;
    open_uploads_init(&uploads, NULL);
    for (size_t i = 0; i < ARRAY_LEN(open); i++) {
        assert_true(open_uploads_enter(&uploads, &open[i]));
    }
    assert_true(open_uploads_begin_rehash(&uploads, &open[0]));
    assert_true(open_uploads_begin_rehash(&uploads, &open[0])); /* it has its turn */
    assert_false(open_uploads_begin_rehash(&uploads, &open[1]));
    assert_true(open_uploads_begin_rehash(&uploads, &open[2]));
    assert_false(open_uploads_begin_rehash(&uploads, &open[3]));
    open_uploads_leave(&uploads, &open[0]);
    assert_true(open_uploads_begin_rehash(&uploads, &open[3]));
    assert_false(open_uploads_begin_rehash(&uploads, &open[1]));
    open_uploads_leave(&uploads, &open[2]);
    assert_true(open_uploads_begin_rehash(&uploads, &open[1]));
    open_uploads_leave(&uploads, &open[1]);
    open_uploads_leave(&uploads, &open[3]);
    open_uploads_release(&uploads);
}

/* Not from cmocka: its assertions belong to the thread of the test. */
static void *enter_and_leave(void *context)
{
    struct crowd *crowd = context;
    struct open_upload upload = {.id = "a"};
    bool was_alone = true;

    for (int i = 0; i < ROUNDS; i++) {
        if (open_uploads_enter(&crowd->uploads, &upload)) {
            was_alone = was_alone && atomic_fetch_add(&crowd->inside, 1) == 0;
            (void)atomic_fetch_add(&crowd->entered, 1);
            (void)atomic_fetch_sub(&crowd->inside, 1);
            open_uploads_leave(&crowd->uploads, &upload);
        }
    }
    return was_alone ? crowd : NULL;
}

static void of_many_threads_one_is_inside(void **state)
{
    struct crowd crowd = {.inside = 0};
    pthread_t threads[THREADS];

    (void)state;
    open_uploads_init(&crowd.uploads, NULL);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, &crowd), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *result = NULL;

        (void)pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    assert_true(atomic_load(&crowd.entered) > 0);
    open_uploads_release(&crowd.uploads);
}

static enum error_code try_begin(struct registry_world *world, const char *identity,
                                 const char *repository, struct upload **upload_out)
{
    const struct upload_key key = {
        .repository = repository_of(repository),
        .identity = str_from(identity),
    };

    world->err = (struct error){0};
    return upload_begin(world->registry, &key, DIGEST_SHA256, upload_out, &world->err);
}

static struct upload *begin(struct registry_world *world, const char *identity,
                            const char *repository)
{
    struct upload *upload = NULL;

    assert_int_equal(try_begin(world, identity, repository, &upload), OK);
    return upload;
}

/* An upload that rests with so many bytes. */
static void rest(struct registry_world *world, const char *identity, const char *repository,
                 const char *content)
{
    struct upload *upload = begin(world, identity, repository);

    assert_int_equal(upload_write(upload, str_from(content), NULL), OK);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    upload_close(upload);
}

static void assert_refused(struct registry_world *world, enum error_code code, const char *setting)
{
    assert_int_equal(code, ERROR_TOO_MANY);
    assert_true(world->err.retry_after_s > 0);
    assert_non_null(strstr(world->err.message, setting));
}

static void identity_has_a_number_of_uploads(void **state)
{
    struct registry_world *world = *state;
    struct upload *upload = NULL;

    registry_world_limit(world, &(struct upload_limits){.of_identity = {.uploads = 2}});
    rest(world, "jdoe", "team/app", "");
    rest(world, "jdoe", "other/app", "");
    assert_refused(world, try_begin(world, "jdoe", "third/app", &upload),
                   "limits.identity_uploads");
    upload_close(begin(world, "somebody", "team/app"));
}

static void team_has_a_number_of_uploads(void **state)
{
    struct registry_world *world = *state;
    struct upload *upload = NULL;

    registry_world_limit(world, &(struct upload_limits){.of_team = {.uploads = 2}});
    rest(world, "jdoe", "team/app", "");
    rest(world, "somebody", "team/other", "");
    assert_refused(world, try_begin(world, "third", "team/third", &upload), "limits.team_uploads");
    upload_close(begin(world, "third", "teams/app"));
}

/* One that comes whole in one request is in no table. */
static void uploads_that_do_not_rest_count_as_well(void **state)
{
    struct registry_world *world = *state;
    struct upload *first = NULL;
    struct upload *second = NULL;

    registry_world_limit(world, &(struct upload_limits){.of_identity = {.uploads = 1}});
    first = begin(world, "jdoe", "team/app");
    assert_refused(world, try_begin(world, "jdoe", "team/app", &second), "identity_uploads");
    assert_int_equal(upload_suspend(first, NULL), OK);
    assert_refused(world, try_begin(world, "jdoe", "team/app", &second), "identity_uploads");
    assert_int_equal(upload_cancel(first, NULL), OK);
    upload_close(first);
    upload_close(begin(world, "jdoe", "team/app"));
}

static void bytes_of_all_uploads_are_limited(void **state)
{
    struct registry_world *world = *state;
    struct upload *first = NULL;
    struct upload *second = NULL;

    registry_world_limit(world, &(struct upload_limits){.of_identity = {.bytes = 10}});
    rest(world, "jdoe", "team/app", "four");
    first = begin(world, "jdoe", "team/app");
    assert_int_equal(upload_write(first, str_from("four"), NULL), OK);
    second = begin(world, "jdoe", "team/app");
    assert_refused(world, upload_write(second, str_from("four"), &world->err),
                   "limits.identity_upload_size");
    assert_int_equal(upload_offset(second), 0);
    assert_int_equal(upload_check_room(second, 2, NULL), OK);
    assert_refused(world, upload_check_room(second, 3, &world->err), "identity_upload_size");
    upload_close(first);
    assert_int_equal(upload_write(second, str_from("four"), NULL), OK);
    upload_close(second);
}

static void bytes_of_a_team_are_limited(void **state)
{
    struct registry_world *world = *state;
    struct upload *upload = NULL;

    registry_world_limit(world, &(struct upload_limits){.of_team = {.bytes = 7}});
    rest(world, "jdoe", "team/app", "four");
    upload = begin(world, "somebody", "team/app");
    assert_refused(world, upload_write(upload, str_from("four"), &world->err),
                   "limits.team_upload_size");
    upload_close(upload);
}

/* However small its pieces are. */
static void stream_ends_at_its_share(void **state)
{
    enum { PIECE_BYTES = 1024 * 1024, SHARE_BYTES = 20 * PIECE_BYTES, PIECES = 64 };
    static char piece[PIECE_BYTES];
    struct registry_world *world = *state;
    struct upload *upload = NULL;
    enum error_code code = OK;
    size_t taken = 0;

    registry_world_limit(world, &(struct upload_limits){.of_identity = {.bytes = SHARE_BYTES}});
    upload = begin(world, "jdoe", "team/app");
    for (taken = 0; taken < PIECES && !code; taken++) {
        code = upload_write(upload, (struct str){piece, sizeof(piece)}, &world->err);
    }
    assert_refused(world, code, "identity_upload_size");
    assert_int_equal(taken, SHARE_BYTES / PIECE_BYTES + 1); /* with the one that was refused */
    upload_close(upload);
}

static void upload_may_end_whatever_others_hold(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("four");
    struct upload *upload = NULL;

    registry_world_limit(world, &(struct upload_limits){.of_identity = {.bytes = 5}});
    upload = begin(world, "jdoe", "team/app");
    assert_int_equal(upload_write(upload, str_from("four"), NULL), OK);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    registry_world_run_sql(world, "update upload_sum set bytes = 100");
    assert_int_equal(upload_check_room(upload, 0, NULL), OK);
    assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    upload_close(upload);
}

static void full_disk_takes_no_push(void **state)
{
    struct registry_world *world = *state;
    struct manifest_found found;
    struct upload *upload = NULL;
    const char *image = registry_world_make_image(world, "layer", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    upload = begin(world, "jdoe", "team/app");
    registry_world_keep_free(world, UINT64_MAX);
    assert_int_equal(upload_write(upload, str_from("x"), NULL), ERROR_NO_SPACE);
    upload_close(upload);
    assert_int_equal(try_begin(world, "jdoe", "team/app", &upload), ERROR_NO_SPACE);
    assert_int_equal(registry_world_push(world, "team/app", "2.0", image), ERROR_NO_SPACE);
    assert_int_equal(registry_world_find(world, "team/app", "1.0", &found), OK);
}

static int64_t counted(const struct registry_world *world, const char *name)
{
    return metrics_number(world->metrics, "pierone_uploads", NULL, name);
}

static void what_becomes_of_uploads_is_counted(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("one two"));
    struct upload *committed = begin(world, "jdoe", "team/app");
    struct upload *cancelled = begin(world, "jdoe", "team/app");

    assert_int_equal(counted(world, "begun_total"), 2);
    assert_int_equal(counted(world, "open"), 2);
    assert_int_equal(upload_write(committed, str_from("one two"), NULL), OK);
    assert_int_equal(upload_write(cancelled, str_from("three"), NULL), OK);
    assert_int_equal(counted(world, "received_bytes_total"), 12);
    assert_int_equal(upload_commit(committed, &digest, NULL), OK);
    assert_int_equal(upload_cancel(cancelled, NULL), OK);
    upload_close(committed);
    upload_close(cancelled);
    assert_int_equal(counted(world, "committed_total"), 1);
    assert_int_equal(counted(world, "cancelled_total"), 1);
    assert_int_equal(counted(world, "open"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_becomes_of_uploads_is_counted),
        cmocka_unit_test(upload_is_open_once_at_a_time),
        cmocka_unit_test(what_is_open_to_be_ended_is_known),
        cmocka_unit_test(one_upload_of_an_identity_is_hashed_again_at_a_time),
        cmocka_unit_test(of_many_threads_one_is_inside),
        WORLD_TEST(identity_has_a_number_of_uploads),
        WORLD_TEST(team_has_a_number_of_uploads),
        WORLD_TEST(uploads_that_do_not_rest_count_as_well),
        WORLD_TEST(bytes_of_all_uploads_are_limited),
        WORLD_TEST(bytes_of_a_team_are_limited),
        WORLD_TEST(stream_ends_at_its_share),
        WORLD_TEST(upload_may_end_whatever_others_hold),
        WORLD_TEST(full_disk_takes_no_push),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
