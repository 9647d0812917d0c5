"""What is left of tokens and passwords in the server's memory when all connections are closed."""

import urllib.parse

import pytest

from support import memory_image
from support.authorization import basic, bearer, oauth2
from support.registry_client import RegistryClient
from support.users_file import UsersFile
from support.waiting import wait_until

SCOPE = "repository:myteam/app:pull,push"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def visit(server, fields, form):
    """Shows a login in all ways there are, with whatever result."""
    for field in fields:
        with RegistryClient(server.port, authorization=field) as caller:
            caller.request("GET", "/v2/")
            caller.request("GET", "/v2/myteam/app/tags/list")
            caller.ask_upload("myteam/app")
            caller.request("GET", f"/v2/token?scope={SCOPE}")
    body = urllib.parse.urlencode({"scope": SCOPE, **form}).encode()
    with RegistryClient(server.port) as caller:
        caller.request("POST", "/v2/token", body, FORM)


def memory_of(server):
    try:
        return memory_image.memory_of(server.process.pid)
    except PermissionError:
        pytest.skip("only root may look into the server's memory, and not in every container")


def assert_forgotten(server, *secrets):
    """Connections end a moment after their client has closed them."""
    def are_gone():
        memory = memory_of(server)
        assert str(server.folder / "data").encode() in memory  # what it keeps is found
        return not any(secret.encode("ascii") in memory for secret in secrets)

    wait_until(are_gone, "tokens and passwords to be wiped")


def test_passwords_are_wiped(start_shipped_server, folder, used_secrets):
    users = UsersFile(folder / "users", used_secrets)
    users.set("alice", "password-of-alice", "myteam")
    server = start_shipped_server(users.settings)
    for password in ("password-of-alice", "password-that-is-wrong"):
        field = basic("alice", used_secrets.add(password, "alice"))
        visit(server, [field],
              {"grant_type": "password", "username": "alice", "password": password})
        assert_forgotten(server, password, field.partition(" ")[2])


def test_password_in_a_query_is_wiped(start_shipped_server, folder, used_secrets):
    """Where it should not be."""
    users = UsersFile(folder / "users", used_secrets)
    users.set("alice", "password-of-alice", "myteam")
    server = start_shipped_server(users.settings)
    password = used_secrets.add("password-in-a-query")
    with RegistryClient(server.port,
                        authorization=basic("alice", "password-of-alice")) as caller:
        caller.request("GET", f"/v2/token?scope={SCOPE}&username=alice&password={password}")
    assert_forgotten(server, password)


def test_tokens_that_others_are_asked_about_are_wiped(start_shipped_server, services,
                                                      used_secrets):
    """The last address that was asked, with the token in it, is kept until the next one is."""
    server = start_shipped_server(services.settings())
    secrets = [services.add_employee("jdoe", "myteam"),
               used_secrets.add("token-that-nobody-knows")]
    for token in secrets:
        visit(server, [bearer(token), oauth2(token)],
              {"grant_type": "refresh_token", "refresh_token": token})
    with RegistryClient(server.port, authorization=bearer(services.add_token("next"))) as caller:
        caller.request("GET", "/v2/")
    assert_forgotten(server, *secrets, *(oauth2(token).partition(" ")[2] for token in secrets))


def test_tokens_that_are_verified_here_are_wiped(start_shipped_server, issuer):
    """Their signature, that is: without it, the rest opens nothing."""
    server = start_shipped_server(issuer.settings())
    for token in (issuer.token(), issuer.token(exp=1)):
        visit(server, [bearer(token)], {"grant_type": "refresh_token", "refresh_token": token})
        assert_forgotten(server, token.rpartition(".")[2])
