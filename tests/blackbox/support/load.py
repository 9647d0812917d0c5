"""Clients that push images one after the other, whatever happens, and know what they were told."""

import concurrent.futures
import contextlib
import http.client
import threading

from .images import digest_of, make_image, new_repository
from .registry_client import RegistryClient
from .waiting import wait_until

CHECKERS = 8

GONE = (OSError, http.client.HTTPException)

# What is no refusal for good: the load balancer found nobody, or an instance asks to come again.
PASSING = {408, 429, 500, 502, 503, 504}


class Refused(Exception):
    """With the status, or what happened to the connection."""


class Pusher(threading.Thread):
    """
    Pushes an image under a tag of its own until it is acknowledged, then the next one. What it is
    refused, it does again, from the image's first blob on, as a pipeline that is run again.
    """

    def __init__(self, port, repository):
        super().__init__()
        self.port = port
        self.repository = repository
        self.acknowledged = {}  # tag -> image
        self.refusals = []
        self.failure = None
        self.is_ending = False

    def run(self):
        number = 0
        while not self.is_ending and self.failure is None:
            number += 1
            self._push_until_acknowledged(str(number), make_image())

    def _push_until_acknowledged(self, tag, image):
        while not self.failure:
            try:
                with RegistryClient(self.port) as registry:
                    self._push(registry, tag, image)
                self.acknowledged[tag] = image
                return
            except (Refused, *GONE) as refusal:
                self.refusals.append(refusal)
            except AssertionError as failure:  # an answer that is none of those expected
                self.failure = failure

    def _push(self, registry, tag, image):
        for blob in image.blobs:
            location = self._ask(202, registry.ask_upload, self.repository).headers["Location"]
            location = self._ask(202, registry.patch_upload, location, blob).headers["Location"]
            self._ask(201, registry.finish_upload, location, digest_of(blob))
        self._ask(201, registry.put_manifest, self.repository, tag, image.manifest,
                  image.media_type)

    def _ask(self, wanted, function, *arguments):
        reply = function(*arguments)
        if reply.status in PASSING:
            raise Refused(f"{reply.status} {reply.body[:200]!r}")
        # An upload may have been of an instance's memory alone, which was killed before its end.
        if reply.status == 404 and b"BLOB_UPLOAD_UNKNOWN" in reply.body:
            raise Refused(reply.body)
        assert reply.status == wanted, reply
        return reply

    def check(self, port):
        """All that was acknowledged is there; of the newest image, each byte is looked at."""
        assert self.failure is None, self.failure
        with RegistryClient(port) as registry:
            for tag, image in self.acknowledged.items():
                reply = registry.get_manifest(self.repository, tag)
                assert (reply.status, reply.body) == (200, image.manifest), (tag, reply)
                for blob in image.blobs:
                    found = registry.get_blob(self.repository, digest_of(blob), "HEAD")
                    assert found.status == 200, (tag, found)
            for blob in list(self.acknowledged.values())[-1].blobs:
                assert registry.get_blob(self.repository, digest_of(blob)).body == blob


class Load:
    """So many of them at once."""

    def __init__(self, port, count):
        self.pushers = [Pusher(port, new_repository()) for _ in range(count)]

    def count(self):
        return sum(len(pusher.acknowledged) for pusher in self.pushers)

    def refusals(self):
        return [refusal for pusher in self.pushers for refusal in pusher.refusals]

    def wait_for(self, more):
        """Until so many more images are acknowledged."""
        enough = self.count() + more
        wait_until(lambda: self.count() >= enough or self._failure(), f"{more} pushes")
        assert not self._failure(), self._failure()

    def wait_for_each(self):
        """Until each client has one more."""
        before = [len(pusher.acknowledged) for pusher in self.pushers]
        wait_until(lambda: self._failure() or all(
            len(pusher.acknowledged) > count for pusher, count in zip(self.pushers, before)),
            "each client to push once more")
        assert not self._failure(), self._failure()

    def check(self, *ports):
        """Whoever is asked has all of it: the clients' images are told to the ports in turn."""
        with concurrent.futures.ThreadPoolExecutor(CHECKERS) as pool:
            checks = [pool.submit(pusher.check, ports[number % len(ports)])
                      for number, pusher in enumerate(self.pushers)]
            for check in checks:
                check.result()

    def _failure(self):
        return next((pusher.failure for pusher in self.pushers if pusher.failure), None)


@contextlib.contextmanager
def under_load(port, count):
    """Within, they push; what they are at when it ends, they finish."""
    load = Load(port, count)
    for pusher in load.pushers:
        pusher.start()
    try:
        yield load
    finally:
        for pusher in load.pushers:
            pusher.is_ending = True
        for pusher in load.pushers:
            pusher.join()
