#pragma once

#include "outbound/http_client.h"

/*
 * outbound/http_client.h without a network: linked instead of the real one, it answers what a test
 * has written down. Other URLs find no server. Threads may use it while the test changes it.
 */
enum { FAKE_HTTP_ANSWERS = 8, FAKE_HTTP_TEXT_BYTES = 4 * 1024 };

/* The request that came last; texts that were not there are empty. */
struct fake_http_request {
    unsigned count; /* of all requests so far */
    bool has_bearer;
    bool has_others; /* headers or a user */
    int64_t timeout_ms;
    char method[FAKE_HTTP_TEXT_BYTES];
    char url[FAKE_HTTP_TEXT_BYTES];
    char bearer[FAKE_HTTP_TEXT_BYTES];
    char content_type[FAKE_HTTP_TEXT_BYTES];
    char body[FAKE_HTTP_TEXT_BYTES];
};

/* Free with http_client_free. */
struct http_client *fake_http_client_new(void);

/* What a URL answers from now on; status 0: ERROR_UNAVAILABLE. */
void fake_http_client_answer(struct http_client *client, const char *url, int status,
                             const char *body, int64_t max_age_s);

/* What all other URLs answer; status 0: ERROR_UNAVAILABLE, with the body as the message. The body
 * is borrowed. */
void fake_http_client_answer_all(struct http_client *client, int status, const char *body);

/* For tests of one thread. */
const struct fake_http_request *fake_http_client_request(const struct http_client *client);

/* How often it was asked; of any URL if NULL. */
unsigned fake_http_client_count(struct http_client *client, const char *url);

/* While held, requests that come in do not get their answers; wait for one to have come in. */
void fake_http_client_hold(struct http_client *client, bool is_held);
void fake_http_client_wait_for_request(struct http_client *client);
