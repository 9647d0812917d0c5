"""Rows that push: each on an empty folder, which is removed afterwards."""

import functools
import os
import time

from support import load
from support.rows import (DOCKER_REGISTRIES, MEMORY_GOAL, NEWER_REGISTRIES, REGISTRIES,
                          TLS_REGISTRIES, Row, at_least, cpu_at_most)
from support.rows_read import sample_bytes, sample_requests, watched

UPLOAD_BYTES = 500_000_000
PUSH_CLIENTS = 16
LAYER_BYTES = 4096


def _measure_uploads(connections, is_tls, bench, name):
    with bench.scratch(name, is_tls) as server:
        os.sync()
        return sample_bytes(*watched(server, lambda: load.generate(
            bench.build, "upload", **server.load_options(), connections=connections,
            count=max(bench.uploads // connections, 1), bytes=UPLOAD_BYTES)))


def _measure_pushes(is_tls, bench, name):
    with bench.scratch(name, is_tls) as server:
        os.sync()
        return sample_requests(*watched(server, lambda: push_images(bench, server)))


def push_images(bench, server, clients=PUSH_CLIENTS):
    """To a repository of this round's: in one that is there, the tags are taken."""
    return load.generate(bench.build, "push", **server.load_options(), connections=clients,
                         repository=f"team/bench-{time.time_ns()}", seconds=bench.seconds,
                         bytes=LAYER_BYTES)


def _upload(connections):
    return Row(f"upload-{connections}", f"upload of 500 MB, durable, {connections} at once", "MB/s",
               "s/GB", REGISTRIES, functools.partial(_measure_uploads, connections, False),
               (at_least(2, DOCKER_REGISTRIES), cpu_at_most(1 / 3, DOCKER_REGISTRIES),
                at_least(1.8, NEWER_REGISTRIES), cpu_at_most(0.7, NEWER_REGISTRIES), MEMORY_GOAL),
               needs_content=False)


def _upload_over_tls(connections):
    return Row(f"tls-upload-{connections}", f"TLS: upload of 500 MB, durable, {connections} at once",
               "MB/s", "s/GB", TLS_REGISTRIES, functools.partial(_measure_uploads, connections, True),
               (at_least(1.5, NEWER_REGISTRIES), cpu_at_most(0.85, NEWER_REGISTRIES), MEMORY_GOAL),
               needs_content=False)


ROWS = (
    _upload(1),
    _upload(4),
    Row("push-small", f"small images pushed, durable, {PUSH_CLIENTS} clients", "images/s",
        "µs/image", REGISTRIES, functools.partial(_measure_pushes, False),
        (at_least(5, DOCKER_REGISTRIES), at_least(10, DOCKER_REGISTRIES),
         at_least(8, NEWER_REGISTRIES), MEMORY_GOAL),
        needs_content=False),
    _upload_over_tls(1),
    _upload_over_tls(4),
    Row("tls-push-small", f"TLS: small images pushed, durable, {PUSH_CLIENTS} clients", "images/s",
        "µs/image", TLS_REGISTRIES, functools.partial(_measure_pushes, True),
        (at_least(6, NEWER_REGISTRIES), MEMORY_GOAL), needs_content=False),
)
