#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * Asking other servers over HTTP: libcurl, wrapped once. Shared by threads; connections are kept
 * and used again. Only http and https, TLS checked, redirects not followed: what an operator
 * configured is what is asked.
 */
struct http_client;

struct http_client_config {
    const char *ca_file;     /* PEM, instead of the system's authorities; NULL: the system's */
    const char *user_agent;  /* `pieroned/1.2` */
    int64_t timeout_ms;      /* of one request altogether, its retry included */
    size_t answer_max_bytes; /* a longer body is ERROR_UNAVAILABLE: it is not what was asked for */
};

/* Everything borrowed until http_client_send returns. */
struct outbound_request {
    const char *method; /* NULL: GET */
    const char *url;    /* complete; values are the caller's to encode (url_append_encoded) */
    const char *const *headers; /* `Name: value`, NULL behind the last; NULL: none */
    const char *user;           /* Basic authentication (RFC 7617), with password; NULL: none */
    const char *password;
    const char *bearer;        /* Authorization: Bearer; NULL: none */
    struct str body;           /* {NULL, 0}: none; a GET may have one */
    const char *content_type;  /* of the body */
    int64_t timeout_ms;        /* 0: the client's */
    int64_t stall_ms;          /* of a server that is not reached, or moves nothing; 0: none */
    size_t answer_max_bytes;   /* 0: the client's */
    bool is_direct;            /* past any proxy that the environment names */
    bool is_single;            /* never sent once more: the caller sees to that */
    const char *const *wanted; /* answer fields to keep, NULL behind the last; NULL: none */
    struct strbuf *sink;       /* what takes the body of a success, empty; NULL: the answer does */
};

/* Wiped when released: an answer may hold secrets. */
struct outbound_answer {
    int status;
    struct strbuf body;
    struct strbuf fields; /* those wanted, `Name: value`, each with its CRLF */
    int64_t max_age_s;    /* of Cache-Control; -1: not said */
    int64_t date_s;       /* of Date, seconds since 1970; -1: not said */
};

MUST_USE enum error_code http_client_new(const struct http_client_config *config,
                                         struct http_client **client_out, struct error *err);
void http_client_free(struct http_client *client);

/*
 * Sends it and collects the answer, whatever its status. Blocks, for timeout_ms at most. A request
 * that found no server, or 502 or 503, is sent once more after a short random pause if there is
 * time. ERROR_UNAVAILABLE: there is no answer; the message names host and reason, never a query,
 * a header or a body, where secrets are. answer_out is then empty; release it in any case.
 */
MUST_USE enum error_code http_client_send(struct http_client *client,
                                          const struct outbound_request *request,
                                          struct outbound_answer *answer_out, struct error *err);
void outbound_answer_release(struct outbound_answer *answer);

/* A field that was wanted, borrowed; {NULL, 0}: the answer has none. */
struct str outbound_answer_field(const struct outbound_answer *answer, const char *name);
