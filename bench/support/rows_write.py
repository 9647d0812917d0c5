"""Rows that push: each on an empty folder, which is removed afterwards."""

import functools
import os

from support import load
from support.rows import DOCKER_REGISTRIES, MEMORY_GOAL, REGISTRIES, Row, at_least, cpu_at_most
from support.rows_read import sample_bytes, sample_requests, watched

UPLOAD_BYTES = 500_000_000
PUSH_CLIENTS = 16
LAYER_BYTES = 4096


def _measure_uploads(connections, bench, name):
    with bench.scratch(name) as server:
        os.sync()
        return sample_bytes(*watched(server, lambda: load.generate(
            bench.build, "upload", port=server.port, connections=connections,
            count=max(bench.uploads // connections, 1), bytes=UPLOAD_BYTES)))


def _measure_pushes(bench, name):
    with bench.scratch(name) as server:
        os.sync()
        return sample_requests(*watched(server, lambda: push_images(bench, server)))


def push_images(bench, server):
    return load.generate(bench.build, "push", port=server.port, connections=PUSH_CLIENTS,
                         seconds=bench.seconds, bytes=LAYER_BYTES)


def _upload(connections):
    return Row(f"upload-{connections}", f"upload of 500 MB, durable, {connections} at once", "MB/s",
               "s/GB", REGISTRIES, functools.partial(_measure_uploads, connections),
               (at_least(2, DOCKER_REGISTRIES), cpu_at_most(1 / 3, DOCKER_REGISTRIES), MEMORY_GOAL),
               needs_content=False)


ROWS = (
    _upload(1),
    _upload(4),
    Row("push-small", f"small images pushed, durable, {PUSH_CLIENTS} clients", "images/s",
        "µs/image", REGISTRIES, _measure_pushes,
        (at_least(5, DOCKER_REGISTRIES), at_least(10, DOCKER_REGISTRIES), MEMORY_GOAL),
        needs_content=False),
)
