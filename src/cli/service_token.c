#include "cli/service_token.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/json_reader.h"
#include "cli/private_file.h"
#include "cli/provider.h"
#include "outbound/url.h"

enum {
    CREDENTIAL_MAX_BYTES = 64 * 1024,
};

/* The two files of CREDENTIALS_DIR. */
struct credential_files {
    const char *user;
    const char *password;
    const char *client_id;
    const char *client_secret;
};

/* What stands in one of them, and where it goes. */
struct credential_pair {
    const char *names[2];
    const char **values[2];
};

static const char tokens_variable[] = "OAUTH2_ACCESS_TOKENS";
static const char url_variable[] = "OAUTH2_ACCESS_TOKEN_URL";
static const char old_url_variable[] = "OAUTH_ACCESS_TOKEN_URL";
static const char folder_variable[] = "CREDENTIALS_DIR";
static const char token_name[] = "pierone";
static const char token_file[] = "pierone-token-secret";

/* `name=token,name=token` */
static struct str find_in_variable(const struct environment *environment)
{
    struct str rest = str_from(environment_get(environment, tokens_variable));
    struct str entry;
    struct str name;

    while (str_cut(&rest, ',', &entry)) {
        if (str_cut(&entry, '=', &name) && str_is(str_trim(name), token_name)) {
            return str_trim(entry);
        }
    }
    return (struct str){0};
}

static bool has_token_file(const struct environment *environment)
{
    const char *const folder = environment_get(environment, folder_variable);
    struct strbuf path;
    struct strbuf token;
    bool is_there = false;

    if (!folder) {
        return false;
    }
    strbuf_init(&path, CREDENTIAL_MAX_BYTES);
    strbuf_init_secret(&token, CREDENTIAL_MAX_BYTES);
    strbuf_append_format(&path, "%s/%s", folder, token_file);
    is_there = private_file_read(path.text, &token, NULL) != ERROR_NOT_FOUND;
    strbuf_release(&path);
    strbuf_release(&token);
    return is_there;
}

static const char *service_find_url(const struct environment *environment)
{
    const char *const url = environment_get(environment, url_variable);

    return url ? url : environment_get(environment, old_url_variable);
}

enum service_source service_token_source(const struct environment *environment)
{
    if (find_in_variable(environment).length > 0) {
        return SERVICE_VARIABLE;
    }
    if (has_token_file(environment)) {
        return SERVICE_FILE;
    }
    return service_find_url(environment) ? SERVICE_URL : SERVICE_NONE;
}

/* A copy, since it must end where the token ends: others may stand behind it. */
static enum error_code get_from_variable(const struct service_request *request, struct login *login)
{
    const struct str token = find_in_variable(request->environment);

    *login = (struct login){
        .kind = LOGIN_SERVICE,
        .secret = {arena_text(request->arena, token), token.length},
    };
    return OK;
}

static enum error_code get_from_file(const struct service_request *request, struct login *login,
                                     struct error *err)
{
    const char *const folder = environment_get(request->environment, folder_variable);
    const char *const path = arena_format(request->arena, "%s/%s", folder, token_file);
    struct strbuf text;
    struct str token;
    enum error_code code = OK;

    strbuf_init_secret(&text, CREDENTIAL_MAX_BYTES);
    code = private_file_read(path, &text, err);
    token = str_slice(strbuf_str(&text), 0, str_index_of(strbuf_str(&text), '\n'));
    token = str_trim(str_slice(token, 0, str_index_of(token, '\r')));
    if (!code && token.length == 0) {
        code = error_set(err, ERROR_INVALID, "%s holds no token", path);
    }
    if (!code) {
        *login = (struct login){
            .kind = LOGIN_SERVICE,
            .secret = {arena_text(request->arena, token), token.length},
        };
    }
    strbuf_release(&text);
    return code;
}

static enum error_code read_pair(const struct service_request *request, const char *file,
                                 const struct credential_pair *pair, struct error *err)
{
    const char *const folder = environment_get(request->environment, folder_variable);
    const char *const path = arena_format(request->arena, "%s/%s", folder, file);
    const struct json_subject subject = {.name = path, .code = ERROR_INVALID};
    struct json_reader reader;
    struct strbuf text;
    enum error_code code = OK;

    strbuf_init_secret(&text, CREDENTIAL_MAX_BYTES);
    code = private_file_read(path, &text, err);
    if (!code) {
        json_reader_open(&reader, strbuf_str(&text), &subject, request->arena, err);
        *pair->values[0] = json_reader_needed_text(&reader, pair->names[0]).bytes;
        *pair->values[1] = json_reader_needed_text(&reader, pair->names[1]).bytes;
        code = json_reader_close(&reader);
    }
    strbuf_release(&text);
    return code == ERROR_NOT_FOUND ? ERROR_INVALID : code;
}

static enum error_code read_credentials(const struct service_request *request,
                                        struct credential_files *files, struct error *err)
{
    const struct credential_pair user = {{"application_username", "application_password"},
                                         {&files->user, &files->password}};
    const struct credential_pair client = {{"client_id", "client_secret"},
                                           {&files->client_id, &files->client_secret}};
    enum error_code code = OK;

    if (!environment_get(request->environment, folder_variable)) {
        return error_set(err, ERROR_INVALID,
                         "OAUTH2_ACCESS_TOKEN_URL is set, but CREDENTIALS_DIR is not: the folder "
                         "with user.json and client.json");
    }
    code = read_pair(request, "user.json", &user, err);
    return code ? code : read_pair(request, "client.json", &client, err);
}

/* What a cached token was got by, without its secrets. */
static const char *fingerprint(const struct service_request *request, const char *url,
                               const struct credential_files *files)
{
    const char *const text =
        arena_format(request->arena, "%s %s %s", url, files->user, files->client_id);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from(text));
    char formatted[DIGEST_TEXT_BYTES];

    digest_format(&digest, formatted);
    return arena_text(request->arena, str_from(formatted));
}

static enum error_code ask(const struct service_request *request,
                           const struct credential_files *files, int64_t timeout_ms,
                           struct login *login, struct error *err)
{
    struct oauth_request asked = {
        .url = service_find_url(request->environment),
        .user = files->client_id,
        .password = files->client_secret,
        .timeout_ms = timeout_ms,
    };
    struct oauth_grant grant;
    struct strbuf form;
    enum error_code code = OK;

    strbuf_init_secret(&form, CREDENTIAL_MAX_BYTES);
    url_append_parameter(&form, "grant_type", str_from("password"));
    url_append_parameter(&form, "username", str_from(files->user));
    url_append_parameter(&form, "password", str_from(files->password));
    url_append_parameter(&form, "scope", str_from("uid application.write"));
    asked.form = strbuf_str(&form);
    code = oauth_request_token(request->client, &asked, request->arena, &grant, err);
    strbuf_release(&form);
    if (code) {
        return code;
    }
    login->secret = grant.access_token;
    login_set_lifetime(login, request->now_ms, grant.lifetime_ms);
    return OK;
}

static enum error_code get_from_url(const struct service_request *request, struct login *login,
                                    struct error *err)
{
    const char *const url = service_find_url(request->environment);
    struct credential_files files = {0};
    struct login fresh = {.kind = LOGIN_SERVICE};
    bool is_kept = false;
    enum error_code code = read_credentials(request, &files, err);

    if (code) {
        return code;
    }
    fresh.source = str_from(fingerprint(request, url, &files));
    is_kept = login->kind == LOGIN_SERVICE && str_equal(login->source, fresh.source) &&
              login_is_good(login, request->now_ms);
    if (is_kept && login_is_fresh(login, request->now_ms)) {
        return OK;
    }
    code = ask(request, &files, is_kept ? LOGIN_EARLY_TIMEOUT_MS : 0, &fresh, err);
    if (!code) {
        *login = fresh;
    } else if (is_kept) { /* what is still good need not be renewed, if it cannot be */
        login->renew_ms = request->now_ms + LOGIN_PAUSE_MS;
    }
    return is_kept ? OK : code;
}

enum error_code service_token_get(const struct service_request *request, struct login *login,
                                  struct error *err)
{
    switch (service_token_source(request->environment)) {
    case SERVICE_VARIABLE:
        return get_from_variable(request, login);
    case SERVICE_FILE:
        return get_from_file(request, login, err);
    case SERVICE_URL:
        return get_from_url(request, login, err);
    case SERVICE_NONE:
        break;
    }
    return error_set(err, ERROR_NOT_FOUND,
                     "there is no token of a service user: set OAUTH2_ACCESS_TOKEN_URL and "
                     "CREDENTIALS_DIR, or OAUTH2_ACCESS_TOKENS=pierone=TOKEN");
}
