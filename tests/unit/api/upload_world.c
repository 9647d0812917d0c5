#include "upload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digest.h"

int upload_world_set_up(void **state)
{
    static struct upload_world fixture;

    api_world_init(&fixture.world);
    reply_init(&fixture.reply);
    *state = &fixture;
    return 0;
}

int upload_world_tear_down(void **state)
{
    struct upload_world *fixture = *state;

    reply_release(&fixture->reply);
    api_world_release(&fixture->world);
    return 0;
}

struct reply *ask(struct upload_world *fixture, const char *line, const char *fields,
                  const char *body)
{
    const struct question question = {.line = line, .fields = fields, .body = str_from(body)};

    api_world_ask(&fixture->world, &question, &fixture->reply);
    return &fixture->reply;
}

struct reply *ask_upload(struct upload_world *fixture, const char *method, const char *query,
                         const char *fields, const char *body)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "%s %s%s", method, fixture->location, query);
    return ask(fixture, line, fields, body);
}

void begin_upload(struct upload_world *fixture, const char *query)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "POST " UPLOADS "%s", query);
    assert_int_equal(ask(fixture, line, NULL, NULL)->status, 202);
    (void)snprintf(fixture->location, sizeof(fixture->location), "%.*s",
                   STR_FORMAT(reply_field(&fixture->reply, "Location")));
}

const char *digest_query(enum digest_algorithm algorithm, const char *content)
{
    static char query[DIGEST_TEXT_BYTES + sizeof("?digest=")];
    const struct digest digest = hasher_digest_of(algorithm, str_from(content));
    char text[DIGEST_TEXT_BYTES];

    digest_format(&digest, text);
    (void)snprintf(query, sizeof(query), "?digest=%s", text);
    return query;
}
