#include "cli/login_store.h"

#include "base/json_edit.h"
#include "base/token.h"
#include "cli/private_file.h"

enum {
    STORE_MAX_BYTES = 4 * 1024 * 1024,
    INDENT = 2,
    SOON_MS = 60 * 1000,
};

static const char logins[] = "logins";

static const char *const kind_names[] = {
    [LOGIN_NONE] = "none",
    [LOGIN_OAUTH] = "oauth2",
    [LOGIN_PASSWORD] = "password",
    [LOGIN_SERVICE] = "service",
};

struct listing {
    const struct login_visitor *visitor;
};

void login_set_lifetime(struct login *login, int64_t now_ms, int64_t lifetime_ms)
{
    login->expires_ms = now_ms + (lifetime_ms > 0 ? lifetime_ms : LOGIN_UNTOLD_LIFETIME_MS);
    if (lifetime_ms <= 0) {
        (void)!token_peek_expiry(login->secret, &login->expires_ms);
    }
    login->renew_ms = now_ms + (login->expires_ms - now_ms) / 2;
}

bool login_is_good(const struct login *login, int64_t now_ms)
{
    return login->expires_ms > now_ms + SOON_MS;
}

bool login_is_fresh(const struct login *login, int64_t now_ms)
{
    return login_is_good(login, now_ms) && (login->renew_ms == 0 || login->renew_ms > now_ms);
}

enum error_code login_store_read(const char *path, struct json_value **store_out, struct error *err)
{
    struct strbuf text;
    struct error reason = {0};
    enum error_code code = OK;

    strbuf_init_secret(&text, STORE_MAX_BYTES);
    code = private_file_read(path, &text, err);
    if (code == ERROR_NOT_FOUND || (!code && text.length == 0)) {
        *store_out = json_edit_new_object();
        code = OK;
    } else if (!code && json_value_parse_object(strbuf_str(&text), store_out, &reason)) {
        code = error_set(err, ERROR_INVALID,
                         "%s is damaged (%s): remove it and run `pierone login` again", path,
                         reason.message);
    }
    strbuf_release(&text);
    return code;
}

static enum login_kind kind_of(struct str name)
{
    for (size_t i = LOGIN_OAUTH; i <= LOGIN_SERVICE; i++) {
        if (str_is(name, kind_names[i])) {
            return (enum login_kind)i;
        }
    }
    return LOGIN_NONE;
}

static struct str copy(struct arena *arena, const struct json_value *entry, const char *name)
{
    return arena_copy(arena, json_value_member_string(entry, name));
}

static int64_t login_time_of(const struct json_value *entry, const char *name)
{
    uint64_t time_ms = 0;
    const bool is_time =
        json_value_uint64(json_value_member(entry, name), &time_ms) && time_ms <= INT64_MAX;

    return is_time ? (int64_t)time_ms : 0;
}

struct login login_store_find(const struct json_value *store, const char *host, struct arena *arena)
{
    const struct json_value *entry = json_value_member(json_value_member(store, logins), host);

    if (!json_value_is_object(entry)) {
        return (struct login){0};
    }
    return (struct login){
        .kind = kind_of(json_value_member_string(entry, "kind")),
        .url = copy(arena, entry, "url"),
        .user = copy(arena, entry, "user"),
        .secret = copy(arena, entry, "secret"),
        .refresh_token = copy(arena, entry, "refresh_token"),
        .token_url = copy(arena, entry, "token_url"),
        .client_id = copy(arena, entry, "client_id"),
        .source = copy(arena, entry, "source"),
        .renew_ms = login_time_of(entry, "renew_ms"),
        .expires_ms = login_time_of(entry, "expires_ms"),
    };
}

static void set_login(struct json_value *store, const char *host, const struct login *login)
{
    struct json_value *const all = json_edit_object(store, logins);
    const struct {
        const char *name;
        struct str value;
    } texts[] = {
        {"url", login->url},
        {"user", login->user},
        {"secret", login->secret},
        {"refresh_token", login->refresh_token},
        {"token_url", login->token_url},
        {"client_id", login->client_id},
        {"source", login->source},
    };
    struct json_value *entry = NULL;

    (void)json_edit_remove(all, host);
    if (login->kind == LOGIN_NONE) {
        return;
    }
    entry = json_edit_object(all, host);
    json_edit_set_text(entry, "kind", str_from(kind_names[login->kind]));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].value.length > 0) {
            json_edit_set_text(entry, texts[i].name, texts[i].value);
        }
    }
    if (login->renew_ms > 0) {
        json_edit_set_int64(entry, "renew_ms", login->renew_ms);
    }
    if (login->expires_ms > 0) {
        json_edit_set_int64(entry, "expires_ms", login->expires_ms);
    }
}

enum error_code login_store_write(const char *path, const char *host, const struct login *login,
                                  struct error *err)
{
    struct json_value *store = NULL;
    struct strbuf text;
    enum error_code code = login_store_read(path, &store, err);

    if (code) {
        return code;
    }
    strbuf_init_secret(&text, STORE_MAX_BYTES);
    set_login(store, host, login);
    json_edit_write(store, INDENT, &text);
    strbuf_append_byte(&text, '\n');
    code = text.is_truncated ? error_set(err, ERROR_INVALID, "%s has become too large", path)
                             : private_file_write(path, strbuf_str(&text), err);
    strbuf_release(&text);
    json_value_free(store);
    return code;
}

static bool visit_login(void *context, const char *host, const struct json_value *entry)
{
    const struct listing *const listing = context;

    listing->visitor->visit(listing->visitor->context, host,
                            json_value_member_string(entry, "user"));
    return true;
}

void login_store_each(const struct json_value *store, const struct login_visitor *visitor)
{
    struct listing listing = {visitor};
    const struct json_visitor members = {&listing, visit_login};

    json_edit_each(json_value_member(store, logins), &members);
}
