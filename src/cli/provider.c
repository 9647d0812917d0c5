#include "cli/provider.h"

#include <stdio.h>

#include "base/host.h"
#include "base/json_reader.h"
#include "base/token.h"
#include "cli/patience.h"
#include "outbound/url.h"

/* What is no JSON is NULL. `waiting` is shown if it takes long. */
static enum error_code get_json(struct http_client *client, const char *url, const char *waiting,
                                int *status_out, struct json_value **json_out, struct error *err)
{
    const struct outbound_request request = {.url = url};
    struct outbound_answer answer;
    enum error_code code = OK;

    patience_begin(waiting);
    code = http_client_send(client, &request, &answer, err);
    patience_end();
    if (!code && json_value_parse(strbuf_str(&answer.body), json_out, NULL)) {
        *json_out = NULL;
    }
    *status_out = answer.status;
    outbound_answer_release(&answer);
    return code;
}

static enum error_code read_registry(const struct json_value *json, const char *address,
                                     struct arena *arena, struct provider *provider,
                                     struct error *err)
{
    const struct json_subject subject = {
        .name = address, .code = ERROR_INVALID, .absent = JSON_WRONG_IS_ABSENT};
    const struct json_value *const methods = json_value_member(json, "methods");
    const struct json_value *const scopes = json_value_member(json, "scopes");
    struct json_reader reader;

    json_reader_open_value(&reader, json, &subject, arena, err);
    *provider = (struct provider){
        .takes_tokens = json_value_has_text(methods, str_from("oauth2")),
        .takes_passwords = json_value_has_text(methods, str_from("password")),
        .issuer = json_reader_c_text(&reader, "issuer"),
        .client_id = json_reader_c_text(&reader, "client_id"),
        .scopes = json_texts_join(scopes, PROVIDER_SCOPES_MAX, " ", arena),
        .redirect_port = json_reader_uint64(&reader, "redirect_port", UINT16_MAX),
    };
    return json_reader_close(&reader);
}

/* Nobody is sent from https to http, but within this machine. */
static bool leaves_tls(const char *from, struct str to)
{
    const struct str rest = str_from_index(to, sizeof("http://") - 1);
    const struct str host = str_slice(rest, 0, str_index_of(rest, '/'));
    const bool has_user = str_index_of(host, '@') < host.length;

    return str_starts_with(str_from(from), "https://") && str_starts_with(to, "http://") &&
           (has_user || !host_is_loopback(host));
}

enum error_code provider_find(struct http_client *client, const struct registry_url *url,
                              struct arena *arena, struct provider *provider_out, struct error *err)
{
    const char *const address = arena_format(arena, "%s/.well-known/pierone", url->url);
    struct json_value *json = NULL;
    int status = 0;
    enum error_code code = get_json(
        client, address, arena_format(arena, "Waiting for %s", url->host), &status, &json, err);

    if (code) {
        return code;
    }
    if (status != 200 || !json_value_is_array(json_value_member(json, "methods"))) {
        code = error_set(err, ERROR_INVALID,
                         "%s is not a Pier One registry (status %d): check the address", url->url,
                         status);
    } else {
        code = read_registry(json, address, arena, provider_out, err);
    }
    json_value_free(json);
    if (!code && leaves_tls(url->url, str_from(provider_out->issuer))) {
        return error_set(err, ERROR_INVALID,
                         "%s has people log in without TLS, at %.200s: its operator has to set "
                         "login.issuer",
                         url->url, provider_out->issuer);
    }
    return code;
}

/* A browser is started with it: nothing else may be taken for an address. */
static const char *read_endpoint(struct json_reader *reader, const struct provider *provider,
                                 const char *name)
{
    const struct str text = json_reader_text(reader, name);

    if (leaves_tls(provider->issuer, text)) {
        json_reader_fail(reader, "has a %s without TLS", name);
    }
    return str_starts_with(text, "https://") || str_starts_with(text, "http://") ? text.bytes
                                                                                 : NULL;
}

/* Discovery 4.3: else one server could have people log in at another, in its own name. */
static enum error_code read_issuer(const struct json_value *json, struct arena *arena,
                                   struct provider *provider, struct error *err)
{
    const struct json_subject subject = {
        .name = arena_format(arena, "the login server at %.200s", provider->issuer),
        .code = ERROR_UNAVAILABLE,
        .absent = JSON_WRONG_IS_ABSENT,
    };
    const struct str issuer = json_value_member_string(json, "issuer");
    struct json_reader reader;

    json_reader_open_value(&reader, json, &subject, arena, err);
    provider->authorization_url = read_endpoint(&reader, provider, "authorization_endpoint");
    provider->token_url = read_endpoint(&reader, provider, "token_endpoint");
    provider->device_url = read_endpoint(&reader, provider, "device_authorization_endpoint");
    if (provider->token_url && !str_is(issuer, provider->issuer)) {
        json_reader_fail(&reader,
                         "calls itself '%.*s': the registry's operator has to set login.issuer to "
                         "just that",
                         STR_FORMAT(str_slice(issuer, 0, 200)));
    }
    return json_reader_close(&reader);
}

enum error_code provider_discover(struct http_client *client, struct arena *arena,
                                  struct provider *provider, struct error *err)
{
    const struct str issuer = str_from(provider->issuer);
    const size_t length = issuer.length - (str_ends_with(issuer, "/") ? 1 : 0);
    const char *const address = arena_format(arena, "%.*s/.well-known/openid-configuration",
                                             STR_FORMAT(str_slice(issuer, 0, length)));
    struct json_value *json = NULL;
    int status = 0;
    enum error_code code = get_json(client, address, patience_login_server, &status, &json, err);

    if (code) {
        return code;
    }
    code = status == 200 && json ? read_issuer(json, arena, provider, err) : OK;
    if (!code && !provider->token_url) {
        code = error_set(err, ERROR_UNAVAILABLE,
                         "%s does not answer as an OpenID Connect issuer (status %d)", address,
                         status);
    }
    json_value_free(json);
    return code;
}

static enum error_code read_grant(const struct json_value *json, struct arena *arena,
                                  struct oauth_grant *grant, struct error *err)
{
    static const struct json_subject subject = {.name = "the login server's answer",
                                                .code = ERROR_UNAVAILABLE,
                                                .absent = JSON_WRONG_IS_ABSENT};
    struct json_reader reader;

    json_reader_open_value(&reader, json, &subject, arena, err);
    grant->access_token = json_reader_needed_text(&reader, "access_token");
    grant->refresh_token = json_reader_text(&reader, "refresh_token");
    if (token_read_time(json, "expires_in", &grant->lifetime_ms) == TOKEN_TIME_WRONG) {
        json_reader_fail(&reader, "has an expires_in that is no time in seconds");
    }
    return json_reader_close(&reader);
}

/* RFC 6749 5.2 */
static enum error_code read_refusal(const struct json_value *json, int status,
                                    struct oauth_grant *grant, struct error *err)
{
    const struct str error = json_value_member_string(json, "error");
    const struct str description = json_value_member_string(json, "error_description");

    (void)snprintf(grant->error, sizeof(grant->error), "%.*s", STR_FORMAT(error));
    if (description.length > 0) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the login server refuses: %.*s (%s)",
                         STR_FORMAT(str_slice(description, 0, 200)), grant->error);
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "the login server refuses: %s (status %d)",
                     error.length > 0 ? grant->error : "it does not say why", status);
}

static enum error_code read_answer(const struct outbound_answer *answer, struct arena *arena,
                                   struct oauth_grant *grant, struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = OK;

    if (answer->status >= 500 || answer->status == 429) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the login server fails with status %d: try again later", answer->status);
    }
    if (json_value_parse(strbuf_str(&answer->body), &json, NULL)) {
        json = NULL; /* glewlwyd refuses without a body */
    }
    code = answer->status == 200 ? read_grant(json, arena, grant, err)
                                 : read_refusal(json, answer->status, grant, err);
    json_value_free(json);
    return code;
}

enum error_code oauth_request_token(struct http_client *client, const struct oauth_request *request,
                                    struct arena *arena, struct oauth_grant *grant_out,
                                    struct error *err)
{
    const char *const headers[] = {"Accept: application/json", NULL};
    const struct outbound_request asked = {
        .method = "POST",
        .url = request->url,
        .headers = headers,
        .user = request->user,
        .password = request->password,
        .body = request->form,
        .content_type = "application/x-www-form-urlencoded",
        .timeout_ms = request->timeout_ms,
    };
    struct outbound_answer answer;
    enum error_code code = OK;

    *grant_out = (struct oauth_grant){0};
    code = http_client_send(client, &asked, &answer, err);
    if (!code) {
        code = read_answer(&answer, arena, grant_out, err);
    }
    outbound_answer_release(&answer);
    return code;
}

enum { FORM_MAX_BYTES = 64 * 1024 };

enum error_code oauth_refresh(struct http_client *client, const struct oauth_refresh *refresh,
                              struct arena *arena, struct oauth_grant *grant_out, struct error *err)
{
    struct oauth_request request = {
        .url = arena_text(arena, refresh->token_url),
        .timeout_ms = refresh->timeout_ms,
    };
    struct strbuf form;
    enum error_code code = OK;

    strbuf_init_secret(&form, FORM_MAX_BYTES);
    url_append_parameter(&form, "grant_type", str_from("refresh_token"));
    url_append_parameter(&form, "refresh_token", refresh->refresh_token);
    url_append_parameter(&form, "client_id", refresh->client_id);
    request.form = strbuf_str(&form);
    code = oauth_request_token(client, &request, arena, grant_out, err);
    if (!code && grant_out->refresh_token.length == 0) {
        grant_out->refresh_token = refresh->refresh_token;
    }
    strbuf_release(&form);
    return code;
}
