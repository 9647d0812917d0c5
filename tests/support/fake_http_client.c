#include "tests/support/fake_http_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BODY_MAX_BYTES = 1024 * 1024 };

struct scripted {
    char *url;
    char *body;
    int status;
    int64_t max_age_s;
    unsigned count;
};

struct http_client {
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    struct scripted answers[FAKE_HTTP_ANSWERS];
    size_t answer_count;
    int other_status;
    const char *other_body;
    struct fake_http_request request;
    unsigned waiting;
    bool is_held;
};

enum error_code http_client_new(const struct http_client_config *config,
                                struct http_client **client_out, struct error *err)
{
    (void)config;
    (void)err;
    *client_out = fake_http_client_new();
    return OK;
}

struct http_client *fake_http_client_new(void)
{
    struct http_client *client = memory_new(1, sizeof(*client));

    (void)pthread_mutex_init(&client->mutex, NULL);
    (void)pthread_cond_init(&client->changed, NULL);
    client->other_body = "nobody answers";
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client) {
        return;
    }
    for (size_t i = 0; i < client->answer_count; i++) {
        free(client->answers[i].url);
        free(client->answers[i].body);
    }
    (void)pthread_cond_destroy(&client->changed);
    (void)pthread_mutex_destroy(&client->mutex);
    free(client);
}

static struct scripted *find(struct http_client *client, const char *url)
{
    for (size_t i = 0; i < client->answer_count; i++) {
        if (strcmp(client->answers[i].url, url) == 0) {
            return &client->answers[i];
        }
    }
    return NULL;
}

void fake_http_client_answer(struct http_client *client, const char *url, int status,
                             const char *body, int64_t max_age_s)
{
    struct scripted *answer = NULL;

    (void)pthread_mutex_lock(&client->mutex);
    answer = find(client, url);
    if (!answer) {
        if (client->answer_count == FAKE_HTTP_ANSWERS) {
            abort();
        }
        answer = &client->answers[client->answer_count++];
        answer->url = memory_copy_text(url);
    }
    free(answer->body);
    answer->body = memory_copy_text(body);
    answer->status = status;
    answer->max_age_s = max_age_s;
    (void)pthread_mutex_unlock(&client->mutex);
}

void fake_http_client_answer_all(struct http_client *client, int status, const char *body)
{
    (void)pthread_mutex_lock(&client->mutex);
    client->other_status = status;
    client->other_body = body;
    (void)pthread_mutex_unlock(&client->mutex);
}

const struct fake_http_request *fake_http_client_request(const struct http_client *client)
{
    return &client->request;
}

unsigned fake_http_client_count(struct http_client *client, const char *url)
{
    const struct scripted *answer = NULL;
    unsigned count = 0;

    (void)pthread_mutex_lock(&client->mutex);
    answer = url ? find(client, url) : NULL;
    if (answer) {
        count = answer->count;
    } else if (!url) {
        count = client->request.count;
    }
    (void)pthread_mutex_unlock(&client->mutex);
    return count;
}

void fake_http_client_hold(struct http_client *client, bool is_held)
{
    (void)pthread_mutex_lock(&client->mutex);
    client->is_held = is_held;
    (void)pthread_cond_broadcast(&client->changed);
    (void)pthread_mutex_unlock(&client->mutex);
}

void fake_http_client_wait_for_request(struct http_client *client)
{
    (void)pthread_mutex_lock(&client->mutex);
    while (client->waiting == 0) {
        (void)pthread_cond_wait(&client->changed, &client->mutex);
    }
    (void)pthread_mutex_unlock(&client->mutex);
}

/* With the mutex held, which it gives away while it waits. */
static void wait_while_held(struct http_client *client)
{
    client->waiting++;
    (void)pthread_cond_broadcast(&client->changed);
    while (client->is_held) {
        (void)pthread_cond_wait(&client->changed, &client->mutex);
    }
    client->waiting--;
}

static void keep_text(char kept[FAKE_HTTP_TEXT_BYTES], const char *text)
{
    (void)snprintf(kept, FAKE_HTTP_TEXT_BYTES, "%s", text ? text : "");
}

static void keep_request(struct http_client *client, const struct outbound_request *request)
{
    struct fake_http_request *kept = &client->request;

    kept->count++;
    kept->has_bearer = request->bearer != NULL;
    kept->has_others = request->headers || request->user || request->password;
    kept->timeout_ms = request->timeout_ms;
    keep_text(kept->method, request->method ? request->method : "GET");
    keep_text(kept->url, request->url);
    keep_text(kept->bearer, request->bearer);
    keep_text(kept->content_type, request->content_type);
    (void)snprintf(kept->body, sizeof(kept->body), "%.*s", STR_FORMAT(request->body));
}

enum error_code http_client_send(struct http_client *client, const struct outbound_request *request,
                                 struct outbound_answer *answer_out, struct error *err)
{
    struct scripted *answer = NULL;
    const char *body = NULL;
    enum error_code code = OK;

    *answer_out = (struct outbound_answer){.max_age_s = -1};
    strbuf_init(&answer_out->fields, 0);
    strbuf_init(&answer_out->body, BODY_MAX_BYTES);
    (void)pthread_mutex_lock(&client->mutex);
    wait_while_held(client);
    keep_request(client, request);
    answer = find(client, request->url);
    answer_out->status = answer ? answer->status : client->other_status;
    body = answer ? answer->body : client->other_body;
    if (answer) {
        answer->count++;
        answer_out->max_age_s = answer->max_age_s;
    }
    if (answer_out->status == 0) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s", answer ? "nobody answers" : body);
    } else {
        strbuf_append_text(&answer_out->body, body);
    }
    (void)pthread_mutex_unlock(&client->mutex);
    return code;
}
