#include "aws/credentials.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "aws/source.h"
#include "base/memory.h"

enum {
    REFRESH_AHEAD_MS = 10 * 60 * MS_PER_SECOND, /* a link made before still lives its time */
    LIFETIME_SHARE = 4,                         /* of short lives, this part at the end */
    FILE_AGE_MS = 5 * MS_PER_SECOND,            /* how soon a change of the file counts */
    LEAST_LIFETIME_MS = 10 * MS_PER_SECOND,     /* for clocks that differ, and for the way */
    FAILURE_PAUSE_MS = 5 * MS_PER_SECOND,
    REASONS_MAX_BYTES = ERROR_MESSAGE_BYTES,
};

/* In the order in which they are asked. */
static const struct {
    const char *name;
    aws_source *load;
    bool is_read_again; /* though its keys never expire */
} sources[] = {
    {"environment", aws_source_environment, false},    {"credentials file", aws_source_file, true},
    {"web identity", aws_source_web_identity, false},  {"container", aws_source_container, false},
    {"instance metadata", aws_source_instance, false},
};

/* What loading gave. */
struct outcome {
    enum error_code code;
    struct error err;
    struct aws_found found;
    size_t source;
};

struct aws_credentials {
    struct aws_credentials_config config;
    char *region;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t has_loaded;
    bool is_loading;        /* somebody does, without the mutex */
    bool has_found;         /* below, and is asked alone from then on */
    bool is_refused;        /* what was found, by whom it was shown to */
    size_t source;          /* its index in the table */
    struct aws_found found; /* the latest */
    int64_t refresh_ms;     /* wall clock */
    int64_t retry_ms;       /* monotonic; not before */
    int64_t renew_ms;       /* the same, for keys that somebody refuses */
    struct error failure;   /* of the latest try */
};

enum error_code aws_credentials_new(const struct aws_credentials_config *config,
                                    struct aws_credentials **credentials_out, struct error *err)
{
    struct aws_credentials *credentials = NULL;

    if (!config->region || config->region[0] == '\0') {
        return error_set(err, ERROR_INVALID, "AWS credentials need a region");
    }
    credentials = memory_new(1, sizeof(*credentials));
    credentials->region = memory_copy_text(config->region);
    credentials->config = *config;
    credentials->config.region = credentials->region;
    (void)pthread_mutex_init(&credentials->mutex, NULL);
    (void)pthread_cond_init(&credentials->has_loaded, NULL);
    credentials->retry_ms = INT64_MIN;
    credentials->renew_ms = INT64_MIN;
    *credentials_out = credentials;
    return OK;
}

void aws_credentials_free(struct aws_credentials *credentials)
{
    if (!credentials) {
        return;
    }
    aws_key_copy_release(&credentials->found.copy);
    (void)pthread_cond_destroy(&credentials->has_loaded);
    (void)pthread_mutex_destroy(&credentials->mutex);
    free(credentials->region);
    free(credentials);
}

static bool aws_credentials_are_usable(const struct aws_credentials *credentials)
{
    return credentials->has_found && !credentials->is_refused &&
           credentials->found.copy.expires_ms - LEAST_LIFETIME_MS >
               clock_wall_ms(credentials->config.clock);
}

static bool aws_credentials_are_due(const struct aws_credentials *credentials)
{
    return clock_monotonic_ms(credentials->config.clock) >= credentials->retry_ms &&
           (!aws_credentials_are_usable(credentials) ||
            clock_wall_ms(credentials->config.clock) >= credentials->refresh_ms);
}

static void append_reason(struct strbuf *reasons, const char *name, const struct error *err)
{
    strbuf_append_format(reasons, "%s%s (%s)", reasons->length > 0 ? ", " : "", name, err->message);
}

static void aws_credentials_ask(const struct aws_credentials *credentials, size_t first,
                                size_t last, struct outcome *outcome_out)
{
    struct strbuf reasons;

    strbuf_init(&reasons, REASONS_MAX_BYTES);
    outcome_out->code = ERROR_NOT_FOUND;
    for (size_t i = first; i <= last && outcome_out->code == ERROR_NOT_FOUND; i++) {
        outcome_out->source = i;
        outcome_out->code =
            sources[i].load(&credentials->config, &outcome_out->found, &outcome_out->err);
        assert(outcome_out->code || outcome_out->found.copy.memory);
        assert(!outcome_out->code || outcome_out->err.message[0] != '\0');
        append_reason(&reasons, sources[i].name, &outcome_out->err);
    }
    if (outcome_out->code == ERROR_NOT_FOUND) {
        (void)error_set(&outcome_out->err, ERROR_UNAVAILABLE,
                        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                        "give this machine or container a role; tried %s",
                        reasons.text);
    } else if (outcome_out->code) {
        struct error reason = outcome_out->err;

        (void)error_set(&outcome_out->err, ERROR_UNAVAILABLE, "no AWS credentials from the %s: %s",
                        sources[outcome_out->source].name, reason.message);
    }
    strbuf_release(&reasons);
}

/* What is handed out expired already would be refused, with less of a reason. */
static void check_age(const struct aws_credentials *credentials, struct outcome *outcome)
{
    const int64_t now_ms = clock_wall_ms(credentials->config.clock);

    if (outcome->found.copy.expires_ms - LEAST_LIFETIME_MS <= now_ms) {
        outcome->code = error_set(&outcome->err, ERROR_UNAVAILABLE,
                                  "no AWS credentials: those of %s have expired already: is this "
                                  "machine's clock right?",
                                  outcome->found.origin);
        aws_key_copy_release(&outcome->found.copy);
    }
}

static int64_t refresh_time(const struct aws_credentials *credentials)
{
    const int64_t now_ms = clock_wall_ms(credentials->config.clock);
    const int64_t expires_ms = credentials->found.copy.expires_ms;
    int64_t ahead_ms = 0;

    if (sources[credentials->source].is_read_again) {
        return now_ms + FILE_AGE_MS;
    }
    if (expires_ms == AWS_KEYS_NEVER_EXPIRE) {
        return INT64_MAX;
    }
    ahead_ms = (expires_ms - now_ms) / LIFETIME_SHARE;
    return expires_ms - (ahead_ms < REFRESH_AHEAD_MS ? ahead_ms : REFRESH_AHEAD_MS);
}

static void aws_credentials_keep(struct aws_credentials *credentials, struct outcome *outcome)
{
    if (outcome->code) {
        credentials->failure = outcome->err;
        credentials->retry_ms = clock_monotonic_ms(credentials->config.clock) + FAILURE_PAUSE_MS;
        return;
    }
    aws_key_copy_release(&credentials->found.copy);
    credentials->found = outcome->found;
    credentials->source = outcome->source;
    credentials->has_found = true;
    credentials->is_refused = false;
    credentials->retry_ms = INT64_MIN;
    credentials->refresh_ms = refresh_time(credentials);
}

/* With the mutex, which it gives away while it asks. */
static void aws_credentials_load(struct aws_credentials *credentials)
{
    const bool has_found = credentials->has_found;
    const size_t first = has_found ? credentials->source : 0;
    const size_t last = has_found ? credentials->source : ARRAY_LEN(sources) - 1;
    struct outcome outcome = {0};

    credentials->is_loading = true;
    (void)pthread_mutex_unlock(&credentials->mutex);
    aws_credentials_ask(credentials, first, last, &outcome);
    if (!outcome.code) {
        check_age(credentials, &outcome);
    }
    (void)pthread_mutex_lock(&credentials->mutex);
    aws_credentials_keep(credentials, &outcome);
    credentials->is_loading = false;
    (void)pthread_cond_broadcast(&credentials->has_loaded);
}

/* Waiting ends, as loading is a few requests, each with its timeout. */
enum error_code aws_credentials_get(struct aws_credentials *credentials,
                                    struct aws_key_copy *copy_out, struct error *err)
{
    enum error_code code = OK;

    (void)pthread_mutex_lock(&credentials->mutex);
    while (credentials->is_loading && !aws_credentials_are_usable(credentials)) {
        (void)pthread_cond_wait(&credentials->has_loaded, &credentials->mutex);
    }
    if (!credentials->is_loading && aws_credentials_are_due(credentials)) {
        aws_credentials_load(credentials);
    }
    if (aws_credentials_are_usable(credentials)) {
        aws_key_copy_clone(&credentials->found.copy, copy_out);
    } else {
        code = error_set(err, ERROR_UNAVAILABLE, "%s", credentials->failure.message);
        if (err) {
            err->retry_after_s = FAILURE_PAUSE_MS / MS_PER_SECOND;
        }
    }
    (void)pthread_mutex_unlock(&credentials->mutex);
    return code;
}

static bool are_same(const struct aws_keys *a, const struct aws_keys *b)
{
    return str_equal(str_from(a->access_key_id), str_from(b->access_key_id)) &&
           str_equal(str_from(a->secret_access_key), str_from(b->secret_access_key)) &&
           str_equal(str_from(a->session_token), str_from(b->session_token));
}

bool aws_credentials_renew(struct aws_credentials *credentials, const struct aws_keys *refused)
{
    const int64_t now_ms = clock_monotonic_ms(credentials->config.clock);
    bool is_latest = false;
    bool is_due = false;

    (void)pthread_mutex_lock(&credentials->mutex);
    is_latest = credentials->has_found && are_same(&credentials->found.copy.keys, refused);
    is_due = now_ms >= credentials->renew_ms;
    if (is_latest && is_due) {
        credentials->is_refused = true;
        credentials->renew_ms = now_ms + FAILURE_PAUSE_MS;
    }
    (void)pthread_mutex_unlock(&credentials->mutex);
    return !is_latest || is_due;
}

bool aws_credentials_are_at_hand(struct aws_credentials *credentials)
{
    bool are_at_hand = false;

    (void)pthread_mutex_lock(&credentials->mutex);
    are_at_hand = aws_credentials_are_usable(credentials) &&
                  (credentials->is_loading || !aws_credentials_are_due(credentials) ||
                   sources[credentials->source].is_read_again);
    (void)pthread_mutex_unlock(&credentials->mutex);
    return are_at_hand;
}

void aws_credentials_describe(struct aws_credentials *credentials, struct strbuf *text)
{
    char until[CLOCK_ISO_BYTES];

    (void)pthread_mutex_lock(&credentials->mutex);
    strbuf_append_text(text, credentials->has_found ? credentials->found.origin : "nowhere yet");
    if (credentials->has_found && credentials->found.copy.expires_ms != AWS_KEYS_NEVER_EXPIRE) {
        clock_format_iso(credentials->found.copy.expires_ms, until);
        strbuf_append_format(text, ", until %s", until);
    }
    (void)pthread_mutex_unlock(&credentials->mutex);
}
