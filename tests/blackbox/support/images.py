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
