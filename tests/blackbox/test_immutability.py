"""What never changes, what may, and how both are told (docs/pushing.md)."""

import concurrent.futures
import json

import pytest

from support.images import (OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, descriptor, digest_of, make_image,
                            new_repository)
from support.registry_client import RegistryClient

COSIGN_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE_LAYER = "application/vnd.dsse.envelope.v1+json"


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def moving_registry(start_server):
    """A registry whose settings let snapshots move and signatures grow."""
    server = start_server({"tags": {"snapshots": True, "signatures": "grow"}})
    with RegistryClient(server.port) as client:
        yield client


def push(registry, repository, tag, content=None):
    """Pushes a new image; returns it."""
    image = make_image(content)
    reply = registry.push_image(repository, tag, image)
    assert reply.status == 201, reply
    return image


def put(registry, repository, tag, image):
    return registry.put_manifest(repository, tag, image.manifest, image.media_type)


def push_blobs(registry, repository, image):
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201


def pull(registry, repository, reference):
    reply = registry.get_manifest(repository, reference)
    return digest_of(reply.body) if reply.status == 200 else reply.status


# -- tags

def test_refusal_names_tag_and_both_digests(registry, repository):
    first = push(registry, repository, "1.0")
    second = make_image()
    push_blobs(registry, repository, second)
    reply = put(registry, repository, "1.0", second)
    assert (reply.status, reply.reason) == (409, "Tag Is Immutable")
    assert reply.error_code() == "DENIED"
    error = reply.json()["errors"][0]
    assert error["detail"] == {"Tag": "1.0", "existing": first.digest, "refused": second.digest}
    for part in (f"{repository}:1.0", first.digest, second.digest):
        assert part in error["message"]
    assert pull(registry, repository, "1.0") == first.digest
    assert pull(registry, repository, second.digest) == 404


def test_one_of_fifty_racing_clients_wins(server, registry, repository):
    images = [make_image() for _ in range(50)]
    for image in images:
        push_blobs(registry, repository, image)

    def race(image):
        with RegistryClient(server.port) as client:
            return put(client, repository, "1.0", image)

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(race, images))
    statuses = [reply.status for reply in replies]
    assert sorted(statuses) == [201] + [409] * 49
    winner = images[statuses.index(201)].digest
    assert pull(registry, repository, "1.0") == winner
    for reply in replies:
        if reply.status == 409:
            assert reply.json()["errors"][0]["detail"]["existing"] == winner


def test_same_digest_is_no_conflict_for_fifty(server, registry, repository):
    image = make_image()
    push_blobs(registry, repository, image)

    def race(_):
        with RegistryClient(server.port) as client:
            return put(client, repository, "1.0", image).status

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert set(pool.map(race, range(50))) == {201}


@pytest.mark.parametrize("tag", ["1-SNAPSHOT", "sha256-" + 64 * "a" + ".sig", "sha256-" + 64 * "b"])
def test_no_tag_moves_by_default(registry, repository, tag):
    first = push(registry, repository, tag)
    second = make_image()
    push_blobs(registry, repository, second)
    assert put(registry, repository, tag, second).status == 409
    assert pull(registry, repository, tag) == first.digest


# -- latest

def test_latest_is_the_newest_tag(registry, repository):
    assert pull(registry, repository, "latest") == 404
    for tag in ("2.0", "1.0", "1.5"):
        newest = push(registry, repository, tag)
        assert pull(registry, repository, "latest") == newest.digest
        head = registry.get_manifest(repository, "latest", "HEAD")
        assert head.headers["Docker-Content-Digest"] == newest.digest
    assert "latest" not in registry.list_tags(repository).json()["tags"]


def test_latest_is_no_signature(registry, repository):
    image = push(registry, repository, "1.0")
    push(registry, repository, f"sha256-{image.digest.partition(':')[2]}.sig")
    assert pull(registry, repository, "latest") == image.digest


def test_pushing_latest_asks_for_a_version(registry, repository):
    image = make_image()
    push_blobs(registry, repository, image)
    reply = put(registry, repository, "latest", image)
    assert (reply.status, reply.error_code()) == (409, "DENIED")
    assert "version tag" in reply.error_text()
    assert pull(registry, repository, image.digest) == 404
    assert registry.list_tags(repository).status == 404


def test_pushing_what_latest_is_stores_nothing(registry, repository):
    image = push(registry, repository, "1.0")
    assert put(registry, repository, "latest", image).status == 201
    assert registry.list_tags(repository).json()["tags"] == ["1.0"]
    other = make_image()
    push_blobs(registry, repository, other)
    assert put(registry, repository, "latest", other).status == 409


# -- tags that settings let move

def test_snapshots_move_and_keep_what_they_were(moving_registry, repository):
    first = push(moving_registry, repository, "1-SNAPSHOT")
    second = push(moving_registry, repository, "1-SNAPSHOT")
    assert pull(moving_registry, repository, "1-SNAPSHOT") == second.digest
    assert pull(moving_registry, repository, first.digest) == first.digest
    assert pull(moving_registry, repository, "latest") == second.digest
    back = put(moving_registry, repository, "1-SNAPSHOT", first)
    assert back.status == 201
    assert pull(moving_registry, repository, "1-SNAPSHOT") == first.digest


def test_versions_stay_beside_snapshots(moving_registry, repository):
    push(moving_registry, repository, "1")
    other = make_image()
    push_blobs(moving_registry, repository, other)
    assert put(moving_registry, repository, "1", other).status == 409


def signature(layers, layer_type=COSIGN_LAYER):
    """A manifest as cosign pushes it: a config, and a layer for each signature."""
    config = b"{}"
    return config, json.dumps({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor(layer_type, layer) for layer in layers],
    }).encode()


def put_signature(registry, repository, tag, layers, layer_type=COSIGN_LAYER):
    config, manifest = signature(layers, layer_type)
    for blob in [config, *layers]:
        assert registry.push_blob(repository, blob).status == 201
    return registry.put_manifest(repository, tag, manifest, OCI_MANIFEST)


def signature_tag(image, suffix=".sig"):
    return f"sha256-{image.digest.partition(':')[2]}{suffix}"


@pytest.mark.parametrize("layer_type, suffix", [(COSIGN_LAYER, ".sig"), (DSSE_LAYER, ".att")])
def test_signatures_grow(moving_registry, repository, layer_type, suffix):
    registry = moving_registry
    tag = signature_tag(push(registry, repository, "1"), suffix)
    for layers in ([b"one"], [b"one", b"two"], [b"two", b"one", b"three"]):
        assert put_signature(registry, repository, tag, layers, layer_type).status == 201
    _, manifest = signature([b"two", b"one", b"three"], layer_type)
    assert pull(registry, repository, tag) == digest_of(manifest)


@pytest.mark.parametrize("layers, layer_type", [
    ([b"two"], COSIGN_LAYER),
    ([], COSIGN_LAYER),
    ([b"one", b"two"], DSSE_LAYER),
    ([b"one", b"two"], "application/vnd.oci.image.layer.v1.tar"),
], ids=["one is missing", "all are missing", "of another type", "not signatures"])
def test_signatures_do_not_shrink_or_change(moving_registry, repository, layers, layer_type):
    registry = moving_registry
    tag = signature_tag(push(registry, repository, "1"))
    assert put_signature(registry, repository, tag, [b"one"]).status == 201
    assert put_signature(registry, repository, tag, layers, layer_type).status == 409


def test_signatures_of_nothing_do_not_grow(moving_registry, repository):
    registry = moving_registry
    tag = signature_tag(make_image())
    assert put_signature(registry, repository, tag, [b"one"]).status == 201
    assert put_signature(registry, repository, tag, [b"one", b"two"]).status == 409


# -- what belongs to whom

def referrer(subject, number=1):
    config = b"{}"
    return json.dumps({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.sbom",
        "config": descriptor("application/vnd.oci.empty.v1+json", config),
        "layers": [],
        "subject": descriptor(OCI_MANIFEST, subject.manifest),
        "annotations": {"number": str(number)},
    }).encode()


def test_blobs_are_everybody_s_and_manifests_are_not(registry, repository):
    image = push(registry, repository, "1")
    other = new_repository("other")
    assert registry.get_blob(other, digest_of(image.layer)).body == image.layer
    assert pull(registry, other, image.digest) == 404
    assert put(registry, other, "1", image).status == 201  # without sending a layer again
    assert pull(registry, other, image.digest) == image.digest


def test_index_needs_its_children_in_the_same_repository(registry, repository):
    image = push(registry, repository, "1")
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX,
                        "manifests": [descriptor(OCI_MANIFEST, image.manifest)]}).encode()
    assert registry.put_manifest(repository, "all", index, OCI_INDEX).status == 201
    reply = registry.put_manifest(new_repository("other"), "all", index, OCI_INDEX)
    assert (reply.status, reply.error_code()) == (404, "MANIFEST_BLOB_UNKNOWN")


def test_index_of_layers_is_taken(registry, repository):
    """BuildKit's cache: the entries of its index are blobs."""
    assert registry.push_blob(repository, b"cached layer").status == 201
    index = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", b"cached layer")],
    }).encode()
    assert registry.put_manifest(repository, "cache", index, OCI_INDEX).status == 201


def test_referrers_are_those_of_the_repository(registry, repository):
    image = push(registry, repository, "1")
    assert registry.push_blob(repository, b"{}").status == 201
    manifest = referrer(image)
    reply = registry.put_manifest(repository, digest_of(manifest), manifest, OCI_MANIFEST)
    assert (reply.status, reply.headers["OCI-Subject"]) == (201, image.digest)
    listed = registry.request("GET", f"/v2/{repository}/referrers/{image.digest}")
    assert listed.headers["Content-Type"] == OCI_INDEX
    assert [entry["digest"] for entry in listed.json()["manifests"]] == [digest_of(manifest)]
    elsewhere = registry.request("GET", f"/v2/{new_repository()}/referrers/{image.digest}")
    assert (elsewhere.status, elsewhere.json()["manifests"]) == (200, [])


# -- caching

def caching(registry, repository, reference):
    return registry.get_manifest(repository, reference).headers["Cache-Control"]


def test_digests_may_be_kept_for_ever(registry, repository):
    image = push(registry, repository, "1")
    for control in (caching(registry, repository, image.digest),
                    registry.get_blob(repository, digest_of(image.layer)).headers["Cache-Control"]):
        assert "immutable" in control and "private" in control
    assert "immutable" not in caching(registry, repository, "latest")


def test_tags_that_may_move_are_asked_for_again(moving_registry, repository):
    registry = moving_registry
    image = push(registry, repository, "1-SNAPSHOT")
    assert put_signature(registry, repository, signature_tag(image), [b"one"]).status == 201
    for tag in ("1-SNAPSHOT", "latest", signature_tag(image)):
        assert "immutable" not in caching(registry, repository, tag)
        assert "no-cache" in caching(registry, repository, tag)
