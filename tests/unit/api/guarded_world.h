#pragma once

#include "api_world.h"
#include "auth/identity_source.h"

/*
 * A registry with an identity provider and a team service, both made up. A token says itself what
 * the provider answers:
 *   employee:NAME, service:NAME, unknown:NAME   it is theirs; a third part are scopes, as a+b
 *   lapsed:NAME     genuine, an employee's, and over since GUARDED_LAPSE_MS, or :MS behind it
 *   down            the provider cannot be asked
 *   anything else   refused
 * The only password is alice's: `right`. NAME is in team NAME's (`jdoe` in `jdoe`), everybody is in
 * `all`, and of `down` nobody can tell.
 */
struct guarded_world {
    struct api_world world;
    struct identity_source identities;
    struct identity_source *sources[2];
    struct team_source teams;
    struct team_source *team_sources[1];
    struct authenticator *authenticator;
    struct team_directory *directory;
    struct token_keys *keys;
    struct reply reply;
};

/* A moment behind the beginning of the clock. */
#define GUARDED_LAPSE_MS INT64_C(1431013791231)

/* For cmocka. The second may be read by everybody; the third is behind a proxy, 192.0.2.0/24. */
int guarded_world_set_up(void **state);
int guarded_world_set_up_public(void **state);
int guarded_world_set_up_behind_proxy(void **state);
int guarded_world_tear_down(void **state);

/* Asks with an Authorization field (`Bearer employee:jdoe`), or none if NULL. */
struct reply *guarded_world_ask(struct guarded_world *world, const char *line,
                                const char *authorization);

/* The same with a body. */
struct reply *guarded_world_send(struct guarded_world *world, const char *line,
                                 const char *authorization, const char *body);

enum { REGISTRY_TOKEN_FIELD_BYTES = 8 * 1024 };

/* A registry token for that scope, which must be given, as a field: `Bearer …`. */
void guarded_world_token(struct guarded_world *world, const char *authorization, const char *scope,
                         char field_out[REGISTRY_TOKEN_FIELD_BYTES]);
