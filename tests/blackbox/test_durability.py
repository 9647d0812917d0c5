"""After 201, nothing is lost: not by kill -9, not by a power failure, not on a full disk."""

import contextlib
import http.client
import os
import random
import threading

import pytest

from support.images import digest_of, make_image, new_repository
from support.registry_client import RegistryClient
from support.server import Server
from support.volumes import volume
from support.waiting import wait_until
from support.wire import Wire, request

MIB = 1024 * 1024
MAY_FILL_THE_DISK = {"limits": {"free_space": 0}}
GONE = (OSError, http.client.HTTPException)

pytestmark = pytest.mark.usefixtures("durable_databases")


class Pusher(threading.Thread):
    """Pushes images until the server is gone, and remembers all that was acknowledged."""

    def __init__(self, port, seed):
        super().__init__()
        self.port = port
        self.random = random.Random(seed)
        self.repository = new_repository()
        self.blobs = {}      # digest -> content
        self.manifests = {}  # tag -> content
        self.uploads = []    # (location, content so far)
        self.tried = {}      # tag -> content, acknowledged or not
        self.failure = None

    def run(self):
        number = 0
        try:
            with RegistryClient(self.port) as registry:
                while True:
                    number += 1
                    self._push(registry, str(number))
        except GONE:
            pass
        except AssertionError as failure:  # an answer that is none of those expected
            self.failure = failure

    def _push(self, registry, tag):
        image = make_image(self.random.randbytes(self.random.choice([10, 5000, 300000])))
        for blob in image.blobs:
            reply = self.random.choice([registry.push_blob, registry.push_blob_streamed])(
                self.repository, blob)
            assert reply.status == 201, reply
            self.blobs[digest_of(blob)] = blob
        location = registry.begin_upload(self.repository)
        half = self.random.randbytes(1000)
        assert registry.patch_upload(location, half).status == 202
        self.uploads.append((location, half))
        self.tried[tag] = image.manifest
        reply = registry.put_manifest(self.repository, tag, image.manifest, image.media_type)
        assert reply.status == 201, reply
        self.manifests[tag] = image.manifest

    def check(self, registry):
        """All that was acknowledged is there; what was not is whole, or absent."""
        assert self.failure is None, self.failure
        for digest, content in self.blobs.items():
            assert registry.get_blob(self.repository, digest).body == content
        for tag, content in self.tried.items():
            reply = registry.get_manifest(self.repository, tag)
            if tag in self.manifests or reply.status != 404:
                assert reply.status == 200 and reply.body == content
                for blob in reply.json()["layers"] + [reply.json()["config"]]:
                    assert registry.get_blob(self.repository, blob["digest"], "HEAD").status == 200


def push_until(server, moment, count=3, seed=0):
    """Starts pushers, and returns them when `moment(pushers)` is true."""
    pushers = [Pusher(server.port, seed * 100 + number) for number in range(count)]
    for pusher in pushers:
        pusher.start()
    wait_until(lambda: moment(pushers), "enough pushes")
    return pushers


def acknowledged(pushers):
    return sum(len(pusher.manifests) for pusher in pushers)


def end_all(pushers):
    for pusher in pushers:
        pusher.join()


@pytest.fixture(params=["folder", "s3"])
def storage(request):
    """A server's settings and environment."""
    if request.param == "folder":
        return {}, {}
    ceph = request.getfixturevalue("ceph")
    return ceph.create_bucket().settings(ceph.endpoint, redirect=False), ceph.operator.environment


def test_killed_server_has_all_that_it_acknowledged(shipped_binary, storage):
    server = Server(shipped_binary, *storage)
    chance = random.Random(1)
    all_pushers = []
    try:
        server.start()
        for seed in range(8):
            enough = chance.randint(1, 40)
            pushers = push_until(server, lambda these, n=enough: acknowledged(these) >= n,
                                 seed=seed)
            server.kill()
            end_all(pushers)
            all_pushers += pushers
            server.start()
            with RegistryClient(server.port) as registry:
                for pusher in all_pushers:
                    pusher.check(registry)
                    pusher.blobs.clear()  # once is enough: nothing is ever removed
        assert acknowledged(all_pushers) >= 8
    finally:
        server.release()


def test_upload_goes_on_after_kill(shipped_binary, storage):
    server = Server(shipped_binary, *storage)
    try:
        server.start()
        pushers = push_until(server, lambda these: all(pusher.uploads for pusher in these))
        server.kill()
        end_all(pushers)
        server.start()
        with RegistryClient(server.port) as registry:
            for pusher in pushers:
                for location, half in pusher.uploads:
                    reply = registry.request("GET", location)
                    assert reply.headers["Range"] == f"0-{len(half) - 1}"
                    whole = half + b"the rest"
                    assert registry.finish_upload(location, digest_of(whole),
                                                  b"the rest").status == 201
                    assert registry.get_blob(pusher.repository, digest_of(whole)).body == whole
    finally:
        server.release()


def test_end_of_an_upload_is_answered_again_after_kill(shipped_binary, storage):
    """Whose answer was lost sends it again."""
    server = Server(shipped_binary, *storage)
    repository = new_repository()
    content = random.Random(2).randbytes(MIB)
    try:
        server.start()
        with RegistryClient(server.port) as registry:
            pushed, whole, given_up = (registry.begin_upload(repository) for _ in range(3))
            assert registry.patch_upload(pushed, content[:1000]).status == 202
            assert registry.finish_upload(pushed, digest_of(content), content[1000:]).status == 201
            assert registry.finish_upload(whole, digest_of(content), content).status == 201
            assert registry.request("DELETE", given_up).status == 204
        server.kill()
        server.start()
        with RegistryClient(server.port) as registry:
            for location, rest in ((pushed, content[1000:]), (pushed, b""), (whole, content)):
                reply = registry.finish_upload(location, digest_of(content), rest)
                assert reply.status == 201
                assert reply.headers["Location"] == f"/v2/{repository}/blobs/{digest_of(content)}"
                assert reply.headers["Docker-Content-Digest"] == digest_of(content)
            assert registry.finish_upload(pushed, digest_of(b"other")).status == 404
            assert registry.patch_upload(pushed, b"more").status == 404
            assert registry.request("DELETE", pushed).status == 404
            assert registry.request("DELETE", given_up).status == 204
            assert registry.finish_upload(given_up, digest_of(b"")).status == 404
    finally:
        server.release()


def test_end_of_an_upload_is_sent_twice_at_once(shipped_binary, storage):
    """The second waits for the first, and is answered the same."""
    server = Server(shipped_binary, *storage)
    repository = new_repository()
    content = random.Random(3).randbytes(8 * MIB)
    try:
        server.start()
        with RegistryClient(server.port) as registry, contextlib.ExitStack() as wires:
            location = registry.begin_upload(repository)
            assert registry.patch_upload(location, content).status == 202
            last = request("PUT", f"{location}?digest={digest_of(content)}", body=b"")
            several = [wires.enter_context(Wire(server.connect())) for _ in range(8)]
            for wire in several:
                wire.send(last)
            assert {wire.read().status for wire in several} == {201}
    finally:
        server.release()


def test_upload_goes_on_after_kill_in_the_middle_of_a_chunk(shipped_binary):
    """From where the server says: behind what it acknowledged, or further."""
    server = Server(shipped_binary)
    repository = new_repository()
    content = random.Random(1).randbytes(MIB)
    acknowledged_bytes = 1000
    try:
        server.start()
        with RegistryClient(server.port) as registry, Wire(server.connect()) as wire:
            location = registry.begin_upload(repository)
            reply = registry.patch_upload(location, content[:acknowledged_bytes])
            assert reply.status == 202
            chunk = request("PATCH", location, body=content[acknowledged_bytes:])
            wire.send(chunk[:len(chunk) // 2])
            [file] = (server.folder / "data/blobs/uploads").iterdir()
            wait_until(lambda: file.stat().st_size > acknowledged_bytes, "some of the chunk")
            server.kill()
        server.start()
        with RegistryClient(server.port) as registry:
            last = int(registry.request("GET", location).headers["Range"].removeprefix("0-"))
            assert last + 1 >= acknowledged_bytes
            finished = registry.finish_upload(location, digest_of(content), content[last + 1:])
            assert finished.status == 201
            assert registry.get_blob(repository, digest_of(content)).body == content
    finally:
        server.release()


def cut_power(disk, after):
    """
    Gives what a power failure would leave to the server `after`. With a control: it must forget
    what the machine only had in memory. Nothing is flushed here: ext4 would flush all else with it.
    """
    (disk.mount_point / "unflushed").write_bytes(os.urandom(100000))
    copy = disk.cut_power(after.folder / "disk", after.folder / "data")
    unflushed = copy.mount_point / "unflushed"
    if unflushed.exists() and unflushed.read_bytes():
        copy.unmount()
        pytest.fail("the copy has what nobody flushed: it cannot show what is lost")
    return copy


@contextlib.contextmanager
def before_and_after(binary):
    """Gives (server, its disk, a server for what is left of that); none runs yet or in the end."""
    with contextlib.ExitStack() as cleanup:
        server, after = (Server(binary, MAY_FILL_THE_DISK) for _ in range(2))
        cleanup.callback(after.release)
        cleanup.callback(server.release)
        disk = cleanup.enter_context(volume(server.folder, 128 * MIB))
        cleanup.callback(server.kill)
        yield server, disk, after


@contextlib.contextmanager
def after_power_failure(server, disk, after):
    """A client of the server that was started on what is left."""
    # No answer is sent later than this, so all that any client saw counts.
    server.freeze()
    copy = cut_power(disk, after)
    try:
        server.kill()
        after.start()
        with RegistryClient(after.port) as registry:
            yield registry
        after.stop()
    finally:
        after.kill()
        copy.unmount()


# The last one is late enough for SQLite to have moved its log into the database.
@pytest.mark.sqlite_only
@pytest.mark.parametrize("pushes", [1, 40, 160])
def test_power_failure_loses_nothing_that_was_acknowledged(shipped_binary, pushes):
    with before_and_after(shipped_binary) as (server, disk, after):
        server.start()
        pushers = push_until(server, lambda these: acknowledged(these) >= pushes)
        with after_power_failure(server, disk, after) as registry:
            end_all(pushers)
            for pusher in pushers:
                pusher.check(registry)


def push_blob_whole(registry, repository, content):
    path = f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}"
    return registry.request("POST", path, content)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("push", [RegistryClient.push_blob, RegistryClient.push_blob_streamed,
                                  push_blob_whole])
def test_power_failure_keeps_a_blob_that_nothing_follows(shipped_binary, push):
    """Alone: what one push flushes, the file system flushes for all that came before, too."""
    repository = new_repository()
    content = os.urandom(100000)
    with before_and_after(shipped_binary) as (server, disk, after):
        server.start()
        with RegistryClient(server.port) as registry:
            assert push(registry, repository, content).status == 201
        with after_power_failure(server, disk, after) as registry:
            assert registry.get_blob(repository, digest_of(content)).body == content


@pytest.mark.sqlite_only
def test_power_failure_keeps_a_tag_that_nothing_follows(shipped_binary):
    repository = new_repository()
    image = make_image()
    with before_and_after(shipped_binary) as (server, disk, after):
        server.start()
        with RegistryClient(server.port) as registry:
            assert registry.push_image(repository, "1", image).status == 201
        with after_power_failure(server, disk, after) as registry:
            assert registry.get_manifest(repository, "1").body == image.manifest


@pytest.fixture
def full_disk_server(binary):
    """On a disk of 48 MB that pushes may fill; gives (server, the folder of its disk)."""
    server = Server(binary, MAY_FILL_THE_DISK)
    try:
        with volume(server.folder, 48 * MIB) as disk:
            try:
                yield server.start(), disk.mount_point
                server.stop()
            finally:
                server.kill()
    finally:
        server.release()


def fill(folder):
    """Leaves no room at all; returns the file that holds it."""
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        for size in (MIB, 4096, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
    return ballast


def push_until_full(registry, repository):
    """Returns the blobs that were taken, and the answer that was no 201."""
    taken = []
    while True:
        content = os.urandom(MIB)
        reply = push_blob_whole(registry, repository, content)
        if reply.status != 201:
            return taken, reply
        taken.append(content)


@pytest.mark.sqlite_only
def test_full_disk_is_told_and_harms_nothing(full_disk_server):
    server, folder = full_disk_server
    repository = new_repository()
    image = make_image(b"before")
    ballast = folder / "ballast"
    ballast.write_bytes(os.urandom(8 * MIB))
    with RegistryClient(server.port) as registry:
        assert registry.push_image(repository, "1", image).status == 201
        location = registry.begin_upload(repository)  # later there may be no room for that, either
        taken, refused = push_until_full(registry, repository)
        assert (refused.status, refused.error_code()) == (507, "UNAVAILABLE")
        assert "disk is full" in refused.error_text()
        streamed = registry.patch_upload(location, iter([bytes(MIB)]))
        assert (streamed.status, streamed.error_code()) == (507, "UNAVAILABLE")
        for content in taken:
            assert registry.get_blob(repository, digest_of(content)).body == content
        assert registry.get_manifest(repository, "1").body == image.manifest
        ballast.unlink()
        again = make_image(b"after")
        assert registry.push_image(repository, "2", again).status == 201
        assert registry.push_blob(repository, os.urandom(MIB)).status == 201
    server.restart()
    with RegistryClient(server.port) as registry:
        for content in taken:
            assert registry.get_blob(repository, digest_of(content)).body == content
        assert registry.get_manifest(repository, "2").body == again.manifest


@pytest.mark.sqlite_only
def test_manifest_that_finds_no_room_is_not_there(full_disk_server):
    server, folder = full_disk_server
    repository = new_repository()
    image = make_image(b"x" * 100)
    big = image.manifest.replace(b'"schemaVersion"', b' ' * MIB + b'"schemaVersion"')
    with RegistryClient(server.port) as registry:
        for blob in image.blobs:
            assert registry.push_blob(repository, blob).status == 201
        ballast = fill(folder)
        reply = registry.put_manifest(repository, "1", big, image.media_type)
        assert (reply.status, reply.error_code()) == (507, "UNAVAILABLE")
        assert registry.get_manifest(repository, "1").status == 404
        assert registry.get_blob(repository, digest_of(image.layer)).body == image.layer
        ballast.unlink()
        assert registry.put_manifest(repository, "1", big, image.media_type).status == 201
        assert registry.get_manifest(repository, "1").body == big


@pytest.mark.sqlite_only
def test_start_on_a_full_disk_says_what_to_do(full_disk_server):
    server, folder = full_disk_server
    repository = new_repository()
    image = make_image(b"content")
    with RegistryClient(server.port) as registry:
        assert registry.push_image(repository, "1", image).status == 201
    server.stop()
    ballast = fill(folder)
    with pytest.raises(AssertionError, match="finds no room on its disk"):
        server.start()
    ballast.unlink()
    server.start()
    with RegistryClient(server.port) as registry:
        assert registry.get_manifest(repository, "1").body == image.manifest
        assert registry.push_blob(repository, os.urandom(MIB)).status == 201
