#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "outbound/http_client.h"

/* Reads a line of an answer's head: keeps it if it is wanted (names, NULL behind the last; NULL:
 * none), and what Cache-Control says in any case. */
void answer_take_field(struct outbound_answer *answer, const char *const *wanted, struct str line);

/* A request that has no answer. Borrows all. */
struct http_failure {
    const char *url;
    CURLcode result;
    const char *problem; /* what curl has written into its CURLOPT_ERRORBUFFER */
    bool is_truncated;   /* there was an answer, but a longer one than is taken */
    int proxy_status;    /* what a proxy says instead of opening the way; 0: nothing */
};

/*
 * ERROR_UNAVAILABLE, with a message that names host and reason, which may be the proxy's in
 * between, and of a certificate that is not trusted, whose it is: to find that out, the server is
 * connected to once more; nobody is trusted then, and nothing is sent. Never a query, a header or a
 * body, where secrets are.
 */
enum error_code http_failure_set(const struct http_failure *failure, struct error *err);
