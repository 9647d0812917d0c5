#include "cli/access.h"

#include <unistd.h>

#include "base/host.h"
#include "cli/private_file.h"
#include "cli/provider.h"
#include "cli/service_token.h"

/* Whether a login that there is must not be replaced by that one. */
typedef bool left_as_it_is(const struct login *before, const struct login *login);

static enum error_code read_login(const struct access *access, const char *host,
                                  struct login *login_out, struct error *err)
{
    struct json_value *store = NULL;
    const enum error_code code = login_store_read(access->paths->logins, &store, err);

    if (!code) {
        *login_out = login_store_find(store, host, access->arena);
        json_value_free(store);
    }
    return code;
}

/* What docker has stored does not say; docker itself does without TLS on this machine. */
static bool needs_tls(const struct login *login, const char *host)
{
    const bool is_told = login->url.length > 0;

    if (login->kind == LOGIN_NONE) {
        return false;
    }
    return is_told ? str_starts_with(login->url, "https://") : !host_is_loopback(str_from(host));
}

/* What there was before is looked at under the lock: others write, too. */
static enum error_code access_replace(const struct access *access, const char *host,
                                      const struct login *login, left_as_it_is *is_left,
                                      bool *was_there_out, struct error *err)
{
    struct login before = {0};
    int lock = -1;
    enum error_code code = private_file_lock(access->paths->logins, &lock, err);

    if (code) {
        return code;
    }
    code = read_login(access, host, &before, err);
    *was_there_out = before.kind != LOGIN_NONE;
    if (!code && !is_left(&before, login)) {
        code = login_store_write(access->paths->logins, host, login, err);
    }
    (void)close(lock);
    return code;
}

/* Somebody has logged out, or in as a person, while the token was asked for. */
static bool is_no_service(const struct login *before, const struct login *login)
{
    (void)login;
    return before->kind != LOGIN_SERVICE;
}

/* A token that was asked for is kept, where this registry was logged in at; one that is at hand
 * anyway is not. */
static enum error_code get_service(const struct access *access, const char *host,
                                   struct login *login, struct error *err)
{
    const struct service_request request = {
        .environment = access->environment,
        .client = access->client,
        .arena = access->arena,
        .now_ms = clock_wall_ms(access->clock),
    };
    const struct login before = *login;
    enum error_code code = service_token_get(&request, login, err);

    if (!code && before.kind == LOGIN_SERVICE && login->source.length > 0 &&
        (!str_equal(before.secret, login->secret) || before.renew_ms != login->renew_ms)) {
        bool was_there = false;

        login->url = before.url;
        login->user = before.user;
        code = access_replace(access, host, login, is_no_service, &was_there, err);
        if (str_equal(before.secret, login->secret)) {
            code = OK; /* it is good all the same */
        }
    }
    return code;
}

static bool is_fresh(const struct access *access, const struct login *login)
{
    return login->kind != LOGIN_OAUTH || login_is_fresh(login, clock_wall_ms(access->clock));
}

static bool is_good(const struct access *access, const struct login *login)
{
    return login_is_good(login, clock_wall_ms(access->clock));
}

static enum error_code refresh(const struct access *access, const char *host, struct login *login,
                               struct error *err)
{
    const struct oauth_refresh asked = {
        .token_url = login->token_url,
        .client_id = login->client_id,
        .refresh_token = login->refresh_token,
        .timeout_ms = is_good(access, login) ? LOGIN_EARLY_TIMEOUT_MS : 0,
    };
    const struct str url = login->url.length > 0 ? login->url : str_from(host);
    struct oauth_grant grant = {0};
    enum error_code code = OK;

    if (login->refresh_token.length == 0) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "the login at %s has expired: run `pierone login --url %.*s`", host,
                         STR_FORMAT(url));
    }
    code = oauth_refresh(access->client, &asked, access->arena, &grant, err);
    if (code == ERROR_UNAUTHENTICATED) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "the login at %s is over (%s): run `pierone login --url %.*s`", host,
                         grant.error[0] != '\0' ? grant.error : "it cannot be renewed",
                         STR_FORMAT(url));
    }
    if (code) {
        return code;
    }
    login->secret = grant.access_token;
    login->refresh_token = grant.refresh_token;
    login_set_lifetime(login, clock_wall_ms(access->clock), grant.lifetime_ms);
    return OK;
}

/* What is still good need not be renewed, if it cannot be: others go on with it, too. */
static void put_off(const struct access *access, const char *host, struct login *login)
{
    login->renew_ms = clock_wall_ms(access->clock) + LOGIN_PAUSE_MS;
    (void)!login_store_write(access->paths->logins, host, login, NULL);
}

/* Another process may have been faster: its token is as good. */
static enum error_code renew_locked(const struct access *access, const char *host,
                                    struct login *login, struct error *err)
{
    enum error_code code = read_login(access, host, login, err);
    struct login before = *login;

    if (code || is_fresh(access, login)) {
        return code;
    }
    code = refresh(access, host, login, err);
    if (code && is_good(access, &before)) {
        put_off(access, host, &before);
        *login = before;
        return OK;
    }
    return code ? code : login_store_write(access->paths->logins, host, login, err);
}

static enum error_code renew(const struct access *access, const char *host, struct login *login_out,
                             struct error *err)
{
    int lock = -1;
    enum error_code code = private_file_lock(access->paths->logins, &lock, err);

    if (code) {
        return is_good(access, login_out) ? OK : code;
    }
    code = renew_locked(access, host, login_out, err);
    (void)close(lock);
    return code;
}

enum error_code access_get(const struct access *access, const char *host, struct login *login_out,
                           struct error *err)
{
    const enum service_source source = service_token_source(access->environment);
    enum error_code code = read_login(access, host, login_out, err);

    if (code) {
        return code;
    }
    if (access->is_plain && needs_tls(login_out, host)) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "the login at %s was made by https, and is not sent without TLS: give "
                         "https://%s, or log in without it: `pierone login --url http://%s`",
                         host, host, host);
    }
    if (source == SERVICE_NONE && login_out->kind == LOGIN_SERVICE) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "the login at %s is a service user's, whose variables are not set here: "
                         "OAUTH2_ACCESS_TOKEN_URL and CREDENTIALS_DIR, or OAUTH2_ACCESS_TOKENS",
                         host);
    }
    if (source != SERVICE_NONE) {
        return get_service(access, host, login_out, err);
    }
    return is_fresh(access, login_out) ? OK : renew(access, host, login_out, err);
}

static bool is_nothing(const struct login *before, const struct login *login)
{
    return before->kind == LOGIN_NONE && login->kind == LOGIN_NONE;
}

enum error_code access_keep(const struct access *access, const char *host,
                            const struct login *login, bool *was_there_out, struct error *err)
{
    return access_replace(access, host, login, is_nothing, was_there_out, err);
}

static bool renews_itself(const struct login *before, const struct login *login)
{
    return login->kind == LOGIN_OAUTH &&
           (before->kind == LOGIN_SERVICE || before->refresh_token.length > 0);
}

enum error_code access_keep_given(const struct access *access, const char *host,
                                  const struct login *login, struct error *err)
{
    bool was_there = false;

    return access_replace(access, host, login, renews_itself, &was_there, err);
}

const char *access_user_name(const struct login *login)
{
    return login->kind == LOGIN_PASSWORD ? login->user.bytes : "oauth2";
}
