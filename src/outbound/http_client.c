#include "outbound/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "outbound/answer.h"

enum {
    IDLE_HANDLES_MAX = 16, /* each keeps its connections */
    ATTEMPTS_MAX = 2,
    PAUSE_MIN_MS = 20,
    PAUSE_SPREAD_MS = 180,
    HEADERS_MAX = 32,
    FIELDS_MAX_BYTES = 4096,
    /* Of curl's buffers: larger ones than its own save system calls. */
    RECEIVE_BUFFER_BYTES = 128 * 1024,
    SEND_BUFFER_BYTES = 256 * 1024,
    PROXY_WANTS_LOGIN = 407, /* RFC 9110 15.5.8: of proxies alone */
};

struct http_client {
    struct http_client_config config;
    char *ca_file;
    char *user_agent;
    pthread_mutex_t idle_mutex; /* guards idle and idle_count */
    CURL *idle[IDLE_HANDLES_MAX];
    size_t idle_count;
};

/* One request on its way. */
struct transfer {
    struct http_client *client;
    const struct outbound_request *request;
    struct outbound_answer *answer;
    struct curl_slist *fields;
    CURL *handle;
    char problem[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void begin_curl(void)
{
    /* It copies tokens and passwords. */
    (void)curl_global_init_mem(CURL_GLOBAL_ALL, malloc, memory_wipe_and_free,
                               memory_wipe_and_resize, strdup, calloc);
}

/* What was set on it is forgotten, its connections are kept. */
static void give_handle(struct http_client *client, CURL *handle)
{
    bool is_kept = false;

    curl_easy_reset(handle);
    (void)pthread_mutex_lock(&client->idle_mutex);
    is_kept = client->idle_count < IDLE_HANDLES_MAX;
    if (is_kept) {
        client->idle[client->idle_count++] = handle;
    }
    (void)pthread_mutex_unlock(&client->idle_mutex);
    if (!is_kept) {
        curl_easy_cleanup(handle);
    }
}

enum error_code http_client_new(const struct http_client_config *config,
                                struct http_client **client_out, struct error *err)
{
    struct http_client *client = NULL;
    CURL *handle = NULL;

    (void)pthread_once(&curl_once, begin_curl);
    handle = curl_easy_init();
    if (!handle) {
        return error_set(err, ERROR_UNAVAILABLE, "libcurl cannot be used");
    }
    client = memory_new(1, sizeof(*client));
    client->config = *config;
    client->ca_file = memory_copy_text(config->ca_file);
    client->user_agent = memory_copy_text(config->user_agent);
    (void)pthread_mutex_init(&client->idle_mutex, NULL);
    give_handle(client, handle);
    *client_out = client;
    return OK;
}

void http_client_free(struct http_client *client)
{
    if (!client) {
        return;
    }
    while (client->idle_count > 0) {
        curl_easy_cleanup(client->idle[--client->idle_count]);
    }
    (void)pthread_mutex_destroy(&client->idle_mutex);
    free(client->ca_file);
    free(client->user_agent);
    free(client);
}

static void reset_answer(const struct outbound_request *request, struct outbound_answer *answer)
{
    if (request->sink) {
        strbuf_clear(request->sink);
    }
    strbuf_clear(&answer->body);
    strbuf_clear(&answer->fields);
    answer->status = 0;
    answer->max_age_s = -1;
    answer->date_s = -1;
}

static CURL *take_handle(struct http_client *client)
{
    CURL *handle = NULL;

    (void)pthread_mutex_lock(&client->idle_mutex);
    if (client->idle_count > 0) {
        handle = client->idle[--client->idle_count];
    }
    (void)pthread_mutex_unlock(&client->idle_mutex);
    return handle ? handle : curl_easy_init();
}

/* `Expect` is left out: it would cost a round trip. */
static struct curl_slist *list_fields(const struct outbound_request *request)
{
    struct curl_slist *fields = curl_slist_append(NULL, "Expect:");
    struct strbuf type;

    for (size_t i = 0; i < HEADERS_MAX && request->headers && request->headers[i]; i++) {
        fields = curl_slist_append(fields, request->headers[i]);
    }
    if (request->content_type) {
        strbuf_init(&type, 256);
        strbuf_append_format(&type, "Content-Type: %s", request->content_type);
        fields = curl_slist_append(fields, type.text);
        strbuf_release(&type);
    }
    return fields;
}

/* Where the body of this answer goes. */
static struct strbuf *body_of(struct transfer *transfer)
{
    struct strbuf *sink = transfer->request->sink;
    long status = 0;

    (void)curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    return sink && status >= 200 && status < 300 ? sink : &transfer->answer->body;
}

static size_t outbound_receive(char *bytes, size_t size, size_t count, void *context)
{
    struct strbuf *body = body_of(context);

    strbuf_append(body, (struct str){bytes, size * count});
    return body->is_truncated ? 0 : size * count;
}

static size_t receive_field(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;

    answer_take_field(transfer->answer, transfer->request->wanted,
                      (struct str){bytes, size * count});
    return size * count;
}

/* Large bodies only: buffers are made anew for each request. */
static void set_buffers(struct transfer *transfer)
{
    const struct outbound_request *request = transfer->request;

    if (request->sink || request->answer_max_bytes > RECEIVE_BUFFER_BYTES) {
        (void)curl_easy_setopt(transfer->handle, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
    }
    if (request->body.length > SEND_BUFFER_BYTES) {
        (void)curl_easy_setopt(transfer->handle, CURLOPT_UPLOAD_BUFFERSIZE,
                               (long)SEND_BUFFER_BYTES);
    }
}

/* Only what the operator named is asked, and signals stay the process's own. */
static void set_safety(struct transfer *transfer)
{
    CURL *handle = transfer->handle;

    (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(handle, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    if (transfer->request->is_direct) {
        (void)curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    }
    (void)curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (transfer->client->ca_file) {
        (void)curl_easy_setopt(handle, CURLOPT_CAINFO, transfer->client->ca_file);
        (void)curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
    }
}

static void set_body(struct transfer *transfer)
{
    const struct outbound_request *request = transfer->request;
    CURL *handle = transfer->handle;

    if (request->body.bytes) {
        (void)curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body.bytes);
        (void)curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)request->body.length);
        (void)curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST,
                               request->method ? request->method : "GET");
    } else if (request->method) {
        (void)curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
        /* Its answer has a length and no body (RFC 9110 9.3.2): curl must know. */
        (void)curl_easy_setopt(handle, CURLOPT_NOBODY,
                               (long)str_is(str_from(request->method), "HEAD"));
    }
}

static void set_credentials(struct transfer *transfer)
{
    const struct outbound_request *request = transfer->request;
    CURL *handle = transfer->handle;

    if (request->user) {
        (void)curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        (void)curl_easy_setopt(handle, CURLOPT_USERNAME, request->user);
        (void)curl_easy_setopt(handle, CURLOPT_PASSWORD, request->password);
    } else if (request->bearer) {
        (void)curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        (void)curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, request->bearer);
    }
}

/* curl counts whole seconds, and bytes in both directions. */
static void set_stall(struct transfer *transfer)
{
    const int64_t stall_ms = transfer->request->stall_ms;

    if (stall_ms > 0) {
        (void)curl_easy_setopt(transfer->handle, CURLOPT_CONNECTTIMEOUT_MS, (long)stall_ms);
        (void)curl_easy_setopt(transfer->handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
        (void)curl_easy_setopt(transfer->handle, CURLOPT_LOW_SPEED_TIME,
                               (long)((stall_ms + MS_PER_SECOND - 1) / MS_PER_SECOND));
    }
}

static void transfer_prepare(struct transfer *transfer, int64_t timeout_ms)
{
    CURL *handle = transfer->handle;

    curl_easy_reset(handle);
    transfer->problem[0] = '\0';
    (void)curl_easy_setopt(handle, CURLOPT_URL, transfer->request->url);
    (void)curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->problem);
    (void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)(timeout_ms > 0 ? timeout_ms : 1));
    (void)curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer->fields);
    (void)curl_easy_setopt(handle, CURLOPT_USERAGENT, transfer->client->user_agent);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, outbound_receive);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, receive_field);
    (void)curl_easy_setopt(handle, CURLOPT_HEADERDATA, transfer);
    set_stall(transfer);
    set_buffers(transfer);
    set_safety(transfer);
    set_body(transfer);
    set_credentials(transfer);
}

/* Whether it may be better the next moment. All that is asked here may be asked twice. */
static bool client_is_retryable(CURLcode result, int status)
{
    switch ((int)result) {
    case CURLE_OK:
        return status == 502 || status == 503;
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return true;
    default:
        return false;
    }
}

static int proxy_status_of(const struct transfer *transfer)
{
    long status = 0;

    if (transfer->answer->status == PROXY_WANTS_LOGIN) {
        return PROXY_WANTS_LOGIN; /* of a request that went through it without a tunnel */
    }
    (void)curl_easy_getinfo(transfer->handle, CURLINFO_HTTP_CONNECTCODE, &status);
    return status >= 300 ? (int)status : 0;
}

static enum error_code transfer_fail(const struct transfer *transfer, CURLcode result,
                                     struct error *err)
{
    const struct http_failure failure = {
        .proxy_status = proxy_status_of(transfer),
        .url = transfer->request->url,
        .result = result,
        .problem = transfer->problem,
        .is_truncated = transfer->answer->body.is_truncated ||
                        (transfer->request->sink && transfer->request->sink->is_truncated),
    };

    return http_failure_set(&failure, err);
}

static enum error_code send_within(struct transfer *transfer, int64_t timeout_ms, struct error *err)
{
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + timeout_ms;
    CURLcode result = CURLE_OK;

    for (int attempt = 1;; attempt++) {
        long status = 0;
        uint8_t chance = 0;
        int64_t left_ms = deadline_ms - clock_monotonic_ms(&clock_system);

        transfer_prepare(transfer, left_ms);
        result = curl_easy_perform(transfer->handle);
        (void)curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
        transfer->answer->status = (int)status;
        random_fill(&chance, sizeof(chance));
        left_ms = deadline_ms - clock_monotonic_ms(&clock_system) - PAUSE_MIN_MS - PAUSE_SPREAD_MS;
        if (attempt == ATTEMPTS_MAX || transfer->request->is_single || left_ms <= 0 ||
            !client_is_retryable(result, (int)status)) {
            break;
        }
        reset_answer(transfer->request, transfer->answer);
        clock_pause(PAUSE_MIN_MS + chance * PAUSE_SPREAD_MS / UINT8_MAX);
    }
    return result == CURLE_OK && transfer->answer->status != PROXY_WANTS_LOGIN
               ? OK
               : transfer_fail(transfer, result, err);
}

enum error_code http_client_send(struct http_client *client, const struct outbound_request *request,
                                 struct outbound_answer *answer_out, struct error *err)
{
    struct transfer transfer = {.client = client, .request = request, .answer = answer_out};
    const int64_t timeout_ms =
        request->timeout_ms > 0 ? request->timeout_ms : client->config.timeout_ms;
    enum error_code code = OK;

    strbuf_init_secret(&answer_out->body, request->answer_max_bytes > 0
                                              ? request->answer_max_bytes
                                              : client->config.answer_max_bytes);
    strbuf_init(&answer_out->fields, FIELDS_MAX_BYTES);
    reset_answer(request, answer_out);
    transfer.handle = take_handle(client);
    if (!transfer.handle) {
        return error_set(err, ERROR_UNAVAILABLE, "libcurl has no memory for a request");
    }
    transfer.fields = list_fields(request);
    code = send_within(&transfer, timeout_ms, err);
    curl_slist_free_all(transfer.fields);
    give_handle(client, transfer.handle);
    if (code) {
        reset_answer(request, answer_out);
    }
    return code;
}
