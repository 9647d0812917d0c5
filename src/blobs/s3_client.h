#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/signature.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "blobs/s3_answer.h"
#include "outbound/http_client.h"

/*
 * Requests to one bucket: addressed, signed, sent, and sent again if that may help. Shared by
 * threads.
 */
struct s3_client;

/* All texts are borrowed for the client's life; NULL: not set. */
struct s3_client_config {
    const char *bucket;
    const char *region;
    const char *endpoint;                /* `https://HOST[:PORT]`; NULL: AWS's of the region */
    const char *public_endpoint;         /* in links; NULL: the endpoint */
    bool uses_path;                      /* ENDPOINT/BUCKET/KEY instead of BUCKET.ENDPOINT/KEY */
    int64_t timeout_ms;                  /* of one attempt */
    int64_t retry_ms;                    /* after so long nothing is tried again */
    struct aws_credentials *credentials; /* borrowed, as the next two */
    struct http_client *http;
    const struct clock *clock;
    struct metrics *metrics; /* NULL: nothing is counted */
};

struct s3_client *s3_client_new(const struct s3_client_config *config);

/* NULL is accepted. */
void s3_client_free(struct s3_client *client);

/*
 * Sends it until there is an answer that repeating does not change: what passes is repeated with
 * random pauses, also where nothing moves for half of retry_ms; keys that S3 does not take any more
 * are renewed, and a clock that it finds wrong is corrected by its own, once. Blocks, for about
 * timeout_ms + retry_ms at most. OK: an answer of any status but those; look at
 * answer_out->http.status. ERROR_UNAVAILABLE: S3 is not there, or has no time for us, or there are
 * no credentials. Release answer_out in any case.
 */
MUST_USE enum error_code s3_client_send(struct s3_client *client, const struct s3_request *request,
                                        struct s3_answer *answer_out, struct error *err);

/* By how much S3's clock is ahead of this machine's, which is wrong by minutes then; 0: it is not.
 */
int64_t s3_client_skew_ms(struct s3_client *client);

/* Whether there are credentials at hand, so that a link is made without asking a service. */
bool s3_client_has_keys(struct s3_client *client);

/* `host[:port]` of links. */
const char *s3_client_link_host(const struct s3_client *client);

/* Appends a link to GET that key for so long, or for as long as the keys live that sign it. */
MUST_USE enum error_code s3_client_link(struct s3_client *client, const char *key,
                                        unsigned lifetime_s, struct strbuf *url, struct error *err);

/* `bucket B at HOST`, for messages. */
const char *s3_client_name(const struct s3_client *client);
