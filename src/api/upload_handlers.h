#pragma once

#include "api/login.h"

/* What requests about an upload have in common. */

/* Who asks, and for which upload. */
struct upload_key call_upload_key(struct call *call, char fingerprint[LOGIN_FINGERPRINT_BYTES]);

/* Whether the body belongs where the upload is, and fits: by Content-Range, if it has one. */
MUST_USE enum error_code call_check_range(struct call *call, struct error *err);

/* Whether it came to what that promised. */
MUST_USE enum error_code call_check_promise(struct call *call, struct error *err);

/* 201: the blob is there. */
void call_answer_created(struct call *call, const struct digest *digest);
