#pragma once

#include "settings/schema.h"

/* login.*: what `pierone login` is told. */
struct login_settings {
    const char *issuer; /* NULL: auth.oidc.issuer */
    const char *client_id;
    const char *scopes;
    unsigned redirect_port;
};

extern const struct settings_table login_settings_table;
