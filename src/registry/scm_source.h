#pragma once

#include "base/arena.h"
#include "metadata/sources.h"

enum { SCM_SOURCE_MAX_BYTES = 64 * 1024 };

/*
 * Reads what an image was built from: a JSON object with the strings `url` and `revision`, neither
 * of them empty, and `author` and `status`, which may be missing; other members do not matter,
 * unless their names differ from these in case only.
 * ERROR_INVALID about SOURCE says what is wrong. The strings are in the arena.
 */
MUST_USE enum error_code scm_source_parse(struct str json, struct arena *arena,
                                          struct scm_source *source_out, struct error *err);
