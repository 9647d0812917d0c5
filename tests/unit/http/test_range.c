#include "http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static const struct {
    const char *value;
    uint64_t size_bytes;
    enum http_range_result result;
    uint64_t offset, length; /* of the only part */
} ranges[] = {
    {"bytes=0-0", 10, HTTP_RANGE_PARTS, 0, 1},
    {"bytes=0-9", 10, HTTP_RANGE_PARTS, 0, 10},
    {"bytes=2-5", 10, HTTP_RANGE_PARTS, 2, 4},
    {"BYTES=2-5", 10, HTTP_RANGE_PARTS, 2, 4},
    {"bytes=002-0005", 10, HTTP_RANGE_PARTS, 2, 4},
    {"bytes=9-9", 10, HTTP_RANGE_PARTS, 9, 1},
    {"bytes=9-", 10, HTTP_RANGE_PARTS, 9, 1},
    {"bytes=0-", 10, HTTP_RANGE_PARTS, 0, 10},
    {"bytes=3-", 10, HTTP_RANGE_PARTS, 3, 7},
    {"bytes=3-10", 10, HTTP_RANGE_PARTS, 3, 7},
    {"bytes=3-18446744073709551615", 10, HTTP_RANGE_PARTS, 3, 7},
    {"bytes=3-18446744073709551616", 10, HTTP_RANGE_PARTS, 3, 7},
    {"bytes=3-99999999999999999999999999", 10, HTTP_RANGE_PARTS, 3, 7},
    {"bytes=-1", 10, HTTP_RANGE_PARTS, 9, 1},
    {"bytes=-10", 10, HTTP_RANGE_PARTS, 0, 10},
    {"bytes=-11", 10, HTTP_RANGE_PARTS, 0, 10},
    {"bytes=-99999999999999999999999999", 10, HTTP_RANGE_PARTS, 0, 10},
    {"bytes=0-", UINT64_MAX, HTTP_RANGE_PARTS, 0, UINT64_MAX},
    {"bytes=5-18446744073709551614", UINT64_MAX, HTTP_RANGE_PARTS, 5, UINT64_MAX - 5},
    {"bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=10-20", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=99999999999999999999999999-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=18446744073709551615-", UINT64_MAX, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-5", 0, HTTP_RANGE_WHOLE, 0, 0},
    {"", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=-", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=5", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=5-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=20-15", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=,", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=--1", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=1--", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=+1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=1-+2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=a-b", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=0x1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=1-2x", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes =1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes 1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"items=1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
};

static void ranges_are_read_against_the_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const bool is_part = ranges[i].result == HTTP_RANGE_PARTS;
        struct http_ranges found = {.ranges = {{77, 77}}, .count = 77};

        if (http_range_parse(str_from(ranges[i].value), ranges[i].size_bytes, &found) !=
            ranges[i].result) {
            fail_msg("%s", ranges[i].value);
        }
        assert_true(found.count == (is_part ? 1 : 77));
        assert_true(found.ranges[0].offset_bytes == (is_part ? ranges[i].offset : 77));
        assert_true(found.ranges[0].length_bytes == (is_part ? ranges[i].length : 77));
    }
}

static void an_absent_range_is_the_whole(void **state)
{
    struct http_ranges found;

    (void)state;
    assert_int_equal(http_range_parse((struct str){0}, 10, &found), HTTP_RANGE_WHOLE);
}

/* `OFFSET+LENGTH` of each, separated by spaces. */
static void write_ranges(const struct http_ranges *found, char text[256])
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < found->count; i++) {
        length += (size_t)snprintf(text + length, 256 - length, "%s%llu+%llu", i > 0 ? " " : "",
                                   (unsigned long long)found->ranges[i].offset_bytes,
                                   (unsigned long long)found->ranges[i].length_bytes);
    }
}

static void several_ranges_become_as_few_as_possible(void **state)
{
    static const struct {
        const char *value, *found; /* NULL: the whole; "": not satisfiable */
    } cases[] = {
        {"bytes=0-1,500-501", "0+2 500+2"},
        {"bytes=500-501,0-1", "500+2 0+2"},
        {"bytes= 0-1 ,\t500-501", "0+2 500+2"},
        {"bytes=,0-1,,500-501, ,", "0+2 500+2"},
        {"bytes=0-1,", "0+2"},
        {"bytes= 1-2", "1+2"},
        {"bytes=0-1,-2", "0+2 998+2"},
        {"bytes=-1,-2", "998+2"},
        {"bytes=0-,-5", "0+1000"},
        {"bytes=5-9,0-,300-400", "0+1000"},
        {"bytes=0-99,50-149", "0+150"},
        {"bytes=50-149,0-99", "0+150"},
        {"bytes=0-99,100-199", "0+200"},
        {"bytes=0-99,227-299", "0+300"}, /* 127 between */
        {"bytes=0-99,228-299", "0+100 228+72"},
        {"bytes=228-299,0-99", "228+72 0+100"},
        {"bytes=0-9,300-309,600-609,5-604", "0+610"},
        {"bytes=0-9,300-309,600-609,5-304", "600+10 0+310"},
        {"bytes=0-0,0-0,0-0", "0+1"},
        {"bytes=0-1,1000-,500-501,2000-3000", "0+2 500+2"},
        {"bytes=1000-,500-501", "500+2"},
        {"bytes=1000-,-0", ""},
        {"bytes=0-1,5", NULL},
        {"bytes=0-1,a-b", NULL},
        {"bytes=0-1,501-500", NULL},
        {"bytes=0-1;500-501", NULL},
        {"bytes=0-1,bytes=500-501", NULL},
        {"bytes=1000-,x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_ranges found = {.count = 0};
        char text[256];
        const enum http_range_result result =
            http_range_parse(str_from(cases[i].value), 1000, &found);

        write_ranges(&found, text);
        assert_int_equal(result, !cases[i].found   ? HTTP_RANGE_WHOLE
                                 : *cases[i].found ? HTTP_RANGE_PARTS
                                                   : HTTP_RANGE_UNSATISFIABLE);
        assert_string_equal(text, cases[i].found ? cases[i].found : "");
    }
}

static void ranges_near_the_end_of_all_numbers_are_joined(void **state)
{
    struct http_ranges found;

    (void)state;
    assert_int_equal(
        http_range_parse(str_from("bytes=-1,0-0,18446744073709551500-"), UINT64_MAX, &found),
        HTTP_RANGE_PARTS);
    assert_int_equal(found.count, 2);
    assert_true(found.ranges[1].offset_bytes == 18446744073709551500U);
    assert_true(found.ranges[1].length_bytes == 115);
}

/* More are the whole, whether or not they would become one, or none. */
static void ranges_are_counted_as_they_are_asked_for(void **state)
{
    static const char *const shapes[] = {"apart", "0-0,", "9999999-,"};

    (void)state;
    for (size_t shape = 0; shape < ARRAY_LEN(shapes); shape++) {
        char value[2048] = "bytes=";
        struct http_ranges found = {.count = 0};

        for (int i = 1; i <= HTTP_RANGES_MAX; i++) {
            char *const end = value + strlen(value);

            if (shape == 0) {
                (void)snprintf(end, 32, "%d000-%d001,", i, i);
            } else {
                (void)snprintf(end, 32, "%s", shapes[shape]);
            }
        }
        assert_int_not_equal(http_range_parse(str_from(value), 1000000, &found), HTTP_RANGE_WHOLE);
        assert_int_equal(found.count, shape == 0 ? HTTP_RANGES_MAX : shape == 1 ? 1 : 0);
        (void)snprintf(value + strlen(value), 32, "5-5");
        assert_int_equal(http_range_parse(str_from(value), 1000000, &found), HTTP_RANGE_WHOLE);
    }
}

static void parts_are_framed_and_closed(void **state)
{
    static const struct http_multipart multipart = {"B", "a/b", 1000};
    static const struct http_ranges two = {.ranges = {{500, 10}, {0, 1}}, .count = 2};
    const struct http_part *parts = NULL;
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    parts = http_range_new_parts(&two, &multipart, &arena);
    assert_true(str_is(parts[0].head, "--B\r\nContent-Type: a/b\r\n"
                                      "Content-Range: bytes 500-509/1000\r\n\r\n"));
    assert_true(str_is(parts[1].head, "\r\n--B\r\nContent-Type: a/b\r\n"
                                      "Content-Range: bytes 0-0/1000\r\n\r\n"));
    assert_true(str_is(parts[2].head, "\r\n--B--\r\n"));
    assert_int_equal(parts[0].offset_bytes, 500);
    assert_int_equal(parts[0].length_bytes, 10);
    assert_int_equal(parts[2].length_bytes, 0);
    arena_release(&arena);
}

static void parts_beyond_the_memory_are_none(void **state)
{
    static const struct http_multipart multipart = {"B", "a/b", 1000};
    static const struct http_ranges two = {.ranges = {{500, 10}, {0, 1}}, .count = 2};
    struct http_part *parts = NULL;

    (void)state;
    for (size_t limit_bytes = 0; !parts && limit_bytes < 65536; limit_bytes += 16) {
        struct arena arena;

        arena_init(&arena, limit_bytes);
        parts = http_range_new_parts(&two, &multipart, &arena);
        if (parts) {
            assert_true(parts[2].head.length > 0);
        }
        arena_release(&arena);
    }
    assert_non_null(parts);
}

static void good_content_ranges_are_read(void **state)
{
    static const struct {
        const char *value;
        uint64_t first, last;
    } cases[] = {
        {"0-0", 0, 0},
        {"0-99", 0, 99},
        {"100-199", 100, 199},
        {"bytes 0-99/*", 0, 99},
        {"Bytes 5-9/*", 5, 9},
        {"bytes 5-9/10", 5, 9},
        {"bytes 5-9/1000", 5, 9},
        {"0-18446744073709551615", 0, UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t first = 77;
        uint64_t last = 77;

        assert_true(http_content_range_parse(str_from(cases[i].value), &first, &last));
        assert_true(first == cases[i].first);
        assert_true(last == cases[i].last);
    }
}

static void bad_content_ranges_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        "5",
        "5-",
        "-5",
        "5-4",
        "a-b",
        "0-9/*",
        "0-9/10",
        " 0-9",
        "0-9 ",
        "0 - 9",
        "+0-9",
        "0--9",
        "0-+9",
        "0-9-10",
        "0-9,10-19",
        "bytes=0-9",
        "bytes 0-9",
        "bytes 0-9/",
        "bytes 0-9/9",
        "bytes 9-0/*",
        "bytes */10",
        "bytes  0-9/*",
        "bytes 0-9/a",
        "bytes 0-9/**",
        "bytes 0/1-9",
        "bytes 0-/9",
        "items 0-9/*",
        "bytes",
        "0-18446744073709551616",
        "18446744073709551616-18446744073709551617",
        "bytes 0-9/18446744073709551616",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t first = 77;
        uint64_t last = 77;

        if (http_content_range_parse(str_from(bad[i]), &first, &last)) {
            fail_msg("accepted: %s", bad[i]);
        }
        assert_true(first == 77);
        assert_true(last == 77);
    }
    assert_false(http_content_range_parse((struct str){0}, &(uint64_t){0}, &(uint64_t){0}));
}

static const struct str etag = STR_LITERAL("\"sha256:ab\"");

static void if_none_match_finds_the_tag_in_a_list(void **state)
{
    static const struct {
        const char *value;
        bool matches;
    } cases[] = {
        {"\"sha256:ab\"", true},
        {"W/\"sha256:ab\"", true},
        {"*", true},
        {" * ", true},
        {"  \"sha256:ab\"\t", true},
        {"\"x\", \"sha256:ab\"", true},
        {"\"x\",\"sha256:ab\",\"y\"", true},
        {"\"x\" ,W/\"y\"\t, W/\"sha256:ab\"", true},
        {",, \"sha256:ab\"", true},
        {"\"a,b\", \"sha256:ab\"", true},
        {"\"\", \"sha256:ab\"", true},
        {"\"sha256:ab\",", true},
        {"", false},
        {" ", false},
        {",", false},
        {"\"x\"", false},
        {"sha256:ab", false},
        {"\"sha256:ab", false},
        {"sha256:ab\"", false},
        {"\"sha256:abc\"", false},
        {"\"SHA256:AB\"", false},
        {"w/\"sha256:ab\"", false},
        {"W/ \"sha256:ab\"", false},
        {"\"x\" \"sha256:ab\"", false},
        {"\"x\"\"sha256:ab\"", false},
        {"\"sha256:ab\"x", false},
        {"\"x, \"sha256:ab\"", false},
        {"*, \"sha256:ab\"", false},
        {"x, \"sha256:ab\"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (http_if_none_match(str_from(cases[i].value), etag) != cases[i].matches) {
            fail_msg("%s", cases[i].value);
        }
    }
    assert_false(http_if_none_match((struct str){0}, etag));
}

static void if_range_needs_exactly_the_strong_tag(void **state)
{
    static const struct {
        const char *value;
        bool allows;
    } cases[] = {
        {"\"sha256:ab\"", true},
        {" \"sha256:ab\" ", true},
        {"W/\"sha256:ab\"", false},
        {"\"x\"", false},
        {"*", false},
        {"", false},
        {"\"sha256:ab\", \"x\"", false},
        {"sha256:ab", false},
        {"Sun, 06 Nov 1994 08:49:37 GMT", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (http_if_range(str_from(cases[i].value), etag) != cases[i].allows) {
            fail_msg("%s", cases[i].value);
        }
    }
}

static void an_absent_if_range_allows_a_part(void **state)
{
    (void)state;
    assert_true(http_if_range((struct str){0}, etag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_against_the_size),
        cmocka_unit_test(an_absent_range_is_the_whole),
        cmocka_unit_test(several_ranges_become_as_few_as_possible),
        cmocka_unit_test(ranges_near_the_end_of_all_numbers_are_joined),
        cmocka_unit_test(ranges_are_counted_as_they_are_asked_for),
        cmocka_unit_test(parts_are_framed_and_closed),
        cmocka_unit_test(parts_beyond_the_memory_are_none),
        cmocka_unit_test(good_content_ranges_are_read),
        cmocka_unit_test(bad_content_ranges_are_refused),
        cmocka_unit_test(if_none_match_finds_the_tag_in_a_list),
        cmocka_unit_test(if_range_needs_exactly_the_strong_tag),
        cmocka_unit_test(an_absent_if_range_allows_a_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
