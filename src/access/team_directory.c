#include "access/team_directory.h"

#include <stdlib.h>

#include "auth/lookup_cache.h"
#include "base/memory.h"

enum { NEGATIVE_CACHE_MS = 5 * 1000, UNAVAILABLE_CACHE_MS = 2 * 1000 };

struct team_directory {
    struct team_directory_config config;
    struct lookup_cache *cache;
    struct keyed_hash hash;
};

/* What a lookup works on. */
struct inquiry {
    const struct team_directory *directory;
    const struct team_question *question;
};

/* What was said so far. */
struct verdict {
    bool is_unavailable;
    struct error unavailable; /* of the first that could not be asked */
    struct strbuf denials;
};

static struct lookup_key key_of(const struct team_directory *directory,
                                const struct team_question *question);
static void inquire(void *context, struct lookup_outcome *outcome_out);
static enum error_code ask_all(const struct inquiry *inquiry, struct error *err);
static bool ask_one(struct team_source *source, const struct team_question *question,
                    struct verdict *verdict);
static enum error_code conclude(const struct verdict *verdict, const struct identity *identity,
                                struct error *err);
static enum error_code refuse_unasked(const struct identity *identity, struct error *err);

struct team_directory *team_directory_new(const struct team_directory_config *config)
{
    struct team_directory *directory = memory_new(1, sizeof(*directory));

    directory->config = *config;
    directory->cache = lookup_cache_new(config->cache_entries, config->clock);
    keyed_hash_init(&directory->hash);
    return directory;
}

void team_directory_free(struct team_directory *directory)
{
    if (!directory) {
        return;
    }
    lookup_cache_free(directory->cache);
    keyed_hash_release(&directory->hash);
    free(directory);
}

enum error_code team_directory_is_member(struct team_directory *directory,
                                         const struct team_question *question, bool may_wait,
                                         bool *waits_out, struct error *err)
{
    struct inquiry inquiry = {directory, question};
    const struct lookup lookup = {key_of(directory, question), inquire, &inquiry};
    struct lookup_outcome outcome;

    if (may_wait) {
        lookup_cache_get(directory->cache, &lookup, &outcome);
    } else if (!lookup_cache_find(directory->cache, &lookup.key, &outcome)) {
        *waits_out = true;
        return error_set(err, ERROR_UNAVAILABLE, "somebody else has to be asked");
    }
    if (outcome.code && err) {
        *err = outcome.err;
    }
    lookup_outcome_release(&outcome);
    return outcome.code;
}

/* Of the token too: what a permission service lets one do, it may not let another. */
static struct lookup_key key_of(const struct team_directory *directory,
                                const struct team_question *question)
{
    const unsigned char kind = (unsigned char)question->identity->kind;
    const struct str parts[] = {
        {(const char *)&kind, sizeof(kind)},
        str_from(question->token),
        question->identity->name,
        question->team,
    };
    struct lookup_key key = {{0}};

    keyed_hash_of(&directory->hash, parts, ARRAY_LEN(parts), key.bytes);
    return key;
}

static void inquire(void *context, struct lookup_outcome *outcome_out)
{
    const struct inquiry *inquiry = context;

    outcome_out->code = ask_all(inquiry, &outcome_out->err);
    if (!outcome_out->code) {
        outcome_out->lifetime_ms = inquiry->directory->config.cache_ms;
    } else if (outcome_out->code == ERROR_DENIED) {
        outcome_out->lifetime_ms = NEGATIVE_CACHE_MS;
    } else { /* who hangs is not waited for by one request after another */
        outcome_out->lifetime_ms = UNAVAILABLE_CACHE_MS;
    }
}

/* One yes is enough. */
static enum error_code ask_all(const struct inquiry *inquiry, struct error *err)
{
    const struct team_directory_config *config = &inquiry->directory->config;
    const struct identity *identity = inquiry->question->identity;
    struct verdict verdict = {0};
    enum error_code code = ERROR_DENIED;

    strbuf_init(&verdict.denials, ERROR_MESSAGE_BYTES);
    for (size_t i = 0; code && i < config->source_count; i++) {
        struct team_source *source = config->sources[i];

        if (source->driver->covers(source, identity) &&
            ask_one(source, inquiry->question, &verdict)) {
            code = OK;
        }
    }
    if (code) {
        code = conclude(&verdict, identity, err);
    }
    strbuf_release(&verdict.denials);
    return code;
}

static bool ask_one(struct team_source *source, const struct team_question *question,
                    struct verdict *verdict)
{
    struct error reason = {0};
    const enum error_code code = source->driver->is_member(source, question, &reason);

    if (code == ERROR_DENIED) {
        strbuf_append_format(&verdict->denials, "%s%s", verdict->denials.length > 0 ? "; " : "",
                             reason.message);
    } else if (code && !verdict->is_unavailable) {
        verdict->is_unavailable = true;
        verdict->unavailable = reason;
    }
    return !code;
}

static enum error_code conclude(const struct verdict *verdict, const struct identity *identity,
                                struct error *err)
{
    if (verdict->is_unavailable) {
        *err = verdict->unavailable;
        return ERROR_UNAVAILABLE;
    }
    if (verdict->denials.length == 0) {
        return refuse_unasked(identity, err);
    }
    return error_set(err, ERROR_DENIED, "%s", verdict->denials.text);
}

static enum error_code refuse_unasked(const struct identity *identity, struct error *err)
{
    return error_set(err, ERROR_DENIED, "the login names %s. Ask to be added to that team",
                     identity->teams.length > 0 ? "other teams" : "no team");
}
