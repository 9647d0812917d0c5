"""Tiny images, made from nothing: a config, one layer and the manifest that names them."""

import dataclasses
import gzip
import hashlib
import io
import itertools
import json
import os
import tarfile

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

_numbers = itertools.count(1)


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def new_repository(team="team"):
    """A name that no other test of this run uses."""
    return f"{team}/app-{os.getpid()}-{next(_numbers)}"


def descriptor(media_type, content):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


@dataclasses.dataclass
class Image:
    config: bytes
    layer: bytes
    manifest: bytes
    media_type: str = OCI_MANIFEST

    @property
    def digest(self):
        return digest_of(self.manifest)

    @property
    def blobs(self):
        return [self.config, self.layer]


def make_layer(content):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def make_image(content=None):
    """A new image at each call; `content` is what its one file holds."""
    content = content or f"{os.getpid()} {next(_numbers)}\n".encode()
    archive = make_layer(content)
    layer = gzip.compress(archive, mtime=0)
    config = json.dumps({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(archive)]},
    }).encode()
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor(OCI_LAYER, layer)],
    }, indent=3).encode()
    return Image(config, layer, manifest)


def make_cache(is_image_manifest):
    """As BuildKit pushes it: an index of layers and its config, or with `image-manifest=true` an image
    manifest of both."""
    layer = gzip.compress(f"cached {next(_numbers)}".encode(), mtime=0)
    config = json.dumps({"layers": [{"blob": digest_of(layer), "parent": -1}], "records": []}).encode()
    named = [descriptor(OCI_LAYER, layer), descriptor(CACHE_CONFIG, config)]
    kind = OCI_MANIFEST if is_image_manifest else OCI_INDEX
    content = {"config": named[1], "layers": named[:1]} if is_image_manifest else {"manifests": named}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, **content}).encode()
    return Image(config, layer, manifest, kind)


def make_chart():
    """As helm pushes it."""
    chart, config = f"chart {next(_numbers)}".encode(), b'{"name":"app"}'
    manifest = json.dumps({
        "schemaVersion": 2,
        "config": descriptor("application/vnd.cncf.helm.config.v1+json", config),
        "layers": [descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)],
    }).encode()
    return Image(config, chart, manifest)
