#include <stdio.h>
#include <string.h>

#include "aws/source.h"
#include "outbound/url.h"

enum {
    HEADER_MAX_BYTES = AWS_TOKEN_MAX_BYTES + 64,
    ROLE_MAX_BYTES = 64, /* IAM's own limit */
    STATUS_NOT_FOUND = 404,
};

static void append_metadata_service(const struct aws_credentials_config *config,
                                    struct strbuf *url);
static enum error_code begin_session(const struct aws_credentials_config *config, const char *base,
                                     struct strbuf *header, struct error *err);
static enum error_code ask_role(const struct aws_credentials_config *config, const char *base,
                                const struct strbuf *header, struct aws_found *found_out,
                                struct error *err);
static bool is_role_name(struct str name);
static enum error_code ask_role_keys(const struct aws_credentials_config *config,
                                     const struct outbound_request *list, struct str role,
                                     struct aws_found *found_out, struct error *err);

/* "Use the Instance Metadata Service", version 2, User Guide of Amazon EC2. */
enum error_code aws_source_instance(const struct aws_credentials_config *config,
                                    struct aws_found *found_out, struct error *err)
{
    const char *disabled = aws_source_variable(config, "AWS_EC2_METADATA_DISABLED");
    struct strbuf base;
    struct strbuf header;
    enum error_code code = OK;

    if (disabled && str_is_ignoring_case(str_from(disabled), "true")) {
        return error_set(err, ERROR_NOT_FOUND, "AWS_EC2_METADATA_DISABLED is true");
    }
    strbuf_init(&base, AWS_SOURCE_URL_MAX_BYTES);
    strbuf_init_secret(&header, HEADER_MAX_BYTES);
    append_metadata_service(config, &base);
    code = begin_session(config, base.text, &header, err);
    code = code ? code : ask_role(config, base.text, &header, found_out, err);
    strbuf_release(&header);
    strbuf_release(&base);
    return code;
}

static void append_metadata_service(const struct aws_credentials_config *config, struct strbuf *url)
{
    const char *endpoint = aws_source_variable(config, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = aws_source_variable(config, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    struct str base = str_from("http://169.254.169.254");

    if (endpoint) {
        base = str_from(endpoint);
    } else if (mode && str_is_ignoring_case(str_from(mode), "IPv6")) {
        base = str_from("http://[fd00:ec2::254]");
    }
    strbuf_append(url, str_slice(base, 0, base.length - (str_ends_with(base, "/") ? 1 : 0)));
}

/* Makes the header with the session's token. The first request: that nobody answers it means that
 * this is no instance. */
static enum error_code begin_session(const struct aws_credentials_config *config, const char *base,
                                     struct strbuf *header, struct error *err)
{
    static const char *const headers[] = {"X-aws-ec2-metadata-token-ttl-seconds: 300", NULL};
    struct outbound_answer answer = {0};
    struct strbuf url;
    enum error_code code = OK;

    strbuf_init(&url, AWS_SOURCE_URL_MAX_BYTES);
    strbuf_append_format(&url, "%s/latest/api/token", base);
    code = http_client_send(config->client,
                            &(struct outbound_request){.method = "PUT",
                                                       .url = url.text,
                                                       .headers = headers,
                                                       .timeout_ms = AWS_LINK_LOCAL_TIMEOUT_MS,
                                                       .is_direct = true},
                            &answer, err);
    if (code) {
        code = ERROR_NOT_FOUND;
    } else if (answer.status != AWS_STATUS_OK ||
               !aws_source_is_header_value(aws_source_first_line(&answer.body))) {
        code = error_set(err, ERROR_UNAVAILABLE,
                         "the instance metadata service gave no session token (status %d)",
                         answer.status);
    } else {
        strbuf_append_text(header, "X-aws-ec2-metadata-token: ");
        strbuf_append(header, aws_source_first_line(&answer.body));
    }
    outbound_answer_release(&answer);
    strbuf_release(&url);
    return code;
}

static enum error_code ask_role(const struct aws_credentials_config *config, const char *base,
                                const struct strbuf *header, struct aws_found *found_out,
                                struct error *err)
{
    const char *const headers[] = {header->text, NULL};
    struct outbound_answer answer = {0};
    struct outbound_request request = {
        .headers = headers, .timeout_ms = AWS_LINK_LOCAL_TIMEOUT_MS, .is_direct = true};
    struct strbuf url;
    enum error_code code = OK;

    strbuf_init(&url, AWS_SOURCE_URL_MAX_BYTES);
    strbuf_append_format(&url, "%s/latest/meta-data/iam/security-credentials/", base);
    request.url = url.text;
    code = http_client_send(config->client, &request, &answer, err);
    if (!code && answer.status == STATUS_NOT_FOUND) {
        code = error_set(err, ERROR_NOT_FOUND, "this instance has no role: attach one");
    } else if (!code && (answer.status != AWS_STATUS_OK ||
                         !is_role_name(aws_source_first_line(&answer.body)))) {
        code = error_set(err, ERROR_UNAVAILABLE,
                         "the instance metadata service named no role (status %d)", answer.status);
    }
    code =
        code ? code
             : ask_role_keys(config, &request, aws_source_first_line(&answer.body), found_out, err);
    outbound_answer_release(&answer);
    strbuf_release(&url);
    return code;
}

/* IAM's rule for the names of roles. */
static bool is_role_name(struct str name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-";

    for (size_t i = 0; i < name.length; i++) {
        if (!memchr(allowed, name.bytes[i], sizeof(allowed) - 1)) {
            return false;
        }
    }
    return name.length > 0 && name.length <= ROLE_MAX_BYTES;
}

static enum error_code ask_role_keys(const struct aws_credentials_config *config,
                                     const struct outbound_request *list, struct str role,
                                     struct aws_found *found_out, struct error *err)
{
    struct outbound_request request = *list;
    struct strbuf url;
    enum error_code code = OK;

    strbuf_init(&url, AWS_SOURCE_URL_MAX_BYTES);
    strbuf_append_text(&url, list->url);
    url_append_encoded(&url, role);
    request.url = url.text;
    code = aws_source_ask_keys(config, &request, "the instance metadata service", &found_out->copy,
                               err);
    strbuf_release(&url);
    if (!code) {
        (void)snprintf(found_out->place, sizeof(found_out->place),
                       "the role %.*s of this instance (instance metadata)", STR_FORMAT(role));
    }
    return code;
}
