"""A real docker, with a dockerd of its own, pushes and pulls. And containerd's ctr, behind it."""

import pytest

from support.certificates import Certificate
from support.clients import write_context
from support.images import digest_of, new_repository
from support.registry_client import RegistryClient


def build(docker, folder, name, content):
    docker.run("build", "--tag", name, write_context(folder, content))
    return name


@pytest.fixture
def name(shipped_server):
    """An image's name that no other test uses."""
    return f"{shipped_server.host}/{new_repository()}:1.0"


def repo_digest(docker, name):
    return docker.run("inspect", "--format", "{{index .RepoDigests 0}}", name).rpartition("@")[2]


def test_pushed_image_is_pulled_again(docker, client_folder, name):
    build(docker, client_folder, name, "first")
    built = docker.run("inspect", "--format", "{{.Id}}", name)
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)
    assert docker.run("inspect", "--format", "{{.Id}}", name) == built


def test_image_goes_both_ways_over_tls(docker, client_folder, folder, start_server):
    """At 127.0.0.0/8 docker trusts any certificate; the server speaks TLS and nothing else."""
    server = start_server({"tls": Certificate(folder).settings})
    name = f"{server.host}/{new_repository()}:1.0"
    build(docker, client_folder, name, "over TLS" * 300000)
    built = docker.run("inspect", "--format", "{{.Id}}", name)
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)
    assert docker.run("inspect", "--format", "{{.Id}}", name) == built
    assert {line["status"] for line in server.requests()} <= {200, 201, 202, 307, 404}


def test_image_is_pulled_by_digest(docker, client_folder, name):
    build(docker, client_folder, name, "by digest")
    docker.run("push", name)
    by_digest = f"{name.rpartition(':')[0]}@{repo_digest(docker, name)}"
    docker.run("rmi", name)
    docker.run("pull", by_digest)


def test_manifest_is_kept_byte_for_byte(docker, client_folder, name, shipped_server):
    build(docker, client_folder, name, "exact bytes")
    docker.run("push", name)
    repository = name.split("/", 1)[1].rpartition(":")[0]
    with RegistryClient(shipped_server.port) as registry:
        reply = registry.get_manifest(repository, "1.0")
    assert digest_of(reply.body) == repo_digest(docker, name)


def test_same_image_is_pushed_twice(docker, client_folder, name):
    build(docker, client_folder, name, "same")
    docker.run("push", name)
    docker.run("push", name)


def test_other_image_for_a_tag_is_refused_with_the_reason(docker, client_folder, name):
    build(docker, client_folder, name, "one")
    docker.run("push", name)
    first = repo_digest(docker, name)
    build(docker, client_folder, name, "another")
    said = docker.refuse("push", name)
    assert "denied" in said and "immutable" in said and "1.0" in said, said
    docker.run("rmi", name)
    docker.run("pull", name)
    assert repo_digest(docker, name) == first


def test_name_without_a_team_is_refused_at_once(docker, client_folder, shipped_server):
    artifact = new_repository().partition("/")[2]
    name = f"{shipped_server.host}/{artifact}:1.0"
    build(docker, client_folder, name, "no team")
    said = docker.refuse("push", name)
    assert "denied" in said and "names no team: a repository is team/artifact" in said, said
    uploads = [line for line in shipped_server.requests() if line["method"] == "POST"
               and line["path"] == f"/v2/{artifact}/blobs/uploads/"]
    assert len(uploads) == 1
    assert "not found" in docker.refuse("pull", name)


def test_layer_that_is_there_is_not_sent_again(docker, client_folder, name):
    build(docker, client_folder, name, "shared layer")
    docker.run("push", name)
    other = name.replace(":1.0", ":1.1")
    docker.run("build", "--tag", other, "--label", "number=2", write_context(
        client_folder, "shared layer", "FROM " + name + "\nLABEL number=2\n"))
    assert "Layer already exists" in docker.run("push", other)


def test_multi_stage_build_is_pushed_and_pulled(docker, client_folder, name):
    context = write_context(
        client_folder, "two stages",
        "FROM scratch AS first\nCOPY hello /one\nFROM scratch\nCOPY --from=first /one /two\n")
    docker.run("build", "--tag", name, context)
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)


def test_manifest_list_is_pushed_and_pulled(docker, client_folder, name):
    part = build(docker, client_folder, name.replace(":1.0", ":1.0-amd64"), "of a list")
    docker.run("push", part)
    docker.run("manifest", "create", "--insecure", name, part)
    docker.run("manifest", "push", "--insecure", name)
    docker.run("rmi", part)
    docker.run("pull", name)


def test_all_tags_are_pulled(docker, client_folder, name):
    repository = name.rpartition(":")[0]
    for tag in ("1", "2", "3"):
        docker.run("push", build(docker, client_folder, f"{repository}:{tag}", f"tag {tag}"))
        docker.run("rmi", f"{repository}:{tag}")
    docker.run("pull", "--all-tags", repository)
    tags = docker.run("images", "--format", "{{.Tag}}", repository).split()
    assert sorted(tags) == ["1", "2", "3"]


def test_unknown_image_is_not_found(docker, name):
    assert "not found" in docker.refuse("pull", name)


def test_containerd_pulls_and_pushes(docker, docker_daemon, client_folder, name):
    build(docker, client_folder, name, "for ctr")
    docker.run("push", name)
    ctr = docker_daemon.ctr()
    ctr.run("images", "pull", "--plain-http", "--snapshotter", "native", name)
    copy = name.replace(":1.0", ":1.0-copy")
    ctr.run("images", "push", "--plain-http", copy, name)
    ctr.run("images", "rm", name)
    ctr.run("images", "pull", "--plain-http", "--snapshotter", "native", copy)
