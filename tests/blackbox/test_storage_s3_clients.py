"""Real clients push to a registry whose layers are in S3, and pull: by links, and through it."""

import contextlib

import pytest

from support.authorization import basic
from support.clients import Client, find_program, write_context
from support.images import digest_of, make_image, new_repository
from support.layouts import write_image
from support.s3_proxy import FAULTS, SLOW_DOWN, answer
from support.users_file import UsersFile

INSECURE = "--tls-verify=false"
USER, PASSWORD = "alice", "correct horse battery staple"
LARGE_BYTES = 12 * 1024 * 1024


@pytest.fixture(params=[True, False], ids=["by link", "through us"])
def redirect(request):
    return request.param


@pytest.fixture
def retry_time():
    """Of pieroned: by default what S3 refuses in passing is the client's to repeat."""
    return "1ms"


@pytest.fixture
def server(start_shipped_s3_server, folder, used_secrets, redirect, retry_time):
    """People have to log in, so that there is something that S3 must not see."""
    users = UsersFile(folder / "users", used_secrets)
    users.set(USER, PASSWORD, "team")
    return start_shipped_s3_server(users.settings, redirect=redirect, retry_time=retry_time)


@pytest.fixture
def name(server):
    return f"{server.host}/{new_repository()}:1.0"


@pytest.fixture(autouse=True)
def _watched(s3, redirect):
    """What every test here has to leave behind at S3."""
    yield
    by_link = s3.by_link()
    assert bool(by_link) == redirect
    for request in by_link:
        assert request.method == "GET"
        assert request.headers.get("Authorization") is None
        assert request.headers.get("Cookie") is None
    # What pieroned asks is signed by its own keys, and passes nothing on.
    for request in s3.requests:
        if request not in by_link:
            assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")
        assert "Bearer" not in str(request.headers) and "Basic" not in str(request.headers)
    assert "HeadObject" not in s3.kinds() and "DELETE" not in s3.kinds()


def write_large_context(folder, seed):
    """One layer that is one request, and one that is parts."""
    context = write_context(folder, seed, "FROM scratch\nCOPY hello /hello\nCOPY large /large\n")
    noise = b"".join(bytes.fromhex(digest_of(f"{seed} {i}".encode())[7:])
                     for i in range(LARGE_BYTES // 32))
    (context / "large").write_bytes(noise)
    return context


def assert_has_parts(s3):
    kinds = s3.kinds()
    assert kinds.count("CreateMultipartUpload") == kinds.count("CompleteMultipartUpload") == 1
    assert kinds.count("UploadPart") >= 2
    assert kinds.count("PutObject") >= 1
    assert "AbortMultipartUpload" not in kinds


@pytest.fixture
def logged_in_docker(docker, server):
    docker.run("login", "--username", USER, "--password-stdin", server.host, stdin=PASSWORD)
    yield docker
    docker.run("logout", server.host)


def test_docker(logged_in_docker, client_folder, name, s3):
    docker = logged_in_docker
    docker.run("build", "--tag", name, write_large_context(client_folder, name))
    built = docker.run("inspect", "--format", "{{.Id}}", name)
    docker.run("push", name)
    assert_has_parts(s3)
    docker.run("rmi", name)
    docker.run("pull", name)
    assert docker.run("inspect", "--format", "{{.Id}}", name) == built


def test_containerd(logged_in_docker, docker_daemon, client_folder, name):
    docker, ctr = logged_in_docker, docker_daemon.ctr()
    docker.run("build", "--tag", name, write_large_context(client_folder, name))
    docker.run("push", name)
    user = ("--plain-http", "--user", f"{USER}:{PASSWORD}")
    ctr.run("images", "pull", *user, "--snapshotter", "native", name)
    copy = name.replace(":1.0", ":1.0-copy")
    ctr.run("images", "push", *user, copy, name)
    ctr.run("images", "rm", "--sync", name)
    ctr.run("images", "pull", *user, "--snapshotter", "native", copy)


@pytest.fixture(params=["podman", "buildah"])
def builder(request):
    """Either has the commands that these tests need."""
    return request.getfixturevalue(request.param)


def test_podman_and_buildah(builder, client_folder, name, server, s3):
    builder.run("login", INSECURE, "--username", USER, "--password-stdin", server.host,
                stdin=PASSWORD)
    builder.run("build", "--isolation", "chroot", "--tag", name,
                write_large_context(client_folder, name))
    builder.run("push", INSECURE, name)
    assert_has_parts(s3)
    builder.run("rmi", "--all", "--force")
    builder.run("pull", INSECURE, name)
    builder.run("inspect", "--type", "image", name)


def test_skopeo(skopeo, client_folder, name):
    image = make_image()
    name, credentials = f"docker://{name}", f"{USER}:{PASSWORD}"
    skopeo.run("copy", "--dest-tls-verify=false", "--dest-creds", credentials,
               "--preserve-digests", write_image(client_folder / "out", image), name)
    back = client_folder / "back"
    skopeo.run("copy", "--src-tls-verify=false", "--src-creds", credentials,
               "--preserve-digests", name, f"oci:{back}")
    for blob in (*image.blobs, image.manifest):
        assert (back / "blobs" / digest_of(blob).replace(":", "/")).read_bytes() == blob


def test_curl(client_folder, name, server, client):
    """The simplest client there is follows, and keeps the password to itself."""
    registry = client(server, basic(USER, PASSWORD))
    repository = name.split("/", 1)[1].rpartition(":")[0]
    content = name.encode() * 100
    assert registry.push_blob(repository, content).status == 201
    curl = Client([find_program("curl")], {"HOME": str(client_folder)})
    got = curl.run("--silent", "--fail", "--location", "--noproxy", "*",
                   "--user", f"{USER}:{PASSWORD}",
                   f"http://{server.host}/v2/{repository}/blobs/{digest_of(content)}")
    assert got.encode() == content


# -- S3 fails in the middle of a push

PASSING = [("CreateMultipartUpload", "ExpiredToken"), ("UploadPart", "reset in the body"),
           ("UploadPart", "503 SlowDown"), ("UploadPart", "lost answer"),
           ("CompleteMultipartUpload", "lost answer"), ("PutObject", "cut answer")]


@pytest.mark.parametrize("retry_time", ["30s"])
def test_docker_notices_nothing_of_what_passes(logged_in_docker, client_folder, name, server, s3):
    docker = logged_in_docker
    docker.run("build", "--tag", name, write_large_context(client_folder, name))
    with contextlib.ExitStack() as faults:
        met = [faults.enter_context(s3.doing(FAULTS[fault], times=1, only=kind))
               for kind, fault in PASSING]
        docker.run("push", name)
        assert [times for _, times, _ in met] == [0] * len(PASSING)
    assert not [line for line in server.requests() if line["status"] >= 500]
    # Where S3 knows nothing of the upload any more whose answer was lost, it is asked for the object.
    s3.requests[:] = [request for request in s3.requests if request.kind != "HeadObject"]
    docker.run("rmi", name)
    docker.run("pull", name)


def test_manifest_of_docker_waits_for_s3(logged_in_docker, client_folder, name, server, s3):
    """Which looks into small layers for what the image was built from, and sends it once."""
    docker = logged_in_docker
    docker.run("build", "--tag", name, write_large_context(client_folder, name))
    with s3.doing(answer(503, SLOW_DOWN), times=2, only="GetObject") as fault:
        docker.run("push", name)
        assert fault[1] == 0
    server.check_manifest_puts(name.split("/", 1)[1].rpartition(":")[0], [201])
    docker.run("rmi", name)
    docker.run("pull", name)


# -- S3 fails for longer than pieroned tries

def test_docker_tries_again_by_itself(logged_in_docker, client_folder, name, s3):
    docker = logged_in_docker
    docker.run("build", "--tag", name, write_large_context(client_folder, name))
    with s3.doing(answer(503, SLOW_DOWN), times=1, only="UploadPart"):
        docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)


def test_podman_and_buildah_succeed_when_told_again(builder, client_folder, name, server, s3):
    """They do not try again by themselves after 503 in an upload (4.3, 1.28), and say so."""
    builder.run("login", INSECURE, "--username", USER, "--password-stdin", server.host,
                stdin=PASSWORD)
    builder.run("build", "--isolation", "chroot", "--tag", name,
                write_large_context(client_folder, name))
    with s3.doing(answer(503, SLOW_DOWN), only="UploadPart"):
        assert "503" in builder.refuse("push", INSECURE, name)
    builder.run("push", INSECURE, name)
    builder.run("rmi", "--all", "--force")
    builder.run("pull", INSECURE, name)
