/*
 * The services of STUPS that know identities: tokeninfo, and iidinfo for machines. Each is asked
 * about what a client presents; a refusal (4xx) is its no, all else but 200 leaves it open.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/sources.h"
#include "base/digest.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/token.h"
#include "outbound/url.h"

enum {
    URL_MAX_BYTES = 256 * 1024,
    INSTANCE_TIMEOUT_MS = 2000,
    INSTANCE_BODY_MAX_BYTES = 128 * 1024,
    INSTANCE_NAME_BYTES = 32,
    INSTANCE_FINGERPRINT_LENGTH = 12,
    INSTANCE_LIFETIME_MS = 10 * 60 * 1000, /* a document does not say how long it counts */
};

struct tokeninfo {
    struct identity_source base; /* first */
    struct tokeninfo_config config;
};

struct instance {
    struct identity_source base; /* first */
    struct instance_config config;
};

/* `invalid` says what a refused credential is; `who` begins a message. */
static enum error_code judge_status(int status, const char *invalid, const char *who,
                                    struct error *err)
{
    if (status >= 400 && status < 500) {
        return error_set(err, ERROR_UNAUTHENTICATED, "%s", invalid);
    }
    return status == 200
               ? OK
               : error_set(err, ERROR_UNAVAILABLE, "%s answers with status %d", who, status);
}

static void stups_free(struct identity_source *base)
{
    free(base);
}

static const struct tokeninfo *tokeninfo_of(const struct identity_source *base)
{
    return (const struct tokeninfo *)base; /* its first member */
}

static enum source_interest tokeninfo_interest(const struct identity_source *base,
                                               const struct credentials *credentials)
{
    (void)base;
    return credentials->kind == CREDENTIALS_TOKEN ? SOURCE_MAY_KNOW : SOURCE_IGNORES;
}

static enum error_code tokeninfo_ask(const struct tokeninfo *tokeninfo, struct str token,
                                     struct outbound_answer *answer, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct outbound_request request = {0};

    strbuf_init_secret(&url, URL_MAX_BYTES);
    strbuf_append_text(&url, tokeninfo->config.url);
    strbuf_append_byte(&url, '?');
    url_append_parameter(&url, "access_token", token);
    request.url = url.text;
    return http_client_send(tokeninfo->config.client, &request, answer, err);
}

static enum error_code tokeninfo_read(const struct tokeninfo *tokeninfo, struct str token,
                                      const struct json_value *json, struct identity **identity_out,
                                      struct error *err)
{
    const int64_t now_ms = clock_wall_ms(tokeninfo->config.clock);
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
    return claims_read(json, &tokeninfo->config.claims, expires_ms, identity_out, err);
}

static enum error_code tokeninfo_identify(struct identity_source *base,
                                          const struct credentials *credentials,
                                          struct identity **identity_out, struct error *err)
{
    const struct str token = credentials->secret;
    struct json_value *json = NULL;
    struct outbound_answer answer;
    enum error_code code = tokeninfo_ask(tokeninfo_of(base), token, &answer, err);

    if (!code) {
        code = judge_status(answer.status, "the access token is not valid, or expired", "tokeninfo",
                            err);
    }
    if (!code && json_value_parse_object(strbuf_str(&answer.body), &json, NULL)) {
        code = error_set(err, ERROR_UNAVAILABLE, "tokeninfo's answer is no JSON object");
    }
    if (!code) {
        code = tokeninfo_read(tokeninfo_of(base), token, json, identity_out, err);
    }
    json_value_free(json);
    outbound_answer_release(&answer);
    return code;
}

static enum error_code tokeninfo_check(struct identity_source *base, struct strbuf *report,
                                       struct error *err)
{
    const char *const url = tokeninfo_of(base)->config.url;
    struct outbound_answer answer;
    const enum error_code code = tokeninfo_ask(tokeninfo_of(base), str_from("check"), &answer, err);
    const int status = answer.status;

    outbound_answer_release(&answer);
    if (code) {
        return code;
    }
    if (status != 400 && status != 401 && status != 403) {
        return error_set(err, ERROR_INVALID,
                         "%s answers a made-up token with status %d, not with 400 or 401: is it a "
                         "token info service?",
                         url, status);
    }
    strbuf_append_format(report, "tokeninfo: %s answers, and refuses a made-up token\n", url);
    return OK;
}

static const struct identity_source_driver tokeninfo_driver = {
    .name = "tokeninfo",
    .interest = tokeninfo_interest,
    .identify = tokeninfo_identify,
    .check = tokeninfo_check,
    .free = stups_free,
};

struct identity_source *tokeninfo_source_new(const struct tokeninfo_config *config)
{
    struct tokeninfo *tokeninfo = memory_new(1, sizeof(*tokeninfo));

    assert(config->url);
    assert(config->client);
    *tokeninfo = (struct tokeninfo){{&tokeninfo_driver}, *config};
    return &tokeninfo->base;
}

static const struct instance *instance_of(const struct identity_source *base)
{
    return (const struct instance *)base; /* its first member */
}

static enum source_interest instance_interest(const struct identity_source *base,
                                              const struct credentials *credentials)
{
    (void)base;
    return credentials->kind == CREDENTIALS_INSTANCE ? SOURCE_MAY_KNOW : SOURCE_IGNORES;
}

static void write_document_question(struct strbuf *buf, struct str document)
{
    struct json_writer writer;

    strbuf_init_secret(buf, INSTANCE_BODY_MAX_BYTES);
    json_writer_init(&writer, buf);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "iid_signature", document);
    json_writer_end_object(&writer);
}

static enum error_code instance_ask(const struct instance *instance, struct str document,
                                    int *status_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf body;
    struct outbound_answer answer;
    struct outbound_request request = {
        .method = "POST",
        .url = instance->config.url,
        .content_type = "application/json",
        .timeout_ms = INSTANCE_TIMEOUT_MS,
    };
    enum error_code code = OK;

    write_document_question(&body, document);
    request.body = strbuf_str(&body);
    code = http_client_send(instance->config.client, &request, &answer, err);
    *status_out = answer.status;
    outbound_answer_release(&answer);
    return code;
}

static struct identity *instance_identity(const struct instance *instance, struct str document)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, document);
    char text[DIGEST_TEXT_BYTES];
    char name[INSTANCE_NAME_BYTES];
    struct identity fields = {
        .kind = IDENTITY_INSTANCE,
        .expires_ms = clock_wall_ms(instance->config.clock) + INSTANCE_LIFETIME_MS,
    };

    digest_format(&digest, text);
    (void)snprintf(name, sizeof(name), "instance-%.*s", INSTANCE_FINGERPRINT_LENGTH,
                   text + sizeof("sha256:") - 1);
    fields.name = str_from(name);
    return identity_new(&fields);
}

static enum error_code instance_identify(struct identity_source *base,
                                         const struct credentials *credentials,
                                         struct identity **identity_out, struct error *err)
{
    int status = 0;
    enum error_code code = instance_ask(instance_of(base), credentials->secret, &status, err);

    if (!code) {
        code = judge_status(status, "the instance identity document is not valid", "iidinfo", err);
    }
    if (!code) {
        *identity_out = instance_identity(instance_of(base), credentials->secret);
    }
    return code;
}

static enum error_code instance_check(struct identity_source *base, struct strbuf *report,
                                      struct error *err)
{
    const char *const url = instance_of(base)->config.url;
    int status = 0;
    const enum error_code code = instance_ask(instance_of(base), str_from("check"), &status, err);

    if (code) {
        return code;
    }
    if (status < 400 || status >= 500) {
        return error_set(err, ERROR_INVALID,
                         "%s answers a made-up document with status %d, not with 4xx", url, status);
    }
    strbuf_append_format(report, "iidinfo: %s answers, and refuses a made-up document\n", url);
    return OK;
}

static const struct identity_source_driver instance_driver = {
    .name = "iidinfo",
    .interest = instance_interest,
    .identify = instance_identify,
    .check = instance_check,
    .free = stups_free,
};

struct identity_source *instance_source_new(const struct instance_config *config)
{
    struct instance *instance = memory_new(1, sizeof(*instance));

    assert(config->url);
    assert(config->client);
    *instance = (struct instance){{&instance_driver}, *config};
    return &instance->base;
}
