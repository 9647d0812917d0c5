#include "http/framing.h"

void framing_release(struct framing *framing)
{
    input_release(&framing->input);
    input_release(&framing->ahead);
}

enum http_parse_result framing_parse_head(struct framing *framing,
                                          const struct http_parser_limits *limits,
                                          struct http_request *request,
                                          struct http_refusal *refusal_out)
{
    const struct str bytes = input_str(&framing->input);
    size_t length = 0;
    const enum http_parse_result result =
        http_parse_request(bytes, limits, request, &length, refusal_out);

    if (result == HTTP_PARSE_DONE) {
        input_consume(&framing->input, length);
        body_init(&framing->body, request);
        framing->closes = !request->keeps_alive;
    }
    return result;
}

void framing_keep_ahead(struct framing *framing, struct str rest)
{
    if (framing->body.is_complete) {
        input_append(&framing->ahead, rest);
    }
}

bool framing_has_unread(const struct framing *framing)
{
    return !framing->body.is_complete || input_str(&framing->input).length > 0;
}

void framing_lose_track(struct framing *framing)
{
    framing->closes = true;
    framing->body.is_complete = false;
}

void framing_end_request(struct framing *framing)
{
    input_wipe_used(&framing->input);
    input_append(&framing->input, input_str(&framing->ahead));
    input_release(&framing->ahead);
}
