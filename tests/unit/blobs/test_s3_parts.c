#include "blobs/s3_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)
#define GB UINT64_C(1000000000)

static const uint64_t largest_blobs[] = {
    1,
    S3_PART_MIN_BYTES,
    52 * GB,
    S3_PARTS_MAX *S3_PART_MIN_BYTES,
    S3_PARTS_MAX *S3_PART_MIN_BYTES + 1,
    100 * GB,
    1000 * GB,
    S3_OBJECT_MAX_BYTES - 1,
    S3_OBJECT_MAX_BYTES,
};

enum { LARGEST_BLOBS = sizeof(largest_blobs) / sizeof(largest_blobs[0]) };

static void all_parts_together_hold_the_largest_blob(void **state)
{
    (void)state;
    for (size_t i = 0; i < LARGEST_BLOBS; i++) {
        uint64_t total = 0;

        for (unsigned number = 1; number <= S3_PARTS_MAX; number++) {
            total += s3_parts_size(largest_blobs[i], number);
        }
        assert_true(total >= largest_blobs[i]);
    }
}

static void sizes_are_what_s3_takes_and_never_shrink(void **state)
{
    (void)state;
    for (size_t i = 0; i < LARGEST_BLOBS; i++) {
        uint64_t before = S3_PART_MIN_BYTES;

        for (unsigned number = 1; number <= S3_PARTS_MAX; number++) {
            const uint64_t size = s3_parts_size(largest_blobs[i], number);

            assert_true(size >= before);
            assert_true(size <= S3_PART_MAX_BYTES);
            before = size;
        }
        assert_int_equal(s3_parts_largest(largest_blobs[i]), before);
    }
}

/* What docs and settings promise of memory. */
static void parts_begin_small_and_stay_small_by_default(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 500; number++) {
        assert_int_equal(s3_parts_size(100 * GB, number), 5 * MIB);
    }
    assert_true(s3_parts_size(100 * GB, 501) > 5 * MIB);
    assert_true(s3_parts_largest(100 * GB) < 15 * MIB);
    assert_true(s3_parts_largest(S3_OBJECT_MAX_BYTES) < 1100 * MIB);
    assert_int_equal(s3_parts_largest(50 * GB), 5 * MIB);
}

static void set_text(char *text, const char *value)
{
    memcpy(text, value, strlen(value) + 1);
}

static void add_part(struct s3_notes *notes, const char *etag)
{
    struct s3_part *part = s3_notes_part(notes, notes->part_count + 1);

    (void)snprintf(part->etag, sizeof(part->etag), "%s", etag);
}

static void notes_come_back_as_they_were(void **state)
{
    struct s3_notes notes;
    struct s3_notes read;
    struct strbuf bytes;

    (void)state;
    s3_notes_init(&notes);
    s3_notes_init(&read);
    strbuf_init(&bytes, 10000);
    notes.offset_bytes = 12345678901;
    set_text(notes.key, "prefix/uploads/id/once");
    set_text(notes.upload_id, "2~an/ID+with=signs");
    for (unsigned i = 0; i < 40; i++) {
        add_part(&notes, i % 2 ? "\"0123456789abcdef\"" : "\"fedcba\"");
    }
    notes.tail_length = 15;
    s3_notes_append(&notes, &bytes);

    assert_true(s3_notes_parse(strbuf_str(&bytes), &read));
    assert_int_equal(read.offset_bytes, 12345678901);
    assert_string_equal(read.key, notes.key);
    assert_string_equal(read.upload_id, notes.upload_id);
    assert_int_equal(read.part_count, 40);
    assert_string_equal(read.parts[38].etag, "\"fedcba\"");
    assert_string_equal(read.parts[39].etag, "\"0123456789abcdef\"");
    assert_int_equal(read.tail_length, 15);
    assert_string_equal(read.tail_key, "");
    s3_notes_release(&notes);
    s3_notes_release(&read);
    strbuf_release(&bytes);
}

static void a_tail_may_be_an_object(void **state)
{
    struct s3_notes notes;
    struct s3_notes read;
    struct strbuf bytes;

    (void)state;
    s3_notes_init(&notes);
    s3_notes_init(&read);
    strbuf_init(&bytes, 10000);
    notes.offset_bytes = 7;
    notes.tail_length = 7;
    set_text(notes.tail_key, "uploads/id/tail");
    s3_notes_append(&notes, &bytes);
    assert_true(s3_notes_parse(strbuf_str(&bytes), &read));
    assert_string_equal(read.tail_key, "uploads/id/tail");
    assert_int_equal(read.tail_length, 7);
    assert_string_equal(read.upload_id, "");
    s3_notes_release(&notes);
    s3_notes_release(&read);
    strbuf_release(&bytes);
}

static void what_is_not_notes_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "s3 1\n",
        "s3 2\noffset 1\ntail 0\n",
        "s3 1\noffset 1\n",
        "s3 1\noffset x\ntail 0\n",
        "s3 1\noffset 1\nwhat else\ntail 0\n",
        "s3 1\noffset 1\nkey \ntail 0\n",
        "s3 1\noffset 1\ntail 3\nfour",
        "s3 1\noffset 1\ntail -1\n",
        "s3 1\noffset 1\ntail 99999999999999999999\n",
        "s3 1\noffset 1\nobject k\ntail 3\nabc",
        "s3 1\nlonely\ntail 0\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s3_notes notes;

        s3_notes_init(&notes);
        assert_false(s3_notes_parse(str_from(rows[i]), &notes));
        s3_notes_release(&notes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_together_hold_the_largest_blob),
        cmocka_unit_test(sizes_are_what_s3_takes_and_never_shrink),
        cmocka_unit_test(parts_begin_small_and_stay_small_by_default),
        cmocka_unit_test(notes_come_back_as_they_were),
        cmocka_unit_test(a_tail_may_be_an_object),
        cmocka_unit_test(what_is_not_notes_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
