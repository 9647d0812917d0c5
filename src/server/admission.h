#pragma once

#include <stdbool.h>

#include "access/team_directory.h"
#include "api/api.h"
#include "auth/authenticator.h"
#include "auth/token_keys.h"
#include "base/keyed_hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "metadata/metadata.h"
#include "server/settings.h"
#include "settings/schema.h"

enum { ADMISSION_SOURCES_MAX = 6, ADMISSION_TEAM_SOURCES_MAX = 3 };

/* Who may come in: everything that authenticates and knows teams, as the settings have it. */
struct admission {
    struct http_client *client;
    struct identity_source *sources[ADMISSION_SOURCES_MAX];
    size_t source_count;
    struct team_source *team_sources[ADMISSION_TEAM_SOURCES_MAX];
    size_t team_source_count;
    struct authenticator *authenticator; /* NULL: there is no provider */
    struct team_directory *teams;
    struct token_keys *token_keys;
    struct keyed_hash login_hash;
};

/* What it is made from; borrowed for as long as the admission lives. */
struct admission_config {
    const struct settings *settings;
    const char *secret_path; /* of a secret of our own, if the settings name no file */
    struct metadata *metadata;
    struct metrics *metrics; /* NULL: nothing is counted */
    struct log *log;
};

/* Without a provider: OK, with nothing in it. Asks nobody but the metadata. */
MUST_USE enum error_code admission_open(const struct admission_config *config,
                                        struct admission *admission_out, struct error *err);

/* How clients log in, as the settings have it; texts are borrowed from them. */
struct api_login admission_login(const struct settings *settings);

/* What was opened half is released too. */
void admission_release(struct admission *admission);

/* Asks each provider and each team service whether it works; appends a line for each to the report,
 * or to the problems. */
void admission_check(const struct settings *settings, struct log *log, struct strbuf *report,
                     struct problems *problems);

/* Whether there are logins, and only they say which teams one is of. What the operator is told. */
bool admission_asks_nobody_about_teams(const struct admission *admission);
#define ADMISSION_OWN_TEAMS                                                                        \
    "only those that logins name, since there is neither teams.team_service_url (for employees), " \
    "teams.kio_url (for services) nor teams.permission_service_url"
