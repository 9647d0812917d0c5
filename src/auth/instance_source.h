#pragma once

#include "auth/identity_source.h"
#include "base/clock.h"
#include "outbound/http_client.h"

/*
 * AWS instance identity documents, as STUPS judges them: POST url, JSON {"iid_signature":
 * DOCUMENT}, 200 means that the machine is one of ours, any 4xx that it is not. Gives
 * IDENTITY_INSTANCE with the name `instance` followed by a short fingerprint of the document. Two
 * seconds, no longer.
 */
struct instance_config {
    const char *url;
    struct http_client *client; /* not owned */
    const struct clock *clock;
};

/* All borrowed, and used as long as the source lives. */
struct identity_source *instance_source_new(const struct instance_config *config);
