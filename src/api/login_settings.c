#include "api/login_settings.h"

#include "base/attributes.h"

static const struct setting rows[] = {
    {
        .key = "login.issuer",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct login_settings, issuer),
        .example = "https://login.example.org",
        .help = "Where `pierone login` sends people: an OpenID Connect issuer with discovery. Not "
                "set: auth.oidc.issuer.",
    },
    {
        .key = "login.client_id",
        .type = SETTING_TEXT,
        .offset = offsetof(struct login_settings, client_id),
        .default_text = "pierone",
        .help = "As which client of the issuer it logs in: a public one, for the authorization "
                "code with PKCE and for the device grant.",
    },
    {
        .key = "login.scopes",
        .type = SETTING_TEXT,
        .offset = offsetof(struct login_settings, scopes),
        .default_text = "openid offline_access",
        .help = "Which scopes it asks for, separated by spaces.",
    },
    {
        .key = "login.redirect_port",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct login_settings, redirect_port),
        .default_text = "0",
        .minimum = 0,
        .maximum = 65535,
        .help = "Port of http://127.0.0.1:PORT/callback, where it awaits the browser; 0: any that "
                "is free, as RFC 8252 7.3 has it. Set it, and register that address, where the "
                "issuer compares whole addresses.",
    },
};

const struct settings_table login_settings_table = {
    .rows = rows,
    .count = ARRAY_LEN(rows),
};
