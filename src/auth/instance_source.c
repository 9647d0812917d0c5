#include "auth/instance_source.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/json_writer.h"
#include "base/memory.h"

enum {
    TIMEOUT_MS = 2000,
    BODY_MAX_BYTES = 128 * 1024,
    NAME_BYTES = 32,
    FINGERPRINT_LENGTH = 12,
    LIFETIME_MS = 10 * 60 * 1000, /* a document does not say how long it counts */
};

struct instance_source {
    struct identity_source base; /* first */
    struct instance_config config;
};

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials);
static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err);
static enum error_code ask(const struct instance_source *source, struct str document,
                           int *status_out, struct error *err);
static void write_question(struct strbuf *buf, struct str document);
static struct identity *new_identity(const struct instance_source *source, struct str document);
static enum error_code check(struct identity_source *source, struct strbuf *report,
                             struct error *err);
static void free_source(struct identity_source *source);
static const struct instance_source *of(const struct identity_source *source);

static const struct identity_source_driver driver = {
    .name = "iidinfo",
    .interest = interest,
    .identify = identify,
    .check = check,
    .free = free_source,
};

struct identity_source *instance_source_new(const struct instance_config *config)
{
    struct instance_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->config = *config;
    return &source->base;
}

static enum source_interest interest(const struct identity_source *source,
                                     const struct credentials *credentials)
{
    (void)source;
    return credentials->kind == CREDENTIALS_INSTANCE ? SOURCE_MAY_KNOW : SOURCE_IGNORES;
}

static enum error_code identify(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err)
{
    int status = 0;
    const enum error_code code = ask(of(source), credentials->secret, &status, err);

    if (code) {
        return code;
    }
    if (status >= 400 && status < 500) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the instance identity document is not valid");
    }
    if (status != 200) {
        return error_set(err, ERROR_UNAVAILABLE, "iidinfo answers with status %d", status);
    }
    *identity_out = new_identity(of(source), credentials->secret);
    return OK;
}

static enum error_code ask(const struct instance_source *source, struct str document,
                           int *status_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf body;
    struct outbound_answer answer;
    struct outbound_request request = {
        .method = "POST",
        .url = source->config.url,
        .content_type = "application/json",
        .timeout_ms = TIMEOUT_MS,
    };
    enum error_code code = OK;

    write_question(&body, document);
    request.body = strbuf_str(&body);
    code = http_client_send(source->config.client, &request, &answer, err);
    *status_out = answer.status;
    outbound_answer_release(&answer);
    return code;
}

static void write_question(struct strbuf *buf, struct str document)
{
    struct json_writer writer;

    strbuf_init_secret(buf, BODY_MAX_BYTES);
    json_writer_init(&writer, buf);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "iid_signature", document);
    json_writer_end_object(&writer);
}

static struct identity *new_identity(const struct instance_source *source, struct str document)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, document);
    char text[DIGEST_TEXT_BYTES];
    char name[NAME_BYTES];
    struct identity fields = {
        .kind = IDENTITY_INSTANCE,
        .expires_ms = clock_wall_ms(source->config.clock) + LIFETIME_MS,
    };

    digest_format(&digest, text);
    (void)snprintf(name, sizeof(name), "instance-%.*s", FINGERPRINT_LENGTH,
                   text + sizeof("sha256:") - 1);
    fields.name = str_from(name);
    return identity_new(&fields);
}

static enum error_code check(struct identity_source *source, struct strbuf *report,
                             struct error *err)
{
    int status = 0;
    const enum error_code code = ask(of(source), str_from("check"), &status, err);

    if (code) {
        return code;
    }
    if (status < 400 || status >= 500) {
        return error_set(err, ERROR_INVALID,
                         "%s answers a made-up document with status %d, not with 4xx",
                         of(source)->config.url, status);
    }
    strbuf_append_format(report, "iidinfo: %s answers, and refuses a made-up document\n",
                         of(source)->config.url);
    return OK;
}

static void free_source(struct identity_source *source)
{
    free(source);
}

static const struct instance_source *of(const struct identity_source *source)
{
    return (const struct instance_source *)source; /* its first member */
}
