/*
 * The roles that AWS gives to a container and to an instance. Keys for them come from services that
 * are near: at addresses that are the same everywhere, or that the environment tells.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "aws/source.h"
#include "outbound/url.h"

enum {
    HEADER_MAX_BYTES = AWS_TOKEN_MAX_BYTES + 64,
    HOST_MAX_BYTES = 64,
    ROLE_MAX_BYTES = 64, /* IAM's own limit */
    STATUS_NOT_FOUND = 404,
};

static bool is_near_address6(struct str host)
{
    char text[HOST_MAX_BYTES];
    struct in6_addr address;
    struct in6_addr pod;

    (void)snprintf(text, sizeof(text), "%.*s", STR_FORMAT(host));
    return inet_pton(AF_INET6, text, &address) == 1 &&
           inet_pton(AF_INET6, "fd00:ec2::23", &pod) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&address) || IN6_ARE_ADDR_EQUAL(&address, &pod));
}

static bool is_near_host(struct str host)
{
    char text[HOST_MAX_BYTES];
    struct in_addr address;

    (void)snprintf(text, sizeof(text), "%.*s", STR_FORMAT(host));
    return str_is(host, "localhost") || str_is(host, "169.254.170.2") ||
           str_is(host, "169.254.170.23") ||
           (inet_pton(AF_INET, text, &address) == 1 &&
            ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET);
}

/* Of `HOST`, `HOST:PORT` and `[ADDRESS]:PORT`, which leaves no room for a user (RFC 3986 3.2). */
static bool is_near(struct str authority)
{
    const bool is_bracketed = str_starts_with(authority, "[");
    const size_t end = str_index_of(authority, is_bracketed ? ']' : ':');
    const struct str port = str_from_index(authority, is_bracketed ? end + 1 : end);
    uint64_t number = 0;

    if (port.length > 0 &&
        (port.bytes[0] != ':' || !str_parse_uint64(str_from_index(port, 1), &number))) {
        return false;
    }
    return is_bracketed ? end < authority.length && is_near_address6(str_slice(authority, 1, end))
                        : is_near_host(str_slice(authority, 0, end));
}

/* Without TLS, keys come from this machine or its host only. */
static bool may_be_asked(struct str url)
{
    struct str authority = str_from_index(url, sizeof("http://") - 1);

    if (str_starts_with(url, "https://")) {
        return true;
    }
    authority = str_slice(authority, 0, str_index_of(authority, '/'));
    authority = str_slice(authority, 0, str_index_of(authority, '?'));
    authority = str_slice(authority, 0, str_index_of(authority, '#'));
    return str_starts_with(url, "http://") && is_near(authority);
}

static enum error_code append_container_url(const struct aws_credentials_config *config,
                                            struct strbuf *url, struct error *err)
{
    const char *relative = aws_source_variable(config, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_source_variable(config, "AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (!relative && !full) {
        return error_set(err, ERROR_NOT_FOUND, "AWS_CONTAINER_CREDENTIALS_FULL_URI is not set");
    }
    if (relative && relative[0] != '/') {
        return error_set(err, ERROR_UNAVAILABLE,
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with a slash");
    }
    if (!relative && !may_be_asked(str_from(full))) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI must be of https, or of http at "
                         "localhost, 169.254.170.2, 169.254.170.23 or fd00:ec2::23");
    }
    strbuf_append_text(url, relative ? "http://169.254.170.2" : full);
    strbuf_append_text(url, relative ? relative : "");
    return url->is_truncated ? error_set(err, ERROR_UNAVAILABLE,
                                         "the address of the container's credentials is too long")
                             : OK;
}

static enum error_code append_authorization(const struct aws_credentials_config *config,
                                            struct strbuf *header, struct error *err)
{
    const char *file = aws_source_variable(config, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = aws_source_variable(config, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct strbuf text;
    struct error reason = {0};
    enum error_code code = OK;

    if (!file && !token) {
        return OK;
    }
    strbuf_init_secret(&text, AWS_TOKEN_MAX_BYTES);
    if (file && aws_source_read_file(file, &text, &reason)) {
        code = error_set(err, ERROR_UNAVAILABLE, "the container's token %.200s: %s", file,
                         reason.message);
    } else if (!file) {
        strbuf_append_text(&text, token);
    }
    if (!code && (text.is_truncated || !aws_source_is_header_value(aws_source_first_line(&text)))) {
        code = error_set(err, ERROR_UNAVAILABLE,
                         "the container's authorization token is empty, too long, or no text");
    }
    strbuf_append_text(header, "Authorization: ");
    strbuf_append(header, aws_source_first_line(&text));
    strbuf_release(&text);
    return code;
}

/* "Container credential provider", AWS SDKs and Tools Reference Guide. The address is not shown:
 * who knows it may ask, too. */
enum error_code aws_source_container(const struct aws_credentials_config *config,
                                     struct aws_found *found_out, struct error *err)
{
    const char *headers[] = {"Accept: application/json", NULL, NULL};
    struct strbuf url;
    struct strbuf header;
    enum error_code code = OK;

    strbuf_init_secret(&url, AWS_SOURCE_URL_MAX_BYTES);
    strbuf_init_secret(&header, HEADER_MAX_BYTES);
    code = append_container_url(config, &url, err);
    code = code ? code : append_authorization(config, &header, err);
    if (!code) {
        headers[1] = header.length > 0 ? header.text : NULL;
        code =
            aws_source_ask_keys(config,
                                &(struct outbound_request){.url = url.text,
                                                           .headers = headers,
                                                           .timeout_ms = AWS_LINK_LOCAL_TIMEOUT_MS,
                                                           .is_direct = true},
                                "the container's credentials service", &found_out->copy, err);
    }
    if (!code) {
        (void)snprintf(found_out->origin, sizeof(found_out->origin),
                       "the role of this container (its credentials service)");
    }
    strbuf_release(&header);
    strbuf_release(&url);
    return code;
}

static void append_instance_service(const struct aws_credentials_config *config, struct strbuf *url)
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
static enum error_code instance_begin_session(const struct aws_credentials_config *config,
                                              const char *base, struct strbuf *header,
                                              struct error *err)
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
        (void)snprintf(found_out->origin, sizeof(found_out->origin),
                       "the role %.*s of this instance (instance metadata)", STR_FORMAT(role));
    }
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
    append_instance_service(config, &base);
    code = instance_begin_session(config, base.text, &header, err);
    code = code ? code : ask_role(config, base.text, &header, found_out, err);
    strbuf_release(&header);
    strbuf_release(&base);
    return code;
}
