"""Who is calling, as a token info service says; and the challenge for those who do not say it."""

import json

import pytest

from support import stub_server
from support.authorization import (assert_challenged, assert_denied, assert_unavailable, basic,
                                   bearer, oauth2)
from support.certificates import Certificate
from support.identity_services import EMPLOYEES, IdentityServices
from support.images import make_image, new_repository
from support.stub_server import BREAKDOWNS, nobody_listens
from support.waiting import wait_until
from support.wire import Wire, request

REPOSITORY = "myteam/app"


@pytest.fixture
def server(start_server, services):
    return start_server(services.settings())


# -- the challenge

@pytest.mark.parametrize("path", ["/v2/", "/v2"])
def test_base_without_credentials_is_challenged_once(server, client, path):
    reply = client(server).request("GET", path)
    host = f"127.0.0.1:{server.port}"
    assert assert_challenged(reply) == {"realm": f"http://{host}/v2/token", "service": host}
    assert reply.headers["Docker-Distribution-API-Version"] == "registry/2.0"


@pytest.mark.parametrize("method, path, scope", [
    ("GET", f"/v2/{REPOSITORY}/manifests/1.0", f"repository:{REPOSITORY}:pull"),
    ("HEAD", f"/v2/{REPOSITORY}/manifests/1.0", f"repository:{REPOSITORY}:pull"),
    ("GET", f"/v2/{REPOSITORY}/tags/list", f"repository:{REPOSITORY}:pull"),
    ("GET", f"/v2/{REPOSITORY}/blobs/sha256:{'0' * 64}", f"repository:{REPOSITORY}:pull"),
    ("GET", f"/v2/{REPOSITORY}/referrers/sha256:{'0' * 64}", f"repository:{REPOSITORY}:pull"),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/", f"repository:{REPOSITORY}:pull,push"),
    ("PUT", f"/v2/{REPOSITORY}/manifests/1.0", f"repository:{REPOSITORY}:pull,push"),
    ("PATCH", f"/v2/{REPOSITORY}/blobs/uploads/none", f"repository:{REPOSITORY}:pull,push"),
    ("GET", "/v2/_catalog", "registry:catalog:*"),
])
def test_challenge_names_the_right_that_is_needed(server, client, method, path, scope):
    reply = client(server).request(method, path)
    if method == "HEAD":
        assert reply.status == 401
        assert f'scope="{scope}"' in reply.headers["WWW-Authenticate"]
    else:
        assert_challenged(reply, scope=scope, error=None)


def test_challenge_follows_the_host_field(server, client):
    reply = client(server).request("GET", "/v2/", headers={"Host": "registry.example.org"})
    assert_challenged(reply, realm="http://registry.example.org/v2/token",
                      service="registry.example.org")


def test_public_url_is_what_the_challenge_names(start_server, services, client):
    server = start_server(services.settings(public_url="https://registry.example.org"))
    reply = client(server).request("GET", "/v2/", headers={"Host": "inside:5000"})
    assert_challenged(reply, realm="https://registry.example.org/v2/token",
                      service="registry.example.org")


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "registry.example.org"}


@pytest.mark.parametrize("proxies", ["127.0.0.1", "10.0.0.0/8 127.0.0.0/24"])
def test_forwarded_fields_of_a_configured_proxy_count(start_server, services, client, proxies):
    server = start_server(services.settings(trusted_proxies=proxies))
    reply = client(server).request("GET", "/v2/", headers=FORWARDED)
    assert_challenged(reply, realm="https://registry.example.org/v2/token")


@pytest.mark.parametrize("more", [{}, {"trusted_proxies": "10.0.0.0/8"}])
def test_forwarded_fields_of_anybody_else_lead_nowhere(start_server, services, client, more):
    """Nor away from https: the operator is told, the client's login stays encrypted."""
    server = start_server(services.settings(**more))
    reply = client(server).request("GET", "/v2/", headers=FORWARDED)
    assert_challenged(reply, realm=f"https://127.0.0.1:{server.port}/v2/token")
    wait_until(lambda: [line for line in server.log_lines() if line["event"] == "tls_in_front"],
               "the operator to be told")
    for fields in ({}, {"X-Forwarded-Host": "registry.example.org"}):
        reply = client(server).request("GET", "/v2/", headers=fields)
        assert_challenged(reply, realm=f"http://127.0.0.1:{server.port}/v2/token")


@pytest.mark.parametrize("path", ["/health", "/.well-known/health", "/ready"])
def test_health_is_nobodys_secret(server, client, services, path):
    assert client(server).request("GET", path).status == 200
    assert services.tokeninfo.count == 0


@pytest.mark.parametrize("host", ['a"b', "a b", "a,b", "a\\b", "a/b", "user@a", "<a>"])
def test_host_field_writes_no_challenge(server, host):
    """Nor a header, nor a place of somebody else's."""
    with Wire(server.connect()) as wire:
        answer = wire.ask(f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
    assert answer.status == 400


@pytest.mark.parametrize("fields", [
    {"X-Forwarded-Proto": "javascript"}, {"X-Forwarded-Host": 'a"b'},
    {"X-Forwarded-Host": "a b"}, {"X-Forwarded-Proto": 'https"'}, {"X-Forwarded-Host": ""},
    {"X-Forwarded-Host": "a/b"}, {"X-Forwarded-Host": "user@a"},
])
def test_odd_forwarded_fields_are_passed_over(start_server, services, client, fields):
    server = start_server(services.settings(trusted_proxies="127.0.0.1"))
    reply = client(server).request("GET", "/v2/", headers=fields)
    assert_challenged(reply, realm=f"http://127.0.0.1:{server.port}/v2/token")


# -- tokens

def test_two_authorization_fields_are_one_too_many(server, services):
    """Which one a proxy looked at, nobody knows."""
    fields = [f"Authorization: {bearer(services.add_employee('jdoe', 'myteam'))}",
              f"Authorization: {bearer(services.add_employee('jane', 'myteam'))}"]
    with Wire(server.connect()) as wire:
        assert wire.ask(request("GET", "/v2/", *fields)).status in (400, 401)


def test_nobody_is_invited_to_send_a_body_that_is_refused(server, services):
    """Expect: 100-continue: who it is, and whether they may, comes first."""
    stranger = f"Authorization: {bearer(services.add_employee('stranger', 'otherteam'))}"
    head = ("Expect: 100-continue", "Content-Length: 1000000")
    for fields, status in (((), 401), ((stranger,), 403)):
        with Wire(server.connect()) as wire:
            answer = wire.ask(request("PUT", f"/v2/{REPOSITORY}/manifests/1.0", *head, *fields))
            assert answer.status == status


@pytest.mark.parametrize("form", [bearer, oauth2])
def test_token_is_accepted_in_both_forms(server, client, services, form):
    token = services.add_employee("jdoe", "myteam")
    assert client(server, form(token)).request("GET", "/v2/").status == 200


def test_scheme_is_read_in_any_case(server, client, services):
    token = services.add_employee("jdoe", "myteam")
    assert client(server, f"bEARER {token}").request("GET", "/v2/").status == 200


def test_token_goes_to_token_info_as_it_is(server, client, services, used_secrets):
    token = used_secrets.add("a+b/c=.~_-and-what-else==")
    services.grants[token] = services.grants[services.add_token("jdoe")]
    assert client(server, bearer(token)).request("GET", "/v2/").status == 200
    [request] = services.tokeninfo.requests
    assert (request.method, request.query) == ("GET", {"access_token": token})
    assert request.headers["Authorization"] is None


def test_request_is_logged_with_the_uid(server, client, services):
    token = services.add_employee("jdoe", "myteam")
    client(server, bearer(token)).request("GET", "/v2/_catalog")
    client(server).request("GET", "/v2/_catalog")
    assert server.wait_for_logged(path="/v2/_catalog", status=200)["user"] == "jdoe"
    assert not server.wait_for_logged(path="/v2/_catalog", status=401).get("user")


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_any_4xx_means_that_the_token_is_not_valid(server, client, services, status):
    token = services.add_employee("jdoe", "myteam")
    with services.tokeninfo.behaving(stub_server.failing(status)):
        reply = client(server, bearer(token)).request("GET", "/v2/")
    assert_challenged(reply, error="invalid_token")


def test_unknown_token_is_refused(server, client, used_secrets):
    token = used_secrets.add("nobody-knows-this-token")
    assert_challenged(client(server, oauth2(token)).request("GET", "/v2/"), error="invalid_token")


def test_expired_token_is_refused(server, client, services):
    token = services.add_token("jdoe", expires_in=-1)
    assert_challenged(client(server, bearer(token)).request("GET", "/v2/"), error="invalid_token")


def test_token_of_nobody_is_denied(server, client, services):
    token = services.add_token(None)
    assert_denied(client(server, bearer(token)).request("GET", "/v2/"))


@pytest.mark.parametrize("uid", ["", "a\nb", "x" * 300, 7, ["jdoe"]])
def test_token_of_somebody_without_a_usable_name_is_denied(server, client, services, uid):
    token = services.add_token(uid)
    assert_denied(client(server, bearer(token)).request("GET", "/v2/"))


@pytest.mark.parametrize("answer", [
    b'{"uid": "jdoe\\u0000", "realm": "/employees"}', b'{"uid": "jdoe", "uid": "jane"}',
    b'{"uid": "\xff\xfe", "realm": "/employees"}', b"[" * 5000, b"{}", b"",
])
def test_answer_that_can_be_read_in_two_ways_lets_nobody_in(server, client, services, answer):
    token = services.add_token("jdoe")
    with services.tokeninfo.behaving(stub_server.failing(200, answer)):
        assert client(server, bearer(token)).request("GET", "/v2/").status in (403, 503)


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
def test_broken_token_info_lets_nobody_in(server, client, services, breakdown):
    token = services.add_employee("jdoe", "myteam")
    with services.tokeninfo.behaving(BREAKDOWNS[breakdown]):
        assert_unavailable(client(server, bearer(token)).request("GET", "/v2/"))


def test_slow_token_info_is_not_waited_for_longer_than_set(start_server, client, services):
    server = start_server(services.settings({"lookup_timeout": "200ms"}))
    token = services.add_employee("jdoe", "myteam")
    with services.tokeninfo.held():
        assert_unavailable(client(server, bearer(token)).request("GET", "/v2/"))


def test_unreachable_token_info_lets_nobody_in(start_server, client, used_secrets):
    with nobody_listens() as url:
        server = start_server({"auth": {"tokeninfo_url": f"{url}/tokeninfo"}})
        token = used_secrets.add("it-does-not-matter-which")
        assert_unavailable(client(server, bearer(token)).request("GET", "/v2/"))


@pytest.mark.parametrize("field", [
    "Bearer", "Bearer ", "Bearer two words", "Basic", "Basic %%%", "Basic bm9jb2xvbg==",
    "Digest username=jdoe", "Basic " + "A" * 300, "Basic b2F1dGgyOg==",
])
def test_unreadable_credentials_are_refused_without_asking(server, client, services, field):
    reply = client(server).request("GET", "/v2/", headers={"Authorization": field})
    assert reply.status in (400, 401), reply
    assert services.tokeninfo.count == 0


def test_largest_tokens_are_taken(server, client, services):
    services.grants[token := "t" * 30000] = services.grants[services.add_token("jdoe")]
    assert client(server, bearer(token)).request("GET", "/v2/").status == 200


def test_user_and_password_are_nothing_to_token_info(server, client, services, used_secrets):
    password = used_secrets.add("correct horse battery", "jdoe")
    assert_challenged(client(server, basic("jdoe", password)).request("GET", "/v2/"))
    assert services.tokeninfo.count == 0


def test_pushed_image_is_pulled_by_somebody_else(server, client, services):
    image, repository = make_image(), new_repository("myteam")
    pusher = client(server, oauth2(services.add_employee("jdoe", "myteam")))
    assert pusher.push_image(repository, "1.0", image).status == 201
    puller = client(server, oauth2(services.add_employee("stranger", "otherteam")))
    assert puller.get_manifest(repository, "1.0").body == image.manifest
    assert puller.get_blob(repository, json.loads(image.manifest)["config"]["digest"]).status == 200
    assert client(server).get_manifest(repository, "1.0").status == 401


# -- public read

@pytest.fixture
def public_server(start_server, services):
    return start_server(services.settings({"public_read": True}))


def test_public_read_lets_anybody_pull_and_nobody_push(public_server, client, services):
    image, repository = make_image(), new_repository("myteam")
    pusher = client(public_server, oauth2(services.add_employee("jdoe", "myteam")))
    assert pusher.push_image(repository, "1.0", image).status == 201
    anybody = client(public_server)
    assert anybody.get_manifest(repository, "1.0").status == 200
    assert_challenged(anybody.ask_upload(repository), scope=f"repository:{repository}:pull,push")


def test_public_read_still_challenges_the_base(public_server, client):
    """After a 200 docker never sends credentials."""
    assert_challenged(client(public_server).request("GET", "/v2/"))


def test_public_read_does_not_forgive_a_wrong_token(public_server, client, used_secrets):
    token = used_secrets.add("nobody-knows-this-token")
    reply = client(public_server, bearer(token)).request("GET", f"/v2/{REPOSITORY}/tags/list")
    assert_challenged(reply, error="invalid_token")


# -- settings

def test_environment_of_the_original_server_is_understood(start_server, client, services):
    server = start_server({}, {
        "HTTP_TOKENINFO_URL": services.tokeninfo_url,
        "HTTP_TEAM_SERVICE_URL": services.team_service_url,
        "HTTP_KIO_URL": services.kio_url,
        "HTTP_ALLOW_PUBLIC_READ": "true",
    })
    assert_challenged(client(server).request("GET", "/v2/"))
    assert client(server).list_tags(REPOSITORY).status == 404
    employee = client(server, bearer(services.add_employee("jdoe", "myteam")))
    assert employee.ask_upload(REPOSITORY).status == 202
    robot = services.add_service("stups_robot", "application.write", team="myteam")
    assert client(server, bearer(robot)).ask_upload(REPOSITORY).status == 202


def test_short_name_of_the_original_setting_is_understood(start_server, client, services):
    server = start_server({}, {"TOKENINFO_URL": services.tokeninfo_url})
    token = services.add_employee("jdoe")
    assert client(server, bearer(token)).request("GET", "/v2/").status == 200


def test_check_config_tries_the_provider(check_config, services):
    result = check_config(services.settings())
    assert result.returncode == 0, result.stderr
    assert "tokeninfo" in result.stdout + result.stderr
    assert services.tokeninfo.count > 0


def test_check_config_says_that_the_provider_cannot_be_reached(check_config):
    with nobody_listens() as url:
        result = check_config({"auth": {"tokeninfo_url": f"{url}/tokeninfo"}})
    assert result.returncode == 1
    assert url.removeprefix("http://") in result.stdout + result.stderr


def test_check_config_says_that_it_is_no_provider(check_config, services):
    with services.tokeninfo.behaving(stub_server.no_json):
        result = check_config(services.settings())
    assert result.returncode == 1


def test_check_config_tries_the_look_ups(check_config, services):
    assert check_config(services.settings()).returncode == 0
    with nobody_listens() as url:
        for name in ("team_service_url", "kio_url", "permission_service_url"):
            result = check_config(services.settings(teams={name: url}))
            assert result.returncode == 1, name
            assert url.removeprefix("http://") in result.stderr, name


def test_check_config_tells_what_is_right_beside_what_is_wrong(check_config, services):
    with nobody_listens() as url:
        result = check_config(services.settings(teams={"kio_url": url}))
    assert result.returncode == 1
    assert result.stdout.startswith("configuration is not valid\n")
    assert services.tokeninfo_url.removeprefix("http://") in result.stdout
    assert url.removeprefix("http://") in result.stderr
    assert url.removeprefix("http://") not in result.stdout


@pytest.mark.parametrize("listen, more, code", [
    ("0.0.0.0:8080", {}, 1), ("[::]:8080", {}, 1), ("0.0.0.0:8080", {"allow_open": True}, 0),
    ("127.0.0.1:8080", {}, 0),
])
def test_nobody_opens_a_registry_to_the_world_by_accident(check_config, listen, more, code):
    result = check_config({"listen": listen, **more})
    assert result.returncode == code, result.stderr
    assert code == 0 or "allow_open" in result.stdout + result.stderr


# -- the way to the provider

def test_redirects_are_not_followed(server, client, services):
    """What the operator configured is what is asked, and nobody else gets the token."""
    token = services.add_token("jdoe")
    target = f"{services.origin}/elsewhere"
    elsewhere = stub_server.Endpoint("/elsewhere", lambda request: stub_server.Answer(500))
    services.endpoints.append(elsewhere)
    with services.tokeninfo.behaving(stub_server.redirecting(target)):
        assert_unavailable(client(server, bearer(token)).request("GET", "/v2/"))
    assert elsewhere.count == 0


@pytest.fixture
def secure_services(folder, used_secrets):
    """Behind a certificate that no authority of the system's has signed."""
    certificate = Certificate(folder)
    with IdentityServices(used_secrets, certificate) as stub:
        stub.certificate = certificate
        yield stub


def test_authority_for_the_providers_is_a_setting(start_server, client, secure_services):
    server = start_server(secure_services.settings(
        ca_file=str(secure_services.certificate.path)))
    employee = client(server, bearer(secure_services.add_employee("jdoe", "myteam")))
    assert employee.ask_upload(REPOSITORY).status == 202


def test_provider_with_an_unknown_certificate_is_told_nothing(start_server, client,
                                                              secure_services):
    server = start_server(secure_services.settings())
    token = secure_services.add_employee("jdoe", "myteam")
    assert_unavailable(client(server, bearer(token)).request("GET", "/v2/"))
    assert secure_services.tokeninfo.count == 0


def test_two_providers_are_asked(start_server, client, services, used_secrets):
    """One token info service and one that introspects: each knows tokens of its own."""
    with IdentityServices(used_secrets) as others:
        introspection = {"url": others.introspection_url, "client_id": "registry",
                         "client_secret": "registry-secret-of-the-stub"}
        server = start_server(services.settings({"introspection": introspection}))
        for token in (services.add_token("jdoe", EMPLOYEES), others.add_token("other", EMPLOYEES)):
            assert client(server, bearer(token)).request("GET", "/v2/").status == 200
