"""Sweeps beside servers: how they are run, and pushes that race with them."""

import json
import os
import threading

from .images import (OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, descriptor, digest_of, new_repository)
from .registry_client import RegistryClient

LAYERS = 5
REMOVED, KILLS = 40, 5


def run_sweep(process):
    """To its good end; returns what it printed."""
    output, complaints = process.communicate()
    assert (process.returncode, complaints) == (0, ""), complaints
    return output


def has_blob(registry, repository, digest):
    return registry.get_blob(repository, digest, method="HEAD").status == 200


# -- what makes a blob young again: each says whether it worked

def ask(registry, repository, content):
    return has_blob(registry, repository, digest_of(content))


def mount(registry, repository, content):
    return registry.request("POST", f"/v2/{repository}/blobs/uploads/?mount={digest_of(content)}"
                            "&from=team/other").status == 201


def push_again(registry, repository, content):
    return registry.push_blob(repository, content).status == 201


TOUCHES = (ask, mount, push_again)


# -- races

class Sweeper:
    """Makes all blobs old all the time, and sweeps: the worst that an operator can do."""

    def __init__(self, age_all, start_sweep):
        self.age_all = age_all
        self.start_sweep = start_sweep
        self.is_over = False
        self.removed = 0
        self.kills = 0
        self.threads = [threading.Thread(target=run) for run in (self._age, self._sweep)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()

    def has_done_enough(self):
        return self.is_over or (self.removed >= REMOVED and self.kills >= KILLS)

    def _age(self):
        while not self.has_done_enough():
            self.age_all()

    def _sweep(self):
        """Every second one is killed at its first blob."""
        while not self.has_done_enough():
            process = self.start_sweep()
            if self.kills * KILLS <= self.removed:
                self.removed += process.stdout.readline().startswith("sha256:")
                process.kill()
                self.kills += 1
            self.removed += process.communicate()[0].count("sha256:")


def push_as_clients_do(registry, repository, tag, blobs, manifest):
    """HEAD, and an upload of what is missing; all of it again when the manifest is refused."""
    for attempt in range(1, 1000):
        for blob in blobs:
            if not has_blob(registry, repository, digest_of(blob)):
                reply = registry.push_blob(repository, blob)
                assert reply.status == 201, reply
        reply = registry.put_manifest(repository, tag, manifest, OCI_MANIFEST)
        if reply.status == 201:
            return attempt
        assert reply.status == 404, reply
        assert {error["code"] for error in reply.json()["errors"]} == {"MANIFEST_BLOB_UNKNOWN"}
    raise AssertionError("the push never came to its end")


def make_layered_image():
    """Blobs and manifest, with many layers each, so that pushing takes a while."""
    layers = [os.urandom(50) for _ in range(LAYERS)]
    config = json.dumps({"salt": os.urandom(8).hex()}).encode()
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                           "config": descriptor(OCI_CONFIG, config),
                           "layers": [descriptor(OCI_LAYER, layer) for layer in layers]}).encode()
    return [config, *layers], manifest


def check_pushes_beside_sweeps(port, age_all, start_sweep):
    """Pushes while sweeps run and are killed: each comes to its end, and all of it is there."""
    repository, images, failures = new_repository(), {}, []

    def push(number):
        try:
            with RegistryClient(port) as registry:
                while not sweeper.has_done_enough():
                    blobs, manifest = make_layered_image()
                    tag = f"{number}.{len(images)}"
                    push_as_clients_do(registry, repository, tag, blobs, manifest)
                    images[tag] = blobs, manifest
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    with Sweeper(age_all, start_sweep) as sweeper:
        pushers = [threading.Thread(target=push, args=(number,)) for number in range(2)]
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join()
    assert failures == [], repr(failures)
    with RegistryClient(port) as registry:
        for tag, (blobs, manifest) in images.items():
            assert registry.get_manifest(repository, tag).body == manifest
            for blob in blobs:
                assert registry.get_blob(repository, digest_of(blob)).body == blob
