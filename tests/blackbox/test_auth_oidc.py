"""Tokens that an OpenID Connect issuer signed, and introspection. Forged ones above all."""

import json
import time

import pytest

from support import stub_server
from support.authorization import (assert_challenged, assert_denied, assert_unavailable, bearer,
                                   oauth2)
from support.glewlwyd import ROBOTS
from support.identity_services import INTROSPECTION_CLIENT, WRITE, WRITE_ALL
from support.issuer import base64url, from_base64url, hmac_signer, sign

REPOSITORY = "myteam/app"
AUDIENCE = "pierone"

# Between two fetches of keys at least; and longer than any.
FETCH_PAUSE_S = 11
KEYS_LIFE_S = 3700


@pytest.fixture
def server(start_server, issuer):
    return start_server(issuer.settings())


@pytest.fixture
def try_token(client):
    return lambda server, token: client(server, bearer(token)).request("GET", "/v2/")


@pytest.fixture
def push(client):
    return lambda server, token, repository=REPOSITORY: client(
        server, bearer(token)).ask_upload(repository)


def assert_refused(reply):
    assert_challenged(reply, error="invalid_token")


# -- what is accepted

@pytest.mark.parametrize("form", [bearer, oauth2])
def test_token_is_accepted_in_both_forms(server, issuer, client, form):
    assert client(server, form(issuer.token())).request("GET", "/v2/").status == 200


@pytest.mark.parametrize("name, algorithm", [
    ("rsa", "RS256"), ("rsa", "PS256"), ("elliptic", "ES256"),
])
@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt"])
def test_algorithms_and_kinds(server, issuer, signing_keys, try_token, name, algorithm, kind):
    token = issuer.token(key=getattr(signing_keys, name), header={"alg": algorithm, "typ": kind})
    assert try_token(server, token).status == 200


def test_clocks_may_differ_a_little(server, issuer, try_token):
    now = int(time.time())
    assert try_token(server, issuer.token(nbf=now + 5, iat=now + 5)).status == 200


def test_keys_are_found_by_discovery_and_fetched_once(server, issuer, signing_keys, try_token):
    for number in range(5):
        assert try_token(server, issuer.token(f"user-{number}")).status == 200
    assert try_token(server, issuer.token(key=signing_keys.elliptic)).status == 200
    assert (issuer.discovery.count, issuer.jwks.count) == (1, 1)


def test_place_of_the_keys_can_be_set(start_server, issuer, try_token):
    server = start_server(issuer.settings(jwks_url=issuer.jwks_url))
    assert try_token(server, issuer.token()).status == 200
    assert issuer.discovery.count == 0


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_audience_is_one_of_the_tokens(start_server, issuer, try_token, audience):
    server = start_server(issuer.settings(audience=AUDIENCE))
    assert try_token(server, issuer.token(aud=audience)).status == 200


def test_no_audience_is_required_unless_one_is_set(server, issuer, try_token):
    assert try_token(server, issuer.token(aud="somebody-else")).status == 200


def test_large_token_is_taken(server, issuer, try_token):
    token = issuer.token(teams=[f"team-{number}" for number in range(1000)])
    assert try_token(server, token).status == 200


# -- who it is

def test_request_is_logged_with_the_uid(server, issuer, try_token):
    try_token(server, issuer.token("jdoe"))
    server.wait_for_logged(user="jdoe")


def test_subject_is_the_name_of_those_without_a_uid(server, issuer, try_token):
    try_token(server, issuer.token(None, sub="subject-17"))
    server.wait_for_logged(user="subject-17")


def test_claims_can_have_other_names(start_server, issuer, push):
    server = start_server(issuer.settings(auth={"claims": {
        "name": "preferred_username", "realm": "kind", "scope": "permissions"}},
        teams={"claim": "memberships"}))
    people = issuer.token(preferred_username="jane", kind="employees", realm=None,
                          memberships="myteam")
    assert push(server, people).status == 202
    server.wait_for_logged(user="jane")
    robot = issuer.token(preferred_username="robot", kind="/services", realm=None,
                         permissions=[WRITE_ALL])
    assert push(server, robot).status == 202


@pytest.mark.parametrize("client_type, teams, scope, status", [
    ("robot", ["myteam"], WRITE, 202), ("robot", [], WRITE_ALL, 202),
    ("robot", ["myteam"], "uid", 403), ("robot", [], WRITE, 403),
    ("human", ["myteam"], "uid", 202), ("human", [], WRITE_ALL, 403),
    (None, ["myteam"], "uid", 202), (None, [], WRITE_ALL, 403),
])
def test_claim_that_marks_services(start_server, issuer, push, client_type, teams, scope, status):
    server = start_server(issuer.settings(auth={"claims": {"service": "client_type=robot"}}))
    token = issuer.token(realm=None, client_type=client_type, teams=teams, scope=scope)
    assert push(server, token).status == status


@pytest.mark.parametrize("claims, status", [
    ({"sub": "robot", "client_id": "robot", "scope": WRITE_ALL}, 202),
    ({"sub": "robot", "client_id": "robot", "scope": "uid"}, 403),
    ({"sub": "robot", "client_id": "robot", "scope": None, "scp": [WRITE_ALL]}, 202),
    ({"sub": "jdoe", "client_id": "browser"}, 202),
    ({"sub": "jdoe", "client_id": "browser", "teams": [], "scope": WRITE_ALL}, 403),
    ({"sub": "jdoe", "client_id": None, "scope": WRITE_ALL}, 403),
    ({"sub": None, "client_id": "robot", "scope": WRITE_ALL}, 403),
    ({"sub": "jdoe", "client_id": "browser", "realm": "customers"}, 403),
])
def test_kind_of_those_without_a_realm(server, issuer, push, claims, status):
    reply = push(server, issuer.token(**{"realm": None, **claims}))
    assert reply.status == status, reply.body


@pytest.mark.parametrize("claims", [
    {"uid": None, "sub": None}, {"uid": ""}, {"uid": "two\nlines"}, {"uid": "x" * 300},
    {"uid": 17, "sub": None}, {"uid": ["jdoe"], "sub": None},
])
def test_token_of_nobody_is_denied(server, issuer, try_token, claims):
    assert_denied(try_token(server, issuer.token(**{"uid": "jdoe", **claims})))


def test_employee_pushes_to_own_teams_alone(server, issuer, push):
    token = issuer.token("jdoe", teams=["otherteam", "myteam"])
    assert push(server, token).status == 202
    assert_denied(push(server, token, "foreign/app"), "jdoe", "foreign")


# -- what is forged

def with_claims(token, **changes):
    """The same signature below other claims."""
    head, claims, signature = token.split(".")
    changed = {**json.loads(from_base64url(claims)), **changes}
    return ".".join((head, base64url(json.dumps(changed).encode()), signature))


def with_header(token, **changes):
    head, claims, signature = token.split(".")
    changed = {**json.loads(from_base64url(head)), **changes}
    return ".".join((base64url(json.dumps(changed).encode()), claims, signature))


def with_other_signature(token):
    head, claims, signature = token.split(".")
    value = bytearray(from_base64url(signature))
    value[len(value) // 2] ^= 1
    return ".".join((head, claims, base64url(bytes(value))))


def hmac_forgery(issuer, secret, algorithm="HS256"):
    header = {"typ": "JWT", "alg": algorithm, "kid": issuer.keys.rsa.id}
    return sign(header, issuer.claims(), hmac_signer(secret))


def unsigned(issuer, algorithm):
    return sign({"typ": "JWT", "alg": algorithm, "kid": issuer.keys.rsa.id}, issuer.claims(),
                lambda data: b"")


def by_rival(issuer, **header):
    """Signed well, by a key that is not the issuer's."""
    return issuer.token(key=issuer.keys.foreign_rsa, header=header)


def elliptic_zeros(issuer):
    """r = s = 0, which careless verifiers take for any message."""
    key = issuer.keys.elliptic
    return sign({"typ": "JWT", "alg": "ES256", "kid": key.id}, issuer.claims(),
                lambda data: bytes(64))


def elliptic_in_der(issuer):
    """The right numbers, in the encoding that JOSE does not use."""
    key = issuer.keys.elliptic
    token = issuer.token(key=key)
    head, claims, signature = token.split(".")
    numbers = from_base64url(signature)
    parts = b"".join(b"\x02" + bytes([33]) + b"\0" + number
                     for number in (numbers[:32], numbers[32:]))
    return f"{head}.{claims}.{base64url(bytes([0x30, len(parts)]) + parts)}"


FORGERIES = {
    "no algorithm": lambda issuer: unsigned(issuer, "none"),
    "no algorithm, in capitals": lambda issuer: unsigned(issuer, "NONE"),
    "no signature": lambda issuer: unsigned(issuer, "RS256"),
    "no algorithm below a good signature": lambda issuer: with_header(issuer.token(), alg="none"),
    "HS256 with the public key in PEM":
        lambda issuer: hmac_forgery(issuer, issuer.keys.rsa.public_pem),
    "HS256 with the public key in PEM, stripped":
        lambda issuer: hmac_forgery(issuer, issuer.keys.rsa.public_pem.strip()),
    "HS256 with the modulus":
        lambda issuer: hmac_forgery(issuer, from_base64url(issuer.keys.rsa.jwk["n"])),
    "HS256 with the modulus as text":
        lambda issuer: hmac_forgery(issuer, issuer.keys.rsa.jwk["n"].encode()),
    "HS256 with nothing": lambda issuer: hmac_forgery(issuer, b""),
    "HMAC under the name of RS256":
        lambda issuer: hmac_forgery(issuer, issuer.keys.rsa.public_pem, "RS256"),
    "foreign key under a known id": lambda issuer: by_rival(issuer, kid=issuer.keys.rsa.id),
    "foreign key without an id": lambda issuer: by_rival(issuer, kid=None),
    "unknown key": by_rival,
    "foreign key that the token brings along":
        lambda issuer: by_rival(issuer, jwk=issuer.keys.foreign_rsa.jwk),
    "foreign key that the token points at":
        lambda issuer: by_rival(issuer, jku=f"{issuer.origin}/rival/keys"),
    "wrong issuer": lambda issuer: issuer.token(iss="https://rival.example.org"),
    "issuer with a slash more": lambda issuer: issuer.token(iss=issuer.url + "/"),
    "no issuer": lambda issuer: issuer.token(iss=None),
    "list of issuers": lambda issuer: issuer.token(iss=[issuer.url]),
    "tampered name": lambda issuer: with_claims(issuer.token(), uid="somebody-else"),
    "tampered team": lambda issuer: with_claims(issuer.token(), teams=["foreign"]),
    "tampered header": lambda issuer: with_header(issuer.token(), typ="at+jwt"),
    "tampered signature": lambda issuer: with_other_signature(issuer.token()),
    "RS256 under the name of PS256": lambda issuer: with_header(issuer.token(), alg="PS256"),
    "RS256 under the id of the other key":
        lambda issuer: issuer.token(header={"kid": issuer.keys.elliptic.id}),
    "tampered signature of the elliptic key":
        lambda issuer: with_other_signature(issuer.token(key=issuer.keys.elliptic)),
    "zeros for a signature": elliptic_zeros,
    "elliptic signature in DER": elliptic_in_der,
    "unknown critical header": lambda issuer: issuer.token(header={"crit": ["x"], "x": True}),
    "token of another kind": lambda issuer: issuer.token(header={"typ": "logout+jwt"}),
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 3600),
    "no end": lambda issuer: issuer.token(exp=None),
    "end in words": lambda issuer: issuer.token(exp="tomorrow"),
    "not valid yet": lambda issuer: issuer.token(nbf=int(time.time()) + 3600),
    "two parts": lambda issuer: issuer.token().rpartition(".")[0],
    "four parts": lambda issuer: issuer.token() + ".more",
    "no base64": lambda issuer: issuer.token().replace(".", ".%", 1),
    "padding": lambda issuer: issuer.token() + "==",
    "not a JSON": lambda issuer: base64url(b"{") + "." + issuer.token().partition(".")[2],
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_token_is_refused(server, issuer, try_token, push, forgery):
    assert try_token(server, issuer.token()).status == 200
    token = FORGERIES[forgery](issuer)
    assert_refused(try_token(server, token))
    assert push(server, token).status == 401


@pytest.mark.parametrize("audience", [
    None, "", "other", ["other"], [], "pieron", "pierone2", "other pierone", {"pierone": True},
    [["pierone"]], "PIERONE",
])
def test_token_for_somebody_else_is_refused(start_server, issuer, try_token, audience):
    server = start_server(issuer.settings(audience=AUDIENCE))
    assert_refused(try_token(server, issuer.token(aud=audience)))


def test_nobody_but_the_issuer_is_asked_for_keys(server, issuer, try_token):
    try_token(server, issuer.token())
    rival = stub_server.Endpoint("/rival/keys", lambda request: stub_server.Answer(500))
    issuer.endpoints.append(rival)
    token = by_rival(issuer, jku=issuer.origin + rival.path, x5u=issuer.origin + rival.path)
    assert_refused(try_token(server, token))
    assert rival.count == 0


# -- keys come and go

@pytest.fixture
def turned_server(start_server, issuer, fake_time):
    return start_server(issuer.settings(), fake_time.environment)


def test_new_key_is_fetched_when_a_token_names_it(turned_server, issuer, signing_keys, fake_time,
                                                  try_token):
    assert try_token(turned_server, issuer.token()).status == 200
    issuer.published = [signing_keys.next_rsa]
    fake_time.forward(FETCH_PAUSE_S)
    assert try_token(turned_server, issuer.token(key=signing_keys.next_rsa)).status == 200
    assert issuer.jwks.count == 2


def test_withdrawn_key_signs_no_more(turned_server, issuer, signing_keys, fake_time, try_token):
    assert try_token(turned_server, issuer.token()).status == 200
    issuer.published = [signing_keys.next_rsa]
    fake_time.forward(FETCH_PAUSE_S)
    assert try_token(turned_server, issuer.token(key=signing_keys.next_rsa)).status == 200
    assert_refused(try_token(turned_server, issuer.token("another-user")))


def test_unknown_keys_do_not_hammer_the_issuer(turned_server, issuer, signing_keys, fake_time,
                                               try_token):
    assert try_token(turned_server, issuer.token()).status == 200
    fake_time.forward(FETCH_PAUSE_S)
    for number in range(20):
        token = issuer.token(key=signing_keys.foreign_rsa, header={"kid": f"unknown-{number}"})
        assert_refused(try_token(turned_server, token))
    assert issuer.jwks.count <= 3
    assert try_token(turned_server, issuer.token("another-user")).status == 200


def test_known_keys_count_while_the_issuer_is_down(turned_server, issuer, fake_time, try_token):
    assert try_token(turned_server, issuer.token()).status == 200
    with issuer.jwks.behaving(stub_server.failing(500)):
        fake_time.forward(KEYS_LIFE_S)
        token = issuer.token("another-user", exp=int(time.time()) + 2 * KEYS_LIFE_S)
        assert try_token(turned_server, token).status == 200


@pytest.mark.parametrize("breakdown", [
    stub_server.failing(500), stub_server.malformed, stub_server.no_json, stub_server.wrong_kind,
    stub_server.closing, stub_server.huge, stub_server.failing(200, b'{"keys": 7}'),
])
@pytest.mark.parametrize("endpoint", ["discovery", "jwks"])
def test_without_keys_nobody_is_let_in(server, issuer, try_token, endpoint, breakdown):
    with getattr(issuer, endpoint).behaving(breakdown):
        assert_unavailable(try_token(server, issuer.token()))


def test_discovery_of_another_issuer_is_not_believed(server, issuer, try_token):
    rival = {"issuer": "https://rival.example.org", "jwks_uri": issuer.jwks_url}
    with issuer.discovery.behaving(lambda request: stub_server.json_answer(200, rival)):
        assert_unavailable(try_token(server, issuer.token()))
    assert issuer.jwks.count == 0


def test_keys_that_are_not_understood_are_skipped(server, issuer, try_token):
    odd = [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "odd"}, {"kty": "oct", "k": "AAAA"},
           {}, 7, {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "broken"}]
    keys = {"keys": odd + [issuer.keys.rsa.jwk]}
    with issuer.jwks.behaving(lambda request: stub_server.json_answer(200, keys)):
        assert try_token(server, issuer.token()).status == 200


def test_key_for_encryption_does_not_sign(server, issuer, try_token):
    keys = {"keys": [{**issuer.keys.rsa.jwk, "use": "enc"}]}
    with issuer.jwks.behaving(lambda request: stub_server.json_answer(200, keys)):
        assert try_token(server, issuer.token()).status in (401, 503)


def test_secret_key_among_the_published_verifies_nothing(server, issuer, try_token):
    """A `kty` oct would make HS256 possible for everybody who can read it."""
    secret = b"published by mistake, 32 bytes.."
    keys = {"keys": [issuer.keys.rsa.jwk, {"kty": "oct", "k": base64url(secret), "kid": "shared"}]}
    token = sign({"typ": "JWT", "alg": "HS256", "kid": "shared"}, issuer.claims(),
                 hmac_signer(secret))
    with issuer.jwks.behaving(lambda request: stub_server.json_answer(200, keys)):
        assert_refused(try_token(server, token))


def test_token_ends_at_its_time(turned_server, issuer, fake_time, try_token):
    token = issuer.token(exp=int(time.time()) + 600)
    assert try_token(turned_server, token).status == 200
    fake_time.forward(700)
    assert_refused(try_token(turned_server, token))


# -- --check-config

def test_check_config_finds_the_keys(check_config, issuer):
    result = check_config(issuer.settings())
    assert result.returncode == 0, result.stderr
    said = result.stdout + result.stderr
    assert issuer.url in said and "2 usable keys" in said
    assert issuer.jwks.count == 1


@pytest.mark.parametrize("endpoint, breakdown", [
    ("discovery", stub_server.failing(404)), ("discovery", stub_server.no_json),
    ("discovery", lambda request: stub_server.json_answer(200, {"issuer": "https://rival"})),
    ("jwks", stub_server.failing(500)), ("jwks", stub_server.failing(200, b'{"keys": []}')),
])
def test_check_config_says_what_is_wrong_with_an_issuer(check_config, issuer, endpoint, breakdown):
    with getattr(issuer, endpoint).behaving(breakdown):
        result = check_config(issuer.settings())
    assert result.returncode == 1
    assert issuer.url in result.stdout + result.stderr


def test_check_config_says_that_the_client_secret_is_wrong(check_config, services, used_secrets):
    settings = introspection_settings(services, used_secrets)
    assert check_config(settings).returncode == 0
    settings["auth"]["introspection"]["client_secret"] = "another secret"
    result = check_config(settings)
    assert result.returncode == 1
    assert "client_secret" in result.stdout + result.stderr
    assert "another secret" not in result.stdout + result.stderr


# -- a real provider

def provider_settings(glewlwyd, **oidc):
    return {"auth": {"oidc": {"issuer": glewlwyd.issuer, **oidc}}, "teams": {"claim": "team"}}


@pytest.fixture
def provided_server(start_server, glewlwyd, fake_time):
    return start_server(provider_settings(glewlwyd), fake_time.environment)


def test_people_of_a_real_provider_push_to_their_team(provided_server, glewlwyd, push):
    alice, bob = glewlwyd.person_token("alice"), glewlwyd.person_token("bob")
    assert push(provided_server, alice).status == 202
    assert_denied(push(provided_server, bob), "bob", "myteam")
    assert push(provided_server, bob, "otherteam/app").status == 202


def test_robots_of_a_real_provider_need_scopes(provided_server, glewlwyd, push):
    assert push(provided_server, glewlwyd.robot_token("robot")).status == 202
    assert_denied(push(provided_server, glewlwyd.robot_token("robot"), "otherteam/app"),
                  "stups_robot", "otherteam")
    assert_denied(push(provided_server, glewlwyd.robot_token("robot-reader")),
                  "stups_robot-reader", "myteam", WRITE)
    assert push(provided_server, glewlwyd.robot_token("robot-all"), "otherteam/app").status == 202


def test_token_of_a_real_provider_for_another_audience(start_server, glewlwyd, try_token):
    server = start_server(provider_settings(glewlwyd, audience="pierone"))
    assert_refused(try_token(server, glewlwyd.person_token("alice")))


def test_forged_token_of_a_real_provider(provided_server, glewlwyd, try_token):
    token = glewlwyd.person_token("alice")
    assert try_token(provided_server, token).status == 200
    assert_refused(try_token(provided_server, with_claims(token, uid="bob")))
    header = json.loads(from_base64url(token.split(".")[0]))
    claims = json.loads(from_base64url(token.split(".")[1]))
    for secret in (glewlwyd.public_key(), glewlwyd.public_key().strip()):
        forged = sign({**header, "alg": "HS256"}, claims, hmac_signer(secret))
        assert_refused(try_token(provided_server, forged))
    assert_refused(try_token(provided_server, sign({**header, "alg": "none"}, claims,
                                                   lambda data: b"")))


def test_real_provider_rotates_its_key(provided_server, glewlwyd, fake_time, try_token):
    before = glewlwyd.person_token("alice")
    assert try_token(provided_server, before).status == 200
    glewlwyd.rotate_key()
    fake_time.forward(FETCH_PAUSE_S)
    assert try_token(provided_server, glewlwyd.person_token("bob")).status == 200
    assert_refused(try_token(provided_server, with_other_signature(before)))


def test_token_of_a_real_provider_ends_at_its_time(provided_server, glewlwyd, fake_time, try_token):
    with glewlwyd.token_lifetime(600):
        token = glewlwyd.robot_token("robot")
    assert try_token(provided_server, token).status == 200
    fake_time.forward(700)
    assert_refused(try_token(provided_server, token))


# -- introspection

@pytest.fixture
def introspecting_server(start_server, glewlwyd, fake_time, used_secrets):
    """It tells no uid and no realm: people by their user name, robots by their client id."""
    secret = used_secrets.add(ROBOTS["registry"][0], "registry")
    return start_server({"auth": {
        "introspection": {"url": glewlwyd.introspection_url, "client_id": "registry",
                          "client_secret": secret, "token_url": glewlwyd.token_url,
                          "token_scope": "introspect"},
        "claims": {"name": "username client_id"}}}, fake_time.environment)


def test_real_provider_introspects(introspecting_server, glewlwyd, try_token):
    assert try_token(introspecting_server, glewlwyd.person_token("alice")).status == 200
    introspecting_server.wait_for_logged(user="alice")
    assert try_token(introspecting_server, glewlwyd.robot_token("robot")).status == 200
    introspecting_server.wait_for_logged(user="robot")


def test_token_without_a_known_kind_never_pushes(introspecting_server, glewlwyd, push):
    """Introspection of this provider says neither realm nor subject of a robot."""
    assert_denied(push(introspecting_server, glewlwyd.robot_token("robot-all")), "robot-all")


def test_revoked_token_is_refused(introspecting_server, glewlwyd, try_token):
    token = glewlwyd.person_token("alice")
    glewlwyd.revoke(token)
    assert_refused(try_token(introspecting_server, token))


def test_revocation_is_noticed_when_the_cache_is_over(introspecting_server, glewlwyd, fake_time,
                                                      try_token):
    token = glewlwyd.person_token("alice")
    assert try_token(introspecting_server, token).status == 200
    glewlwyd.revoke(token)
    fake_time.forward(130)
    assert_refused(try_token(introspecting_server, token))


def test_wrong_client_secret_is_the_operators_business(start_server, glewlwyd, try_token,
                                                       used_secrets):
    server = start_server({"auth": {"introspection": {
        "url": glewlwyd.introspection_url, "client_id": "registry",
        "client_secret": used_secrets.add("not-the-secret-at-all", "registry"),
        "token_url": glewlwyd.token_url, "token_scope": "introspect"}}})
    assert_unavailable(try_token(server, glewlwyd.person_token("alice")))


def introspection_settings(services, used_secrets, **more):
    client_id, secret = INTROSPECTION_CLIENT
    used_secrets.add(secret, client_id)
    return {"auth": {"introspection": {"url": services.introspection_url, "client_id": client_id,
                                       "client_secret": secret, **more}},
            "teams": {"claim": "teams"}}


def test_introspection_by_basic(start_server, services, used_secrets, push):
    server = start_server(introspection_settings(services, used_secrets))
    assert push(server, services.add_token("jdoe", teams=["myteam"])).status == 202
    assert_denied(push(server, services.add_token("jdoe", teams="otherteam")), "jdoe", "myteam")
    robot = services.add_token("robot", "/services", (WRITE_ALL,))
    assert push(server, robot).status == 202
    request = services.introspection.requests[-1]
    assert request.method == "POST" and request.form()["token"] == robot


def test_what_is_not_active_is_refused(start_server, services, used_secrets, try_token):
    server = start_server(introspection_settings(services, used_secrets))
    assert_refused(try_token(server, used_secrets.add("unknown-to-everybody")))
    assert_refused(try_token(server, services.add_token("jdoe", expires_in=-1)))


@pytest.mark.parametrize("answer", [
    b'{"active": "true", "uid": "jdoe"}', b'{"active": 1, "uid": "jdoe"}', b'{"uid": "jdoe"}',
    b'{"active": null, "uid": "jdoe"}', b"[]", b"true",
])
def test_only_true_is_active(start_server, services, used_secrets, try_token, answer):
    server = start_server(introspection_settings(services, used_secrets))
    with services.introspection.behaving(stub_server.failing(200, answer)):
        assert try_token(server, services.add_token("jdoe")).status in (401, 503)


@pytest.mark.parametrize("breakdown", [
    stub_server.failing(500), stub_server.failing(401), stub_server.failing(403),
    stub_server.malformed, stub_server.no_json, stub_server.closing, stub_server.huge,
])
def test_broken_introspection_lets_nobody_in(start_server, services, used_secrets, try_token,
                                             breakdown):
    server = start_server(introspection_settings(services, used_secrets))
    with services.introspection.behaving(breakdown):
        assert_unavailable(try_token(server, services.add_token("jdoe")))
