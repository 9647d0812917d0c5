#pragma once

#include "outbound/http_client.h"

/*
 * outbound/http_client.h without a network, linked instead of the real one: gives the answer that a
 * test has written down, whatever is asked, and keeps what was asked. For one thread.
 */
enum { SCRIPTED_TEXT_BYTES = 4 * 1024 };

/* The request that came last; texts that were not there are empty. */
struct scripted_request {
    unsigned count; /* of all requests so far */
    bool has_bearer;
    bool has_others; /* headers or a user */
    char method[SCRIPTED_TEXT_BYTES];
    char url[SCRIPTED_TEXT_BYTES];
    char bearer[SCRIPTED_TEXT_BYTES];
    char content_type[SCRIPTED_TEXT_BYTES];
    char body[SCRIPTED_TEXT_BYTES];
};

/* Finds no server until told what to answer. Free with http_client_free. */
struct http_client *scripted_http_new(void);

/* From now on; status 0: ERROR_UNAVAILABLE, with the body as the message. Both are borrowed. */
void scripted_http_answer(struct http_client *client, int status, const char *body);

const struct scripted_request *scripted_http_request(const struct http_client *client);
