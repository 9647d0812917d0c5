#pragma once

#include "settings/schema.h"

/* login.*: what `pierone login` is told. */
struct login_settings {
    const char *issuer; /* of OpenID Connect; NULL: auth.oidc.issuer, if there is one */
    const char *client_id;
    const char *scopes;     /* separated by spaces */
    unsigned redirect_port; /* on the loopback; 0: any */
};

extern const struct settings_table login_settings_table;
