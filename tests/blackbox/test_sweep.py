"""`pieroned sweep`: what no manifest names can go, beside a running server, and nothing else ever."""

import contextlib
import json
import os
import sqlite3
import subprocess
import threading
import time

import pytest

from support.images import (OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, descriptor,
                            digest_of, make_image, new_repository)
from support.registry_client import RegistryClient

OLD_S = 2 * 24 * 3600
LAYERS = 5
REMOVED, KILLS = 40, 5


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def registry(server, client):
    return client(server)


def blob_path(server, digest):
    algorithm, name = digest.split(":")
    return server.folder / "data" / "blobs" / algorithm / name[:2] / name


def age(server, *digests):
    """As if nobody had touched them for two days."""
    then = time.time() - OLD_S
    for digest in digests:
        os.utime(blob_path(server, digest), (then, then))


def start_sweep(server, *arguments):
    return subprocess.Popen([server.binary, "sweep", "--data", server.folder / "data", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def sweep(server, *arguments):
    process = start_sweep(server, *arguments)
    output, complaints = process.communicate()
    assert (process.returncode, complaints) == (0, ""), complaints
    return output


def has_blob(registry, repository, digest):
    return registry.get_blob(repository, digest, method="HEAD").status == 200


def test_blobs_that_nothing_names_are_listed_and_only_then_removed(server, registry):
    repository, image, orphan = new_repository(), make_image(), os.urandom(1000)
    assert registry.push_image(repository, "1", image).status == 201
    assert registry.push_blob(repository, orphan).status == 201
    assert "\n0 blobs" in "\n" + sweep(server, "--delete")
    age(server, digest_of(orphan), *(digest_of(blob) for blob in image.blobs))
    for _ in range(2):
        listed = sweep(server)
        assert f"{digest_of(orphan)} 1000 bytes" in listed
        assert "\n1 blobs that no manifest names, 1000 bytes: nothing was removed" in listed
    assert "1000 bytes: removed" in sweep(server, "--delete")
    assert not blob_path(server, digest_of(orphan)).exists()
    assert not has_blob(registry, repository, digest_of(orphan))
    for blob in image.blobs:
        assert registry.get_blob(repository, digest_of(blob)).body == blob
    assert "\n0 blobs" in "\n" + sweep(server, "--delete")


def test_manifest_that_counts_on_a_swept_blob_is_refused_until_it_is_back(server, registry):
    repository, image = new_repository(), make_image(os.urandom(100))
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    assert has_blob(registry, repository, digest_of(image.layer))
    age(server, digest_of(image.layer))
    sweep(server, "--delete")
    reply = registry.put_manifest(repository, "1", image.manifest, image.media_type)
    assert (reply.status, reply.error_code()) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert not has_blob(registry, repository, digest_of(image.layer))
    assert registry.push_blob(repository, image.layer).status == 201
    assert registry.put_manifest(repository, "1", image.manifest, image.media_type).status == 201
    assert registry.get_blob(repository, digest_of(image.layer)).body == image.layer


def ask(registry, repository, content):
    return has_blob(registry, repository, digest_of(content))


def mount(registry, repository, content):
    return registry.request("POST", f"/v2/{repository}/blobs/uploads/?mount={digest_of(content)}"
                            "&from=team/other").status == 201


def push_again(registry, repository, content):
    return registry.push_blob(repository, content).status == 201


@pytest.mark.parametrize("touch", [ask, mount, push_again])
def test_blob_that_somebody_counts_on_is_young_again(server, registry, touch):
    repository, orphan = new_repository(), os.urandom(100)
    assert registry.push_blob(repository, orphan).status == 201
    age(server, digest_of(orphan))
    assert touch(registry, repository, orphan)
    assert "\n0 blobs" in "\n" + sweep(server, "--delete")


def test_blobs_that_an_index_names_stay(server, registry):
    """BuildKit's cache: layers, in an index."""
    repository, layer = new_repository(), os.urandom(100)
    assert registry.push_blob(repository, layer).status == 201
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX,
                        "manifests": [descriptor(OCI_LAYER, layer)]}).encode()
    assert registry.put_manifest(repository, "cache", index, OCI_INDEX).status == 201
    age(server, digest_of(layer))
    assert "\n0 blobs" in "\n" + sweep(server, "--delete")
    assert registry.get_blob(repository, digest_of(layer)).body == layer


class Sweeper:
    """Makes all blobs old all the time, and sweeps: the worst that an operator can do."""

    def __init__(self, server):
        self.server = server
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
            for path in (self.server.folder / "data" / "blobs" / "sha256").glob("*/*"):
                with contextlib.suppress(FileNotFoundError):
                    os.utime(path, (1, 1))

    def _sweep(self):
        """Every second one is killed at its first blob."""
        while not self.has_done_enough():
            process = start_sweep(self.server, "--delete")
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
                assert registry.push_blob(repository, blob).status == 201
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


def test_sweeps_that_race_with_pushes_and_are_killed_take_nothing_that_is_named(server):
    repository, images, failures = new_repository(), {}, []

    def push(number):
        try:
            with RegistryClient(server.port) as registry:
                while not sweeper.has_done_enough():
                    blobs, manifest = make_layered_image()
                    tag = f"{number}.{len(images)}"
                    push_as_clients_do(registry, repository, tag, blobs, manifest)
                    images[tag] = blobs, manifest
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    with Sweeper(server) as sweeper:
        pushers = [threading.Thread(target=push, args=(number,)) for number in range(2)]
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join()
    assert failures == []
    with RegistryClient(server.port) as registry:
        for tag, (blobs, manifest) in images.items():
            assert registry.get_manifest(repository, tag).body == manifest
            for blob in blobs:
                assert registry.get_blob(repository, digest_of(blob)).body == blob


def test_sweep_that_was_killed_between_mark_and_bytes_left_nothing_wrong(server, registry):
    """The mark, as it leaves it: the blob counts as gone, and a push takes it back."""
    repository, image = new_repository(), make_image(os.urandom(100))
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    digest = digest_of(image.layer)
    with contextlib.closing(sqlite3.connect(server.folder / "data" / "metadata.sqlite")) as database:
        database.execute("insert into swept_blob values (?, 1)", [digest])
        database.commit()
    assert not has_blob(registry, repository, digest)
    assert push_as_clients_do(registry, repository, "1", image.blobs, image.manifest) == 1
    assert registry.get_blob(repository, digest).body == image.layer
    age(server, digest)
    assert "\n0 blobs" in "\n" + sweep(server, "--delete")


def test_sweep_says_what_it_cannot_do(server):
    process = start_sweep(server, "--older-than", "1m")
    assert "limits.upload_lifetime" in process.communicate()[1]
    assert process.returncode == 1
