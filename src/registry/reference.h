#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"

enum { REPOSITORY_MAX_LENGTH = 255, TAG_MAX_LENGTH = 128 };

/* A repository's validated name, `team/artifact`; borrows. The artifact may hold further slashes.
 */
struct repository {
    struct str name; /* the whole */
    struct str team;
    struct str artifact;
};

/*
 * Checks a name against distribution-spec "Pulling manifests" (components of lower case letters and
 * digits, separated within by `.`, `_`, `__` or dashes) with at least two components. ERROR_INVALID
 * about NAME.
 */
MUST_USE enum error_code repository_parse(struct str name, struct repository *repository_out,
                                          struct error *err);

/* Checks a tag: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}. ERROR_INVALID about TAG. */
MUST_USE enum error_code tag_check(struct str tag, struct error *err);

/* What a manifest is asked for by. */
struct reference {
    bool is_digest;
    struct digest digest;
    struct str tag; /* borrows */
};

/* A text with a colon is a digest, else a tag. ERROR_INVALID about DIGEST or TAG. */
MUST_USE enum error_code reference_parse(struct str text, struct reference *reference_out,
                                         struct error *err);
