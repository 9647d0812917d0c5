/* What needs a terminal is in tests/blackbox/test_users.py. */
#include "base/password_prompt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

enum { SECRET_BYTES = 8 };

/* Standard input is what was written, then its end. */
static void feed(struct str text)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text.bytes, text.length), (ssize_t)text.length);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(ends[0]), 0);
}

static void the_first_line_is_the_password(void **state)
{
    static const struct {
        const char *input;
        const char *password;
    } cases[] = {
        {"secret\nmore\n", "secret"}, {"secret", "secret"}, {"secret\r\n", "secret"},
        {" a\tb \n", " a\tb "},       {"\n", ""},           {"\r\n", ""},
        {"12345678\n", "12345678"},   {"a\rb\n", "a\rb"},   {"p\xc3\xa4ss\n", "p\xc3\xa4ss"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf secret;

        feed(str_from(cases[i].input));
        strbuf_init_secret(&secret, SECRET_BYTES);
        assert_int_equal(password_read_line(&secret, NULL), OK);
        assert_string_equal(secret.text, cases[i].password);
        strbuf_release(&secret);
    }
}

static void no_more_than_the_line_is_taken(void **state)
{
    struct strbuf secret;
    char rest[8] = "";

    (void)state;
    feed(str_from("one\ntwo\n"));
    strbuf_init_secret(&secret, SECRET_BYTES);
    assert_int_equal(password_read_line(&secret, NULL), OK);
    assert_int_equal(read(STDIN_FILENO, rest, sizeof(rest) - 1), 4);
    assert_string_equal(rest, "two\n");
    strbuf_release(&secret);
}

static void what_is_no_password_is_refused_without_it(void **state)
{
    static const struct {
        struct str input;
        const char *word;
    } cases[] = {
        {STR_LITERAL(""), "no password on standard input"},
        {STR_LITERAL("123456789\n"), "longer than 8 bytes"},
        {STR_LITERAL("se\0cret\n"), "NUL"},
        {STR_LITERAL("\0\n"), "NUL"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf secret;
        struct error err = {0};

        feed(cases[i].input);
        strbuf_init_secret(&secret, SECRET_BYTES);
        assert_int_equal(password_read_line(&secret, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].word));
        assert_null(strstr(err.message, "123"));
        strbuf_release(&secret);
    }
}

static void input_that_cannot_be_read_is_an_error(void **state)
{
    struct strbuf secret;
    struct error err = {0};

    (void)state;
    assert_int_equal(close(STDIN_FILENO), 0);
    strbuf_init_secret(&secret, SECRET_BYTES);
    assert_int_equal(password_read_line(&secret, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "cannot read"));
    strbuf_release(&secret);
    feed(str_from(""));
}

static void without_a_terminal_nothing_is_asked(void **state)
{
    struct strbuf secret;
    struct error err = {0};

    (void)state;
    feed(str_from("secret\n"));
    strbuf_init_secret(&secret, SECRET_BYTES);
    assert_int_equal(password_prompt("Password", &secret, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "--password-stdin"));
    assert_int_equal(secret.length, 0);
    strbuf_release(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_is_the_password),
        cmocka_unit_test(no_more_than_the_line_is_taken),
        cmocka_unit_test(what_is_no_password_is_refused_without_it),
        cmocka_unit_test(input_that_cannot_be_read_is_an_error),
        cmocka_unit_test(without_a_terminal_nothing_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
