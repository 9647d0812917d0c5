#pragma once

#include <stdbool.h>

/* Whether a status has no body by definition (1xx, 204, 304; RFC 9110 6.4.1). */
bool http_status_has_no_body(int status);

/* "Not Found" for 404; an empty phrase for a status that is not in RFC 9110 15 or RFC 6585. */
const char *http_status_reason(int status);
