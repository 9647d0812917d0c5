#include "cli/oauth.h"

#include <stdio.h>

#include "base/json_value.h"
#include "base/token.h"
#include "outbound/url.h"

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
