#pragma once

#include "base/error.h"
#include "base/strbuf.h"

/* Files of a person's own: mode 0600, never half-written. */

/* Appends a file's content. ERROR_NOT_FOUND: there is none. ERROR_INVALID: it cannot be read, or is
 * longer than buf may be; the message names it. */
MUST_USE enum error_code private_file_read(const char *path, struct strbuf *buf, struct error *err);

/*
 * Replaces a file by another one with that content, in one step; a symbolic link stays one, and
 * root leaves the file to its owner. Makes the folders above it (0700). ERROR_INVALID says which
 * path cannot be written, and why.
 */
MUST_USE enum error_code private_file_write(const char *path, struct str content,
                                            struct error *err);

/*
 * Holds a lock beside the file (`PATH.lock`) against other processes that ask for it; waits for
 * them. Closing the descriptor releases it. ERROR_INVALID as from writing.
 */
MUST_USE enum error_code private_file_lock(const char *path, int *fd_out, struct error *err);
