#include "auth/oidc_fetch.h"

#include "base/json_value.h"

enum { URL_MAX_BYTES = 8 * 1024, DOCUMENT_MAX_BYTES = 256 * 1024, STATUS_OK = 200 };

static const char well_known[] = "/.well-known/openid-configuration";

static enum error_code discover(const struct oidc_place *place, struct strbuf *url,
                                struct error *err);
static void append_discovery_url(const struct oidc_place *place, struct strbuf *url);
static enum error_code fetch(const struct oidc_place *place, const char *url,
                             struct outbound_answer *answer, struct error *err);
static enum error_code read_document(const struct oidc_place *place, struct str text,
                                     struct strbuf *url, struct error *err);
static enum error_code check_issuer(const struct oidc_place *place, const struct json_value *json,
                                    struct error *err);
static bool may_follow(const struct oidc_place *place, struct str url);
static enum error_code read_keys(const struct oidc_place *place,
                                 const struct outbound_answer *answer,
                                 struct oidc_fetched *fetched_out, struct error *err);

enum error_code oidc_fetch_keys(const struct oidc_place *place, struct oidc_fetched *fetched_out,
                                struct error *err)
{
    struct outbound_answer answer = {0};
    struct strbuf url;
    enum error_code code = OK;

    strbuf_init(&url, URL_MAX_BYTES);
    if (place->jwks_url) {
        strbuf_append_text(&url, place->jwks_url);
    } else {
        code = discover(place, &url, err);
    }
    if (!code) {
        code = fetch(place, url.text, &answer, err);
        if (!code) {
            code = read_keys(place, &answer, fetched_out, err);
        }
        outbound_answer_release(&answer);
    }
    strbuf_release(&url);
    return code;
}

/* Replaces url by the key set's. */
static enum error_code discover(const struct oidc_place *place, struct strbuf *url,
                                struct error *err)
{
    struct outbound_answer answer = {0};
    enum error_code code = OK;

    append_discovery_url(place, url);
    code = fetch(place, url->text, &answer, err);
    if (!code) {
        strbuf_clear(url);
        code = read_document(place, strbuf_str(&answer.body), url, err);
    }
    outbound_answer_release(&answer);
    return code;
}

/* Discovery 4.1: a slash at the issuer's end is left out. */
static void append_discovery_url(const struct oidc_place *place, struct strbuf *url)
{
    const struct str issuer = str_from(place->issuer);
    const size_t slash = str_ends_with(issuer, "/") ? 1 : 0;

    strbuf_append(url, str_slice(issuer, 0, issuer.length - slash));
    strbuf_append_text(url, well_known);
}

static enum error_code fetch(const struct oidc_place *place, const char *url,
                             struct outbound_answer *answer, struct error *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct outbound_request request = {.url = url, .headers = headers};
    const enum error_code code = http_client_send(place->client, &request, answer, err);

    if (code) {
        return code;
    }
    if (answer->status != STATUS_OK) {
        return error_set(err, ERROR_UNAVAILABLE, "%s answered %d instead of 200", url,
                         answer->status);
    }
    return OK;
}

static enum error_code read_document(const struct oidc_place *place, struct str text,
                                     struct strbuf *url, struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = OK;

    if (text.length > DOCUMENT_MAX_BYTES || json_value_parse(text, &json, NULL)) {
        return error_set(
            err, ERROR_UNAVAILABLE,
            "what the issuer %s has at %s is not JSON: is it an OpenID Connect issuer?",
            place->issuer, well_known);
    }
    code = check_issuer(place, json, err);
    if (!code) {
        const struct str keys_url = json_value_member_string(json, "jwks_uri");

        strbuf_append(url, keys_url);
        if (url->is_truncated || !may_follow(place, keys_url)) {
            code =
                error_set(err, ERROR_UNAVAILABLE, "the issuer %s gives no usable 'jwks_uri' at %s",
                          place->issuer, well_known);
        }
    }
    json_value_free(json);
    return code;
}

/* Discovery 4.3: else its keys would count for tokens of somebody else. */
static enum error_code check_issuer(const struct oidc_place *place, const struct json_value *json,
                                    struct error *err)
{
    const struct str issuer = json_value_member_string(json, "issuer");

    if (!str_is(issuer, place->issuer)) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "the issuer at %s calls itself '%.*s': the setting must be just that",
                         place->issuer, STR_FORMAT(str_slice(issuer, 0, 200)));
    }
    return OK;
}

/* Keys of an issuer that is asked by TLS do not come without. */
static bool may_follow(const struct oidc_place *place, struct str url)
{
    const bool is_plain = str_starts_with(str_from(place->issuer), "http://");

    return str_starts_with(url, "https://") || (is_plain && str_starts_with(url, "http://"));
}

static enum error_code read_keys(const struct oidc_place *place,
                                 const struct outbound_answer *answer,
                                 struct oidc_fetched *fetched_out, struct error *err)
{
    struct error reason = {0};
    struct key_set *keys = NULL;

    if (key_set_parse(strbuf_str(&answer->body), &keys, &reason)) {
        return error_set(err, ERROR_UNAVAILABLE, "the keys of %s cannot be read: %s", place->issuer,
                         reason.message);
    }
    *fetched_out = (struct oidc_fetched){.keys = keys, .max_age_s = answer->max_age_s};
    return OK;
}
