#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json_value.h"
#include "base/str.h"
#include "base/strbuf.h"

/* The JSON objects that are read here, and by whoever trusts what was read. */
enum named_object {
    OBJECT_MANIFEST, /* an image's or an index */
    OBJECT_DESCRIPTOR,
    OBJECT_PLATFORM,
    OBJECT_CONFIG, /* an image's */
};

/*
 * ERROR_CONFLICT if an object has a member whose name is one that the specifications give such an
 * object, but for upper and lower case: see json_value_check_names. What is no object, and members
 * of other names, do not matter.
 */
MUST_USE enum error_code member_names_check(const struct json_value *object, enum named_object kind,
                                            struct error *err);

enum { MANIFEST_MAX_ANNOTATIONS_BYTES = 8 * 1024 * 1024 }; /* as JSON, escaped */

/* Something that a manifest names. Borrows from the arena. */
struct descriptor {
    struct digest digest;
    uint64_t size_bytes;
    struct str media_type;
    bool may_be_elsewhere;     /* a non-distributable layer: it need not be here */
    struct digest annotations; /* a hash of them as JSON; zero if there are none */
};

/* As manifest_parse: ERROR_INVALID and ERROR_TOO_LARGE about MANIFEST. */
MUST_USE enum error_code descriptor_parse(const struct json_value *json, struct arena *arena,
                                          struct descriptor *descriptor_out, struct error *err);

/* What else is alike wherever a manifest is read: names (see member_names_check), annotations,
 * which are appended as JSON, and the message that says why it is none. */
MUST_USE enum error_code manifest_check_names(const struct json_value *object,
                                              enum named_object kind, struct error *err);
MUST_USE enum error_code manifest_write_annotations(const struct json_value *annotations,
                                                    struct strbuf *text, struct error *err);
enum error_code manifest_invalid(struct error *err, const char *why);
