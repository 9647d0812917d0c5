#include "access/team_directory.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/login_limiter.h"
#include "auth/lookup_cache.h"
#include "base/memory.h"

enum {
    NEGATIVE_CACHE_MS = 5 * 1000,
    UNAVAILABLE_CACHE_MS = 2 * 1000,
    WHO_BYTES = IDENTITY_NAME_BYTES + 32,
};

struct team_directory {
    struct team_directory_config config;
    struct lookup_cache *cache; /* of outcomes about one team */
    struct lookup_cache *lists; /* of an identity's teams, as one source has them */
    struct login_limiter *refusals;
    struct keyed_hash hash;
};

/* What a lookup works on. */
struct inquiry {
    const struct team_directory *directory;
    const struct team_question *question;
    struct team_source *source; /* whose list is wanted */
    bool has_asked;             /* somebody, not only what is remembered */
};

/* What was said so far. */
struct verdict {
    int64_t lifetime_ms;      /* of a yes */
    enum error_code failure;  /* of the first that could not be asked */
    struct error unavailable; /* … and why */
    struct strbuf denials;
};

struct team_directory *team_directory_new(const struct team_directory_config *config)
{
    struct team_directory *directory = memory_new(1, sizeof(*directory));

    directory->config = *config;
    directory->cache =
        lookup_cache_new(config->cache_entries, config->clock, "members", config->metrics);
    directory->lists =
        lookup_cache_new(config->cache_entries, config->clock, "teams", config->metrics);
    directory->refusals = login_limiter_new(TEAM_REFUSALS_MAX, config->clock);
    keyed_hash_init(&directory->hash);
    return directory;
}

void team_directory_free(struct team_directory *directory)
{
    if (!directory) {
        return;
    }
    lookup_cache_free(directory->cache);
    lookup_cache_free(directory->lists);
    login_limiter_free(directory->refusals);
    keyed_hash_release(&directory->hash);
    free(directory);
}

/* Of the token too: what a permission service lets one do, it may not let another. With a source it
 * is the key of a list, which has no team. */
static struct lookup_key directory_key(const struct team_directory *directory,
                                       const struct team_question *question,
                                       const struct team_source *source)
{
    const unsigned char kind = (unsigned char)question->identity->kind;
    const struct str parts[] = {
        {(const char *)&kind, sizeof(kind)},
        str_from(question->token),
        question->identity->name,
        source ? str_from(source->driver->name) : question->team,
    };
    struct lookup_key key = {{0}};

    keyed_hash_of(&directory->hash, parts, ARRAY_LEN(parts), key.bytes);
    return key;
}

/* For the limiter; no address looks like that. */
static struct str who(const struct identity *identity, char text[WHO_BYTES])
{
    (void)snprintf(text, WHO_BYTES, "%s %.*s", identity_kind_name(identity->kind),
                   STR_FORMAT(identity->name));
    return str_from(text);
}

static enum error_code begin_asking(struct inquiry *inquiry, struct error *err)
{
    const struct identity *identity = inquiry->question->identity;
    struct error reason = {0};
    char text[WHO_BYTES];

    inquiry->has_asked = true;
    if (!login_limiter_check_address(inquiry->directory->refusals, who(identity, text), &reason)) {
        return OK;
    }
    (void)error_set(err, ERROR_TOO_MANY, "%.*s was refused for too many teams: wait %u seconds",
                    STR_FORMAT(identity->name), reason.retry_after_s);
    err->retry_after_s = reason.retry_after_s;
    return ERROR_TOO_MANY;
}

/* The teams are kept as an identity's. */
static void directory_list(void *context, struct lookup_outcome *outcome_out)
{
    struct inquiry *inquiry = context;
    struct team_source *source = inquiry->source;
    struct identity fields = {.kind = inquiry->question->identity->kind,
                              .name = inquiry->question->identity->name};
    CLEANUP(strbuf_release) struct strbuf teams;
    enum error_code code = begin_asking(inquiry, &outcome_out->err);

    strbuf_init(&teams, IDENTITY_LIST_BYTES);
    if (!code) {
        code = team_source_list(source, inquiry->question, &teams, &outcome_out->err);
    }
    if (!code && teams.is_truncated) {
        code = error_set(&outcome_out->err, ERROR_UNAVAILABLE, "the %s's answer is too long",
                         source->driver->name);
    }
    if (!code) {
        fields.teams = strbuf_str(&teams);
        outcome_out->identity = identity_new(&fields);
        outcome_out->lifetime_ms = inquiry->directory->config.cache_ms;
    } else if (code == ERROR_DENIED) {
        outcome_out->lifetime_ms = NEGATIVE_CACHE_MS;
    }
    outcome_out->code = code;
}

static enum error_code directory_judge(const struct inquiry *inquiry,
                                       const struct lookup_outcome *outcome, struct error *err)
{
    const struct team_question *question = inquiry->question;

    if (outcome->code) {
        *err = outcome->err;
        return outcome->code;
    }
    return identity_names_team(outcome->identity, question->team)
               ? OK
               : error_set(err, ERROR_DENIED, "the %s does not list %.*s in team %.*s",
                           inquiry->source->driver->name, STR_FORMAT(question->identity->name),
                           STR_FORMAT(question->team));
}

/* A yes counts as long as the list; a no is asked again when the list is some seconds old, and the
 * list stays, if nobody can say so. */
static enum error_code ask_for_list(struct inquiry *inquiry, struct team_source *source,
                                    int64_t *lifetime_ms_out, struct error *err)
{
    const struct team_directory *directory = inquiry->directory;
    struct inquiry own = {directory, inquiry->question, source, false};
    struct lookup lookup = {.key = directory_key(directory, inquiry->question, source),
                            .run = directory_list,
                            .context = &own};
    struct lookup_outcome outcome = {0};
    enum error_code code = OK;

    lookup_cache_get(directory->lists, &lookup, &outcome);
    code = directory_judge(&own, &outcome, err);
    if (code == ERROR_DENIED && !own.has_asked) {
        lookup_outcome_release(&outcome);
        lookup.age_max_ms = NEGATIVE_CACHE_MS;
        lookup_cache_get(directory->lists, &lookup, &outcome);
        code = directory_judge(&own, &outcome, err);
    }
    *lifetime_ms_out = outcome.lifetime_ms;
    lookup_outcome_release(&outcome);
    inquiry->has_asked = inquiry->has_asked || own.has_asked;
    return code;
}

static enum error_code ask_about_team(struct inquiry *inquiry, struct team_source *source,
                                      struct error *err)
{
    const enum error_code code = begin_asking(inquiry, err);

    return code ? code : team_source_is_member(source, inquiry->question, err);
}

static bool ask_one(struct inquiry *inquiry, struct team_source *source, struct verdict *verdict)
{
    struct error reason = {0};
    const enum error_code code = source->driver->list
                                     ? ask_for_list(inquiry, source, &verdict->lifetime_ms, &reason)
                                     : ask_about_team(inquiry, source, &reason);

    if (code == ERROR_DENIED) {
        strbuf_append_format(&verdict->denials, "%s%s", verdict->denials.length > 0 ? "; " : "",
                             reason.message);
    } else if (code && !verdict->failure) {
        verdict->failure = code == ERROR_TOO_MANY ? ERROR_TOO_MANY : ERROR_UNAVAILABLE;
        verdict->unavailable = reason;
    }
    return !code;
}

static enum error_code directory_refuse_unasked(const struct identity *identity, struct error *err)
{
    return error_set(err, ERROR_DENIED, "the login names %s. Ask to be added to that team",
                     identity->teams.length > 0 ? "other teams" : "no team");
}

static enum error_code directory_conclude(const struct verdict *verdict,
                                          const struct identity *identity, struct error *err)
{
    if (verdict->failure) {
        *err = verdict->unavailable;
        return verdict->failure;
    }
    if (verdict->denials.length == 0) {
        return directory_refuse_unasked(identity, err);
    }
    return error_set(err, ERROR_DENIED, "%s", verdict->denials.text);
}

/* One yes is enough. */
static enum error_code directory_ask_all(struct inquiry *inquiry, struct verdict *verdict,
                                         struct error *err)
{
    const struct team_directory_config *config = &inquiry->directory->config;
    const struct identity *identity = inquiry->question->identity;
    enum error_code code = ERROR_DENIED;

    strbuf_init(&verdict->denials, ERROR_MESSAGE_BYTES);
    for (size_t i = 0; code && i < config->source_count; i++) {
        struct team_source *source = config->sources[i];

        if (source->driver->covers(source, identity) && ask_one(inquiry, source, verdict)) {
            code = OK;
        }
    }
    if (code) {
        code = directory_conclude(verdict, identity, err);
    }
    strbuf_release(&verdict->denials);
    return code;
}

static void directory_inquire(void *context, struct lookup_outcome *outcome_out)
{
    struct inquiry *inquiry = context;
    const struct team_question *question = inquiry->question;
    struct verdict verdict = {.lifetime_ms = inquiry->directory->config.cache_ms};
    char text[WHO_BYTES];

    outcome_out->code = directory_ask_all(inquiry, &verdict, &outcome_out->err);
    if (!outcome_out->code) {
        outcome_out->lifetime_ms = verdict.lifetime_ms;
    } else if (outcome_out->code == ERROR_DENIED) {
        outcome_out->lifetime_ms = NEGATIVE_CACHE_MS;
    } else if (outcome_out->code == ERROR_UNAVAILABLE) {
        /* who hangs is not waited for by one request after another */
        outcome_out->lifetime_ms = UNAVAILABLE_CACHE_MS;
    }
    if (outcome_out->code == ERROR_DENIED && inquiry->has_asked) {
        login_limiter_count(inquiry->directory->refusals, who(question->identity, text),
                            question->team);
    }
}

enum error_code team_directory_is_member(struct team_directory *directory,
                                         const struct team_question *question, bool may_ask,
                                         bool *must_ask_out, struct error *err)
{
    struct inquiry inquiry = {.directory = directory, .question = question};
    const struct lookup lookup = {.key = directory_key(directory, question, NULL),
                                  .run = directory_inquire,
                                  .context = &inquiry};
    struct lookup_outcome outcome;

    if (may_ask) {
        lookup_cache_get(directory->cache, &lookup, &outcome);
    } else if (!lookup_cache_find(directory->cache, &lookup.key, &outcome)) {
        *must_ask_out = true;
        return error_set(err, ERROR_UNAVAILABLE, "somebody else has to be asked");
    }
    if (outcome.code && err) {
        *err = outcome.err;
    }
    lookup_outcome_release(&outcome);
    return outcome.code;
}
