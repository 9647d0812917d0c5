#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/team_source.h"
#include "base/arena.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/log.h"
#include "blobs/s3_objects.h"
#include "http/limits.h"
#include "http/tls.h"
#include "registry/registry.h"
#include "settings/load.h"
#include "settings/problems.h"
#include "settings/schema.h"

enum log_format_choice { LOG_FORMAT_AUTO = 0, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum signature_choice { SIGNATURES_IMMUTABLE = 0, SIGNATURES_GROW };

/* What operators decide. Texts are never empty. */
struct settings {
    const char *listen;
    const char *data;
    const char *public_url; /* NULL: not set */
    bool allow_open;
    const char *trusted_proxies; /* NULL: none */
    const char *ca_file;         /* NULL: the system's */
    struct {
        const char *tokeninfo_url; /* NULL: not used, as all URLs below */
        struct {
            const char *url;
            const char *client_id;
            const char *client_secret;
            const char *token_url;
            const char *token_scope;
        } introspection;
        struct {
            const char *issuer;
            const char *audience;
            const char *jwks_url;
            int64_t leeway_ms;
        } oidc;
        const char *users_file;
        const char *iidinfo_url;
        bool public_read;
        const char *secret_file; /* NULL: one of its own in the data folder */
        int64_t token_lifetime_ms;
        int64_t lookup_timeout_ms;
        int64_t cache_time_ms;
        size_t cache_entries;
        unsigned failed_logins;
        struct {
            const char *name;
            const char *realm;
            const char *scope;
            const char *service;
        } claims;
    } auth;
    struct {
        const char *claim;
        const char *team_service_url;
        enum team_service_form team_service_form;
        const char *kio_url;
        const char *kio_prefix;
        const char *permission_service_url;
    } teams;
    struct {
        const char *issuer; /* NULL: auth.oidc.issuer */
        const char *client_id;
        const char *scopes;
        unsigned redirect_port;
    } login;
    struct tls_config tls;
    struct {
        struct {
            const char *bucket; /* NULL: blobs are in the data folder */
            const char *region;
            const char *endpoint;        /* NULL: AWS's */
            const char *public_endpoint; /* NULL: the endpoint */
            const char *prefix;          /* NULL: none */
            bool path_style;
            bool redirect;
            int64_t link_lifetime_ms;
            const char *encryption; /* NULL: the bucket's, as the next two */
            const char *kms_key;
            const char *storage_class;
            struct {
                enum s3_lock_mode mode;
                unsigned days;
            } object_lock;
            uint64_t largest_blob_bytes;
            uint64_t upload_memory_bytes;
            unsigned upload_parts;
            unsigned connections;
            size_t downloads;
            int64_t timeout_ms;
            int64_t retry_time_ms;
        } s3;
    } storage;
    struct {
        enum log_format_choice format;
        enum log_level level;
    } log;
    struct http_limits limits; /* loops may be 0 here: one per core */
    uint64_t manifest_max_bytes;
    uint64_t cache_bytes;
    int64_t upload_lifetime_ms;
    int64_t upload_age_ms;
    struct upload_limits upload_limits;
    uint64_t free_space_bytes;
    struct {
        bool snapshots;
        enum signature_choice signatures;
    } tags;
    struct arena texts; /* where the texts above live */
};

/* All settings there are: their struct is struct settings. */
extern const struct settings_schema settings_schema;

/*
 * Reads and checks everything. ERROR_INVALID: `problems` says all that is wrong, and settings_out
 * is untouched. Looks at no other file than sources->file. Release with settings_release.
 */
MUST_USE enum error_code settings_load(const struct settings_sources *sources,
                                       struct settings *settings_out, struct problems *problems);
void settings_release(struct settings *settings);

/* Whether anybody is asked who they are: if not, everybody may push. */
bool settings_has_provider(const struct settings *settings);

/* All keys at their defaults. */
void settings_init(struct settings *settings);

/* For what fills them. */
struct settings_target settings_target(struct settings *settings);
