#include "remote_world.h"

#include <stdio.h>

const struct claim_names remote_world_claims = {
    .name = "uid sub",
    .realm = "realm",
    .scope = "scope scp",
    .team = "teams groups",
};

void remote_world_init(struct remote_world *world)
{
    *world = (struct remote_world){0};
    fake_clock_init(&world->clock);
    world->client = fake_http_client_new();
}

void remote_world_release(struct remote_world *world)
{
    identity_release(world->identity);
    identity_source_free(world->source);
    http_client_free(world->client);
}

enum error_code remote_world_ask(struct remote_world *world, enum credentials_kind kind,
                                 const char *secret, int status, const char *body)
{
    const struct credentials credentials = {.kind = kind, .secret = str_from(secret)};

    fake_http_client_answer_all(world->client, status, body);
    identity_release(world->identity);
    world->identity = NULL;
    return world->source->driver->identify(world->source, &credentials, &world->identity,
                                           &world->err);
}

enum error_code remote_world_check(struct remote_world *world, int status, const char *body)
{
    struct strbuf report;
    enum error_code code = OK;

    strbuf_init(&report, 1024);
    fake_http_client_answer_all(world->client, status, body);
    code = world->source->driver->check(world->source, &report, &world->err);
    if (!code) {
        (void)snprintf(world->err.message, sizeof(world->err.message), "%s", report.text);
    }
    strbuf_release(&report);
    return code;
}
