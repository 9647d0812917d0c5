"""An OpenID Connect issuer in the test's hands: it signs anything, by openssl. Its rivals too."""

import base64
import hashlib
import hmac
import json
import secrets
import subprocess
import time

from .stub_server import Endpoint, StubServer, json_answer

COORDINATE_BYTES = 32  # of P-256
RSA_EXPONENT = (65537).to_bytes(3, "big")

DIGEST = ["dgst", "-sha256", "-sign"]
PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, check=True,
                          capture_output=True).stdout


def _der_integers(signature):
    """r and s of SEQUENCE { r INTEGER, s INTEGER }, both shorter than 128 bytes."""
    first = 4 + signature[3]
    return signature[4:first], signature[first + 2:]


class Key:
    """A private key in a file, and what others may know of it."""

    def __init__(self, path, algorithm, *options):
        self.path = path
        self.id = path.stem + "-" + secrets.token_hex(4)
        openssl("genpkey", "-algorithm", algorithm, *options, "-out", path)
        self.public_pem = openssl("pkey", "-in", path, "-pubout")

    @property
    def jwk(self):
        return {"kid": self.id, "use": "sig", **self._numbers()}


class RsaKey(Key):
    algorithm = "RS256"

    def __init__(self, path):
        super().__init__(path, "RSA", "-pkeyopt", "rsa_keygen_bits:2048")

    def sign(self, algorithm, data):
        return openssl(*DIGEST, self.path, *(PSS if algorithm == "PS256" else []), data=data)

    def _numbers(self):
        modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip()
        return {"kty": "RSA", "e": base64url(RSA_EXPONENT),
                "n": base64url(bytes.fromhex(modulus.removeprefix("Modulus=")))}


class EllipticKey(Key):
    algorithm = "ES256"

    def __init__(self, path):
        super().__init__(path, "EC", "-pkeyopt", "ec_paramgen_curve:P-256")

    def sign(self, algorithm, data):
        """RFC 7518 3.4: both numbers in full length, one after the other."""
        numbers = _der_integers(openssl(*DIGEST, self.path, data=data))
        return b"".join(number[-COORDINATE_BYTES:].rjust(COORDINATE_BYTES, b"\0")
                        for number in numbers)

    def _numbers(self):
        point = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        x, y = point[-2 * COORDINATE_BYTES:-COORDINATE_BYTES], point[-COORDINATE_BYTES:]
        return {"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)}


class SigningKeys:
    """Made once, since it takes a while."""

    def __init__(self, folder):
        self.rsa = RsaKey(folder / "rsa.pem")
        self.next_rsa = RsaKey(folder / "next-rsa.pem")
        self.foreign_rsa = RsaKey(folder / "foreign-rsa.pem")
        self.elliptic = EllipticKey(folder / "elliptic.pem")


def sign(header, claims, signer):
    """A JWT; `signer` maps the bytes to be signed to a signature."""
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url(signer(signed.encode('ascii')))}"


def hmac_signer(secret):
    return lambda data: hmac.new(secret, data, hashlib.sha256).digest()


class Issuer(StubServer):
    def __init__(self, keys, used_secrets):
        self.keys = keys
        self.used_secrets = used_secrets
        self.published = [keys.rsa, keys.elliptic]
        self.discovery = Endpoint("/realms/test/.well-known/openid-configuration", self._discover)
        self.jwks = Endpoint("/realms/test/keys", self._publish)
        super().__init__([self.discovery, self.jwks])

    @property
    def url(self):
        return self.origin + "/realms/test"

    @property
    def jwks_url(self):
        return self.origin + self.jwks.path

    def settings(self, auth=None, teams=None, **oidc):
        """`oidc`: more of auth.oidc."""
        return {"auth": {"oidc": {"issuer": self.url, **oidc}, **(auth or {})},
                "teams": {"claim": "teams", **(teams or {})}}

    def claims(self, uid="jdoe", **more):
        """None leaves a claim out."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": f"random-{uid}", "uid": uid, "realm": "/employees",
                  "scope": "uid", "teams": ["myteam"], "iat": now, "exp": now + 3600, **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, uid="jdoe", key=None, header=None, **claims):
        """Well signed by `key` (usually the published RSA key), whatever it says."""
        key = key or self.keys.rsa
        full_header = {"typ": "JWT", "alg": key.algorithm, "kid": key.id, **(header or {})}
        kept = {name: value for name, value in full_header.items() if value is not None}
        return self.note(sign(kept, self.claims(uid, **claims),
                              lambda data: key.sign(kept["alg"], data)))

    def note(self, token):
        """As a secret, unless it has no signature that could be found."""
        return self.used_secrets.add(token) if not token.endswith(".") else token

    def _discover(self, _):
        return json_answer(200, {"issuer": self.url, "jwks_uri": self.jwks_url})

    def _publish(self, _):
        return json_answer(200, {"keys": [key.jwk for key in self.published]})
