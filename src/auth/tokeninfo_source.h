#pragma once

#include "auth/claims.h"
#include "auth/identity_source.h"
#include "base/clock.h"
#include "outbound/http_client.h"

/*
 * A token info service as STUPS has it: GET url?access_token=TOKEN. 200 with JSON that names the
 * caller; any 4xx means that the token is not valid; all else, and an answer that cannot be read,
 * is ERROR_UNAVAILABLE. expires_in is respected; without it
 * an `exp` of the token itself, else it does not expire by itself.
 */
struct tokeninfo_config {
    const char *url;
    struct claim_names claims;
    struct http_client *client; /* not owned */
    const struct clock *clock;
};

/* All borrowed, and used as long as the source lives. */
struct identity_source *tokeninfo_source_new(const struct tokeninfo_config *config);
