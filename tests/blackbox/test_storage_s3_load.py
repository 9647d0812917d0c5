"""A slow S3, slow clients and many of them: memory has a bound, and others do not notice."""

import concurrent.futures
import contextlib
import http.client
import random

import pytest

from support.images import digest_of, make_image, new_repository
from support.registry_client import RegistryClient
from support.s3_proxy import Held, slowly
from support.waiting import wait_until
from support.wire import Wire, request

MIB = 1024 * 1024
PART = 5 * MIB
FEW_THREADS = {"limits": {"carriers": 2, "workers": 2}}


def content_of(size, seed=0):
    return random.Random(f"{new_repository()} {seed}").randbytes(size)


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def held():
    """What keeps requests at S3 until the end of the test, or earlier."""
    behaviour = Held()
    yield behaviour
    behaviour.is_open.set()


@contextlib.contextmanager
def many(function, count):
    """Runs it so often at once; yields the futures."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        yield [pool.submit(function, number) for number in range(count)]


def push(server, repository, content):
    with RegistryClient(server.port) as registry:
        return registry.push_blob(repository, content).status


def pull(server, repository, content):
    with RegistryClient(server.port) as registry:
        return registry.get_blob(repository, digest_of(content)).body == content


def assert_others_are_served(server, repository, image):
    """Those who need no S3. Who waited for it here would do so for longer than a client waits."""
    with RegistryClient(server.port) as registry:
        assert registry.get_manifest(repository, "1.0").body == image.manifest
        assert registry.get_blob(repository, digest_of(image.layer), "HEAD").status == 200
        assert registry.list_tags(repository).json()["tags"] == ["1.0"]
        assert registry.request("GET", "/ready").status == 200


@pytest.fixture
def busy(start_s3_server, client, repository):
    """A server of few threads, and an image in it."""
    server, image = start_s3_server(FEW_THREADS, redirect=False, timeout="10m"), make_image()
    assert client(server).push_image(repository, "1.0", image).status == 201
    return server, image


# -- S3 is slow

def test_pulls_that_wait_for_s3_hold_up_nobody_else(busy, s3, repository, held):
    server, image = busy
    with s3.doing(held):
        with many(lambda _: pull(server, repository, image.layer), 6) as pulls:
            wait_until(lambda: held.count > 1, "S3 to be asked")
            assert_others_are_served(server, repository, image)
            held.is_open.set()
        assert all(one.result() for one in pulls)


def test_pushes_that_wait_for_s3_hold_up_nobody_else(busy, s3, repository, held):
    server, image = busy
    contents = [content_of(size, seed) for seed in range(3) for size in (1000, PART + 1)]
    with s3.doing(held):
        with many(lambda n: push(server, repository, contents[n]), len(contents)) as pushes:
            wait_until(lambda: held.count > 1, "S3 to be asked")
            assert_others_are_served(server, repository, image)
            held.is_open.set()
        assert {one.result() for one in pushes} == {201}


def test_links_are_given_while_pushes_wait_for_s3(start_s3_server, s3, client, repository, held):
    server, contents = start_s3_server(FEW_THREADS, timeout="10m"), [content_of(1000, seed) for seed in range(4)]
    registry = client(server)
    assert registry.push_blob(repository, b"known").status == 201
    with s3.doing(held):
        with many(lambda n: push(server, repository, contents[n]), len(contents)) as pushes:
            wait_until(lambda: held.count > 1, "S3 to be asked")
            assert registry.get_blob(repository, digest_of(b"known")).status == 307
            held.is_open.set()
        assert {one.result() for one in pushes} == {201}


def test_s3_that_hangs_does_not_keep_the_server_from_ending(start_s3_server, s3, repository, held):
    server = start_s3_server({"limits": {"drain_timeout": "1s"}}, timeout="3s", retry_time="1s")
    content = content_of(PART + 1)

    def push_in_vain(_):
        with contextlib.suppress(OSError, http.client.HTTPException):
            push(server, repository, content)

    with s3.doing(held), many(push_in_vain, 2):
        wait_until(lambda: held.count > 0, "S3 to be asked")
        server.stop()  # checks that it ends well, and in time
        held.is_open.set()


def test_nothing_is_asked_of_s3_at_the_start(start_s3_server, s3):
    server = start_s3_server()
    assert s3.kinds() == []
    server.stop()
    assert s3.kinds() == []


# -- clients are slow

def test_memory_that_slow_clients_hold_is_waited_for(start_s3_server, repository):
    """Three of them have begun a part each, and three parts are all that fits."""
    server = start_s3_server(FEW_THREADS, upload_memory="16MiB", largest_blob="1GiB",
                             redirect=False)
    image, content = make_image(), content_of(2 * PART)
    with RegistryClient(server.port) as registry:
        assert registry.push_image(repository, "1.0", image).status == 201
        locations = [registry.begin_upload(repository) for _ in range(3)]
    with contextlib.ExitStack() as slow_ones:
        for location in locations:
            wire = slow_ones.enter_context(Wire(server.connect()))
            wire.send(request("PATCH", location, f"Content-Length: {PART}",
                              "Content-Type: application/octet-stream") + b"slow")
        with many(lambda _: push(server, repository, content), 1) as [one]:
            assert_others_are_served(server, repository, image)
            slow_ones.close()
            assert one.result() == 201
    assert pull(server, repository, content)


# -- memory

def test_memory_of_uploads_has_a_bound(start_shipped_s3_server, s3, repository):
    """Twelve clients push 300 MiB at once, to an S3 that is slow: they wait, and all succeed."""
    server = start_shipped_s3_server(upload_memory="32MiB", redirect=False)
    before = server.peak_memory_bytes()

    with s3.doing(slowly(0.1), only="UploadPart"):
        with many(lambda n: push(server, repository, content_of(25 * MIB, n)), 12) as pushes:
            pass
    assert {one.result() for one in pushes} == {201}
    # Stacks, buffers of connections, and what curl holds, beside the parts.
    assert server.peak_memory_bytes() - before < (32 + 24) * MIB


def test_memory_of_uploads_that_go_on_has_a_bound(start_shipped_s3_server, repository):
    """Forty rest with nearly a part behind the first one; then all go on at once."""
    server = start_shipped_s3_server(upload_memory="32MiB", redirect=False)
    content, rest = content_of(2 * PART - 1), b"the rest"
    before = server.peak_memory_bytes()

    def begin(_):
        with RegistryClient(server.port) as registry:
            answer = registry.patch_upload(registry.begin_upload(repository), content)
            assert answer.status == 202, answer.body
            return answer.headers["Location"]

    # A few at a time: nobody waits for memory for so long that it is told to come back.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        uploads = [pool.submit(begin, number) for number in range(40)]
    with contextlib.ExitStack() as clients:
        wires = [clients.enter_context(Wire(server.connect())) for _ in uploads]
        for wire, upload in zip(wires, uploads, strict=True):
            wire.send(request("PATCH", upload.result(), f"Content-Length: {len(rest)}",
                              "Content-Type: application/octet-stream") + rest[:4])
        for wire in wires:
            wire.send(rest[4:])
        assert {wire.read().status for wire in wires} == {202}
    # There are two of what is just read from the metadata.
    assert server.peak_memory_bytes() - before < (2 * 32 + 24) * MIB


def test_memory_of_downloads_has_a_bound(start_shipped_s3_server, repository):
    """Forty clients take 20 MiB each through us; each holds a piece at most."""
    server = start_shipped_s3_server(redirect=False)
    content = content_of(20 * MIB)
    assert push(server, repository, content) == 201
    before = server.peak_memory_bytes()
    with many(lambda _: pull(server, repository, content), 40) as pulls:
        pass
    assert all(one.result() for one in pulls)
    assert server.peak_memory_bytes() - before < (2 * 40 + 24) * MIB
