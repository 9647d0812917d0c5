#include "access/team_settings.h"

#include "auth/auth_settings.h"
#include "base/attributes.h"

static const char *const team_service_words[] = {
    [TEAM_SERVICE_ACCOUNTS] = "accounts",
    [TEAM_SERVICE_USER] = "user",
    NULL,
};

static const struct setting rows[] = {
    {
        .key = "teams.claim",
        .type = SETTING_TEXT,
        .offset = offsetof(struct team_settings, claim),
        .default_text = "teams groups",
        .help = "Which claim of a token lists the teams: the first of these that is there.",
    },
    {
        .key = "teams.team_service_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct team_settings, team_service_url),
        .example = "https://teams.example.org",
        .help = "Team service (STUPS) that knows which teams an employee belongs to.",
        .aliases = {{.name = "HTTP_TEAM_SERVICE_URL"}},
    },
    {
        .key = "teams.team_service_form",
        .type = SETTING_WORD,
        .offset = offsetof(struct team_settings, team_service_form),
        .default_text = "accounts",
        .words = team_service_words,
        .help = "accounts: GET …/api/accounts/aws?member=NAME. user: GET …/user/NAME.",
    },
    {
        .key = "teams.kio_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct team_settings, kio_url),
        .example = "https://kio.example.org",
        .help = "Kio, the application registry that knows a service's team.",
        .aliases = {{.name = "HTTP_KIO_URL"}},
    },
    {
        .key = "teams.kio_prefix",
        .type = SETTING_TEXT,
        .offset = offsetof(struct team_settings, kio_prefix),
        .example = "stups_",
        .help = "What stands before the application in a service's name. Not set: everything up to "
                "the last `_`.",
    },
    {
        .key = "teams.permission_service_url",
        .type = SETTING_SERVICE,
        .offset = offsetof(struct team_settings, permission_service_url),
        .example = "https://permissions.example.org",
        .help = "Permission service that answers whether the caller may act for a team.",
    },
};

const struct settings_table team_settings_table = {
    .rows = rows,
    .count = ARRAY_LEN(rows),
};

void team_settings_check_open(const struct team_settings *settings, struct problems *problems)
{
    if (settings->team_service_url) {
        auth_settings_miss_provider("teams.team_service_url", problems);
    }
    if (settings->kio_url) {
        auth_settings_miss_provider("teams.kio_url", problems);
    }
    if (settings->permission_service_url) {
        auth_settings_miss_provider("teams.permission_service_url", problems);
    }
}
