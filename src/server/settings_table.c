#include "server/settings_table.h"

#include "api/proxies.h"
#include "base/attributes.h"
#include "http/request.h"
#include "server/listen_address.h"
#include "server/settings.h"
#include "settings/value.h"

static const char *const log_format_words[] = {
    [LOG_FORMAT_AUTO] = "auto",
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    NULL,
};

static const char *const log_level_words[] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
    NULL,
};

static const char *const tls_version_words[] = {
    [TLS_1_2] = "1.2",
    [TLS_1_3] = "1.3",
    NULL,
};

static const char *const signature_words[] = {
    [SIGNATURES_IMMUTABLE] = "immutable",
    [SIGNATURES_GROW] = "grow",
    NULL,
};

static const char *const lock_words[] = {
    [S3_LOCK_NONE] = "none",
    [S3_LOCK_BUCKET] = "bucket",
    [S3_LOCK_GOVERNANCE] = "governance",
    [S3_LOCK_COMPLIANCE] = "compliance",
    NULL,
};

static const char *const team_service_words[] = {
    [TEAM_SERVICE_ACCOUNTS] = "accounts",
    [TEAM_SERVICE_USER] = "user",
    NULL,
};

static enum error_code check_listen(struct str text, struct error *err)
{
    struct listen_address unused;
    struct error reason;

    return listen_address_parse(text, &unused, &reason)
               ? setting_value_refuse(text, err, reason.message)
               : OK;
}

static enum error_code check_proxies(struct str text, struct error *err)
{
    struct proxies unused;

    return proxies_parse(text, &unused, err);
}

static const struct setting rows[] = {
    {
        .key = "listen",
        .type = SETTING_ADDRESS,
        .offset = offsetof(struct settings, listen),
        .default_text = "127.0.0.1:8080",
        .help = "Address and port to listen on: HOST:PORT, or [IPV6]:PORT. Port 0 lets the system "
                "choose one, which the log then names.",
        .aliases = (const struct setting_alias[]){{.name = "HTTP_PORT", .prefix = "0.0.0.0:"}, {0}},
        .check = check_listen,
    },
    {
        .key = "data",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, data),
        .default_text = "data",
        .help = "Folder for everything that was pushed. Created if missing; its parent must exist. "
                "Relative to the working folder.",
        .aliases = (const struct setting_alias[]){{.name = "STORAGE_DIRECTORY"}, {0}},
    },
    {
        .key = "public_url",
        .type = SETTING_URL,
        .offset = offsetof(struct settings, public_url),
        .example = "https://registry.example.org",
        .help = "How clients reach this registry, which the place to get tokens at is made from; "
                "not set: as the request's Host has it. "
                "http[s]://HOST[:PORT].",
        .aliases =
            (const struct setting_alias[]){{.name = "API_REPOSITORY", .prefix = "https://"}, {0}},
    },
    {
        .key = "trusted_proxies",
        .type = SETTING_ADDRESSES,
        .offset = offsetof(struct settings, trusted_proxies),
        .example = "10.0.0.0/8",
        .help =
            "Addresses and networks of the proxies in front, separated by spaces. What they say "
            "in X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host counts; what others say "
            "there does not.",
        .check = check_proxies,
    },
    {
        .key = "ca_file",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, ca_file),
        .example = "/etc/pierone/ca.pem",
        .help = "PEM file with the authorities to trust when other servers are asked, instead of "
                "the system's.",
    },
    {
        .key = "allow_open",
        .type = SETTING_BOOL,
        .offset = offsetof(struct settings, allow_open),
        .default_text = "false",
        .help = "Without an identity provider everybody who reaches the server may push, so it "
                "listens on loopback only. Set to true if other machines shall reach it all the "
                "same.",
    },
    {
        .key = "tls.certificate",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, tls.certificate),
        .example = "/etc/pierone/tls.crt",
        .help = "PEM file with the certificate and its chain; needs tls.key. Without it, the "
                "server speaks plain HTTP. Read again on SIGHUP.",
    },
    {
        .key = "tls.key",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, tls.key),
        .example = "/etc/pierone/tls.key",
        .help = "PEM file with the certificate's private key. Read again on SIGHUP.",
    },
    {
        .key = "tls.minimum",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, tls.minimum),
        .default_text = "1.2",
        .words = tls_version_words,
        .help = "The oldest version of TLS to speak.",
    },
    {
        .key = "tls.ciphers",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, tls.ciphers),
        .default_text = TLS_CIPHERS_DEFAULT,
        .help = "Ciphers of TLS 1.2, the best first: names or groups as `openssl ciphers -v` takes "
                "them, joined by colons. The default has forward secrecy and authenticated "
                "encryption. All of TLS 1.3 have both, and are always on.",
    },
    {
        .key = "auth.users_file",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, auth.users_file),
        .example = "/var/lib/pierone/users",
        .help = "File with local users, their password hashes and their teams; `pieroned user add` "
                "writes it. Read again when it changes.",
    },
    {
        .key = "auth.tokeninfo_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, auth.tokeninfo_url),
        .example = "https://info.services.auth.example.org/oauth2/tokeninfo",
        .help = "Token info service (STUPS) that tells whose an OAuth 2.0 token is.",
        .aliases = (const struct setting_alias[]){{.name = "TOKENINFO_URL"},
                                                  {.name = "HTTP_TOKENINFO_URL"},
                                                  {0}},
    },
    {
        .key = "auth.iidinfo_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, auth.iidinfo_url),
        .example = "https://iidinfo.example.org/verify",
        .help = "Service that knows AWS instance identity documents: machines that present one may "
                "pull.",
        .aliases = (const struct setting_alias[]){{.name = "HTTP_IIDINFO_URL"}, {0}},
    },
    {
        .key = "auth.public_read",
        .type = SETTING_BOOL,
        .offset = offsetof(struct settings, auth.public_read),
        .default_text = "false",
        .help = "Whether whoever is not logged in may pull. Pushing always takes a login.",
        .aliases = (const struct setting_alias[]){{.name = "HTTP_ALLOW_PUBLIC_READ"}, {0}},
    },
    {
        .key = "auth.secret_file",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, auth.secret_file),
        .example = "/etc/pierone/secret",
        .help =
            "File with the secret that protects the keys of the registry's own tokens: at least "
            "32 bytes, the same wherever the data go. Not set: one of its own, in the data folder.",
    },
    {
        .key = "auth.token_lifetime",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, auth.token_lifetime_ms),
        .default_text = "5m",
        .minimum = SETTING_MINUTE,
        .maximum = SETTING_HOUR,
        .help = "How long a token of the registry's own counts. So long, after "
                "auth.cache_time, may somebody push who has just left a team.",
    },
    {
        .key = "auth.lookup_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, auth.lookup_timeout_ms),
        .default_text = "5s",
        .minimum = 100,
        .maximum = SETTING_MINUTE,
        .help = "How long providers and team services may take to answer; then the request gets "
                "503.",
    },
    {
        .key = "auth.cache_time",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, auth.cache_time_ms),
        .default_text = "2m",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "How long what they said of a token or a team counts, at most; never beyond the "
                "token's own end. Refusals count for some seconds only.",
    },
    {
        .key = "auth.cache_entries",
        .type = SETTING_COUNT,
        .offset = offsetof(struct settings, auth.cache_entries),
        .default_text = "10000",
        .minimum = 64,
        .maximum = 1000000,
        .help = "How many tokens, and as many memberships, are remembered at once.",
    },
    {
        .key = "auth.failed_logins",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, auth.failed_logins),
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
        .offset = offsetof(struct settings, auth.oidc.issuer),
        .example = "https://login.example.org/realms/company",
        .help = "OpenID Connect issuer whose signed tokens (JWT) are accepted, exactly as their "
                "`iss` has it.",
    },
    {
        .key = "auth.oidc.audience",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, auth.oidc.audience),
        .example = "pierone",
        .help = "What a token's `aud` must hold. Not set: any; then tokens for other services of "
                "the issuer are accepted as well.",
    },
    {
        .key = "auth.oidc.jwks_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, auth.oidc.jwks_url),
        .example = "https://login.example.org/keys",
        .help = "Where the issuer's keys are, if it has no discovery document.",
    },
    {
        .key = "auth.oidc.leeway",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, auth.oidc.leeway_ms),
        .default_text = "30s",
        .minimum = 1,
        .maximum = 10 * SETTING_MINUTE,
        .help = "By how much the issuer's clock may differ from ours.",
    },
    {
        .key = "auth.introspection.url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, auth.introspection.url),
        .example = "https://login.example.org/introspect",
        .help = "Introspection endpoint (RFC 7662) that tells whose a token is.",
    },
    {
        .key = "auth.introspection.client_id",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, auth.introspection.client_id),
        .example = "pierone",
        .help = "The registry's own client at the provider, which may introspect.",
    },
    {
        .key = "auth.introspection.client_secret",
        .type = SETTING_SECRET,
        .offset = offsetof(struct settings, auth.introspection.client_secret),
        .example = "the secret of that client",
        .help = "Its secret. Better in the environment than in the file.",
    },
    {
        .key = "auth.introspection.token_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, auth.introspection.token_url),
        .example = "https://login.example.org/token",
        .help = "For providers that want a bearer token at the introspection endpoint: where the "
                "client gets one (client credentials grant). Not set: Basic.",
    },
    {
        .key = "auth.introspection.token_scope",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, auth.introspection.token_scope),
        .example = "introspect",
        .help = "The scope to ask for there.",
    },
    {
        .key = "auth.claims.name",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, auth.claims.name),
        .default_text = "uid sub",
        .help =
            "Which claim of a token (or member of what tokeninfo or introspection answer) names "
            "the user: the first of these that is there.",
    },
    {
        .key = "auth.claims.realm",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, auth.claims.realm),
        .default_text = "realm",
        .help = "Which claim tells /employees from /services.",
    },
    {
        .key = "auth.claims.scope",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, auth.claims.scope),
        .default_text = "scope scp",
        .help = "Which claim lists the scopes.",
    },
    {
        .key = "auth.claims.service",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, auth.claims.service),
        .example = "gty=client-credentials",
        .help = "For providers without realms: NAME=VALUE, the claim that marks a service; all "
                "others are employees. Not set: whoever has the same `sub` and `client_id` "
                "(RFC 9068).",
    },
    {
        .key = "login.issuer",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, login.issuer),
        .example = "https://login.example.org",
        .help = "Where `pierone login` sends people: an OpenID Connect issuer with discovery. Not "
                "set: auth.oidc.issuer.",
    },
    {
        .key = "login.client_id",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, login.client_id),
        .default_text = "pierone",
        .help = "As which client of the issuer it logs in: a public one, for the authorization "
                "code with PKCE and for the device grant.",
    },
    {
        .key = "login.scopes",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, login.scopes),
        .default_text = "openid offline_access",
        .help = "Which scopes it asks for, separated by spaces.",
    },
    {
        .key = "login.redirect_port",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, login.redirect_port),
        .default_text = "0",
        .minimum = 0,
        .maximum = 65535,
        .help = "Port of http://127.0.0.1:PORT/callback, where it awaits the browser; 0: any that "
                "is free, as RFC 8252 7.3 has it. Set it, and register that address, where the "
                "issuer compares whole addresses.",
    },
    {
        .key = "teams.claim",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, teams.claim),
        .default_text = "teams groups",
        .help = "Which claim of a token lists the teams: the first of these that is there.",
    },
    {
        .key = "teams.team_service_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, teams.team_service_url),
        .example = "https://teams.example.org",
        .help = "Team service (STUPS) that knows which teams an employee belongs to.",
        .aliases = (const struct setting_alias[]){{.name = "HTTP_TEAM_SERVICE_URL"}, {0}},
    },
    {
        .key = "teams.team_service_form",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, teams.team_service_form),
        .default_text = "accounts",
        .words = team_service_words,
        .help = "accounts: GET …/api/accounts/aws?member=NAME. user: GET …/user/NAME.",
    },
    {
        .key = "teams.kio_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, teams.kio_url),
        .example = "https://kio.example.org",
        .help = "Kio, the application registry that knows a service's team.",
        .aliases = (const struct setting_alias[]){{.name = "HTTP_KIO_URL"}, {0}},
    },
    {
        .key = "teams.kio_prefix",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, teams.kio_prefix),
        .example = "stups_",
        .help = "What stands before the application in a service's name. Not set: everything up to "
                "the last `_`.",
    },
    {
        .key = "teams.permission_service_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct settings, teams.permission_service_url),
        .example = "https://permissions.example.org",
        .help = "Permission service that answers whether the caller may act for a team.",
    },
    {
        .key = "storage.s3.bucket",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, storage.s3.bucket),
        .example = "company-layers",
        .help =
            "Bucket for all layers. Not set: they are files in the data folder. The original name "
            "STORAGE_S3_BUCKET is accepted too.",
        .aliases = (const struct setting_alias[]){{.name = "STORAGE_S3_BUCKET"}, {0}},
    },
    {
        .key = "storage.s3.region",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, storage.s3.region),
        .default_text = "us-east-1",
        .help = "The bucket's region, which signatures name. Not set: that of AWS_REGION or "
                "AWS_DEFAULT_REGION, if there is one.",
        .aliases =
            (const struct setting_alias[]){{.name = "AWS_DEFAULT_REGION", .is_of_machine = true},
                                           {.name = "AWS_REGION", .is_of_machine = true},
                                           {0}},
    },
    {
        .key = "storage.s3.endpoint",
        .type = SETTING_URL,
        .offset = offsetof(struct settings, storage.s3.endpoint),
        .example = "https://s3.example.org",
        .help = "An S3 that is not AWS: http[s]://HOST[:PORT]. Not set: AWS, over TLS.",
    },
    {
        .key = "storage.s3.public_endpoint",
        .type = SETTING_URL,
        .offset = offsetof(struct settings, storage.s3.public_endpoint),
        .example = "https://layers.example.org",
        .help = "How clients reach the same S3, if that differs: the links that pulls are sent to "
                "begin with it.",
    },
    {
        .key = "storage.s3.path_style",
        .type = SETTING_BOOL,
        .offset = offsetof(struct settings, storage.s3.path_style),
        .default_text = "false",
        .help = "Whether the bucket is the first part of the path (most S3 that are not AWS) "
                "instead of the first part of the host name.",
    },
    {
        .key = "storage.s3.prefix",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, storage.s3.prefix),
        .example = "registry/",
        .help = "Begins the keys of all objects, so that a bucket can hold more than one registry.",
    },
    {
        .key = "storage.s3.redirect",
        .type = SETTING_BOOL,
        .offset = offsetof(struct settings, storage.s3.redirect),
        .default_text = "true",
        .help = "Whether clients are sent to S3 to fetch layers themselves (307, a signed link). "
                "false: layers come through this server.",
    },
    {
        .key = "storage.s3.link_lifetime",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, storage.s3.link_lifetime_ms),
        .default_text = "5m",
        .minimum = SETTING_SECOND,
        .maximum = 7 * SETTING_DAY,
        .help = "How long such a link can be used to begin a download.",
    },
    {
        .key = "storage.s3.encryption",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, storage.s3.encryption),
        .example = "aws:kms",
        .help = "Server-side encryption: AES256, aws:kms or aws:kms:dsse. Not set: what the bucket "
                "does by default.",
    },
    {
        .key = "storage.s3.kms_key",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, storage.s3.kms_key),
        .example = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd",
        .help = "The key for aws:kms. Not set: the account's own.",
    },
    {
        .key = "storage.s3.storage_class",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, storage.s3.storage_class),
        .example = "INTELLIGENT_TIERING",
        .help = "Storage class of new objects, one that can be read at once. Not set: the bucket's "
                "standard.",
    },
    {
        .key = "storage.s3.object_lock.mode",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, storage.s3.object_lock.mode),
        .default_text = "none",
        .words = lock_words,
        .help = "Locks layers against deletion, also by the operator: governance or compliance, "
                "for object_lock.days. bucket: as the default retention of the bucket says. The "
                "bucket must have Object Lock.",
    },
    {
        .key = "storage.s3.object_lock.days",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, storage.s3.object_lock.days),
        .default_text = "3650",
        .minimum = 1,
        .maximum = 36500,
        .help = "How long a layer stays locked from its push on.",
    },
    {
        .key = "storage.s3.largest_blob",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, storage.s3.largest_blob_bytes),
        .default_text = "100000000000",
        .minimum = SETTING_GIB,
        .maximum = 5 * SETTING_TIB,
        .help = "Largest layer. S3 takes 10000 parts, and a part is in memory while it is sent: "
                "parts have 5 MiB at the beginning of a layer and up to 15 MiB at the end of the "
                "largest of 100 GB, and 1 GiB with 5 TiB.",
    },
    {
        .key = "storage.s3.upload_memory",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, storage.s3.upload_memory_bytes),
        .default_text = "256MiB",
        .minimum = 16 * SETTING_MIB,
        .maximum = 1024 * SETTING_GIB,
        .help = "Memory for the parts of all uploads together. Beyond it clients wait. At least "
                "twice the largest part (storage.s3.largest_blob).",
    },
    {
        .key = "storage.s3.upload_parts",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, storage.s3.upload_parts),
        .default_text = "4",
        .minimum = 1,
        .maximum = 64,
        .help = "Parts of one upload that are sent at once.",
    },
    {
        .key = "storage.s3.connections",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, storage.s3.connections),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Parts of all uploads that are sent at once; each has a thread and a connection.",
    },
    {
        .key = "storage.s3.downloads",
        .type = SETTING_COUNT,
        .offset = offsetof(struct settings, storage.s3.downloads),
        .default_text = "256",
        .minimum = 1,
        .maximum = 100000,
        .help = "Layers that come through this server at once, where storage.s3.redirect is false; "
                "each holds up to 1 MiB of memory. More are answered 503.",
    },
    {
        .key = "storage.s3.timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, storage.s3.timeout_ms),
        .default_text = "60s",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "How long one request to S3 may take; a part has to be through by then.",
    },
    {
        .key = "storage.s3.retry_time",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, storage.s3.retry_time_ms),
        .default_text = "30s",
        .minimum = 1,
        .maximum = SETTING_HOUR,
        .help = "How long a request that fails in passing (SlowDown, 500, 503, resets, time-outs) "
                "is repeated, with random pauses. Then the client gets 503.",
    },
    {
        .key = "log.format",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, log.format),
        .default_text = "auto",
        .words = log_format_words,
        .help = "How log lines look. auto: text on a terminal, JSON otherwise.",
    },
    {
        .key = "log.level",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, log.level),
        .default_text = "info",
        .words = log_level_words,
        .help = "The most detailed lines to log. Read again on SIGHUP.",
    },
    {
        .key = "limits.connections",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, limits.connections),
        .default_text = "16384",
        .minimum = 1,
        .maximum = 1000000,
        .help = "Connections open at once; more are answered 503. Each may need two file "
                "descriptors.",
    },
    {
        .key = "limits.connections_per_address",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, limits.connections_per_address),
        .default_text = "0",
        .minimum = 0,
        .maximum = 1000000,
        .help = "Of these, the share of one address; of IPv6, of one /64. A proxy of "
                "trusted_proxies has none; its requests that are being served count for the "
                "addresses that it tells. 0: a quarter of limits.connections, and at least 64.",
    },
    {
        .key = "limits.loops",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, limits.loops),
        .default_text = "0",
        .minimum = 0,
        .maximum = 256,
        .help = "Threads that move bytes and never wait. 0: one per core.",
    },
    {
        .key = "limits.workers",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, limits.workers),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Threads that may wait for disk or database.",
    },
    {
        .key = "limits.waiters",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, limits.waiters),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Threads that may wait for other servers: those that know tokens and teams.",
    },
    {
        .key = "limits.carriers",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct settings, limits.carriers),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Threads that carry layers to and from S3.",
    },
    {
        .key = "limits.head_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, limits.head_bytes),
        .default_text = "64KiB",
        .minimum = 4 * SETTING_KIB,
        .maximum = SETTING_MIB,
        .help = "Largest head of a request: its first line and header fields. Tokens can be large.",
    },
    {
        .key = "limits.headers",
        .type = SETTING_COUNT,
        .offset = offsetof(struct settings, limits.headers),
        .default_text = "100",
        .minimum = 16,
        .maximum = HTTP_MAX_HEADERS,
        .help = "Most header fields of a request.",
    },
    {
        .key = "limits.request_memory",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, limits.arena_bytes),
        .default_text = "16MiB",
        .minimum = SETTING_MIB,
        .maximum = SETTING_GIB,
        .help = "Memory that one request may take, where it needs any; at least twice "
                "limits.manifest_size.",
    },
    {
        .key = "limits.head_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, limits.head_timeout_ms),
        .default_text = "15s",
        .minimum = SETTING_SECOND,
        .maximum = 10 * SETTING_MINUTE,
        .help =
            "How long a request's head may take from its first byte to its end; a TLS handshake "
            "too.",
    },
    {
        .key = "limits.idle_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, limits.idle_timeout_ms),
        .default_text = "120s",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "How long a connection may rest between requests. Keep it longer than a load "
                "balancer's in front (often 60s).",
    },
    {
        .key = "limits.stall_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, limits.stall_timeout_ms),
        .default_text = "30s",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "A body, sent or received, that stays below limits.body_rate for so long ends its "
                "connection.",
    },
    {
        .key = "limits.body_rate",
        .type = SETTING_RATE,
        .offset = offsetof(struct settings, limits.body_rate_bytes_per_second),
        .default_text = "1KiB",
        .minimum = 1,
        .maximum = 100 * SETTING_MIB,
        .help = "The slowest that a body may move, averaged over limits.stall_timeout.",
    },
    {
        .key = "limits.drain_delay",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, limits.drain_delay_ms),
        .default_text = "1s",
        .minimum = 1,
        .maximum = 10 * SETTING_MINUTE,
        .help = "After SIGTERM /ready fails for so long before connections are no longer accepted. "
                "Set it longer than a load balancer needs to notice.",
    },
    {
        .key = "limits.drain_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, limits.drain_timeout_ms),
        .default_text = "20s",
        .minimum = 1,
        .maximum = SETTING_DAY,
        .help = "How long requests in flight then have to finish.",
    },
    {
        .key = "limits.discard_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, limits.discard_bytes),
        .default_text = "1MiB",
        .minimum = 1,
        .maximum = SETTING_GIB,
        .help = "How much of a refused request's body is read and dropped, so that the client sees "
                "the answer.",
    },
    {
        .key = "limits.manifest_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, manifest_max_bytes),
        .default_text = "4MiB",
        .minimum = 64 * SETTING_KIB,
        .maximum = 64 * SETTING_MIB,
        .help = "Largest manifest; a larger one is answered 413. Other registries take 4MiB.",
    },
    {
        .key = "limits.cache_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, cache_bytes),
        .default_text = "16MiB",
        .minimum = 64 * SETTING_KIB,
        .maximum = SETTING_GIB,
        .help = "Memory for manifests and small blobs that are asked for again: they are answered "
                "from it at once. What can change is never kept there.",
    },
    {
        .key = "limits.upload_lifetime",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, upload_lifetime_ms),
        .default_text = "24h",
        .minimum = SETTING_MINUTE,
        .maximum = 365 * SETTING_DAY,
        .help = "An upload that was begun and then rests for longer is discarded. What was pushed "
                "to its end stays for ever.",
    },
    {
        .key = "limits.upload_age",
        .type = SETTING_DURATION,
        .offset = offsetof(struct settings, upload_age_ms),
        .default_text = "3d",
        .minimum = SETTING_MINUTE,
        .maximum = 365 * SETTING_DAY,
        .help = "An upload that was begun longer ago is not gone on with, however busy it is.",
    },
    {
        .key = "limits.identity_uploads",
        .type = SETTING_COUNT,
        .offset = offsetof(struct settings, upload_limits.of_identity.uploads),
        .default_text = "2000",
        .minimum = 1,
        .maximum = 1000000,
        .help = "How many unfinished uploads a user or service may have; more are answered 429. A "
                "push has a handful at a time, and one that was given up leaves them until they "
                "expire.",
    },
    {
        .key = "limits.identity_upload_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, upload_limits.of_identity.bytes),
        .default_text = "1TiB",
        .minimum = SETTING_MIB,
        .maximum = 1024 * SETTING_TIB,
        .help = "How many bytes may be in the unfinished uploads of a user or service; more are "
                "answered 429.",
    },
    {
        .key = "limits.team_uploads",
        .type = SETTING_COUNT,
        .offset = offsetof(struct settings, upload_limits.of_team.uploads),
        .default_text = "4000",
        .minimum = 1,
        .maximum = 1000000,
        .help = "How many unfinished uploads a team's repositories may have, whoever pushes.",
    },
    {
        .key = "limits.team_upload_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, upload_limits.of_team.bytes),
        .default_text = "2TiB",
        .minimum = SETTING_MIB,
        .maximum = 1024 * SETTING_TIB,
        .help = "How many bytes may be in the unfinished uploads to a team's repositories.",
    },
    {
        .key = "limits.free_space",
        .type = SETTING_SIZE,
        .offset = offsetof(struct settings, free_space_bytes),
        .default_text = "1GiB",
        .minimum = 0,
        .maximum = 1024 * SETTING_TIB,
        .help = "What pushes leave free on the disk of the data folder: with less, they are "
                "answered 507, and all else goes on. 0: they may fill it.",
    },
    {
        .key = "tags.snapshots",
        .type = SETTING_BOOL,
        .offset = offsetof(struct settings, tags.snapshots),
        .default_text = "false",
        .help = "Whether tags that end in -SNAPSHOT may be moved to another image. Every move is "
                "recorded.",
    },
    {
        .key = "tags.signatures",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, tags.signatures),
        .default_text = "immutable",
        .words = signature_words,
        .help = "grow: a signature tag (sha256-….sig, .att, .sbom) may be replaced by one that "
                "holds everything of the one before.",
    },
};

const struct settings_table settings_table = {.rows = rows, .count = ARRAY_LEN(rows)};
