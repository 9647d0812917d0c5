#pragma once

#include "auth/identity_source.h"
#include "auth/token_keys.h"
#include "base/clock.h"

/* The registry's own tokens as a source of identities, limited to what each grants. Decides about
 * all that claim to be one. Borrows both as long as it lives. */
struct identity_source *registry_token_source_new(struct token_keys *keys,
                                                  const struct clock *clock);
