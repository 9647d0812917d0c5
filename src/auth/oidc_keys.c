#include "auth/oidc_keys.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_reader.h"
#include "base/memory.h"

struct oidc_keys {
    struct oidc_issuer issuer;
    const struct clock *clock;

    pthread_mutex_t state_mutex; /* guards all below */
    pthread_cond_t is_fetched;
    bool is_fetching;
    unsigned long attempts;    /* that are over */
    int64_t last_ms;           /* when the last one ended, monotonic */
    enum error_code last_code; /* how it ended, and why */
    struct error last_error;
    struct key_set *set; /* NULL: none yet */
    int64_t expires_ms;  /* of set, monotonic */
};

enum { URL_MAX_BYTES = 8 * 1024, DOCUMENT_MAX_BYTES = 256 * 1024, STATUS_OK = 200 };

static const char well_known[] = "/.well-known/openid-configuration";

struct oidc_keys *oidc_keys_new(const struct oidc_issuer *issuer, const struct clock *clock)
{
    struct oidc_keys *keys = memory_new(1, sizeof(*keys));

    keys->issuer = *issuer;
    keys->clock = clock;
    (void)pthread_mutex_init(&keys->state_mutex, NULL);
    (void)pthread_cond_init(&keys->is_fetched, NULL);
    return keys;
}

void oidc_keys_free(struct oidc_keys *keys)
{
    if (!keys) {
        return;
    }
    key_set_release(keys->set);
    (void)pthread_cond_destroy(&keys->is_fetched);
    (void)pthread_mutex_destroy(&keys->state_mutex);
    free(keys);
}

/* Ends when the two requests of oidc_fetch_keys do, each of which has the client's timeout. */
static void wait_for_fetch(struct oidc_keys *keys)
{
    const unsigned long attempts = keys->attempts;

    while (keys->attempts == attempts) {
        (void)pthread_cond_wait(&keys->is_fetched, &keys->state_mutex);
    }
}

static int64_t oidc_now_ms(const struct oidc_keys *keys)
{
    return clock_monotonic_ms(keys->clock);
}

static bool may_fetch(const struct oidc_keys *keys)
{
    return keys->attempts == 0 || oidc_now_ms(keys) - keys->last_ms >= OIDC_PAUSE_MS;
}

static int64_t lifetime_ms(int64_t max_age_s)
{
    int64_t lifetime_s = max_age_s < 0 ? OIDC_AGE_DEFAULT_S : max_age_s;

    if (lifetime_s < OIDC_AGE_MIN_S) {
        lifetime_s = OIDC_AGE_MIN_S;
    }
    return (lifetime_s > OIDC_AGE_MAX_S ? OIDC_AGE_MAX_S : lifetime_s) * MS_PER_SECOND;
}

/* What is known goes on counting while nothing newer can be had, and is not asked for at once. */
static void oidc_keys_store(struct oidc_keys *keys, const struct oidc_fetched *fetched)
{
    if (!fetched->keys) {
        keys->expires_ms = keys->last_ms + lifetime_ms(0);
        return;
    }
    key_set_release(keys->set);
    keys->set = fetched->keys;
    keys->expires_ms = keys->last_ms + lifetime_ms(fetched->max_age_s);
}

/* Gives the mutex away while it fetches. */
static void fetch_unlocked(struct oidc_keys *keys)
{
    struct oidc_fetched fetched = {0};
    struct error err = {0};
    enum error_code code = OK;

    keys->is_fetching = true;
    (void)pthread_mutex_unlock(&keys->state_mutex);
    code = oidc_fetch_keys(&keys->issuer, &fetched, &err);
    (void)pthread_mutex_lock(&keys->state_mutex);
    keys->is_fetching = false;
    keys->attempts++;
    keys->last_ms = oidc_now_ms(keys);
    keys->last_code = code;
    keys->last_error = err;
    oidc_keys_store(keys, &fetched);
    (void)pthread_cond_broadcast(&keys->is_fetched);
}

static void fetch_or_wait(struct oidc_keys *keys)
{
    if (keys->is_fetching) {
        wait_for_fetch(keys);
    } else if (may_fetch(keys)) {
        fetch_unlocked(keys);
    }
}

static enum error_code tell_failure(const struct oidc_keys *keys, struct error *err)
{
    return error_set(err, keys->last_code, "%s", keys->last_error.message);
}

enum error_code oidc_keys_get(struct oidc_keys *keys, struct key_set **set_out, struct error *err)
{
    enum error_code code = OK;

    (void)pthread_mutex_lock(&keys->state_mutex);
    if (!keys->set) {
        fetch_or_wait(keys);
    } else if (oidc_now_ms(keys) >= keys->expires_ms && !keys->is_fetching && may_fetch(keys)) {
        fetch_unlocked(keys);
    }
    if (keys->set) {
        *set_out = key_set_retain(keys->set);
    } else {
        code = tell_failure(keys, err);
    }
    (void)pthread_mutex_unlock(&keys->state_mutex);
    return code;
}

enum error_code oidc_keys_get_newer(struct oidc_keys *keys, const struct key_set *known,
                                    struct key_set **set_out, struct error *err)
{
    enum error_code code = OK;

    (void)pthread_mutex_lock(&keys->state_mutex);
    if (keys->set == known) {
        fetch_or_wait(keys);
    }
    if (keys->set != known) {
        *set_out = key_set_retain(keys->set);
    } else {
        code = keys->last_code ? tell_failure(keys, err) : ERROR_NOT_FOUND;
    }
    (void)pthread_mutex_unlock(&keys->state_mutex);
    return code;
}

/* Discovery 4.1: a slash at the issuer's end is left out. */
static void append_discovery_url(const struct oidc_issuer *issuer, struct strbuf *url)
{
    const struct str id = str_from(issuer->id);
    const size_t slash = str_ends_with(id, "/") ? 1 : 0;

    strbuf_append(url, str_slice(id, 0, id.length - slash));
    strbuf_append_text(url, well_known);
}

static enum error_code oidc_fetch(const struct oidc_issuer *issuer, const char *url,
                                  struct outbound_answer *answer, struct error *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct outbound_request request = {.url = url, .headers = headers};
    const enum error_code code = http_client_send(issuer->client, &request, answer, err);

    if (code) {
        return code;
    }
    if (answer->status != STATUS_OK) {
        return error_set(err, ERROR_UNAVAILABLE, "%s answered %d instead of 200", url,
                         answer->status);
    }
    return OK;
}

/* Keys of an issuer that is asked by TLS do not come without. */
static bool may_follow(const struct oidc_issuer *issuer, struct str url)
{
    const bool is_plain = str_starts_with(str_from(issuer->id), "http://");

    return str_starts_with(url, "https://") || (is_plain && str_starts_with(url, "http://"));
}

/* Discovery 4.3: the keys of one that names another would count for tokens of somebody else. */
static enum error_code oidc_read_document(const struct oidc_issuer *issuer, struct str text,
                                          struct strbuf *url, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf name;
    struct json_subject subject = {.code = ERROR_UNAVAILABLE, .max_bytes = DOCUMENT_MAX_BYTES};
    struct json_reader reader;
    struct str named;
    struct str keys_url;

    strbuf_init(&name, URL_MAX_BYTES);
    strbuf_append_format(&name, "what the issuer %s has at %s", issuer->id, well_known);
    subject.name = name.text;
    json_reader_open(&reader, text, &subject, NULL, err);
    named = json_reader_needed_text(&reader, "issuer");
    if (!str_is(named, issuer->id)) {
        json_reader_fail(&reader, "calls itself '%.*s': the setting must be just that",
                         STR_FORMAT(str_slice(named, 0, 200)));
    }
    keys_url = json_reader_needed_text(&reader, "jwks_uri");
    strbuf_append(url, keys_url);
    if (url->is_truncated || !may_follow(issuer, keys_url)) {
        json_reader_fail(&reader, "has no usable 'jwks_uri': it is too long, or without TLS");
    }
    return json_reader_close(&reader);
}

/* Replaces url by the key set's. */
static enum error_code oidc_discover(const struct oidc_issuer *issuer, struct strbuf *url,
                                     struct error *err)
{
    struct outbound_answer answer = {0};
    enum error_code code = OK;

    append_discovery_url(issuer, url);
    code = oidc_fetch(issuer, url->text, &answer, err);
    if (!code) {
        strbuf_clear(url);
        code = oidc_read_document(issuer, strbuf_str(&answer.body), url, err);
    }
    outbound_answer_release(&answer);
    return code;
}

static enum error_code read_keys(const struct oidc_issuer *issuer,
                                 const struct outbound_answer *answer,
                                 struct oidc_fetched *fetched_out, struct error *err)
{
    struct error reason = {0};
    struct key_set *keys = NULL;

    if (key_set_parse(strbuf_str(&answer->body), &keys, &reason)) {
        return error_set(err, ERROR_UNAVAILABLE, "the keys of %s cannot be read: %s", issuer->id,
                         reason.message);
    }
    *fetched_out = (struct oidc_fetched){.keys = keys, .max_age_s = answer->max_age_s};
    return OK;
}

enum error_code oidc_fetch_keys(const struct oidc_issuer *issuer, struct oidc_fetched *fetched_out,
                                struct error *err)
{
    struct outbound_answer answer = {0};
    struct strbuf url;
    enum error_code code = OK;

    strbuf_init(&url, URL_MAX_BYTES);
    if (issuer->jwks_url) {
        strbuf_append_text(&url, issuer->jwks_url);
    } else {
        code = oidc_discover(issuer, &url, err);
    }
    if (!code) {
        code = oidc_fetch(issuer, url.text, &answer, err);
        if (!code) {
            code = read_keys(issuer, &answer, fetched_out, err);
        }
        outbound_answer_release(&answer);
    }
    strbuf_release(&url);
    return code;
}
