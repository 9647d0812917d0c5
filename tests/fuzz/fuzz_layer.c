#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "layers/layer_reader.h"

enum {
    LISTED_MAX_BYTES = 16 * 1024 * 1024,
    CONTENT_MAX_BYTES = 4096,
    UNPACKED_MAX_BYTES = 4 * 1024 * 1024,
    ENTRIES_MAX = 1000,
};

/* Bytes that come in pieces. */
struct source {
    struct str unread;
    size_t piece_max_bytes;
};

/* What came of reading an input in pieces of one size. */
struct outcome {
    enum error_code list_code;
    enum error_code file_code;
    size_t entries;
    struct strbuf listed;
    struct strbuf content;
};

static int64_t no_time(const struct clock *clock);
static void read_layer(struct str bytes, size_t piece_max_bytes, struct outcome *outcome);
static enum error_code read_piece(void *context, char *buffer, size_t capacity, size_t *length_out,
                                  struct error *err);
static bool note(void *context, const struct layer_entry *entry);
static void check(const struct outcome *outcome);
static void check_same(const struct outcome *whole, const struct outcome *pieces);
static void release(struct outcome *outcome);

static const struct clock clock_standing = {.monotonic_ms = no_time, .wall_ms = no_time};

/* The first byte says how large the pieces are whose outcome must be that of the whole. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str layer = {(const char *)bytes + 1, length - 1};
    struct outcome whole;
    struct outcome pieces;

    if (length == 0) {
        return 0;
    }
    read_layer(layer, SIZE_MAX, &whole);
    read_layer(layer, 1 + bytes[0], &pieces);
    check(&whole);
    check_same(&whole, &pieces);
    release(&whole);
    release(&pieces);
    return 0;
}

static int64_t no_time(const struct clock *clock)
{
    (void)clock;
    return 0;
}

static void read_layer(struct str bytes, size_t piece_max_bytes, struct outcome *outcome)
{
    const struct layer_limits limits = {.compressed_max_bytes = UINT64_MAX,
                                        .unpacked_max_bytes = UNPACKED_MAX_BYTES,
                                        .max_entries = ENTRIES_MAX,
                                        .clock = &clock_standing};
    struct source source = {bytes, piece_max_bytes};
    const struct layer_input input = {&source, read_piece};

    *outcome = (struct outcome){0};
    strbuf_init(&outcome->listed, LISTED_MAX_BYTES);
    strbuf_init(&outcome->content, CONTENT_MAX_BYTES);
    outcome->list_code = layer_list(&input, &limits, note, outcome, NULL);
    source.unread = bytes;
    outcome->file_code = layer_read_file(&input, &limits, "a", &outcome->content, NULL);
}

static enum error_code read_piece(void *context, char *buffer, size_t capacity, size_t *length_out,
                                  struct error *err)
{
    struct source *source = context;
    const size_t wanted = capacity < source->piece_max_bytes ? capacity : source->piece_max_bytes;
    const struct str piece = str_slice(source->unread, 0, wanted);

    (void)err;
    assert(capacity > 0);
    memcpy(buffer, piece.bytes, piece.length);
    source->unread = str_from_index(source->unread, piece.length);
    *length_out = piece.length;
    return OK;
}

static bool note(void *context, const struct layer_entry *entry)
{
    struct outcome *outcome = context;

    assert(entry->name.bytes);
    assert((entry->mode & S_IFMT) != 0);
    assert(entry->size_bytes <= INT64_MAX);
    outcome->entries++;
    strbuf_append(&outcome->listed, entry->name);
    strbuf_append(&outcome->listed, entry->link);
    strbuf_append_format(&outcome->listed, "\n%o %llu %lld\n", entry->mode,
                         (unsigned long long)entry->size_bytes, (long long)entry->modified_s);
    return true;
}

static void check(const struct outcome *outcome)
{
    const enum error_code list_code = outcome->list_code;
    const enum error_code file_code = outcome->file_code;

    assert(list_code == OK || list_code == ERROR_INVALID || list_code == ERROR_TOO_LARGE);
    assert(outcome->entries <= ENTRIES_MAX);
    assert(!outcome->content.is_truncated);
    assert(file_code == OK || outcome->content.length == 0);
    if (list_code == OK) { /* a file of any size is stepped over; its content may be broken */
        assert(file_code == OK || file_code == ERROR_NOT_FOUND || file_code == ERROR_TOO_LARGE ||
               file_code == ERROR_INVALID);
    } else {
        assert(file_code == ERROR_INVALID || file_code == ERROR_TOO_LARGE);
    }
}

/* How much comes out of a broken stream before it fails depends on the pieces. */
static void check_same(const struct outcome *whole, const struct outcome *pieces)
{
    assert((whole->list_code == OK) == (pieces->list_code == OK));
    if (whole->list_code == OK) {
        assert(whole->file_code == pieces->file_code);
        assert(str_equal(strbuf_str(&whole->listed), strbuf_str(&pieces->listed)));
        assert(str_equal(strbuf_str(&whole->content), strbuf_str(&pieces->content)));
    }
}

static void release(struct outcome *outcome)
{
    strbuf_release(&outcome->listed);
    strbuf_release(&outcome->content);
}
