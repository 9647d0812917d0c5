#pragma once

#include "auth/identity.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "outbound/http_client.h"

/*
 * Somebody who knows who belongs to a team: STUPS' team service, Kio, a permission service. Drivers
 * embed it as their first member and do only the asking; the directory caches.
 */
struct team_source {
    const struct team_source_driver *driver;
};

struct team_question {
    const struct identity *identity;
    const char *token; /* the caller's own: look-ups are made in their name. NULL: there is none */
    struct str team;
};

struct team_source_driver {
    const char *name; /* for messages: `team service` */

    /* Whether it knows about identities of that kind. */
    bool (*covers)(const struct team_source *source, const struct identity *identity);

    /*
     * Asks for all teams of the identity, whatever the question's is; may block. OK: appends them,
     * by team_list_append. ERROR_DENIED: it knows of none; err says so in a few words (`Kio has no
     * application x`). ERROR_UNAVAILABLE: cannot tell now (down, slow, 5xx, an answer that makes no
     * sense). NULL: it has to be asked about each team, by is_member.
     */
    enum error_code (*list)(struct team_source *source, const struct team_question *question,
                            struct strbuf *teams, struct error *err);

    /* Asks about one; the same errors. Only of those that cannot list. */
    enum error_code (*is_member)(struct team_source *source, const struct team_question *question,
                                 struct error *err);

    /* As of an identity_source. */
    enum error_code (*check)(struct team_source *source, struct strbuf *report, struct error *err);
    void (*free)(struct team_source *source);
};

/* Appends a team to a list, as a line. What could not be a team's name is left out. */
void team_list_append(struct strbuf *teams, struct str team);

/* NULL is accepted. */
void team_source_free(struct team_source *source);

enum team_service_form {
    TEAM_SERVICE_ACCOUNTS = 0, /* GET url/api/accounts/aws?member=UID */
    TEAM_SERVICE_USER,         /* GET url/user/UID */
};

/* Employees. All arguments of the three are borrowed as long as the source lives. */
struct team_source *team_service_source_new(const char *url, enum team_service_form form,
                                            struct http_client *client);

/*
 * Services: GET url/apps/APP has `team_id`. APP is the name without the prefix; a name that does
 * not begin with it belongs to no application. prefix NULL: APP is what is behind the last `_`.
 */
struct team_source *kio_source_new(const char *url, const char *prefix, struct http_client *client);

/* Both: GET url/auth with a JSON body that names policy and team; 200 is yes, another 2xx-4xx no.
 */
struct team_source *permission_source_new(const char *url, struct http_client *client);
