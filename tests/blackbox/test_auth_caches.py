"""What is looked up how often: caches are bounded in time, coalesce, and never stand in the way."""

import contextlib
import threading

import pytest

from support import stub_server
from support.authorization import assert_denied, bearer, oauth2
from support.identity_services import SERVICES, WRITE
from support.registry_client import RegistryClient
from support.waiting import wait_until
from support.wire import Wire, request

MINE = "myteam/app"
CACHE_S = 120
NEGATIVE_S = 30  # longer than any refusal is remembered
OUTAGE_S = 5     # and any outage: no longer than Retry-After says


@pytest.fixture
def server(start_server, services):
    return start_server(services.settings())


@pytest.fixture
def patient_server(start_server, services):
    """Waits for its services for longer than a client of these tests does for it."""
    return start_server(services.settings({"lookup_timeout": "1m"}))


@pytest.fixture
def turned_server(start_server, services, fake_time):
    return start_server(services.settings(), fake_time.environment)


@pytest.fixture
def ask(client):
    return lambda server, token: client(server, bearer(token)).request("GET", "/v2/").status


@pytest.fixture
def push(client):
    return lambda server, token: client(server, bearer(token)).ask_upload(MINE).status


class Crowd:
    """Many connections, each with one request under way. Use as a context manager."""

    def __init__(self, server, count, *fields):
        self._stack = contextlib.ExitStack()
        self._wires = [self._stack.enter_context(Wire(server.connect())) for _ in range(count)]
        self._bytes = request("GET", "/v2/", *fields)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def send(self):
        for wire in self._wires:
            wire.send(self._bytes)

    def statuses(self):
        return {wire.read().status for wire in self._wires}


# -- coalescing

def test_200_requests_with_a_new_token_cause_one_look_up(server, services):
    token = services.add_employee("jdoe", "myteam")
    with Crowd(server, 200, f"Authorization: {bearer(token)}") as crowd:
        with services.tokeninfo.held():
            crowd.send()
            services.tokeninfo.wait_for_held()
            wait_until(lambda: server.count_sockets() > 200, "the server to accept them all")
        assert crowd.statuses() == {200}
    assert services.lookups_of(token) == 1


def test_200_requests_with_a_wrong_token_cause_one_look_up(server, services, used_secrets):
    token = used_secrets.add("nobody-knows-this-token")
    with Crowd(server, 200, f"Authorization: {bearer(token)}") as crowd:
        with services.tokeninfo.held():
            crowd.send()
            services.tokeninfo.wait_for_held()
        assert crowd.statuses() == {401}
    assert services.lookups_of(token) == 1


def test_simultaneous_pushes_cause_one_look_up_of_the_team(server, services):
    token = services.add_employee("jdoe", "myteam")
    statuses = []

    def one():
        with RegistryClient(server.port, authorization=bearer(token)) as client:
            statuses.append(client.ask_upload(MINE).status)

    threads = [threading.Thread(target=one) for _ in range(30)]
    with services.accounts.held():
        for thread in threads:
            thread.start()
        services.accounts.wait_for_held()
    for thread in threads:
        thread.join()
    assert statuses == [202] * len(threads)
    assert (services.lookups_of(token), services.accounts.count) == (1, 1)


def test_different_tokens_are_looked_up_each(server, services, ask):
    made = [services.add_token(f"user-{number}") for number in range(20)]
    assert {ask(server, token) for token in made} == {200}
    assert all(services.lookups_of(token) == 1 for token in made)


# -- time

def test_known_token_is_not_looked_up_again(server, services, ask):
    token = services.add_token("jdoe")
    for _ in range(20):
        assert ask(server, token) == 200
    assert services.lookups_of(token) == 1


def test_both_forms_of_a_token_are_one(server, services, client):
    token = services.add_token("jdoe")
    for form in (bearer, oauth2):
        assert client(server, form(token)).request("GET", "/v2/").status == 200
    assert services.lookups_of(token) == 1


def test_known_token_is_looked_up_again_after_its_time(turned_server, services, ask, fake_time):
    token = services.add_token("jdoe")
    assert ask(turned_server, token) == 200
    fake_time.forward(CACHE_S // 2)
    assert ask(turned_server, token) == 200
    assert services.lookups_of(token) == 1
    fake_time.forward(CACHE_S)
    assert ask(turned_server, token) == 200
    assert services.lookups_of(token) == 2


def test_time_in_the_cache_is_a_setting(start_server, services, ask, fake_time):
    server = start_server(services.settings({"cache_time": "10s"}), fake_time.environment)
    token = services.add_token("jdoe")
    ask(server, token)
    fake_time.forward(11)
    ask(server, token)
    assert services.lookups_of(token) == 2


def test_cache_never_outlives_a_token(turned_server, services, ask, fake_time):
    token = services.add_token("jdoe", expires_in=30)
    assert ask(turned_server, token) == 200
    services.revoke(token)
    assert ask(turned_server, token) == 200
    fake_time.forward(31)
    assert ask(turned_server, token) == 401


def test_known_identity_survives_an_outage(server, services, ask):
    token = services.add_token("jdoe")
    assert ask(server, token) == 200
    with services.tokeninfo.behaving(stub_server.failing(500)):
        assert ask(server, token) == 200


def test_outage_is_over_in_a_moment(turned_server, services, ask, fake_time):
    token = services.add_token("jdoe")
    with services.tokeninfo.behaving(stub_server.failing(500)):
        assert ask(turned_server, token) == 503
    fake_time.forward(OUTAGE_S)
    assert ask(turned_server, token) == 200


def test_refused_token_is_remembered_for_seconds_only(turned_server, services, ask, fake_time,
                                                      used_secrets):
    token = used_secrets.add("not-known-yet-but-soon")
    for _ in range(5):
        assert ask(turned_server, token) == 401
    assert services.lookups_of(token) == 1
    services.know(token, services.grants[services.add_token("jdoe")])
    fake_time.forward(NEGATIVE_S)
    assert ask(turned_server, token) == 200


def test_membership_is_remembered(server, services, push):
    token = services.add_employee("jdoe", "myteam")
    for _ in range(10):
        assert push(server, token) == 202
    assert services.accounts.count == 1


def test_membership_is_looked_up_again_after_its_time(turned_server, services, push, fake_time):
    token = services.add_employee("jdoe", "myteam")
    assert push(turned_server, token) == 202
    services.teams["jdoe"] = []
    fake_time.forward(CACHE_S + 10)
    assert push(turned_server, token) == 403


def test_one_list_of_teams_answers_for_all_scopes_of_a_token(server, services, tokens, client):
    token = services.add_employee("jdoe", "myteam")
    scopes = [f"repository:{team}/app-{number}:pull,push"
              for number in range(16) for team in ("myteam", f"foreign-{number}")]
    granted = tokens(server).token(*scopes, authorization=oauth2(token))
    assert services.accounts.count == 1
    assert client(server, bearer(granted)).ask_upload("myteam/app-15").status == 202
    assert_denied(client(server, bearer(granted)).ask_upload("foreign-15/app-15"), "jdoe",
                  "foreign-15")
    assert services.accounts.count == 1


def test_team_that_cannot_be_asked_about_takes_nothing_from_the_others(turned_server, services,
                                                                       client, fake_time):
    jdoe = client(turned_server, bearer(services.add_employee("jdoe", "myteam", "more")))
    assert jdoe.ask_upload(MINE).status == 202
    fake_time.forward(10)
    with services.accounts.behaving(stub_server.failing(500)):
        assert jdoe.ask_upload("foreign/app").status == 503
        assert jdoe.ask_upload("more/app").status == 202


def test_missing_membership_is_remembered_for_seconds_only(turned_server, services, push,
                                                           fake_time):
    token = services.add_employee("jdoe", "otherteam")
    for _ in range(5):
        assert push(turned_server, token) == 403
    assert services.accounts.count == 1
    services.teams["jdoe"] = ["myteam"]
    fake_time.forward(NEGATIVE_S)
    assert push(turned_server, token) == 202


def test_outage_of_a_look_up_is_over_in_a_moment(turned_server, services, push, fake_time):
    token = services.add_service("stups_robot", WRITE, team="myteam")
    with services.kio.behaving(stub_server.failing(500)):
        assert push(turned_server, token) == 503
    fake_time.forward(OUTAGE_S)
    assert push(turned_server, token) == 202


def test_memberships_of_one_are_not_anothers(server, services, client):
    """Same name, other kind; same kind, other name; other team."""
    employee = services.add_employee("jdoe", "myteam")
    assert client(server, bearer(employee)).ask_upload(MINE).status == 202
    same_name = services.add_token("jdoe", SERVICES, (WRITE,))
    assert_denied(client(server, bearer(same_name)).ask_upload(MINE), "jdoe", "myteam")
    other = services.add_employee("jdoe2", "otherteam")
    assert_denied(client(server, bearer(other)).ask_upload(MINE), "jdoe2", "myteam")
    assert_denied(client(server, bearer(employee)).ask_upload("otherteam/app"), "jdoe",
                  "otherteam")


def test_many_tokens_do_not_fill_the_memory(start_server, services, ask, client):
    """Wrong ones: anybody can send these. The right one is served all the while."""
    # What a sanitizer holds back, to find uses after free, would be counted too.
    server = start_server(services.settings(), {"ASAN_OPTIONS": "quarantine_size_mb=1"})
    token = services.add_token("jdoe")
    assert ask(server, token) == 200
    before = resident_bytes(server)
    visitor = client(server)
    for number in range(3000):
        field = bearer(f"wrong-token-{number}-" + "x" * 2000)
        reply = visitor.request("GET", "/v2/", headers={"Authorization": field})
        assert reply.status in (401, 429)
    assert ask(server, token) == 200
    assert resident_bytes(server) - before < 64 * 1024 * 1024


@pytest.mark.parametrize("present", [bearer, oauth2])
def test_a_flood_of_wrong_tokens_reaches_the_provider_so_often_only(server, services, ask, client,
                                                                   used_secrets, present):
    """From one address. Who is known is served, an expired token of a pipeline counts once."""
    token = services.add_token("jdoe")
    assert ask(server, token) == 200
    visitor = client(server)
    statuses = [visitor.request("GET", "/v2/", headers={"Authorization": present(
        used_secrets.add(f"invented-token-{number}"))}) for number in range(200)]
    refused = [reply for reply in statuses if reply.status == 429]
    assert len(refused) == 100 and {reply.status for reply in statuses} == {401, 429}
    assert all(1 <= int(reply.headers["Retry-After"]) <= 60 for reply in refused)
    assert services.tokeninfo.count == 101
    assert ask(server, token) == 200


def test_more_wrong_tokens_are_taken_from_an_address_that_many_share(start_server, services, ask,
                                                                      used_secrets):
    server = start_server(services.settings({"failed_logins": 150}))
    for number in range(150):
        assert ask(server, used_secrets.add(f"expired-token-{number}")) == 401
    assert ask(server, services.add_token("jdoe")) == 429


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


# -- a provider that hangs

def test_hanging_provider_does_not_slow_what_is_known(patient_server, services, ask, used_secrets):
    """More requests hang than the server has threads; those that need nobody are answered."""
    server = patient_server
    known = services.add_employee("jdoe", "myteam")
    assert ask(server, known) == 200
    with contextlib.ExitStack() as stack:
        crowds = [stack.enter_context(Crowd(
            server, 1, f"Authorization: {bearer(used_secrets.add(f'new-token-number-{number}'))}"))
            for number in range(100)]
        with services.tokeninfo.held():
            for crowd in crowds:
                crowd.send()
            services.tokeninfo.wait_for_held()
            before = services.lookups_of(known)
            with RegistryClient(server.port, authorization=bearer(known)) as client:
                client.connection.timeout = 30
                for _ in range(20):
                    assert client.request("GET", "/v2/").status == 200
                    assert client.list_tags(MINE).status == 404
            assert services.lookups_of(known) == before


def test_hanging_team_service_does_not_slow_what_is_known(patient_server, services):
    server = patient_server
    known = services.add_employee("jdoe", "myteam")
    with RegistryClient(server.port, authorization=bearer(known)) as client:
        assert client.ask_upload(MINE).status == 202
        with services.accounts.held():
            threads = [threading.Thread(target=push_as, args=(server, services, number))
                       for number in range(40)]
            for thread in threads:
                thread.start()
            services.accounts.wait_for_held()
            client.connection.timeout = 30
            for _ in range(20):
                assert client.list_tags(MINE).status == 404
                assert client.ask_upload(MINE).status == 202
        for thread in threads:
            thread.join()


def push_as(server, services, number):
    token = services.add_employee(f"user-{number}", "myteam")
    with RegistryClient(server.port, authorization=bearer(token)) as client:
        client.ask_upload(MINE)


def test_server_ends_while_a_provider_hangs(start_server, services):
    server = start_server(services.settings({"lookup_timeout": "1s"}))
    token = services.add_token("jdoe")
    with services.tokeninfo.held():
        with Wire(server.connect()) as wire:
            wire.send(request("GET", "/v2/", f"Authorization: {bearer(token)}"))
            services.tokeninfo.wait_for_held()
            server.stop()


def test_connections_to_the_provider_are_kept(server, services, ask):
    """A new connection for each look-up would be a TLS handshake for each, in real life."""
    for number in range(10):
        assert ask(server, services.add_token(f"user-{number}")) == 200
    assert services.count_connections() < 10


def test_provider_that_closed_a_connection_is_asked_by_a_new_one(server, services, ask):
    assert ask(server, services.add_token("first")) == 200
    services.close_connections()
    wait_until(lambda: ask(server, services.add_token("second")) == 200, "a new connection", 5)
