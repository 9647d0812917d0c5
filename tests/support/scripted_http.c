#include "tests/support/scripted_http.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

struct http_client {
    struct scripted_request request;
    int status;
    const char *body;
};

static void keep(char kept[SCRIPTED_TEXT_BYTES], const char *text)
{
    (void)snprintf(kept, SCRIPTED_TEXT_BYTES, "%s", text ? text : "");
}

struct http_client *scripted_http_new(void)
{
    struct http_client *client = memory_new(1, sizeof(*client));

    client->body = "nobody answers";
    return client;
}

void scripted_http_answer(struct http_client *client, int status, const char *body)
{
    client->status = status;
    client->body = body;
}

const struct scripted_request *scripted_http_request(const struct http_client *client)
{
    return &client->request;
}

enum error_code http_client_new(const struct http_client_config *config,
                                struct http_client **client_out, struct error *err)
{
    (void)config;
    (void)err;
    *client_out = scripted_http_new();
    return OK;
}

void http_client_free(struct http_client *client)
{
    free(client);
}

enum error_code http_client_send(struct http_client *client, const struct outbound_request *request,
                                 struct outbound_answer *answer_out, struct error *err)
{
    struct scripted_request *kept = &client->request;

    kept->count++;
    kept->has_bearer = request->bearer != NULL;
    kept->has_others = request->headers || request->user || request->password;
    keep(kept->method, request->method ? request->method : "GET");
    keep(kept->url, request->url);
    keep(kept->bearer, request->bearer);
    keep(kept->content_type, request->content_type);
    (void)snprintf(kept->body, sizeof(kept->body), "%.*s", STR_FORMAT(request->body));
    *answer_out = (struct outbound_answer){.status = client->status, .max_age_s = -1};
    strbuf_init(&answer_out->body, SCRIPTED_TEXT_BYTES);
    if (client->status == 0) {
        return error_set(err, ERROR_UNAVAILABLE, "%s", client->body);
    }
    strbuf_append_text(&answer_out->body, client->body);
    return OK;
}

void outbound_answer_release(struct outbound_answer *answer)
{
    strbuf_release(&answer->body);
}
