#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/strbuf.h"

/* Appends bytes as a part of a path, a query or a form: all but RFC 3986's unreserved characters
 * are percent-encoded. */
void url_append_encoded(struct strbuf *buf, struct str bytes);

/* Appends `name=value` to a query or form, both encoded, with `&` before all but the first. */
void url_append_parameter(struct strbuf *buf, const char *name, struct str value);

/* Appends the address that a reference means in an answer from base (RFC 3986 5): `/path`, `name`,
 * `//host/path`, or a whole one. False, with nothing appended: it is none. */
MUST_USE bool url_append_resolved(struct strbuf *buf, const char *base, const char *reference);
