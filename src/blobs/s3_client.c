#include "blobs/s3_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/xml.h"
#include "base/memory.h"
#include "base/random.h"

enum {
    ANSWER_MAX_BYTES = 64 * 1024, /* documents of S3's are small */
    PAIRS_MAX = 16,
    PATH_MAX_BYTES = 2048,
    HEADER_MAX_BYTES = 32 * 1024,
    NAME_BYTES = 512,
    /* Pauses: random, up to twice as long each time. */
    PAUSE_FIRST_MS = 100,
    PAUSE_MOST_MS = 5000,
    QUICK_MS = 5000,
    UNSIGNED_OVER_BYTES = 1024 * 1024,
};

/* An endpoint as signatures and URLs need it. */
struct endpoint {
    const char *scheme;
    char host[NAME_BYTES]; /* with the bucket in front, unless it is in the path */
};

/* In place of an error's code: a success that does not tell what came of it. */
static const char no_result[] = "without its result";

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
};

enum { RETRY_AFTER_S = 10 };

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
        .answer_max_bytes = ANSWER_MAX_BYTES,
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
    const struct aws_scope scope = {config->region, "s3", clock_wall_ms(config->clock)};
    struct aws_key_copy keys = {0};
    struct aws_signed made = {0};
    enum error_code code = OK;

    strbuf_init(&answer->body, 0);
    strbuf_init(&answer->fields, 0);
    code = aws_credentials_get(config->credentials, &keys, err);
    if (code) {
        return code;
    }
    code = aws_sign(&keys.keys, &scope, &plain, &made, err);
    aws_key_copy_release(&keys);
    if (!code) {
        code = send_signed(attempt, &made, answer, err);
    }
    aws_signed_release(&made);
    return code;
}

/*
 * Of a success only where it may be none: what a GET brings is a blob, whatever it looks like. 200
 * and spaces come while S3 is at work; how it went is told by the document that follows.
 */
static void read_error_code(const struct s3_request *request, struct s3_answer *answer)
{
    const struct str body = strbuf_str(&answer->http.body);
    const bool is_document = answer->http.status >= 300 || strcmp(request->method, "POST") == 0;
    const char *code = "";
    CLEANUP(strbuf_release) struct strbuf text;

    strbuf_init(&text, ANSWER_MAX_BYTES);
    if (is_document && body.length <= ANSWER_MAX_BYTES && aws_xml_text(body, "Code", &text)) {
        code = text.text;
    } else if (request->result && answer->http.status == 200 &&
               !aws_xml_text(body, request->result, &text)) {
        code = no_result;
    }
    (void)snprintf(answer->error_code, sizeof(answer->error_code), "%s", code);
}

/* S3's own advice is to repeat these; CompleteMultipartUpload may begin with 200 and then fail. */
static bool s3_client_is_retryable(const struct s3_answer *answer)
{
    switch (answer->http.status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return s3_answer_is(answer, "InternalError") || s3_answer_is(answer, "SlowDown") ||
               s3_answer_is(answer, "RequestTimeout") || s3_answer_is(answer, "OperationAborted") ||
               s3_answer_is(answer, "ConditionalRequestConflict") ||
               s3_answer_is(answer, no_result);
    }
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
}

/* That answer came again and again for retry_ms. */
static enum error_code s3_client_give_up(const struct s3_client *client,
                                         const struct s3_answer *answer, int64_t retry_ms,
                                         struct error *err)
{
    const char *reason = answer->error_code[0] != '\0' ? answer->error_code : "no reason";
    const enum error_code code = error_set(
        err, ERROR_UNAVAILABLE,
        "%s answers %d (%s), also after repeating for %lld s: it is overloaded or broken; look at "
        "it, or push less at once",
        s3_client_name(client), answer->http.status, reason, (long long)retry_ms / MS_PER_SECOND);

    if (err) {
        err->retry_after_s = RETRY_AFTER_S;
    }
    return code;
}

enum error_code s3_client_send(struct s3_client *client, const struct s3_request *request,
                               struct s3_answer *answer_out, struct error *err)
{
    const int64_t end_ms = clock_monotonic_ms(client->config.clock) + client->config.retry_ms;
    struct attempt attempt;
    int64_t begin_us = 0;
    enum error_code code = OK;

    *answer_out = (struct s3_answer){0};
    strbuf_init(&answer_out->http.body, 0);
    strbuf_init(&answer_out->http.fields, 0);
    attempt_init(&attempt, client, request);
    for (int number = 1;; number++) {
        outbound_answer_release(&answer_out->http);
        begin_us = clock_elapsed_us();
        code = send_once(&attempt, &answer_out->http, err);
        metric_time(client->metrics, S3_ATTEMPTS, clock_elapsed_us() - begin_us);
        metric_add(client->metrics, S3_SENT_BYTES, request->body.length);
        read_error_code(request, answer_out);
        if ((!code && !s3_client_is_retryable(answer_out)) || (code && code != ERROR_UNAVAILABLE) ||
            request->is_quick || clock_monotonic_ms(client->config.clock) >= end_ms) {
            break;
        }
        metric_add(client->metrics, S3_RETRIES, 1);
        pause_before(number);
    }
    attempt_release(&attempt);
    metric_add(client->metrics, S3_FAILURES, code || s3_client_is_retryable(answer_out) ? 1 : 0);
    if (!code && s3_client_is_retryable(answer_out)) {
        code = s3_client_give_up(client, answer_out, client->config.retry_ms, err);
    }
    return code;
}

void s3_answer_release(struct s3_answer *answer)
{
    outbound_answer_release(&answer->http);
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
    const struct aws_scope scope = {config->region, "s3", clock_wall_ms(config->clock)};
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

bool s3_answer_is(const struct s3_answer *answer, const char *error_code)
{
    return strcmp(answer->error_code, error_code) == 0;
}
