"""Local users: names, passwords and teams in a file, for those without a provider."""

import contextlib
import os
import select
import socket

import pytest

from support.authorization import (assert_challenged, assert_denied, basic, bearer, challenge_of)
from support.registry_client import RegistryClient
from support.users_file import DEAR, UsersFile
from support.waiting import PATIENCE_S, wait_until

MINE, FOREIGN = "myteam/app", "foreign/app"
JANE = ("jane", "jane's password: öäü €")
JOHN = ("john", "johns-own-password")
WRONG = ("jane", "not-her-password")
FAILURES_MAX = 10


@pytest.fixture
def users(folder, used_secrets):
    used_secrets.add(WRONG[1], WRONG[0])
    file = UsersFile(folder / "users", used_secrets)
    file.set(*JANE, "myteam", "otherteam")
    file.set(*JOHN)
    return file


@pytest.fixture
def server(start_server, users):
    return start_server(users.settings)


@pytest.fixture
def log_in(client):
    return lambda server, who: client(server, basic(*who)).request("GET", "/v2/")


# -- who they are

def test_user_pushes_to_own_teams_and_pulls_all(server, client):
    jane = client(server, basic(*JANE))
    assert jane.request("GET", "/v2/").status == 200
    assert jane.ask_upload(MINE).status == 202
    assert jane.ask_upload("otherteam/app").status == 202
    assert_denied(jane.ask_upload(FOREIGN), "jane", "foreign")
    assert jane.list_tags(FOREIGN).status == 404
    server.wait_for_logged(user="jane")


def test_user_of_another_team_is_told_to_ask_for_it(server, client):
    reply = client(server, basic(*JANE)).ask_upload(FOREIGN)
    assert reply.status == 403
    assert "the login names other teams. Ask to be added to that team" in reply.error_text()
    assert "_url" not in reply.error_text()


def test_user_without_teams_pulls_only(server, client):
    john = client(server, basic(*JOHN))
    assert_denied(john.ask_upload(MINE), "john", "myteam")
    assert john.list_tags(MINE).status == 404


@pytest.mark.parametrize("who", [
    WRONG, ("nobody", JANE[1]), ("jane", ""), ("", JANE[1]), ("JANE", JANE[1]),
    ("jane", JANE[1] + " "), ("jane", JANE[1][:-1]), ("john", JANE[1]), ("jane", "x" * 5000),
    ("jane:myteam", "x"), ("#", "x"), ("", ""),
])
def test_wrong_password_is_refused(server, log_in, who):
    reply = log_in(server, who)
    assert reply.status == 401
    assert reply.error_code() == "UNAUTHORIZED"


def test_wrong_and_unknown_look_alike(server, log_in):
    """Nobody learns by the answer which names there are."""
    replies = [log_in(server, who) for who in (WRONG, ("nobody", "a-password"))]
    messages = [reply.json()["errors"][0]["message"] for reply in replies]
    assert messages[0].replace("jane", "") == messages[1].replace("nobody", "")


def test_hash_is_no_password(server, users, log_in):
    assert log_in(server, ("jane", users.lines["jane"].split(":")[1])).status == 401


def test_base_is_challenged(server, client):
    assert_challenged(client(server).request("GET", "/v2/"))


# -- tokens

def test_token_is_given_for_a_password(server, tokens, client):
    pull_push = "repository:myteam/app:pull,push"
    token = tokens(server).token(pull_push, authorization=basic(*JANE))
    assert client(server, bearer(token)).ask_upload(MINE).status == 202
    reply = tokens(server).post(pull_push, grant_type="password", username=JANE[0],
                                password=JANE[1])
    assert reply.status == 200
    assert client(server, bearer(reply.json()["token"])).ask_upload(MINE).status == 202


def test_token_for_a_wrong_password_is_refused_with_a_challenge_for_passwords(server, tokens):
    reply = tokens(server).get(authorization=basic(*WRONG))
    assert reply.status == 401
    assert challenge_of(reply)[0] == "Basic"
    assert tokens(server).post(grant_type="password", username=WRONG[0],
                               password=WRONG[1]).status in (400, 401)


# -- failed logins are limited

def fail(log_in, server, times=FAILURES_MAX):
    for _ in range(times):
        assert log_in(server, WRONG).status == 401


def assert_too_many(reply):
    assert reply.status == 429, (reply.status, reply.body)
    assert reply.error_code() == "TOOMANYREQUESTS"
    assert 0 < int(reply.headers["Retry-After"]) <= 60


def test_eleventh_failure_has_to_wait(server, log_in):
    fail(log_in, server)
    assert_too_many(log_in(server, WRONG))


def test_right_password_has_to_wait_too(server, log_in):
    """Or guessing would go on, only without an answer to the wrong ones."""
    fail(log_in, server)
    assert_too_many(log_in(server, JANE))


def test_other_names_do_not_have_to_wait(server, log_in):
    fail(log_in, server)
    assert log_in(server, JOHN).status == 200


def test_other_addresses_do_not_have_to_wait(server, log_in):
    fail(log_in, server)
    with RegistryClient(server.port, authorization=basic(*JANE), source="127.0.0.2") as elsewhere:
        assert elsewhere.request("GET", "/v2/").status == 200


def test_failures_at_the_token_endpoint_count_too(server, tokens, log_in):
    for number in range(FAILURES_MAX):
        if number % 2:
            reply = tokens(server).post(grant_type="password", username=WRONG[0], password=WRONG[1])
        else:
            reply = tokens(server).get(authorization=basic(*WRONG))
        assert reply.status in (400, 401)
    assert_too_many(log_in(server, WRONG))
    assert tokens(server).get(authorization=basic(*WRONG)).status == 429


def test_missing_credentials_never_count(server, client, log_in):
    for _ in range(3 * FAILURES_MAX):
        assert client(server).request("GET", "/v2/").status == 401
    fail(log_in, server)


def test_success_does_not_count(server, log_in):
    for _ in range(3 * FAILURES_MAX):
        assert log_in(server, JANE).status == 200


def test_failures_are_forgotten_after_a_minute(start_server, users, log_in, fake_time):
    server = start_server(users.settings, fake_time.environment)
    fail(log_in, server)
    assert_too_many(log_in(server, JANE))
    fake_time.forward(61)
    assert log_in(server, JANE).status == 200


def test_address_behind_a_configured_proxy_is_the_clients(start_server, users, client):
    server = start_server({**users.settings, "trusted_proxies": "127.0.0.1"})

    def ask(who, address):
        return client(server, basic(*who)).request(
            "GET", "/v2/", headers={"X-Forwarded-For": address})

    for _ in range(FAILURES_MAX):
        assert ask(WRONG, "192.0.2.1").status == 401
    assert_too_many(ask(JANE, "192.0.2.1"))
    assert ask(JANE, "192.0.2.2").status == 200


def test_address_that_anybody_claims_is_not_believed(server, client):
    for number in range(FAILURES_MAX):
        client(server, basic(*WRONG)).request(
            "GET", "/v2/", headers={"X-Forwarded-For": f"192.0.2.{number}"})
    assert_too_many(client(server, basic(*WRONG)).request(
        "GET", "/v2/", headers={"X-Forwarded-For": "192.0.2.200"}))


# -- what the log says of it

def test_failed_login_is_logged_with_name_reason_and_client(start_server, users, client):
    server = start_server({**users.settings, "trusted_proxies": "127.0.0.1"})
    client(server, basic(*WRONG)).request("GET", "/v2/", headers={"X-Forwarded-For": "192.0.2.7"})
    line = server.wait_for_logged(status=401)
    assert (line["tried"], line["user"], line["peer"], line["client"]) == (
        "jane", "", "127.0.0.1", "192.0.2.7")
    assert line["failure"] == "the user name or the password is wrong"


def test_password_in_place_of_the_name_is_not_logged(server, used_secrets, log_in):
    assert log_in(server, (used_secrets.add("typed-in-the-wrong-place"), "x")).status == 401
    assert server.wait_for_logged(status=401)["tried"] == "(unknown)"


# -- passwords wait for each other, and for nobody else

def send_login(server, who, source):
    """On a connection of its own; the answer is not waited for."""
    connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S,
                                          source_address=(source, 0))
    connection.sendall(f"GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(*who)}\r\n"
                       "Connection: close\r\n\r\n".encode())
    return connection


def statuses_so_far(connections):
    """Of those that have been answered."""
    ready = select.select(connections, [], [], 0)[0]
    return [int(connection.recv(12, socket.MSG_PEEK).split()[1]) for connection in ready]


@pytest.fixture
def crowd(server, users):
    """More wrong passwords, from as many addresses, than may wait at a time."""
    users.set("dear", "password-with-a-dear-hash", cost=DEAR)
    with contextlib.ExitStack() as stack:
        yield lambda: [stack.enter_context(send_login(server, ("dear", f"wrong-{number}"),
                                                      f"127.0.1.{number}"))
                       for number in range(1, 60)]


def test_who_was_right_before_goes_ahead_of_a_crowd(server, users, log_in, crowd):
    assert log_in(server, JANE).status == 200
    users.set("another", "whose-change-makes-the-server-forget")
    connections = crowd()
    wait_until(lambda: 503 in statuses_so_far(connections), "the queue to be full")
    assert log_in(server, JANE).status == 200
    waiting = len(connections) - len(statuses_so_far(connections))
    assert waiting > 0, "there was no crowd to go ahead of"
    for connection in connections:
        reply = b"".join(iter(lambda connection=connection: connection.recv(4096), b""))
        assert reply[9:12] == b"401" or (reply[9:12] == b"503" and b"\r\nRetry-After:" in reply)


def test_crowd_of_passwords_holds_up_no_token(server, tokens, client, crowd):
    token = tokens(server).token("repository:myteam/app:pull", authorization=basic(*JANE))
    connections = crowd()
    wait_until(lambda: 503 in statuses_so_far(connections), "the queue to be full")
    assert client(server, bearer(token)).list_tags(MINE).status == 404
    assert client(server, bearer("x.y.z")).request("GET", "/v2/").status == 401
    assert len(statuses_so_far(connections)) < len(connections)


# -- the file changes

def test_new_user_needs_no_restart(server, users, log_in):
    users.set("new", "password-of-the-new-one", "myteam")
    wait_until(lambda: log_in(server, ("new", "password-of-the-new-one")).status in (200, 429),
               "the new user to be known")


def test_removed_user_is_gone_soon(server, users, log_in):
    assert log_in(server, JANE).status == 200
    users.remove("jane")
    wait_until(lambda: log_in(server, JANE).status in (401, 429), "the user to be gone")


def test_new_password_replaces_the_old_one(server, users, log_in):
    assert log_in(server, JANE).status == 200
    users.set("jane", "another password altogether", "myteam")
    wait_until(lambda: log_in(server, JANE).status == 401, "the old password to be refused")
    assert log_in(server, ("jane", "another password altogether")).status == 200


def test_team_that_was_taken_away_is_gone_soon(server, users, client):
    jane = client(server, basic(*JANE))
    assert jane.ask_upload(MINE).status == 202
    users.set(*JANE, "otherteam")
    wait_until(lambda: jane.ask_upload(MINE).status == 403, "the team to be taken away")


def test_broken_file_leaves_the_users_as_they_were(server, users, log_in):
    users.break_it()
    wait_until(lambda: log_in(server, JANE) and "users" in server.log_text(),
               "the server to complain")
    assert log_in(server, JANE).status == 200
    users.mend()
    assert log_in(server, JANE).status == 200


def test_server_does_not_start_without_its_file(start_server, folder):
    with pytest.raises(AssertionError, match="users"):
        start_server({"auth": {"users_file": str(folder / "missing")}})


def test_server_does_not_start_with_a_broken_file(start_server, users):
    users.break_it()
    with pytest.raises(AssertionError, match="users"):
        start_server(users.settings)


# -- what it costs

def cpu_s(server):
    fields = open(f"/proc/{server.process.pid}/stat", encoding="ascii").read().rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_password_is_not_hashed_for_every_request(server, users, client):
    """Clients with Basic send it with each: the first is dear, the others are not."""
    users.set("dear", "password-with-a-dear-hash", "myteam", cost=DEAR)
    dear = client(server, basic("dear", "password-with-a-dear-hash"))
    wait_until(lambda: "dear" in users.lines and dear.request("GET", "/v2/").status == 200,
               "the user to be known")
    begin = cpu_s(server)
    users_password = client(server, basic("dear", "and-this-is-the-wrong-one"))
    assert users_password.request("GET", "/v2/").status == 401
    one_hash = cpu_s(server) - begin
    for _ in range(50):
        assert dear.request("GET", "/v2/").status == 200
    assert cpu_s(server) - begin < one_hash + max(10 * one_hash, 0.5)
