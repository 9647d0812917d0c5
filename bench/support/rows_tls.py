"""Rows about TLS itself: making connections, and keeping them."""

import functools
import time

from support import load
from support.rows import MEMORY_GOAL, NGINX, TLS_SERVERS, Row, Sample, at_least, at_most, cpu_at_most
from support.rows_load import IDLE_CONNECTIONS, SETTLE_SECONDS
from support.rows_read import WARM_UP_SECONDS, sample_requests, small_blob_path, watched

CONNECTIONS = 16


def _measure_handshakes(resumes, bench, name):
    """Each request, of a blob of 1 KB, has a connection of its own."""
    with bench.server(name, True) as server:
        def run(seconds):
            return load.generate(bench.build, "handshake", **server.load_options(), seconds=seconds,
                                 connections=CONNECTIONS, resumes=int(resumes),
                                 path=small_blob_path(bench.image))

        run(WARM_UP_SECONDS)
        return sample_requests(*watched(server, lambda: run(bench.seconds)))


def _measure_idle(bench, name):
    with bench.server(name, True) as server:
        with load.held(bench.build, **server.load_options(), idle=IDLE_CONNECTIONS) as told:
            time.sleep(SETTLE_SECONDS)
            memory_mb = server.process.resident_mb()
            return Sample(memory_mb, memory_mb=memory_mb, failed=told["failed"])


def _handshakes(name, title, resumes):
    return Row(f"tls-{name}", f"TLS: a connection for each request, {title}, {CONNECTIONS} clients",
               "req/s", "µs/req", TLS_SERVERS, functools.partial(_measure_handshakes, resumes),
               (at_least(1, NGINX), cpu_at_most(1, NGINX), MEMORY_GOAL))


ROWS = (
    _handshakes("handshake", "full handshakes", False),
    _handshakes("resume", "resumed sessions", True),
    Row("tls-idle", f"TLS: resident with {IDLE_CONNECTIONS} idle connections", "MB", "", TLS_SERVERS,
        _measure_idle, (at_most(64, "MB"),)),
)
