#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"

/*
 * Asks for a secret on the terminal of standard input, without echo; the terminal is as before
 * afterwards, also if a signal ends it. ERROR_INVALID: standard input is no terminal, or is at its
 * end. The secret is initialised with strbuf_init_secret.
 */
MUST_USE enum error_code password_prompt(const char *prompt, struct strbuf *secret_out,
                                         struct error *err);

/* Reads the first line of standard input. ERROR_INVALID: there is none, it is too long, or it holds
 * a NUL character. */
MUST_USE enum error_code password_read_line(struct strbuf *secret_out, struct error *err);
