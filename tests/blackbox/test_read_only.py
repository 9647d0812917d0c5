"""A registry that is read-only for a while: real clients pull, and show why they cannot push."""

import pytest

from support.authorization import basic
from support.clients import write_context
from support.images import digest_of, make_image, new_repository
from support.users_file import UsersFile

REASON = "moving to PostgreSQL until 18:00"
INSECURE = "--tls-verify=false"
JDOE = ("jdoe", "the password of jdoe")


@pytest.fixture
def make_read_only():
    def make(server):
        server.settings["read_only"] = REASON
        return server.restart()

    return make


@pytest.fixture
def server(start_shipped_server, folder, used_secrets):
    users = UsersFile(folder / "users", used_secrets)
    users.set(*JDOE, "team")
    return start_shipped_server(users.settings)


def assert_refused(reply):
    assert (reply.status, reply.error_code()) == (403, "DENIED")
    assert REASON in reply.error_text()


def test_everything_that_writes_is_refused(server, client, make_read_only):
    image, repository = make_image(), new_repository()
    registry = client(server, basic(*JDOE))
    assert registry.push_image(repository, "1.0", image).status == 201
    location = registry.begin_upload(repository)
    registry = client(make_read_only(server), basic(*JDOE))
    assert_refused(registry.ask_upload(repository))
    assert_refused(registry.patch_upload(location, b"x"))
    assert_refused(registry.finish_upload(location, digest_of(b"x"), b"x"))
    assert_refused(registry.request("DELETE", location))
    assert_refused(registry.put_manifest(repository, "1.1", image.manifest, image.media_type))
    team, artifact = repository.split("/")
    mark = f"/teams/{team}/artifacts/{artifact}/tags/1.0/production-ready"
    reply = registry.request("POST", mark, b'{"incident_id":"INC-1"}',
                             {"Content-Type": "application/json"})
    assert reply.status == 403 and REASON in reply.json()["message"]


def test_pulls_lists_and_tokens_go_on_and_pushes_come_back(server, client, make_read_only):
    image, repository = make_image(), new_repository()
    assert client(server, basic(*JDOE)).push_image(repository, "1.0", image).status == 201
    registry = client(make_read_only(server), basic(*JDOE))
    token = registry.request("GET", f"/v2/token?service=x&scope=repository:{repository}:pull,push")
    assert token.status == 200
    registry = client(server, f"Bearer {token.json()['token']}")
    assert registry.get_manifest(repository, "1.0").body == image.manifest
    assert all(registry.get_blob(repository, digest_of(blob)).body == blob for blob in image.blobs)
    assert registry.list_tags(repository).json()["tags"] == ["1.0"]
    assert_refused(registry.ask_upload(repository))
    del server.settings["read_only"]
    server.restart()
    assert client(server, basic(*JDOE)).push_image(repository, "1.1", image).status == 201


def test_docker_pulls_and_shows_why_it_cannot_push(docker, client_folder, server, make_read_only,
                                                   request):
    def log_in():
        request.addfinalizer(lambda: docker.try_run("logout", server.host))
        docker.run("login", "--username", JDOE[0], "--password-stdin", server.host, stdin=JDOE[1])
        return f"{server.host}/{repository}"

    repository = new_repository()
    name = log_in()
    docker.run("build", "--tag", f"{name}:1.0", write_context(client_folder, name))
    docker.run("push", f"{name}:1.0")
    make_read_only(server)
    moved = log_in()
    docker.run("tag", f"{name}:1.0", f"{moved}:1.1")
    said = docker.refuse("push", f"{moved}:1.1")
    assert "denied" in said and REASON in said, said
    docker.run("pull", f"{moved}:1.0")


def test_podman_pulls_and_shows_why_it_cannot_push(podman, client_folder, server, make_read_only):
    repository = new_repository()
    built = f"localhost/{repository}:1.0"
    podman.run("build", "--isolation", "chroot", "--tag", built,
               write_context(client_folder, repository))
    credentials = ("--creds", ":".join(JDOE))
    podman.run("push", INSECURE, *credentials, built, f"{server.host}/{repository}:1.0")
    make_read_only(server)
    said = podman.refuse("push", INSECURE, *credentials, built, f"{server.host}/{repository}:1.1")
    assert "denied" in said and REASON in said, said
    podman.run("pull", INSECURE, *credentials, f"{server.host}/{repository}:1.0")
