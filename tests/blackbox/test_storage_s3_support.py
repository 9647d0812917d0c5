"""The S3 that tests run on behaves as they take for granted."""

import dataclasses
import subprocess

import pytest

from support.ceph import DOMAIN


def test_object_is_put_and_read(ceph):
    bucket = ceph.create_bucket()
    assert bucket.put("a/key with blanks", b"content").status == 200
    assert bucket.get("a/key with blanks") == b"content"
    assert bucket.keys() == ["a/key with blanks"]


def test_object_is_deleted_where_nothing_forbids_it(ceph):
    bucket = ceph.create_bucket()
    bucket.put("key", b"content")
    assert bucket.delete("key").status == 204
    assert bucket.keys() == []


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_locked_version_stays(ceph, mode):
    bucket = ceph.create_bucket(has_lock=True)
    bucket.set_retention(mode)
    bucket.put("key", b"content")
    [(key, version)] = bucket.versions()
    reply = bucket.delete(key, version)
    assert (reply.status, reply.error) == (403, "AccessDenied")
    assert bucket.get("key") == b"content"


def test_object_is_written_once_on_condition(ceph):
    bucket = ceph.create_bucket()
    once = {"If-None-Match": "*"}
    assert bucket.put("key", b"one", once).status == 200
    assert bucket.put("key", b"two", once).status == 412
    assert bucket.get("key") == b"one"


def test_condition_is_ignored_where_versions_are_kept(ceph):
    """If this fails, Ceph has learned it: docs/storage.md says otherwise."""
    bucket = ceph.create_bucket(has_versions=True)
    once = {"If-None-Match": "*"}
    assert [bucket.put("key", text, once).status for text in (b"one", b"two")] == [200, 200]
    assert len(bucket.versions()) == 2


def test_unfinished_uploads_are_seen(ceph):
    bucket = ceph.create_bucket()
    assert bucket.uploads() == []
    assert bucket.client.request("POST", f"/{bucket.name}/key", {"uploads": ""}).status == 200
    assert bucket.uploads() == ["key"]
    assert bucket.keys() == []


def test_other_user_may_nothing(ceph):
    bucket = ceph.create_bucket()
    bucket.put("key", b"content")
    other = bucket.seen_by(ceph.client(ceph.create_user("other")))
    for reply in (other.head("key"), other.put("key", b"mine"), other.delete("key")):
        assert reply.status == 403


def test_wrong_secret_is_refused(ceph):
    bucket = ceph.create_bucket()
    keys = dataclasses.replace(ceph.operator, secret_key="wrong" * 8)
    assert bucket.seen_by(ceph.client(keys)).put("key", b"x").error == "SignatureDoesNotMatch"


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
def test_bucket_is_named_by_the_host(ceph, is_tls):
    """libcurl resolves such names by itself, and another implementation of the signature agrees."""
    bucket = ceph.create_bucket()
    bucket.put("key", b"content")
    scheme, port = ("https", ceph.place.tls_port) if is_tls else ("http", ceph.place.port)
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*",
         "--cacert", ceph.ca_file, "--aws-sigv4", "aws:amz:us-east-1:s3",
         "--user", f"{ceph.operator.access_key}:{ceph.operator.secret_key}",
         "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
         f"{scheme}://{bucket.name}.{DOMAIN}:{port}/key"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"content"), done
