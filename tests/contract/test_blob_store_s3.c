#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "blobs/s3_store.h"
#include "tests/contract/blob_store_contract.h"
#include "tests/support/indexed_store.h"

/*
 * Against a real S3, which PIERONE_TEST_S3_ENDPOINT (`http://HOST:PORT`) and _BUCKET name; the
 * credentials are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Without it nothing is tested, and
 * that is said: exit code 77 is a skipped test to ctest.
 */
enum { SKIPPED = 77, PREFIX_BYTES = 64, RETRY_MS = 5000 };

struct context {
    const char *endpoint;
    const char *bucket;
    struct http_client *http;
    struct aws_credentials *credentials;
    char prefix[PREFIX_BYTES];
};

static const char *variable(const void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static struct blob_store *open_s3(void *argument)
{
    struct context *context = argument;
    const struct s3_client_config client_config = {
        .bucket = context->bucket,
        .region = "us-east-1",
        .endpoint = context->endpoint,
        .uses_path = true,
        .timeout_ms = 30 * 1000,
        .retry_ms = RETRY_MS,
        .credentials = context->credentials,
        .http = context->http,
        .clock = &clock_system,
    };
    const struct s3_store_config config = {
        .client = s3_client_new(&client_config),
        .clock = &clock_system,
        .settings = {.prefix = context->prefix,
                     .largest_blob_bytes = UINT64_C(1) << 30,
                     .upload_memory_bytes = 64 << 20,
                     .connections = 4,
                     .upload_parts = 3,
                     .link_lifetime_ms = 60 * 1000},
        .memory_wait_ms = 30 * 1000,
    };
    char id[RANDOM_ID_BYTES];
    struct blob_store *store = NULL;
    struct error err = {0};

    random_id(id);
    (void)snprintf(context->prefix, sizeof(context->prefix), "contract/%s/", id);
    if (s3_store_new(&config, &store, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        return NULL;
    }
    return indexed_store_new(store);
}

static void close_s3(struct blob_store *store, void *argument)
{
    (void)argument;
    blob_store_free(store);
}

static bool set_up(struct context *context)
{
    const struct http_client_config http = {
        .user_agent = "pieroned/test", .timeout_ms = 30 * 1000, .answer_max_bytes = 1 << 20};
    struct aws_credentials_config credentials = {
        .variable = variable, .region = "us-east-1", .clock = &clock_system};
    struct error err = {0};

    if (http_client_new(&http, &context->http, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        return false;
    }
    credentials.client = context->http;
    if (aws_credentials_new(&credentials, &context->credentials, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        return false;
    }
    return true;
}

int main(void)
{
    struct context context = {.endpoint = getenv("PIERONE_TEST_S3_ENDPOINT"),
                              .bucket = getenv("PIERONE_TEST_S3_BUCKET")};
    const struct blob_store_contract contract = {
        .driver = "s3",
        .keeps_objects = true,
        .open = open_s3,
        .close = close_s3,
        .context = &context,
    };
    int failed = 1;

    if (!context.endpoint || !context.bucket) {
        (void)fprintf(stderr, "SKIPPED: there is no S3 to test on; set PIERONE_TEST_S3_ENDPOINT, "
                              "PIERONE_TEST_S3_BUCKET, AWS_ACCESS_KEY_ID and "
                              "AWS_SECRET_ACCESS_KEY\n");
        return SKIPPED;
    }
    if (set_up(&context)) {
        failed = blob_store_contract_run(&contract);
    }
    aws_credentials_free(context.credentials);
    http_client_free(context.http);
    return failed;
}
