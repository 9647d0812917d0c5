#include "http/chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "base/strbuf.h"

enum { BODY_MAX_BYTES = 100000 };

/* Reads a piece, which it copies, so that the address sanitizer sees a read beyond it. */
static enum chunked_result read_piece(struct chunked *chunked, struct str *input,
                                      struct strbuf *body)
{
    char *copy = memory_new(input->length, 1);
    struct str piece = {copy, input->length};
    enum chunked_result result = CHUNKED_DATA;

    memcpy(copy, input->bytes, input->length);
    while (result == CHUNKED_DATA) {
        struct str data = {0};

        result = chunked_read(chunked, &piece, &data);
        if (result == CHUNKED_DATA) {
            assert_true(data.length > 0);
            assert_true(data.bytes >= copy && data.bytes + data.length <= copy + input->length);
            strbuf_append(body, data);
        }
    }
    *input = str_from_index(*input, input->length - piece.length);
    free(copy);
    return result;
}

/* Reads the input in pieces of that size; *input is what is left of it then. */
static enum chunked_result read_in_pieces(struct str *input, size_t piece_bytes,
                                          struct strbuf *body)
{
    struct chunked chunked;
    enum chunked_result result = CHUNKED_MORE;

    chunked_init(&chunked);
    strbuf_clear(body);
    while (result == CHUNKED_MORE && input->length > 0) {
        struct str piece = str_slice(*input, 0, piece_bytes);
        const size_t length = piece.length;

        result = read_piece(&chunked, &piece, body);
        *input = str_from_index(*input, length - piece.length);
    }
    return result;
}

/* Pieces of every size must give the same. */
static void assert_reads_as(struct str coded, enum chunked_result wanted, const char *wanted_body,
                            const char *wanted_rest)
{
    struct strbuf body;

    strbuf_init(&body, BODY_MAX_BYTES);
    for (size_t piece_bytes = 1; piece_bytes <= coded.length; piece_bytes++) {
        struct str rest = coded;

        if (read_in_pieces(&rest, piece_bytes, &body) != wanted) {
            fail_msg("in pieces of %zu: %.*s", piece_bytes, STR_FORMAT(coded));
        }
        assert_string_equal(body.text, wanted_body);
        if (wanted == CHUNKED_END) {
            assert_true(str_is(rest, wanted_rest));
        }
    }
    strbuf_release(&body);
}

static void good_bodies_are_read_whatever_the_split(void **state)
{
    static const struct {
        const char *coded, *body, *rest;
    } cases[] = {
        {"0\r\n\r\n", "", ""},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
        {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", ""},
        {"5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "hello", "GET / HTTP/1.1\r\n"},
        {"5\r\n\r\n0\r\n\r\n0\r\n\r\n\r\n", "\r\n0\r\n", "\r\n"},
        {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
        {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
        {"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello", ""},
        {"1;a\r\nx\r\n0\r\n\r\n", "x", ""},
        {"1;a=b;c=\"d;e\"\r\nx\r\n0;last\r\n\r\n", "x", ""},
        {"1;\tobs\x80text\r\nx\r\n0\r\n\r\n", "x", ""},
        {"1\r\nx\r\n0\r\nA: b\r\n\r\n", "x", ""},
        {"0\r\nA: b\r\nContent-Length: 5\r\nc:\r\n\r\nrest", "", "rest"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_reads_as(str_from(cases[i].coded), CHUNKED_END, cases[i].body, cases[i].rest);
    }
}

static void bad_bodies_are_broken_whatever_the_split(void **state)
{
    static const struct {
        const char *name, *coded, *body;
    } cases[] = {
        {"no size", "\r\nhello\r\n", ""},
        {"extension without a size", ";a\r\n", ""},
        {"not a digit", "g\r\n", ""},
        {"sign", "+5\r\nhello\r\n0\r\n\r\n", ""},
        {"minus", "-5\r\nhello\r\n0\r\n\r\n", ""},
        {"0x", "0x5\r\nhello\r\n0\r\n\r\n", ""},
        {"leading space", " 5\r\nhello\r\n0\r\n\r\n", ""},
        {"trailing space", "5 \r\nhello\r\n0\r\n\r\n", ""},
        {"trailing tab", "5\t\r\nhello\r\n0\r\n\r\n", ""},
        {"space before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n", ""},
        {"underscore", "1_0\r\nhello\r\n0\r\n\r\n", ""},
        {"17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n", ""},
        {"2^64", "10000000000000000\r\nhello\r\n0\r\n\r\n", ""},
        {"2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", ""},
        {"LF behind the size", "5\nhello\r\n0\r\n\r\n", ""},
        {"CR alone behind the size", "5\rhello\r\n0\r\n\r\n", ""},
        {"two CR behind the size", "5\r\r\nhello\r\n0\r\n\r\n", ""},
        {"LF in an extension", "5;\nhello\r\n0\r\n\r\n", ""},
        {"CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", ""},
        {"control byte in an extension", "5;a\x01\r\nhello\r\n0\r\n\r\n", ""},
        {"data longer than the size", "4\r\nhello\r\n0\r\n\r\n", "hell"},
        {"data shorter than the size", "6\r\nhello\r\n0\r\n\r\n", "hello\r"},
        {"LF behind the data", "5\r\nhello\n0\r\n\r\n", "hello"},
        {"CR alone behind the data", "5\r\nhello\r0\r\n\r\n", "hello"},
        {"nothing behind the data", "5\r\nhello0\r\n\r\n", "hello"},
        {"LF at last", "0\r\n\n", ""},
        {"CR alone at last", "0\r\n\rx", ""},
        {"LF behind the last size", "0\n\r\n", ""},
        {"request behind the last size", "0\r\nGET / HTTP/1.1\r\n", ""},
        {"trailer without a name", "0\r\n: a\r\n\r\n", ""},
        {"trailer without a colon", "0\r\nabc\r\n\r\n", ""},
        {"trailer with a space before the colon", "0\r\nA : b\r\n\r\n", ""},
        {"folded trailer", "0\r\nA: b\r\n c\r\n\r\n", ""},
        {"LF behind a trailer", "0\r\nA: b\n\r\n", ""},
        {"CR in a trailer", "0\r\nA: b\rc\r\n\r\n", ""},
        {"control byte in a trailer", "0\r\nA: \x01\r\n\r\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_reads_as(str_from(cases[i].coded), CHUNKED_BROKEN, cases[i].body, "");
    }
}

static void nul_is_nowhere_allowed_but_in_data(void **state)
{
    static const char coded[] = "3;e\r\nabc\r\n0\r\nA: b\r\n\r\n";
    const size_t data_begin = sizeof("3;e\r\n") - 1;

    (void)state;
    for (size_t i = 0; i < sizeof(coded) - 1; i++) {
        const bool is_data = i >= data_begin && i < data_begin + 3;
        struct str input = {coded, sizeof(coded) - 1};
        char changed[sizeof(coded)];
        struct strbuf body;

        memcpy(changed, coded, sizeof(coded));
        changed[i] = '\0';
        input.bytes = changed;
        strbuf_init(&body, BODY_MAX_BYTES);
        assert_int_equal(read_in_pieces(&input, input.length, &body),
                         is_data ? CHUNKED_END : CHUNKED_BROKEN);
        strbuf_release(&body);
    }
}

static void a_prefix_of_a_good_body_wants_more(void **state)
{
    static const char coded[] = "5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n";

    (void)state;
    for (size_t length = 1; length < sizeof(coded) - 1; length++) {
        struct str input = {coded, length};
        struct strbuf body;

        strbuf_init(&body, BODY_MAX_BYTES);
        assert_int_equal(read_in_pieces(&input, length, &body), CHUNKED_MORE);
        assert_int_equal(input.length, 0);
        strbuf_release(&body);
    }
}

static void the_largest_size_does_not_overflow(void **state)
{
    struct chunked chunked;
    struct str input = STR_LITERAL("ffffffffffffffff\r\nabc");
    struct str data = {0};

    (void)state;
    chunked_init(&chunked);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_DATA);
    assert_true(str_is(data, "abc"));
    assert_true(chunked.left_bytes == UINT64_MAX - 3);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_MORE);
}

static void the_end_and_an_error_are_final(void **state)
{
    struct chunked chunked;
    struct str input = STR_LITERAL("0\r\n\r\n5\r\nhello");
    struct str data = {0};

    (void)state;
    chunked_init(&chunked);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_END);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_END);
    assert_true(str_is(input, "5\r\nhello"));
    chunked_init(&chunked);
    input = str_from("x5\r\nhello");
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_BROKEN);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_BROKEN);
    assert_null(data.bytes);
}

static void chunks_have_no_more_in_all_than_is_allowed(void **state)
{
    struct chunked chunked;
    struct str input = STR_LITERAL("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    struct str data = {0};

    (void)state;
    chunked_init(&chunked);
    chunked.allowed_bytes = 5;
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_DATA);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_DATA);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_END);
    chunked_init(&chunked);
    chunked.allowed_bytes = 4;
    input = str_from("3\r\nabc\r\n2\r");
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_DATA);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_MORE);
    input = str_from("\n");
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_TOO_LARGE);
    assert_int_equal(chunked_read(&chunked, &input, &data), CHUNKED_TOO_LARGE);
}

/* The coding of an empty body with that many bytes between `before` and `behind`. */
static enum chunked_result read_with_filling(const char *before, size_t count, const char *behind)
{
    struct strbuf coded;
    struct strbuf body;
    struct str input;
    enum chunked_result result = CHUNKED_MORE;

    strbuf_init(&coded, BODY_MAX_BYTES);
    strbuf_init(&body, BODY_MAX_BYTES);
    strbuf_append_text(&coded, before);
    for (size_t i = 0; i < count; i++) {
        strbuf_append_byte(&coded, 'a');
    }
    strbuf_append_text(&coded, behind);
    input = strbuf_str(&coded);
    result = read_in_pieces(&input, 7, &body);
    strbuf_release(&coded);
    strbuf_release(&body);
    return result;
}

static void extensions_have_a_bound(void **state)
{
    (void)state;
    assert_int_equal(read_with_filling("0;", 255, "\r\n\r\n"), CHUNKED_END);
    assert_int_equal(read_with_filling("0;", 256, "\r\n\r\n"), CHUNKED_BROKEN);
    assert_int_equal(read_with_filling("0;", 50000, ""), CHUNKED_BROKEN);
}

static void trailers_have_a_bound_for_all_of_them(void **state)
{
    (void)state;
    assert_int_equal(read_with_filling("0\r\nA:", 8000, "\r\n\r\n"), CHUNKED_END);
    assert_int_equal(read_with_filling("0\r\nA:", 8192, "\r\n\r\n"), CHUNKED_BROKEN);
    assert_int_equal(read_with_filling("0\r\nA:b\r\nC:", 8000, "\r\n\r\n"), CHUNKED_END);
    assert_int_equal(read_with_filling("0\r\nA:", 4000, "\r\nB:ccc\r\nD:\r\n\r\n"), CHUNKED_END);
    assert_int_equal(read_with_filling("0\r\n", 50000, ""), CHUNKED_BROKEN);
}

/* The bound is for each chunk: a long body may have many extensions. */
static void many_chunks_may_have_extensions(void **state)
{
    struct strbuf coded;
    struct strbuf body;
    struct str input;

    (void)state;
    strbuf_init(&coded, BODY_MAX_BYTES);
    strbuf_init(&body, BODY_MAX_BYTES);
    for (int i = 0; i < 1000; i++) {
        strbuf_append_text(&coded, "1;name=value\r\nx\r\n");
    }
    strbuf_append_text(&coded, "0\r\n\r\n");
    input = strbuf_str(&coded);
    assert_int_equal(read_in_pieces(&input, 100, &body), CHUNKED_END);
    assert_int_equal(body.length, 1000);
    strbuf_release(&coded);
    strbuf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_bodies_are_read_whatever_the_split),
        cmocka_unit_test(bad_bodies_are_broken_whatever_the_split),
        cmocka_unit_test(nul_is_nowhere_allowed_but_in_data),
        cmocka_unit_test(a_prefix_of_a_good_body_wants_more),
        cmocka_unit_test(the_largest_size_does_not_overflow),
        cmocka_unit_test(the_end_and_an_error_are_final),
        cmocka_unit_test(chunks_have_no_more_in_all_than_is_allowed),
        cmocka_unit_test(extensions_have_a_bound),
        cmocka_unit_test(trailers_have_a_bound_for_all_of_them),
        cmocka_unit_test(many_chunks_may_have_extensions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
