#include "layers/layer_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"
#include "tests/support/layer_maker.h"
#include "tests/support/memory_input.h"

enum { TEXT_MAX_BYTES = 1 << 20 };

static struct fake_clock fake;
static struct layer_limits limits;
static struct strbuf packed;
static struct memory_input memory;
static struct layer_stream stream;
static struct error err;

static int setup(void **state)
{
    (void)state;
    fake_clock_init(&fake);
    limits = (struct layer_limits){.compressed_max_bytes = TEXT_MAX_BYTES,
                                   .unpacked_max_bytes = TEXT_MAX_BYTES,
                                   .time_max_ms = 1000,
                                   .clock = &fake.clock};
    strbuf_init(&packed, TEXT_MAX_BYTES);
    err = (struct error){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    layer_stream_release(&stream);
    strbuf_release(&packed);
    return 0;
}

static enum error_code open_stream(void)
{
    memory_input_init(&memory, strbuf_str(&packed));
    return layer_stream_open(&stream, &memory.input, &limits, &err);
}

static enum error_code read_all(struct strbuf *text)
{
    struct str block = {"", 1};
    enum error_code code = OK;

    while (code == OK && block.length > 0) {
        code = layer_stream_read(&stream, &block);
        if (code == OK) {
            strbuf_append(text, block);
        }
    }
    return code;
}

static void check_unpacks(const char *expected)
{
    struct strbuf text;

    strbuf_init(&text, TEXT_MAX_BYTES);
    assert_int_equal(open_stream(), OK);
    assert_int_equal(read_all(&text), OK);
    assert_string_equal(text.text, expected);
    strbuf_release(&text);
    layer_stream_release(&stream);
}

static void every_kind_is_told_by_its_first_bytes(void **state)
{
    const enum layer_kind kinds[] = {LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        strbuf_clear(&packed);
        layer_compress(&packed, kinds[i], str_from("content"));
        check_unpacks("content");
    }
}

/* RFC 1952 2.2, RFC 8878 3.1: what is compressed may come in parts, zstd with others between. */
static void parts_are_joined(void **state)
{
    const struct str skippable = {"\x5a\x2a\x4d\x18\x03\0\0\0abc", 11};

    (void)state;
    layer_compress(&packed, LAYER_GZIP, str_from("one, "));
    layer_compress(&packed, LAYER_GZIP, str_from("two"));
    check_unpacks("one, two");
    strbuf_clear(&packed);
    strbuf_append(&packed, skippable);
    layer_compress(&packed, LAYER_ZSTD, str_from("one, "));
    layer_compress(&packed, LAYER_ZSTD, str_from("two"));
    strbuf_append(&packed, skippable);
    check_unpacks("one, two");
}

static void only_one_level_is_unpacked(void **state)
{
    struct strbuf text;

    (void)state;
    strbuf_init(&text, TEXT_MAX_BYTES);
    layer_compress(&text, LAYER_GZIP, str_from("content"));
    layer_compress(&packed, LAYER_ZSTD, strbuf_str(&text));
    strbuf_clear(&text);
    assert_int_equal(open_stream(), OK);
    assert_int_equal(read_all(&text), OK);
    assert_true(str_starts_with(strbuf_str(&text), "\x1f\x8b"));
    strbuf_release(&text);
}

static void pieces_of_one_byte_are_enough(void **state)
{
    struct str block = {0};

    (void)state;
    layer_compress(&packed, LAYER_GZIP, str_from("content"));
    memory_input_init(&memory, strbuf_str(&packed));
    memory.piece_max_bytes = 1;
    assert_int_equal(layer_stream_open(&stream, &memory.input, &limits, &err), OK);
    assert_int_equal(layer_stream_read(&stream, &block), OK);
    assert_true(str_is(block, "content"));
}

static void nothing_and_half_a_stream_are_invalid(void **state)
{
    struct strbuf text;

    (void)state;
    strbuf_init(&text, TEXT_MAX_BYTES);
    assert_int_equal(open_stream(), ERROR_INVALID);
    layer_stream_release(&stream);
    layer_compress(&packed, LAYER_ZSTD, str_from("content"));
    packed.length -= 3;
    assert_int_equal(open_stream() ? stream.failure : read_all(&text), ERROR_INVALID);
    strbuf_release(&text);
}

static void bytes_are_limited_on_both_sides(void **state)
{
    struct strbuf text;

    (void)state;
    strbuf_init(&text, TEXT_MAX_BYTES);
    layer_compress(&packed, LAYER_GZIP, str_from("content"));
    limits.compressed_max_bytes = packed.length;
    limits.unpacked_max_bytes = 7;
    check_unpacks("content");
    limits.unpacked_max_bytes = 6;
    assert_int_equal(open_stream(), OK);
    assert_int_equal(read_all(&text), ERROR_TOO_LARGE);
    layer_stream_release(&stream);
    limits.unpacked_max_bytes = 7;
    limits.compressed_max_bytes = packed.length - 1;
    assert_int_equal(open_stream(), ERROR_TOO_LARGE);
    strbuf_release(&text);
}

/* Just as many bytes as the decoder gives at once: it holds nothing back then. */
static void a_frame_may_end_with_a_block(void **state)
{
    static char text[2 * 128 * 1024];
    struct strbuf unpacked;

    (void)state;
    memset(text, 'x', sizeof(text));
    layer_compress(&packed, LAYER_ZSTD, (struct str){text, sizeof(text)});
    strbuf_init(&unpacked, TEXT_MAX_BYTES);
    assert_int_equal(open_stream(), OK);
    assert_int_equal(read_all(&unpacked), OK);
    assert_int_equal(unpacked.length, sizeof(text));
    strbuf_release(&unpacked);
}

/* A frame of one raw byte (RFC 8878 3.1.1), with what its header says of the memory it takes. */
#define FRAME(header) STR_LITERAL("\x28\xb5\x2f\xfd" header "\x09\0\0x")
#define SKIPPABLE_FRAME STR_LITERAL("\x5f\x2a\x4d\x18\x02\0\0\0..")

static void zstd_takes_little_memory(void **state)
{
    static const struct str before[] = {STR_LITERAL(""), FRAME("\x00\x00"), SKIPPABLE_FRAME};
    static const struct {
        struct str frame;
        enum error_code code;
    } rows[] = {
        {FRAME("\x00\x00"), OK},                      /* 1 KiB */
        {FRAME("\x00\x78"), OK},                      /* 32 MiB */
        {FRAME("\x00\x79"), ERROR_TOO_LARGE},         /* an eighth more */
        {FRAME("\x00\x88"), ERROR_TOO_LARGE},         /* 128 MiB */
        {FRAME("\x00\xff"), ERROR_TOO_LARGE},         /* 3.75 TiB */
        {FRAME("\xa0\x01\0\0\x02"), ERROR_TOO_LARGE}, /* the content is the window */
        {FRAME("\xe0\xff\xff\xff\xff\xff\0\0\0"), ERROR_TOO_LARGE},
    };

    for (size_t b = 0; b < ARRAY_LEN(before); b++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct strbuf unpacked;
            enum error_code code = OK;

            setup(state);
            strbuf_init(&unpacked, TEXT_MAX_BYTES);
            strbuf_append(&packed, before[b]);
            strbuf_append(&packed, rows[i].frame);
            code = open_stream();
            code = code ? code : read_all(&unpacked);
            assert_int_equal(code, rows[i].code);
            if (!code) {
                assert_int_equal(unpacked.length, b == 1 ? 2 : 1);
            } else {
                assert_non_null(strstr(err.message, "more than 32 MiB of memory"));
            }
            strbuf_release(&unpacked);
            teardown(state);
        }
    }
    setup(state);
}

static void a_failure_stays(void **state)
{
    struct str block;

    (void)state;
    layer_compress(&packed, LAYER_PLAIN, str_from("content"));
    assert_int_equal(open_stream(), OK);
    fake_clock_advance(&fake, 1000);
    assert_int_equal(layer_stream_check_time(&stream), OK);
    fake_clock_advance(&fake, 1);
    assert_int_equal(layer_stream_check_time(&stream), ERROR_TOO_LARGE);
    fake_clock_advance(&fake, -1001);
    assert_int_equal(layer_stream_read(&stream, &block), ERROR_TOO_LARGE);
    assert_int_equal(layer_stream_check_time(&stream), ERROR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_is_told_by_its_first_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_are_joined, setup, teardown),
        cmocka_unit_test_setup_teardown(only_one_level_is_unpacked, setup, teardown),
        cmocka_unit_test_setup_teardown(pieces_of_one_byte_are_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_and_half_a_stream_are_invalid, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_are_limited_on_both_sides, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_may_end_with_a_block, setup, teardown),
        cmocka_unit_test_setup_teardown(zstd_takes_little_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_stays, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
