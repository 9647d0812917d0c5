#include "cli/provider.h"

#include <stdio.h>

#include "base/host.h"
#include "base/json_value.h"
#include "base/token.h"
#include "cli/patience.h"
#include "outbound/url.h"

static enum error_code get_json(struct http_client *client, const char *url, const char *waiting,
                                int *status_out, struct json_value **json_out, struct error *err);
static void read_registry(const struct json_value *json, struct arena *arena,
                          struct provider *provider);
static enum error_code check_registry(const struct registry_url *url,
                                      const struct provider *provider, struct error *err);
static bool leaves_tls(const char *from, struct str to);
static const char *copy(struct arena *arena, const struct json_value *json, const char *name);
static enum error_code check_issuer(const struct provider *provider, const struct json_value *json,
                                    struct error *err);
static const char *copy_url(struct arena *arena, const struct json_value *json, const char *name);
static const char *join_scopes(const struct json_value *scopes, struct arena *arena);

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
        *provider_out = (struct provider){0};
        read_registry(json, arena, provider_out);
        code = check_registry(url, provider_out, err);
    }
    json_value_free(json);
    return code;
}

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

static void read_registry(const struct json_value *json, struct arena *arena,
                          struct provider *provider)
{
    const struct json_value *const methods = json_value_member(json, "methods");

    for (size_t i = 0; i < json_value_length(methods); i++) {
        const struct str method = json_value_string(json_value_element(methods, i));

        provider->takes_tokens = provider->takes_tokens || str_is(method, "oauth2");
        provider->takes_passwords = provider->takes_passwords || str_is(method, "password");
    }
    provider->issuer = copy(arena, json, "issuer");
    provider->client_id = copy(arena, json, "client_id");
    provider->scopes = join_scopes(json_value_member(json, "scopes"), arena);
    (void)!json_value_uint64(json_value_member(json, "redirect_port"), &provider->redirect_port);
}

static enum error_code check_registry(const struct registry_url *url,
                                      const struct provider *provider, struct error *err)
{
    if (provider->redirect_port > UINT16_MAX) {
        return error_set(err, ERROR_INVALID, "%s has a redirect_port that cannot be", url->url);
    }
    if (leaves_tls(url->url, str_from(provider->issuer))) {
        return error_set(err, ERROR_INVALID,
                         "%s has people log in without TLS, at %.200s: its operator has to set "
                         "login.issuer",
                         url->url, provider->issuer);
    }
    return OK;
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

static const char *copy(struct arena *arena, const struct json_value *json, const char *name)
{
    const struct str text = json_value_member_string(json, name);

    return text.length > 0 ? arena_text(arena, text) : NULL;
}

/* A browser is started with it: nothing else may be taken for an address. */
static const char *copy_url(struct arena *arena, const struct json_value *json, const char *name)
{
    const struct str text = json_value_member_string(json, name);

    return str_starts_with(text, "https://") || str_starts_with(text, "http://")
               ? copy(arena, json, name)
               : NULL;
}

static const char *join_scopes(const struct json_value *scopes, struct arena *arena)
{
    const char *joined = "";

    for (size_t i = 0; i < json_value_length(scopes) && i < PROVIDER_SCOPES_MAX; i++) {
        const struct str scope = json_value_string(json_value_element(scopes, i));

        joined = arena_format(arena, "%s%s%.*s", joined, i > 0 ? " " : "", STR_FORMAT(scope));
    }
    return joined;
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
    provider->authorization_url = copy_url(arena, json, "authorization_endpoint");
    provider->token_url = copy_url(arena, json, "token_endpoint");
    provider->device_url = copy_url(arena, json, "device_authorization_endpoint");
    if (status != 200 || !provider->token_url) {
        code = error_set(err, ERROR_UNAVAILABLE,
                         "%s does not answer as an OpenID Connect issuer (status %d)", address,
                         status);
    } else {
        code = check_issuer(provider, json, err);
    }
    json_value_free(json);
    return code;
}

/* Discovery 4.3: else one server could have people log in at another, in its own name. */
static enum error_code check_issuer(const struct provider *provider, const struct json_value *json,
                                    struct error *err)
{
    static const char *const endpoints[] = {"authorization_endpoint", "token_endpoint",
                                            "device_authorization_endpoint"};
    const struct str issuer = json_value_member_string(json, "issuer");

    if (!str_is(issuer, provider->issuer)) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the login server at %.200s calls itself '%.*s': the registry's operator "
                         "has to set login.issuer to just that",
                         provider->issuer, STR_FORMAT(str_slice(issuer, 0, 200)));
    }
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        if (leaves_tls(provider->issuer, json_value_member_string(json, endpoints[i]))) {
            return error_set(err, ERROR_UNAVAILABLE, "%.200s has a %s without TLS",
                             provider->issuer, endpoints[i]);
        }
    }
    return OK;
}

enum { FORM_MAX_BYTES = 64 * 1024 };

static enum error_code read_answer(const struct outbound_answer *answer, struct arena *arena,
                                   struct oauth_grant *grant, struct error *err);
static enum error_code read_grant(const struct json_value *json, struct arena *arena,
                                  struct oauth_grant *grant, struct error *err);
static enum error_code read_refusal(const struct json_value *json, int status,
                                    struct oauth_grant *grant, struct error *err);

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

static enum error_code read_grant(const struct json_value *json, struct arena *arena,
                                  struct oauth_grant *grant, struct error *err)
{
    grant->access_token = arena_copy(arena, json_value_member_string(json, "access_token"));
    grant->refresh_token = arena_copy(arena, json_value_member_string(json, "refresh_token"));
    if (token_read_time(json, "expires_in", &grant->lifetime_ms) == TOKEN_TIME_WRONG) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the login server's expires_in is no time in seconds");
    }
    return grant->access_token.length > 0
               ? OK
               : error_set(err, ERROR_UNAVAILABLE, "the login server's answer has no access_token");
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
