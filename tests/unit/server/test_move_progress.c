#include "server/move_progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"

struct fixture {
    struct fake_clock clock;
    struct move_progress progress;
    char *text;
    size_t length;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fake_clock_init(&fixture->clock);
    fixture->progress = (struct move_progress){
        .out = open_memstream(&fixture->text, &fixture->length),
        .clock = &fixture->clock.clock,
        .blobs = 10,
        .blob_bytes = 20 * 1024 * 1024,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    (void)fclose(fixture->progress.out);
    free(fixture->text);
    free(fixture);
    return 0;
}

static bool says(struct fixture *fixture, const char *text)
{
    assert_int_equal(fflush(fixture->progress.out), 0);
    return strstr(fixture->text, text) != NULL;
}

static void show_some(struct fixture *fixture, int64_t after_ms, uint64_t copied)
{
    const struct blob_transfer_count count = {
        .copied = copied, .copied_bytes = copied * 1024 * 1024, .present = 1};

    fake_clock_advance(&fixture->clock, after_ms);
    move_progress_blobs(&fixture->progress, &count);
}

static void lines_come_now_and_then_and_at_the_end(void **state)
{
    struct fixture *fixture = *state;

    move_progress_begin(&fixture->progress, "blobs");
    show_some(fixture, 9999, 3);
    assert_false(says(fixture, " of 10"));
    show_some(fixture, 1, 4);
    assert_true(says(fixture, "blobs: 5 of 10 (1 were there), 4 MiB copied of 20 MiB"));
    show_some(fixture, 1, 9);
    assert_true(says(fixture, "blobs: 10 of 10"));
    assert_false(says(fixture, "\r"));
}

static void terminal_shows_each_second_over_the_last(void **state)
{
    struct fixture *fixture = *state;

    fixture->progress.is_terminal = true;
    move_progress_begin(&fixture->progress, "blobs");
    show_some(fixture, 1000, 4);
    assert_true(says(fixture, "\rblobs: 5 of 10"));
}

static void damage_and_rows_are_told(void **state)
{
    struct fixture *fixture = *state;
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from(""));

    move_progress_begin(&fixture->progress, "rows");
    move_progress_damaged(&fixture->progress, &digest, "it is gone");
    assert_true(says(fixture, "damaged: sha256:e3b0c44298fc1c149afbf4c8996fb924"));
    assert_true(says(fixture, ": it is gone\n"));
    move_progress_rows(&fixture->progress, "tag", 500);
    assert_false(says(fixture, "tag"));
    fake_clock_advance(&fixture->clock, 10000);
    move_progress_rows(&fixture->progress, "tag", 1000);
    assert_true(says(fixture, "tag: 1000 rows\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_now_and_then_and_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(terminal_shows_each_second_over_the_last, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(damage_and_rows_are_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
