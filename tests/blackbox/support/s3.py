"""
S3's own language, spoken by hand: requests signed with AWS's Signature Version 4, and a bucket to
look into. It shares nothing with the code under test.
"""

import base64
import dataclasses
import datetime
import hashlib
import hmac
import http.client
import secrets
import urllib.parse
import xml.etree.ElementTree

from .waiting import PATIENCE_S

ALGORITHM = "AWS4-HMAC-SHA256"
# How long what tests lock stays locked: longer than the store that holds it lives.
LOCK_DAYS = 1


@dataclasses.dataclass
class Keys:
    user: str
    access_key: str
    secret_key: str

    @classmethod
    def new(cls, user):
        """Of a name that no other test uses."""
        unique = secrets.token_hex(8)
        return cls(f"{user}-{unique}", f"KEY{unique.upper()}", secrets.token_hex(20))

    @property
    def environment(self):
        """For pieroned: these, and no credentials that the machine may have."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_EC2_METADATA_DISABLED": "true"}


@dataclasses.dataclass
class S3Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self):
        """S3's name for what went wrong, or None."""
        return next(iter(self.texts("Code")), None)

    def texts(self, name):
        """Of all elements of that name, in whatever namespace."""
        if not self.body.lstrip().startswith(b"<"):
            return []
        tree = xml.etree.ElementTree.fromstring(self.body)
        return [element.text for element in tree.iter() if element.tag.rpartition("}")[2] == name]


class S3Client:
    """One request a connection."""

    def __init__(self, host, port, keys, region):
        self.host, self.port, self.keys, self.region = host, port, keys, region

    def request(self, method, path, query=None, headers=None, body=b""):
        """`path` as it is before any encoding; `query` a dict."""
        target = urllib.parse.quote(path, safe="/-._~")
        question = "&".join(f"{quote(name)}={quote(value)}"
                            for name, value in sorted((query or {}).items()))
        signed = self._sign(method, target, question, headers or {}, body)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, target + (f"?{question}" if question else ""), body, signed)
            reply = connection.getresponse()
            return S3Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def _sign(self, method, target, question, headers, body):
        """AWS, "Create a signed AWS API request"."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        body_hash = hashlib.sha256(body).hexdigest()
        signed = {**{name.lower(): value for name, value in headers.items()},
                  "host": f"{self.host}:{self.port}", "x-amz-content-sha256": body_hash,
                  "x-amz-date": now}
        names = ";".join(sorted(signed))
        canonical = "\n".join([method, target, question,
                               *(f"{name}:{signed[name]}" for name in sorted(signed)), "",
                               names, body_hash])
        text = "\n".join([ALGORITHM, now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self.keys.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return {**signed, "authorization": (
            f"{ALGORITHM} Credential={self.keys.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}")}


def follow(location, **headers):
    """GET what a link points to, as a client does that knows nothing but the link."""
    parts = urllib.parse.urlsplit(location)
    # Names below localhost are loopback, and Python does not know it.
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=PATIENCE_S)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}",
                           headers={"Host": parts.netloc, **headers})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def quote(text):
    return urllib.parse.quote(text, safe="-._~")


class Bucket:
    """As one user sees it."""

    def __init__(self, client, name):
        self.client = client
        self.name = name

    def seen_by(self, client):
        return Bucket(client, self.name)

    def settings(self, endpoint, **options):
        """For a pieroned that keeps its layers here."""
        return {"storage": {"s3": {"bucket": self.name, "region": self.client.region,
                                   "endpoint": endpoint, "path_style": True, **options}}}

    # -- what it is

    def create(self, has_lock=False):
        self._change({}, headers={"x-amz-bucket-object-lock-enabled": "true"} if has_lock else None)

    def set_versioning(self):
        self._change({"versioning": ""}, "<VersioningConfiguration><Status>Enabled</Status>"
                                         "</VersioningConfiguration>")

    def set_retention(self, mode, days=LOCK_DAYS):
        """What holds for objects that are put without a word about it."""
        self._change({"object-lock": ""}, (
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
            f"<DefaultRetention><Mode>{mode}</Mode><Days>{days}</Days></DefaultRetention>"
            "</Rule></ObjectLockConfiguration>"))

    def set_policy(self, policy):
        """JSON text."""
        self._change({"policy": ""}, policy)

    def set_lifecycle(self, rules):
        """XML text."""
        self._change({"lifecycle": ""}, rules)

    # -- what is in it

    def put(self, key, content, headers=None):
        return self._ask("PUT", key, headers=headers, body=content)

    def get(self, key):
        reply = self._ask("GET", key)
        assert reply.status == 200, reply
        return reply.body

    def head(self, key):
        return self._ask("HEAD", key)

    def delete(self, key, version=None, bypass=False):
        """`bypass`: as who may ignore governance, and says so."""
        headers = {"x-amz-bypass-governance-retention": "true"} if bypass else None
        return self._ask("DELETE", key, {"versionId": version} if version else None, headers)

    def keys(self):
        return self._list({"list-type": "2"}, "Key")

    def versions(self):
        """All that is still there, also below what was deleted: pairs of key and version."""
        return list(zip(self._list({"versions": ""}, "Key"),
                        self._list({"versions": ""}, "VersionId")))

    def uploads(self):
        """Keys of those that have begun, and are neither completed nor aborted."""
        return self._list({"uploads": ""}, "Key")

    def abort_uploads(self):
        """As a lifecycle rule does."""
        reply = self._ask("GET", "", {"uploads": ""})
        for key, upload in zip(reply.texts("Key"), reply.texts("UploadId")):
            assert self._ask("DELETE", key, {"uploadId": upload}).status == 204

    def _list(self, query, element):
        reply = self._ask("GET", "", query)
        assert reply.status == 200 and "true" not in reply.texts("IsTruncated"), reply
        return reply.texts(element)

    def _change(self, query, body="", headers=None):
        checksum = {"Content-MD5": base64.b64encode(hashlib.md5(body.encode()).digest()).decode()}
        reply = self._ask("PUT", "", query, {**checksum, **(headers or {})}, body.encode())
        assert reply.status in (200, 204), reply

    def _ask(self, method, key, query=None, headers=None, body=b""):
        path = f"/{self.name}/{key}" if key else f"/{self.name}"
        return self.client.request(method, path, query, headers, body)
