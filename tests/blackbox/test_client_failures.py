"""pierone against registries and providers that misbehave: a clear word, exit 1, nothing leaks."""

import json
import re

import pytest

from support.images import OCI_MANIFEST, digest_of
from support.stub_server import (BREAKDOWNS, Answer, Endpoint, StubServer, json_answer,
                                 nobody_listens)

TOKEN = "a-token-that-nobody-else-may-see"
# Both sets of control characters; direction, zero width, line separator, tag.
STEERING = "\033\x9b\x7f\r\u202e\u2066\u200b\u2028\U000e0041"
VARIABLES = {"OAUTH2_ACCESS_TOKENS": f"pierone={TOKEN}"}

COMMANDS = {
    "teams": ("/teams", ("teams",)),
    "describe": ("/teams/", ("describe", "team", "app", "1.0")),
    "latest": ("/teams/", ("latest", "team", "app")),
    "inspect-contents": ("/v2/", ("inspect-contents", "team", "app", "1.0")),
    "mark-production-ready": ("/teams/", ("mark-production-ready", "I", "team", "app", "1.0")),
    "login": ("/.well-known/pierone", ("login",)),
}


def assert_told(said):
    said = re.sub(r"\AWaiting for .*\n", "", said)  # where the machine is busy
    assert said.startswith("pierone: ")
    assert len(said.splitlines()) <= 3, said
    assert TOKEN not in said
    assert "\033" not in said


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
@pytest.mark.parametrize("command", COMMANDS)
def test_registry_that_breaks_down(make_person, command, breakdown):
    path, arguments = COMMANDS[command]
    with StubServer([Endpoint(path, BREAKDOWNS[breakdown])]) as stub:
        result = make_person(url=stub.origin).attempt(*arguments, **VARIABLES)
    assert (result.returncode, result.stdout) == (1, ""), result
    assert_told(result.stderr)


def test_nobody_listens(make_person):
    with nobody_listens() as url:
        assert_told(make_person(url=url).fail("teams", **VARIABLES))


def test_messages_cannot_steer_the_terminal(make_person):
    problem = {"title": "x", "status": 404, "detail": "", "message": "\033[2Jgone\r\nover"}
    with StubServer([Endpoint("/teams/", lambda request: json_answer(404, problem))]) as stub:
        said = make_person(url=stub.origin).fail("describe", "t", "a", "1", **VARIABLES)
    assert_told(said)
    assert "gone" in said


def test_names_cannot_steer_the_terminal(make_person):
    """Whom the registry takes somebody for, and why a provider renews nothing."""
    provider = {"methods": ["oauth2"], "issuer": None, "client_id": None, "scopes": []}
    who = {"name": f"{STEERING}jdoe", "kind": "employee"}
    refusal = {"error": f"{STEERING}over"}
    endpoints = [Endpoint("/.well-known/pierone", lambda request: json_answer(200, provider)),
                 Endpoint("/whoami", lambda request: json_answer(200, who)),
                 Endpoint("/token", lambda request: json_answer(400, refusal))]
    with StubServer(endpoints) as stub:
        person = make_person(url=stub.origin)
        said = [person.attempt("login", **VARIABLES).stderr]
        said += [person.run("whoami", "-o", form, **VARIABLES) for form in ("text", "json", "tsv")]
        said.append(person.helper("list").stdout)
        person.logins.write_text(json.dumps({"logins": {"localhost": {
            "kind": "oauth2", "secret": "x", "refresh_token": "x", "expires_ms": 1,
            "token_url": f"{stub.origin}/token", "client_id": "x"}}}))
        said.append(person.helper("get", "localhost").stdout)
    assert all("jdoe" in text for text in said[:-1]) and "over" in said[-1], said
    assert not [text for text in said if set(STEERING) & set(text)], said


@pytest.mark.parametrize("status", [401, 403])
def test_refused_logins_are_not_kept(make_person, status):
    provider = {"methods": ["oauth2"], "issuer": None, "client_id": None, "scopes": []}
    endpoints = [Endpoint("/.well-known/pierone", lambda request: json_answer(200, provider)),
                 Endpoint("/whoami", lambda request: json_answer(status, {"message": "no"}))]
    with StubServer(endpoints) as stub:
        person = make_person(url=stub.origin)
        assert_told(person.fail("login", **VARIABLES))
    assert not person.logins.exists()
    assert not person.docker_config.exists()


def test_registry_without_an_issuer_is_told(make_person):
    provider = {"methods": ["oauth2"], "issuer": None, "client_id": None, "scopes": []}
    with StubServer([Endpoint("/.well-known/pierone",
                              lambda request: json_answer(200, provider))]) as stub:
        said = make_person(url=stub.origin).fail("login")
    assert "login.issuer" in said and "OAUTH2_ACCESS_TOKEN_URL" in said


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/device"])
def test_waiting_for_a_login_server_is_told(make_person, path):
    def origin(request):
        return f"http://{request.headers['Host']}"

    def answer(path, make):
        return Endpoint(path, lambda request: json_answer(200, make(origin(request))))

    stubs = {stub.path: stub for stub in (
        answer("/.well-known/pierone", lambda url: {"methods": ["oauth2"], "issuer": url,
                                                    "client_id": "x", "scopes": []}),
        answer("/.well-known/openid-configuration", lambda url: {
            "issuer": url, "token_endpoint": f"{url}/token", "device_authorization_endpoint": f"{url}/device"}),
        answer("/device", lambda url: {}))}
    with StubServer(list(stubs.values())) as stub, stubs[path].held():
        process = make_person(url=stub.origin).start("login", "--device")
        assert process.stderr.read(8) == "Waiting "
        stubs[path].release()
        process.communicate(timeout=60)
    assert process.returncode == 1


@pytest.mark.parametrize("endpoints", [
    {"authorization_endpoint": "--help", "token_endpoint": "https://x/t"},
    {"token_endpoint": "file:///etc/passwd"},
    {},
])
def test_addresses_of_a_provider_are_addresses(make_person, endpoints):
    """A browser is started with one of them."""
    stubs = []
    provider = {"methods": ["oauth2"], "client_id": "x", "scopes": []}
    stubs.append(Endpoint("/.well-known/pierone", lambda request: json_answer(
        200, {**provider, "issuer": f"http://{request.headers['Host']}"})))
    stubs.append(Endpoint("/.well-known/openid-configuration", lambda request: json_answer(
        200, {**endpoints, "issuer": f"http://{request.headers['Host']}"})))
    with StubServer(stubs) as stub:
        person = make_person(url=stub.origin)
        browser = person.home / "browser"
        browser.write_text("#!/bin/sh\n: > \"$HOME/opened\"\n")
        browser.chmod(0o755)
        assert_told(person.fail("login", BROWSER=str(browser)))
        assert not (person.home / "opened").exists()


def test_layers_elsewhere_are_read_without_the_login(make_person):
    """As an S3 store answers: 307 to a link of its own."""
    layer = b"\0" * 10240  # an archive without entries
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "layers": [{"digest": digest_of(layer), "size": len(layer),
                            "mediaType": "application/vnd.oci.image.layer.v1.tar"}]}
    elsewhere = Endpoint("/bucket/", lambda request: Answer(206, layer, "application/octet-stream"))
    with StubServer([elsewhere]) as store:
        def redirect(request):
            return Answer(307, headers={"Location": f"{store.origin}/bucket/key?signed=1"})

        blobs = Endpoint(f"/v2/team/app/blobs/{digest_of(layer)}", redirect)
        manifests = Endpoint("/v2/team/app/manifests/1.0",
                             lambda request: json_answer(200, manifest))
        with StubServer([blobs, manifests]) as registry:
            person = make_person(url=registry.origin)
            assert person.json("inspect-contents", "team", "app", "1.0", **VARIABLES) == []
    assert blobs.requests[0].bearer == TOKEN
    asked, = elsewhere.requests
    assert asked.headers["Authorization"] is None
    assert asked.headers["Range"] == f"bytes=0-{len(layer) - 1}"
    assert asked.query == {"signed": "1"}
