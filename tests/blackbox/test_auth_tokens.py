"""The Docker token protocol: registry tokens with exactly the rights asked for and given."""

import datetime
import secrets
import threading

import pytest

from support import stub_server
from support.authorization import (assert_challenged, assert_denied, assert_unavailable, basic,
                                   bearer, challenge_of, oauth2)
from support.identity_services import WRITE, WRITE_ALL
from support.images import digest_of, make_image, new_repository

PULL, PUSH = "repository:{}:pull", "repository:{}:pull,push"
MINE, FOREIGN = "myteam/app", "foreign/app"
TOKEN_LIFE_S = 300


@pytest.fixture
def server(start_server, services):
    return start_server(services.settings())


@pytest.fixture
def turned_server(start_server, services, fake_time):
    return start_server(services.settings(), fake_time.environment)


@pytest.fixture
def public_server(start_server, services):
    return start_server(services.settings({"public_read": True}))


@pytest.fixture
def employee(services):
    """The token of an employee of myteam, as docker sends it."""
    return oauth2(services.add_employee("jdoe", "myteam"))


# -- the answer

def test_answer_has_all_that_clients_look_for(server, tokens, employee):
    reply = tokens(server).get(PULL.format(MINE), authorization=employee)
    assert reply.status == 200
    answer = reply.json()
    assert answer["token"] == answer["access_token"] != ""
    assert 60 <= answer["expires_in"] <= TOKEN_LIFE_S
    issued = datetime.datetime.fromisoformat(answer["issued_at"].replace("Z", "+00:00"))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - issued).total_seconds()) < 60
    assert "no-store" in reply.headers["Cache-Control"]


@pytest.mark.parametrize("form", [oauth2, bearer])
def test_credentials_come_in_both_forms(server, tokens, services, form):
    token = services.add_employee("jdoe", "myteam")
    assert tokens(server).get(authorization=form(token)).status == 200


def test_account_client_and_offline_token_are_no_matter(server, tokens, employee):
    reply = tokens(server).get(PULL.format(MINE), authorization=employee, account="oauth2",
                               client_id="docker", offline_token="true")
    assert reply.status == 200


def test_without_a_scope_it_says_who_somebody_is(server, tokens, client, employee):
    """docker login."""
    token = tokens(server).token(authorization=employee)
    assert client(server, bearer(token)).request("GET", "/v2/").status == 200
    server.wait_for_logged(user="jdoe")


def test_without_credentials_a_password_is_asked_for(server, tokens):
    reply = tokens(server).get(PULL.format(MINE))
    assert reply.status == 401
    scheme, parameters = challenge_of(reply)
    assert scheme == "Basic" and parameters["realm"]


def test_wrong_credentials_are_refused(server, tokens, used_secrets):
    for field in (oauth2(used_secrets.add("nobody-knows-this")),
                  basic("jdoe", used_secrets.add("nor-this-password", "jdoe"))):
        assert tokens(server).get(PULL.format(MINE), authorization=field).status == 401


def test_broken_provider_gives_no_token(server, tokens, services, employee):
    with services.tokeninfo.behaving(stub_server.failing(500)):
        assert_unavailable(tokens(server).get(PULL.format(MINE), authorization=employee))


def test_broken_look_up_gives_no_right(server, tokens, services, client, employee):
    """Told at once, or when the token is used: but told, and nothing is granted."""
    with services.accounts.behaving(stub_server.failing(500)):
        reply = tokens(server).get(PUSH.format(MINE), authorization=employee)
        if reply.status == 200:
            reply = client(server, bearer(reply.json()["token"])).ask_upload(MINE)
        assert_unavailable(reply)


# -- the form

FORMS = {
    "token as a password": lambda token: {
        "grant_type": "password", "username": "oauth2", "password": token},
    "token as a refresh token": lambda token: {
        "grant_type": "refresh_token", "refresh_token": token},
}


@pytest.mark.parametrize("form", FORMS)
def test_form_gives_a_token(server, tokens, client, services, form):
    fields = FORMS[form](services.add_employee("jdoe", "myteam"))
    reply = tokens(server).post(PUSH.format(MINE), access_type="offline", **fields)
    assert reply.status == 200, reply.body
    answer = reply.json()
    assert answer["access_token"] and answer["expires_in"] >= 60
    assert answer["scope"] == PUSH.format(MINE)
    assert client(server, bearer(answer["access_token"])).ask_upload(MINE).status == 202


@pytest.mark.parametrize("form", FORMS)
def test_form_with_a_wrong_token_is_refused(server, tokens, used_secrets, form):
    fields = FORMS[form](used_secrets.add("nobody-knows-this"))
    assert tokens(server).post(PULL.format(MINE), **fields).status in (400, 401)


@pytest.mark.parametrize("fields", [
    {}, {"grant_type": ""}, {"grant_type": "authorization_code", "code": "x"},
    {"grant_type": "password"}, {"grant_type": "password", "username": "oauth2"},
    {"grant_type": "refresh_token"}, {"grant_type": "refresh_token", "refresh_token": ""},
])
def test_form_without_what_it_needs_is_refused(server, tokens, fields):
    assert tokens(server).post(PULL.format(MINE), **fields).status in (400, 401)


def test_form_that_is_no_form_is_refused(server, client):
    for body in (b"\xff\xfe", b"a" * 300000, b"grant_type=%zz", b"{}"):
        reply = client(server).request("POST", "/v2/token", body,
                                       {"Content-Type": "application/x-www-form-urlencoded"})
        assert 400 <= reply.status < 500, (body[:20], reply.status)


# -- the rights

def test_token_opens_what_it_was_asked_for(server, tokens, client, employee):
    pusher = client(server, bearer(tokens(server).token(PUSH.format(MINE), authorization=employee)))
    image = make_image()
    assert pusher.push_image(MINE, "1.0", image).status == 201
    puller = client(server, bearer(tokens(server).token(PULL.format(MINE), authorization=employee)))
    assert puller.get_manifest(MINE, "1.0").body == image.manifest


def test_token_opens_nothing_that_it_was_not_asked_for(server, tokens, client, employee):
    puller = client(server, bearer(tokens(server).token(PULL.format(MINE), authorization=employee)))
    assert_challenged(puller.ask_upload(MINE), error="insufficient_scope", scope=PUSH.format(MINE))
    other = "myteam/other"
    assert_challenged(puller.list_tags(other), error="insufficient_scope", scope=PULL.format(other))
    assert_challenged(puller.request("GET", "/v2/_catalog"), error="insufficient_scope",
                      scope="registry:catalog:*")


def test_token_without_a_scope_opens_nothing_but_the_base(server, tokens, client, employee):
    bare = client(server, bearer(tokens(server).token(authorization=employee)))
    assert_challenged(bare.list_tags(MINE), error="insufficient_scope", scope=PULL.format(MINE))


def test_several_scopes_are_granted_together(server, tokens, client, employee):
    token = tokens(server).token(PUSH.format(MINE), PULL.format(FOREIGN), "registry:catalog:*",
                                 authorization=employee)
    holder = client(server, bearer(token))
    assert holder.ask_upload(MINE).status == 202
    assert holder.list_tags(FOREIGN).status == 404
    assert holder.request("GET", "/v2/_catalog").status == 200


def test_scopes_in_one_parameter_are_granted_together(server, tokens, client, employee):
    """As the OAuth 2.0 form has them: separated by spaces."""
    token = tokens(server).token(f"{PUSH.format(MINE)} {PULL.format(FOREIGN)}",
                                 authorization=employee)
    holder = client(server, bearer(token))
    assert holder.ask_upload(MINE).status == 202
    assert holder.list_tags(FOREIGN).status == 404


def test_refused_right_is_refused_with_the_reason_when_it_is_used(server, tokens, client, employee):
    token = tokens(server).token(PUSH.format(FOREIGN), authorization=employee)
    holder = client(server, bearer(token))
    assert_denied(holder.ask_upload(FOREIGN), "jdoe", "foreign")
    assert holder.list_tags(FOREIGN).status == 404


def test_refused_right_of_a_service_names_the_missing_scope(server, tokens, client, services):
    robot = services.add_service("stups_robot", team="myteam")
    token = tokens(server).token(PUSH.format(MINE), authorization=oauth2(robot))
    assert_denied(client(server, bearer(token)).ask_upload(MINE), "stups_robot", "myteam", WRITE)


def test_mount_needs_no_right_on_the_repository_it_is_from(server, tokens, client, employee,
                                                           services):
    """Blobs belong to everybody, and whoever has logged in may pull from everywhere."""
    owner = client(server, oauth2(services.add_service("stups_robot", WRITE_ALL)))
    content = b"a layer of somebody else"
    assert owner.push_blob(FOREIGN, content).status == 201
    token = tokens(server).token(PUSH.format(MINE), authorization=employee)
    reply = client(server, bearer(token)).request(
        "POST", f"/v2/{MINE}/blobs/uploads/?mount={digest_of(content)}&from={FOREIGN}")
    assert reply.status == 201, reply.body


@pytest.mark.parametrize("scope", [
    "", " ", "repository", "repository:", "repository::pull", "repository:myteam/app",
    "repository:myteam/app:", "repository:MYTEAM/APP:pull", "registry:catalog", ":::",
    "repository:myteam/app:pull:push", "repository(plugin):myteam/app:pull", "nonsense:x:y",
    "repository:../../etc:pull", "repository:myteam/app:*", "repository:*:push",
    "repository:myteam/app:delete", "x" * 5000,
])
def test_odd_scopes_grant_nothing_else(server, tokens, client, services, scope):
    employee = oauth2(services.add_employee("jdoe", "otherteam"))
    reply = tokens(server).get(scope, authorization=employee)
    assert reply.status in (200, 400), reply.status
    if reply.status == 200:
        holder = client(server, bearer(reply.json()["token"]))
        assert holder.ask_upload(MINE).status in (401, 403)


def test_scopes_without_end_are_bounded(server, tokens, employee):
    scopes = [PULL.format(f"myteam/app-{number}") for number in range(500)]
    assert tokens(server).get(*scopes, authorization=employee).status in (200, 400)


def test_registry_token_does_not_breed(server, tokens, client, services):
    """What was given for pulls cannot be changed into more."""
    employee = oauth2(services.add_employee("jdoe", "myteam"))
    token = tokens(server).token(PULL.format(MINE), authorization=employee)
    reply = tokens(server).get(PUSH.format(MINE), authorization=bearer(token))
    if reply.status == 200:
        assert client(server, bearer(reply.json()["token"])).ask_upload(MINE).status in (401, 403)
    else:
        assert reply.status == 401


def test_registry_token_is_accepted_as_basic_too_or_refused(server, tokens, client, employee):
    token = tokens(server).token(PULL.format(MINE), authorization=employee)
    assert client(server, oauth2(token)).ask_upload(MINE).status in (401, 403)


def test_request_by_a_registry_token_is_logged_with_the_uid(server, tokens, client, employee):
    token = tokens(server).token(PULL.format(MINE), authorization=employee)
    client(server, bearer(token)).list_tags(MINE)
    server.wait_for_logged(user="jdoe")


def test_provider_is_not_asked_about_registry_tokens(server, tokens, client, services, employee):
    token = tokens(server).token(PUSH.format(MINE), authorization=employee)
    before = services.tokeninfo.count, services.accounts.count
    assert client(server, bearer(token)).ask_upload(MINE).status == 202
    assert (services.tokeninfo.count, services.accounts.count) == before


# -- forged, expired, of other servers

def flip(token, position):
    other = "B" if token[position] == "A" else "A"
    return token[:position] + other + token[position + 1:]


def test_tampered_token_is_refused(server, tokens, client, employee):
    token = tokens(server).token(PULL.format(MINE), authorization=employee)
    for position in range(0, len(token) - 2, max(1, len(token) // 40)):
        if token[position] != ".":
            reply = client(server, bearer(flip(token, position))).list_tags(MINE)
            assert reply.status == 401, position
    assert client(server, bearer(token)).list_tags(MINE).status == 404


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_cut_token_is_refused(server, tokens, client, employee, cut):
    token = tokens(server).token(PULL.format(MINE), authorization=employee)
    assert_challenged(client(server, bearer(token[:-cut])).list_tags(MINE), error="invalid_token")


def test_token_of_another_server_is_refused(start_server, services, tokens, client, employee):
    first, second = start_server(services.settings()), start_server(services.settings())
    token = tokens(first).token(PULL.format(MINE), authorization=employee)
    assert_challenged(client(second, bearer(token)).list_tags(MINE), error="invalid_token")


def test_token_of_a_copy_with_another_name_is_refused(start_server, services, tokens, client,
                                                      employee):
    """The same secret and the same keys do not make it the same registry."""
    first = start_server({**services.settings(), "public_url": "https://first.example.org"})
    token = tokens(first).token(PULL.format(MINE), authorization=employee)
    assert client(first, bearer(token)).list_tags(MINE).status == 404
    first.settings["public_url"] = "https://second.example.org"
    first.restart()
    second = client(first, bearer(token))
    assert_challenged(second.list_tags(MINE), error="invalid_token", service="second.example.org")
    assert second.ask_upload(MINE).status == 401


def test_what_a_token_grants_is_logged(server, tokens, employee):
    tokens(server).token(PULL.format(MINE), authorization=employee)
    line = server.wait_for_logged(path="/v2/token", status=200)
    assert line["granted"] == PULL.format(MINE)


def test_token_ends_at_its_time(turned_server, tokens, client, employee, fake_time):
    token = tokens(turned_server).token(PULL.format(MINE), authorization=employee)
    fake_time.forward(TOKEN_LIFE_S // 2)
    assert client(turned_server, bearer(token)).list_tags(MINE).status == 404
    fake_time.forward(TOKEN_LIFE_S)
    assert_challenged(client(turned_server, bearer(token)).list_tags(MINE), error="invalid_token")


def test_lifetime_is_a_setting(start_server, services, tokens, employee):
    server = start_server(services.settings({"token_lifetime": "2m"}))
    assert tokens(server).get(authorization=employee).json()["expires_in"] == 120


@pytest.fixture
def secret_file(folder, used_secrets):
    path = folder / "secret"
    path.write_text(used_secrets.add(secrets.token_hex(32)) + "\n", encoding="ascii")
    path.chmod(0o600)
    return path


def test_token_outlives_a_restart(start_server, services, tokens, client, employee, secret_file):
    """And a new port, where the registry has a name of its own."""
    server = start_server({**services.settings({"secret_file": str(secret_file)}),
                           "public_url": "https://registry.example.org"})
    token = tokens(server).token(PULL.format(MINE), authorization=employee)
    server.restart()
    assert client(server, bearer(token)).list_tags(MINE).status == 404


def test_key_is_not_readable_in_the_metadata(start_server, services, tokens, client, employee,
                                             secret_file, used_secrets):
    """With another secret, its tokens mean nothing: the stored key cannot be opened."""
    server = start_server(services.settings({"secret_file": str(secret_file)}))
    token = tokens(server).token(PULL.format(MINE), authorization=employee)
    server.stop()
    secret_file.write_text(used_secrets.add(secrets.token_hex(32)) + "\n", encoding="ascii")
    try:
        server.start()
    except AssertionError:
        return  # or it says so, and does not start
    assert_challenged(client(server, bearer(token)).list_tags(MINE), error="invalid_token")


# -- public read

def test_anonymous_token_pulls(public_server, tokens, client):
    token = tokens(public_server).token(PULL.format(MINE))
    holder = client(public_server, bearer(token))
    assert holder.list_tags(MINE).status == 404
    assert_challenged(holder.ask_upload(MINE), scope=PUSH.format(MINE))


def test_anonymous_token_never_pushes(public_server, tokens, client):
    token = tokens(public_server).token(PUSH.format(MINE))
    holder = client(public_server, bearer(token))
    reply = holder.ask_upload(MINE)
    assert_challenged(reply, scope=PUSH.format(MINE))
    assert "log in first" in reply.error_text()
    assert holder.list_tags(MINE).status == 404


def test_wrong_credentials_are_refused_where_anybody_reads(public_server, tokens, used_secrets):
    field = oauth2(used_secrets.add("nobody-knows-this"))
    assert tokens(public_server).get(PULL.format(MINE), authorization=field).status == 401


def test_employee_pushes_where_anybody_reads(public_server, tokens, client, employee):
    token = tokens(public_server).token(PUSH.format(MINE), authorization=employee)
    assert client(public_server, bearer(token)).ask_upload(MINE).status == 202


# -- an upload outlives its token

CONTENT = b"first half, second half"


@pytest.fixture(params=["provider's token", "registry token"])
def upload(request, turned_server, tokens, client, services, fake_time):
    """An upload whose token has expired since it began: the location, the token's field."""
    employee = services.add_employee("jdoe", "myteam", expires_in=100)
    if request.param == "registry token":
        token = tokens(turned_server).token(PUSH.format(MINE), authorization=oauth2(employee))
    else:
        token = employee
    location = client(turned_server, bearer(token)).begin_upload(MINE)
    services.revoke(employee)
    fake_time.forward(TOKEN_LIFE_S + 100)
    assert client(turned_server, bearer(token)).ask_upload(MINE).status == 401
    return location, bearer(token)


def finish(uploader, location):
    patched = uploader.patch_upload(location, CONTENT[:10])
    assert patched.status == 202, patched.body
    return uploader.finish_upload(patched.headers["Location"], digest_of(CONTENT), CONTENT[10:])


def test_upload_is_finished_with_its_expired_token(turned_server, client, upload):
    location, field = upload
    assert finish(client(turned_server, field), location).status == 201


def test_upload_is_finished_by_the_same_subject(turned_server, client, services, upload):
    location, _ = upload
    again = bearer(services.add_employee("jdoe", "myteam"))
    assert finish(client(turned_server, again), location).status == 201


def test_upload_is_looked_at_and_given_up_with_its_expired_token(turned_server, client, upload):
    location, field = upload
    uploader = client(turned_server, field)
    assert uploader.request("GET", location).status == 204
    assert uploader.request("DELETE", location).status == 204


GRACE_S = 12 * 60 * 60


def test_upload_is_not_finished_long_after_its_token_has_expired(turned_server, client, services,
                                                                 fake_time, upload):
    location, field = upload
    fake_time.forward(GRACE_S - TOKEN_LIFE_S - 200)
    assert client(turned_server, field).patch_upload(location, CONTENT[:10]).status == 202
    fake_time.forward(TOKEN_LIFE_S + 200)
    reply = client(turned_server, field).finish_upload(location, digest_of(CONTENT), CONTENT[10:])
    assert reply.status == 401
    again = bearer(services.add_employee("jdoe", "myteam", expires_in=10 * GRACE_S))
    assert client(turned_server, again).finish_upload(location, digest_of(CONTENT),
                                                      CONTENT[10:]).status == 201


def test_upload_has_an_age(start_server, services, client, fake_time):
    server = start_server({**services.settings(), "limits": {"upload_age": "2h"}},
                          fake_time.environment)
    field = bearer(services.add_employee("jdoe", "myteam", expires_in=10 * GRACE_S))
    location = client(server, field).begin_upload(MINE)
    fake_time.forward(7000)
    assert client(server, field).patch_upload(location, CONTENT).status == 202
    fake_time.forward(300)
    reply = client(server, field).finish_upload(location, digest_of(CONTENT))
    assert (reply.status, reply.error_code()) == (404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize("method", ["PATCH", "PUT", "GET", "DELETE"])
def test_upload_is_nobodys_without_credentials(turned_server, client, upload, method):
    location, field = upload
    assert_challenged(client(turned_server).request(method, location, b""))
    assert finish(client(turned_server, field), location).status == 201


@pytest.mark.parametrize("method", ["PATCH", "PUT", "GET", "DELETE"])
def test_upload_is_not_anybody_elses(turned_server, client, services, upload, method):
    """Not a colleague's either."""
    location, field = upload
    colleague = bearer(services.add_employee("colleague", "myteam"))
    digest = f"?digest={digest_of(CONTENT)}" if method == "PUT" else ""
    assert_denied(client(turned_server, colleague).request(method, location + digest, b""))
    assert finish(client(turned_server, field), location).status == 201


def test_upload_is_not_a_namesakes(server, client, services):
    """A service may be called like a person."""
    person = services.add_employee("robot", "myteam")
    service = services.add_service("robot", WRITE_ALL)
    location = client(server, bearer(person)).begin_upload(MINE)
    assert_denied(client(server, bearer(service)).patch_upload(location, CONTENT))
    assert finish(client(server, bearer(person)), location).status == 201


def test_upload_is_not_opened_by_any_expired_token(turned_server, client, services, fake_time):
    """Said to be the same person's, but nobody can tell any more."""
    first = services.add_employee("jdoe", "myteam", expires_in=100)
    second = services.add_employee("jdoe", "myteam", expires_in=100)
    location = client(turned_server, bearer(first)).begin_upload(MINE)
    services.revoke(second)
    fake_time.forward(TOKEN_LIFE_S + 100)
    assert client(turned_server, bearer(second)).patch_upload(location, CONTENT).status == 401


def test_lapsed_login_gets_a_token_to_end_its_upload(turned_server, tokens, client, services,
                                                     fake_time):
    """As docker does it: a new registry token for each few minutes of a push."""
    employee = services.add_employee("jdoe", "myteam", expires_in=100)
    login = oauth2(employee)
    begun = bearer(tokens(turned_server).token(PUSH.format(MINE), authorization=login))
    location = client(turned_server, begun).begin_upload(MINE)
    services.revoke(employee)
    fake_time.forward(TOKEN_LIFE_S + 100)
    assert tokens(turned_server).get(PUSH.format(FOREIGN), authorization=login).status == 401
    assert tokens(turned_server).get(authorization=login).status == 401
    renewed = bearer(tokens(turned_server).token(PUSH.format(MINE), authorization=login))
    uploader = client(turned_server, renewed)
    assert finish(uploader, location).status == 201
    assert_denied(uploader.ask_upload(MINE), "log in again")
    # Once there is no upload any more, there is no token either.
    assert tokens(turned_server).get(PUSH.format(MINE), authorization=login).status == 401


def test_upload_stays_in_its_repository(server, client, services):
    field = bearer(services.add_employee("jdoe", "myteam", "otherteam"))
    location = client(server, field).begin_upload(MINE)
    elsewhere = location.replace(MINE, "otherteam/app")
    assert client(server, field).patch_upload(elsewhere, CONTENT).status == 404


# -- many at once

def test_simultaneous_requests_get_tokens_that_work(server, tokens, client, services):
    employee = oauth2(services.add_employee("jdoe", "myteam"))
    repositories = [new_repository("myteam") for _ in range(16)]
    statuses = []

    def one(repository):
        token = tokens(server).token(PUSH.format(repository), authorization=employee)
        statuses.append(client(server, bearer(token)).ask_upload(repository).status)

    threads = [threading.Thread(target=one, args=(repository,)) for repository in repositories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [202] * len(repositories)
