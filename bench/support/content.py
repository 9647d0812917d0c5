"""The images that are measured, and how they come into a registry."""

import hashlib
import json
import os
import urllib.parse

REPOSITORY = "team/app"
TAG = "1.0"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
SMALL_BYTES = 1024
LARGE_BYTES = 100 * 1024 * 1024


class Image:
    """One small and one large layer. Random, so that no file system can make less of them."""

    def __init__(self, layer_sizes=(SMALL_BYTES, LARGE_BYTES)):
        self.layers = [os.urandom(size) for size in layer_sizes]
        self.config = json.dumps({"architecture": "amd64", "os": "linux", "salt": os.urandom(8).hex(),
                                  "rootfs": {"type": "layers", "diff_ids": []}}).encode()
        self.manifest = json.dumps({
            "schemaVersion": 2,
            "mediaType": MEDIA_TYPE,
            "config": _descriptor("application/vnd.oci.image.config.v1+json", self.config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)
                       for layer in self.layers],
        }).encode()

    def blobs(self):
        return [self.config] + self.layers


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def push(server, image, repository=REPOSITORY, tag=TAG):
    client = server.connect()
    push_by(client, {}, image, repository, tag)
    client.close()


def push_by(client, headers, image, repository, tag):
    """As clients do it: blobs, then the manifest."""
    for blob in image.blobs():
        _push_blob(client, headers, repository, blob)
    _ask(client, "PUT", f"/v2/{repository}/manifests/{tag}", image.manifest,
         {**headers, "Content-Type": MEDIA_TYPE})


def _push_blob(client, headers, repository, blob):
    location = _ask(client, "POST", f"/v2/{repository}/blobs/uploads/", b"", headers)
    place = urllib.parse.urlsplit(location)
    query = place.query + "&" * bool(place.query) + urllib.parse.urlencode({"digest": digest_of(blob)})
    _ask(client, "PUT", f"{place.path}?{query}", blob,
         {**headers, "Content-Type": "application/octet-stream"})


def _ask(client, method, path, body, headers):
    client.request(method, path, body=body, headers=headers)
    response = client.getresponse()
    text = response.read()
    if response.status not in (201, 202):
        raise RuntimeError(f"{method} {path}: {response.status} {text[:200]!r}")
    return response.getheader("Location", "")


def _descriptor(media_type, content):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
