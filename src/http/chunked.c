#include "http/chunked.h"

#include <stdlib.h>

#include "http/syntax.h"

enum {
    SIZE_MAX_DIGITS = 16, /* as many as 64 bits have */
    SIZE_LINE_MAX_BYTES = 256,
    TRAILERS_MAX_BYTES = 8192,
};

void chunked_init(struct chunked *chunked)
{
    *chunked = (struct chunked){.state = CHUNKED_AT_SIZE, .allowed_bytes = UINT64_MAX};
}

static enum chunked_result take_data(struct chunked *chunked, struct str *input,
                                     struct str *data_out)
{
    const size_t length =
        input->length < chunked->left_bytes ? input->length : (size_t)chunked->left_bytes;

    *data_out = str_slice(*input, 0, length);
    *input = str_from_index(*input, length);
    chunked->left_bytes -= length;
    if (chunked->left_bytes == 0) {
        chunked->state = CHUNKED_AT_DATA_CR;
    }
    return CHUNKED_DATA;
}

static enum chunked_state expect(char byte, char wanted, enum chunked_state next)
{
    return byte == wanted ? next : CHUNKED_AT_ERROR;
}

/* No white space: RFC 9112 7.1.1 has it only around extensions, and parsers differ about it. */
static enum chunked_state step_size(struct chunked *chunked, char byte)
{
    const int digit = str_hex_value(byte);

    if (digit >= 0 && chunked->digits < SIZE_MAX_DIGITS) {
        chunked->left_bytes = chunked->left_bytes * 16 + (unsigned)digit;
        chunked->digits++;
        return CHUNKED_AT_SIZE;
    }
    if (chunked->digits == 0) {
        return CHUNKED_AT_ERROR;
    }
    return byte == ';' ? CHUNKED_IN_EXTENSION : expect(byte, '\r', CHUNKED_AT_SIZE_LF);
}

static enum chunked_state within_bound(struct chunked *chunked, size_t max_bytes,
                                       enum chunked_state next)
{
    chunked->overhead_bytes++;
    return chunked->overhead_bytes > max_bytes ? CHUNKED_AT_ERROR : next;
}

static enum chunked_state end_size_line(struct chunked *chunked, char byte)
{
    chunked->digits = 0;
    chunked->overhead_bytes = 0;
    if (byte == '\n' && chunked->left_bytes > chunked->allowed_bytes) {
        return CHUNKED_AT_EXCESS;
    }
    chunked->allowed_bytes -= chunked->left_bytes;
    return expect(byte, '\n', chunked->left_bytes == 0 ? CHUNKED_AT_TRAILER : CHUNKED_IN_DATA);
}

static enum chunked_state step_trailer(char byte)
{
    return http_byte_is(byte, HTTP_TOKEN_BYTE) ? CHUNKED_IN_TRAILER_NAME
                                               : expect(byte, '\r', CHUNKED_AT_LAST_LF);
}

static enum chunked_state step(struct chunked *chunked, char byte)
{
    const enum chunked_state state = chunked->state;

    switch (state) {
    case CHUNKED_AT_SIZE:
        return step_size(chunked, byte);
    case CHUNKED_IN_EXTENSION: /* skipped, whatever it says (RFC 9112 7.1.1) */
        return within_bound(chunked, SIZE_LINE_MAX_BYTES,
                            http_byte_is(byte, HTTP_VALUE_BYTE)
                                ? CHUNKED_IN_EXTENSION
                                : expect(byte, '\r', CHUNKED_AT_SIZE_LF));
    case CHUNKED_AT_SIZE_LF:
        return end_size_line(chunked, byte);
    case CHUNKED_AT_DATA_CR:
        return expect(byte, '\r', CHUNKED_AT_DATA_LF);
    case CHUNKED_AT_DATA_LF:
        return expect(byte, '\n', CHUNKED_AT_SIZE);
    case CHUNKED_AT_TRAILER:
        return within_bound(chunked, TRAILERS_MAX_BYTES, step_trailer(byte));
    case CHUNKED_IN_TRAILER_NAME:
        return within_bound(chunked, TRAILERS_MAX_BYTES,
                            http_byte_is(byte, HTTP_TOKEN_BYTE)
                                ? CHUNKED_IN_TRAILER_NAME
                                : expect(byte, ':', CHUNKED_IN_TRAILER_VALUE));
    case CHUNKED_IN_TRAILER_VALUE:
        return within_bound(chunked, TRAILERS_MAX_BYTES,
                            http_byte_is(byte, HTTP_VALUE_BYTE)
                                ? CHUNKED_IN_TRAILER_VALUE
                                : expect(byte, '\r', CHUNKED_AT_TRAILER_LF));
    case CHUNKED_AT_TRAILER_LF:
        return expect(byte, '\n', CHUNKED_AT_TRAILER);
    case CHUNKED_AT_LAST_LF:
        return expect(byte, '\n', CHUNKED_AT_END);
    case CHUNKED_IN_DATA:
    case CHUNKED_AT_END:
    case CHUNKED_AT_ERROR:
    case CHUNKED_AT_EXCESS:
        break;
    }
    abort(); /* chunked_read does not come here with these */
}

enum chunked_result chunked_read(struct chunked *chunked, struct str *input, struct str *data_out)
{
    while (chunked->state < CHUNKED_AT_END) {
        if (input->length == 0) {
            return CHUNKED_MORE;
        }
        if (chunked->state == CHUNKED_IN_DATA) {
            return take_data(chunked, input, data_out);
        }
        chunked->state = step(chunked, input->bytes[0]);
        *input = str_from_index(*input, 1);
    }
    if (chunked->state == CHUNKED_AT_EXCESS) {
        return CHUNKED_TOO_LARGE;
    }
    return chunked->state == CHUNKED_AT_END ? CHUNKED_END : CHUNKED_BROKEN;
}
