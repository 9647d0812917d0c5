#include "layers/layer_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/attributes.h"
#include "tests/support/fake_clock.h"
#include "tests/support/layer_maker.h"

#define MANY 1000000

static const enum layer_compression compressions[] = {LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD};

/* A layer in memory; reading it may take time, or fail at some point. */
struct source {
    struct str bytes;
    size_t offset;
    struct fake_clock *clock;
    int64_t read_ms;
    size_t fails_at; /* 0: nowhere */
};

static enum error_code read_source(void *context, char *buffer, size_t capacity, size_t *length_out,
                                   struct error *err)
{
    struct source *source = context;
    const size_t left = source->bytes.length - source->offset;
    const size_t length = left < capacity ? left : capacity;

    if (source->fails_at > 0 && source->offset + length >= source->fails_at) {
        return error_set(err, ERROR_UNAVAILABLE, "the medium is gone");
    }
    if (source->clock) {
        fake_clock_advance(source->clock, source->read_ms);
    }
    memcpy(buffer, source->bytes.bytes + source->offset, length);
    source->offset += length;
    *length_out = length;
    return OK;
}

static struct layer_limits generous(struct fake_clock *clock)
{
    *clock = (struct fake_clock){0};
    fake_clock_init(clock);
    return (struct layer_limits){MANY * 64, MANY * 64, MANY, 1000, &clock->clock};
}

static enum error_code read_file(struct str layer, const char *name, struct strbuf *buf,
                                 struct error *err)
{
    struct fake_clock clock;
    const struct layer_limits limits = generous(&clock);
    struct source source = {.bytes = layer};
    const struct layer_input input = {&source, read_source};

    return layer_read_file(&input, &limits, name, buf, err);
}

static const struct layer_file some_files[] = {
    {"bin/", NULL, NULL},
    {"bin/app", "program", NULL},
    {"./scm-source.json", "{}", NULL},
    {"link", "", "bin/app"},
};

static void a_file_is_found_in_each_compression(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
        struct strbuf layer = layer_maker_make(compressions[i], some_files, ARRAY_LEN(some_files));
        struct strbuf content;

        strbuf_init(&content, 100);
        assert_int_equal(read_file(strbuf_str(&layer), "bin/app", &content, NULL), OK);
        assert_string_equal(content.text, "program");
        assert_int_equal(read_file(strbuf_str(&layer), "scm-source.json", &content, NULL), OK);
        assert_string_equal(content.text, "{}");
        strbuf_release(&content);
        strbuf_release(&layer);
    }
}

static void what_is_no_file_of_that_name_is_not_found(void **state)
{
    static const char *const names[] = {"app", "bin", "bin/", "link", "none", ""};
    struct strbuf layer = layer_maker_make(LAYER_GZIP, some_files, ARRAY_LEN(some_files));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct strbuf content;

        strbuf_init(&content, 100);
        assert_int_equal(read_file(strbuf_str(&layer), names[i], &content, NULL), ERROR_NOT_FOUND);
        strbuf_release(&content);
    }
    strbuf_release(&layer);
}

static void the_last_of_a_name_counts(void **state)
{
    static const struct layer_file files[] = {
        {"a", "old and longer", NULL}, {"./a", "new", NULL}, {"b", "", NULL}};
    struct strbuf layer = layer_maker_make(LAYER_GZIP, files, ARRAY_LEN(files));
    struct strbuf content;

    (void)state;
    strbuf_init(&content, 100);
    assert_int_equal(read_file(strbuf_str(&layer), "a", &content, NULL), OK);
    assert_string_equal(content.text, "new");
    strbuf_release(&content);
    strbuf_release(&layer);
}

struct seen {
    struct strbuf text;
    size_t most;
    size_t count;
};

static bool note(void *context, const struct layer_entry *entry)
{
    struct seen *seen = context;

    strbuf_append_format(&seen->text, "%.*s %o %llu %lld %.*s\n", STR_FORMAT(entry->name),
                         (unsigned)entry->mode, (unsigned long long)entry->size_bytes,
                         (long long)entry->modified_s, STR_FORMAT(entry->link));
    return ++seen->count < seen->most;
}

static enum error_code list(struct str layer, struct seen *seen)
{
    struct fake_clock clock;
    const struct layer_limits limits = generous(&clock);
    struct source source = {.bytes = layer};
    const struct layer_input input = {&source, read_source};
    const struct layer_visitor visitor = {seen, note};

    strbuf_init(&seen->text, 4096);
    return layer_list(&input, &limits, &visitor, NULL);
}

static void entries_are_listed_in_order(void **state)
{
    struct strbuf layer = layer_maker_make(LAYER_ZSTD, some_files, ARRAY_LEN(some_files));
    struct seen seen = {.most = 100};

    (void)state;
    assert_int_equal(list(strbuf_str(&layer), &seen), OK);
    assert_string_equal(seen.text.text, "bin/ 40755 0 1700000000 \n"
                                        "bin/app 100644 7 1700000000 \n"
                                        "./scm-source.json 100644 2 1700000000 \n"
                                        "link 120777 0 1700000000 bin/app\n");
    strbuf_release(&seen.text);
    seen = (struct seen){.most = 2};
    assert_int_equal(list(strbuf_str(&layer), &seen), OK);
    assert_int_equal(seen.count, 2);
    strbuf_release(&seen.text);
    strbuf_release(&layer);
}

/* Whatever the locale: the test's is C. */
static void names_that_are_not_ascii_are_names(void **state)
{
    static const struct layer_file files[] = {
        {"caf\xc3\xa9", "1", NULL}, {"\xff\xfe", "2", NULL}, {"plain", "3", NULL}};
    struct strbuf layer = layer_maker_make(LAYER_PLAIN, files, ARRAY_LEN(files));
    struct seen seen = {.most = 100};
    struct strbuf content;

    (void)state;
    assert_int_equal(list(strbuf_str(&layer), &seen), OK);
    assert_int_equal(seen.count, 3);
    assert_non_null(strstr(seen.text.text, "caf\xc3\xa9 "));
    strbuf_init(&content, 100);
    assert_int_equal(read_file(strbuf_str(&layer), "plain", &content, NULL), OK);
    assert_string_equal(content.text, "3");
    strbuf_release(&content);
    strbuf_release(&seen.text);
    strbuf_release(&layer);
}

static void what_is_no_layer_is_invalid(void **state)
{
    static const struct str inputs[] = {
        STR_LITERAL(""), STR_LITERAL("hello"), STR_LITERAL("PK\x03\x04 a zip file"),
        STR_LITERAL("\x1f\x8b\x08 no gzip"), STR_LITERAL("\x28\xb5\x2f\xfd no zstd")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
        struct error err = {0};
        struct strbuf content;

        strbuf_init(&content, 100);
        assert_int_not_equal(read_file(inputs[i], "a", &content, &err), OK);
        assert_true(err.message[0] != '\0');
        strbuf_release(&content);
    }
}

/* Cut off anywhere: never OK with the wrong content, and never a crash. */
static void cut_off_layers_are_no_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
        struct strbuf layer = layer_maker_make(compressions[i], some_files, ARRAY_LEN(some_files));

        for (size_t length = 0; length < layer.length; length += 37) {
            struct strbuf content;
            enum error_code code = OK;

            strbuf_init(&content, 100);
            code = read_file(str_slice(strbuf_str(&layer), 0, length), "bin/app", &content, NULL);
            assert_true(code == ERROR_INVALID || code == ERROR_NOT_FOUND ||
                        (code == OK && strcmp(content.text, "program") == 0));
            strbuf_release(&content);
        }
        strbuf_release(&layer);
    }
}

static void files_are_limited_by_the_buffer(void **state)
{
    struct strbuf layer = layer_maker_make(LAYER_GZIP, some_files, ARRAY_LEN(some_files));
    struct strbuf content;
    struct error err = {0};

    (void)state;
    strbuf_init(&content, 6);
    assert_int_equal(read_file(strbuf_str(&layer), "bin/app", &content, &err), ERROR_TOO_LARGE);
    assert_non_null(strstr(err.message, "bin/app"));
    strbuf_release(&content);
    strbuf_release(&layer);
}

static enum error_code read_limited(struct str layer, const struct layer_limits *limits,
                                    struct source *source, struct error *err)
{
    const struct layer_input input = {source, read_source};
    struct strbuf content;
    enum error_code code = OK;

    source->bytes = layer;
    strbuf_init(&content, 100);
    code = layer_read_file(&input, limits, "last", &content, err);
    strbuf_release(&content);
    return code;
}

/* 16 MiB of zeros come in some kilobytes; whoever is asked for what lies behind them must stop. */
static void bombs_are_left_alone(void **state)
{
    enum { ZEROS = 16 * 1024 * 1024 };
    (void)state;
    for (size_t i = 1; i < ARRAY_LEN(compressions); i++) {
        struct strbuf layer = layer_maker_make_bomb(compressions[i], ZEROS);
        struct fake_clock clock;
        struct layer_limits limits = generous(&clock);
        struct source source = {0};
        struct error err = {0};

        assert_true(layer.length < ZEROS / 100);
        assert_int_equal(read_limited(strbuf_str(&layer), &limits, &source, NULL), OK);
        limits.unpacked_max_bytes = ZEROS / 2;
        source = (struct source){0};
        assert_int_equal(read_limited(strbuf_str(&layer), &limits, &source, &err), ERROR_TOO_LARGE);
        assert_non_null(strstr(err.message, "unpacks to more"));
        strbuf_release(&layer);
    }
}

static void limits_hold(void **state)
{
    struct strbuf layer = layer_maker_make_bomb(LAYER_PLAIN, 100 * 1024);
    struct fake_clock clock;
    const struct layer_limits usual = generous(&clock);
    struct layer_limits limits = usual;
    struct source source = {0};

    (void)state;
    limits.compressed_max_bytes = 50 * 1024;
    assert_int_equal(read_limited(strbuf_str(&layer), &limits, &source, NULL), ERROR_TOO_LARGE);
    assert_true(source.offset <= 60 * 1024);
    limits = usual;
    limits.max_entries = 2;
    source = (struct source){0};
    assert_int_equal(read_limited(strbuf_str(&layer), &limits, &source, NULL), ERROR_TOO_LARGE);
    limits.max_entries = 3;
    source = (struct source){0};
    assert_int_equal(read_limited(strbuf_str(&layer), &limits, &source, NULL), OK);
    source = (struct source){.clock = &clock, .read_ms = 100};
    assert_int_equal(read_limited(strbuf_str(&layer), &limits, &source, NULL), ERROR_TOO_LARGE);
    assert_true(source.offset < 80 * 1024);
    strbuf_release(&layer);
}

static void failures_of_the_medium_are_passed_on(void **state)
{
    struct strbuf layer = layer_maker_make_bomb(LAYER_PLAIN, 100 * 1024);
    struct fake_clock clock;
    const struct layer_limits limits = generous(&clock);
    static const size_t places[] = {1, 600, 50 * 1024, 100 * 1024};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct source source = {.fails_at = places[i]};
        struct error err = {0};

        assert_int_equal(read_limited(strbuf_str(&layer), &limits, &source, &err),
                         ERROR_UNAVAILABLE);
        assert_string_equal(err.message, "the medium is gone");
    }
    strbuf_release(&layer);
}

/* A pax header of 100 MB, which would be read into memory as a whole: libarchive refuses it. */
static void giant_headers_are_refused(void **state)
{
    static const char size[] = "00575360400"; /* 100,000,000 in octal */
    char header[512] = "PaxHeader";
    unsigned sum = 0;
    struct strbuf layer;
    struct strbuf content;

    (void)state;
    (void)snprintf(header + 100, 8, "0000644");
    (void)snprintf(header + 124, 12, "%s", size);
    memset(header + 148, ' ', 8);
    header[156] = 'x';
    (void)snprintf(header + 257, 6, "ustar");
    header[263] = header[264] = '0';
    for (size_t i = 0; i < sizeof(header); i++) {
        sum += (unsigned char)header[i];
    }
    (void)snprintf(header + 148, 8, "%06o", sum);
    strbuf_init(&layer, 2 * 1024 * 1024);
    strbuf_append(&layer, (struct str){header, sizeof(header)});
    for (size_t i = 0; i < 1024 * 1024; i++) {
        strbuf_append_byte(&layer, 'a');
    }
    strbuf_init(&content, 100);
    assert_int_equal(read_file(strbuf_str(&layer), "a", &content, NULL), ERROR_INVALID);
    strbuf_release(&content);
    strbuf_release(&layer);
}

int main(void)
{
    const struct CMUnitTest layer_reader[] = {
        cmocka_unit_test(a_file_is_found_in_each_compression),
        cmocka_unit_test(what_is_no_file_of_that_name_is_not_found),
        cmocka_unit_test(the_last_of_a_name_counts),
        cmocka_unit_test(entries_are_listed_in_order),
        cmocka_unit_test(names_that_are_not_ascii_are_names),
        cmocka_unit_test(what_is_no_layer_is_invalid),
        cmocka_unit_test(cut_off_layers_are_no_good),
        cmocka_unit_test(files_are_limited_by_the_buffer),
        cmocka_unit_test(bombs_are_left_alone),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(failures_of_the_medium_are_passed_on),
        cmocka_unit_test(giant_headers_are_refused),
    };

    return cmocka_run_group_tests(layer_reader, NULL, NULL);
}
