#pragma once

#include <sys/types.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"

/* FILE_REGULAR refuses all else, and does not wait for the writer of a pipe. */
enum file_kind { FILE_ANY, FILE_REGULAR };

/*
 * Appends a small file's bytes, nothing beyond the limit of buf, and leaves no copy of them
 * elsewhere. mode_out (NULL: not wanted) is written once it is open. The words are the caller's:
 * ERROR_NOT_FOUND: there is none. ERROR_DENIED: it may not be read. ERROR_INVALID: it is not
 * regular. ERROR_TOO_LARGE: it is larger than buf may be. ERROR_INTERNAL: anything else. errno says
 * why, but for ERROR_INVALID and ERROR_TOO_LARGE.
 */
MUST_USE enum error_code file_read(const char *path, enum file_kind kind, struct strbuf *buf,
                                   mode_t *mode_out);
