"""What a bucket can do and allows: Object Lock, permissions, and what --check-config says of it."""

import json
import random
import re
import urllib.request

import pytest

from support.documents import code_blocks
from support.images import digest_of, new_repository
from support.s3_proxy import answer, reset
from support.server import ROOT, run_once, to_yaml
from support.stub_server import nobody_listens
from support.waiting import wait_until

PART = 5 * 1024 * 1024
DOCUMENT = ROOT / "docs/storage.md"
BUCKET_OF_DOCUMENT = "pierone-layers"


def content_of(size):
    return random.Random(new_repository()).randbytes(size)


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def locked_bucket(ceph):
    return ceph.create_bucket(has_lock=True)


@pytest.fixture
def start_on(start_server, ceph):
    """A server on any bucket, with anybody's keys."""
    def start(bucket, keys=None, **options):
        settings = bucket.settings(ceph.endpoint, **{"redirect": False, **options})
        return start_server(settings, (keys or ceph.operator).environment)

    return start


def push_and_pull(registry, repository, sizes):
    for content in map(content_of, sizes):
        assert registry.push_blob(repository, content).status == 201
        assert registry.get_blob(repository, digest_of(content)).body == content


# -- Object Lock

def assert_nobody_deletes(bucket, **headers):
    for key, version in bucket.versions():
        reply = bucket.delete(key, version, **headers)
        assert (reply.status, reply.error) == (403, "AccessDenied")


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_layer_stays_locked_as_the_bucket_says(start_on, client, locked_bucket, repository, mode):
    """With the operator's own keys, to whom the bucket belongs; a layer of parts, too."""
    locked_bucket.set_retention(mode)
    registry = client(start_on(locked_bucket, object_lock={"mode": "bucket"}))
    contents = [content_of(1000), content_of(PART + 1)]
    for content in contents:
        assert registry.push_blob(repository, content).status == 201
    assert len(locked_bucket.versions()) == 2
    assert_nobody_deletes(locked_bucket)
    if mode == "COMPLIANCE":
        assert_nobody_deletes(locked_bucket, bypass=True)
    for content in contents:
        assert registry.get_blob(repository, digest_of(content)).body == content


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_layer_is_locked_for_as_long_as_settings_say(start_on, client, locked_bucket, repository,
                                                     mode):
    """Ceph drops what is said when parts begin, so this is about layers of one request."""
    registry = client(start_on(locked_bucket, object_lock={"mode": mode, "days": 1}))
    push_and_pull(registry, repository, [1000])
    [key] = locked_bucket.keys()
    assert locked_bucket.head(key).headers["x-amz-object-lock-mode"] == mode.upper()
    assert_nobody_deletes(locked_bucket)


def test_parts_begin_with_what_settings_say_of_locks(start_s3_server, s3, client, repository):
    """AWS locks by it what the parts become; Ceph does not (and takes it in any bucket)."""
    registry = client(start_s3_server(object_lock={"mode": "compliance", "days": 2}))
    location = registry.begin_upload(repository)
    assert registry.patch_upload(location, content_of(PART + 1)).status == 202
    [begin] = s3.of_kind("CreateMultipartUpload")
    assert begin.headers["x-amz-object-lock-mode"] == "COMPLIANCE"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
                        begin.headers["x-amz-object-lock-retain-until-date"])


def test_what_is_to_be_locked_has_a_checksum(start_s3_server, s3, client, repository):
    """AWS, PutObject: "Content-MD5 … is required for any request to upload an object with a
    retention period"; so for parts."""
    registry = client(start_s3_server(object_lock={"mode": "bucket"}))
    for size in (1000, PART + 1):
        assert registry.push_blob(repository, content_of(size)).status == 201
    for request in s3.of_kind("PutObject") + s3.of_kind("UploadPart"):
        assert request.headers["Content-MD5"]


# -- permissions, as docs/storage.md has them

def documented(marker):
    """The one JSON text of the document that holds the marker."""
    [block] = [text for text in code_blocks(DOCUMENT, "json") if marker in text]
    return json.loads(block.replace(BUCKET_OF_DOCUMENT, "BUCKET"))


def about(bucket, value):
    return json.dumps(value).replace("BUCKET", bucket.name)


def permissions_for(bucket, keys):
    """As the document says for Ceph: with the user, and the denial behind."""
    policy, denial = documented("PierOneAddsAndReadsLayers"), documented("NobodyDeletesLayers")
    for statement in policy["Statement"]:
        statement["Principal"] = {"AWS": [f"arn:aws:iam:::user/{keys.user}"]}
    policy["Statement"] += denial["Statement"]
    return about(bucket, policy)


def to_xml(name, value):
    """What AWS's command line makes of such JSON."""
    if isinstance(value, list):
        return "".join(to_xml(name, entry) for entry in value)
    if isinstance(value, dict):
        value = "".join(to_xml(name, entry) for name, entry in value.items())
    return f"<{name}>{value}</{name}>"


@pytest.fixture
def stranger(ceph):
    """Somebody to whom the bucket does not belong."""
    return ceph.create_user("pierone")


@pytest.fixture
def allowed_bucket(bucket, stranger):
    bucket.set_policy(permissions_for(bucket, stranger))
    return bucket


def test_documented_permissions_suffice(start_on, allowed_bucket, stranger, client, repository):
    registry = client(start_on(allowed_bucket, stranger))
    push_and_pull(registry, repository, [0, 1000, PART + 1, 3 * PART])
    location = registry.begin_upload(repository)
    assert registry.patch_upload(location, content_of(PART + 1)).status == 202
    assert len(allowed_bucket.uploads()) == 1
    assert registry.request("DELETE", location).status == 204
    assert allowed_bucket.uploads() == []


def test_documented_permissions_suffice_for_links(start_on, allowed_bucket, stranger, client,
                                                  repository):
    registry = client(start_on(allowed_bucket, stranger, redirect=True))
    registry.push_blob(repository, b"by link")
    location = registry.get_blob(repository, digest_of(b"by link")).headers["Location"]
    with urllib.request.urlopen(location) as reply:
        assert reply.read() == b"by link"


def test_documented_permissions_do_not_delete(ceph, allowed_bucket, stranger):
    allowed_bucket.put("key", b"content")
    seen = allowed_bucket.seen_by(ceph.client(stranger))
    assert seen.get("key") == b"content"
    assert seen.delete("key").status == 403


def test_upload_that_is_gone_is_told_with_documented_permissions(start_on, allowed_bucket, stranger,
                                                                 client, repository):
    """Who may not list is told "forbidden" of what is not there: hence s3:ListBucket."""
    registry = client(start_on(allowed_bucket, stranger))
    content = content_of(2 * PART)
    location = registry.begin_upload(repository)
    assert registry.patch_upload(location, content[:PART + 1]).status == 202
    allowed_bucket.abort_uploads()
    reply = registry.finish_upload(location, digest_of(content), content[PART + 1:])
    assert (reply.status, reply.error_code()) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_documented_denial_holds_for_the_owner_too(bucket):
    bucket.put("key", b"content")
    bucket.set_policy(about(bucket, documented("NobodyDeletesLayers")))
    assert bucket.delete("key").status == 403
    assert bucket.get("key") == b"content"


def test_documented_rule_is_taken(bucket):
    rules = documented("AbortIncompleteMultipartUpload")["Rules"]
    bucket.set_lifecycle(to_xml("LifecycleConfiguration", {"Rule": rules}))


def test_missing_permission_is_named_in_the_log(start_on, bucket, stranger, client, repository):
    server = start_on(bucket, stranger)
    assert client(server).push_blob(repository, b"forbidden").status == 503
    failure = server.wait_for_logged(status=503)["failure"]
    assert "AccessDenied" in failure and "permissions" in failure, failure


# -- --check-config

@pytest.fixture
def check(binary, folder, ceph):
    """What --check-config says of a bucket: its exit code, and all lines."""
    def run(bucket, keys=None, endpoint=None, environment=None, **options):
        settings = bucket.settings(endpoint or ceph.endpoint, retry_time="1ms", **options)
        (folder / "pierone.yaml").write_text(to_yaml(settings) + "\n", encoding="utf-8")
        done = run_once(binary, "-c", folder / "pierone.yaml", "--data", folder / "data",
                        "--check-config",
                        environment={**(keys or ceph.operator).environment, **(environment or {})})
        return done.returncode, done.stdout + done.stderr

    return run


def test_plain_bucket_is_described(check, bucket, ceph):
    code, said = check(bucket)
    assert code == 0, said
    for words in ("objects can be written and read", "conditional writes: yes", "versioning: off",
                  "Object Lock: no", bucket.name, "AWS_ACCESS_KEY_ID"):
        assert words in said, said
    assert ceph.operator.secret_key not in said
    assert bucket.uploads() == []


def test_bucket_with_versions_is_described(check, ceph):
    code, said = check(ceph.create_bucket(has_versions=True))
    assert code == 0, said
    assert "versioning: on" in said and "conditional writes: no" in said, said


def test_bucket_with_locks_is_described(check, locked_bucket):
    locked_bucket.set_retention("GOVERNANCE", 1)
    code, said = check(locked_bucket, object_lock={"mode": "bucket"})
    assert code == 0, said
    assert "Object Lock: yes, by default GOVERNANCE for 1 days" in said, said


@pytest.mark.parametrize("name, is_told", [
    ("s3.registry.test", True), ("S3.Registry.TEST:8443", True), ("registry.test:8443", True),
    ("s3.test", False), ("my-registry.test", False)])
def test_links_that_clients_take_for_the_registry_are_told(check, bucket, name, is_told):
    public = {"environment": {"PIERONE_PUBLIC_URL": "https://registry.test:443"},
              "public_endpoint": f"https://{name}"}
    code, said = check(bucket, **public)
    assert (code, "storage: links lead to" in said) == (0, is_told), said
    assert "links lead" not in check(bucket, redirect=False, **public)[1]


def test_locks_that_a_bucket_has_not_are_told(check, bucket):
    code, said = check(bucket, object_lock={"mode": "compliance"})
    assert code == 1
    assert "storage.s3.object_lock.mode" in said and "has no Object Lock" in said, said


def test_lock_of_a_bucket_without_a_default_is_told(check, locked_bucket):
    """mode: bucket would lock nothing: that is no mistake to find out in a year."""
    code, said = check(locked_bucket, object_lock={"mode": "bucket"})
    assert code == 1, said
    assert "default retention" in said, said


def test_documented_permissions_are_enough_to_check(check, allowed_bucket, stranger):
    code, said = check(allowed_bucket, stranger)
    assert code == 0, said
    assert "objects can be written and read" in said and "unknown" not in said, said


def test_missing_permissions_are_told(check, bucket, stranger):
    code, said = check(bucket, stranger)
    assert code == 1
    assert "AccessDenied" in said and "docs/storage.md" in said, said


def test_missing_bucket_is_told(check, bucket):
    bucket.name = "no-such-bucket"
    code, said = check(bucket)
    assert code == 1
    assert "NoSuchBucket" in said and "create the bucket" in said, said


def test_wrong_secret_is_told(check, bucket, stranger):
    stranger.secret_key = "0" * 40
    code, said = check(bucket, stranger)
    assert code == 1
    assert "SignatureDoesNotMatch" in said and "secret key is wrong" in said, said


def test_unknown_key_is_told(check, bucket, stranger):
    stranger.access_key = "NOBODYHASTHISKEY"
    code, said = check(bucket, stranger)
    assert code == 1
    assert "InvalidAccessKeyId" in said and "unknown there" in said, said


def test_s3_that_is_not_there_is_told(check, bucket):
    with nobody_listens() as url:
        code, said = check(bucket, endpoint=url)
    assert code == 1
    assert "storage.s3.endpoint" in said, said


def test_clock_that_is_wrong_is_told(check, bucket, fake_time):
    fake_time.forward(3600)
    code, said = check(bucket, environment=fake_time.environment)
    assert code == 0, said
    assert "storage: clock: this machine's is 3" in said and "s ahead of that of S3" in said, said


def test_unknown_encryption_is_told(check, bucket, s3):
    code, said = check(bucket, endpoint=s3.endpoint, encryption="AES")
    assert code == 1
    assert "storage.s3.encryption" in said and "AES256" in said and "aws:kms" in said, said
    assert s3.kinds() == []


def test_missing_keys_are_told(check, bucket, folder):
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(folder)}
    code, said = check(bucket, environment=none)
    assert code == 1
    assert "AWS_ACCESS_KEY_ID" in said and "credentials" in said, said


@pytest.mark.parametrize("status, error", [(301, "PermanentRedirect"),
                                           (400, "AuthorizationHeaderMalformed")])
def test_bucket_of_another_region_is_told(check, bucket, s3, status, error):
    """As AWS has it: the region is in a header of the refusal."""
    body = f"<Error><Code>{error}</Code></Error>".encode()
    refusal = answer(status, body, **{"x-amz-bucket-region": "eu-north-1"})
    with s3.doing(refusal):
        code, said = check(bucket, endpoint=s3.endpoint)
    assert code == 1
    assert "storage.s3.region" in said and "its region is eu-north-1" in said, said


def test_server_starts_without_s3_and_takes_pushes_later(start_s3_server, s3, client, repository):
    """A registry that does not start while S3 is away could not even say so."""
    with s3.doing(reset):
        registry = client(start_s3_server(redirect=False, retry_time="1ms"))
        assert registry.push_blob(repository, b"early").status == 503
    wait_until(lambda: registry.push_blob(repository, b"early").status == 201, "S3 to be back")
