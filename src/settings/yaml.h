#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

/*
 * The part of YAML that settings need: mappings of mappings of scalars, flattened. Knows nothing
 * of settings. libyaml stays behind this header.
 */
enum yaml_kind {
    YAML_VALUE,
    YAML_NULL,    /* `key:`, `key: ~` or `key: null` */
    YAML_SECTION, /* a mapping; what it holds follows */
};

struct yaml_entry {
    const char *path; /* keys joined by dots */
    unsigned line;    /* of the last key */
    enum yaml_kind kind;
    struct str value; /* of a YAML_VALUE */
};

enum { YAML_MAX_DEPTH = 8, YAML_MAX_ENTRIES = 1000, YAML_MAX_KEY_BYTES = 128 };

struct yaml_entries {
    struct arena texts;
    size_t count;
    struct yaml_entry *list;
};

/*
 * In the order of the text, no path twice. `name` is the file's. ERROR_INVALID: err says name, line
 * and what is wrong: not UTF-8, no YAML, or more of it than settings need (lists, anchors, aliases,
 * tags, several documents, keys that are no plain words). Release with yaml_entries_release.
 */
MUST_USE enum error_code yaml_entries_read(const char *name, struct str text,
                                           struct yaml_entries *entries_out, struct error *err);
void yaml_entries_release(struct yaml_entries *entries);
