"""When S3 fails, or we do: what was acknowledged is there, and nothing half-written is served."""

import concurrent.futures
import contextlib
import datetime
import functools
import http.client
import random
import threading

import pytest

from support.images import digest_of, new_repository
from support.registry_client import RegistryClient
from support.s3 import follow
from support.s3_proxy import (FAULTS, INTERNAL_ERROR, REFUSALS, SLOW_DOWN, Held, answer,
                              error_document, lose_answer, reset, slowly)
from support.stub_server import Answer, Endpoint, StubServer
from support.waiting import wait_until
from support.wire import Wire, request

MIB = 1024 * 1024
PART = 5 * MIB
LARGE = 2 * PART + 17

KINDS_OF_PUSH = {
    "PutObject": 1000,
    "CreateMultipartUpload": LARGE,
    "UploadPart": LARGE,
    "CompleteMultipartUpload": LARGE,
}


def content_of(size, seed=0):
    return random.Random(f"{new_repository()} {seed}").randbytes(size)


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def start(start_s3_server):
    """Layers come through it, so that what is served is seen."""
    def start_one(settings=None, environment=None, **options):
        return start_s3_server(settings, environment, **{"redirect": False, **options})

    return start_one


@pytest.fixture
def start_hasty(start):
    """One that soon gives up. On a busy machine it may do so without a fault: see patiently."""
    return functools.partial(start, retry_time="1s")


def patiently(ask):
    """As clients do that are told to come back."""
    def answer_of():
        reply = ask()
        return None if reply.status == 503 else reply

    return wait_until(answer_of, "S3")


def assert_nothing_is_served(registry, repository, content):
    for method in ("GET", "HEAD"):
        assert registry.get_blob(repository, digest_of(content), method).status == 404


def assert_is_served(registry, repository, content):
    reply = registry.get_blob(repository, digest_of(content))
    assert (reply.status, reply.body) == (200, content)


def assert_is_served_at_last(registry, repository, content):
    reply = patiently(lambda: registry.get_blob(repository, digest_of(content)))
    assert (reply.status, reply.body) == (200, content)


# -- S3 fails in passing: nobody notices

def times_of(fault):
    """Keys are renewed once; all else is repeated."""
    return 1 if fault == "ExpiredToken" else 2


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS_OF_PUSH)
def test_push_survives_what_passes(start, s3, client, bucket, repository, kind, fault):
    registry, content = client(start()), content_of(KINDS_OF_PUSH[kind])
    with s3.doing(FAULTS[fault], times=times_of(fault), only=kind):
        assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)
    # Nobody knows the name of an upload whose beginning was not heard of.
    if kind != "CreateMultipartUpload" or fault not in ("lost answer", "cut answer"):
        assert bucket.uploads() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_pull_survives_what_passes(start, s3, client, repository, fault):
    registry, content = client(start()), content_of(3 * MIB)
    registry.push_blob(repository, content)
    with s3.doing(FAULTS[fault], times=times_of(fault)):
        assert_is_served(registry, repository, content)


def test_pull_survives_an_answer_of_another_length(start, s3, client, repository):
    registry, content = client(start()), content_of(3 * MIB)
    registry.push_blob(repository, content)
    for wrong in (answer(206, b"too short"), answer(200, b"x" * (2 * MIB))):
        with s3.doing(wrong, times=2):
            assert_is_served(registry, repository, content)


def test_clock_that_is_wrong_is_corrected_by_the_one_of_s3(start_s3_server, s3, client, repository,
                                                           fake_time):
    """Of links, too. S3 itself refuses what is signed an hour later."""
    server = start_s3_server(None, fake_time.environment)
    fake_time.forward(3600)
    registry, content = client(server), content_of(LARGE)
    assert registry.push_blob(repository, content).status == 201
    link = registry.get_blob(repository, digest_of(content))
    assert link.status == 307
    kinds = s3.kinds()
    assert kinds.count("CreateMultipartUpload") == 2, "the first one is refused"
    assert kinds.count("UploadPart") == 3, "and no other"
    assert follow(link.headers["Location"]) == (200, content)


def test_part_that_s3_names_otherwise_is_never_in_a_layer(start, s3, client, bucket, repository):
    """Completing is refused then (InvalidPart), and the client is told to begin again."""
    server, content = start(), content_of(LARGE)
    registry = client(server)
    with s3.doing(answer(200, b"", ETag='"0123456789abcdef0123456789abcdef"'), times=1,
                  only="UploadPart"):
        reply = registry.push_blob(repository, content)
    assert (reply.status, reply.error_code()) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert_nothing_is_served(registry, repository, content)
    assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)


def test_completion_that_fails_with_200_is_no_success(start, s3, client, repository):
    """AWS, "CompleteMultipartUpload": a request that began with 200 OK may fail all the same."""
    registry, content = client(start()), content_of(LARGE)
    with s3.doing(answer(200, INTERNAL_ERROR), times=2, only="CompleteMultipartUpload"):
        assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)


@pytest.mark.parametrize("body", [b"", b"\n   ", b"<CompleteMultipartUploadResult>"])
def test_completion_without_its_result_is_no_success(start, s3, client, repository, body):
    """The same, where the connection ends before S3 has said how it went."""
    registry, content = client(start()), content_of(LARGE)
    with s3.doing(answer(200, body), times=2, only="CompleteMultipartUpload"):
        assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)


@pytest.mark.parametrize("error", ["InvalidPart", "AccessDenied"])
def test_completion_that_is_refused_with_200_is_no_success(start, s3, client, repository, error):
    """The same, for what does not pass."""
    registry, content = client(start()), content_of(LARGE)
    refusal = SLOW_DOWN.replace(b"SlowDown", error.encode())
    with s3.doing(answer(200, refusal), only="CompleteMultipartUpload"):
        assert registry.push_blob(repository, content).status in (404, 503)
        assert_nothing_is_served(registry, repository, content)
    assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)


def test_slow_s3_makes_a_slow_push(start, s3, client, repository):
    registry, content = client(start()), content_of(LARGE)
    with s3.doing(slowly(0.2)):
        assert registry.push_blob(repository, content).status == 201
        assert_is_served(registry, repository, content)


def test_s3_that_never_answers_is_asked_again(start, s3, client, repository):
    registry, held = client(start(timeout="1s")), Held()
    try:
        for content in (content_of(1000), content_of(LARGE)):
            with s3.doing(held, times=1):
                assert registry.push_blob(repository, content).status == 201
            assert_is_served(registry, repository, content)
    finally:
        held.is_open.set()


def test_conflict_of_conditions_is_no_refusal(start, s3, client, repository):
    """AWS, "Conditional write behavior": 409 while another request is under way; send it again."""
    registry, content = client(start()), content_of(1000)
    conflict = SLOW_DOWN.replace(b"SlowDown", b"ConditionalRequestConflict")
    with s3.doing(answer(409, conflict), times=2, only="PutObject"):
        assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)


# -- S3 fails for longer: 503, and a retry succeeds

def assert_told_to_come_back(reply):
    assert reply.status == 503, reply
    assert int(reply.headers["Retry-After"]) > 0


@pytest.mark.parametrize("kind", KINDS_OF_PUSH)
def test_push_is_told_to_come_back_and_succeeds_then(start_hasty, s3, client, repository, kind):
    server, content = start_hasty(), content_of(KINDS_OF_PUSH[kind])
    registry = client(server)
    with s3.doing(answer(503, SLOW_DOWN), only=kind):
        assert_told_to_come_back(registry.push_blob(repository, content))
        assert_nothing_is_served(registry, repository, content)
    line = server.wait_for_logged(status=503)
    assert "SlowDown" in line["failure"] and "push less" in line["failure"], line
    assert patiently(lambda: registry.push_blob(repository, content)).status == 201
    assert_is_served_at_last(registry, repository, content)


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("kind", KINDS_OF_PUSH)
def test_what_has_to_be_mended_is_said_and_a_retry_succeeds(start, s3, client, repository, kind,
                                                            error):
    server, content = start(), content_of(KINDS_OF_PUSH[kind])
    registry = client(server)
    status, words = REFUSALS[error]
    with s3.doing(answer(status, error_document(error)), only=kind):
        assert_told_to_come_back(registry.push_blob(repository, content))
        assert_nothing_is_served(registry, repository, content)
    line = server.wait_for_logged(status=503)
    assert error in line["failure"] and words in line["failure"], line
    assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)


@pytest.mark.parametrize("error", REFUSALS)
def test_what_has_to_be_mended_is_said_of_pulls(start, s3, client, repository, error):
    server, content = start(), content_of(1000)
    registry = client(server)
    assert registry.push_blob(repository, content).status == 201
    status, words = REFUSALS[error]
    with s3.doing(answer(status, error_document(error)), only="GetObject"):
        assert_told_to_come_back(registry.get_blob(repository, digest_of(content)))
    line = server.wait_for_logged(status=503)
    assert error in line["failure"] and words in line["failure"], line
    assert_is_served(registry, repository, content)


@pytest.mark.parametrize("kind", KINDS_OF_PUSH)
def test_reply_to_the_last_request_may_be_asked_for_again(start_hasty, s3, client, repository, kind):
    """The same PUT again, as clients do that retry one request and not the upload."""
    registry, content = client(start_hasty()), content_of(KINDS_OF_PUSH[kind])
    location = registry.begin_upload(repository)
    half = len(content) // 2
    assert patiently(lambda: registry.patch_upload(location, content[:half])).status == 202
    with s3.doing(answer(500, INTERNAL_ERROR), only=kind):
        reply = registry.finish_upload(location, digest_of(content), content[half:])
    if reply.status != 201:  # it needed no request of this kind
        assert_told_to_come_back(reply)
        assert_nothing_is_served(registry, repository, content)
        progress = registry.request("GET", location)
        assert progress.status == 204, "what was acknowledged has to survive"
        done = int(progress.headers["Range"].partition("-")[2]) + 1
        assert done >= half
        assert patiently(lambda: registry.finish_upload(
            location, digest_of(content), content[done:])).status == 201
    assert_is_served_at_last(registry, repository, content)


@pytest.mark.parametrize("kind", ["UploadPart", "CreateMultipartUpload"])
def test_chunk_that_was_refused_is_sent_again(start_hasty, s3, client, repository, kind):
    registry, content = client(start_hasty()), content_of(3 * PART)
    location = registry.begin_upload(repository)
    assert patiently(lambda: registry.patch_upload(location, content[:1000])).status == 202
    with s3.doing(answer(503, SLOW_DOWN), only=kind):
        assert_told_to_come_back(registry.patch_upload(location, content[1000:]))
    assert registry.request("GET", location).headers["Range"] == "0-999"
    assert patiently(lambda: registry.patch_upload(location, content[1000:])).status == 202
    assert patiently(lambda: registry.finish_upload(location, digest_of(content))).status == 201
    assert_is_served_at_last(registry, repository, content)


def test_pull_is_told_to_come_back(start_hasty, s3, client, repository):
    registry, content = client(start_hasty()), content_of(1000)
    assert patiently(lambda: registry.push_blob(repository, content)).status == 201
    for fault in (answer(503, SLOW_DOWN), reset):
        with s3.doing(fault):
            assert_told_to_come_back(registry.get_blob(repository, digest_of(content)))
            assert registry.get_blob(repository, digest_of(content), "HEAD").status == 200
    assert_is_served_at_last(registry, repository, content)


@pytest.mark.parametrize("wrong", [answer(206, b"too short"), answer(200, b"x" * (2 * MIB))],
                         ids=["too short", "too long"])
def test_wrong_length_is_never_served(start_hasty, s3, client, repository, wrong):
    registry, content = client(start_hasty()), content_of(MIB)
    assert patiently(lambda: registry.push_blob(repository, content)).status == 201
    with s3.doing(wrong):
        assert registry.get_blob(repository, digest_of(content)).status == 503
    assert_is_served_at_last(registry, repository, content)


def test_pull_that_breaks_is_seen_to_be_broken_and_goes_on_by_range(start_hasty, s3, client,
                                                                    repository):
    server, content = start_hasty(), content_of(8 * MIB)
    registry = client(server)
    assert patiently(lambda: registry.push_blob(repository, content)).status == 201
    asked = len(s3.of_kind("GetObject"))
    with s3.doing(answer(500, INTERNAL_ERROR), only="GetObject") as behaviour:
        behaviour[1] = 0  # not yet
        with Wire(server.connect()) as wire:
            wire.send(request("GET", f"/v2/{repository}/blobs/{digest_of(content)}"))
            assert wire.read_head().status == 200
            wait_until(lambda: len(s3.of_kind("GetObject")) > asked, "the download to begin")
            behaviour[1] = None
            received = wire.read_rest()
    assert len(received) < len(content) and content.startswith(received)
    rest = patiently(lambda: registry.get_blob(repository, digest_of(content),
                                               Range=f"bytes={len(received)}-"))
    assert received + rest.body == content


def test_upload_that_s3_has_forgotten_is_begun_again(start, client, bucket, repository):
    """As a lifecycle rule does that is too eager."""
    registry, content = client(start()), content_of(LARGE)
    location = registry.begin_upload(repository)
    assert registry.patch_upload(location, content[:PART + 1]).status == 202
    bucket.abort_uploads()
    reply = registry.finish_upload(location, digest_of(content), content[PART + 1:])
    assert (reply.status, reply.error_code()) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert_nothing_is_served(registry, repository, content)
    assert registry.push_blob(repository, content).status == 201
    assert_is_served(registry, repository, content)


def test_object_that_somebody_deleted_is_an_error_of_ours(start, client, bucket, repository):
    server, content = start(), content_of(1000)
    registry = client(server)
    registry.push_blob(repository, content)
    [key] = bucket.keys()
    bucket.delete(key)
    assert registry.get_blob(repository, digest_of(content)).status == 500
    assert key in server.wait_for_logged(status=500)["failure"]


def overwrite(bucket, content):
    """As only others can: pieroned writes no object twice."""
    [key] = bucket.keys()
    assert bucket.put(key, content).status == 200
    return key


def test_damaged_object_never_arrives_whole(start, client, bucket, repository):
    """Its last byte is another one, and the piece with that is held back."""
    server, content = start(), content_of(3 * MIB + 5)
    registry = client(server)
    assert registry.push_blob(repository, content).status == 201
    key = overwrite(bucket, content[:-1] + bytes([content[-1] ^ 1]))
    with Wire(server.connect()) as wire:
        wire.send(request("GET", f"/v2/{repository}/blobs/{digest_of(content)}"))
        head = wire.read_head()
        received = wire.read_rest()
    assert head.status == 200
    assert received == content[:3 * MIB]
    failure = server.wait_for_event("download_failed")
    assert key in str(failure) and "other bytes" in str(failure)


def test_small_object_that_is_damaged_is_an_error_of_ours(start, client, bucket, repository):
    server, content = start(), content_of(1000)
    registry = client(server)
    assert registry.push_blob(repository, content).status == 201
    key = overwrite(bucket, content_of(1000, 1))
    assert registry.get_blob(repository, digest_of(content)).status == 500
    assert key in server.wait_for_logged(status=500)["failure"]


def test_object_that_is_shorter_never_arrives_whole(start_hasty, client, bucket, repository):
    server, content = start_hasty(), content_of(2 * MIB)
    registry = client(server)
    assert patiently(lambda: registry.push_blob(repository, content)).status == 201
    overwrite(bucket, content[:MIB + 1000])
    with Wire(server.connect()) as wire:
        wire.send(request("GET", f"/v2/{repository}/blobs/{digest_of(content)}"))
        assert wire.read_head().status in (200, 503)
        assert len(wire.read_rest()) < len(content)


# -- clients fail

def test_client_that_leaves_in_the_middle_goes_on(start, client, repository):
    """From where the server says: all that it had received by then, or less."""
    server, content = start(), content_of(3 * PART)
    registry = client(server)
    location = registry.begin_upload(repository)
    with Wire(server.connect()) as wire:
        wire.send(request("PATCH", location, f"Content-Length: {len(content)}",
                          "Content-Type: application/octet-stream") + content[:2 * PART + 5])
    server.wait_for_logged(method="PATCH")
    last = int(registry.request("GET", location).headers["Range"].removeprefix("0-"))
    assert last < 2 * PART + 5
    reply = registry.finish_upload(location, digest_of(content), content[last + 1 if last else 0:])
    assert reply.status == 201
    assert_is_served(registry, repository, content)


# -- we fail

def test_killed_in_the_middle_of_an_upload(start, bucket, repository):
    """It goes on from what was acknowledged last."""
    server, content = start(), content_of(8 * PART + 3)
    acknowledged = 2 * PART + 1234
    with RegistryClient(server.port) as registry:
        location = registry.begin_upload(repository)
        assert registry.patch_upload(location, content[:acknowledged]).status == 202
    with Wire(server.connect()) as wire:
        wire.send(request("PATCH", location, f"Content-Length: {len(content) - acknowledged}",
                          "Content-Type: application/octet-stream")
                  + content[acknowledged:acknowledged + 3 * PART])
        wait_until(lambda: len(bucket.uploads()) == 1, "parts to be on their way")
        server.kill()
    server.start()
    with RegistryClient(server.port) as registry:
        assert_nothing_is_served(registry, repository, content)
        progress = registry.request("GET", location)
        assert (progress.status, progress.headers["Range"]) == (204, f"0-{acknowledged - 1}")
        reply = registry.patch_upload(location, content[acknowledged:])
        assert reply.status == 202, reply
        assert registry.finish_upload(location, digest_of(content)).status == 201
        assert_is_served(registry, repository, content)
    assert bucket.uploads() == []


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_time(start, repository, seed):
    """Chance says when. The client asks how far it got, and goes on from there."""
    chance, server = random.Random(seed), start()
    content, offset = content_of(4 * PART + chance.randint(0, PART), seed), 0
    with RegistryClient(server.port) as registry:
        location = registry.begin_upload(repository)
    while offset < len(content):
        chunk = content[offset:offset + chance.choice([1000, PART - 1, PART, 2 * PART])]
        with RegistryClient(server.port) as registry:
            is_killed = chance.random() < 0.5
            timer = threading.Timer(chance.random() * 0.2, server.kill)
            if is_killed:
                timer.start()
            with contextlib.suppress(OSError, http.client.HTTPException):
                if registry.patch_upload(location, chunk).status == 202:
                    offset += len(chunk)
        if is_killed:
            timer.join()
            server.start()
            with RegistryClient(server.port) as registry:
                found = registry.request("GET", location).headers["Range"]
                done = 0 if found == "0-0" else int(found.partition("-")[2]) + 1
                assert done >= offset, "what was acknowledged is gone"
                offset = done
    with RegistryClient(server.port) as registry:
        assert registry.finish_upload(location, digest_of(content)).status == 201
        assert_is_served(registry, repository, content)


@pytest.mark.parametrize("size", [1000, LARGE])
def test_killed_between_s3_and_the_metadata(start, s3, repository, size):
    """S3 has all of it, and nobody has heard of that. The client asks again."""
    server, content = start(), content_of(size)
    kind = "PutObject" if size == 1000 else "CompleteMultipartUpload"
    with RegistryClient(server.port) as registry:
        location = registry.begin_upload(repository)
        assert registry.patch_upload(location, content[:-1]).status == 202
    done = len(s3.of_kind(kind))
    with s3.doing(lose_answer, only=kind), Wire(server.connect()) as wire:
        wire.send(request("PUT", f"{location}?digest={digest_of(content)}",
                          "Content-Type: application/octet-stream", body=content[-1:]))
        wait_until(lambda: len(s3.of_kind(kind)) > done + 1, "S3 to have it")
        server.kill()
    server.start()
    with RegistryClient(server.port) as registry:
        reply = registry.finish_upload(location, digest_of(content), content[-1:])
        assert reply.status == 201, reply
        assert_is_served(registry, repository, content)


def test_stopped_server_lets_uploads_go_on(start, repository):
    server, content = start({"limits": {"drain_timeout": "1s"}}), content_of(3 * PART)
    with RegistryClient(server.port) as registry:
        location = registry.begin_upload(repository)
        assert registry.patch_upload(location, content[:PART + 5]).status == 202
    server.restart()
    with RegistryClient(server.port) as registry:
        assert registry.finish_upload(location, digest_of(content),
                                      content[PART + 5:]).status == 201
        assert_is_served(registry, repository, content)


def test_expired_upload_is_aborted_in_s3(start, bucket, client, repository, fake_time):
    """S3 takes clocks that are some minutes apart, so the upload's time is short."""
    server = start({"limits": {"upload_lifetime": "1m"}}, fake_time.environment)
    registry = client(server)
    location = registry.begin_upload(repository)
    assert registry.patch_upload(location, content_of(PART + 1)).status == 202
    assert len(bucket.uploads()) == 1
    fake_time.forward(61)
    server.restart()  # which does not wait for the next time
    wait_until(lambda: bucket.uploads() == [], "the upload to be aborted")
    statuses = []
    wait_until(lambda: statuses.append(client(server).request("GET", location).status) or
               statuses[-1] != 409, "housekeeping to let go of the upload", 30)
    assert statuses[-1] == 404


# -- a credentials service that hangs

def assumed(keys):
    """AWS, "AssumeRoleWithWebIdentity": the operator's keys, for 200 s. Ceph ignores the token."""
    def answer_assumed(_):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=200)
        return Answer(200, (
            f"<Credentials><AccessKeyId>{keys.access_key}</AccessKeyId>"
            f"<SecretAccessKey>{keys.secret_key}</SecretAccessKey><SessionToken>t</SessionToken>"
            f"<Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>").encode())

    return answer_assumed


def test_hanging_credentials_service_holds_one_pull_alone(
        start_server, ceph, bucket, client, repository, fake_time, folder):
    """By link, when the credentials are due: no worker waits, and there is but one here."""
    service, token = Endpoint("/", assumed(ceph.operator)), folder / "token"
    token.write_text("ey")
    with StubServer([service]) as stub, concurrent.futures.ThreadPoolExecutor(1) as pool:
        server = start_server(
            {**bucket.settings(ceph.endpoint), "limits": {"workers": 1}},
            {**fake_time.environment, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
             "AWS_ROLE_ARN": "arn:aws:iam::1:role/pierone", "AWS_ENDPOINT_URL_STS": stub.origin,
             "AWS_EC2_METADATA_DISABLED": "true"})
        registry, content = client(server), content_of(1000)
        assert registry.push_blob(repository, content).status == 201
        fake_time.forward(160)
        with service.held():
            first = pool.submit(client(server).get_blob, repository, digest_of(content))
            service.wait_for_held()
            assert client(server).get_blob(repository, digest_of(content)).status == 307
            assert service.held_count == 1
        assert first.result().status == 307
