"""
A real OAuth 2.0 and OpenID Connect provider: Debian's glewlwyd on loopback, with people, robots
and scopes as the tests need them. What is particular about it: the `sub` of people is random (`uid`
says who they are), a client's own tokens have its client id there; a failed login is 403 without a
body, as is a password from a client without a secret; introspection wants a bearer token with the
scope `introspect`, and tells no uid and no realm; `aud` is the list of scopes; plugin parameters
can only be replaced as a whole.
"""

import contextlib
import http.cookiejar
import json
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from .authorization import basic
from .clients import find_program
from .identity_services import WRITE, WRITE_ALL, WRITE_ALL_TRUSTED
from .waiting import PATIENCE_S, wait_until

# Debian's package fills its own database from this file.
SCHEMA = pathlib.Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
MODULES = "/usr/lib/glewlwyd"
ADMIN = ("admin", "password")  # as the schema has it

CLAIMS = ("uid", "realm", "team")

# name -> (password, team)
PEOPLE = {"alice": ("alice-password", "myteam"), "bob": ("bob-password", "otherteam")}

# client id -> (secret, scopes); each a service user of the team myteam, by client credentials
ROBOTS = {
    "robot": ("robot-secret-0001", ("uid", WRITE)),
    "robot-all": ("robot-secret-0002", ("uid", WRITE_ALL, WRITE_ALL_TRUSTED)),
    "robot-reader": ("robot-secret-0003", ("uid",)),
    "registry": ("robot-secret-0004", ("uid", "introspect")),
}
# A service user as STUPS has them: a person of the realm /services, through a client of its own.
DEPLOYER = ("stups_deployer", "deployer-password", "myteam")
DEPLOYER_CLIENT = ("deployer", "deployer-secret-0006")

# The command line client: public, for the code flow with PKCE and the device grant.
COMMAND_LINE_CLIENT = "pierone"

# Through which people get theirs. Passwords are only taken from clients that have a secret.
PEOPLE_CLIENT = ("login-page", "login-page-secret-0005")

CONFIGURATION = """
port = {port}
bind_address = "127.0.0.1"
external_url = "{url}"
login_url = "login.html"
api_prefix = "api"
cookie_secure = 0
cookie_same_site = "empty"
session_key = "GLEWLWYD2_SESSION_ID"
session_expiration = 86400
admin_scope = "g_admin"
profile_scope = "g_profile"
admin_session_authentication = "cookie"
log_mode = "file"
log_level = "WARNING"
log_file = "{folder}/log"
allow_origin = "*"
user_module_path = "{modules}/user"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3"; path = "{folder}/database"; }};
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Unauthorized(AssertionError):
    """Who asked is not logged in (any more)."""


class Http:
    """JSON and forms; keeps cookies."""

    def __init__(self):
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))

    def ask(self, method, url, data=None, **headers):
        """Returns the status and the body, whatever the status."""
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def visit(self, url):
        """Follows redirections; returns where they end and the body there."""
        try:
            with self._opener.open(url, timeout=PATIENCE_S) as reply:
                return reply.url, reply.read()
        except urllib.error.HTTPError as error:
            return error.url, error.read()

    def call(self, method, url, value=None):
        """JSON both ways; it has to succeed."""
        data = None if value is None else json.dumps(value).encode()
        status, body = self.ask(method, url, data, **{"Content-Type": "application/json"})
        if status in (401, 403):
            raise Unauthorized(f"{method} {url}: {status}")
        assert status == 200, f"{method} {url}: {status} {body!r}"
        return json.loads(body) if body.strip() else None

    def post_form(self, url, fields, **headers):
        return self.ask("POST", url, urllib.parse.urlencode(fields).encode(), **headers)


class Glewlwyd:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pierone-glewlwyd-"))
        self.process = None
        self.used_secrets = None
        self._admin = Http()
        self._http = Http()
        self._keys = 0
        self.callback_port = free_port()
        try:
            self._start()
            self._set_up()
        except BaseException:
            self.release()
            raise

    # -- where it is

    @property
    def issuer(self):
        return f"{self.url}/api/oidc"

    @property
    def token_url(self):
        return f"{self.issuer}/token"

    @property
    def introspection_url(self):
        return f"{self.issuer}/introspect"

    @property
    def jwks_url(self):
        return f"{self.issuer}/jwks"

    def jwks(self):
        return self._http.call("GET", self.jwks_url)

    def public_key(self):
        """PEM of the key that signs at present, as everybody may have it."""
        return subprocess.run(["openssl", "rsa", "-in", self._key_path, "-pubout"],
                              check=True, capture_output=True).stdout

    # -- tokens

    def person_token(self, name, scope=f"openid uid {WRITE}"):
        """By password grant."""
        return self._token({"grant_type": "password", "username": name,
                            "password": PEOPLE[name][0], "scope": scope},
                           Authorization=basic(*PEOPLE_CLIENT))

    def robot_token(self, client_id, scope=None):
        """By client credentials, with all scopes of the client unless some are named."""
        secret, scopes = ROBOTS[client_id]
        return self._token({"grant_type": "client_credentials",
                            "scope": scope or " ".join(scopes)},
                           Authorization=basic(client_id, secret))

    def write_credentials(self, folder):
        """What STUPS puts into CREDENTIALS_DIR for a service user."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "user.json").write_text(json.dumps(
            {"application_username": DEPLOYER[0], "application_password": DEPLOYER[1]}))
        (folder / "client.json").write_text(json.dumps(
            {"client_id": DEPLOYER_CLIENT[0], "client_secret": DEPLOYER_CLIENT[1]}))
        return {"OAUTH2_ACCESS_TOKEN_URL": self.token_url, "CREDENTIALS_DIR": str(folder)}

    def browse(self, name, address):
        """
        Opens an address as somebody who is logged in and agrees, and follows to the end: returns
        that address and what is there. (Debian's package has no pages: they are 404.)
        """
        person = Http()
        self._log_in(person, name, PEOPLE[name][0])
        joint = "&" if "?" in address else "?"
        return person.visit(f"{address}{joint}g_continue")

    def revoke(self, token, client_id="registry"):
        introspecting = self.robot_token(client_id)
        status, body = self._http.post_form(f"{self.issuer}/revoke", {"token": token},
                                            Authorization=f"Bearer {introspecting}")
        assert status == 200, (status, body)

    def introspect(self, token):
        introspecting = self.robot_token("registry")
        status, body = self._http.post_form(self.introspection_url, {"token": token},
                                            Authorization=f"Bearer {introspecting}")
        assert status == 200, (status, body)
        return json.loads(body)

    # -- what its administrator does

    @contextlib.contextmanager
    def token_lifetime(self, seconds):
        """Within: access tokens are valid that long."""
        self._change_plugin({"access-token-duration": seconds})
        try:
            yield self
        finally:
            self._change_plugin({"access-token-duration": 3600})

    def rotate_key(self):
        """From here on another key signs, and only that one is published."""
        self._new_key()
        self._change_plugin({"key": self._key_path.read_text(encoding="ascii"),
                             "cert": self.public_key().decode("ascii")})

    def release(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- how it starts

    def _start(self):
        self._new_key()
        with contextlib.closing(sqlite3.connect(self.folder / "database")) as database:
            # Nothing of it has to survive a power failure.
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(f"BEGIN; {SCHEMA.read_text(encoding='utf-8')}; COMMIT;")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        configuration = self.folder / "glewlwyd.conf"
        configuration.write_text(CONFIGURATION.format(
            port=self.port, url=self.url, folder=self.folder, modules=MODULES), encoding="utf-8")
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [find_program("glewlwyd"), f"--config-file={configuration}"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(self._is_ready, "glewlwyd")

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"glewlwyd ended: {self._said()}")
        with contextlib.suppress(OSError):
            return self._http.ask("GET", f"{self.url}/config")[0] == 200
        return False

    def _said(self):
        files = (self.folder / "output", self.folder / "log")
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())

    def _new_key(self):
        self._keys += 1
        self._key_path = self.folder / f"key-{self._keys}.pem"
        subprocess.run(["openssl", "genrsa", "-out", self._key_path, "2048"],
                       check=True, capture_output=True)

    def _set_up(self):
        self._log_in(self._admin, *ADMIN)
        for scope in ("uid", "introspect", WRITE, WRITE_ALL, WRITE_ALL_TRUSTED):
            self._administer("POST", "/scope/", {
                "name": scope, "display_name": scope, "description": scope,
                "password_required": False, "password_max_age": 0, "scheme": {}})
        self._plugin = {"module": "oidc", "name": "oidc", "display_name": "oidc", "enabled": True,
                        "parameters": self._plugin_parameters()}
        self._administer("POST", "/mod/plugin/", self._plugin)
        self._keep_claims()
        for name, (password, team) in PEOPLE.items():
            self._add_person(name, password, team)
        self._add_client(*PEOPLE_CLIENT, ("openid", "uid", WRITE), "password")
        for client_id, (secret, scopes) in ROBOTS.items():
            self._add_client(client_id, secret, scopes, "client_credentials")
        self._add_person(*DEPLOYER, realm="/services", scopes=("uid", WRITE))
        self._add_client(*DEPLOYER_CLIENT, ("uid", WRITE), "password")
        self._add_command_line_client()
        for name in PEOPLE:
            self._agree(name)

    def _administer(self, method, path, value=None):
        """The administrator's session does not last as long as a run may."""
        try:
            return self._admin.call(method, f"{self.url}/api{path}", value)
        except Unauthorized:
            self._log_in(self._admin, *ADMIN)
            return self._admin.call(method, f"{self.url}/api{path}", value)

    def _log_in(self, client, name, password):
        client.call("POST", f"{self.url}/api/auth", {"username": name, "password": password})

    def _plugin_parameters(self):
        grants = ("code", "token", "id-token", "password", "client", "device", "refresh")
        return {
            "iss": self.issuer, "jwt-type": "rsa", "jwt-key-size": "256",
            "key": self._key_path.read_text(encoding="ascii"),
            "cert": self.public_key().decode("ascii"),
            "access-token-duration": 3600, "refresh-token-duration": 86400, "code-duration": 600,
            "refresh-token-rolling": False, "allow-non-oidc": True, "jwks-show": True,
            **{f"auth-type-{grant}-enabled": True for grant in grants},
            "auth-type-none-enabled": False, "subject-type": "public", "name-claim": "no",
            "email-claim": "no", "scope-claim": "no", "pkce-allowed": True,
            "pkce-method-plain-allowed": False, "introspection-revocation-allowed": True,
            "introspection-revocation-allow-target-client": True,
            "introspection-revocation-auth-scope": ["introspect"],
            "device-authorization-expiration": 600, "device-authorization-interval": 1,
            "session-management-allowed": False,
            "additional-parameters": [
                {"user-parameter": claim, "client-parameter": claim, "token-parameter": claim}
                for claim in CLAIMS]}

    def _change_plugin(self, parameters):
        self._plugin["parameters"].update(parameters)
        self._administer("PUT", "/mod/plugin/oidc", self._plugin)
        self._administer("PUT", "/mod/plugin/oidc/reset", {})

    def _keep_claims(self):
        """People and clients have properties for our claims."""
        rights = {"multiple": False, "read": True, "write": True, "profile-read": True,
                  "profile-write": False}
        for kind in ("user", "client"):
            module = self._administer("GET", f"/mod/{kind}/database")
            module["parameters"].setdefault("data-format", {}).update(
                {claim: rights for claim in CLAIMS})
            self._administer("PUT", f"/mod/{kind}/database", module)
            self._administer("PUT", f"/mod/{kind}/database/reset", {})

    def _add_person(self, name, password, team, realm="/employees",
                    scopes=("openid", "g_profile", "uid", WRITE)):
        self._administer("POST", "/user/", {
            "username": name, "password": password, "name": name, "enabled": True, "uid": name,
            "realm": realm, "team": team, "scope": list(scopes)})

    def _add_command_line_client(self):
        self._administer("POST", "/client/", {
            "client_id": COMMAND_LINE_CLIENT, "name": "pierone", "enabled": True,
            "confidential": False,
            "redirect_uri": [f"http://127.0.0.1:{self.callback_port}/callback"],
            "authorization_type": ["code", "device_authorization", "refresh_token"],
            "scope": ["openid", "uid", WRITE], "token_endpoint_auth_method": ["none"]})

    def _add_client(self, client_id, secret, scopes, grant):
        self._administer("POST", "/client/", {
            "client_id": client_id, "client_secret": secret, "name": client_id, "enabled": True,
            "confidential": True, "uid": f"stups_{client_id}", "realm": "/services",
            "team": "myteam", "redirect_uri": [f"{self.url}/callback"],
            "authorization_type": [grant], "scope": list(scopes),
            "token_endpoint_auth_method": ["client_secret_basic"]})

    def _agree(self, name):
        """A person lets the login page have its scopes, as on the consent page."""
        person = Http()
        self._log_in(person, name, PEOPLE[name][0])
        for client_id in (PEOPLE_CLIENT[0], COMMAND_LINE_CLIENT):
            person.call("PUT", f"{self.url}/api/auth/grant/{client_id}",
                        {"scope": f"openid uid {WRITE}"})

    def _token(self, form, **headers):
        status, body = self._http.post_form(self.token_url, form, **headers)
        assert status == 200, (status, body, self._said())
        token = json.loads(body)["access_token"]
        return self.used_secrets.add(token) if self.used_secrets else token
