#pragma once

#include "base/attributes.h"
#include "base/log.h"

/* What the operating system asks of us. */
enum signal_request {
    SIGNAL_RELOAD, /* SIGHUP */
    SIGNAL_END,    /* SIGTERM, SIGINT */
};

/*
 * Blocks these signals in this thread and all that it starts from now on, so that only signals_wait
 * sees them, and ignores SIGPIPE. Call it before the first thread starts.
 */
void signals_block(void);

/* Waits for the next request. */
MUST_USE enum signal_request signals_wait(void);

/*
 * Before the process dies of a fault of its own (abort, a wrong address), what was logged before is
 * written, if its reader takes it within a second. NULL: no more. The log must outlive that.
 */
void signals_keep_log(const struct log *log);

/* From now on SIGTERM and SIGINT end the process at once: for whoever will not wait for a drain. */
void signals_end_at_once(void);
