#include "server/settings_check.h"

#include <inttypes.h>
#include <string.h>

#include "blobs/s3_parts.h"
#include "blobs/s3_store.h"
#include "server/listen_address.h"

static void check_open(const struct settings *settings, struct problems *problems);
static void check_provider(const struct settings *settings, struct problems *problems);
static void check_introspection(const struct settings *settings, struct problems *problems);
static void check_tls(const struct settings *settings, struct problems *problems);
static void check_memory(const struct settings *settings, struct problems *problems);
static void check_s3(const struct settings *settings, struct problems *problems);
static void check_encryption(const struct settings *settings, struct problems *problems);
static bool needs_path_style(const struct settings *settings);
static bool is_bucket_name(struct str name);
static bool is_key_text(struct str text);
static bool is_plain(struct str text, const char *others);

void settings_check(const struct settings *settings, struct problems *problems)
{
    check_open(settings, problems);
    check_provider(settings, problems);
    check_introspection(settings, problems);
    check_tls(settings, problems);
    check_memory(settings, problems);
    if (settings->storage.s3.bucket) {
        check_s3(settings, problems);
    }
}

const char *settings_warning(const struct settings *settings)
{
    struct listen_address address;

    if (!settings_has_provider(settings) || settings->tls.certificate || settings->public_url ||
        listen_address_parse(str_from(settings->listen), &address, NULL) ||
        listen_address_is_loopback(&address)) {
        return NULL;
    }
    return "clients may send their logins without TLS: set tls.certificate, or, where a proxy "
           "speaks TLS, public_url to its address (https://...)";
}

void settings_warn(const struct settings *settings, struct log *log)
{
    const char *const warning = settings_warning(settings);

    if (!settings_has_provider(settings)) {
        log_message(log, LOG_WARNING, "open",
                    "there is no identity provider: everybody who reaches this server may push");
    }
    if (warning) {
        log_message(log, LOG_WARNING, "without_tls", "%s", warning);
    }
}

static void check_open(const struct settings *settings, struct problems *problems)
{
    struct listen_address address;
    struct error err;

    if (listen_address_parse(str_from(settings->listen), &address, &err)) {
        problems_add(problems, "listen: %s", err.message);
        return;
    }
    if (!settings->allow_open && !settings_has_provider(settings) &&
        !listen_address_is_loopback(&address)) {
        problems_add(problems,
                     "listen: other machines can reach \"%s\", and without an identity provider "
                     "everybody may push: set one up (auth.users_file needs nobody else), listen "
                     "on 127.0.0.1, or set allow_open to true",
                     settings->listen);
    }
}

/* What has no meaning without a provider was meant to have one. */
static void check_provider(const struct settings *settings, struct problems *problems)
{
    const struct {
        const char *key;
        bool is_set;
    } needs[] = {
        {"auth.public_read", settings->auth.public_read},
        {"auth.oidc.audience", settings->auth.oidc.audience != NULL},
        {"auth.oidc.jwks_url", settings->auth.oidc.jwks_url != NULL},
        {"teams.team_service_url", settings->teams.team_service_url != NULL},
        {"teams.kio_url", settings->teams.kio_url != NULL},
        {"teams.permission_service_url", settings->teams.permission_service_url != NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        if (needs[i].is_set && !settings_has_provider(settings)) {
            problems_add(problems,
                         "%s: needs an identity provider: set auth.oidc.issuer, "
                         "auth.tokeninfo_url, auth.introspection.url or auth.users_file",
                         needs[i].key);
        }
    }
    if (settings->auth.claims.service && !strchr(settings->auth.claims.service, '=')) {
        problems_add(problems, "auth.claims.service: \"%s\" is not NAME=VALUE",
                     settings->auth.claims.service);
    }
}

static void check_introspection(const struct settings *settings, struct problems *problems)
{
    const bool is_set = settings->auth.introspection.url != NULL;

    if (is_set && !settings->auth.introspection.client_id) {
        problems_add(problems, "auth.introspection.client_id: is missing, "
                               "auth.introspection.url is set");
    }
    if (is_set && !settings->auth.introspection.client_secret) {
        problems_add(problems, "auth.introspection.client_secret: is missing, "
                               "auth.introspection.url is set");
    }
}

static void check_tls(const struct settings *settings, struct problems *problems)
{
    struct error err;

    if (settings->tls.certificate && !settings->tls.key) {
        problems_add(problems, "tls.key: is missing, tls.certificate is set");
    }
    if (settings->tls.key && !settings->tls.certificate) {
        problems_add(problems, "tls.certificate: is missing, tls.key is set");
    }
    if (tls_check_ciphers(settings->tls.ciphers, &err)) {
        problems_add(problems, "tls.ciphers: %s", err.message);
    }
}

/* A request that carries a manifest holds it once as it arrives and once as it is worked on. */
static void check_memory(const struct settings *settings, struct problems *problems)
{
    const uint64_t needed_bytes = 2 * settings->manifest_max_bytes;

    if (settings->limits.arena_bytes < needed_bytes) {
        problems_add(problems,
                     "limits.request_memory: must be at least twice limits.manifest_size: %" PRIu64
                     " bytes",
                     needed_bytes);
    }
}

static void check_s3(const struct settings *settings, struct problems *problems)
{
    const struct str prefix = str_from(settings->storage.s3.prefix);
    const uint64_t memory_bytes = settings->storage.s3.upload_memory_bytes;
    const uint64_t part_bytes = s3_parts_largest(settings->storage.s3.largest_blob_bytes);

    if (!is_bucket_name(str_from(settings->storage.s3.bucket))) {
        problems_add(problems,
                     "storage.s3.bucket: \"%s\" is not a bucket's name: 3 to 63 small "
                     "letters, digits, dots and hyphens",
                     settings->storage.s3.bucket);
    }
    if (!is_plain(str_from(settings->storage.s3.region), "-_")) {
        problems_add(problems, "storage.s3.region: letters, digits and -_ are allowed");
    }
    if (needs_path_style(settings)) {
        problems_add(problems, "storage.s3.path_style: must be true: no certificate fits a "
                               "bucket's name with dots in front of a host name");
    }
    if (prefix.length > S3_PREFIX_MAX_BYTES || !is_key_text(prefix)) {
        problems_add(problems,
                     "storage.s3.prefix: up to %d letters, digits and -_./ are allowed, and no "
                     "part of it may be empty, . or ..",
                     S3_PREFIX_MAX_BYTES);
    }
    if (memory_bytes < 2 * part_bytes) {
        problems_add(problems,
                     "storage.s3.upload_memory: must be at least %" PRIu64
                     " bytes, two of the largest parts that storage.s3.largest_blob needs",
                     2 * part_bytes);
    }
    check_encryption(settings, problems);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, x-amz-server-side-encryption
 */
static void check_encryption(const struct settings *settings, struct problems *problems)
{
    const char *encryption = settings->storage.s3.encryption;
    const struct str name = str_from(encryption);
    const bool has_key = str_is(name, "aws:kms") || str_is(name, "aws:kms:dsse");

    if (encryption && !has_key && !str_is(name, "AES256")) {
        problems_add(problems,
                     "storage.s3.encryption: \"%s\" is none of AES256, aws:kms, "
                     "aws:kms:dsse",
                     encryption);
    }
    if (settings->storage.s3.kms_key && !has_key) {
        problems_add(problems, "storage.s3.kms_key: needs storage.s3.encryption: aws:kms");
    }
}

/* A wildcard of a certificate stands for one label (RFC 9110 4.3.4 refers to RFC 6125 6.4.3). */
static bool needs_path_style(const struct settings *settings)
{
    const char *endpoint = settings->storage.s3.endpoint;
    const bool is_tls = !endpoint || str_starts_with(str_from(endpoint), "https:");

    return is_tls && !settings->storage.s3.path_style &&
           strchr(settings->storage.s3.bucket, '.') != NULL;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
static bool is_bucket_name(struct str name)
{
    bool is_right = name.length >= 3 && name.length <= 63;

    for (size_t i = 0; i < name.length; i++) {
        const char byte = name.bytes[i];

        is_right = is_right && ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                                byte == '.' || byte == '-');
    }
    return is_right;
}

/*
 * Keys go into URLs, lines and messages as they are; and `//` or `..` would be another key to
 * whoever tidies paths on the way to S3.
 */
static bool is_key_text(struct str text)
{
    while (text.length > 0) {
        const struct str part = str_slice(text, 0, str_index_of(text, '/'));

        if (part.length == 0 || str_is(part, ".") || str_is(part, "..") || !is_plain(part, "-_.")) {
            return false;
        }
        text = str_from_index(text, part.length < text.length ? part.length + 1 : part.length);
    }
    return true;
}

/* Letters, digits and these. */
static bool is_plain(struct str text, const char *others)
{
    bool is_right = true;

    for (size_t i = 0; i < text.length; i++) {
        const char byte = text.bytes[i];

        is_right = is_right && ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                                (byte >= '0' && byte <= '9') || strchr(others, byte) != NULL);
    }
    return is_right;
}
