#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/json_value.h"

/* The JSON objects that are read here, and by whoever trusts what was read. */
enum named_object {
    OBJECT_MANIFEST, /* an image's or an index */
    OBJECT_DESCRIPTOR,
    OBJECT_PLATFORM,
    OBJECT_CONFIG, /* an image's */
    OBJECT_SOURCE, /* scm-source.json */
};

/*
 * ERROR_CONFLICT if an object has a member whose name is one that the specifications give such an
 * object, but for upper and lower case: see json_value_check_names. What is no object, and members
 * of other names, do not matter.
 */
MUST_USE enum error_code member_names_check(const struct json_value *object, enum named_object kind,
                                            struct error *err);
