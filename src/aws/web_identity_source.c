#include <stdio.h>

#include "aws/source.h"
#include "outbound/url.h"

enum {
    FORM_MAX_BYTES = 4 * AWS_TOKEN_MAX_BYTES,
    TOKEN_SERVICE_TIMEOUT_MS = 10 * 1000, /* a pull or a push waits for it */
};

/* The token is read each time: who puts it there renews it. */
static enum error_code append_form(const struct aws_credentials_config *config, const char *role,
                                   struct strbuf *form, struct error *err)
{
    const char *file = aws_source_variable(config, "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *session = aws_source_variable(config, "AWS_ROLE_SESSION_NAME");
    struct strbuf token;
    struct error reason = {0};
    enum error_code code = OK;

    strbuf_init_secret(&token, AWS_TOKEN_MAX_BYTES);
    if (aws_source_read_file(file, &token, &reason)) {
        code = error_set(err, ERROR_UNAVAILABLE, "the web identity token %.200s: %s", file,
                         reason.message);
    } else {
        url_append_parameter(form, "Action", str_from("AssumeRoleWithWebIdentity"));
        url_append_parameter(form, "Version", str_from("2011-06-15"));
        url_append_parameter(form, "RoleArn", str_from(role));
        url_append_parameter(form, "RoleSessionName", str_from(session ? session : "pierone"));
        url_append_parameter(form, "WebIdentityToken", aws_source_first_line(&token));
    }
    strbuf_release(&token);
    return code;
}

/* The one of the region: the global one is a single place that may fail. */
static void append_token_service(const struct aws_credentials_config *config, struct strbuf *url)
{
    const char *endpoint = aws_source_variable(config, "AWS_ENDPOINT_URL_STS");

    if (endpoint) {
        strbuf_append_text(url, endpoint);
        return;
    }
    strbuf_append_text(url, "https://sts.");
    url_append_encoded(url, str_from(config->region));
    strbuf_append_text(url, ".amazonaws.com");
    if (str_starts_with(str_from(config->region), "cn-")) {
        strbuf_append_text(url, ".cn");
    }
    strbuf_append_byte(url, '/');
}

static enum error_code read_assumed(const struct outbound_answer *answer,
                                    struct aws_key_copy *copy_out, struct error *err)
{
    const struct str error_name = aws_answer_error_code(strbuf_str(&answer->body));
    struct error reason = {0};

    if (answer->status != AWS_STATUS_OK) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the token service (STS) answered %d %.*s: check AWS_ROLE_ARN, the "
                         "role's trust policy and the token",
                         answer->status, STR_FORMAT(error_name));
    }
    if (aws_answer_read_xml(strbuf_str(&answer->body), copy_out, &reason)) {
        return error_set(err, ERROR_UNAVAILABLE, "the token service (STS): %s", reason.message);
    }
    return OK;
}

static enum error_code assume_role(const struct aws_credentials_config *config, struct str form,
                                   struct aws_key_copy *copy_out, struct error *err)
{
    struct outbound_answer answer = {0};
    struct strbuf url;
    enum error_code code = OK;

    strbuf_init(&url, AWS_SOURCE_URL_MAX_BYTES);
    append_token_service(config, &url);
    code = http_client_send(config->client,
                            &(struct outbound_request){
                                .method = "POST",
                                .url = url.text,
                                .body = form,
                                .content_type = "application/x-www-form-urlencoded",
                                .timeout_ms = TOKEN_SERVICE_TIMEOUT_MS,
                            },
                            &answer, err);
    code = code ? code : read_assumed(&answer, copy_out, err);
    outbound_answer_release(&answer);
    strbuf_release(&url);
    return code;
}

/* STS API reference, AssumeRoleWithWebIdentity. */
enum error_code aws_source_web_identity(const struct aws_credentials_config *config,
                                        struct aws_found *found_out, struct error *err)
{
    const char *file = aws_source_variable(config, "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role = aws_source_variable(config, "AWS_ROLE_ARN");
    struct strbuf form;
    enum error_code code = OK;

    if (!file) {
        return error_set(err, ERROR_NOT_FOUND, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    }
    if (!role) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "AWS_WEB_IDENTITY_TOKEN_FILE is set: set AWS_ROLE_ARN, too");
    }
    strbuf_init_secret(&form, FORM_MAX_BYTES);
    code = append_form(config, role, &form, err);
    code = code ? code : assume_role(config, strbuf_str(&form), &found_out->copy, err);
    strbuf_release(&form);
    if (!code) {
        (void)snprintf(found_out->origin, sizeof(found_out->origin),
                       "the role %.100s for the web identity in %.100s", role, file);
    }
    return code;
}
