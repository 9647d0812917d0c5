"""
The services of the STUPS world that pieroned asks: token info, team service in both forms, Kio,
permission service, judge of instance identity documents; and RFC 7662 introspection. One stub, on
loopback; who is known is what the test registers.
"""

import base64
import dataclasses
import secrets
import time

from .stub_server import Answer, Endpoint, StubServer, json_answer

EMPLOYEES, SERVICES = "/employees", "/services"
INTROSPECTION_CLIENT = ("registry", "registry-secret-of-the-stub")
POLICY = "relaxed-radical-agility"

WRITE, WRITE_ALL = "application.write", "application.write_all"
WRITE_ALL_TRUSTED = "application.write_all_trusted"


@dataclasses.dataclass
class Grant:
    """What a token stands for; None leaves a field out of the answers."""
    uid: str
    realm: str = EMPLOYEES
    scope: tuple = ("uid",)
    expires_at: float = 0
    more: dict = dataclasses.field(default_factory=dict)

    def claims(self):
        known = {"uid": self.uid, "realm": self.realm, **self.more}
        return {name: value for name, value in known.items() if value is not None}

    @property
    def expires_in(self):
        return int(self.expires_at - time.time())


class IdentityServices(StubServer):
    """Tokens, members and applications, and one endpoint each for those who tell about them."""

    def __init__(self, used_secrets=None, certificate=None):
        self.used_secrets = used_secrets
        self.grants = {}
        self.teams = {}            # uid -> its teams
        self.applications = {}     # application -> its team
        self.permissions = set()   # (uid, team)
        self.documents = set()     # instance identity documents of ours
        self.tokeninfo = Endpoint("/oauth2/tokeninfo", self._tokeninfo)
        self.introspection = Endpoint("/oauth2/introspect", self._introspect)
        self.accounts = Endpoint("/teams/api/accounts/aws", self._accounts)
        self.user_teams = Endpoint("/teams/user/", self._user_teams)
        self.team = Endpoint("/teams/teams/", self._team)
        self.kio = Endpoint("/kio/apps/", self._application)
        self.permission = Endpoint("/magnificent/auth", self._permission)
        self.iidinfo = Endpoint("/iidinfo", self._instance)
        super().__init__([self.tokeninfo, self.introspection, self.accounts, self.user_teams,
                          self.team, self.kio, self.permission, self.iidinfo], certificate)

    # -- who is known

    def add_token(self, uid, realm=EMPLOYEES, scope=("uid",), expires_in=3600, **more):
        """A new token. `more` are further members of the answer; realm None: there is none."""
        token = secrets.token_urlsafe(24)
        self.know(token, Grant(uid, realm, tuple(scope), time.time() + expires_in, more))
        return token

    def know(self, token, grant):
        """Of a token that somebody else issued."""
        self.grants[token] = grant
        if self.used_secrets is not None:
            self.used_secrets.add(token)

    def add_employee(self, uid, *teams, **more):
        self.teams[uid] = list(teams)
        return self.add_token(uid, EMPLOYEES, **more)

    def add_service(self, uid, *scopes, team=None, **more):
        """A service user as Kio knows it: stups_robot is the application robot."""
        if team is not None:
            self.applications[uid.rpartition("_")[2]] = team
        return self.add_token(uid, SERVICES, ("uid", *scopes), **more)

    def add_document(self):
        document = base64.b64encode(secrets.token_bytes(600)).decode()
        self.documents.add(document)
        if self.used_secrets is not None:
            self.used_secrets.add(document)
        return document

    def revoke(self, token):
        del self.grants[token]

    def lookups_of(self, token):
        """How often token info was asked about it."""
        return sum(request.query.get("access_token") == token
                   for request in self.tokeninfo.requests)

    # -- where they are

    @property
    def tokeninfo_url(self):
        return self.origin + self.tokeninfo.path

    @property
    def introspection_url(self):
        return self.origin + self.introspection.path

    @property
    def team_service_url(self):
        return self.origin + "/teams"

    @property
    def kio_url(self):
        return self.origin + "/kio"

    @property
    def permission_service_url(self):
        return self.origin + "/magnificent"

    @property
    def iidinfo_url(self):
        return self.origin + self.iidinfo.path

    def settings(self, auth=None, teams=None, **more):
        """Of a company with STUPS: token info, team service and Kio."""
        return {
            "auth": {"tokeninfo_url": self.tokeninfo_url, **(auth or {})},
            "teams": {"team_service_url": self.team_service_url, "kio_url": self.kio_url,
                      **(teams or {})},
            **more}

    # -- what they answer

    def _grant(self, token):
        grant = self.grants.get(token)
        return grant if grant and grant.expires_at > time.time() else None

    def _tokeninfo(self, request):
        token = request.query.get("access_token")
        grant = self._grant(token)
        if request.method != "GET" or grant is None:
            return json_answer(400, {"error": "invalid_request",
                                     "error_description": "Access Token not valid"})
        return json_answer(200, {
            "access_token": token, "token_type": "Bearer", "grant_type": "password",
            "scope": list(grant.scope), "expires_in": grant.expires_in,
            **{scope: True for scope in grant.scope if scope != "uid"}, **grant.claims()})

    def _introspect(self, request):
        expected = base64.b64encode(":".join(INTROSPECTION_CLIENT).encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return json_answer(401, {"error": "invalid_client"})
        grant = self._grant(request.form().get("token"))
        if request.method != "POST" or grant is None:
            return json_answer(200, {"active": False})
        return json_answer(200, {"active": True, "scope": " ".join(grant.scope),
                                 "exp": int(grant.expires_at), "token_type": "Bearer",
                                 **grant.claims()})

    def _is_anybody(self, request):
        """All look-ups are made in the caller's name."""
        return self._grant(request.bearer) is not None

    def _accounts(self, request):
        if not self._is_anybody(request):
            return json_answer(401, {"title": "Unauthorized"})
        teams = self.teams.get(request.query.get("member"), [])
        return json_answer(200, [
            {"id": str(number), "name": team, "type": "aws", "description": f"Account of {team}",
             "owner": team, "disabled": False} for number, team in enumerate(teams)])

    def _user_teams(self, request):
        if not self._is_anybody(request):
            return json_answer(401, {"title": "Unauthorized"})
        teams = self.teams.get(request.path.removeprefix("/teams/user/"))
        if teams is None:
            return json_answer(404, {"title": "Not Found"})
        return json_answer(200, [
            {"id": team, "name": f"The team {team}", "infrastructure-accounts": []}
            for team in teams])

    def _team(self, request):
        if not self._is_anybody(request):
            return json_answer(401, {"title": "Unauthorized"})
        team = request.path.removeprefix("/teams/teams/")
        members = [uid for uid, teams in self.teams.items() if team in teams]
        return json_answer(200 if members else 404, {"id": team, "member": members})

    def _application(self, request):
        if not self._is_anybody(request):
            return json_answer(401, {"title": "Unauthorized"})
        name = request.path.removeprefix("/kio/apps/")
        if name not in self.applications:
            return json_answer(404, {"title": "Not Found"})
        return json_answer(200, {"id": name, "name": name, "active": True,
                                 "team_id": self.applications[name]})

    def _permission(self, request):
        if not self._is_anybody(request):
            return json_answer(401, {"title": "Unauthorized"})
        question = request.json()
        pair = (self._grant(request.bearer).uid, question["payload"]["team"])
        is_allowed = question["policy"] == POLICY and pair in self.permissions
        return Answer(200 if is_allowed else 403, b"")

    def _instance(self, request):
        is_ours = request.json().get("iid_signature") in self.documents
        return json_answer(200 if request.method == "POST" and is_ours else 404, {})
