#pragma once

#include "access/team_source.h"
#include "tests/support/fake_http_client.h"

/* One team source, what it is asked and what it hears. */
struct source_world {
    struct http_client *client;
    struct team_source *source;
    struct identity identity; /* jdoe, an employee; change at will */
    const char *token;        /* `a-secret` */
    const char *team;         /* `acme` */
    struct error err;
};

/* What a service says, and what is made of it. */
struct source_case {
    int status; /* 0: there is no answer */
    const char *body;
    enum error_code code;
    const char *message; /* "" if all is well */
};

/* What the source is made of is up to the test, which sets world->source. */
void source_world_init(struct source_world *world);
void source_world_release(struct source_world *world);

/* Asks once. */
enum error_code source_world_ask(struct source_world *world);

/* Asks after each of the answers, and compares. */
void source_world_expect(struct source_world *world, const struct source_case *cases, size_t count);

/* What every source does alike. */
void source_world_expect_no_yes_from_a_failure(struct source_world *world);
void source_world_expect_no_question_without_a_token(struct source_world *world);
void source_world_expect_check(struct source_world *world, const char *url, const char *name);
