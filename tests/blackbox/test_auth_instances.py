"""Machines that show an AWS instance identity document: they pull, and nothing else."""

import pytest

from support import stub_server
from support.authorization import (assert_challenged, assert_denied, assert_unavailable, basic,
                                   bearer)
from support.images import make_image, new_repository

USER = "instance-identity-document"


@pytest.fixture
def server(start_server, services):
    return start_server(services.settings({"iidinfo_url": services.iidinfo_url}))


@pytest.fixture
def machine(server, client, services):
    return client(server, basic(USER, services.add_document()))


def test_document_is_asked_about_as_the_original_did(server, client, services):
    document = services.add_document()
    assert client(server, basic(USER, document)).request("GET", "/v2/").status == 200
    [request] = services.iidinfo.requests
    assert (request.method, request.json()) == ("POST", {"iid_signature": document})
    assert services.tokeninfo.count == 0


def test_machine_pulls_and_does_not_push(server, client, services, machine):
    image, repository = make_image(), new_repository("myteam")
    pusher = client(server, bearer(services.add_employee("jdoe", "myteam")))
    assert pusher.push_image(repository, "1.0", image).status == 201
    assert machine.get_manifest(repository, "1.0").body == image.manifest
    assert_denied(machine.ask_upload(repository), "myteam")
    assert_denied(machine.put_manifest(repository, "2.0", image.manifest, image.media_type))


def test_machine_has_a_name_in_the_log(server, machine):
    machine.request("GET", "/v2/")
    assert server.wait_for_logged(path="/v2/")["user"].startswith("instance")


def test_machine_gets_tokens_that_pull(server, tokens, client, services):
    field = basic(USER, services.add_document())
    token = tokens(server).token("repository:myteam/app:pull,push", authorization=field)
    holder = client(server, bearer(token))
    assert holder.list_tags("myteam/app").status == 404
    assert_denied(holder.ask_upload("myteam/app"), "myteam")


def test_document_of_a_stranger_is_refused(server, client, used_secrets):
    field = basic(USER, used_secrets.add("not-a-document-of-ours", USER))
    assert client(server, field).request("GET", "/v2/").status == 401


def test_document_is_only_believed_with_somebody_to_ask(start_server, client, services):
    """The original let everybody read then."""
    server = start_server(services.settings())
    field = basic(USER, services.add_document())
    assert_challenged(client(server, field).request("GET", "/v2/"))
    assert services.iidinfo.count == 0


@pytest.mark.parametrize("breakdown", [stub_server.failing(500), stub_server.closing])
def test_broken_judge_lets_nobody_in(machine, services, breakdown):
    with services.iidinfo.behaving(breakdown):
        assert_unavailable(machine.request("GET", "/v2/"))


def test_slow_judge_lets_nobody_in(machine, services):
    with services.iidinfo.held():
        assert_unavailable(machine.request("GET", "/v2/"))


def test_document_is_not_asked_about_for_every_request(machine, services):
    for _ in range(10):
        assert machine.request("GET", "/v2/").status == 200
    assert services.iidinfo.count == 1
