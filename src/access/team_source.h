#pragma once

#include "auth/identity.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/json_value.h"
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

/* NULL is accepted. */
void team_source_free(struct team_source *source);

/* The teams that a source which can list has; see the driver's list. */
MUST_USE enum error_code team_source_list(struct team_source *source,
                                          const struct team_question *question,
                                          struct strbuf *teams, struct error *err);

/* Whether a source that cannot list lets the identity act for the question's team. */
MUST_USE enum error_code team_source_is_member(struct team_source *source,
                                               const struct team_question *question,
                                               struct error *err);

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

/* What helps drivers: asking a team service of any kind in the caller's name. */
struct team_lookup {
    const char *service; /* its name, for messages */
    struct http_client *client;
    struct outbound_request request;
};

/*
 * OK: *json_out is the answer; free it. ERROR_NOT_FOUND: the service knows of no such thing.
 * ERROR_DENIED: there is no token to ask with, or the service refuses it. ERROR_UNAVAILABLE: there
 * is no answer that makes sense.
 */
MUST_USE enum error_code team_lookup_json(const struct team_lookup *lookup,
                                          struct json_value **json_out, struct error *err);

/* The answer's status alone; the same errors but for ERROR_NOT_FOUND. */
MUST_USE enum error_code team_lookup_status(const struct team_lookup *lookup, int *status_out,
                                            struct error *err);

/* For --check-config: any answer but 5xx, also to a request without a token, shows that the service
 * is there. */
MUST_USE enum error_code team_lookup_check(const struct team_lookup *lookup, struct strbuf *report,
                                           struct error *err);

/*
 * `BASE/PATH`, with room for one encoded name behind it; a slash at the end of base does not
 * matter. Release it.
 */
void team_url_begin(struct strbuf *url, const char *base, const char *path);

/*
 * Whether a name can be one segment of a path. Empty ones and dot segments (RFC 3986 5.2.4) lead to
 * another resource even if encoded, and slashes do where a server decodes before it splits.
 */
bool team_url_takes(struct str segment);

/* Appends a team to a list, as a line. What could not be a team's name is left out. */
void team_list_append(struct strbuf *teams, struct str team);
