"""Who may push where: the rule, over HTTP, with every way a look-up can fail."""

import json

import pytest

from support import stub_server
from support.authorization import assert_denied, assert_unavailable, bearer, oauth2
from support.identity_services import POLICY, SERVICES, WRITE, WRITE_ALL, WRITE_ALL_TRUSTED
from support.stub_server import BREAKDOWNS, nobody_listens

REPOSITORY = "myteam/app"


@pytest.fixture
def push(client):
    """The first request of a push, as the owner of a token."""
    return lambda server, token, repository=REPOSITORY: client(
        server, bearer(token)).ask_upload(repository)


@pytest.fixture
def pull(client):
    return lambda server, token: client(server, bearer(token)).list_tags(REPOSITORY)


# -- the rule

EVERYBODY_WHO_MAY = {
    "employee of the team":
        lambda services: services.add_employee("jdoe", "otherteam", "myteam"),
    "employee of the team, realm without its slash":
        lambda services: services.add_employee("jdoe", "myteam") and services.add_token(
            "jdoe", "employees"),
    "service of the team":
        lambda services: services.add_service("stups_robot", WRITE, team="myteam"),
    "service of the team, realm without its slash":
        lambda services: services.add_service("stups_robot", team="myteam") and services.add_token(
            "stups_robot", "services", ("uid", WRITE)),
    "service that may write all":
        lambda services: services.add_service("stups_robot", WRITE_ALL),
    "service that may write all, of another team":
        lambda services: services.add_service("stups_robot", WRITE_ALL, team="otherteam"),
    "service by RFC 9068, without a realm":
        lambda services: services.add_token("stups_robot", None, (WRITE_ALL,), sub="robot",
                                            client_id="robot"),
    "service with application.write_all_trusted, in no team":
        lambda services: services.add_service("robot", WRITE_ALL_TRUSTED),
    "employee by RFC 9068, without a realm":
        lambda services: services.add_employee("jdoe", "myteam") and services.add_token(
            "jdoe", None, sub="jdoe", client_id="browser"),
}

# What the reason has to name, besides the caller and the team.
EVERYBODY_WHO_MAY_NOT = {
    "employee of another team":
        (lambda services: services.add_employee("caller", "otherteam"), ()),
    "employee of a team with a longer name":
        (lambda services: services.add_employee("caller", "myteam2", "my"), ()),
    "employee of no team":
        (lambda services: services.add_employee("caller"), ()),
    "employee with the scopes of a service":
        (lambda services: services.add_employee(
            "caller", scope=(WRITE, WRITE_ALL, WRITE_ALL_TRUSTED)), ()),
    "service without a scope":
        (lambda services: services.add_service("caller", team="myteam"), (WRITE,)),
    "service with an unknown scope":
        (lambda services: services.add_service("caller", "application.writ", "write",
                                               team="myteam"), (WRITE,)),
    "service of another team":
        (lambda services: services.add_service("caller", WRITE, team="otherteam"), ()),
    "service of no team":
        (lambda services: services.add_service("caller", WRITE), ()),
    "member of the team in an unknown realm":
        (lambda services: services.add_employee("caller", "myteam") and services.add_token(
            "caller", "/customers", (WRITE, WRITE_ALL)), ()),
    "member of the team without a realm":
        (lambda services: services.add_employee("caller", "myteam") and services.add_token(
            "caller", None, (WRITE, WRITE_ALL)), ()),
    "service that the team service lists as a member":
        (lambda services: services.add_employee("caller", "myteam") and services.add_token(
            "caller", SERVICES, (WRITE,)), ()),
}


@pytest.fixture
def server(start_server, services):
    return start_server(services.settings())


@pytest.mark.parametrize("who", EVERYBODY_WHO_MAY)
def test_may_push(server, services, push, pull, who):
    token = EVERYBODY_WHO_MAY[who](services)
    reply = push(server, token)
    assert reply.status == 202, reply.body
    assert pull(server, token).status == 404


@pytest.mark.parametrize("who", EVERYBODY_WHO_MAY_NOT)
def test_may_not_push_but_pull(server, services, push, pull, who):
    make_token, words = EVERYBODY_WHO_MAY_NOT[who]
    token = make_token(services)
    assert_denied(push(server, token), "caller", "myteam", *words)
    assert pull(server, token).status == 404


@pytest.mark.parametrize("method, path", [
    ("PUT", "manifests/1.0"), ("POST", "blobs/uploads/"),
    ("POST", "blobs/uploads/?mount=sha256:" + "0" * 64 + "&from=otherteam/app"),
    ("POST", "blobs/uploads/?digest=sha256:" + "0" * 64),
])
def test_every_way_to_push_is_denied(server, services, client, method, path):
    token = services.add_employee("jdoe", "otherteam")
    reply = client(server, bearer(token)).request(method, f"/v2/{REPOSITORY}/{path}", b"{}")
    assert_denied(reply, "jdoe", "myteam")


def test_team_is_what_is_before_the_first_slash(server, services, push):
    token = services.add_employee("jdoe", "otherteam", "app")
    assert_denied(push(server, token, "myteam/otherteam/app"), "jdoe", "myteam")
    assert push(server, token, "otherteam/myteam/app").status == 202


@pytest.mark.parametrize("scope", [
    [f"filler\n{WRITE_ALL}"], [f"{WRITE_ALL}\n"], [f"filler {WRITE_ALL}"], [[WRITE_ALL]],
    {WRITE_ALL: True}, [WRITE_ALL.upper()], [f"{WRITE_ALL}\u200b"], f"filler\n{WRITE_ALL}",
    [f"scope-{number:010}" for number in range(20000)] + [WRITE_ALL], [7, None], None,
])
def test_odd_scopes_grant_nothing(server, services, push, scope):
    token = services.add_token("caller", SERVICES, ())
    answer = {"uid": "caller", "realm": SERVICES, "scope": scope, "expires_in": 3600}
    with services.tokeninfo.behaving(lambda request: stub_server.json_answer(200, answer)):
        assert push(server, token).status in (403, 503)


@pytest.mark.parametrize("repository", [
    "otherteam%2Fmyteam/app", "otherteam/..%2Fmyteam/app", "otherteam/../myteam/app",
    "otherteam%2F..%2Fmyteam/app", "./myteam/app", "/myteam/app", "%6dyteam/app", "MyTeam/app",
    "otherteam%00/../myteam/app", "myteam//app", "myteam%2Fapp",
])
def test_no_spelling_of_a_name_leads_to_another_team(server, services, push, repository):
    token = services.add_employee("caller", "otherteam")
    reply = push(server, token, repository)
    if reply.status == 202:
        assert reply.headers["Location"].startswith("/v2/otherteam/")
    else:
        assert reply.status in (400, 403, 404)


# -- look-ups

def test_team_service_is_asked_in_the_callers_name(server, services, push):
    token = services.add_employee("jdoe", "myteam")
    push(server, token)
    [request] = services.accounts.requests
    assert (request.method, request.query, request.bearer) == ("GET", {"member": "jdoe"}, token)
    assert services.kio.count == 0


def test_name_is_encoded_in_look_ups(server, services, push):
    token = services.add_employee("j&doe=?/#é", "myteam")
    assert push(server, token).status == 202
    assert services.accounts.requests[0].query == {"member": "j&doe=?/#é"}


def test_kio_is_asked_in_the_callers_name(server, services, push):
    token = services.add_service("stups_robot", WRITE, team="myteam")
    push(server, token)
    [request] = services.kio.requests
    assert (request.method, request.path, request.bearer) == ("GET", "/kio/apps/robot", token)
    assert services.accounts.count == 0


def test_nothing_is_looked_up_for_a_pull(server, services, pull):
    pull(server, services.add_employee("jdoe", "myteam"))
    pull(server, services.add_service("stups_robot", WRITE, team="myteam"))
    assert (services.accounts.count, services.kio.count) == (0, 0)


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
def test_broken_team_service_grants_nothing(server, services, push, pull, breakdown):
    token = services.add_employee("jdoe", "myteam")
    with services.accounts.behaving(BREAKDOWNS[breakdown]):
        assert_unavailable(push(server, token))
        assert pull(server, token).status == 404


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
def test_broken_kio_grants_nothing(server, services, push, pull, breakdown):
    token = services.add_service("stups_robot", WRITE, team="myteam")
    with services.kio.behaving(BREAKDOWNS[breakdown]):
        assert_unavailable(push(server, token))
        assert pull(server, token).status == 404


def test_broken_kio_is_no_matter_to_those_who_may_write_all(server, services, push):
    token = services.add_service("stups_robot", WRITE, WRITE_ALL, team="otherteam")
    with services.kio.behaving(stub_server.failing(500)):
        assert push(server, token).status == 202


@pytest.mark.parametrize("look_up", ["accounts", "kio"])
def test_slow_look_up_grants_nothing(start_server, services, push, look_up):
    server = start_server(services.settings({"lookup_timeout": "200ms"}))
    token = (services.add_employee("jdoe", "myteam") if look_up == "accounts"
             else services.add_service("stups_robot", WRITE, team="myteam"))
    with getattr(services, look_up).held():
        assert_unavailable(push(server, token))


def test_unreachable_look_ups_grant_nothing(start_server, services, push):
    with nobody_listens() as url:
        server = start_server(services.settings(teams={"team_service_url": url, "kio_url": url}))
        assert_unavailable(push(server, services.add_employee("jdoe", "myteam")))
        robot = services.add_service("stups_robot", WRITE, team="myteam")
        assert_unavailable(push(server, robot))


@pytest.mark.parametrize("accounts", [
    b"[]", b'[{"id": "myteam"}]', b'[{"name": null}]', b'[{"name": ["myteam"]}]',
    b'[{"owner": "myteam", "name": "other"}]', b'["myteam"]', b'[{"name": "MYTEAM"}]',
    b'[{"name": "myteam\\u0000"}]', b'[{"name": "myteam\\n"}]',
])
def test_odd_accounts_grant_nothing(server, services, push, accounts):
    token = services.add_employee("jdoe", "myteam")
    with services.accounts.behaving(stub_server.failing(200, accounts)):
        assert push(server, token).status in (403, 503)


@pytest.mark.parametrize("application", [
    b"{}", b'{"team_id": null}', b'{"team_id": ["myteam"]}', b'{"id": "myteam"}', b"[]",
    b'[{"team_id": "myteam"}]', b'{"team_id": "MyTeam"}', b'{"team_id": ""}',
])
def test_odd_applications_grant_nothing(server, services, push, application):
    token = services.add_service("stups_robot", WRITE, team="myteam")
    with services.kio.behaving(stub_server.failing(200, application)):
        assert push(server, token).status in (403, 503)


# -- other settings

def test_later_form_of_the_team_service(start_server, services, push):
    server = start_server(services.settings(teams={"team_service_form": "user"}))
    token = services.add_employee("jdoe", "myteam")
    assert push(server, token).status == 202
    [request] = services.user_teams.requests
    assert (request.method, request.path, request.bearer) == ("GET", "/teams/user/jdoe", token)
    assert_denied(push(server, services.add_employee("other", "otherteam")), "other", "myteam")


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
def test_broken_later_form_grants_nothing(start_server, services, push, breakdown):
    server = start_server(services.settings(teams={"team_service_form": "user"}))
    token = services.add_employee("jdoe", "myteam")
    with services.user_teams.behaving(BREAKDOWNS[breakdown]):
        assert_unavailable(push(server, token))


def test_prefix_of_applications(start_server, services, push):
    server = start_server(services.settings(teams={"kio_prefix": "svc-"}))
    services.applications["my_robot"] = "myteam"
    services.applications["robot"] = "myteam"
    assert push(server, services.add_token("svc-my_robot", SERVICES, (WRITE,))).status == 202
    assert services.kio.requests[-1].path == "/kio/apps/my_robot"
    assert_denied(push(server, services.add_token("stups_robot", SERVICES, (WRITE,))),
                  "stups_robot", "myteam")


def test_what_is_not_configured_grants_nothing(start_server, services, push):
    """The original let everybody push then."""
    server = start_server({"auth": {"tokeninfo_url": services.tokeninfo_url}})
    assert_denied(push(server, services.add_employee("jdoe", "myteam")), "jdoe", "myteam")
    robot = services.add_service("stups_robot", WRITE, team="myteam")
    assert_denied(push(server, robot), "stups_robot", "myteam")


@pytest.mark.parametrize("teams, is_allowed", [
    (["otherteam", "myteam"], True), ("otherteam myteam", True), ("myteam", True),
    (["otherteam"], False), ([], False), ("", False), ("myteam2 my", False), (None, False),
    ([["myteam"]], False), ({"myteam": True}, False), (["otherteam\nmyteam"], False),
])
def test_teams_of_a_claim(start_server, services, push, teams, is_allowed):
    server = start_server({"auth": {"tokeninfo_url": services.tokeninfo_url},
                           "teams": {"claim": "groups"}})
    reply = push(server, services.add_token("jdoe", groups=teams))
    if is_allowed:
        assert reply.status == 202, reply.body
    else:
        assert_denied(reply, "jdoe", "myteam")


def test_claim_of_a_service_needs_the_scope_too(start_server, services, push):
    server = start_server({"auth": {"tokeninfo_url": services.tokeninfo_url},
                           "teams": {"claim": "groups"}})
    assert_denied(push(server, services.add_token("robot", SERVICES, groups=["myteam"])),
                  "robot", "myteam", WRITE)
    token = services.add_token("robot", SERVICES, (WRITE,), groups=["myteam"])
    assert push(server, token).status == 202


# -- the permission service

@pytest.fixture
def judged_server(start_server, services):
    return start_server({"auth": {"tokeninfo_url": services.tokeninfo_url},
                         "teams": {"permission_service_url": services.permission_service_url}})


def test_permission_service_is_asked_as_the_original_did(judged_server, services, push):
    token = services.add_token("jdoe")
    services.permissions.add(("jdoe", "myteam"))
    assert push(judged_server, token).status == 202
    [request] = services.permission.requests
    assert (request.method, request.path, request.bearer) == ("GET", "/magnificent/auth", token)
    assert json.loads(request.body) == {"policy": POLICY, "payload": {"team": "myteam"}}
    assert_denied(push(judged_server, token, "otherteam/app"), "jdoe", "otherteam")


def test_permission_of_a_service_needs_the_scope_too(judged_server, services, push):
    services.permissions.add(("stups_robot", "myteam"))
    assert_denied(push(judged_server, services.add_token("stups_robot", SERVICES)),
                  "stups_robot", WRITE)
    token = services.add_token("stups_robot", SERVICES, (WRITE,))
    assert push(judged_server, token).status == 202


@pytest.mark.parametrize("status", [204, 400, 401, 404])
def test_other_answers_of_the_permission_service_are_no(judged_server, services, push, status):
    services.permissions.add(("jdoe", "myteam"))
    token = services.add_token("jdoe")
    with services.permission.behaving(stub_server.failing(status, b"")):
        assert_denied(push(judged_server, token), "jdoe", "myteam")


def test_permission_service_is_asked_in_vain_so_often_only(judged_server, services, push, tokens):
    """By one identity, whatever its tokens; others do not notice."""
    services.permissions.update({("jdoe", "myteam"), ("other", "myteam")})
    assert push(judged_server, services.add_token("jdoe")).status == 202
    replies = [tokens(judged_server).get(
        *(f"repository:team-{turn}-{number}/app:push" for number in range(32)),
        authorization=oauth2(services.add_token("jdoe"))) for turn in range(3)]
    assert [reply.status for reply in replies] == [200, 429, 429]
    assert 0 < int(replies[1].headers["Retry-After"]) <= 61
    assert services.permission.count == 61
    assert push(judged_server, services.add_token("other")).status == 202


@pytest.mark.parametrize("breakdown", ["status 500", "status 503", "no answer"])
def test_broken_permission_service_grants_nothing(judged_server, services, push, breakdown):
    services.permissions.add(("jdoe", "myteam"))
    token = services.add_token("jdoe")
    with services.permission.behaving(BREAKDOWNS[breakdown]):
        assert_unavailable(push(judged_server, token))


def test_one_yes_is_enough(start_server, services, push):
    server = start_server(services.settings(
        teams={"permission_service_url": services.permission_service_url}))
    services.permissions.add(("jdoe", "myteam"))
    token = services.add_employee("jdoe", "otherteam")
    assert push(server, token).status == 202


def test_one_yes_is_enough_if_the_other_is_down(start_server, services, push):
    server = start_server(services.settings(
        teams={"permission_service_url": services.permission_service_url}))
    services.permissions.add(("jdoe", "myteam"))
    token = services.add_employee("jdoe", "otherteam")
    with services.accounts.behaving(stub_server.failing(500)):
        assert push(server, token).status == 202


def test_no_of_one_is_no_answer_if_the_other_is_down(start_server, services, push):
    server = start_server(services.settings(
        teams={"permission_service_url": services.permission_service_url}))
    token = services.add_employee("jdoe", "otherteam")
    with services.accounts.behaving(stub_server.failing(500)):
        assert_unavailable(push(server, token))
