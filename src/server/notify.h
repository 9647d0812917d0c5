#pragma once

/*
 * Tells the service manager how we are, as sd_notify(3) does: `READY=1`, `STOPPING=1`.
 * `socket_path` is the value of $NOTIFY_SOCKET; NULL: nobody wants to know. Failing changes
 * nothing.
 */
void notify_send(const char *socket_path, const char *state);
