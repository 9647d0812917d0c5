"""Rows about many at once: idle, slow, all together; and about starting and cold caches."""

import functools
import os
import time

from support import content, load
from support.rows import ALL_SERVERS, Goal, Row, Sample, at_most
from support.rows_read import manifest_path, small_blob_path, watched

IDLE_CONNECTIONS = 2000
PROBE_CONNECTIONS = 4
PROBE_RATE = 400
SETTLE_SECONDS = 1
HERD_CLIENTS = 500
HERD_LAYERS = (2_000_000, 500_000, 50_000)
CROWD = {"uploads": 1000, "downloads": 1000, "idle": 10000}
UPLOAD_BYTES = 500_000_000
UPLOADS_WITHOUT_END = 1_000_000

ALONE = "pieroned"
IN_CROWD = "pieroned, slow crowd"
BESIDE_UPLOADS = "pieroned, 4 uploads"
# What an idle server on this machine, whose cores others use up, makes of the same probe.
CONTROL = "nginx, while pieroned has 4 uploads"
PROBES = (ALONE, IN_CROWD, BESIDE_UPLOADS, CONTROL)
TLS_PROBES = (ALONE, BESIDE_UPLOADS, CONTROL)


def _measure_idle(bench, name):
    with bench.server(name) as server:
        with load.held(bench.build, **server.load_options(), idle=IDLE_CONNECTIONS) as told:
            time.sleep(SETTLE_SECONDS)
            memory_mb = server.process.resident_mb()
            return Sample(memory_mb, memory_mb=memory_mb, failed=told["failed"])


def _measure_ready(bench, name):
    with bench.server(name) as server:
        return Sample(server.ready_seconds * 1000, memory_mb=server.process.resident_mb())


def _measure_others(is_tls, bench, name):
    """p99 of small requests at a modest, fixed rate: beside nothing, or beside others' load."""
    with bench.scratch("pieroned", is_tls) as server, bench.server("nginx", is_tls) as control:
        content.push(server, bench.image)
        probed_server = control if name == CONTROL else server
        with _others(bench, server, name) as told:
            time.sleep(SETTLE_SECONDS)
            probed, cpu, memory_mb = watched(server, lambda: _probe(bench, probed_server))
        return Sample(probed["p99_us"] / 1000, cpu * 1e6 / probed["requests"], memory_mb,
                      probed["p50_us"], probed["p99_us"], probed["failed"] + told["failed"])


def _others(bench, server, name):
    if name in (BESIDE_UPLOADS, CONTROL):
        return _Uploads(bench, server)
    crowd = CROWD if name == IN_CROWD else {}
    large = f"/v2/{content.REPOSITORY}/blobs/{content.digest_of(bench.image.layers[1])}"
    return load.held(bench.build, **server.load_options(), path=large, **crowd)


class _Uploads:
    """Four full-speed uploads that go on for longer than the probe."""

    def __init__(self, bench, server):
        self.child = load.in_background(bench.build, "upload", **server.load_options(),
                                        connections=4, count=UPLOADS_WITHOUT_END, distinct=1,
                                        bytes=UPLOAD_BYTES)

    def __enter__(self):
        time.sleep(4 * SETTLE_SECONDS)  # until it has hashed what it sends
        return {"failed": 0}

    def __exit__(self, *_):
        if self.child.poll() is not None:
            raise RuntimeError("the uploads ended before the probe did")
        self.child.kill()
        self.child.wait()


def _probe(bench, server):
    paths = [manifest_path(bench.image), small_blob_path(bench.image)]
    return load.generate(bench.build, "probe", **server.load_options(), rate=PROBE_RATE,
                         connections=PROBE_CONNECTIONS, seconds=bench.seconds, path=paths)


def _measure_herd(bench, name):
    """All clients connect and pull at the same moment what was pushed a moment ago."""
    image = content.Image(HERD_LAYERS)
    server = bench.scratch(name)
    server.fill(image)
    with server:
        base = f"/v2/{content.REPOSITORY}"
        paths = [f"{base}/manifests/{content.TAG}"]
        paths += [f"{base}/blobs/{content.digest_of(blob)}" for blob in image.blobs()]
        told, cpu, memory_mb = watched(server, lambda: load.generate(
            bench.build, "pull", **server.load_options(), connections=HERD_CLIENTS, path=paths))
        return Sample(told["seconds"] * 1000, cpu * 1e6 / HERD_CLIENTS, memory_mb, told["p50_us"],
                      told["p99_us"], told["failed"])


def _measure_cold(bench, name):
    """The first download after its bytes were dropped from the page cache; or, warm, the second."""
    name, condition = name.split(", ")
    with bench.server(name) as server:
        path = f"/v2/{content.REPOSITORY}/blobs/{content.digest_of(bench.image.layers[1])}"
        if condition == "warm":
            _download_once(bench, server, path)
        else:
            _drop_from_cache(server.folder / "data")
        told, cpu, memory_mb = watched(server, lambda: _download_once(bench, server, path))
        return Sample(told["bytes"] / 1e6 / told["seconds"], cpu / (told["bytes"] / 1e9), memory_mb,
                      failed=told["failed"])


def _download_once(bench, server, path):
    return load.generate(bench.build, "pull", **server.load_options(), connections=1, path=path)


def _drop_from_cache(folder):
    os.sync()
    for base, _, names in os.walk(folder):
        for name in names:
            fd = os.open(os.path.join(base, name), os.O_RDONLY)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def _at_most_twice(mine):
    return Goal(f"{mine}: p99 ≤ 2× unloaded", 2, (ALONE,), "value", False, mine)


_each_cold_and_warm = tuple(f"{name}, {condition}" for name in ALL_SERVERS
                            if name != "docker-registry" for condition in ("cold", "warm"))

ROWS = (
    Row("idle", f"resident with {IDLE_CONNECTIONS} idle connections", "MB", "", ALL_SERVERS,
        _measure_idle, (at_most(25, "MB"),)),
    Row("ready", "ready after start", "ms", "", ALL_SERVERS, _measure_ready, (at_most(20, "ms"),)),
    Row("others", f"p99 of {PROBE_RATE} small requests a second", "ms", "µs/req",
        PROBES, functools.partial(_measure_others, False),
        (_at_most_twice(IN_CROWD), _at_most_twice(BESIDE_UPLOADS))),
    Row("tls-others", f"TLS: p99 of {PROBE_RATE} small requests a second", "ms", "µs/req",
        TLS_PROBES, functools.partial(_measure_others, True), (_at_most_twice(BESIDE_UPLOADS),)),
    Row("herd", f"{HERD_CLIENTS} clients pull a fresh image (2.5 MB)", "ms", "µs/pull", ALL_SERVERS,
        _measure_herd, needs_content=False),
    Row("cold", "one download of 100 MB", "MB/s", "s/GB", _each_cold_and_warm, _measure_cold),
)
