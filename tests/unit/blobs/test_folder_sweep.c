#include "blobs/folder_sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "blobs/filesystem_store.h"
#include "tests/support/blob_helper.h"
#include "tests/support/temporary_folder.h"

/* A store with blobs "old" and "named", and what was said of them. */
struct fixture {
    char *folder;
    struct blob_store *store;
    struct folder_sweep sweep;
    struct digest named;
    unsigned told;
    unsigned marked;
    unsigned published;
    bool is_young_when_marked; /* somebody names all that is to be marked just before */
    bool fails;
};

static enum error_code is_named(void *context, const struct digest *digest, bool *is_named_out,
                                struct error *err)
{
    const struct fixture *fixture = context;

    *is_named_out = digest_equal(digest, &fixture->named);
    return fixture->fails ? error_set(err, ERROR_UNAVAILABLE, "no answer") : OK;
}

static enum error_code mark(void *context, const struct digest *digests, size_t count,
                            bool *gone_out, struct error *err)
{
    struct fixture *fixture = context;

    (void)digests;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        gone_out[i] = !fixture->is_young_when_marked;
        fixture->marked++;
    }
    return OK;
}

static void tell(void *context, const struct old_blob *blob)
{
    struct fixture *fixture = context;

    assert_int_equal(blob->size_bytes, 3);
    fixture->told++;
}

static enum error_code publish(void *context, const struct digest *digest, struct error *err)
{
    struct fixture *fixture = context;

    (void)digest;
    (void)err;
    fixture->published++;
    return OK;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const struct blob_watch watch = {fixture, publish};

    fixture->folder = temporary_folder_new();
    assert_int_equal(filesystem_store_new(fixture->folder, &fixture->store, NULL), OK);
    filesystem_store_watch(fixture->store, &watch);
    assert_int_equal(test_blob_push(fixture->store, str_from("old"), NULL), OK);
    assert_int_equal(test_blob_push(fixture->store, str_from("named"), NULL), OK);
    fixture->named = hasher_digest_of(DIGEST_SHA256, str_from("named"));
    fixture->sweep = (struct folder_sweep){
        .path = fixture->folder,
        .untouched_since_ms = INT64_MAX,
        .removes = true,
        .context = fixture,
        .is_named = is_named,
        .mark = mark,
        .tell = tell,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    blob_store_free(fixture->store);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static bool is_there(struct fixture *fixture, const char *content)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from(content));

    return test_blob_is(fixture->store, &digest, str_from(content));
}

static void what_nothing_names_is_removed_beside_the_store(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), OK);
    assert_int_equal(fixture->told, 1);
    assert_int_equal(fixture->marked, 1);
    assert_false(is_there(fixture, "old"));
    assert_true(is_there(fixture, "named"));
}

static void looking_removes_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->sweep.removes = false;
    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), OK);
    assert_int_equal(fixture->told, 1);
    assert_int_equal(fixture->marked, 0);
    assert_true(is_there(fixture, "old"));
}

static void what_is_young_stays(void **state)
{
    struct fixture *fixture = *state;

    fixture->sweep.untouched_since_ms = 0;
    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), OK);
    assert_int_equal(fixture->told, 0);
    assert_true(is_there(fixture, "old"));
}

static void what_was_named_at_the_last_moment_stays(void **state)
{
    struct fixture *fixture = *state;

    fixture->is_young_when_marked = true;
    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), OK);
    assert_int_equal(fixture->marked, 1);
    assert_int_equal(fixture->told, 0);
    assert_true(is_there(fixture, "old"));
}

static void blob_that_is_pushed_again_is_told_and_young(void **state)
{
    struct fixture *fixture = *state;
    const unsigned published = fixture->published;

    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), OK);
    fixture->sweep.untouched_since_ms = clock_wall_ms(&clock_system) - 3600 * INT64_C(1000);
    assert_int_equal(test_blob_push(fixture->store, str_from("old"), NULL), OK);
    assert_int_equal(fixture->published, published + 1);
    assert_int_equal(test_blob_push(fixture->store, str_from("old"), NULL), OK);
    assert_int_equal(fixture->published, published + 2);
    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), OK);
    assert_true(is_there(fixture, "old"));
}

static void who_cannot_tell_what_is_named_removes_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->fails = true;
    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), ERROR_UNAVAILABLE);
    assert_true(is_there(fixture, "old"));
    fixture->sweep.path = "/no such folder";
    assert_int_equal(folder_sweep_run(&fixture->sweep, NULL), ERROR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_nothing_names_is_removed_beside_the_store),
        TEST(looking_removes_nothing),
        TEST(what_is_young_stays),
        TEST(what_was_named_at_the_last_moment_stays),
        TEST(blob_that_is_pushed_again_is_told_and_young),
        TEST(who_cannot_tell_what_is_named_removes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
