#include "auth/auth_settings.h"

#include <string.h>

#include "base/attributes.h"

static const struct setting rows[] = {
    {
        .key = "auth.users_file",
        .type = SETTING_PATH,
        .offset = offsetof(struct auth_settings, users_file),
        .example = "/var/lib/pierone/users",
        .help = "File with local users, their password hashes and their teams; `pieroned user add` "
                "writes it. Read again when it changes.",
    },
    {
        .key = "auth.tokeninfo_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct auth_settings, tokeninfo_url),
        .example = "https://info.services.auth.example.org/oauth2/tokeninfo",
        .help = "Token info service (STUPS) that tells whose an OAuth 2.0 token is.",
        .aliases = {{.name = "TOKENINFO_URL"}, {.name = "HTTP_TOKENINFO_URL"}},
    },
    {
        .key = "auth.iidinfo_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct auth_settings, iidinfo_url),
        .example = "https://iidinfo.example.org/verify",
        .help = "Service that knows AWS instance identity documents: machines that present one may "
                "pull.",
        .aliases = {{.name = "HTTP_IIDINFO_URL"}},
    },
    {
        .key = "auth.public_read",
        .type = SETTING_BOOL,
        .offset = offsetof(struct auth_settings, public_read),
        .default_text = "false",
        .help = "Whether whoever is not logged in may pull. Pushing always takes a login.",
        .aliases = {{.name = "HTTP_ALLOW_PUBLIC_READ"}},
    },
    {
        .key = "auth.secret_file",
        .type = SETTING_PATH,
        .offset = offsetof(struct auth_settings, secret_file),
        .example = "/etc/pierone/secret",
        .help =
            "File with the secret that protects the keys of the registry's own tokens: at least "
            "32 bytes, the same wherever the data go. Not set: one of its own, in the data folder.",
    },
    {
        .key = "auth.token_lifetime",
        .type = SETTING_DURATION,
        .offset = offsetof(struct auth_settings, token_lifetime_ms),
        .default_text = "5m",
        .minimum = SETTING_MINUTE,
        .maximum = SETTING_HOUR,
        .help = "How long a token of the registry's own counts. So long, after "
                "auth.cache_time, may somebody push who has just left a team.",
    },
    {
        .key = "auth.revocation_time",
        .type = SETTING_DURATION,
        .offset = offsetof(struct auth_settings, revocation_time_ms),
        .default_text = "5s",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_MINUTE,
        .help = "How often each instance looks whether keys of the registry's own tokens were "
                "revoked. What they signed is refused from then on.",
    },
    {
        .key = "auth.lookup_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct auth_settings, lookup_timeout_ms),
        .default_text = "5s",
        .minimum = 100,
        .maximum = SETTING_MINUTE,
        .help = "How long providers and team services may take to answer; then the request gets "
                "503.",
    },
    {
        .key = "auth.cache_time",
        .type = SETTING_DURATION,
        .offset = offsetof(struct auth_settings, cache_time_ms),
        .default_text = "2m",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "How long what they said of a token or a team counts, at most; never beyond the "
                "token's own end. Refusals count for some seconds only.",
    },
    {
        .key = "auth.cache_entries",
        .type = SETTING_COUNT,
        .offset = offsetof(struct auth_settings, cache_entries),
        .default_text = "10000",
        .minimum = 64,
        .maximum = 1000000,
        .help = "How many tokens, and as many memberships, are remembered at once.",
    },
    {
        .key = "auth.failed_logins",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct auth_settings, failed_logins),
        .default_text = "100",
        .minimum = 10,
        .maximum = 10000,
        .help = "How many failed logins are taken from one address in a minute: wrong passwords of "
                "all names, and different tokens that a provider does not know. More are asked to "
                "wait, and with them whoever logs in anew from there. Raise it if many people "
                "share an address.",
    },
    {
        .key = "auth.oidc.issuer",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct auth_settings, oidc.issuer),
        .example = "https://login.example.org/realms/company",
        .help = "OpenID Connect issuer whose signed tokens (JWT) are accepted, exactly as their "
                "`iss` has it.",
    },
    {
        .key = "auth.oidc.audience",
        .type = SETTING_TEXT,
        .offset = offsetof(struct auth_settings, oidc.audience),
        .example = "pierone",
        .help = "What a token's `aud` must hold. Not set: any; then tokens for other services of "
                "the issuer are accepted as well.",
    },
    {
        .key = "auth.oidc.jwks_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct auth_settings, oidc.jwks_url),
        .example = "https://login.example.org/keys",
        .help = "Where the issuer's keys are, if it has no discovery document.",
    },
    {
        .key = "auth.oidc.leeway",
        .type = SETTING_DURATION,
        .offset = offsetof(struct auth_settings, oidc.leeway_ms),
        .default_text = "30s",
        .minimum = 1,
        .maximum = 10 * SETTING_MINUTE,
        .help = "By how much the issuer's clock may differ from ours.",
    },
    {
        .key = "auth.introspection.url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct auth_settings, introspection.url),
        .example = "https://login.example.org/introspect",
        .help = "Introspection endpoint (RFC 7662) that tells whose a token is.",
    },
    {
        .key = "auth.introspection.client_id",
        .type = SETTING_TEXT,
        .offset = offsetof(struct auth_settings, introspection.client_id),
        .example = "pierone",
        .help = "The registry's own client at the provider, which may introspect.",
    },
    {
        .key = "auth.introspection.client_secret",
        .type = SETTING_SECRET,
        .offset = offsetof(struct auth_settings, introspection.client_secret),
        .example = "the secret of that client",
        .help = "Its secret. Better in the environment than in the file.",
    },
    {
        .key = "auth.introspection.token_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct auth_settings, introspection.token_url),
        .example = "https://login.example.org/token",
        .help = "For providers that want a bearer token at the introspection endpoint: where the "
                "client gets one (client credentials grant). Not set: Basic.",
    },
    {
        .key = "auth.introspection.token_scope",
        .type = SETTING_TEXT,
        .offset = offsetof(struct auth_settings, introspection.token_scope),
        .example = "introspect",
        .help = "The scope to ask for there.",
    },
    {
        .key = "auth.claims.name",
        .type = SETTING_TEXT,
        .offset = offsetof(struct auth_settings, claims.name),
        .default_text = "uid sub",
        .help =
            "Which claim of a token (or member of what tokeninfo or introspection answer) names "
            "the user: the first of these that is there.",
    },
    {
        .key = "auth.claims.realm",
        .type = SETTING_TEXT,
        .offset = offsetof(struct auth_settings, claims.realm),
        .default_text = "realm",
        .help = "Which claim tells /employees from /services.",
    },
    {
        .key = "auth.claims.scope",
        .type = SETTING_TEXT,
        .offset = offsetof(struct auth_settings, claims.scope),
        .default_text = "scope scp",
        .help = "Which claim lists the scopes.",
    },
    {
        .key = "auth.claims.service",
        .type = SETTING_TEXT,
        .offset = offsetof(struct auth_settings, claims.service),
        .example = "gty=client-credentials",
        .help = "For providers without realms: NAME=VALUE, the claim that marks a service; all "
                "others are employees. Not set: whoever has the same `sub` and `client_id` "
                "(RFC 9068).",
    },
};

bool auth_settings_has_provider(const struct auth_settings *settings)
{
    return settings->users_file || settings->tokeninfo_url || settings->introspection.url ||
           settings->oidc.issuer || settings->iidinfo_url;
}

void auth_settings_miss_provider(const char *key, struct problems *problems)
{
    problems_add(problems,
                 "%s: needs an identity provider: set auth.oidc.issuer, auth.tokeninfo_url, "
                 "auth.introspection.url or auth.users_file",
                 key);
}

/* What has no meaning without a provider was meant to have one. */
static void check_provider(const struct auth_settings *settings, struct problems *problems)
{
    if (auth_settings_has_provider(settings)) {
        return;
    }
    if (settings->public_read) {
        auth_settings_miss_provider("auth.public_read", problems);
    }
    if (settings->oidc.audience) {
        auth_settings_miss_provider("auth.oidc.audience", problems);
    }
    if (settings->oidc.jwks_url) {
        auth_settings_miss_provider("auth.oidc.jwks_url", problems);
    }
}

static void check_introspection(const struct auth_settings *settings, struct problems *problems)
{
    const bool is_set = settings->introspection.url != NULL;

    if (is_set && !settings->introspection.client_id) {
        problems_add(problems, "auth.introspection.client_id: is missing, "
                               "auth.introspection.url is set");
    }
    if (is_set && !settings->introspection.client_secret) {
        problems_add(problems, "auth.introspection.client_secret: is missing, "
                               "auth.introspection.url is set");
    }
}

static void auth_settings_check(const void *values, struct problems *problems)
{
    const struct auth_settings *const settings = values;

    check_provider(settings, problems);
    if (settings->claims.service && !strchr(settings->claims.service, '=')) {
        problems_add(problems, "auth.claims.service: \"%s\" is not NAME=VALUE",
                     settings->claims.service);
    }
    check_introspection(settings, problems);
}

const struct settings_table auth_settings_table = {
    .rows = rows,
    .count = ARRAY_LEN(rows),
    .check = auth_settings_check,
};
