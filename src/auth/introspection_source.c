#include <pthread.h>
#include <stdlib.h>

#include "auth/sources.h"
#include "base/memory.h"
#include "base/token.h"
#include "outbound/url.h"

enum {
    FORM_MAX_BYTES = 256 * 1024,
    TOKEN_MAX_BYTES = 64 * 1024,
    RENEW_BEFORE_MS = 30 * 1000,
    TOKEN_LIFETIME_MS = 60 * 1000, /* of one that does not say */
};

struct introspection_source {
    struct identity_source base; /* first */
    struct introspection_config config;
    pthread_mutex_t token_mutex; /* guards token and token_ends_ms */
    struct strbuf token;         /* of our own, where Basic is not wanted */
    int64_t token_ends_ms;       /* monotonic */
};

static enum source_interest introspection_interest(const struct identity_source *base,
                                                   const struct credentials *credentials)
{
    (void)base;
    return credentials->kind == CREDENTIALS_TOKEN ? SOURCE_MAY_KNOW : SOURCE_IGNORES;
}

static void copy_token(struct introspection_source *source, struct strbuf *token_out)
{
    const int64_t now_ms = clock_monotonic_ms(source->config.clock);

    (void)pthread_mutex_lock(&source->token_mutex);
    if (now_ms < source->token_ends_ms) {
        strbuf_append(token_out, strbuf_str(&source->token));
    }
    (void)pthread_mutex_unlock(&source->token_mutex);
}

static void keep_token(struct introspection_source *source, struct str token, int64_t lifetime_ms)
{
    const int64_t now_ms = clock_monotonic_ms(source->config.clock);

    (void)pthread_mutex_lock(&source->token_mutex);
    strbuf_clear(&source->token);
    strbuf_append(&source->token, token);
    source->token_ends_ms = now_ms + lifetime_ms - RENEW_BEFORE_MS;
    (void)pthread_mutex_unlock(&source->token_mutex);
}

static enum error_code introspection_read_token(struct introspection_source *source,
                                                const struct outbound_answer *answer,
                                                struct strbuf *token_out, struct error *err)
{
    struct json_value *json = NULL;
    struct str token = {0};
    int64_t lifetime_ms = TOKEN_LIFETIME_MS;

    if (answer->status == 200 && !json_value_parse(strbuf_str(&answer->body), &json, NULL)) {
        token = json_value_member_string(json, "access_token");
    }
    (void)!token_read_time(json, "expires_in", &lifetime_ms);
    strbuf_append(token_out, token);
    keep_token(source, token, lifetime_ms);
    json_value_free(json);
    if (token_out->length > 0) {
        return OK;
    }
    return error_set(err, ERROR_UNAVAILABLE,
                     "%s gives the client %s no token (status %d): see "
                     "auth.introspection.client_id, client_secret and token_scope",
                     source->config.token_url, source->config.client_id, answer->status);
}

/* Client credentials grant (RFC 6749 4.4). */
static enum error_code introspection_get_token(struct introspection_source *source,
                                               struct strbuf *token_out, struct error *err)
{
    const struct introspection_config *config = &source->config;
    CLEANUP(strbuf_release) struct strbuf form;
    struct outbound_answer answer;
    struct outbound_request request = {
        .method = "POST",
        .url = config->token_url,
        .user = config->client_id,
        .password = config->client_secret,
        .content_type = "application/x-www-form-urlencoded",
    };
    enum error_code code = OK;

    strbuf_init(&form, FORM_MAX_BYTES);
    url_append_parameter(&form, "grant_type", str_from("client_credentials"));
    if (config->token_scope) {
        url_append_parameter(&form, "scope", str_from(config->token_scope));
    }
    request.body = strbuf_str(&form);
    code = http_client_send(config->client, &request, &answer, err);
    if (!code) {
        code = introspection_read_token(source, &answer, token_out, err);
    }
    outbound_answer_release(&answer);
    return code;
}

static enum error_code need_token(struct introspection_source *source, bool is_renewed,
                                  struct strbuf *token_out, struct error *err)
{
    if (!is_renewed) {
        copy_token(source, token_out);
    }
    return token_out->length > 0 ? OK : introspection_get_token(source, token_out, err);
}

static enum error_code introspection_ask(struct introspection_source *source, struct str token,
                                         bool is_renewed, struct outbound_answer *answer,
                                         struct error *err)
{
    const struct introspection_config *config = &source->config;
    CLEANUP(strbuf_release) struct strbuf form;
    CLEANUP(strbuf_release) struct strbuf bearer;
    struct outbound_request request = {
        .method = "POST",
        .url = config->url,
        .content_type = "application/x-www-form-urlencoded",
    };
    enum error_code code = OK;

    *answer = (struct outbound_answer){0};
    strbuf_init(&answer->body, 0);
    strbuf_init_secret(&form, FORM_MAX_BYTES);
    strbuf_init_secret(&bearer, TOKEN_MAX_BYTES);
    url_append_parameter(&form, "token", token);
    request.body = strbuf_str(&form);
    if (config->token_url) {
        code = need_token(source, is_renewed, &bearer, err);
        request.bearer = bearer.text;
    } else {
        request.user = config->client_id;
        request.password = config->client_secret;
    }
    return code ? code : http_client_send(config->client, &request, answer, err);
}

static bool is_refused(int status)
{
    return status == 401 || status == 403;
}

static enum error_code introspection_read_answer(const struct outbound_answer *answer,
                                                 struct json_value **json_out, struct error *err)
{
    if (is_refused(answer->status)) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the introspection endpoint refuses the registry's own client (status "
                         "%d): see auth.introspection.client_id and client_secret",
                         answer->status);
    }
    if (answer->status != 200) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the introspection endpoint answers with status %d", answer->status);
    }
    if (json_value_parse(strbuf_str(&answer->body), json_out, NULL)) {
        return error_set(err, ERROR_UNAVAILABLE, "the introspection endpoint's answer is no JSON");
    }
    return OK;
}

static enum error_code introspect(struct introspection_source *source, struct str token,
                                  struct json_value **json_out, struct error *err)
{
    struct outbound_answer answer;
    enum error_code code = introspection_ask(source, token, false, &answer, err);

    if (!code && is_refused(answer.status) && source->config.token_url) {
        outbound_answer_release(&answer);
        code = introspection_ask(source, token, true, &answer, err);
    }
    if (!code) {
        code = introspection_read_answer(&answer, json_out, err);
    }
    outbound_answer_release(&answer);
    return code;
}

static struct introspection_source *introspection_of(struct identity_source *base)
{
    return (struct introspection_source *)base; /* its first member */
}

static enum error_code introspection_judge(const struct introspection_source *source,
                                           struct str token, const struct json_value *json,
                                           struct identity **identity_out, struct error *err)
{
    const int64_t now_ms = clock_wall_ms(source->config.clock);
    int64_t expires_ms = INT64_MAX;
    const enum token_time exp = token_read_time(json, "exp", &expires_ms);

    if (!json_value_member(json, "active")) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the introspection endpoint does not say whether the token is active");
    }
    if (!json_value_is_true(json_value_member(json, "active"))) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the access token is not valid, or expired");
    }
    if (exp == TOKEN_TIME_WRONG) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "the introspection endpoint tells no readable time of expiry");
    }
    if (exp == TOKEN_TIME_ABSENT) {
        (void)!token_peek_expiry(token, &expires_ms);
    }
    if (expires_ms <= now_ms) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the access token has expired");
    }
    if (source->config.audience && !claims_are_for(json, source->config.audience)) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the access token is for another audience");
    }
    return claims_read(json, &source->config.claims, expires_ms, identity_out, err);
}

static enum error_code introspection_identify(struct identity_source *base,
                                              const struct credentials *credentials,
                                              struct identity **identity_out, struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = introspect(introspection_of(base), credentials->secret, &json, err);

    if (!code) {
        code = introspection_judge(introspection_of(base), credentials->secret, json, identity_out,
                                   err);
    }
    json_value_free(json);
    return code;
}

static enum error_code introspection_check(struct identity_source *base, struct strbuf *report,
                                           struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = introspect(introspection_of(base), str_from("check"), &json, err);

    if (!code && !json_value_member(json, "active")) {
        code = error_set(err, ERROR_INVALID,
                         "%s does not say whether a token is active: is it an introspection "
                         "endpoint (RFC 7662)?",
                         introspection_of(base)->config.url);
    }
    if (!code && json_value_is_true(json_value_member(json, "active"))) {
        code = error_set(err, ERROR_INVALID, "%s calls a made-up token active",
                         introspection_of(base)->config.url);
    }
    if (!code) {
        strbuf_append_format(report, "introspection: %s answers client %s\n",
                             introspection_of(base)->config.url,
                             introspection_of(base)->config.client_id);
    }
    json_value_free(json);
    return code;
}

static void introspection_free(struct identity_source *base)
{
    (void)pthread_mutex_destroy(&introspection_of(base)->token_mutex);
    strbuf_release(&introspection_of(base)->token);
    free(base);
}

static const struct identity_source_driver driver = {
    .name = "introspection",
    .interest = introspection_interest,
    .identify = introspection_identify,
    .check = introspection_check,
    .free = introspection_free,
};

struct identity_source *introspection_source_new(const struct introspection_config *config)
{
    struct introspection_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->config = *config;
    (void)pthread_mutex_init(&source->token_mutex, NULL);
    strbuf_init_secret(&source->token, TOKEN_MAX_BYTES);
    return &source->base;
}
