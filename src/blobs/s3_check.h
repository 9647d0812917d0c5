#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "blobs/s3_objects.h"

/*
 * Tries what the store will do: writes an object of a few bytes below `prefix` (NULL: none), reads
 * it, begins a multipart upload and aborts it. Appends what the bucket can do, in lines of plain
 * words: conditional writes, versioning, Object Lock. Fails as the first of what must work.
 * ERROR_INVALID: layers are to be locked, and the bucket has no Object Lock, or would lock nothing
 * by itself.
 */
MUST_USE enum error_code s3_check(const struct s3_objects *objects, const char *prefix,
                                  struct strbuf *report, struct error *err);
