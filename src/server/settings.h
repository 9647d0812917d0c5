#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/team_settings.h"
#include "api/login_settings.h"
#include "auth/auth_settings.h"
#include "base/arena.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/log.h"
#include "blobs/s3_settings.h"
#include "http/http_settings.h"
#include "http/tls.h"
#include "metadata/database_settings.h"
#include "registry/registry_settings.h"
#include "settings/load.h"
#include "settings/schema.h"

enum log_format_choice { LOG_FORMAT_AUTO = 0, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* What operators decide. Texts are never empty. */
struct settings {
    const char *listen;
    const char *data;
    const char *public_url; /* NULL: not set */
    bool allow_open;
    const char *read_only;       /* as it was set: see settings_read_only */
    const char *trusted_proxies; /* NULL: none */
    const char *ca_file;         /* NULL: the system's */
    struct tls_config tls;
    struct auth_settings auth;
    struct login_settings login;
    struct team_settings teams;
    struct database_settings database;
    struct {
        struct s3_settings s3;
    } storage;
    struct {
        enum log_format_choice format;
        enum log_level level;
    } log;
    struct http_limits limits; /* loops may be 0 here: one per core */
    struct registry_settings registry;
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

/* All keys at their defaults. */
void settings_init(struct settings *settings);

/* For what fills them. */
struct settings_target settings_target(struct settings *settings);

/* Adds what is wrong with settings that are right each by itself, but not together. */
void settings_check(const struct settings *settings, struct problems *problems);

/* Why nothing can be pushed; NULL: it can. */
const char *settings_read_only(const struct settings *settings);

/* How long the push of a manifest waits for what it needs. Of that, the data folder alone does not
 * come back by itself: then not at all. */
int64_t settings_push_patience_ms(const struct settings *settings);

/* What is allowed and may still be wrong: where clients would send their logins in clear. NULL:
 * nothing. */
const char *settings_warning(const struct settings *settings);

/* Logs that, that everybody may push where everybody may, and that nobody may where nobody may. */
void settings_warn(const struct settings *settings, struct log *log);
