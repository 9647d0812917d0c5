#include "auth/registry_token_source.h"

#include <stdlib.h>

#include "auth/registry_token.h"
#include "base/memory.h"

struct registry_token_source {
    struct identity_source base; /* first */
    struct token_keys *keys;
    const struct clock *clock;
};

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials);
static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err);
static enum error_code identify_lapsed(struct identity_source *source,
                                       const struct credentials *credentials,
                                       struct identity **identity_out, struct error *err);
static enum error_code check(struct identity_source *source, struct strbuf *report,
                             struct error *err);
static void free_source(struct identity_source *source);
static struct registry_token_source *of(struct identity_source *source);

static const struct identity_source_driver driver = {
    .name = "registry token",
    .interest = interest,
    .identify = identify,
    .identify_lapsed = identify_lapsed,
    .check = check,
    .free = free_source,
};

struct identity_source *registry_token_source_new(struct token_keys *keys,
                                                  const struct clock *clock)
{
    struct registry_token_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->keys = keys;
    source->clock = clock;
    return &source->base;
}

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials)
{
    (void)source;
    return credentials->kind == CREDENTIALS_TOKEN && registry_token_is_one(credentials->secret)
               ? SOURCE_DECIDES
               : SOURCE_IGNORES;
}

static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err)
{
    const struct token_reading reading = {of(source)->keys, clock_wall_ms(of(source)->clock),
                                          TOKEN_MUST_BE_VALID};

    return registry_token_read(&reading, credentials->secret, identity_out, err);
}

static enum error_code identify_lapsed(struct identity_source *source,
                                       const struct credentials *credentials,
                                       struct identity **identity_out, struct error *err)
{
    const struct token_reading reading = {of(source)->keys, clock_wall_ms(of(source)->clock),
                                          TOKEN_MAY_HAVE_LAPSED};

    return registry_token_read(&reading, credentials->secret, identity_out, err);
}

static enum error_code check(struct identity_source *source, struct strbuf *report,
                             struct error *err)
{
    (void)source;
    (void)report;
    (void)err;
    return OK; /* it depends on nobody */
}

static void free_source(struct identity_source *source)
{
    free(of(source));
}

static struct registry_token_source *of(struct identity_source *source)
{
    return (struct registry_token_source *)source; /* its first member */
}
