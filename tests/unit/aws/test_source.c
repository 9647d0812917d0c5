#include "aws/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/stub_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/aws/aws_world.h"

static void an_empty_variable_is_not_set(void **state)
{
    struct aws_world world;

    (void)state;
    aws_world_init(&world);
    aws_world_set(&world, "EMPTY", "");
    aws_world_set(&world, "FULL", "x");
    assert_null(aws_source_variable(&world.config, "EMPTY"));
    assert_null(aws_source_variable(&world.config, "MISSING"));
    assert_string_equal(aws_source_variable(&world.config, "FULL"), "x");
    aws_world_release(&world);
}

static void check_file(const char *path, size_t limit_bytes, enum error_code code,
                       const char *result)
{
    struct strbuf text;
    struct error err = {0};

    strbuf_init(&text, limit_bytes);
    assert_int_equal(aws_source_read_file(path, &text, &err), code);
    assert_string_equal(code ? err.message : text.text, result);
    strbuf_release(&text);
}

static void only_regular_files_within_the_limit_are_read(void **state)
{
    char *folder = temporary_folder_new();
    char *path = aws_world_file(folder, "token", "12345");

    (void)state;
    check_file(path, 5, OK, "12345");
    check_file(path, 4, ERROR_INVALID, "has more than 4 bytes");
    check_file(folder, 5, ERROR_INVALID, "is not a regular file");
    check_file("/dev/null", 5, ERROR_INVALID, "is not a regular file");
    check_file("/nowhere/at/all", 5, ERROR_NOT_FOUND, "there is no such file");
    check_file("/dev/null/x", 5, ERROR_NOT_FOUND, "there is no such file");
    free(path);
    temporary_folder_free(folder);
}

static void the_first_line_comes_without_white_space(void **state)
{
    static const struct {
        const char *text;
        const char *line;
    } cases[] = {
        {"token", "token"},
        {" token \r\nmore\n", "token"},
        {"\n", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf text;

        strbuf_init(&text, 64);
        strbuf_append_text(&text, cases[i].text);
        assert_true(str_is(aws_source_first_line(&text), cases[i].line));
        strbuf_release(&text);
    }
}

static void what_breaks_out_of_a_header_is_no_value(void **state)
{
    (void)state;
    assert_true(aws_source_is_header_value(str_from("Bearer abc==")));
    assert_false(aws_source_is_header_value(str_from("")));
    assert_false(aws_source_is_header_value(str_from("a\r\nb: c")));
    assert_false(aws_source_is_header_value(str_from("\xc3\xa9")));
    assert_false(aws_source_is_header_value((struct str){"a\0b", 3}));
}

static void check_answer(const char *answer, const char *message)
{
    const char *const answers[] = {answer, NULL};
    struct stub_server *server = stub_server_new(answers);
    const struct outbound_request request = {.url = stub_server_url(server)};
    struct aws_key_copy copy = {0};
    struct aws_world world;

    aws_world_init(&world);
    assert_int_equal(aws_source_ask_keys(&world.config, &request, "the service", &copy, &world.err),
                     ERROR_UNAVAILABLE);
    assert_non_null(strstr(world.err.message, message));
    assert_null(strstr(world.err.message, "hidden"));
    aws_world_release(&world);
    stub_server_free(server);
}

static void an_answer_without_keys_is_explained(void **state)
{
    (void)state;
    check_answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nhidden",
                 "the service answered 403");
    check_answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden",
                 "the service: the answer is no JSON object");
    check_answer("", "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_variable_is_not_set),
        cmocka_unit_test(only_regular_files_within_the_limit_are_read),
        cmocka_unit_test(the_first_line_comes_without_white_space),
        cmocka_unit_test(what_breaks_out_of_a_header_is_no_value),
        cmocka_unit_test(an_answer_without_keys_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
