"""The examples of docs/permissions.md, as they are written: only hosts and paths are others."""

import pathlib
import re

import pytest

from support.authorization import assert_denied, bearer
from support.identity_services import INTROSPECTION_CLIENT, WRITE, WRITE_ALL
from support.server import run_once

PAGE = pathlib.Path(__file__, "../../../docs/permissions.md").resolve()
SECRET_VARIABLE = "PIERONE_AUTH_INTROSPECTION_CLIENT_SECRET"


def example(heading):
    """All settings that stand below a heading, one after the other."""
    section = re.search(rf"^### {heading}.*?$(.*?)(?=^##)", PAGE.read_text(encoding="utf-8"),
                        re.DOTALL | re.MULTILINE)
    return "".join(re.findall(r"```yaml\n(.*?)```", section[1], re.DOTALL))


def placed(text, **places):
    """With each of the values in the place of what the example has for the key."""
    for key, value in places.items():
        text, count = re.subn(rf"(?m)^( *{key}: )\S+", rf"\g<1>{value}", text)
        assert count == 1, key
    return text


def settings_of(text):
    """What start_server takes; values are plain ones of one line."""
    settings = {}
    parents = [(-1, settings)]
    for line in text.splitlines():
        key, _, value = line.partition("#")[0].partition(":")
        depth, value = len(key) - len(key.lstrip()), value.strip()
        while parents[-1][0] >= depth:
            parents.pop()
        parents[-1][1][key.strip()] = value or {}
        if not value:
            parents.append((depth, parents[-1][1][key.strip()]))
    return settings


@pytest.fixture
def start_example(start_server, binary, folder):
    """Checks the settings, and starts with them."""
    def start(text, environment=None):
        path = folder / "example.yaml"
        path.write_text(text, encoding="utf-8")
        result = run_once(binary, "-c", path, "--data", folder / "data", "--check-config",
                          environment=environment)
        assert result.returncode == 0, result.stdout + result.stderr
        return start_server(settings_of(text), environment)

    return start


@pytest.fixture
def may_push(client):
    def ask(server, token, repository="myteam/app"):
        status = client(server, bearer(token)).ask_upload(repository).status
        assert status in (202, 403), status
        return status == 202

    return ask


def test_stups(start_example, services, may_push):
    server = start_example(placed(
        example("STUPS"), tokeninfo_url=services.tokeninfo_url,
        team_service_url=services.team_service_url, kio_url=services.kio_url))
    assert may_push(server, services.add_employee("jdoe", "myteam"))
    assert not may_push(server, services.add_employee("stranger", "otherteam"))
    assert may_push(server, services.add_service("stups_robot", WRITE, team="myteam"))
    assert not may_push(server, services.add_service("stups_reader", team="myteam"))
    assert may_push(server, services.add_service("stups_admin", WRITE_ALL))


def test_openid_connect_with_a_real_provider(start_example, glewlwyd, may_push):
    """Whose audience is all scopes in one string, and whose claim for teams has another name."""
    scopes = f"openid uid {WRITE}"
    server = start_example(placed(example("OpenID Connect"), issuer=glewlwyd.issuer,
                                  audience=scopes, claim="team"))
    assert may_push(server, glewlwyd.person_token("alice", scopes))
    assert not may_push(server, glewlwyd.person_token("bob", scopes))


def test_introspection(start_example, services, may_push):
    """With the first lines alone."""
    text = re.sub(r"(?m)^ *(token_url|token_scope|claims|name): ?.*\n", "",
                  example("Introspection"))
    client_id, secret = INTROSPECTION_CLIENT
    server = start_example(placed(text, url=services.introspection_url, client_id=client_id),
                           {SECRET_VARIABLE: secret})
    assert may_push(server, services.add_token("jdoe", teams=["myteam"]))
    assert not may_push(server, services.add_token("stranger", teams=["otherteam"]))


def test_introspection_with_a_real_provider_that_wants_a_bearer_token(start_example, glewlwyd,
                                                                      client):
    """Its answers tell no team, and of a robot only the client: all may read, and nobody push."""
    server = start_example(placed(
        example("Introspection"), url=glewlwyd.introspection_url, client_id="registry",
        token_url=glewlwyd.token_url), {SECRET_VARIABLE: "robot-secret-0004"})
    for token, name in ((glewlwyd.person_token("alice"), "employee alice"),
                        (glewlwyd.robot_token("robot-all"), "unknown robot-all")):
        caller = client(server, bearer(token))
        assert caller.request("GET", "/v2/").status == 200
        assert_denied(caller.ask_upload("myteam/app"), f"{name} may not push to team myteam")


def test_introspection_without_a_name(start_example, glewlwyd, client):
    """What the lines about claims are for."""
    text = re.sub(r"(?m)^ *(claims|name): ?.*\n", "", example("Introspection"))
    server = start_example(placed(
        text, url=glewlwyd.introspection_url, client_id="registry",
        token_url=glewlwyd.token_url), {SECRET_VARIABLE: "robot-secret-0004"})
    robot = client(server, bearer(glewlwyd.robot_token("robot-all")))
    assert_denied(robot.request("GET", "/v2/"), "uid sub")
    person = client(server, bearer(glewlwyd.person_token("alice")))
    assert "alice" not in person.request("GET", "/whoami").json()["name"]
