"""Rows that only read."""

import functools

from support import content, load
from support.rows import (ALL_SERVERS, DOCKER_REGISTRIES, MEMORY_GOAL, NEWER_REGISTRIES, NGINX,
                          TLS_SERVERS, Row, Sample, at_least, cpu_at_most)

WARM_UP_SECONDS = 1
MB = 1e6
GB = 1e9


def by_wrk(bench, server, path, connections, seconds):
    return load.wrk(server.url(path), connections, seconds)


def by_generator(bench, server, path, connections, seconds, **options):
    return load.generate(bench.build, "request", **server.load_options(), path=path,
                         seconds=seconds, connections=connections, threads=2, **options)


def watched(server, run):
    """What run() tells, and the server's CPU seconds and peak memory meanwhile."""
    server.process.forget_peak()
    begin = server.process.cpu_seconds()
    told = run()
    return told, server.process.cpu_seconds() - begin, server.process.peak_mb()


def sample_requests(told, cpu_seconds, memory_mb):
    return Sample(told["requests"] / told["seconds"], cpu_seconds * 1e6 / max(told["requests"], 1),
                  memory_mb, told["p50_us"], told["p99_us"], told["failed"])


def sample_bytes(told, cpu_seconds, memory_mb):
    return Sample(told["bytes"] / MB / told["seconds"],
                  cpu_seconds / (told["bytes"] / GB) if told["bytes"] else None,
                  memory_mb, failed=told["failed"])


def _measure_requests(make_load, path, connections, is_tls, bench, name):
    with bench.server(name, is_tls) as server:
        make_load(bench, server, path(bench.image), connections, WARM_UP_SECONDS)
        return sample_requests(*watched(server, lambda: make_load(
            bench, server, path(bench.image), connections, bench.seconds)))


def _measure_download(connections, is_tls, bench, name):
    with bench.server(name, is_tls) as server:
        def run(seconds):
            return load.generate(bench.build, "download", **server.load_options(), seconds=seconds,
                                 connections=connections, path=_large_blob(bench.image))

        run(WARM_UP_SECONDS)
        return sample_bytes(*watched(server, lambda: run(bench.seconds)))


def manifest_path(image):
    return f"/v2/{content.REPOSITORY}/manifests/{content.TAG}"


def _manifest_by_digest(image):
    return f"/v2/{content.REPOSITORY}/manifests/{content.digest_of(image.manifest)}"


def small_blob_path(image):
    return f"/v2/{content.REPOSITORY}/blobs/{content.digest_of(image.layers[0])}"


def _large_blob(image):
    return f"/v2/{content.REPOSITORY}/blobs/{content.digest_of(image.layers[1])}"


def _requests(name, title, path, goals, connections=32, make_load=by_wrk):
    measure = functools.partial(_measure_requests, make_load, path, connections, False)
    return Row(name, f"{title}, {connections} connections", "req/s", "µs/req", ALL_SERVERS, measure,
               (*goals, MEMORY_GOAL))


def _download(connections, factor):
    return Row(f"blob-get-100m-{connections}", f"blob GET of 100 MB, {connections} at once", "MB/s",
               "s/GB", ALL_SERVERS, functools.partial(_measure_download, connections, False),
               (at_least(factor, DOCKER_REGISTRIES), cpu_at_most(1, NGINX), MEMORY_GOAL))


def _requests_over_tls(name, title, path, connections):
    measure = functools.partial(_measure_requests, by_wrk, path, connections, True)
    return Row(f"tls-{name}", f"TLS: {title}, {connections} connections", "req/s", "µs/req",
               TLS_SERVERS, measure, (at_least(1.1, NGINX), cpu_at_most(1, NGINX), MEMORY_GOAL))


def _download_over_tls(connections):
    best = (*NEWER_REGISTRIES, *NGINX)
    return Row(f"tls-blob-get-100m-{connections}", f"TLS: blob GET of 100 MB, {connections} at once",
               "MB/s", "s/GB", TLS_SERVERS, functools.partial(_measure_download, connections, True),
               (at_least(1.15, best), cpu_at_most(1, best), MEMORY_GOAL))


# wrk waits for the body that an answer to HEAD does not have.
_by_head = functools.partial(by_generator, method="HEAD")
_as_nginx = (at_least(30, DOCKER_REGISTRIES), at_least(0.9, NGINX))

ROWS = (
    _requests("manifest-get", "manifest GET by tag", manifest_path, _as_nginx),
    _requests("manifest-get-digest", "manifest GET by digest", _manifest_by_digest, _as_nginx),
    _requests("manifest-head", "manifest HEAD by tag", manifest_path,
              (at_least(30, DOCKER_REGISTRIES),), make_load=_by_head),
    _requests("blob-head", "blob HEAD", small_blob_path,
              (at_least(30, DOCKER_REGISTRIES),), make_load=_by_head),
    _requests("blob-get-1k", "blob GET of 1 KB", small_blob_path,
              (at_least(40, DOCKER_REGISTRIES),), connections=16),
    _download(1, 0.9),
    _download(16, 1.1),
    _requests_over_tls("manifest-get", "manifest GET by tag", manifest_path, 32),
    _requests_over_tls("blob-get-1k", "blob GET of 1 KB", small_blob_path, 16),
    _download_over_tls(1),
    _download_over_tls(16),
)
