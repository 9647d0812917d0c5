"""Rows that compare a registry where everybody has to log in with the same one, open.

The token is got as docker gets it, and is known to the server when the measurement begins. The
request is the cheapest of a pull, so that the token's share of it is the largest there is.
"""

import base64
import http.client
import json
import subprocess
import urllib.parse

from support import content, load, servers
from support.rows import Goal, Row
from support.rows_read import WARM_UP_SECONDS, manifest_path, sample_requests, watched

OPEN = "pieroned, open"
KNOWN = "pieroned, known token"
LARGE = "pieroned, large known token"
REPOSITORIES = {KNOWN: 1, LARGE: 10}  # that it is for: about 500 and 1,300 bytes
USER, PASSWORD = "bench", "of the benchmark"
CONNECTIONS = 32
COST_FACTOR = 1.1


class PieronedWithUser(servers.Pieroned):
    def command(self):
        command = super().command()
        users = self.folder / "users"
        self.environment["PIERONE_AUTH_USERS_FILE"] = str(users)
        if not users.exists():
            subprocess.run([*command, "user", "add", USER, "--users-file", str(users),
                            "--password-stdin"], input=f"{PASSWORD}\n", text=True, check=True,
                           stdout=subprocess.DEVNULL)
        return command

    def bearer(self, repositories):
        """An Authorization header with a token for pulls from the image's repository and more."""
        names = [content.REPOSITORY, *(f"team/library-{i}" for i in range(1, repositories))]
        query = urllib.parse.urlencode([("scope", f"repository:{name}:pull") for name in names])
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        client.request("GET", f"/v2/token?{query}", headers={"Authorization": f"Basic {basic}"})
        token = json.load(client.getresponse())["token"]
        client.close()
        return f"Bearer {token}"


def _measure(bench, name):
    kind = servers.Pieroned if name == OPEN else PieronedWithUser
    with kind(bench.servers[servers.Pieroned.name].folder) as server:
        header = server.bearer(REPOSITORIES[name]) if name != OPEN else None
        url = server.url(manifest_path(bench.image))
        load.wrk(url, CONNECTIONS, WARM_UP_SECONDS, authorization=header)
        return sample_requests(*watched(server, lambda: load.wrk(
            url, CONNECTIONS, bench.seconds, authorization=header)))


def _goal(mine):
    return Goal(f"CPU ≤ {COST_FACTOR}× that of an open registry", COST_FACTOR, (OPEN,), "cpu",
                False, mine)


ROWS = (Row("known-token", "manifest GET by tag, logged in", "req/s", "µs/req",
            (OPEN, KNOWN, LARGE), _measure, (_goal(KNOWN), _goal(LARGE))),)
