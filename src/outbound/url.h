#pragma once

#include "base/strbuf.h"

/* Appends bytes as a part of a path, a query or a form: all but RFC 3986's unreserved characters
 * are percent-encoded. */
void url_append_encoded(struct strbuf *buf, struct str bytes);

/* Appends `name=value` to a query or form, both encoded, with `&` before all but the first. */
void url_append_parameter(struct strbuf *buf, const char *name, struct str value);
