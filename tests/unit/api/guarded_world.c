#include "guarded_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/registry_token.h"
#include "base/json_value.h"

enum {
    CACHE_ENTRIES = 64,
    FAILURES_MAX = 100,
    CACHE_MS = 120 * 1000,
    TOKEN_LIFETIME_MS = 300 * 1000
};

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials)
{
    (void)source;
    if (credentials->kind == CREDENTIALS_PASSWORD) {
        return SOURCE_MAY_KNOW;
    }
    return credentials->kind == CREDENTIALS_TOKEN && !str_starts_with(credentials->secret, "eyJ")
               ? SOURCE_DECIDES
               : SOURCE_IGNORES;
}

static enum error_code identify_token(struct str token, struct identity **identity_out,
                                      struct error *err)
{
    struct identity fields = {.expires_ms = INT64_MAX};
    struct str kind;
    struct str name;

    if (str_is(token, "down")) {
        return error_set(err, ERROR_UNAVAILABLE, "the provider is down");
    }
    if (!str_cut(&token, ':', &kind) || !identity_kind_parse(kind, &fields.kind) ||
        !str_cut(&token, ':', &name)) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the provider refuses the token");
    }
    fields.name = name;
    fields.scopes = token.length > 0 ? token : (struct str){0};
    if (fields.scopes.length > 0) { /* lines, as an identity wants them */
        char lines[128];

        (void)snprintf(lines, sizeof(lines), "%.*s\n", STR_FORMAT(fields.scopes));
        for (char *plus = strchr(lines, '+'); plus; plus = strchr(plus, '+')) {
            *plus = '\n';
        }
        fields.scopes = str_from(lines);
        *identity_out = identity_new(&fields);
        return OK;
    }
    *identity_out = identity_new(&fields);
    return OK;
}

static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err)
{
    const struct identity alice = {
        .kind = IDENTITY_EMPLOYEE, .name = credentials->name, .expires_ms = INT64_MAX};

    (void)source;
    if (credentials->kind == CREDENTIALS_TOKEN) {
        return identify_token(credentials->secret, identity_out, err);
    }
    if (!str_is(credentials->name, "alice") || !str_is(credentials->secret, "right")) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the user name or the password is wrong");
    }
    *identity_out = identity_new(&alice);
    return OK;
}

static enum error_code identify_expired(struct identity_source *source,
                                        const struct credentials *credentials,
                                        struct identity **identity_out, struct error *err)
{
    struct identity fields = {.kind = IDENTITY_EMPLOYEE, .expires_ms = GUARDED_LAPSE_MS};

    (void)source;
    if (!str_starts_with(credentials->secret, "lapsed:")) {
        return error_set(err, ERROR_UNAUTHENTICATED, "forged");
    }
    fields.name = str_from_index(credentials->secret, strlen("lapsed:"));
    *identity_out = identity_new(&fields);
    return OK;
}

static bool knows_name(struct identity_source *source, struct str name)
{
    (void)source;
    return str_is(name, "alice");
}

static const struct identity_source_driver identity_driver = {
    .name = "made up",
    .interest = interest,
    .identify = identify,
    .knows_name = knows_name,
    .identify_expired = identify_expired,
};

static bool covers(const struct team_source *source, const struct identity *identity)
{
    (void)source;
    (void)identity;
    return true;
}

static enum error_code is_member(struct team_source *source, const struct team_question *question,
                                 struct error *err)
{
    (void)source;
    if (str_is(question->team, "down")) {
        return error_set(err, ERROR_UNAVAILABLE, "the team service is down");
    }
    if (str_is(question->team, "all") || str_equal(question->team, question->identity->name)) {
        return OK;
    }
    return error_set(err, ERROR_DENIED, "the team service does not list them");
}

static const struct team_source_driver team_driver = {
    .name = "made up",
    .covers = covers,
    .is_member = is_member,
};

static struct guarded_world *begin(const struct api_config *more)
{
    static struct guarded_world world;
    struct api_config config = *more;

    world = (struct guarded_world){.identities = {&identity_driver}, .teams = {&team_driver}};
    api_world_init(&world.world);
    reply_init(&world.reply);
    assert(
        !token_keys_new(&(struct token_keys_config){world.world.metadata,
                                                    STR_LITERAL("0123456789abcdef0123456789abcdef"),
                                                    &world.world.clock.clock, &world.world.log},
                        &world.keys, NULL));
    world.sources[0] = &world.identities;
    world.sources[1] = registry_token_source_new(world.keys, &world.world.clock.clock);
    world.team_sources[0] = &world.teams;
    world.authenticator = authenticator_new(&(struct authenticator_config){
        world.sources, 2, CACHE_ENTRIES, CACHE_MS, FAILURES_MAX, &world.world.clock.clock, NULL});
    world.directory = team_directory_new(&(struct team_directory_config){
        world.team_sources, 1, CACHE_ENTRIES, CACHE_MS, &world.world.clock.clock, NULL});
    config.authenticator = world.authenticator;
    config.teams = world.directory;
    config.token_keys = world.keys;
    config.token_lifetime_ms = TOKEN_LIFETIME_MS;
    api_world_serve(&world.world, &config);
    return &world;
}

int guarded_world_set_up(void **state)
{
    *state = begin(&(struct api_config){0});
    return 0;
}

int guarded_world_set_up_public(void **state)
{
    *state = begin(&(struct api_config){.public_read = true});
    return 0;
}

int guarded_world_set_up_behind_proxy(void **state)
{
    struct api_config config = {0};

    assert(!proxies_parse(str_from("192.0.2.0/24 10.0.0.0/8"), &config.proxies, NULL));
    *state = begin(&config);
    return 0;
}

int guarded_world_tear_down(void **state)
{
    struct guarded_world *world = *state;

    reply_release(&world->reply);
    api_world_release(&world->world);
    authenticator_free(world->authenticator);
    team_directory_free(world->directory);
    identity_source_free(world->sources[1]);
    token_keys_free(world->keys);
    return 0;
}

struct reply *guarded_world_ask(struct guarded_world *world, const char *line,
                                const char *authorization)
{
    return guarded_world_send(world, line, authorization, NULL);
}

struct reply *guarded_world_send(struct guarded_world *world, const char *line,
                                 const char *authorization, const char *body)
{
    char fields[REGISTRY_TOKEN_FIELD_BYTES + 64] = "";

    if (authorization) {
        (void)snprintf(fields, sizeof(fields), "Authorization: %s\r\n", authorization);
    }
    api_world_ask(&world->world,
                  &(struct question){.line = line, .fields = fields, .body = str_from(body)},
                  &world->reply);
    return &world->reply;
}

void guarded_world_token(struct guarded_world *world, const char *authorization, const char *scope,
                         char field_out[REGISTRY_TOKEN_FIELD_BYTES])
{
    struct json_value *json = NULL;
    char line[512];

    (void)snprintf(line, sizeof(line), "GET /v2/token?scope=%s", scope);
    assert(guarded_world_ask(world, line, authorization)->status == 200);
    assert(!json_value_parse(strbuf_str(&world->reply.body), &json, NULL));
    (void)snprintf(field_out, REGISTRY_TOKEN_FIELD_BYTES, "Bearer %.*s",
                   STR_FORMAT(json_value_member_string(json, "token")));
    json_value_free(json);
}
