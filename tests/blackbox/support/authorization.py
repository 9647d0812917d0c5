"""Authorization and challenges, as clients write and read them."""

import base64
import re
import urllib.parse

from .registry_client import RegistryClient

PARAMETER = re.compile(r'(\w+)="([^"\\]*)"(?:,\s*|$)')


def bearer(token):
    return f"Bearer {token}"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def oauth2(token):
    """How docker and others that know only passwords send a token."""
    return basic("oauth2", token)


def challenge_of(reply):
    """Scheme and parameters of the one challenge."""
    fields = reply.headers.get_all("WWW-Authenticate") or []
    assert len(fields) == 1, fields
    scheme, _, rest = fields[0].partition(" ")
    parameters = dict(PARAMETER.findall(rest))
    rebuilt = ",".join(f'{name}="{value}"' for name, value in parameters.items())
    assert rest.replace(", ", ",") == rebuilt, f"several challenges, or not well-formed: {rest}"
    return scheme, parameters


def assert_challenged(reply, **expected):
    """401 with the one Bearer challenge; returns its parameters. Expected None: not there."""
    assert reply.status == 401, (reply.status, reply.body)
    assert reply.error_code() == "UNAUTHORIZED"
    scheme, parameters = challenge_of(reply)
    assert scheme == "Bearer"
    for name, value in expected.items():
        assert parameters.get(name) == value, parameters
    return parameters


def assert_denied(reply, *words):
    """403, and the client is told the reason, in which these words are."""
    assert reply.status == 403, (reply.status, reply.body)
    assert reply.error_code() == "DENIED"
    assert reply.headers["WWW-Authenticate"] is None
    message = reply.json()["errors"][0]["message"]
    for word in words:
        assert word in message, message


def assert_unavailable(reply):
    """503, and when to come back."""
    assert reply.status == 503, (reply.status, reply.body)
    assert reply.error_code() == "UNAVAILABLE"
    assert int(reply.headers["Retry-After"]) > 0


class TokenClient:
    """Asks the token endpoint, and notes each token that it got as a secret."""

    def __init__(self, server, used_secrets):
        self.server = server
        self.used_secrets = used_secrets

    @property
    def service(self):
        return f"127.0.0.1:{self.server.port}"

    def get(self, *scopes, authorization=None, **parameters):
        query = urllib.parse.urlencode([("service", self.service),
                                        *(("scope", scope) for scope in scopes),
                                        *parameters.items()])
        with RegistryClient(self.server.port, authorization=authorization) as client:
            return self._note(client.request("GET", f"/v2/token?{query}"))

    def post(self, *scopes, authorization=None, **parameters):
        """The OAuth 2.0 form; `parameters` has its grant_type."""
        fields = {"service": self.service, "client_id": "a-test", **parameters}
        body = urllib.parse.urlencode([*fields.items(), *(("scope", scope) for scope in scopes)])
        with RegistryClient(self.server.port, authorization=authorization) as client:
            return self._note(client.request(
                "POST", "/v2/token", body.encode(),
                {"Content-Type": "application/x-www-form-urlencoded"}))

    def token(self, *scopes, authorization=None):
        """A registry token; it has to be given."""
        reply = self.get(*scopes, authorization=authorization)
        assert reply.status == 200, (reply.status, reply.body)
        return reply.json()["token"]

    def _note(self, reply):
        if reply.status == 200:
            self.used_secrets.add(reply.json()["token"])
        return reply
