"""What never changes, what may, and how both are told (docs/pushing.md)."""

import concurrent.futures
import json

import pytest

from support.images import (OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, descriptor, digest_of, make_cache,
                            make_chart, make_image, new_repository)
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
    """Returns the digest of what is there, or the status of the refusal."""
    reply = registry.get_manifest(repository, reference)
    return digest_of(reply.body) if reply.status == 200 else reply.status


def signature_tag(image, suffix=".sig"):
    return f"sha256-{image.digest.partition(':')[2]}{suffix}"


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
    for image, reply in zip(images, replies):
        if reply.status == 409:
            assert (reply.reason, reply.error_code()) == ("Tag Is Immutable", "DENIED")
            assert reply.json()["errors"][0]["detail"] == {
                "Tag": "1.0", "existing": winner, "refused": image.digest}


def tagged(image, *tags):
    return "?".join((image.digest, "&".join(f"tag={tag}" for tag in tags)))


def test_one_taken_tag_of_several_refuses_all(registry, repository):
    first = push(registry, repository, "1.0")
    second = make_image()
    push_blobs(registry, repository, second)
    reply = put(registry, repository, tagged(second, "2.0", "1.0", "3.0"), second)
    assert (reply.status, reply.reason, reply.error_code()) == (409, "Tag Is Immutable", "DENIED")
    assert reply.json()["errors"][0]["detail"] == {
        "Tag": "1.0", "existing": first.digest, "refused": second.digest}
    assert first.digest in reply.json()["errors"][0]["message"]
    assert "OCI-Tag" not in reply.headers
    assert registry.list_tags(repository).json()["tags"] == ["1.0"]
    assert pull(registry, repository, second.digest) == 404


def test_latest_among_several_tags_is_refused_until_it_is_so(registry, repository):
    image = make_image()
    push_blobs(registry, repository, image)
    reply = put(registry, repository, tagged(image, "1.0", "latest"), image)
    assert (reply.status, reply.error_code()) == (409, "DENIED")
    assert "the tag latest cannot be pushed" in reply.json()["errors"][0]["message"]
    assert registry.list_tags(repository).status == 404
    for tags in (["1.0"], ["1.0", "latest"], ["latest"]):
        reply = put(registry, repository, tagged(image, *tags), image)
        assert (reply.status, reply.headers.get_all("OCI-Tag")) == (201, tags)
    assert registry.list_tags(repository).json()["tags"] == ["1.0"]


def test_snapshots_among_several_tags_move_with_the_others_or_not(moving_registry, repository):
    first, second = make_image(), make_image()
    for image in (first, second):
        push_blobs(moving_registry, repository, image)
    assert put(moving_registry, repository, tagged(first, "1-SNAPSHOT", "1.0"), first).status == 201
    assert put(moving_registry, repository, tagged(second, "1-SNAPSHOT", "1.0"), second).status == 409
    assert pull(moving_registry, repository, "1-SNAPSHOT") == first.digest
    assert put(moving_registry, repository, tagged(second, "1-SNAPSHOT", "2-SNAPSHOT", "1.1"),
               second).status == 201
    for tag in ("1-SNAPSHOT", "2-SNAPSHOT", "1.1"):
        assert pull(moving_registry, repository, tag) == second.digest


def test_one_of_sixteen_racing_clients_wins_all_tags(server, registry, repository):
    tags = ["1", "1.0", "1.0.0", "1.0.0-alpine"]
    images = [make_image() for _ in range(16)]
    for image in images:
        push_blobs(registry, repository, image)

    def race(number):
        image = images[number]
        turned = tags[number % len(tags):] + tags[:number % len(tags)]
        with RegistryClient(server.port) as client:
            return put(client, repository, tagged(image, *turned), image)

    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        replies = list(pool.map(race, range(len(images))))
    statuses = [reply.status for reply in replies]
    assert sorted(statuses) == [201] + [409] * (len(images) - 1)
    winner = images[statuses.index(201)].digest
    assert {pull(registry, repository, tag) for tag in tags} == {winner}
    for image, reply in zip(images, replies):
        if reply.status == 409:
            assert reply.json()["errors"][0]["detail"]["existing"] == winner
            assert pull(registry, repository, image.digest) == 404


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


def test_nothing_can_be_deleted(registry, repository):
    image = push(registry, repository, "1.0")
    for path in ("manifests/1.0", f"manifests/{image.digest}", f"blobs/{digest_of(image.layer)}"):
        reply = registry.request("DELETE", f"/v2/{repository}/{path}")
        assert (reply.status, reply.error_code()) == (405, "UNSUPPORTED")
        allowed = reply.headers["Allow"].split(", ")
        assert {"GET", "HEAD"} <= set(allowed) <= {"GET", "HEAD", "PUT"}
        assert registry.request("HEAD", f"/v2/{repository}/{path}").status == 200


# -- latest

def test_latest_is_the_newest_tag(registry, repository):
    assert pull(registry, repository, "latest") == 404
    for tag in ("2.0", "1.0", "1.5"):
        newest = push(registry, repository, tag)
        assert pull(registry, repository, "latest") == newest.digest
        for method in ("GET", "HEAD"):
            reply = registry.get_manifest(repository, "latest", method)
            assert reply.headers["Docker-Content-Digest"] == newest.digest
            assert reply.headers["Content-Type"] == newest.media_type
    assert "latest" not in registry.list_tags(repository).json()["tags"]


def test_latest_is_no_signature(registry, repository):
    image = push(registry, repository, "1.0")
    push(registry, repository, signature_tag(image))
    assert pull(registry, repository, "latest") == image.digest


def test_latest_of_signatures_alone_is_not_there(registry, repository):
    push(registry, repository, signature_tag(make_image()))
    assert pull(registry, repository, "latest") == 404


def latest_of(registry, repository):
    """What all that know `latest` say it is."""
    team, artifact = repository.split("/")
    of_team = registry.request("GET", f"/teams/{team}/artifacts/{artifact}/tags/latest").json()
    assert of_team["digest"] == pull(registry, repository, "latest")
    return of_team["name"]


@pytest.mark.parametrize("is_image_manifest", [False, True])
def test_latest_is_no_build_cache(registry, repository, is_image_manifest):
    push(registry, repository, "1.0")
    push(registry, repository, "2.0")
    cache = make_cache(is_image_manifest)
    assert registry.push_image(repository, "cache-1", cache).status == 201
    assert latest_of(registry, repository) == "2.0"
    assert pull(registry, repository, "cache-1") == cache.digest
    assert registry.put_manifest(repository, "latest", cache.manifest, cache.media_type).status == 409


def test_latest_is_no_artifact_where_there_is_an_image(registry, repository):
    for tag in ("chart-2", "chart-1"):
        assert registry.push_image(repository, tag, make_chart()).status == 201
        assert latest_of(registry, repository) == tag
    image = push(registry, repository, "1.0")
    assert registry.push_image(repository, "chart-3", make_chart()).status == 201
    assert registry.push_blob(repository, b"{}").status == 201
    assert registry.put_manifest(repository, "sbom", referrer(image), OCI_MANIFEST).status == 201
    assert latest_of(registry, repository) == "1.0"


def test_latest_is_an_index_of_images(registry, repository):
    images = [push(registry, repository, f"1.0-{i}") for i in range(2)]
    index = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [descriptor(OCI_MANIFEST, image.manifest) for image in images]}).encode()
    assert registry.put_manifest(repository, "1.0", index, OCI_INDEX).status == 201
    assert latest_of(registry, repository) == "1.0"


def test_snapshot_that_moves_to_a_cache_is_not_latest(moving_registry, repository):
    push(moving_registry, repository, "1.0")
    push(moving_registry, repository, "2-SNAPSHOT")
    assert latest_of(moving_registry, repository) == "2-SNAPSHOT"
    cache = make_cache(False)
    assert moving_registry.push_image(repository, "2-SNAPSHOT", cache).status == 201
    assert latest_of(moving_registry, repository) == "1.0"


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


def signature(layers, layer_type=COSIGN_LAYER, config=b"{}", **members):
    """A manifest as cosign pushes it: a config, and a layer for each signature."""
    return config, json.dumps({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor(layer_type, layer) for layer in layers],
        **members,
    }).encode()


def put_signature(registry, repository, tag, layers, layer_type=COSIGN_LAYER, **members):
    config, manifest = signature(layers, layer_type, **members)
    for blob in [config, *layers]:
        assert registry.push_blob(repository, blob).status == 201
    return registry.put_manifest(repository, tag, manifest, OCI_MANIFEST)


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


def cosign_config(layers, **members):
    """As cosign writes it anew with each signature."""
    return json.dumps({
        "architecture": "", "created": f"2026-01-01T00:00:{len(layers):02}Z", "os": "",
        "history": [{"created": "0001-01-01T00:00:00Z"} for _ in layers], "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        **members}).encode()


def test_config_of_signatures_grows_with_them(moving_registry, repository):
    registry, layers = moving_registry, []
    tag = signature_tag(push(registry, repository, "1"))
    for layer in (b"one", b"two", b"three"):
        layers.append(layer)
        assert put_signature(registry, repository, tag, layers,
                             config=cosign_config(layers)).status == 201


@pytest.mark.parametrize("change", [
    {"config": cosign_config([b"two", b"one"])},
    {"config": cosign_config([b"one", b"two"], history=[])},
    {"config": cosign_config([b"one", b"two"], os="linux")},
    {"config": cosign_config([b"one", b"two"], config={"Cmd": ["sh"]})},
    {"config": cosign_config([b"one", b"two"], author="somebody")},
    {"config": b"no JSON"},
    {"config": cosign_config([b"one", b"two"], more="x" * 2 * 1024 * 1024)},
    {"annotations": {"a": "b"}},
    {"artifactType": "application/other"},
], ids=["diff_ids", "history", "os", "Cmd", "author", "no JSON", "too large", "annotations",
        "artifactType"])
def test_nothing_else_changes_with_signatures(moving_registry, repository, change):
    registry = moving_registry
    tag = signature_tag(push(registry, repository, "1"))
    assert put_signature(registry, repository, tag, [b"one"],
                         config=cosign_config([b"one"])).status == 201
    members = {"config": cosign_config([b"one", b"two"]), **change}
    assert put_signature(registry, repository, tag, [b"one", b"two"], **members).status == 409


@pytest.mark.parametrize("is_first", [True, False])
def test_subject_of_signatures_stays(moving_registry, repository, is_first):
    registry = moving_registry
    image = push(registry, repository, "1")
    tag, subject = signature_tag(image), {"subject": descriptor(OCI_MANIFEST, image.manifest)}
    for number, (layers, status) in enumerate((([b"one"], 201), ([b"one", b"two"], 409))):
        members = subject if is_first == (number == 0) else {}
        assert put_signature(registry, repository, tag, layers, **members).status == status


def test_config_that_nobody_can_read_stays(moving_registry, repository):
    registry = moving_registry
    tag = signature_tag(push(registry, repository, "1"))
    for layers, config, status in (([b"one"], b"no JSON", 201), ([b"one", b"two"], b"{}", 409),
                                   ([b"one", b"two"], b"no JSON", 201)):
        assert put_signature(registry, repository, tag, layers, config=config).status == status


def put_referrers(registry, repository, tag, images):
    """As clients keep them in a tag (distribution-spec, "Referrers Tag Schema")."""
    index = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_INDEX,
        "manifests": [descriptor(OCI_MANIFEST, image.manifest) for image in images]}).encode()
    return registry.put_manifest(repository, tag, index, OCI_INDEX)


def test_index_of_referrers_grows_and_does_not_shrink(moving_registry, repository):
    registry = moving_registry
    one, two, three = (push(registry, repository, tag) for tag in ("1", "2", "3"))
    tag = signature_tag(one, suffix="")
    for images, status in (([two], 201), ([two, three], 201), ([two], 409), ([], 409),
                           ([one, three], 409), ([three, one, two], 201)):
        assert put_referrers(registry, repository, tag, images).status == status


def test_index_and_signatures_do_not_replace_each_other(moving_registry, repository):
    registry = moving_registry
    image = push(registry, repository, "1")
    for suffix, index_is_first in (("", True), (".sig", False)):
        tag = signature_tag(image, suffix)
        puts = [lambda: put_referrers(registry, repository, tag, [image]),
                lambda: put_signature(registry, repository, tag, [b"one"])]
        first, second = puts if index_is_first else reversed(puts)
        assert (first().status, second().status) == (201, 409)


def test_image_in_a_signature_tag_is_not_replaced(moving_registry, repository):
    registry = moving_registry
    tag = signature_tag(push(registry, repository, "1"))
    image = push(registry, repository, tag)
    more = json.loads(image.manifest)
    assert registry.push_blob(repository, b"one").status == 201
    more["layers"].append(descriptor(COSIGN_LAYER, b"one"))
    reply = registry.put_manifest(repository, tag, json.dumps(more).encode(), OCI_MANIFEST)
    assert (reply.status, reply.error_code()) == (409, "DENIED")
    assert pull(registry, repository, tag) == image.digest


def test_no_signature_is_lost_when_many_sign_at_once(start_server, repository):
    """Each reads what is there and adds its own, as cosign does, and begins again when refused."""
    server = start_server({"tags": {"signatures": "grow"}})
    signatures = [f"signature {number}".encode() for number in range(10)]
    with RegistryClient(server.port) as registry:
        tag = signature_tag(push(registry, repository, "1"))
        assert put_signature(registry, repository, tag, [b"first"]).status == 201

    def sign(own):
        with RegistryClient(server.port) as client:
            status = None
            while status != 201:
                present = client.get_manifest(repository, tag).json()["layers"]
                layers = [client.get_blob(repository, layer["digest"]).body for layer in present]
                status = put_signature(client, repository, tag, [*layers, own]).status
                assert status in (201, 409)

    with concurrent.futures.ThreadPoolExecutor(len(signatures)) as pool:
        list(pool.map(sign, signatures))
    with RegistryClient(server.port) as registry:
        present = registry.get_manifest(repository, tag).json()["layers"]
    assert {layer["digest"] for layer in present} == set(map(digest_of, [b"first", *signatures]))


def test_snapshot_is_what_one_of_many_pushed_last(start_server, repository):
    """Every one of those that race is a success, and all stay pullable by digest."""
    server = start_server({"tags": {"snapshots": True}})
    images = [make_image() for _ in range(20)]

    def race(image):
        with RegistryClient(server.port) as client:
            return client.push_image(repository, "1-SNAPSHOT", image).status

    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        assert set(pool.map(race, images)) == {201}
    with RegistryClient(server.port) as registry:
        assert pull(registry, repository, "1-SNAPSHOT") in {image.digest for image in images}
        for image in images:
            assert pull(registry, repository, image.digest) == image.digest


@pytest.mark.parametrize("tags, of_signatures, of_snapshots", [
    ({"snapshots": True}, 409, 201), ({"signatures": "grow"}, 201, 409)])
def test_each_setting_is_for_its_own_tags(start_server, repository, tags, of_signatures,
                                          of_snapshots):
    server = start_server({"tags": tags})
    with RegistryClient(server.port) as registry:
        tag = signature_tag(push(registry, repository, "1-SNAPSHOT"))
        assert put_signature(registry, repository, tag, [b"one"]).status == 201
        other = make_image()
        push_blobs(registry, repository, other)
        assert put_signature(registry, repository, tag, [b"one", b"two"]).status == of_signatures
        assert put(registry, repository, "1-SNAPSHOT", other).status == of_snapshots


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


# -- what became of a tag

def history_path(repository, tag):
    team, _, artifact = repository.partition("/")
    return f"/teams/{team}/artifacts/{artifact}/tags/{tag}/history"


def history(registry, repository, tag):
    """From which digest to which, oldest first."""
    reply = registry.request("GET", history_path(repository, tag))
    assert reply.status == 200, reply
    return [(change["from"], change["to"]) for change in reply.json()]


def test_a_version_has_one_change(registry, repository):
    image = push(registry, repository, "1.0")
    assert put(registry, repository, "1.0", image).status == 201
    other = make_image()
    push_blobs(registry, repository, other)
    assert put(registry, repository, "1.0", other).status == 409
    change, = registry.request("GET", history_path(repository, "1.0")).json()
    assert (change["from"], change["to"]) == (None, image.digest)
    assert (change["changed_by_kind"], change["changed_by"]) == ("anonymous", "anonymous")


def test_every_move_of_a_snapshot_is_told(moving_registry, repository):
    registry = moving_registry
    first, second = (push(registry, repository, "1-SNAPSHOT") for _ in range(2))
    push(registry, repository, "2-SNAPSHOT")
    assert put(registry, repository, "1-SNAPSHOT", first).status == 201
    moves = [(None, first.digest), (first.digest, second.digest), (second.digest, first.digest)]
    assert history(registry, repository, "1-SNAPSHOT") == moves


def test_signatures_that_grow_have_a_history(moving_registry, repository):
    registry = moving_registry
    tag = signature_tag(push(registry, repository, "1"))
    grown = [[b"one"], [b"one", b"two"], [b"one", b"two", b"three"]]
    for layers in grown:
        assert put_signature(registry, repository, tag, layers).status == 201
    digests = [digest_of(signature(layers)[1]) for layers in grown]
    assert history(registry, repository, tag) == list(zip([None, *digests], digests))


def test_a_history_comes_in_pages(moving_registry, repository):
    registry = moving_registry
    digests = [push(registry, repository, "1-SNAPSHOT").digest for _ in range(5)]
    pages, path = [], history_path(repository, "1-SNAPSHOT") + "?limit=2"
    while path:
        reply = registry.request("GET", path)
        pages.append([change["to"] for change in reply.json()])
        path = reply.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert pages == [digests[:2], digests[2:4], digests[4:]]


@pytest.mark.parametrize("tag", ["9", "latest"])
def test_what_is_no_tag_has_no_history(registry, repository, tag):
    push(registry, repository, "1.0")
    assert registry.request("GET", history_path(repository, tag)).status == 404
    assert registry.request("GET", history_path(new_repository(), tag)).status == 404


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
