"""What is unfinished has a bound per identity and team, and the disk is never filled to the last."""

import os

import pytest

from support.authorization import basic
from support.images import digest_of, make_image, new_repository
from support.registry_client import RegistryClient
from support.users_file import UsersFile

MIB = 1024 * 1024
JDOE = ("jdoe", "the password of jdoe")
OTHER = ("other", "the password of another")


@pytest.fixture
def start_with_users(start_server, folder, used_secrets):
    """Gives a function: settings under `limits` → a server that knows two users of a team."""
    users = UsersFile(folder / "users", used_secrets)
    for user in (JDOE, OTHER):
        users.set(*user, "team")
    return lambda **limits: start_server({**users.settings, "limits": limits})


@pytest.fixture
def jdoe(client):
    return lambda server: client(server, basic(*JDOE))


@pytest.fixture
def other(client):
    return lambda server: client(server, basic(*OTHER))


def assert_too_many(reply, setting):
    assert (reply.status, reply.error_code()) == (429, "TOOMANYREQUESTS")
    assert int(reply.headers["Retry-After"]) > 0
    assert setting in reply.error_text()


def test_identity_has_so_many_uploads(start_with_users, jdoe, other):
    server = start_with_users(identity_uploads=2)
    registry = jdoe(server)
    first, second = (registry.begin_upload("team/app") for _ in range(2))
    assert_too_many(registry.ask_upload("team/app"), "limits.identity_uploads")
    assert other(server).ask_upload("team/app").status == 202
    assert registry.request("DELETE", first).status == 204
    assert registry.ask_upload("team/app").status == 202
    assert registry.finish_upload(second, digest_of(b"x"), b"x").status == 201
    assert registry.ask_upload("team/app").status == 202


def test_uploads_are_counted_across_a_restart(start_with_users, jdoe):
    server = start_with_users(identity_uploads=1)
    location = jdoe(server).begin_upload("team/app")
    server.restart()
    registry = jdoe(server)
    assert_too_many(registry.ask_upload("team/app"), "limits.identity_uploads")
    assert registry.finish_upload(location, digest_of(b"x"), b"x").status == 201
    assert registry.ask_upload("team/app").status == 202


def test_team_has_so_many_uploads(start_with_users, jdoe, other):
    server = start_with_users(team_uploads=1)
    location = jdoe(server).begin_upload("team/app")
    assert_too_many(other(server).ask_upload("team/other"), "limits.team_uploads")
    assert jdoe(server).request("DELETE", location).status == 204
    assert other(server).ask_upload("team/other").status == 202


def test_unfinished_bytes_are_limited_and_what_is_there_may_end(start_with_users, jdoe):
    registry = jdoe(start_with_users(identity_upload_size="3MiB"))
    content = os.urandom(2 * MIB)
    location = registry.begin_upload("team/app")
    assert registry.patch_upload(location, content).status == 202
    late = registry.begin_upload("team/app")
    assert_too_many(registry.patch_upload(late, content), "limits.identity_upload_size")
    assert_too_many(registry.patch_upload(late, iter([content])), "limits.identity_upload_size")
    assert registry.finish_upload(location, digest_of(content)).status == 201
    assert registry.patch_upload(late, content).status == 202


def test_short_disk_takes_no_push_and_all_else_goes_on(start_server):
    server = start_server({"limits": {"free_space": 0}})
    repository, image = new_repository(), make_image()
    with RegistryClient(server.port) as registry:
        assert registry.push_image(repository, "1", image).status == 201
        location = registry.begin_upload(repository)
    server.settings["limits"]["free_space"] = "1024TiB"
    server.restart()
    with RegistryClient(server.port) as registry:
        for reply in (registry.ask_upload(repository), registry.patch_upload(location, b"x"),
                      registry.put_manifest(repository, "2", image.manifest, image.media_type)):
            assert (reply.status, reply.error_code()) == (507, "UNAVAILABLE")
            assert "disk is full" in reply.error_text()
        assert registry.get_manifest(repository, "1").body == image.manifest
        assert registry.get_blob(repository, digest_of(image.layer)).body == image.layer
        assert registry.request("DELETE", location).status == 204
        assert registry.request("GET", "/ready").status == 200
