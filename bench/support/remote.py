"""Rows against a registry that somebody runs: by its URL, with an Authorization header.

They only read, unless writing is allowed: what is pushed to an immutable registry stays there.
"""

import concurrent.futures
import http.client
import json
import os
import ssl
import time
import urllib.parse

from support import content, load
from support.rows import Row, Sample

CONNECTIONS = 16
PUSH_CLIENTS = 16
PUSH_LAYER_BYTES = 4096
ANSWER_MAX_BYTES = 4 * 1024 ** 2
ACCEPT = ", ".join((
    content.MEDIA_TYPE, "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json"))
NAME = "registry"


class Remote:
    """One image of that registry. The Authorization header comes from the environment
    (BENCH_AUTHORIZATION), where wrk finds it, too."""

    def __init__(self, url, repository, reference):
        self.url = url.rstrip("/")
        self.place = urllib.parse.urlsplit(self.url)
        self.repository = repository
        self.reference = reference
        authorization = os.environ.get("BENCH_AUTHORIZATION")
        self.headers = {"Authorization": authorization} if authorization else {}
        self.blobs = self._find_blobs()

    def connect(self):
        if self.place.scheme == "https":
            return http.client.HTTPSConnection(self.place.netloc, timeout=60,
                                               context=ssl.create_default_context())
        return http.client.HTTPConnection(self.place.netloc, timeout=60)

    def manifest_url(self):
        return self._url("manifests", self.reference)

    def blob_url(self, is_large):
        digests = sorted(self.blobs, key=self.blobs.get)
        return self._url("blobs", digests[-1 if is_large else 0])

    def blob_bytes(self, is_large):
        sizes = sorted(self.blobs.values())
        return sizes[-1 if is_large else 0]

    def _url(self, kind, reference):
        return f"{self.url}/v2/{self.repository}/{kind}/{reference}"

    def _find_blobs(self):
        """Size by digest: config and layers; of an index those of its first image."""
        manifest = self._get_manifest(self.reference)
        if "manifests" in manifest:
            self.reference = manifest["manifests"][0]["digest"]
            manifest = self._get_manifest(self.reference)
        parts = [manifest["config"], *manifest["layers"]]
        return {part["digest"]: part["size"] for part in parts}

    def _get_manifest(self, reference):
        client = self.connect()
        client.request("GET", f"{self.place.path}/v2/{self.repository}/manifests/{reference}",
                       headers={**self.headers, "Accept": ACCEPT})
        response = client.getresponse()
        body = response.read(ANSWER_MAX_BYTES)
        client.close()
        if response.status != 200:
            raise RuntimeError(f"{self.repository}:{reference}: the registry answers "
                               f"{response.status}: {body[:200]!r}")
        return json.loads(body)


def _sample(told, value):
    return Sample(value, p50_us=told["p50_us"], p99_us=told["p99_us"], failed=told["failed"])


def _requests(remote, name, title, url):
    def measure(bench, _):
        told = load.wrk(url, CONNECTIONS, bench.seconds)
        return _sample(told, told["requests"] / told["seconds"])

    return Row(name, f"{title}, {CONNECTIONS} connections", "req/s", "", (NAME,), measure,
               needs_content=False)


def _download(remote, connections):
    def measure(bench, _):
        told = load.wrk(remote.blob_url(True), connections, bench.seconds)
        return _sample(told, told["bytes"] / 1e6 / told["seconds"])

    size = remote.blob_bytes(True) / 1e6
    return Row(f"blob-large-{connections}", f"largest layer ({size:.1f} MB), {connections} at once",
               "MB/s", "", (NAME,), measure, needs_content=False)


def _measure_pushes(remote, bench):
    """By Python: it keeps up with a registry across a network, not with one beside it."""
    end = time.monotonic() + bench.seconds
    with concurrent.futures.ThreadPoolExecutor(PUSH_CLIENTS) as pool:
        done = list(pool.map(lambda _: _push_until(remote, end), range(PUSH_CLIENTS)))
    times = sorted(seconds for one in done for seconds in one)
    return Sample(len(times) / bench.seconds, p50_us=times[len(times) // 2] * 1e6,
                  p99_us=times[len(times) * 99 // 100] * 1e6)


def _push_until(remote, end):
    client = remote.connect()
    times = []
    begin = time.monotonic()
    while begin < end:
        content.push_by(client, remote.headers, content.Image((PUSH_LAYER_BYTES,)),
                        remote.repository, f"bench-{os.urandom(8).hex()}")
        times.append(time.monotonic() - begin)
        begin = time.monotonic()
    client.close()
    return times


def rows(remote, may_write):
    found = [
        _requests(remote, "manifest", "manifest GET", remote.manifest_url()),
        _requests(remote, "blob-small", f"smallest blob GET ({remote.blob_bytes(False)} bytes)",
                  remote.blob_url(False)),
        _download(remote, 1),
        _download(remote, 16),
    ]
    if may_write:
        found.append(Row("push", f"small images pushed, {PUSH_CLIENTS} clients", "images/s", "",
                         (NAME,), lambda bench, _: _measure_pushes(remote, bench),
                         needs_content=False))
    return tuple(found)
