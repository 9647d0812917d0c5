#pragma once

#include <stddef.h>
#include <stdint.h>

#include "aws/keys.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * AWS Signature Version 4 with HMAC-SHA256, for headers and for links. Pure: no I/O, no clock.
 * Paths as S3 wants them: encoded once, and neither dot segments nor double slashes removed.
 */
struct aws_scope {
    const char *region;
    const char *service; /* `s3`, which alone is sent x-amz-content-sha256; `sts`, … */
    int64_t now_ms;      /* wall clock */
};

struct aws_pair {
    struct str name;
    struct str value;
};

enum {
    AWS_QUERY_MAX = 16,   /* of a request's own parameters */
    AWS_HEADERS_MAX = 24, /* of a request's own headers */
    AWS_URL_MAX_BYTES = 32 * 1024,
    AWS_HASH_BYTES = sizeof("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    AWS_LINK_MAX_S = 7 * 24 * 60 * 60, /* S3 refuses longer lifetimes */
};

#define AWS_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define AWS_EMPTY_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct aws_request {
    const char *method;
    const char *scheme;           /* `https` */
    struct str host;              /* with the port, unless it is the scheme's */
    struct str path;              /* decoded; begins with a slash */
    const struct aws_pair *query; /* decoded, in any order */
    size_t query_count;
    /* To sign along, in any order, each name once and in lower case. Without host, x-amz-date,
     * x-amz-content-sha256 and x-amz-security-token, which the signer adds. The caller sends them
     * itself, with just these values. */
    const struct aws_pair *headers;
    size_t header_count;
    const char *payload_sha256; /* in lower case hexadecimal, or AWS_UNSIGNED_PAYLOAD */
};

enum { AWS_SIGNED_HEADERS = 4 };

/* What to send. Wiped when released. */
struct aws_signed {
    struct strbuf url; /* complete and encoded; to be sent as it is, dot segments too */
    /* `authorization: …`, `x-amz-date: …`, and as needed `x-amz-content-sha256: …` and
     * `x-amz-security-token: …`. Host is what the URL says. */
    struct strbuf headers[AWS_SIGNED_HEADERS];
    size_t header_count;
};

/* Signs the request's headers. ERROR_TOO_LARGE: the URL has more than AWS_URL_MAX_BYTES. Release
 * signed_out in any case. */
MUST_USE enum error_code aws_sign(const struct aws_keys *keys, const struct aws_scope *scope,
                                  const struct aws_request *request, struct aws_signed *signed_out,
                                  struct error *err);
void aws_signed_release(struct aws_signed *signed_request);

/*
 * Appends a link that does the request without credentials, for lifetime_s seconds (up to
 * AWS_LINK_MAX_S) unless the keys expire before. Only the host is signed, so that any header may be
 * sent along (Range); the request's headers and payload are not looked at (to other services than
 * S3 it has none). ERROR_TOO_LARGE as aws_sign; url_out may have a part of it then. The link is a
 * secret for as long as it lives.
 */
MUST_USE enum error_code aws_presign(const struct aws_keys *keys, const struct aws_scope *scope,
                                     const struct aws_request *request, unsigned lifetime_s,
                                     struct strbuf *url_out, struct error *err);

/* What aws_request.payload_sha256 wants of a body that is at hand. */
void aws_payload_hash(struct str payload, char hash_out[AWS_HASH_BYTES]);
