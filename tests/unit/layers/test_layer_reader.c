#include "layers/layer_reader.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"
#include "tests/support/layer_maker.h"
#include "tests/support/memory_input.h"

enum {
    LAYER_MAX_BYTES = 200 * 1024 * 1024,
    LISTED_MAX_BYTES = 64 * 1024,
    MIB = 1024 * 1024,
    SPARSE_EXTENDED_COUNT = 21, /* of a block that continues a map of GNU tar */
};

static const enum layer_kind all_kinds[] = {LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD};
static const char *const all_formats[] = {LAYER_PAX, LAYER_GNU, LAYER_USTAR};

static struct fake_clock fake;
static struct layer_limits limits;
static struct memory_input memory;
static struct strbuf listed; /* what print saw, an entry a line */
static struct strbuf content;
static struct error err;
static struct layer_maker maker;
static struct strbuf tar; /* made by hand */

static int setup(void **state)
{
    (void)state;
    fake_clock_init(&fake);
    limits = (struct layer_limits){.compressed_max_bytes = UINT64_MAX,
                                   .unpacked_max_bytes = UINT64_MAX,
                                   .max_entries = UINT64_MAX,
                                   .time_max_ms = INT64_MAX,
                                   .clock = &fake.clock};
    strbuf_init(&listed, LISTED_MAX_BYTES);
    strbuf_init(&content, LISTED_MAX_BYTES);
    strbuf_init(&tar, LAYER_MAX_BYTES);
    layer_maker_init(&maker, LAYER_PAX, LAYER_PLAIN);
    err = (struct error){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    layer_maker_release(&maker);
    strbuf_release(&listed);
    strbuf_release(&content);
    strbuf_release(&tar);
    return 0;
}

/* The maker begins anew. */
static void make(const char *format, enum layer_kind kind)
{
    layer_maker_release(&maker);
    layer_maker_init(&maker, format, kind);
}

static bool print(void *context, const struct layer_entry *entry)
{
    const size_t *max_entries = context;
    size_t lines = 0;

    strbuf_append_format(&listed, "%o %d %d %.*s", entry->mode, (int)entry->size_bytes,
                         (int)entry->modified_s, STR_FORMAT(entry->name));
    if (entry->link.bytes) {
        strbuf_append_format(&listed, " -> %.*s", STR_FORMAT(entry->link));
    }
    strbuf_append_text(&listed, "\n");
    for (size_t i = 0; i < listed.length; i++) {
        lines += listed.text[i] == '\n';
    }
    return max_entries == NULL || lines < *max_entries;
}

static bool ignore(void *context, const struct layer_entry *entry)
{
    size_t *count = context;

    assert_non_null(entry->name.bytes);
    ++*count;
    return true;
}

static enum error_code list(struct str layer)
{
    strbuf_clear(&listed);
    memory_input_init(&memory, layer);
    return layer_list(&memory.input, &limits, print, NULL, &err);
}

static enum error_code count(struct str layer, size_t *count_out)
{
    *count_out = 0;
    memory_input_init(&memory, layer);
    return layer_list(&memory.input, &limits, ignore, count_out, &err);
}

static enum error_code read_file(struct str layer, const char *name)
{
    memory_input_init(&memory, layer);
    return layer_read_file(&memory.input, &limits, name, &content, &err);
}

static void add_one_of_each(void)
{
    const struct layer_entry entries[] = {
        {.name = STR_LITERAL("etc/"), .mode = S_IFDIR | 01755, .modified_s = 1431013791},
        {.name = STR_LITERAL("etc/plain"), .mode = S_IFREG | 04755, .modified_s = 1},
        {.name = STR_LITERAL("etc/soft"), .mode = S_IFLNK | 0777, .link = STR_LITERAL("../a b")},
        {.name = STR_LITERAL("etc/hard"), .mode = S_IFREG | 0644, .link = STR_LITERAL("etc/plain")},
        {.name = STR_LITERAL("etc/.wh.gone"), .mode = S_IFREG},
        {.name = STR_LITERAL("dev/null"), .mode = S_IFCHR | 0666},
        {.name = STR_LITERAL("run/pipe"), .mode = S_IFIFO | 0600},
    };

    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        layer_maker_add(&maker, entries[i], i == 1 ? "12345" : "");
    }
}

static void every_kind_and_format_is_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_kinds) * ARRAY_LEN(all_formats); i++) {
        make(all_formats[i / ARRAY_LEN(all_kinds)], all_kinds[i % ARRAY_LEN(all_kinds)]);
        add_one_of_each();
        assert_int_equal(list(layer_maker_finish(&maker)), OK);
        assert_string_equal(listed.text, "41755 0 1431013791 etc/\n"
                                         "104755 5 1 etc/plain\n"
                                         "120777 0 0 etc/soft -> ../a b\n"
                                         "100644 0 0 etc/hard -> etc/plain\n"
                                         "100000 0 0 etc/.wh.gone\n"
                                         "20666 0 0 dev/null\n"
                                         "10600 0 0 run/pipe\n");
    }
}

static void a_visit_ends_it_early(void **state)
{
    size_t max_entries = 2;
    struct str layer;

    (void)state;
    add_one_of_each();
    layer = layer_maker_finish(&maker);
    layer.length = (size_t)3 * LAYER_BLOCK_BYTES; /* what follows is never looked at */
    memory_input_init(&memory, layer);
    assert_int_equal(layer_list(&memory.input, &limits, print, &max_entries, &err), OK);
    assert_string_equal(listed.text, "41755 0 1431013791 etc/\n104755 5 1 etc/plain\n");
}

/* Docker's own empty layer, for one: two blocks of zeros. */
static void an_empty_archive_has_no_entries(void **state)
{
    size_t entries;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_kinds); i++) {
        make(LAYER_USTAR, all_kinds[i]);
        assert_int_equal(count(layer_maker_finish(&maker), &entries), OK);
        assert_int_equal(entries, 0);
    }
}

static void what_is_no_layer_is_invalid(void **state)
{
    const struct str broken[] = {
        STR_LITERAL(""),
        STR_LITERAL("x"),
        STR_LITERAL("{\"schemaVersion\":2}"),
        STR_LITERAL("PK\3\4 a zip archive has another form"),
        STR_LITERAL("BZh91AY&SY bzip2 is not for layers"),
        STR_LITERAL("\xfd\x37zXZ\0\0\4 nor is xz"),
        STR_LITERAL("\x1f\x8b"),
        STR_LITERAL("\x1f\x8b\x08\0\0\0\0\0\0\3 no deflate stream"),
        STR_LITERAL("\x28\xb5\x2f\xfd no zstd frame"),
        STR_LITERAL("\x5a\x2a\x4d\x18\xff\xff\xff\xff"),
    };
    size_t entries;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_int_equal(count(broken[i], &entries), ERROR_INVALID);
        assert_int_equal(read_file(broken[i], "x"), ERROR_INVALID);
        assert_true(err.message[0]);
    }
}

static void what_is_packed_twice_is_invalid(void **state)
{
    struct strbuf twice;
    size_t entries;

    (void)state;
    strbuf_init(&twice, MIB);
    make(LAYER_PAX, LAYER_GZIP);
    layer_maker_add_file(&maker, "a", "1");
    layer_compress(&twice, LAYER_GZIP, layer_maker_finish(&maker));
    assert_int_equal(count(strbuf_str(&twice), &entries), ERROR_INVALID);
    strbuf_release(&twice);
}

static void a_wrong_checksum_is_invalid(void **state)
{
    size_t entries;

    (void)state;
    layer_append_header(&tar, "a", '0', 0);
    layer_append_header(&tar, "b", '0', 0);
    tar.text[LAYER_BLOCK_BYTES] = 'c';
    assert_int_equal(count(strbuf_str(&tar), &entries), ERROR_INVALID);
    assert_int_equal(entries, 1);
}

/* A tar archive may end without the zeros that mark its end, but nowhere else. */
static void what_is_cut_off_is_invalid(void **state)
{
    size_t entries;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_kinds); i++) {
        struct str layer;
        size_t sound_bytes;

        make(LAYER_USTAR, all_kinds[i]);
        layer_maker_add_file(&maker, "a", "the content of a file");
        layer = layer_maker_finish(&maker);
        sound_bytes = i == 0 ? (size_t)2 * LAYER_BLOCK_BYTES : layer.length;
        for (size_t length = 0; length < sound_bytes; length++) {
            const enum error_code code = count((struct str){layer.bytes, length}, &entries);

            assert_int_equal(code, ERROR_INVALID);
        }
        assert_int_equal(count(layer, &entries), OK);
    }
}

/* A record of a pax header counts itself (POSIX.1-2017, "pax Extended Header"). */
static void append_pax_path(const char *name)
{
    const size_t length = sizeof("dd path=\n") - 1 + strlen(name);
    struct strbuf record;

    assert_in_range(length, 10, 99);
    strbuf_init(&record, LISTED_MAX_BYTES);
    strbuf_append_format(&record, "%zu path=%s\n", length, name);
    layer_append_header(&tar, "PaxHeader", 'x', record.length);
    layer_append_content(&tar, strbuf_str(&record));
    strbuf_release(&record);
}

static const char *const odd_names[] = {
    "caf\xe9-in-8859-1",           "caf\xc3\xa9-composed",
    "cafe\xcc\x81-decomposed",     "\xed\xa0\xbd-half-a-surrogate-pair",
    "\xff\xfe\x80-nothing-at-all", "a\nb\x1b[31m\\\x7f-for-terminals-to-be-careful-with",
};

static void names_are_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd_names); i++) {
        struct strbuf expected;

        strbuf_clear(&tar);
        layer_append_header(&tar, odd_names[i], '0', 0);
        append_pax_path(odd_names[i]);
        layer_append_header(&tar, "short", '0', 0);
        strbuf_init(&expected, LISTED_MAX_BYTES);
        strbuf_append_format(&expected, "100644 0 0 %s\n100644 0 0 %s\n", odd_names[i],
                             odd_names[i]);
        assert_int_equal(list(strbuf_str(&tar)), OK);
        assert_string_equal(listed.text, expected.text);
        strbuf_release(&expected);
    }
}

/* There libarchive composes what is decomposed, but nothing may fail or lose its name. */
static void odd_names_do_not_fail_in_another_locale(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    for (size_t i = 0; i < ARRAY_LEN(odd_names); i++) {
        strbuf_clear(&tar);
        append_pax_path(odd_names[i]);
        layer_append_header(&tar, "short", '0', 0);
        layer_append_header(&tar, odd_names[i], '0', 0);
        assert_int_equal(read_file(strbuf_str(&tar), odd_names[i]), OK);
        assert_int_equal(list(strbuf_str(&tar)), OK);
        assert_true(str_starts_with(strbuf_str(&listed), "100644 0 0 "));
        assert_null(strstr(listed.text, "short"));
    }
    assert_non_null(setlocale(LC_ALL, "C"));
}

static void long_names_come_whole(void **state)
{
    char name[3001];

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < 2; i++) {
        make(all_formats[i], LAYER_GZIP);
        layer_maker_add_file(&maker, name, "found");
        strbuf_clear(&content);
        assert_int_equal(read_file(layer_maker_finish(&maker), name), OK);
        assert_string_equal(content.text, "found");
    }
}

static void stored_bytes_are_limited(void **state)
{
    struct str layer;
    size_t entries;

    (void)state;
    make(LAYER_USTAR, LAYER_GZIP);
    layer_maker_add_file(&maker, "a", "1");
    layer = layer_maker_finish(&maker);
    limits.compressed_max_bytes = layer.length;
    assert_int_equal(count(layer, &entries), OK);
    limits.compressed_max_bytes = layer.length - 1;
    assert_int_equal(count(layer, &entries), ERROR_TOO_LARGE);
}

static void unpacked_bytes_are_limited(void **state)
{
    struct str layer;
    size_t entries;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_kinds); i++) {
        make(LAYER_USTAR, all_kinds[i]);
        layer_maker_add_zeros(&maker, "a", MIB);
        layer = layer_maker_finish(&maker);
        limits.unpacked_max_bytes = MIB + 3 * LAYER_BLOCK_BYTES;
        assert_int_equal(count(layer, &entries), OK);
        limits.unpacked_max_bytes = MIB + LAYER_BLOCK_BYTES - 1;
        assert_int_equal(count(layer, &entries), ERROR_TOO_LARGE);
        assert_int_equal(read_file(layer, "a"), ERROR_TOO_LARGE);
    }
}

static void entries_are_limited(void **state)
{
    struct str layer;
    size_t entries;

    (void)state;
    layer_maker_add_file(&maker, "a", "1");
    layer_maker_add_file(&maker, "b", "2");
    layer = layer_maker_finish(&maker);
    limits.max_entries = 2;
    assert_int_equal(count(layer, &entries), OK);
    limits.max_entries = 1;
    assert_int_equal(count(layer, &entries), ERROR_TOO_LARGE);
    assert_int_equal(entries, 1);
    assert_int_equal(read_file(layer, "a"), ERROR_TOO_LARGE);
}

/* Each look at the clock takes a millisecond here: they must come often enough. */
static void skipping_a_bomb_ends_in_time(void **state)
{
    struct ticking_clock ticking;
    int64_t now_ms = 0;
    struct str layer;
    size_t entries;

    (void)state;
    ticking_clock_init(&ticking, &now_ms, 1);
    limits.clock = &ticking.clock;
    for (size_t i = 1; i < ARRAY_LEN(all_kinds); i++) {
        make(LAYER_USTAR, all_kinds[i]);
        layer_maker_add_zeros(&maker, "a", 100 * MIB);
        layer = layer_maker_finish(&maker);
        assert_in_range(layer.length, 1, MIB);
        limits.time_max_ms = 400;
        assert_int_equal(count(layer, &entries), ERROR_TOO_LARGE);
        assert_int_equal(entries, 1);
        limits.time_max_ms = 100000;
        assert_int_equal(count(layer, &entries), OK);
    }
}

/* Empty members of gzip unpack to nothing, so that no unpacked byte would ever be counted. */
static void time_ends_also_what_unpacks_to_nothing(void **state)
{
    struct ticking_clock ticking;
    int64_t now_ms = 0;
    struct strbuf member;
    size_t entries;

    (void)state;
    strbuf_init(&member, MIB);
    layer_compress(&member, LAYER_GZIP, str_from(""));
    while (tar.length < 20 * MIB) {
        strbuf_append(&tar, strbuf_str(&member));
    }
    ticking_clock_init(&ticking, &now_ms, 1);
    limits.clock = &ticking.clock;
    limits.time_max_ms = 100;
    assert_int_equal(count(strbuf_str(&tar), &entries), ERROR_TOO_LARGE);
    assert_in_range(memory.read_bytes, 1, 10 * MIB);
    strbuf_release(&member);
}

static void a_failure_of_the_input_is_passed_on(void **state)
{
    const size_t places[] = {0, 1, 2, 600, 1024, 3000, MIB};
    struct str layer;

    (void)state;
    make(LAYER_USTAR, LAYER_PLAIN);
    layer_maker_add_file(&maker, "a", "1");
    layer_maker_add_zeros(&maker, "b", 2 * MIB);
    layer = layer_maker_finish(&maker);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        memory_input_init(&memory, layer);
        memory.piece_max_bytes = 1 + places[i] % 7;
        memory.fail_at_bytes = places[i];
        memory.fail_code = i % 2 ? ERROR_UNAVAILABLE : ERROR_NOT_FOUND;
        assert_int_equal(layer_read_file(&memory.input, &limits, "a", &content, &err),
                         memory.fail_code);
        assert_string_equal(err.message, "the input failed");
        assert_int_equal(content.length, 0);
    }
}

static void a_file_is_found_by_its_names(void **state)
{
    static const char *const names[] = {"scm-source.json", "./scm-source.json", "/scm-source.json"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names) * ARRAY_LEN(names); i++) {
        make(LAYER_PAX, all_kinds[i / ARRAY_LEN(names)]);
        layer_maker_add_file(&maker, "etc/scm-source.json", "another");
        layer_maker_add_file(&maker, names[i % ARRAY_LEN(names)], "{}");
        layer_maker_add_file(&maker, "scm-source.json.old", "old");
        strbuf_clear(&content);
        strbuf_append_text(&content, "before ");
        assert_int_equal(read_file(layer_maker_finish(&maker), names[i / ARRAY_LEN(names)]), OK);
        assert_string_equal(content.text, "before {}");
    }
}

static void the_last_file_wins(void **state)
{
    (void)state;
    layer_maker_add_file(&maker, "a", "the first");
    layer_maker_add_file(&maker, "./a", "2nd");
    assert_int_equal(read_file(layer_maker_finish(&maker), "a"), OK);
    assert_string_equal(content.text, "2nd");
}

static void what_is_no_file_is_not_found(void **state)
{
    const struct layer_entry others[] = {
        {.name = STR_LITERAL("b"), .mode = S_IFREG | 0644},
        {.name = STR_LITERAL("a/"), .mode = S_IFDIR | 0755},
        {.name = STR_LITERAL("a"), .mode = S_IFDIR | 0755},
        {.name = STR_LITERAL("a"), .mode = S_IFLNK | 0777, .link = STR_LITERAL("b")},
        {.name = STR_LITERAL("a"), .mode = S_IFREG | 0644, .link = STR_LITERAL("b")},
        {.name = STR_LITERAL("a"), .mode = S_IFIFO | 0644},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        make(LAYER_PAX, LAYER_PLAIN);
        layer_maker_add_file(&maker, "b", "target");
        if (i > 0) {
            layer_maker_add_file(&maker, "a", "replaced");
        }
        layer_maker_add(&maker, others[i], "");
        assert_int_equal(read_file(layer_maker_finish(&maker), "a"), ERROR_NOT_FOUND);
        assert_int_equal(content.length, 0);
    }
}

static void a_file_must_fit_into_the_buffer(void **state)
{
    (void)state;
    strbuf_init(&content, 8);
    strbuf_append_text(&content, "123");
    layer_maker_add_file(&maker, "fits", "45678");
    layer_maker_add_file(&maker, "large", "456789");
    layer_maker_add_file(&maker, "shrinks", "456789");
    layer_maker_add_file(&maker, "shrinks", "4");
    layer_maker_add_file(&maker, "grows", "4");
    layer_maker_add_file(&maker, "grows", "456789");
    layer_maker_add_zeros(&maker, "huge", 10 * MIB);
    (void)layer_maker_finish(&maker);
    assert_int_equal(read_file(strbuf_str(&maker.bytes), "large"), ERROR_TOO_LARGE);
    assert_int_equal(read_file(strbuf_str(&maker.bytes), "grows"), ERROR_TOO_LARGE);
    assert_int_equal(read_file(strbuf_str(&maker.bytes), "huge"), ERROR_TOO_LARGE);
    assert_string_equal(content.text, "123");
    assert_false(content.is_truncated);
    assert_int_equal(read_file(strbuf_str(&maker.bytes), "shrinks"), OK);
    assert_string_equal(content.text, "1234");
    strbuf_clear(&content);
    strbuf_append_text(&content, "123");
    assert_int_equal(read_file(strbuf_str(&maker.bytes), "fits"), OK);
    assert_string_equal(content.text, "12345678");
}

static void an_empty_file_is_a_file(void **state)
{
    (void)state;
    layer_maker_add_file(&maker, "a", "");
    assert_int_equal(read_file(layer_maker_finish(&maker), "a"), OK);
    assert_int_equal(content.length, 0);
}

static void holes_of_a_sparse_file_are_zeros(void **state)
{
    const char expected[20] = "\0\0\0\0\0\0\0\0\0\0text";

    (void)state;
    layer_maker_add_sparse(&maker, "a", "text", 10, sizeof(expected));
    assert_int_equal(read_file(layer_maker_finish(&maker), "a"), OK);
    assert_int_equal(content.length, sizeof(expected));
    assert_memory_equal(content.text, expected, sizeof(expected));
}

/* 8 EiB of hole, which nobody may try to fill. */
static void a_huge_hole_is_skipped(void **state)
{
    static const char map[] = "22 GNU.sparse.major=0\n"
                              "22 GNU.sparse.minor=1\n"
                              "29 GNU.sparse.map=0,1,1000,1\n"
                              "43 GNU.sparse.realsize=9000000000000000000\n";

    (void)state;
    layer_append_header(&tar, "PaxHeader", 'x', sizeof(map) - 1);
    layer_append_content(&tar, (struct str){map, sizeof(map) - 1});
    layer_append_header(&tar, "hole", '0', 2);
    layer_append_content(&tar, str_from("12"));
    layer_append_header(&tar, "next", '0', 1);
    layer_append_content(&tar, str_from("3"));
    assert_int_equal(read_file(strbuf_str(&tar), "next"), OK);
    assert_string_equal(content.text, "3");
    assert_int_equal(read_file(strbuf_str(&tar), "hole"), ERROR_TOO_LARGE);
}

/* Reads a layer of LAYER_MAX_BYTES that is one header: it must end long before its end. */
static void check_is_left_early(enum error_code expected)
{
    size_t entries;
    const enum error_code code = count(strbuf_str(&tar), &entries);

    assert_int_equal(code, expected);
    assert_in_range(memory.read_bytes, 1, 3 * MIB);
}

static void fill(const char *text)
{
    const struct str bytes = str_from(text);

    while (tar.length + bytes.length <= 100 * MIB) {
        strbuf_append(&tar, bytes);
    }
}

static void giant_special_headers_end_early(void **state)
{
    const char types[] = {'x', 'g', 'L', 'K', 'V', 'A'};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        strbuf_clear(&tar);
        layer_append_header(&tar, "special", types[i], 100 * MIB);
        fill("11 path=aa\n");
        check_is_left_early(ERROR_INVALID);
    }
}

static void endless_special_headers_end_early(void **state)
{
    const char types[] = {'x', 'g', 'L', 'K'};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        strbuf_clear(&tar);
        while (tar.length < 20 * MIB) {
            layer_append_header(&tar, "special", types[i], 11);
            layer_append_content(&tar, str_from("11 path=aa\n"));
        }
        check_is_left_early(ERROR_INVALID);
    }
}

/* A header of some size is a large file's map; several large ones are an attack. */
static void special_headers_are_limited_altogether(void **state)
{
    const size_t large_bytes = 200 * 1024;
    size_t entries;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        layer_append_header(&tar, "special", i ? 'K' : 'L', large_bytes);
        for (size_t filled = 0; filled < large_bytes; filled += LAYER_BLOCK_BYTES) {
            layer_append_content(&tar, str_from("a"));
        }
        layer_append_header(&tar, "entry", '0', 0);
    }
    assert_int_equal(count((struct str){tar.text, tar.length / 2}, &entries), OK);
    assert_int_equal(entries, 1);
    memmove(tar.text + tar.length / 2 - LAYER_BLOCK_BYTES, tar.text + tar.length / 2,
            tar.length / 2);
    tar.length -= LAYER_BLOCK_BYTES; /* now both belong to one entry */
    assert_int_equal(count(strbuf_str(&tar), &entries), ERROR_TOO_LARGE);
    assert_int_equal(entries, 0);
}

/* GNU tar's first form: the map continues in blocks as long as each says so. */
static void an_endless_sparse_map_ends_early(void **state)
{
    char block[LAYER_BLOCK_BYTES] = {0};

    (void)state;
    layer_append_header(&tar, "sparse", 'S', 0);
    memcpy(tar.text + 386, "00000000000\00000000000000", 24);
    tar.text[482] = 1;
    layer_seal_header(tar.text);
    for (size_t i = 0; i < SPARSE_EXTENDED_COUNT; i++) {
        memcpy(block + i * 24, "00000000000\00000000000000", 24);
    }
    block[504] = 1;
    while (tar.length < 100 * MIB) {
        strbuf_append(&tar, (struct str){block, sizeof(block)});
    }
    check_is_left_early(ERROR_TOO_LARGE);
}

/* GNU tar's form 1.0: the map stands before the content, in decimal lines. */
static void an_endless_sparse_map_of_lines_ends_early(void **state)
{
    static const char attributes[] = "22 GNU.sparse.major=1\n"
                                     "22 GNU.sparse.minor=0\n"
                                     "28 GNU.sparse.name=sparse-1\n"
                                     "26 GNU.sparse.realsize=99\n";

    (void)state;
    layer_append_header(&tar, "PaxHeader", 'x', sizeof(attributes) - 1);
    layer_append_content(&tar, (struct str){attributes, sizeof(attributes) - 1});
    layer_append_header(&tar, "sparse", '0', 90 * MIB);
    strbuf_append_text(&tar, "20000000\n");
    fill("0\n");
    check_is_left_early(ERROR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(every_kind_and_format_is_listed),
        TEST(a_visit_ends_it_early),
        TEST(an_empty_archive_has_no_entries),
        TEST(what_is_no_layer_is_invalid),
        TEST(what_is_packed_twice_is_invalid),
        TEST(a_wrong_checksum_is_invalid),
        TEST(what_is_cut_off_is_invalid),
        TEST(names_are_bytes),
        TEST(odd_names_do_not_fail_in_another_locale),
        TEST(long_names_come_whole),
        TEST(stored_bytes_are_limited),
        TEST(unpacked_bytes_are_limited),
        TEST(entries_are_limited),
        TEST(skipping_a_bomb_ends_in_time),
        TEST(time_ends_also_what_unpacks_to_nothing),
        TEST(a_failure_of_the_input_is_passed_on),
        TEST(a_file_is_found_by_its_names),
        TEST(the_last_file_wins),
        TEST(what_is_no_file_is_not_found),
        TEST(a_file_must_fit_into_the_buffer),
        TEST(an_empty_file_is_a_file),
        TEST(holes_of_a_sparse_file_are_zeros),
        TEST(a_huge_hole_is_skipped),
        TEST(giant_special_headers_end_early),
        TEST(endless_special_headers_end_early),
        TEST(special_headers_are_limited_altogether),
        TEST(an_endless_sparse_map_ends_early),
        TEST(an_endless_sparse_map_of_lines_ends_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
