"""Waiting for what happens in another process: polling with a deadline, never a fixed time."""

import time

# Generous: a server with sanitizers on a busy machine. Only a failing test waits so long.
PATIENCE_S = 120
POLL_S = 0.01


def wait_until(condition, what, patience_s=PATIENCE_S):
    """Calls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + patience_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience_s} s for {what}")
        time.sleep(POLL_S)
