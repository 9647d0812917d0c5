#include "auth/tokeninfo_source.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/token.h"
#include "outbound/url.h"

enum { URL_MAX_BYTES = 256 * 1024 };

struct tokeninfo_source {
    struct identity_source base; /* first */
    struct tokeninfo_config config;
};

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials);
static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err);
static enum error_code ask(const struct tokeninfo_source *source, struct str token,
                           struct outbound_answer *answer, struct error *err);
static enum error_code judge(const struct tokeninfo_source *source, struct str token,
                             const struct outbound_answer *answer, struct identity **identity_out,
                             struct error *err);
static enum error_code read_answer(const struct tokeninfo_source *source, struct str token,
                                   const struct json_value *json, struct identity **identity_out,
                                   struct error *err);
static enum error_code check(struct identity_source *source, struct strbuf *report,
                             struct error *err);
static void free_source(struct identity_source *source);
static const struct tokeninfo_source *of(const struct identity_source *source);

static const struct identity_source_driver driver = {
    .name = "tokeninfo",
    .interest = interest,
    .identify = identify,
    .check = check,
    .free = free_source,
};

struct identity_source *tokeninfo_source_new(const struct tokeninfo_config *config)
{
    struct tokeninfo_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->config = *config;
    return &source->base;
}

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials)
{
    (void)source;
    return credentials->kind == CREDENTIALS_TOKEN ? SOURCE_MAY_KNOW : SOURCE_IGNORES;
}

static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err)
{
    struct outbound_answer answer;
    enum error_code code = ask(of(source), credentials->secret, &answer, err);

    if (!code) {
        code = judge(of(source), credentials->secret, &answer, identity_out, err);
    }
    outbound_answer_release(&answer);
    return code;
}

static enum error_code ask(const struct tokeninfo_source *source, struct str token,
                           struct outbound_answer *answer, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct outbound_request request = {0};

    strbuf_init_secret(&url, URL_MAX_BYTES);
    strbuf_append_text(&url, source->config.url);
    strbuf_append_byte(&url, '?');
    url_append_parameter(&url, "access_token", token);
    request.url = url.text;
    return http_client_send(source->config.client, &request, answer, err);
}

static enum error_code judge(const struct tokeninfo_source *source, struct str token,
                             const struct outbound_answer *answer, struct identity **identity_out,
                             struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = OK;

    if (answer->status >= 400 && answer->status < 500) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the access token is not valid, or expired");
    }
    if (answer->status != 200) {
        return error_set(err, ERROR_UNAVAILABLE, "tokeninfo answers with status %d",
                         answer->status);
    }
    if (json_value_parse(strbuf_str(&answer->body), &json, NULL) || !json_value_is_object(json)) {
        code = error_set(err, ERROR_UNAVAILABLE, "tokeninfo's answer is no JSON object");
    } else {
        code = read_answer(source, token, json, identity_out, err);
    }
    json_value_free(json);
    return code;
}

static enum error_code read_answer(const struct tokeninfo_source *source, struct str token,
                                   const struct json_value *json, struct identity **identity_out,
                                   struct error *err)
{
    const int64_t now_ms = clock_wall_ms(source->config.clock);
    int64_t expires_ms = INT64_MAX;
    int64_t lifetime_ms = 0;

    switch (token_read_time(json, "expires_in", &lifetime_ms)) {
    case TOKEN_TIME_TOLD:
        expires_ms = now_ms + lifetime_ms;
        break;
    case TOKEN_TIME_ABSENT:
        (void)!token_peek_expiry(token, &expires_ms);
        break;
    case TOKEN_TIME_WRONG:
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "tokeninfo tells no time in seconds as the token's expires_in");
    }
    if (expires_ms <= now_ms) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the access token has expired");
    }
    return claims_read(json, &source->config.claims, expires_ms, identity_out, err);
}

static enum error_code check(struct identity_source *source, struct strbuf *report,
                             struct error *err)
{
    struct outbound_answer answer;
    const enum error_code code = ask(of(source), str_from("check"), &answer, err);
    const int status = answer.status;

    outbound_answer_release(&answer);
    if (code) {
        return code;
    }
    if (status != 400 && status != 401 && status != 403) {
        return error_set(err, ERROR_INVALID,
                         "%s answers a made-up token with status %d, not with 400 or 401: is it a "
                         "token info service?",
                         of(source)->config.url, status);
    }
    strbuf_append_format(report, "tokeninfo: %s answers, and refuses a made-up token\n",
                         of(source)->config.url);
    return OK;
}

static void free_source(struct identity_source *source)
{
    free(source);
}

static const struct tokeninfo_source *of(const struct identity_source *source)
{
    return (const struct tokeninfo_source *)source; /* its first member */
}
