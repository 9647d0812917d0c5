#include "blobs/s3_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    PARTS_PER_STEP = 500, /* have the same size */
    STEPS = S3_PARTS_MAX / PARTS_PER_STEP,
    ROUNDING_BYTES = 64 * 1024,
};

/*
 * Lines of a word and its value:
 *
 *     s3 1                 the version
 *     offset 12345
 *     key PREFIX…          with upload and parts, if there is a multipart upload
 *     upload ID
 *     part "ETAG"          one line each, in order
 *     object KEY           if the tail is an object
 *     tail 123             how long it is; the last line
 */
static const char version_line[] = "s3 1\n";

enum { FIRST_PARTS = 16 };

/*
 * By how much parts grow at each step. All parts together have 10,000 times the smallest size, and
 * this 0 + 1 + … + 19 times for the 500 parts of a step.
 */
static uint64_t step_bytes(uint64_t largest_blob_bytes)
{
    const uint64_t flat_bytes = S3_PARTS_MAX * S3_PART_MIN_BYTES;
    const uint64_t weight = (uint64_t)PARTS_PER_STEP * STEPS * (STEPS - 1) / 2;
    uint64_t step = 0;

    assert(largest_blob_bytes <= S3_OBJECT_MAX_BYTES);
    if (largest_blob_bytes > flat_bytes) {
        step = (largest_blob_bytes - flat_bytes + weight - 1) / weight;
    }
    return (step + ROUNDING_BYTES - 1) / ROUNDING_BYTES * ROUNDING_BYTES;
}

uint64_t s3_parts_size(uint64_t largest_blob_bytes, unsigned number)
{
    assert(number >= 1);
    assert(number <= S3_PARTS_MAX);
    return S3_PART_MIN_BYTES + step_bytes(largest_blob_bytes) * ((number - 1) / PARTS_PER_STEP);
}

uint64_t s3_parts_largest(uint64_t largest_blob_bytes)
{
    return s3_parts_size(largest_blob_bytes, S3_PARTS_MAX);
}

void s3_notes_init(struct s3_notes *notes)
{
    *notes = (struct s3_notes){0};
}

void s3_notes_release(struct s3_notes *notes)
{
    free(notes->parts);
    s3_notes_init(notes);
}

void s3_notes_append(const struct s3_notes *notes, struct strbuf *bytes)
{
    strbuf_append_text(bytes, version_line);
    strbuf_append_format(bytes, "offset %llu\n", (unsigned long long)notes->offset_bytes);
    if (notes->key[0] != '\0') {
        strbuf_append_format(bytes, "key %s\nupload %s\n", notes->key, notes->upload_id);
    }
    for (size_t i = 0; i < notes->part_count; i++) {
        strbuf_append_format(bytes, "part %s\n", notes->parts[i].etag);
    }
    if (notes->tail_key[0] != '\0') {
        strbuf_append_format(bytes, "object %s\n", notes->tail_key);
    }
    strbuf_append_format(bytes, "tail %zu\n", notes->tail_length);
}

static bool keep_text(char *text_out, size_t capacity, struct str value)
{
    if (value.length == 0 || value.length >= capacity) {
        return false;
    }
    memcpy(text_out, value.bytes, value.length);
    text_out[value.length] = '\0';
    return true;
}

static bool s3_notes_read_line(struct str word, struct str value, struct s3_notes *notes)
{
    if (str_is(word, "offset")) {
        return str_parse_uint64(value, &notes->offset_bytes);
    }
    if (str_is(word, "key")) {
        return keep_text(notes->key, sizeof(notes->key), value);
    }
    if (str_is(word, "upload")) {
        return keep_text(notes->upload_id, sizeof(notes->upload_id), value);
    }
    if (str_is(word, "object")) {
        return keep_text(notes->tail_key, sizeof(notes->tail_key), value);
    }
    if (str_is(word, "part") && notes->part_count < S3_PARTS_MAX) {
        struct s3_part *part = s3_notes_part(notes, notes->part_count + 1);

        return keep_text(part->etag, sizeof(part->etag), value);
    }
    return false;
}

bool s3_notes_parse(struct str bytes, struct s3_notes *notes)
{
    struct str line;
    struct str word;

    if (!str_starts_with(bytes, version_line)) {
        return false;
    }
    bytes = str_from_index(bytes, sizeof(version_line) - 1);
    while (str_cut(&bytes, '\n', &line) && str_cut(&line, ' ', &word)) {
        if (str_is(word, "tail")) {
            uint64_t length = 0;
            const bool is_number = str_parse_uint64(line, &length);

            notes->tail_length = (size_t)length;
            return is_number && bytes.length == 0;
        }
        if (!s3_notes_read_line(word, line, notes)) {
            return false;
        }
    }
    return false;
}

struct s3_part *s3_notes_part(struct s3_notes *notes, size_t number)
{
    assert(number >= 1);
    assert(number <= notes->part_count + 1);
    if (number > notes->part_capacity) {
        const size_t capacity =
            notes->part_capacity > 0 ? 2 * notes->part_capacity : (size_t)FIRST_PARTS;

        notes->parts = memory_resize(notes->parts, capacity, sizeof(*notes->parts));
        notes->part_capacity = capacity;
    }
    if (number > notes->part_count) {
        notes->part_count = number;
        notes->parts[number - 1] = (struct s3_part){0};
    }
    return &notes->parts[number - 1];
}
