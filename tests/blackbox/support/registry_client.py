"""A small client of the OCI Distribution API: one method per request, answers as they come."""

import contextlib
import dataclasses
import http.client
import json

from .images import digest_of
from .openapi import OpenApi
from .waiting import PATIENCE_S


# All answers that tests get are held against it.
DESCRIPTION = OpenApi.load()


@dataclasses.dataclass
class Reply:
    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    def error_code(self):
        """The code of the specification's error body."""
        errors = self.json()["errors"]
        assert len(errors) == 1, errors
        return errors[0]["code"]

    def error_text(self):
        error = self.json()["errors"][0]
        return error["message"] + " " + json.dumps(error.get("detail"))


class RegistryClient:
    """Keeps its connection alive; for one thread."""

    def __init__(self, port, host="127.0.0.1", authorization=None, source=None):
        """`authorization`: a field's value that goes with each request, if it has no other."""
        self.connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S,
                                                     source_address=source and (source, 0))
        self.authorization = authorization

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None):
        """`body`: bytes, or an iterable of bytes, which is sent in chunks."""
        is_chunked = body is not None and not isinstance(body, bytes)
        usual = {"Authorization": self.authorization} if self.authorization else {}
        # Who is refused before all is sent finds the pipe broken, and the reason in it.
        with contextlib.suppress(BrokenPipeError):
            self.connection.request(method, path, body=body, headers={**usual, **(headers or {})},
                                    encode_chunked=is_chunked)
        response = self.connection.getresponse()
        reply = Reply(response.status, response.reason, response.headers, response.read())
        DESCRIPTION.check(method, path, reply.status, reply.headers, reply.body)
        return reply

    # -- blobs

    def get_blob(self, repository, digest, method="GET", **headers):
        return self.request(method, f"/v2/{repository}/blobs/{digest}", headers=headers)

    def ask_upload(self, repository):
        """What everybody who may push may do."""
        return self.request("POST", f"/v2/{repository}/blobs/uploads/")

    def begin_upload(self, repository):
        """Returns the upload's location."""
        reply = self.ask_upload(repository)
        assert reply.status == 202, reply
        return reply.headers["Location"]

    def patch_upload(self, location, body, headers=None):
        return self.request("PATCH", location, body,
                            {"Content-Type": "application/octet-stream", **(headers or {})})

    def finish_upload(self, location, digest, body=b""):
        separator = "&" if "?" in location else "?"
        return self.request("PUT", f"{location}{separator}digest={digest}", body,
                            {"Content-Type": "application/octet-stream"})

    def push_blob(self, repository, content):
        """POST and one PUT."""
        return self.finish_upload(self.begin_upload(repository), digest_of(content), content)

    def push_blob_streamed(self, repository, content):
        """POST, one PATCH without Content-Length, PUT: what docker does."""
        halves = [content[:len(content) // 2], content[len(content) // 2:]]
        patched = self.patch_upload(self.begin_upload(repository), (half for half in halves if half))
        assert patched.status == 202, patched
        return self.finish_upload(patched.headers["Location"], digest_of(content))

    def push_blob_in_chunks(self, repository, content, chunk_bytes):
        """POST, a PATCH with Content-Range for each chunk, PUT."""
        location = self.begin_upload(repository)
        for begin in range(0, len(content), chunk_bytes):
            chunk = content[begin:begin + chunk_bytes]
            reply = self.patch_upload(
                location, chunk, {"Content-Range": f"{begin}-{begin + len(chunk) - 1}"})
            assert reply.status == 202, reply
            location = reply.headers["Location"]
        return self.finish_upload(location, digest_of(content))

    # -- manifests and tags

    def put_manifest(self, repository, reference, manifest, media_type):
        return self.request("PUT", f"/v2/{repository}/manifests/{reference}", manifest,
                            {"Content-Type": media_type})

    def get_manifest(self, repository, reference, method="GET", **headers):
        return self.request(method, f"/v2/{repository}/manifests/{reference}", headers=headers)

    def list_tags(self, repository, query=""):
        return self.request("GET", f"/v2/{repository}/tags/list{query}")

    def push_image(self, repository, reference, image):
        """Blobs, then the manifest; returns the answer to the last."""
        for blob in image.blobs:
            assert self.push_blob(repository, blob).status == 201
        return self.put_manifest(repository, reference, image.manifest, image.media_type)
