#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "access/team_directory.h"
#include "api/login_settings.h"
#include "auth/authenticator.h"
#include "auth/token_keys.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/exchange.h"
#include "registry/registry.h"

/*
 * The registry over HTTP: the OCI Distribution API and what operators ask for (/health, /ready).
 * Gives the application that an http_server runs.
 */
struct api;

/* How one logs in here: what /.well-known/pierone answers. Texts are borrowed. */
struct api_login {
    const char *version; /* of this program */
    struct login_settings settings;
    bool takes_tokens;
    bool takes_passwords;
};

enum { PROXIES_MAX = 64 };

/* Networks whose word on a client's address counts. IPv4 ones are held as IPv6 (RFC 4291 2.5.5.2).
 */
struct proxies {
    struct {
        struct in6_addr address;
        unsigned prefix_bits;
    } networks[PROXIES_MAX];
    size_t count;
};

/* Addresses and networks (`10.0.0.0/8 ::1`), separated by spaces. ERROR_INVALID names the wrong
 * one. */
MUST_USE enum error_code proxies_parse(struct str text, struct proxies *proxies_out,
                                       struct error *err);

struct api_config {
    struct registry *registry; /* not owned */
    struct log *log;           /* one line a request */
    const struct clock *clock;
    size_t manifest_max_bytes;
    int64_t push_patience_ms; /* how long a manifest waits for what passes; 0: not at all */
    size_t downloads_max;     /* of blobs that come through us from another server */

    /* Who may come in. No authenticator: everybody is the same and may do everything. */
    struct authenticator *authenticator; /* not owned, as the two below; all three or none */
    struct team_directory *teams;
    struct token_keys *token_keys;
    struct keyed_hash login_hash; /* the same for all instances */
    int64_t token_lifetime_ms;
    bool public_read;       /* whoever is not known may read */
    const char *read_only;  /* why nothing can be pushed; NULL: it can */
    const char *public_url; /* NULL: what the request was sent to */
    struct proxies proxies; /* whose forwarded fields count */

    struct api_login login; /* what clients are told */

    bool (*is_ready)(void *context); /* what /ready answers; NULL: always */
    void *is_ready_context;
};

struct api *api_new(const struct api_config *config);

/* NULL is accepted. */
void api_free(struct api *api);

/* Valid as long as api. */
struct http_application api_application(struct api *api);
