#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"

enum { SECRET_MIN_BYTES = 32, SECRET_MAX_BYTES = 4096 };

/*
 * Reads a secret, without the white space at its end. ERROR_NOT_FOUND: there is no such file.
 * ERROR_INVALID: too short, too long, or others may read it; err says what to do.
 */
MUST_USE enum error_code secret_file_read(const char *path, struct strbuf *secret_out,
                                          struct error *err);

/* The same, and makes the file first if it is missing: random, durable, mode 0600. */
MUST_USE enum error_code secret_file_need(const char *path, struct strbuf *secret_out,
                                          struct error *err);
