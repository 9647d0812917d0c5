#include "auth/authenticator.h"

#include <stdlib.h>

#include "auth/lookup_cache.h"
#include "base/memory.h"

enum {
    PASSWORD_CACHE_MS = 60 * 1000, /* clients of Basic send it with every request */
    NEGATIVE_CACHE_MS = 5 * 1000,
};

struct authenticator {
    struct authenticator_config config;
    struct lookup_cache *cache;
    struct login_limiter *limiter;       /* of passwords */
    struct login_limiter *token_limiter; /* of what others are asked about */
    struct keyed_hash hash;
};

/* What a lookup works on. */
struct inquiry {
    struct authenticator *authenticator;
    const struct login *login;
};

struct authenticator *authenticator_new(const struct authenticator_config *config)
{
    struct authenticator *authenticator = memory_new(1, sizeof(*authenticator));

    authenticator->config = *config;
    authenticator->cache =
        lookup_cache_new(config->cache_entries, config->clock, "identities", config->metrics);
    authenticator->limiter = login_limiter_new(config->failures_max, config->clock);
    authenticator->token_limiter = login_limiter_new(config->failures_max, config->clock);
    keyed_hash_init(&authenticator->hash);
    return authenticator;
}

void authenticator_free(struct authenticator *authenticator)
{
    if (!authenticator) {
        return;
    }
    lookup_cache_free(authenticator->cache);
    login_limiter_free(authenticator->limiter);
    login_limiter_free(authenticator->token_limiter);
    keyed_hash_release(&authenticator->hash);
    free(authenticator);
}

static unsigned long authenticator_generation(const struct authenticator *authenticator,
                                              uint64_t sources)
{
    unsigned long generation = 0;

    for (size_t i = 0; sources >> i != 0; i++) {
        struct identity_source *source = authenticator->config.sources[i];

        generation += sources >> i & 1 ? source->driver->generation(source) : 0;
    }
    return generation;
}

/* What a changed source said before counts no more: its generation is part of the key. */
static void set_key(const struct authenticator *authenticator,
                    const struct credentials *credentials, struct authenticator_ticket *ticket)
{
    const unsigned char kind = (unsigned char)credentials->kind;
    const struct str parts[] = {
        {(const char *)&kind, sizeof(kind)},
        {(const char *)&ticket->generation, sizeof(ticket->generation)},
        credentials->kind == CREDENTIALS_PASSWORD ? credentials->name : (struct str){0},
        credentials->secret,
    };

    keyed_hash_of(&authenticator->hash, parts, ARRAY_LEN(parts), ticket->key.bytes);
}

static struct authenticator_ticket ticket_of(const struct authenticator *authenticator,
                                             const struct credentials *credentials)
{
    struct authenticator_ticket ticket = {.sources = 0};

    for (size_t i = 0; i < authenticator->config.source_count; i++) {
        const struct identity_source *source = authenticator->config.sources[i];

        if (source->driver->generation && source->driver->interest(source, credentials)) {
            ticket.sources |= UINT64_C(1) << i;
        }
    }
    ticket.generation = authenticator_generation(authenticator, ticket.sources);
    set_key(authenticator, credentials, &ticket);
    return ticket;
}

static struct identity_source *find_decider(const struct authenticator *authenticator,
                                            const struct credentials *credentials)
{
    for (size_t i = 0; i < authenticator->config.source_count; i++) {
        struct identity_source *source = authenticator->config.sources[i];

        if (source->driver->interest(source, credentials) == SOURCE_DECIDES) {
            return source;
        }
    }
    return NULL;
}

/* How much a failure leaves open: more counts more. */
static int rank_of(enum error_code code)
{
    if (code == ERROR_UNAUTHENTICATED) {
        return 1;
    }
    return code == ERROR_DENIED ? 2 : 3;
}

static enum error_code authenticator_refuse_unasked(const struct credentials *credentials,
                                                    struct error *err)
{
    switch (credentials->kind) {
    case CREDENTIALS_PASSWORD:
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "this registry knows no passwords: use the user name oauth2 with a token "
                         "as password");
    case CREDENTIALS_INSTANCE:
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "this registry does not take instance identity documents");
    case CREDENTIALS_TOKEN:
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "this registry does not know the issuer of the token");
    case CREDENTIALS_NONE:
        break;
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "log in first");
}

/* The first that knows them counts. If none does, one that could not tell might have. */
static enum error_code authenticator_ask_all(const struct authenticator *authenticator,
                                             const struct credentials *credentials,
                                             struct identity **identity_out, struct error *err)
{
    enum error_code worst = OK;
    struct error reason;

    for (size_t i = 0; i < authenticator->config.source_count; i++) {
        struct identity_source *source = authenticator->config.sources[i];
        enum error_code code;

        if (source->driver->interest(source, credentials) == SOURCE_IGNORES) {
            continue;
        }
        code = identity_source_identify(source, credentials, identity_out, &reason);
        if (!code) {
            return OK;
        }
        if (!worst || rank_of(code) > rank_of(worst)) {
            worst = code;
            *err = reason;
        }
    }
    return worst ? worst : authenticator_refuse_unasked(credentials, err);
}

/*
 * Each token that nobody knows is a question to a provider: so many different ones come from one
 * address, and no more. One that was known is remembered, and never gets here.
 */
static enum error_code ask_others(const struct inquiry *inquiry, struct identity **identity_out,
                                  struct error *err)
{
    const struct authenticator *authenticator = inquiry->authenticator;
    const struct login *login = inquiry->login;
    const struct authenticator_ticket ticket = ticket_of(authenticator, login->credentials);
    const struct str name = {(const char *)ticket.key.bytes, sizeof(ticket.key.bytes)};
    enum error_code code =
        login_limiter_check_address(authenticator->token_limiter, login->address, err);

    if (!code) {
        code = authenticator_ask_all(authenticator, login->credentials, identity_out, err);
    }
    if (code == ERROR_UNAUTHENTICATED) {
        login_limiter_count_once(authenticator->token_limiter, login->address, name);
    }
    return code;
}

static enum error_code authenticator_ask(const struct inquiry *inquiry,
                                         struct identity **identity_out, struct error *err)
{
    const struct credentials *credentials = inquiry->login->credentials;
    struct identity_source *decider = find_decider(inquiry->authenticator, credentials);

    if (decider) {
        return identity_source_identify(decider, credentials, identity_out, err);
    }
    return credentials->kind == CREDENTIALS_PASSWORD
               ? authenticator_ask_all(inquiry->authenticator, credentials, identity_out, err)
               : ask_others(inquiry, identity_out, err);
}

static int64_t authenticator_lifetime(const struct inquiry *inquiry,
                                      const struct lookup_outcome *outcome)
{
    const struct authenticator_config *config = &inquiry->authenticator->config;
    int64_t lifetime_ms = config->cache_ms;
    int64_t left_ms = 0;

    if (outcome->code == ERROR_UNAUTHENTICATED || outcome->code == ERROR_DENIED) {
        return NEGATIVE_CACHE_MS;
    }
    if (outcome->code) {
        return 0; /* it may be better the next moment */
    }
    if (inquiry->login->credentials->kind == CREDENTIALS_PASSWORD &&
        lifetime_ms > PASSWORD_CACHE_MS) {
        lifetime_ms = PASSWORD_CACHE_MS;
    }
    left_ms = outcome->identity->expires_ms - clock_wall_ms(config->clock);
    return left_ms < lifetime_ms ? left_ms : lifetime_ms;
}

/* Asks; at most one thread at a time for the same credentials. */
static void authenticator_inquire(void *context, struct lookup_outcome *outcome_out)
{
    const struct inquiry *inquiry = context;
    const struct authenticator *authenticator = inquiry->authenticator;
    const struct credentials *credentials = inquiry->login->credentials;

    if (credentials->kind == CREDENTIALS_PASSWORD) {
        outcome_out->code = login_limiter_check(authenticator->limiter, inquiry->login->address,
                                                credentials->name, &outcome_out->err);
        if (outcome_out->code) {
            return; /* the limiter remembers by itself */
        }
    }
    outcome_out->code = authenticator_ask(inquiry, &outcome_out->identity, &outcome_out->err);
    if (!outcome_out->code && credentials->kind == CREDENTIALS_PASSWORD) {
        login_limiter_trust(authenticator->limiter, inquiry->login->address, credentials->name);
    }
    outcome_out->lifetime_ms = authenticator_lifetime(inquiry, outcome_out);
}

/* Whoever has guessed too often need not queue to be told so. */
static enum error_code need_asking(struct authenticator *authenticator, const struct login *login,
                                   bool *must_ask_out, struct error *err)
{
    if (login->credentials->kind == CREDENTIALS_PASSWORD &&
        login_limiter_check(authenticator->limiter, login->address, login->credentials->name,
                            err)) {
        return ERROR_TOO_MANY;
    }
    *must_ask_out = true;
    return error_set(err, ERROR_UNAVAILABLE, "somebody else has to be asked");
}

/* Also what is remembered to be wrong counts: who tries it again learns nothing new. */
static enum error_code count_failure(struct authenticator *authenticator, const struct login *login,
                                     enum error_code code, struct error *err)
{
    const struct str name = login->credentials->name;

    if (login->credentials->kind != CREDENTIALS_PASSWORD || code != ERROR_UNAUTHENTICATED) {
        return code;
    }
    if (login_limiter_check(authenticator->limiter, login->address, name, err)) {
        return ERROR_TOO_MANY;
    }
    login_limiter_count(authenticator->limiter, login->address, name);
    return code;
}

enum error_code authenticator_identify(struct authenticator *authenticator,
                                       const struct login *login, bool *must_ask_out,
                                       struct identity **identity_out, struct error *err)
{
    struct inquiry inquiry = {authenticator, login};
    const struct authenticator_ticket ticket = ticket_of(authenticator, login->credentials);
    const struct lookup lookup = {
        .key = ticket.key, .run = authenticator_inquire, .context = &inquiry};
    struct lookup_outcome outcome;

    *must_ask_out = false;
    if (login->may_ask) {
        lookup_cache_get(authenticator->cache, &lookup, &outcome);
    } else if (!lookup_cache_find(authenticator->cache, &lookup.key, &outcome)) {
        return need_asking(authenticator, login, must_ask_out, err);
    }
    if (outcome.code) {
        *err = outcome.err;
        return count_failure(authenticator, login, outcome.code, err);
    }
    *identity_out = outcome.identity;
    if (login->ticket_out) {
        *login->ticket_out = ticket;
    }
    return OK;
}

bool authenticator_knows_name(const struct authenticator *authenticator, struct str name)
{
    for (size_t i = 0; i < authenticator->config.source_count; i++) {
        if (identity_source_knows_name(authenticator->config.sources[i], name)) {
            return true;
        }
    }
    return false;
}

enum login_rank authenticator_rank(struct authenticator *authenticator, const struct login *login)
{
    return login_limiter_rank(authenticator->limiter, login->address, login->credentials->name);
}

struct identity *authenticator_recall(struct authenticator *authenticator,
                                      const struct authenticator_ticket *ticket)
{
    struct lookup_outcome outcome = {0};

    return ticket->generation == authenticator_generation(authenticator, ticket->sources) &&
                   lookup_cache_find(authenticator->cache, &ticket->key, &outcome)
               ? outcome.identity
               : NULL;
}

enum error_code authenticator_identify_expired(struct authenticator *authenticator,
                                               const struct credentials *credentials,
                                               struct identity **identity_out, struct error *err)
{
    struct identity_source *decider = find_decider(authenticator, credentials);

    return decider ? identity_source_identify_expired(decider, credentials, identity_out, err)
                   : error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid any more");
}
