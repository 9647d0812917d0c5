#include "server/secret_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/temporary_folder.h"

struct fixture {
    char *folder;
    char path[256];
    struct strbuf secret;
    struct error err;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture.folder = temporary_folder_new();
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/secret", fixture.folder);
    strbuf_init_secret(&fixture.secret, SECRET_MAX_BYTES);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    strbuf_release(&fixture->secret);
    temporary_folder_free(fixture->folder);
    return 0;
}

static void write_file(const struct fixture *fixture, const char *text, mode_t mode)
{
    FILE *file = fopen(fixture->path, "w");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(fixture->path, mode), 0);
}

static enum error_code read_secret(struct fixture *fixture)
{
    strbuf_clear(&fixture->secret);
    return secret_file_read(fixture->path, &fixture->secret, &fixture->err);
}

static void a_secret_is_read_without_the_line_end(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture, "0123456789abcdef0123456789abcdef \r\n\n", 0640);
    assert_int_equal(read_secret(fixture), OK);
    assert_string_equal(fixture->secret.text, "0123456789abcdef0123456789abcdef");
}

static void what_is_no_secret_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static char text[2 * SECRET_MAX_BYTES + 2];

    assert_int_equal(read_secret(fixture), ERROR_NOT_FOUND);
    assert_non_null(strstr(fixture->err.message, "openssl rand"));
    write_file(fixture, "0123456789abcdef0123456789abcde\n", 0600);
    assert_int_equal(read_secret(fixture), ERROR_INVALID);
    assert_non_null(strstr(fixture->err.message, "has 31 bytes"));
    memset(text, 'x', SECRET_MAX_BYTES + 1);
    write_file(fixture, text, 0600);
    assert_int_equal(read_secret(fixture), ERROR_INVALID);
    assert_non_null(strstr(fixture->err.message, "has 4097 bytes"));
    memset(text, 'x', 2 * SECRET_MAX_BYTES + 1);
    write_file(fixture, text, 0600);
    assert_int_equal(read_secret(fixture), ERROR_INVALID);
    assert_non_null(strstr(fixture->err.message, "has more than 8192 bytes"));
    write_file(fixture, "0123456789abcdef0123456789abcdef", 0604);
    assert_int_equal(read_secret(fixture), ERROR_INVALID);
    assert_non_null(strstr(fixture->err.message, "chmod o="));
    assert_null(strstr(fixture->err.message, "0123"));
}

static void a_missing_one_is_made_once(void **state)
{
    struct fixture *fixture = *state;
    char first[SECRET_MAX_BYTES];
    struct stat status;

    assert_int_equal(secret_file_need(fixture->path, &fixture->secret, &fixture->err), OK);
    assert_true(fixture->secret.length >= SECRET_MIN_BYTES);
    (void)snprintf(first, sizeof(first), "%s", fixture->secret.text);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    strbuf_clear(&fixture->secret);
    assert_int_equal(secret_file_need(fixture->path, &fixture->secret, &fixture->err), OK);
    assert_string_equal(fixture->secret.text, first);
}

static void one_that_is_wrong_is_not_replaced(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture, "short", 0600);
    assert_int_equal(secret_file_need(fixture->path, &fixture->secret, &fixture->err),
                     ERROR_INVALID);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(secret_file_need("/nonexistent/secret", &fixture->secret, &fixture->err),
                     ERROR_INTERNAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_secret_is_read_without_the_line_end),
        TEST(what_is_no_secret_is_refused),
        TEST(a_missing_one_is_made_once),
        TEST(one_that_is_wrong_is_not_replaced),
        TEST(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
