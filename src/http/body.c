#include "http/body.h"

void body_init(struct body *body, const struct http_request *request)
{
    *body = (struct body){.framing = request->framing};
    if (body->framing == HTTP_SIZED_BODY) {
        body->left_bytes = request->content_length;
    }
    chunked_init(&body->chunked);
    body->is_complete = body->framing == HTTP_NO_BODY ||
                        (body->framing == HTTP_SIZED_BODY && body->left_bytes == 0);
}

bool body_allow(struct body *body, uint64_t most_bytes)
{
    body->chunked.allowed_bytes = most_bytes;
    return body->framing != HTTP_SIZED_BODY || body->left_bytes <= most_bytes;
}

static enum chunked_result read_sized(struct body *body, struct str *input, struct str *data_out)
{
    if (body->left_bytes == 0) {
        return CHUNKED_END;
    }
    if (input->length == 0) {
        return CHUNKED_MORE;
    }
    *data_out =
        input->length > body->left_bytes ? str_slice(*input, 0, (size_t)body->left_bytes) : *input;
    body->left_bytes -= data_out->length;
    *input = str_from_index(*input, data_out->length);
    return CHUNKED_DATA;
}

enum chunked_result body_read(struct body *body, struct str *input, struct str *data_out)
{
    enum chunked_result result = CHUNKED_END;

    if (body->is_complete) {
        return CHUNKED_END;
    }
    result = body->framing == HTTP_SIZED_BODY ? read_sized(body, input, data_out)
                                              : chunked_read(&body->chunked, input, data_out);
    body->is_complete = result == CHUNKED_END;
    return result;
}

uint64_t body_wanted(const struct body *body)
{
    return body->framing == HTTP_SIZED_BODY ? body->left_bytes : UINT64_MAX;
}
