#pragma once

#include "blobs/s3_store.h"
#include "tests/support/indexed_store.h"
#include "tests/support/stub_server.h"

/* An S3 that says what it is told to (stub_server.h), and clients of it. */
struct s3_world {
    struct stub_server *server;
    struct http_client *http;
    struct aws_credentials *credentials;
    const struct clock *clock; /* of the store: the machine's */
    int64_t memory_wait_ms;    /* 10 */
    struct blob_store *store;  /* NULL until s3_world_open_store */
    struct s3_client_config client_config;
};

#define S3_HEAD(status, fields) "HTTP/1.1 " status "\r\nConnection: close\r\n" fields "\r\n"
#define S3_RESULT "<CompleteMultipartUploadResult><ETag>0123</ETag></CompleteMultipartUploadResult>"
/* Success of a PUT, and of CompleteMultipartUpload. */
#define S3_DONE S3_HEAD("200 OK", "ETag: \"0123\"\r\nContent-Length: 80\r\n") S3_RESULT
#define S3_SLOW_DOWN                                                                               \
    S3_HEAD("503 Slow Down", "Content-Length: 35\r\n") "<Error><Code>SlowDown</Code></Error>"
#define S3_BEGUN S3_HEAD("200 OK", "Content-Length: 26\r\n") "<UploadId>2~x</UploadId>\n\n"

/* Borrows answers (NULL behind the last). Nobody is given up
 * by and by: who tests that sets times, or a clock. */
void s3_world_init(struct s3_world *world, const char *const *answers);
void s3_world_release(struct s3_world *world);

/* A store over it, with its locations kept: blobs of up to 1 GiB, memory for two parts. */
void s3_world_open_store(struct s3_world *world, const struct s3_style *style);
