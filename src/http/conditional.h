#pragma once

#include <stdbool.h>

#include "base/str.h"

/*
 * Whether an If-None-Match value (RFC 9110 13.1.2; `*` or a list, weak tags compare equal) names
 * the strong entity tag, which is given with its quotes. So that a GET is answered 304.
 */
bool http_if_none_match(struct str value, struct str etag);

/*
 * Whether an If-Range value (13.1.5) allows a part to be sent: exactly the strong tag, or an absent
 * field ({NULL, 0}).
 */
bool http_if_range(struct str value, struct str etag);
