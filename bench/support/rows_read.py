"""Rows that only read, by wrk: these run against any registry."""

import functools

from support import content, load
from support.rows import (ALL_SERVERS, DOCKER_REGISTRIES, MEMORY_GOAL, REGISTRIES, Row, Sample,
                          at_least)

WARM_UP_SECONDS = 1
NGINX = ("nginx",)


def measure_requests(bench, server, path, connections, method="GET"):
    """Requests per second, and the server's CPU for each."""
    with server:
        url = f"http://127.0.0.1:{server.port}{path}"
        load.wrk(url, connections, WARM_UP_SECONDS, method)
        server.process.forget_peak()
        begin = server.process.cpu_seconds()
        told = load.wrk(url, connections, bench.seconds, method)
        cpu = server.process.cpu_seconds() - begin
        return Sample(told["requests"] / told["seconds"], cpu * 1e6 / max(told["requests"], 1),
                      server.process.peak_mb(), told["p50_us"], told["p99_us"], told["failed"])


def _requests(name, title, servers, path, goals, connections=32, method="GET"):
    def measure(bench, server):
        return measure_requests(bench, server, path(bench.image), connections, method)

    return Row(name, title, "req/s", "µs/req", servers, measure, (*goals, MEMORY_GOAL))


def _manifest(image, by_digest=False):
    reference = content.digest_of(image.manifest) if by_digest else content.TAG
    return f"/v2/{content.REPOSITORY}/manifests/{reference}"


def _small_blob(image):
    return f"/v2/{content.REPOSITORY}/blobs/{content.digest_of(image.layers[0])}"


_by_digest = functools.partial(_manifest, by_digest=True)

ROWS = (
    _requests("manifest-get", "manifest GET by tag, 32 connections", ALL_SERVERS, _manifest,
              (at_least(30, DOCKER_REGISTRIES), at_least(0.9, NGINX))),
    _requests("manifest-get-digest", "manifest GET by digest, 32 connections", ALL_SERVERS,
              _by_digest, (at_least(30, DOCKER_REGISTRIES), at_least(0.9, NGINX))),
    _requests("manifest-head", "manifest HEAD by tag, 32 connections", ALL_SERVERS, _manifest,
              (at_least(30, DOCKER_REGISTRIES),), method="HEAD"),
    _requests("blob-head", "blob HEAD, 32 connections", ALL_SERVERS, _small_blob,
              (at_least(30, DOCKER_REGISTRIES),), method="HEAD"),
    _requests("blob-get-1k", "blob GET of 1 KB, 16 connections", ALL_SERVERS, _small_blob,
              (at_least(40, DOCKER_REGISTRIES),), connections=16),
)
