#pragma once

#include "api/call.h"

/* The line that the log has of each request: what was asked and answered, by and for whom. */
void request_log_write(const struct call *call, bool is_sent);
