#include "registry/open_uploads.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

enum { THREADS = 8, ROUNDS = 2000 };

static void upload_is_open_once_at_a_time(void **state)
{
    struct open_uploads uploads;
    struct open_upload first = {.id = "a"};
    struct open_upload second = {.id = "a"};
    struct open_upload other = {.id = "b"};

    (void)state;
    open_uploads_init(&uploads);
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
    open_uploads_init(&uploads);
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
    open_uploads_init(&uploads);
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

/* What all threads of the test share. */
struct crowd {
    struct open_uploads uploads;
    atomic_int inside;
    atomic_int entered;
};

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
    open_uploads_init(&crowd.uploads);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload_is_open_once_at_a_time),
        cmocka_unit_test(what_is_open_to_be_ended_is_known),
        cmocka_unit_test(one_upload_of_an_identity_is_hashed_again_at_a_time),
        cmocka_unit_test(of_many_threads_one_is_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
