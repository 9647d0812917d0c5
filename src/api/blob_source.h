#pragma once

#include "api/call.h"

/*
 * A remote blob as a response's body, which takes the range from the response. Reads its first
 * piece, so that what cannot be had at all is an error and not a broken answer. ERROR_UNAVAILABLE:
 * that, or there are too many at once (api_config.downloads_max).
 */
MUST_USE enum error_code blob_source_open(struct call *call, const struct blob_content *content,
                                          struct http_source **source_out, struct error *err);
