#pragma once

#include "access/team_source.h"
#include "settings/schema.h"

/* teams.*: who is asked who belongs to which team. */
struct team_settings {
    const char *claim;
    const char *team_service_url; /* NULL: not asked, as all URLs below */
    enum team_service_form team_service_form;
    const char *kio_url;
    const char *kio_prefix;
    const char *permission_service_url;
};

extern const struct settings_table team_settings_table;

/* Adds those that have no meaning where nobody is asked who they are. */
void team_settings_check_open(const struct team_settings *settings, struct problems *problems);
