#include "tests/unit/blobs/s3_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_MS = 60 * 1000 };

static const char *variable(const void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0) {
        return "AKIDEXAMPLE";
    }
    return strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? "sesame" : NULL;
}

void s3_world_init(struct s3_world *world, const char *const *answers)
{
    const struct http_client_config http = {
        .user_agent = "pieroned/test", .timeout_ms = PATIENCE_MS, .answer_max_bytes = 1 << 20};
    struct aws_credentials_config credentials = {
        .variable = variable, .region = "us-east-1", .clock = &clock_system};

    *world = (struct s3_world){
        .server = stub_server_new(answers), .clock = &clock_system, .memory_wait_ms = 10};
    assert_int_equal(http_client_new(&http, &world->http, NULL), OK);
    credentials.client = world->http;
    assert_int_equal(aws_credentials_new(&credentials, &world->credentials, NULL), OK);
    world->client_config = (struct s3_client_config){
        .bucket = "layers",
        .region = "us-east-1",
        .endpoint = stub_server_url(world->server),
        .uses_path = true,
        .timeout_ms = PATIENCE_MS,
        .retry_ms = PATIENCE_MS,
        .credentials = world->credentials,
        .http = world->http,
        .clock = &clock_system,
    };
}

void s3_world_release(struct s3_world *world)
{
    blob_store_free(world->store);
    aws_credentials_free(world->credentials);
    http_client_free(world->http);
    stub_server_free(world->server);
}

void s3_world_open_store(struct s3_world *world, const struct s3_style *style)
{
    const struct s3_store_config config = {
        .client = s3_client_new(&world->client_config),
        .clock = world->clock,
        .settings = {.style = *style,
                     .prefix = "pre/",
                     .largest_blob_bytes = 1 << 30,
                     .upload_memory_bytes = 10 << 20,
                     .connections = 1,
                     .upload_parts = 1,
                     .redirect = true,
                     .link_lifetime_ms = 60 * 1000},
        .memory_wait_ms = world->memory_wait_ms,
    };
    struct blob_store *store = NULL;

    assert_int_equal(s3_store_new(&config, &store, NULL), OK);
    world->store = indexed_store_new(store);
}
