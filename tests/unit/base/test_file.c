#include "base/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"

enum { LIMIT_BYTES = 20 * 1024, MODE = 0640 };

struct fixture {
    char folder[sizeof("/tmp/file-XXXXXX")];
    char path[sizeof("/tmp/file-XXXXXX/name")];
    struct strbuf buf;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/file-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/name", fixture->folder);
    strbuf_init(&fixture->buf, LIMIT_BYTES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    strbuf_release(&fixture->buf);
    (void)unlink(fixture->path);
    (void)rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void write_bytes(const struct fixture *fixture, size_t count)
{
    FILE *file = fopen(fixture->path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fputc('a' + (int)(i % 26), file), 'a' + (int)(i % 26));
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(fixture->path, MODE), 0);
}

static void file_is_read_to_its_end_with_its_mode(void **state)
{
    struct fixture *fixture = *state;
    mode_t mode = 0;

    write_bytes(fixture, LIMIT_BYTES);
    assert_int_equal(file_read(fixture->path, FILE_REGULAR, &fixture->buf, &mode), OK);
    assert_int_equal(fixture->buf.length, LIMIT_BYTES);
    for (size_t i = 0; i < LIMIT_BYTES; i++) {
        assert_int_equal(fixture->buf.text[i], 'a' + (int)(i % 26));
    }
    assert_true(S_ISREG(mode));
    assert_int_equal(mode & ~(mode_t)S_IFMT, MODE);
}

static void what_is_in_the_buffer_stays_in_front(void **state)
{
    struct fixture *fixture = *state;

    write_bytes(fixture, 3);
    strbuf_append_text(&fixture->buf, "before ");
    assert_int_equal(file_read(fixture->path, FILE_ANY, &fixture->buf, NULL), OK);
    assert_string_equal(fixture->buf.text, "before abc");
}

static void nothing_is_read_beyond_the_limit(void **state)
{
    struct fixture *fixture = *state;
    mode_t mode = 0;

    write_bytes(fixture, LIMIT_BYTES + 1);
    assert_int_equal(file_read(fixture->path, FILE_REGULAR, &fixture->buf, &mode), ERROR_TOO_LARGE);
    assert_true(fixture->buf.length <= LIMIT_BYTES);
    assert_int_equal(mode & ~(mode_t)S_IFMT, MODE);
}

static void file_that_is_missing_is_not_found(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(file_read(fixture->path, FILE_ANY, &fixture->buf, NULL), ERROR_NOT_FOUND);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(file_read("/dev/null/name", FILE_ANY, &fixture->buf, NULL), ERROR_NOT_FOUND);
    assert_int_equal(errno, ENOTDIR);
}

static void file_that_may_not_be_read_is_denied(void **state)
{
    struct fixture *fixture = *state;

    write_bytes(fixture, 1);
    assert_int_equal(chmod(fixture->path, 0), 0);
    if (geteuid() == 0) { /* may read all */
        skip();
    }
    assert_int_equal(file_read(fixture->path, FILE_ANY, &fixture->buf, NULL), ERROR_DENIED);
    assert_int_equal(errno, EACCES);
}

static void pipe_is_no_regular_file_and_not_waited_for(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkfifo(fixture->path, MODE), 0);
    assert_int_equal(file_read(fixture->path, FILE_REGULAR, &fixture->buf, NULL), ERROR_INVALID);
}

static void other_kinds_are_read_where_they_may_be(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(file_read("/dev/null", FILE_ANY, &fixture->buf, NULL), OK);
    assert_int_equal(fixture->buf.length, 0);
    assert_int_equal(file_read("/dev/null", FILE_REGULAR, &fixture->buf, NULL), ERROR_INVALID);
}

static void folder_cannot_be_read(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(file_read(fixture->folder, FILE_ANY, &fixture->buf, NULL), ERROR_INTERNAL);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(file_read(fixture->folder, FILE_REGULAR, &fixture->buf, NULL), ERROR_INVALID);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

enum { A_SECOND_MS = 1000 };

static void disk_with_less_than_the_reserve_is_full(void **state)
{
    struct fake_clock clock;
    struct free_space space = {
        .folders = {"/"}, .reserve_bytes = UINT64_MAX, .clock = &clock.clock};
    struct error err = {0};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, &err), ERROR_NO_SPACE);
    assert_non_null(strstr(err.message, "limits.free_space"));
}

static void disk_is_looked_at_once_a_second(void **state)
{
    struct fake_clock clock;
    struct free_space space = {.folders = {"/"}, .reserve_bytes = 1, .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, NULL), OK);
    space.reserve_bytes = UINT64_MAX;
    fake_clock_advance(&clock, A_SECOND_MS - 1);
    assert_int_equal(free_space_check(&space, NULL), OK);
    fake_clock_advance(&clock, 1);
    assert_int_equal(free_space_check(&space, NULL), ERROR_NO_SPACE);
    space.reserve_bytes = 1;
    fake_clock_advance(&clock, A_SECOND_MS);
    assert_int_equal(free_space_check(&space, NULL), OK);
}

static void second_disk_counts_too(void **state)
{
    struct fake_clock clock;
    struct free_space space = {
        .folders = {"/no such folder", "/"}, .reserve_bytes = UINT64_MAX, .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, NULL), ERROR_NO_SPACE);
}

static void what_cannot_be_looked_at_is_not_full(void **state)
{
    struct fake_clock clock;
    struct free_space space = {
        .folders = {"/no such folder"}, .reserve_bytes = UINT64_MAX, .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, NULL), OK);
}

static void nobody_has_to_keep_a_reserve(void **state)
{
    struct free_space space = {.folders = {"/"}};

    (void)state;
    assert_int_equal(free_space_check(NULL, NULL), OK);
    assert_int_equal(free_space_check(&space, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(file_is_read_to_its_end_with_its_mode),
        FILE_TEST(what_is_in_the_buffer_stays_in_front),
        FILE_TEST(nothing_is_read_beyond_the_limit),
        FILE_TEST(file_that_is_missing_is_not_found),
        FILE_TEST(file_that_may_not_be_read_is_denied),
        FILE_TEST(pipe_is_no_regular_file_and_not_waited_for),
        FILE_TEST(other_kinds_are_read_where_they_may_be),
        FILE_TEST(folder_cannot_be_read),
        cmocka_unit_test(disk_with_less_than_the_reserve_is_full),
        cmocka_unit_test(disk_is_looked_at_once_a_second),
        cmocka_unit_test(second_disk_counts_too),
        cmocka_unit_test(what_cannot_be_looked_at_is_not_full),
        cmocka_unit_test(nobody_has_to_keep_a_reserve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
