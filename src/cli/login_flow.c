#include "cli/login_flow.h"

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
