"""What must not be in a log: every token and password that a test made or got."""

import base64
import urllib.parse

# A piece of a secret that is as bad as all of it: the end, since JWTs begin alike.
TAIL = 24


class UsedSecrets:
    def __init__(self):
        self._secrets = {}

    def add(self, secret, user="oauth2"):
        """Returns it. `user` is with whom it is sent in a Basic field."""
        assert len(secret) >= 8, "too short to be found in a log by itself"
        self._secrets[secret] = user
        return secret

    def check(self, text):
        found = [form for secret, user in self._secrets.items()
                 for form in self._forms_of(secret, user) if form in text]
        assert not found, f"secrets in the log: {found}"

    @staticmethod
    def _forms_of(secret, user):
        basic = base64.b64encode(f"{user}:{secret}".encode()).decode()
        return {secret, secret[-TAIL:], urllib.parse.quote(secret, safe=""), basic}
