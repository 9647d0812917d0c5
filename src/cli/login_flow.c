#include "cli/login_flow.h"

#include "base/json_reader.h"
#include "base/token.h"
#include "cli/output.h"
#include "cli/patience.h"
#include "outbound/url.h"

struct login login_flow_result(const struct login_flow *flow, const struct oauth_grant *grant)
{
    struct login login = {
        .kind = LOGIN_OAUTH,
        .secret = grant->access_token,
        .refresh_token = grant->refresh_token,
        .token_url = str_from(flow->provider->token_url),
        .client_id = str_from(flow->provider->client_id),
    };

    login_set_lifetime(&login, clock_wall_ms(flow->clock), grant->lifetime_ms);
    return login;
}

void login_flow_pause(void *context, int64_t duration_ms)
{
    (void)context;
    clock_pause(duration_ms);
}

/* What the provider has given for the person and for us. */
struct device {
    const char *code;
    const char *user_code;
    const char *address;
    const char *complete_address; /* NULL: none */
    int64_t interval_ms;
    int64_t deadline_ms;
};

enum {
    FORM_MAX_BYTES = 16 * 1024,
    USUAL_INTERVAL_MS = 5000, /* RFC 8628 3.2, and 3.5 for slow_down */
    MIN_INTERVAL_MS = 1000,
    MAX_INTERVAL_MS = 60 * 1000,
};

/* RFC 8628 3.2 */
static enum error_code read_device(const struct login_flow *flow,
                                   const struct outbound_answer *answer, struct device *device,
                                   struct error *err)
{
    static const struct json_subject subject = {
        .name = "the answer", .code = ERROR_UNAUTHENTICATED, .absent = JSON_WRONG_IS_ABSENT};
    struct json_reader reader;
    int64_t lifetime_ms = LOGIN_WAIT_MS;

    json_reader_open(&reader, strbuf_str(&answer->body), &subject, flow->arena, NULL);
    *device = (struct device){
        .code = json_reader_needed_text(&reader, "device_code").bytes,
        .user_code = json_reader_needed_text(&reader, "user_code").bytes,
        .address = json_reader_needed_text(&reader, "verification_uri").bytes,
        .complete_address = json_reader_c_text(&reader, "verification_uri_complete"),
        .interval_ms = USUAL_INTERVAL_MS,
    };
    (void)!token_read_time(reader.object, "interval", &device->interval_ms);
    (void)!token_read_time(reader.object, "expires_in", &lifetime_ms);
    device->deadline_ms = clock_monotonic_ms(flow->clock) +
                          (lifetime_ms < LOGIN_WAIT_MS ? lifetime_ms : (int64_t)LOGIN_WAIT_MS);
    if (json_reader_close(&reader) || answer->status != 200) {
        return error_set(
            err, ERROR_UNAUTHENTICATED,
            "the login server gives no device code (status %d): it may not allow the client "
            "\"%s\" to use the device grant",
            answer->status, flow->provider->client_id);
    }
    return OK;
}

/* RFC 8628 3.1 */
static enum error_code begin(const struct login_flow *flow, struct device *device,
                             struct error *err)
{
    struct outbound_request request = {
        .method = "POST",
        .url = flow->provider->device_url,
        .content_type = "application/x-www-form-urlencoded",
    };
    struct outbound_answer answer;
    struct strbuf form;
    enum error_code code = OK;

    strbuf_init(&form, FORM_MAX_BYTES);
    url_append_parameter(&form, "client_id", str_from(flow->provider->client_id));
    url_append_parameter(&form, "scope", str_from(flow->provider->scopes));
    request.body = strbuf_str(&form);
    patience_begin(patience_login_server);
    code = http_client_send(flow->client, &request, &answer, err);
    patience_end();
    if (!code) {
        code = read_device(flow, &answer, device, err);
    }
    outbound_answer_release(&answer);
    strbuf_release(&form);
    return code;
}

static void device_tell(const struct login_flow *flow, const struct device *device)
{
    const char *const complete = device->complete_address;

    (void)fputs("Open this address in a browser and log in:\n\n  ", flow->chatter);
    show_text(flow->chatter, str_from(complete ? complete : device->address));
    (void)fputs("\n\nThe code is ", flow->chatter);
    show_text(flow->chatter, str_from(device->user_code));
    (void)fputs(". Waiting …\n", flow->chatter);
    (void)fflush(flow->chatter);
}

static void pause_ms(const struct login_flow *flow, int64_t duration_ms)
{
    const int64_t least_ms = duration_ms > MIN_INTERVAL_MS ? duration_ms : (int64_t)MIN_INTERVAL_MS;

    flow->pause(flow->pause_context,
                least_ms < MAX_INTERVAL_MS ? least_ms : (int64_t)MAX_INTERVAL_MS);
}

static enum error_code poll_once(const struct login_flow *flow, const struct device *device,
                                 struct oauth_grant *grant, struct error *err)
{
    struct oauth_request request = {.url = flow->provider->token_url};
    struct strbuf form;
    enum error_code code = OK;

    strbuf_init_secret(&form, FORM_MAX_BYTES);
    url_append_parameter(&form, "grant_type",
                         str_from("urn:ietf:params:oauth:grant-type:device_code"));
    url_append_parameter(&form, "device_code", str_from(device->code));
    url_append_parameter(&form, "client_id", str_from(flow->provider->client_id));
    request.form = strbuf_str(&form);
    code = oauth_request_token(flow->client, &request, flow->arena, grant, err);
    strbuf_release(&form);
    return code;
}

/* RFC 8628 3.5 */
static enum error_code await(const struct login_flow *flow, struct device *device,
                             struct oauth_grant *grant, struct error *err)
{
    while (clock_monotonic_ms(flow->clock) < device->deadline_ms) {
        enum error_code code = OK;
        struct str refusal;

        pause_ms(flow, device->interval_ms);
        code = poll_once(flow, device, grant, err);
        refusal = str_from(grant->error);
        if (str_is(refusal, "slow_down")) {
            device->interval_ms += USUAL_INTERVAL_MS;
        } else if (code != ERROR_UNAUTHENTICATED || !str_is(refusal, "authorization_pending")) {
            return code;
        }
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "nobody has logged in: run `pierone login` again");
}

enum error_code device_login(const struct login_flow *flow, struct login *login_out,
                             struct error *err)
{
    struct device device = {0};
    struct oauth_grant grant = {0};
    enum error_code code = OK;

    if (!flow->provider->device_url) {
        return error_set(err, ERROR_INVALID,
                         "%s has no login by a device code: use a machine with a browser",
                         flow->provider->issuer);
    }
    code = begin(flow, &device, err);
    if (!code) {
        device_tell(flow, &device);
        code = await(flow, &device, &grant, err);
    }
    if (!code) {
        *login_out = login_flow_result(flow, &grant);
    }
    return code;
}
