#include "blobs/s3_client.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum {
    PAIRS_MAX = 16,
    PATH_MAX_BYTES = 2048,
    HEADER_MAX_BYTES = 32 * 1024,
    NAME_BYTES = 512,
    /* Pauses: random, up to twice as long each time. */
    PAUSE_FIRST_MS = 100,
    PAUSE_MOST_MS = 5000,
    QUICK_MS = 5000,
    UNSIGNED_OVER_BYTES = 1024 * 1024,
    /* A request that nothing is heard of, or sent of, fails early enough to be repeated. */
    STALLS_PER_RETRY_TIME = 2,
    STALL_MIN_MS = 5000,
    /* S3 takes up to 15 minutes; a refusal without a body (HEAD) may be for that. */
    SKEW_MIN_S = 5 * 60,
};

/* An endpoint as signatures and URLs need it. */
struct endpoint {
    const char *scheme;
    char host[NAME_BYTES]; /* with the bucket in front, unless it is in the path */
};

enum { S3_ATTEMPTS, S3_RETRIES, S3_FAILURES, S3_SENT_BYTES };

static const struct metric s3_metrics[] = {
    [S3_ATTEMPTS] = {METRIC_TIME, "attempt_seconds", "How long attempts took"},
    [S3_RETRIES] = {METRIC_COUNTER, "retries_total", "Attempts that were repeated"},
    [S3_FAILURES] = {METRIC_COUNTER, "failures_total", "Requests that stayed without an answer"},
    [S3_SENT_BYTES] = {METRIC_COUNTER, "sent_bytes_total", "Bytes of bodies that were sent"},
};
static const struct metric_table s3_table = {"pierone_s3", NULL, s3_metrics, ARRAY_LEN(s3_metrics)};

struct s3_client {
    struct metric_group *metrics;
    struct s3_client_config config;
    struct endpoint endpoint;
    struct endpoint public_endpoint;
    atomic_llong skew_ms; /* by which S3's clock is ahead of ours */
    char name[2 * NAME_BYTES];
};

/* A request on its way: signed anew for each attempt. */
struct attempt {
    struct s3_client *client;
    const struct s3_request *request;
    char hash[AWS_HASH_BYTES];
    struct strbuf path;
    struct strbuf lines[PAIRS_MAX];
    size_t line_count;
    struct aws_key_copy keys; /* of the latest time */
    bool has_new_clock;
    bool has_new_keys;
};

static void set_endpoint(const struct s3_client_config *config, const char *endpoint,
                         struct endpoint *made)
{
    const struct str text = str_from(endpoint);
    const size_t scheme = str_index_of(text, ':');
    struct str host = str_from_index(text, scheme + sizeof("://") - 1);

    host = str_slice(host, 0, str_index_of(host, '/'));
    made->scheme = str_is(str_slice(text, 0, scheme), "http") ? "http" : "https";
    (void)snprintf(made->host, sizeof(made->host), "%s%s%.*s",
                   config->uses_path ? "" : config->bucket, config->uses_path ? "" : ".",
                   STR_FORMAT(host));
}

struct s3_client *s3_client_new(const struct s3_client_config *config)
{
    struct s3_client *client = memory_new(1, sizeof(*client));
    char aws[NAME_BYTES];

    (void)snprintf(aws, sizeof(aws), "https://s3.%s.amazonaws.com", config->region);
    client->config = *config;
    client->metrics = metrics_add_group(config->metrics, &s3_table, NULL);
    set_endpoint(config, config->endpoint ? config->endpoint : aws, &client->endpoint);
    client->public_endpoint = client->endpoint;
    if (config->public_endpoint) {
        set_endpoint(config, config->public_endpoint, &client->public_endpoint);
    }
    (void)snprintf(client->name, sizeof(client->name), "bucket %s at %s", config->bucket,
                   client->endpoint.host);
    return client;
}

void s3_client_free(struct s3_client *client)
{
    free(client);
}

static size_t count_pairs(const struct aws_pair *pairs)
{
    size_t count = 0;

    while (pairs && pairs[count].name.bytes) {
        count++;
        assert(count <= PAIRS_MAX);
    }
    return count;
}

static void append_path(const struct s3_client *client, const char *key, struct strbuf *path)
{
    strbuf_append_text(path, "/");
    if (client->config.uses_path) {
        strbuf_append_text(path, client->config.bucket);
        strbuf_append_text(path, key ? "/" : "");
    }
    strbuf_append_text(path, key ? key : "");
}

/* TLS protects what is on its way already, so that a part need not be hashed for it: AWS's own
 * tools do the same. */
static void set_hash(struct attempt *attempt)
{
    const struct s3_request *request = attempt->request;
    const bool is_tls = strcmp(attempt->client->endpoint.scheme, "https") == 0;

    if (request->body_sha256) {
        (void)snprintf(attempt->hash, sizeof(attempt->hash), "%s", request->body_sha256);
    } else if (is_tls && request->body.length > UNSIGNED_OVER_BYTES) {
        (void)snprintf(attempt->hash, sizeof(attempt->hash), "%s", AWS_UNSIGNED_PAYLOAD);
    } else {
        aws_payload_hash(request->body, attempt->hash);
    }
}

static void attempt_init(struct attempt *attempt, struct s3_client *client,
                         const struct s3_request *request)
{
    const size_t count = count_pairs(request->headers);

    *attempt = (struct attempt){.client = client, .request = request};
    strbuf_init(&attempt->path, PATH_MAX_BYTES);
    append_path(client, request->key, &attempt->path);
    set_hash(attempt);
    for (size_t i = 0; i < count; i++) {
        struct strbuf *line = &attempt->lines[attempt->line_count++];

        strbuf_init(line, HEADER_MAX_BYTES);
        strbuf_append(line, request->headers[i].name);
        strbuf_append_text(line, ": ");
        strbuf_append(line, request->headers[i].value);
    }
}

static int64_t stall_time(const struct s3_client_config *config)
{
    const int64_t stall_ms = config->retry_ms / STALLS_PER_RETRY_TIME;

    return stall_ms > STALL_MIN_MS ? stall_ms : STALL_MIN_MS;
}

/* By S3's clock, once that has told that ours is wrong. */
static int64_t signing_time(struct s3_client *client)
{
    return clock_wall_ms(client->config.clock) + atomic_load(&client->skew_ms);
}

static enum error_code send_signed(const struct attempt *attempt, const struct aws_signed *made,
                                   struct outbound_answer *answer, struct error *err)
{
    static const char *const wanted[] = {"ETag", "Content-Length", "x-amz-bucket-region",
                                         "x-amz-delete-marker", NULL};
    const struct s3_request *request = attempt->request;
    const char *lines[PAIRS_MAX + AWS_SIGNED_HEADERS + 1] = {0};
    const struct outbound_request sent = {
        .method = request->method,
        .url = made->url.text,
        .headers = lines,
        .body = request->body,
        .content_type = request->body.bytes ? "application/octet-stream" : NULL,
        .timeout_ms = request->is_quick ? QUICK_MS : attempt->client->config.timeout_ms,
        .stall_ms = stall_time(&attempt->client->config),
        .answer_max_bytes = S3_ANSWER_MAX_BYTES,
        .sink = request->sink,
        .is_single = true,
        .wanted = wanted,
    };
    struct error failure = {0};
    size_t count = 0;

    for (size_t i = 0; i < attempt->line_count; i++) {
        lines[count++] = attempt->lines[i].text;
    }
    for (size_t i = 0; i < made->header_count; i++) {
        lines[count++] = made->headers[i].text;
    }
    if (http_client_send(attempt->client->config.http, &sent, answer, &failure) == OK) {
        return OK;
    }
    return error_set(err, ERROR_UNAVAILABLE, "%s: is S3 up, and storage.s3.endpoint right?",
                     failure.message);
}

/* OK: there is an answer. The keys are as new as the attempt. */
static enum error_code send_once(struct attempt *attempt, struct outbound_answer *answer,
                                 struct error *err)
{
    const struct s3_client_config *config = &attempt->client->config;
    const struct s3_request *request = attempt->request;
    const struct aws_request plain = {
        .method = request->method,
        .scheme = attempt->client->endpoint.scheme,
        .host = str_from(attempt->client->endpoint.host),
        .path = strbuf_str(&attempt->path),
        .query = request->query,
        .query_count = count_pairs(request->query),
        .headers = request->headers,
        .header_count = count_pairs(request->headers),
        .payload_sha256 = attempt->hash,
    };
    const struct aws_scope scope = {config->region, "s3", signing_time(attempt->client)};
    struct aws_signed made = {0};
    enum error_code code = OK;

    strbuf_init(&answer->body, 0);
    strbuf_init(&answer->fields, 0);
    aws_key_copy_release(&attempt->keys);
    code = aws_credentials_get(config->credentials, &attempt->keys, err);
    if (code) {
        return code;
    }
    code = aws_sign(&attempt->keys.keys, &scope, &plain, &made, err);
    if (!code) {
        code = send_signed(attempt, &made, answer, err);
    }
    aws_signed_release(&made);
    return code;
}

/* A signature of a time that is not S3's: once with its own. */
static bool corrects_clock(struct attempt *attempt, const struct s3_answer *answer)
{
    struct s3_client *client = attempt->client;
    const int64_t date_ms = answer->http.date_s * MS_PER_SECOND;
    const int64_t skew_ms = date_ms - clock_wall_ms(client->config.clock);
    const int64_t change_ms = skew_ms - atomic_load(&client->skew_ms);
    const bool is_far =
        change_ms > SKEW_MIN_S * MS_PER_SECOND || -change_ms > SKEW_MIN_S * MS_PER_SECOND;
    const bool is_blamed = s3_answer_is(answer, "RequestTimeTooSkewed") ||
                           (answer->http.status == 403 && answer->error_code[0] == '\0');

    if (attempt->has_new_clock || answer->http.date_s < 0 || !is_blamed || !is_far) {
        return false;
    }
    attempt->has_new_clock = true;
    atomic_store(&client->skew_ms, skew_ms);
    return true;
}

/* Keys that have just been replaced, or whose session was ended: once with new ones. An answer to
 * HEAD does not say why. */
static bool renews_keys(struct attempt *attempt, const struct s3_answer *answer)
{
    const bool is_blamed =
        s3_answer_is(answer, "ExpiredToken") || s3_answer_is(answer, "InvalidToken") ||
        s3_answer_is(answer, "TokenRefreshRequired") ||
        s3_answer_is(answer, "InvalidAccessKeyId") ||
        (str_is(str_from(attempt->request->method), "HEAD") && answer->http.status == 400);

    if (attempt->has_new_keys || !is_blamed) {
        return false;
    }
    attempt->has_new_keys = true;
    return aws_credentials_renew(attempt->client->config.credentials, &attempt->keys.keys);
}

/* Random all over, so that many that failed together do not come back together. */
static void pause_before(int attempt_number)
{
    const int doublings = attempt_number < 7 ? attempt_number - 1 : 6;
    const int64_t most_ms = (int64_t)PAUSE_FIRST_MS << doublings;
    uint16_t chance = 0;

    random_fill(&chance, sizeof(chance));
    clock_pause((most_ms < PAUSE_MOST_MS ? most_ms : PAUSE_MOST_MS) * chance / UINT16_MAX);
}

static void attempt_release(struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->line_count; i++) {
        strbuf_release(&attempt->lines[i]);
    }
    strbuf_release(&attempt->path);
    aws_key_copy_release(&attempt->keys);
}

static bool is_passing(enum error_code code, const struct s3_answer *answer)
{
    return code ? code == ERROR_UNAVAILABLE : s3_answer_is_retryable(answer);
}

enum error_code s3_client_send(struct s3_client *client, const struct s3_request *request,
                               struct s3_answer *answer_out, struct error *err)
{
    const int64_t end_ms = clock_monotonic_ms(client->config.clock) + client->config.retry_ms;
    struct attempt attempt;
    enum error_code code = OK;

    *answer_out = (struct s3_answer){0};
    strbuf_init(&answer_out->http.body, 0);
    strbuf_init(&answer_out->http.fields, 0);
    attempt_init(&attempt, client, request);
    for (int number = 1;; number++) {
        const int64_t begin_us = clock_elapsed_us();
        bool is_corrected = false;

        outbound_answer_release(&answer_out->http);
        code = send_once(&attempt, &answer_out->http, err);
        metric_time(client->metrics, S3_ATTEMPTS, clock_elapsed_us() - begin_us);
        metric_add(client->metrics, S3_SENT_BYTES, request->body.length);
        s3_answer_read(request, answer_out);
        is_corrected =
            !code && (corrects_clock(&attempt, answer_out) || renews_keys(&attempt, answer_out));
        if (!is_corrected && (!is_passing(code, answer_out) || request->is_quick ||
                              clock_monotonic_ms(client->config.clock) >= end_ms)) {
            break;
        }
        metric_add(client->metrics, S3_RETRIES, 1);
        if (!is_corrected) {
            pause_before(number);
        }
    }
    attempt_release(&attempt);
    metric_add(client->metrics, S3_FAILURES, code || s3_answer_is_retryable(answer_out) ? 1 : 0);
    if (!code && s3_answer_is_retryable(answer_out)) {
        code = s3_answer_exhausted(client->name, answer_out, client->config.retry_ms, err);
    }
    return code;
}

int64_t s3_client_skew_ms(struct s3_client *client)
{
    return atomic_load(&client->skew_ms);
}

bool s3_client_has_keys(struct s3_client *client)
{
    return aws_credentials_are_at_hand(client->config.credentials);
}

/* A link dies with the session that signed it, whatever it says. */
static unsigned bounded_lifetime(const struct aws_key_copy *keys, int64_t now_ms,
                                 unsigned lifetime_s)
{
    const int64_t rest_s = (keys->expires_ms - now_ms) / MS_PER_SECOND;

    return rest_s > 0 && rest_s < lifetime_s ? (unsigned)rest_s : lifetime_s;
}

enum error_code s3_client_link(struct s3_client *client, const char *key, unsigned lifetime_s,
                               struct strbuf *url, struct error *err)
{
    const struct s3_client_config *config = &client->config;
    CLEANUP(strbuf_release) struct strbuf path;
    const struct aws_scope scope = {config->region, "s3", signing_time(client)};
    struct aws_request request = {
        .method = "GET",
        .scheme = client->public_endpoint.scheme,
        .host = str_from(client->public_endpoint.host),
        .payload_sha256 = AWS_UNSIGNED_PAYLOAD,
    };
    struct aws_key_copy keys = {0};
    enum error_code code = OK;

    strbuf_init(&path, PATH_MAX_BYTES);
    append_path(client, key, &path);
    request.path = strbuf_str(&path);
    code = aws_credentials_get(config->credentials, &keys, err);
    if (!code) {
        lifetime_s = bounded_lifetime(&keys, scope.now_ms, lifetime_s);
        code = aws_presign(&keys.keys, &scope, &request, lifetime_s, url, err);
        aws_key_copy_release(&keys);
    }
    return code;
}

const char *s3_client_link_host(const struct s3_client *client)
{
    return client->public_endpoint.host;
}

const char *s3_client_name(const struct s3_client *client)
{
    return client->name;
}
