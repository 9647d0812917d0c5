"""What images were built from: as their layers tell, as a trusted service says, and releases."""

import json
import urllib.parse

import pytest

from support.authorization import assert_denied, bearer
from support.clients import write_context
from support.identity_services import WRITE, WRITE_ALL, WRITE_ALL_TRUSTED
from support.images import OCI_INDEX, OCI_MANIFEST, digest_of, make_image, new_repository
from support.registry_client import RegistryClient
from support.source_layers import (COMPRESSIONS, LAYER_MAX_BYTES, gzip_bomb, image_of, index_of,
                                   source_image, source_of, source_tar, tar_of, zstd_bomb)

INCIDENT = json.dumps({"incident_id": "INC-1"}).encode()
MEMORY_MAX_BYTES = 64 * 1024 ** 2


def tag_path(repository, tag):
    team, _, artifact = repository.partition("/")
    return f"/teams/{team}/artifacts/{artifact}/tags/{tag}"


def source_at(registry, repository, tag):
    """What is answered, without the time; None if there is none."""
    reply = registry.request("GET", tag_path(repository, tag) + "/scm-source")
    if reply.status == 404:
        assert reply.json()["message"]
        return None
    assert reply.status == 200, reply
    answer = reply.json()
    assert answer.pop("created").endswith("Z")
    return answer


def push(registry, repository, tag, image):
    assert registry.push_image(repository, tag, image).status == 201


# -- in layers

@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_source_is_found_in_a_layer(registry, compression):
    repository = new_repository()
    push(registry, repository, "1.0", source_image("git:x", compression))
    assert source_at(registry, repository, "1.0") == source_of("git:x")
    assert source_at(registry, repository, "latest") == source_of("git:x")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_source_is_found_in_an_image_of_an_index(registry, compression):
    repository = new_repository()
    images = [source_image(f"git:{architecture}", compression, architecture=architecture)
              for architecture in ("arm64", "amd64")]
    for image in images:
        push(registry, repository, image.digest, image)
    index = index_of(*images)
    assert registry.put_manifest(repository, "1.0", index, OCI_INDEX).status == 201
    assert source_at(registry, repository, "1.0") == source_of("git:arm64")
    tag = registry.request("GET", tag_path(repository, "1.0")).json()
    assert tag["platforms"] == ["linux/arm64", "linux/amd64"]
    assert tag["image"] is None


def test_topmost_layer_wins(registry):
    repository = new_repository()
    layers = [(media_type, compress(source_tar(f"git:{name}")))
              for name, (media_type, compress) in COMPRESSIONS.items()]
    media_type, compress = COMPRESSIONS["gzip"]
    other = (media_type, compress(tar_of("hello", b"world")))
    push(registry, repository, "1.0", image_of(*layers, other))
    assert source_at(registry, repository, "1.0") == source_of("git:zstd")
    push(registry, repository, "2.0", image_of(other, layers[0]))
    assert source_at(registry, repository, "2.0") == source_of("git:plain")


@pytest.mark.parametrize("layer", [
    b"no archive", b"", b"\x1f\x8b\x08broken", b"\x28\xb5\x2f\xfdbroken",
    tar_of("scm-source.json", b"no JSON"), tar_of("scm-source.json", b'{"url":"git:x"}'),
    tar_of("scm-source.json", b'{"url":"git:x","Url":"git:y","revision":"1"}'),
    tar_of("elsewhere/scm-source.json", b'{"url":"git:x","revision":"1"}')])
def test_image_that_tells_nothing_is_pushed_all_the_same(registry, layer):
    repository = new_repository()
    media_type, _ = COMPRESSIONS["gzip"]
    push(registry, repository, "1.0", image_of((media_type, layer)))
    assert source_at(registry, repository, "1.0") is None


def test_layer_that_is_too_large_is_not_looked_into(registry):
    repository = new_repository()
    media_type, _ = COMPRESSIONS["plain"]
    archive = source_tar("git:x")
    for tag, length, expected in (("1.0", LAYER_MAX_BYTES, source_of("git:x")),
                                  ("2.0", LAYER_MAX_BYTES + 1, None)):
        push(registry, repository, tag, image_of((media_type, archive.ljust(length, b"\0"))))
        assert source_at(registry, repository, tag) == expected


def test_source_outlives_a_restart(start_server):
    server = start_server()
    repository = new_repository()
    with RegistryClient(server.port) as registry:
        push(registry, repository, "1.0", source_image("git:x"))
    server.restart()
    with RegistryClient(server.port) as registry:
        assert source_at(registry, repository, "1.0") == source_of("git:x")


@pytest.mark.parametrize("make_bomb, compression", [(gzip_bomb, "gzip"), (zstd_bomb, "zstd")])
def test_archive_bomb_is_pushed_without_being_unpacked(start_shipped_server, make_bomb,
                                                       compression):
    server = start_shipped_server()
    repository = new_repository()
    media_type, compress = COMPRESSIONS[compression]
    below = (media_type, compress(source_tar("git:x")))
    with RegistryClient(server.port) as registry:
        push(registry, repository, "1.0", image_of(below, (media_type, make_bomb())))
        assert source_at(registry, repository, "1.0") in (None, source_of("git:x"))
        assert registry.get_manifest(repository, "1.0").status == 200
    assert server.peak_memory_bytes() < MEMORY_MAX_BYTES


def test_docker_pushes_an_image_that_tells(docker, client_folder, shipped_server):
    repository = new_repository()
    name = f"{shipped_server.host}/{repository}:1.0"
    docker.run("build", "--tag", name,
               write_context(client_folder, json.dumps(source_of("git:docker")),
                             "FROM scratch\nCOPY hello /scm-source.json\n"))
    docker.run("push", name)
    with RegistryClient(shipped_server.port) as registry:
        assert source_at(registry, repository, "1.0") == source_of("git:docker")
        tag = registry.request("GET", tag_path(repository, "1.0")).json()
        assert len(tag["platforms"]) == 1
        assert tag["platforms"][0].startswith("linux/")
        manifest = registry.get_manifest(repository, "1.0").json()
        assert tag["image"] == manifest["config"]["digest"]
        tags = registry.request("GET", f"/tags/{tag['image']}").json()
        team, _, artifact = repository.partition("/")
        assert tags == [{"name": "1.0", "team": team, "artifact": artifact}]


# -- as somebody says

@pytest.fixture
def guarded(start_server, services):
    return start_server(services.settings())


def push_saying(registry, repository, tag, image, source):
    """The answer to the manifest, with X-SCM-Source as it is given."""
    for blob in image.blobs:
        assert registry.push_blob(repository, blob).status == 201
    return registry.request("PUT", f"/v2/{repository}/manifests/{tag}", image.manifest,
                            {"Content-Type": OCI_MANIFEST, "X-SCM-Source": source})


def encoded(source):
    return urllib.parse.quote(json.dumps(source), safe="")


def test_trusted_service_says_where_an_image_is_from(guarded, services, client):
    field = bearer(services.add_service("stups_robot", WRITE_ALL, WRITE_ALL_TRUSTED))
    registry = client(guarded, field)
    image = source_image("git:layer")
    push(registry, "myteam/app", "1.0", image)
    assert source_at(registry, "myteam/app", "1.0") == source_of("git:layer")
    said = source_of("git:said ü%/?")
    assert push_saying(registry, "myteam/app", "1.0", image, encoded(said)).status == 201
    assert source_at(registry, "myteam/app", "1.0") == said
    push(registry, "myteam/app", "1.0", image)
    assert source_at(registry, "myteam/app", "1.0") == said


def test_history_tells_namesakes_apart(guarded, services, client, tokens):
    """Employee alice is not service alice, whether they show the provider's token or ours."""
    employee = bearer(services.add_employee("alice", "myteam"))
    service = bearer(services.add_service("alice", WRITE_ALL))
    scope = "repository:myteam/app:pull,push"
    push(client(guarded, employee), "myteam/app", "1", make_image())
    push(client(guarded, service), "myteam/app", "2", make_image())
    ours = bearer(tokens(guarded).token(scope, authorization=service))
    push(client(guarded, ours), "myteam/app", "3", make_image())
    reader = client(guarded, employee)
    for tag, kind in (("1", "employee"), ("2", "service"), ("3", "service")):
        change, = reader.request("GET", tag_path("myteam/app", tag) + "/history").json()
        assert (change["changed_by_kind"], change["changed_by"]) == (kind, "alice")
        assert reader.request("GET", tag_path("myteam/app", tag)).json()["created_by"] == "alice"
    assert client(guarded).request("GET", tag_path("myteam/app", "1") + "/history").status == 401


def test_others_are_refused_with_the_reason(guarded, services, client):
    source = encoded(source_of("git:forged"))
    services.add_employee("jdoe", "myteam")
    callers = [services.add_service("stups_robot", WRITE_ALL),
               services.add_service("stups_other", WRITE, team="myteam"),
               services.add_employee("jdoe", "myteam")]
    for number, token in enumerate(callers):
        registry = client(guarded, bearer(token))
        reply = push_saying(registry, "myteam/app", f"{number}", make_image(), source)
        assert_denied(reply, "application.write_all_trusted")
        assert registry.get_manifest("myteam/app", f"{number}").status == 404


def test_registry_token_says_nothing_whoever_got_it(guarded, services, client, tokens):
    """It carries what was asked for, and nobody can ask for this: trust shows the provider's."""
    trusted = services.add_service("stups_robot", WRITE_ALL, WRITE_ALL_TRUSTED)
    token = tokens(guarded).token("repository:myteam/app:pull,push", authorization=bearer(trusted))
    registry = client(guarded, bearer(token))
    image = make_image()
    reply = push_saying(registry, "myteam/app", "1.0", image, encoded(source_of("git:said")))
    assert_denied(reply, "stups_robot", "token of this registry", "provider")
    push(registry, "myteam/app", "1.0", image)
    assert source_at(registry, "myteam/app", "1.0") is None


@pytest.mark.parametrize("source", ["", "%", "no JSON", "{}", "%7B%7D",
                                    encoded({"url": "git:x"}), encoded([]),
                                    encoded({"url": "git:x", "revision": 1}),
                                    encoded({"url": "git:x", "URL": "git:y", "revision": "1"}),
                                    encoded({"url": "x" * 4097, "revision": "1"})])
def test_malformed_source_is_a_bad_request(guarded, services, client, source):
    field = bearer(services.add_service("stups_robot", WRITE_ALL, WRITE_ALL_TRUSTED))
    registry = client(guarded, field)
    reply = push_saying(registry, "myteam/app", "1.0", make_image(), source)
    assert reply.status == 400, reply
    assert reply.error_code() == "UNSUPPORTED"
    assert registry.get_manifest("myteam/app", "1.0").status == 404


# -- releases

def release(registry, repository, tag, body=INCIDENT):
    return registry.request("POST", tag_path(repository, tag) + "/production-ready", body)


def test_employee_of_the_team_releases_a_tag(guarded, services, client):
    registry = client(guarded, bearer(services.add_employee("jdoe", "myteam")))
    stranger = client(guarded, bearer(services.add_employee("other", "otherteam")))
    push(registry, "myteam/deep/app", "1.0", source_image("git:x"))
    push(registry, "myteam/deep/app", "2.0", make_image())
    expected = [(stranger, "1.0", 403), (client(guarded), "1.0", 401), (registry, "3.0", 404),
                (registry, "2.0", 422), (registry, "1.0", 200), (registry, "1.0", 409)]
    for caller, tag, status in expected:
        reply = release(caller, "myteam/deep/app", tag)
        assert reply.status == status, reply
        assert reply.json()["message"]
    assert release(registry, "myteam/deep%2Fapp", "1.0").status == 409
    for body in (b"{}", b'{"incident_id":"A","Incident_ID":"B"}',
                 b'{"incident_id":"A","incident_id":"B"}'):
        assert release(registry, "myteam/deep/app", "1.0", body).status == 400


@pytest.mark.parametrize("fields", [
    {"Origin": "https://evil.example", "Content-Type": "text/plain"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"},
    {"Content-Type": "application/x-www-form-urlencoded"},
])
def test_page_of_another_site_releases_nothing(registry, fields):
    """By its reader's browser, which has a login, or is where one is not asked for."""
    push(registry, "myteam/formed", "1.0", source_image("git:x"))
    path = tag_path("myteam/formed", "1.0") + "/production-ready"
    assert registry.request("POST", path, INCIDENT, fields).status in (400, 403)
    own = {"Origin": f"http://127.0.0.1:{registry.connection.port}",
           "Content-Type": "application/json"}
    assert registry.request("POST", path, INCIDENT, own).status in (200, 409)


# -- counts

def test_statistics_count_what_was_pushed(start_server):
    server = start_server()
    images = [source_image("git:x"), make_image()]
    with RegistryClient(server.port) as registry:
        for repository, tag, image in (("a/app", "1", images[0]), ("a/app", "2", images[1]),
                                       ("a/deep/er", "1", images[0]), ("a-b/app", "1", images[0])):
            push(registry, repository, tag, image)
        contents = {digest_of(content): len(content) for image in images
                    for content in (image.manifest, *image.blobs)}
        everything = registry.request("GET", "/stats").json()
        assert everything == {"teams": 2, "storage": sum(contents.values())}
        assert registry.request("GET", "/stats/teams/a").json() == {"artifacts": 2, "tags": 3}
        assert registry.request("GET", "/stats/teams").json() == [
            {"team": "a-b", "stats": {"artifacts": 1, "tags": 1}},
            {"team": "a", "stats": {"artifacts": 2, "tags": 3}}]
