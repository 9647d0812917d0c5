#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/random.h"
#include "base/token.h"
#include "cli/login_flow.h"
#include "cli/loopback.h"
#include "cli/output.h"
#include "cli/patience.h"
#include "outbound/url.h"

enum {
    SECRET_BYTES = 32, /* RFC 7636 4.1, RFC 6749 10.10 */
    TEXT_MAX_BYTES = 16 * 1024,
    PARAMETER_MAX_BYTES = 4096,
};

/* One login on its way. */
struct attempt {
    const struct login_flow *flow;
    struct loopback loopback;
    const char *redirect_uri;
    const char *state;
    const char *verifier;
    const char *code; /* once the browser has brought it */
    enum error_code outcome;
    struct error *err;
};

static const char *new_secret(struct arena *arena)
{
    char bytes[SECRET_BYTES];
    struct strbuf text;
    const char *copy = NULL;

    random_fill(bytes, sizeof(bytes));
    strbuf_init_secret(&text, 2 * SECRET_BYTES);
    base64url_encode((struct str){bytes, sizeof(bytes)}, &text);
    copy = arena_text(arena, strbuf_str(&text));
    strbuf_release(&text);
    return copy;
}

bool browser_is_there(const struct environment *environment)
{
    if (environment_get(environment, "BROWSER")) {
        return true;
    }
    if (platform_is_macos) {
        return !environment_get(environment, "SSH_CONNECTION");
    }
    return environment_get(environment, "DISPLAY") ||
           environment_get(environment, "WAYLAND_DISPLAY");
}

/* Whether that works cannot be known; the address is printed anyway. Its own chatter is not ours.
 */
static void open_browser(const struct environment *environment, const char *address)
{
    const char *const own = environment_get(environment, "BROWSER");
    const char *const program = own ? own : platform_is_macos ? "open" : "xdg-open";
    union {
        const char *given[3];
        char *const passed[3];
    } arguments = {.given = {program, address, NULL}};
    posix_spawn_file_actions_t actions;
    pid_t child = 0;

    if (!browser_is_there(environment) || posix_spawn_file_actions_init(&actions) != 0) {
        return;
    }
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    (void)posix_spawnp(&child, program, &actions, NULL, arguments.passed, environment->entries);
    (void)posix_spawn_file_actions_destroy(&actions);
}

static void show(const struct attempt *attempt, const char *address)
{
    FILE *const chatter = attempt->flow->chatter;

    (void)fputs("Log in with your browser. If it does not open, go to:\n\n  ", chatter);
    show_text(chatter, str_from(address));
    (void)fputs("\n\n", chatter);
    (void)fflush(chatter);
    open_browser(attempt->flow->environment, address);
}

/* RFC 6749 4.1.1 with RFC 7636 4.3 */
static const char *make_address(const struct attempt *attempt)
{
    const struct provider *const provider = attempt->flow->provider;
    const struct digest hash = hasher_digest_of(DIGEST_SHA256, str_from(attempt->verifier));
    const bool has_query = str_index_of(str_from(provider->authorization_url), '?') <
                           str_from(provider->authorization_url).length;
    struct strbuf challenge;
    struct strbuf address;
    const char *copy = NULL;
    char hash_bytes[SECRET_BYTES];

    for (size_t i = 0; i < sizeof(hash_bytes); i++) {
        hash_bytes[i] = (char)hash.bytes[i];
    }
    strbuf_init(&challenge, 2 * SECRET_BYTES);
    base64url_encode((struct str){hash_bytes, sizeof(hash_bytes)}, &challenge);
    strbuf_init(&address, TEXT_MAX_BYTES);
    strbuf_append_format(&address, "%s%c", provider->authorization_url, has_query ? '&' : '?');
    strbuf_append_text(&address, "response_type=code");
    url_append_parameter(&address, "client_id", str_from(provider->client_id));
    url_append_parameter(&address, "redirect_uri", str_from(attempt->redirect_uri));
    url_append_parameter(&address, "scope", str_from(provider->scopes));
    url_append_parameter(&address, "state", str_from(attempt->state));
    /* Some want one with the scope openid; the ID token it would come back in is not looked at. */
    url_append_parameter(&address, "nonce", str_from(new_secret(attempt->flow->arena)));
    url_append_parameter(&address, "code_challenge", strbuf_str(&challenge));
    url_append_parameter(&address, "code_challenge_method", str_from("S256"));
    copy = arena_text(attempt->flow->arena, strbuf_str(&address));
    strbuf_release(&address);
    strbuf_release(&challenge);
    return copy;
}

static const char *decode(struct arena *arena, struct str text)
{
    struct strbuf plain;
    const char *copy = NULL;

    strbuf_init_secret(&plain, PARAMETER_MAX_BYTES);
    for (size_t i = 0; i < text.length; i++) {
        const bool is_encoded = text.bytes[i] == '%' && i + 2 < text.length &&
                                str_hex_value(text.bytes[i + 1]) >= 0 &&
                                str_hex_value(text.bytes[i + 2]) >= 0;

        if (is_encoded) {
            strbuf_append_byte(&plain, (char)(str_hex_value(text.bytes[i + 1]) * 16 +
                                              str_hex_value(text.bytes[i + 2])));
            i += 2;
        } else {
            strbuf_append_byte(&plain, text.bytes[i] == '+' ? ' ' : text.bytes[i]);
        }
    }
    copy = arena_text(arena, strbuf_str(&plain));
    strbuf_release(&plain);
    return copy;
}

static const char *find_parameter(struct arena *arena, struct str query, const char *name)
{
    struct str part;
    struct str key;

    while (str_cut(&query, '&', &part)) {
        if (str_cut(&part, '=', &key) && str_is(key, name) && part.bytes) {
            return decode(arena, part);
        }
    }
    return NULL;
}

/* RFC 6749 4.1.2 */
static enum error_code read_code(struct attempt *attempt, struct str query)
{
    struct arena *const arena = attempt->flow->arena;
    const char *const error = find_parameter(arena, query, "error");
    const char *const description = find_parameter(arena, query, "error_description");

    if (error) {
        return error_set(attempt->err, ERROR_UNAUTHENTICATED, "the login server refuses: %.200s",
                         description ? description : error);
    }
    attempt->code = find_parameter(arena, query, "code");
    return attempt->code ? OK
                         : error_set(attempt->err, ERROR_UNAUTHENTICATED,
                                     "the login server has sent no code: run `pierone login` "
                                     "again");
}

/* The state tells that it is an answer to our question (RFC 6749 10.12). Whatever else a browser
 * was made to bring here neither logs in nor keeps anybody from logging in. */
static enum loopback_verdict browser_judge(void *context, struct str query)
{
    struct attempt *const attempt = context;
    const char *const state = find_parameter(attempt->flow->arena, query, "state");

    if (!state || !str_is(str_from(attempt->state), state)) {
        return LOOPBACK_FOREIGN;
    }
    attempt->outcome = read_code(attempt, query);
    return attempt->outcome ? LOOPBACK_REFUSED : LOOPBACK_DONE;
}

static enum error_code await_code(struct attempt *attempt, struct error *err)
{
    const struct loopback_judge own = {attempt, browser_judge};
    const enum error_code code = loopback_await(&attempt->loopback, LOGIN_WAIT_MS, &own, err);

    return code ? code : attempt->outcome;
}

/* RFC 6749 4.1.3 with RFC 7636 4.5 */
static enum error_code exchange(const struct attempt *attempt, struct login *login_out,
                                struct error *err)
{
    const struct login_flow *const flow = attempt->flow;
    struct oauth_request request = {.url = flow->provider->token_url};
    struct oauth_grant grant;
    struct strbuf form;
    enum error_code code = OK;

    strbuf_init_secret(&form, TEXT_MAX_BYTES);
    url_append_parameter(&form, "grant_type", str_from("authorization_code"));
    url_append_parameter(&form, "code", str_from(attempt->code));
    url_append_parameter(&form, "redirect_uri", str_from(attempt->redirect_uri));
    url_append_parameter(&form, "client_id", str_from(flow->provider->client_id));
    url_append_parameter(&form, "code_verifier", str_from(attempt->verifier));
    request.form = strbuf_str(&form);
    patience_begin(patience_login_server);
    code = oauth_request_token(flow->client, &request, flow->arena, &grant, err);
    patience_end();
    strbuf_release(&form);
    if (!code) {
        *login_out = login_flow_result(flow, &grant);
    }
    return code;
}

enum error_code browser_login(const struct login_flow *flow, struct login *login_out,
                              struct error *err)
{
    struct attempt attempt = {
        .flow = flow,
        .state = new_secret(flow->arena),
        .verifier = new_secret(flow->arena),
        .err = err,
    };
    enum error_code code = OK;

    if (!flow->provider->authorization_url) {
        return error_set(err, ERROR_UNAVAILABLE, "%s has no authorization_endpoint",
                         flow->provider->issuer);
    }
    code = loopback_open((uint16_t)flow->provider->redirect_port, &attempt.loopback, err);
    if (code) {
        return code;
    }
    attempt.redirect_uri =
        arena_format(flow->arena, "http://127.0.0.1:%u/callback", (unsigned)attempt.loopback.port);
    show(&attempt, make_address(&attempt));
    code = await_code(&attempt, err);
    loopback_close(&attempt.loopback);
    return code ? code : exchange(&attempt, login_out, err);
}
