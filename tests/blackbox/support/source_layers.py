"""Layers that tell what an image was built from, in each compression, and images made of them."""

import gzip
import io
import json
import subprocess
import tarfile
import zlib

from .images import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Image, descriptor

OCI_TAR = "application/vnd.oci.image.layer.v1.tar"
LAYER_MAX_BYTES = 16 * 1024 * 1024  # a larger layer is not looked into
FILE_NAME = "scm-source.json"


def source_of(url):
    return {"url": url, "revision": "abc123", "author": "jdoe", "status": " M file"}


def tar_of(name, content):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def source_tar(url):
    return tar_of(FILE_NAME, json.dumps(source_of(url)).encode())


def zstd(content, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=content, stdout=subprocess.PIPE,
                          check=True).stdout


# How a layer is compressed: media type, and what makes it of a tar archive.
COMPRESSIONS = {
    "plain": (OCI_TAR, lambda content: content),
    "gzip": (OCI_TAR + "+gzip", lambda content: gzip.compress(content, mtime=0)),
    "zstd": (OCI_TAR + "+zstd", zstd),
}


def image_of(*layers, architecture="amd64"):
    """Of pairs of media type and bytes. The blobs of all but the last layer are in `lower`."""
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor(media_type, content) for media_type, content in layers],
    }).encode()
    return LayeredImage(config, layers[-1][1], manifest, lower=[layer for _, layer in layers[:-1]])


class LayeredImage(Image):
    """With more than one layer."""

    def __init__(self, config, layer, manifest, lower):
        super().__init__(config, layer, manifest)
        self.lower = lower

    @property
    def blobs(self):
        return [*super().blobs, *self.lower]


def source_image(url, compression="gzip", **more):
    media_type, compress = COMPRESSIONS[compression]
    return image_of((media_type, compress(source_tar(url))), **more)


def index_of(*images):
    return json.dumps({
        "schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [{**descriptor(OCI_MANIFEST, image.manifest),
                       "platform": json.loads(image.config)} for image in images],
    }).encode()


def gzip_bomb():
    """A layer of the largest size that is looked into, which unpacks to a file of some 16 GB: one
    piece of a deflate stream (RFC 1951) again and again. It is cut off where it is full."""
    header = tarfile.TarInfo("zeros")
    header.size = 64 * 1024 ** 3
    compress = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    begin = compress.compress(header.tobuf(tarfile.GNU_FORMAT)) + compress.flush(zlib.Z_FULL_FLUSH)
    piece = compress.compress(bytes(64 * 1024 ** 2)) + compress.flush(zlib.Z_FULL_FLUSH)
    bomb = b"\x1f\x8b\x08" + bytes(7) + begin
    bomb += piece * ((LAYER_MAX_BYTES - len(bomb)) // len(piece))
    assert len(bomb) > LAYER_MAX_BYTES - len(piece)
    return bomb


def zstd_bomb():
    """Zeros without end, and a window as large as decoders take without being asked."""
    zeros = tar_of("zeros", bytes(600 * 1024 ** 2))
    return zstd(zeros, "--long=27")
