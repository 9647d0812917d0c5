#pragma once

#include <stdint.h>

#include "base/attributes.h"
#include "base/log.h"

/* This process towards the operating system and the service manager. */

/* Nothing that this process creates can be read by other users. */
void process_keep_files_private(void);

/* Nor what is in its memory: no core dump, no debugger of other users. */
void process_keep_memory_private(void);

/*
 * What large buffers took goes back to the system when they are freed: glibc would raise the size
 * from which that is so with each one, and keep them for the thread that had them.
 */
void process_return_memory(void);

/* Raises the limit of open files to what the system permits and returns it. */
uint64_t process_raise_descriptor_limit(void);

/* The processor cores that this process may use, at least 1. */
unsigned process_core_count(void);

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

/*
 * Tells the service manager how we are, as sd_notify(3) does: `READY=1`, `STOPPING=1`.
 * `socket_path` is the value of $NOTIFY_SOCKET; NULL: nobody wants to know. Failing changes
 * nothing.
 */
void notify_send(const char *socket_path, const char *state);
