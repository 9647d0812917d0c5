"""`pieroned sweep`: what no manifest names can go, beside a running server, and nothing else ever."""

import contextlib
import json
import os
import sqlite3
import subprocess
import time

import pytest

from support.images import (OCI_INDEX, OCI_LAYER, descriptor, digest_of, make_image,
                            new_repository)
from support.sweeps import (TOUCHES, check_pushes_beside_sweeps, has_blob, push_as_clients_do,
                            run_sweep)

OLD_S = 2 * 24 * 3600


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
    return run_sweep(start_sweep(server, *arguments))


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


@pytest.mark.parametrize("touch", TOUCHES)
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


def test_sweeps_that_race_with_pushes_and_are_killed_take_nothing_that_is_named(server):
    def age_all():
        for path in (server.folder / "data" / "blobs" / "sha256").glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (1, 1))

    check_pushes_beside_sweeps(server.port, age_all, lambda: start_sweep(server, "--delete"))


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
