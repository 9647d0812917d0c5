#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "http/chunked.h"

/* What came of reading an input in pieces. */
struct outcome {
    enum chunked_result result;
    struct strbuf body;
    size_t used_bytes; /* up to the end of the body */
};

static void read_in_pieces(struct str input, size_t piece_bytes, struct outcome *outcome);
static enum chunked_result read_piece(struct chunked *chunked, struct str *piece,
                                      struct strbuf *body);

/* The first byte says how large the pieces are whose outcome must be that of the whole. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str input = {(const char *)bytes + 1, length - 1};
    struct outcome whole;
    struct outcome pieces;

    if (length == 0) {
        return 0;
    }
    strbuf_init(&whole.body, length);
    strbuf_init(&pieces.body, length);
    read_in_pieces(input, length, &whole);
    read_in_pieces(input, 1 + bytes[0] % 32U, &pieces);
    assert(whole.result == pieces.result);
    assert(str_equal(strbuf_str(&whole.body), strbuf_str(&pieces.body)));
    assert(whole.result != CHUNKED_END || whole.used_bytes == pieces.used_bytes);
    assert(whole.result != CHUNKED_MORE || whole.used_bytes == input.length);
    strbuf_release(&whole.body);
    strbuf_release(&pieces.body);
    return 0;
}

static void read_in_pieces(struct str input, size_t piece_bytes, struct outcome *outcome)
{
    struct chunked chunked;

    chunked_init(&chunked);
    outcome->result = CHUNKED_MORE;
    outcome->used_bytes = 0;
    while (outcome->result == CHUNKED_MORE && outcome->used_bytes < input.length) {
        const size_t begin = outcome->used_bytes;
        struct str piece = str_slice(input, begin, begin + piece_bytes);
        const size_t length = piece.length;

        outcome->result = read_piece(&chunked, &piece, &outcome->body);
        outcome->used_bytes += length - piece.length;
        assert(outcome->result != CHUNKED_MORE || piece.length == 0);
    }
    assert(!outcome->body.is_truncated);
}

static enum chunked_result read_piece(struct chunked *chunked, struct str *piece,
                                      struct strbuf *body)
{
    const struct str all = *piece;
    enum chunked_result result = CHUNKED_DATA;

    while (result == CHUNKED_DATA) {
        struct str data = {0};

        result = chunked_read(chunked, piece, &data);
        assert(piece->length <= all.length);
        if (result == CHUNKED_DATA) {
            assert(data.length > 0);
            assert(data.bytes >= all.bytes);
            assert(data.bytes + data.length == piece->bytes);
            strbuf_append(body, data);
        }
    }
    return result;
}
