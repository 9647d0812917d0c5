"""What real clients do beyond pushing and pulling an image (test_docker.py, test_podman.py …)."""

import functools
import json
import subprocess

import pytest

from support import clients
from support.clients import write_context
from support.images import OCI_INDEX, digest_of, make_cache, new_repository
from support.registry_client import RegistryClient

INSECURE = "--tls-verify=false"
SOURCE_INSECURE, TARGET_INSECURE = "--src-tls-verify=false", "--dest-tls-verify=false"
PLATFORMS = ("linux/amd64", "linux/arm64")
CURL = ("curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "60")


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def untagged(shipped_server, repository):
    return f"{shipped_server.host}/{repository}"


@pytest.fixture
def name(untagged):
    return f"{untagged}:1.0"


@pytest.fixture
def check_manifest_puts(shipped_server, repository):
    """Takes the statuses that pushes of manifests to the repository were answered with."""
    return functools.partial(shipped_server.check_manifest_puts, repository)


@pytest.fixture
def tags(shipped_server, repository):
    """Tells the tags of the repository."""
    def names():
        with RegistryClient(shipped_server.port) as registry:
            return registry.list_tags(repository).json().get("tags")
    return names


def build(builder, folder, name, content):
    """With docker, podman or buildah; needs no network."""
    builder.run("build", "--tag", name, write_context(folder, content))
    return name


# -- latest

def check_latest_is_refused(said):
    assert "latest cannot be pushed" in said and "version tag" in said, said


def test_docker_is_told_to_name_a_version(docker, client_folder, untagged, check_manifest_puts):
    build(docker, client_folder, untagged, "docker push without a tag")
    check_latest_is_refused(docker.refuse("push", untagged))
    check_manifest_puts([409])


def test_podman_is_told_to_name_a_version(podman, client_folder, untagged, check_manifest_puts):
    build(podman, client_folder, untagged, "podman push without a tag")
    check_latest_is_refused(podman.refuse("push", INSECURE, untagged))
    check_manifest_puts([409])


def test_docker_pulls_the_newest_tag_as_latest(docker, client_folder, untagged, tags):
    for tag in ("2", "1"):
        docker.run("push", build(docker, client_folder, f"{untagged}:{tag}", f"latest is {tag}"))
    newest = docker.run("inspect", "--format", "{{.Id}}", f"{untagged}:1")
    docker.run("pull", untagged)
    assert docker.run("inspect", "--format", "{{.Id}}", untagged) == newest
    docker.run("push", untagged)  # what it is already
    assert tags() == ["1", "2"]


def test_podman_pulls_the_newest_tag_as_latest(podman, client_folder, untagged):
    for tag in ("2", "1"):
        podman.run("push", INSECURE, build(podman, client_folder, f"{untagged}:{tag}", tag))
    newest = podman.run("inspect", "--format", "{{.Id}}", f"{untagged}:1")
    podman.run("pull", INSECURE, untagged)
    assert podman.run("inspect", "--format", "{{.Id}}", untagged) == newest


def push_cache(server, repository):
    with RegistryClient(server.port) as registry:
        assert registry.push_image(repository, "cache-1", make_cache(False)).status == 201


def test_docker_pulls_no_build_cache_as_latest(docker, client_folder, untagged, repository,
                                               shipped_server):
    docker.run("push", build(docker, client_folder, f"{untagged}:1", "image, then cache"))
    push_cache(shipped_server, repository)
    docker.run("pull", untagged)


def test_podman_pulls_no_build_cache_as_latest(podman, client_folder, untagged, repository,
                                               shipped_server):
    podman.run("push", INSECURE, build(podman, client_folder, f"{untagged}:1", "image, then cache"))
    push_cache(shipped_server, repository)
    podman.run("pull", INSECURE, untagged)


# -- refused pushes (podman's, buildah's and skopeo's are with their other tests)

def test_docker_does_not_try_again_when_refused(docker, client_folder, name,
                                                check_manifest_puts):
    docker.run("push", build(docker, client_folder, name, "one"))
    docker.refuse("push", build(docker, client_folder, name, "another"))
    check_manifest_puts([201, 409])


def test_containerd_says_why_a_push_is_refused(docker, docker_daemon, client_folder, name,
                                               check_manifest_puts):
    other = name.replace(":1.0", ":1.1")
    ctr = docker_daemon.ctr()
    for tag, content in ((name, "one for ctr"), (other, "another for ctr")):
        docker.run("push", build(docker, client_folder, tag, content))
    ctr.run("images", "pull", "--plain-http", "--snapshotter", "native", other)
    said = ctr.refuse("images", "push", "--plain-http", name, other)
    assert "409 Tag Is Immutable" in said, said
    check_manifest_puts([201, 201, 409])


# -- many architectures

def architectures_of(index):
    return {entry["platform"]["architecture"] for entry in json.loads(index)["manifests"]}


def push_for_platforms(builder, folder, name):
    """Builds for each platform (nothing runs, so that nothing is emulated) and pushes the list."""
    for platform in PLATFORMS:
        builder.run("build", "--platform", platform, "--manifest", "the-list",
                    write_context(folder, f"{name} for {platform}"))
    builder.run("manifest", "push", "--all", INSECURE, "the-list", f"docker://{name}")


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_list_of_platforms_is_built_and_pushed(request, builder, client_folder, name,
                                               shipped_server, repository):
    push_for_platforms(request.getfixturevalue(builder), client_folder, name)
    with RegistryClient(shipped_server.port) as registry:
        index = registry.get_manifest(repository, "1.0")
        assert architectures_of(index.body) == {"amd64", "arm64"}
        for entry in index.json()["manifests"]:
            assert registry.get_manifest(repository, entry["digest"]).status == 200


def test_each_platform_is_pulled_by_its_name(podman, client_folder, name):
    push_for_platforms(podman, client_folder, name)
    for platform in PLATFORMS:
        podman.run("pull", INSECURE, "--platform", platform, name)
        assert podman.run("inspect", "--format", "{{.Os}}/{{.Architecture}}", name) == platform


def test_docker_annotates_and_pushes_a_list(docker, client_folder, name, shipped_server,
                                            repository):
    parts = [build(docker, client_folder, f"{name}-{architecture}", architecture)
             for architecture in ("amd64", "arm64")]
    for part in parts:
        docker.run("push", part)
    docker.run("manifest", "create", "--insecure", name, *parts)
    docker.run("manifest", "annotate", "--arch", "arm64", name, parts[1])
    docker.run("manifest", "push", "--insecure", name)
    with RegistryClient(shipped_server.port) as registry:
        assert architectures_of(registry.get_manifest(repository, "1.0").body) == {"amd64", "arm64"}


def test_containerd_copies_all_platforms(podman, docker_daemon, client_folder, name,
                                         shipped_server, repository):
    push_for_platforms(podman, client_folder, name)
    ctr = docker_daemon.ctr()
    copy = name.replace(":1.0", ":1.0-copy")
    ctr.run("content", "fetch", "--plain-http", "--all-platforms", name)
    ctr.run("images", "push", "--plain-http", copy, name)
    with RegistryClient(shipped_server.port) as registry:
        assert (registry.get_manifest(repository, "1.0-copy").body ==
                registry.get_manifest(repository, "1.0").body)


def test_skopeo_mirrors_a_repository_and_back(podman, skopeo, client_folder, untagged, name,
                                              shipped_server):
    push_for_platforms(podman, client_folder, name)
    mirror = client_folder / "mirror"
    skopeo.run("sync", "--all", "--src", "docker", "--dest", "dir", SOURCE_INSECURE,
               name, mirror)
    skopeo.run("sync", "--all", "--src", "dir", "--dest", "docker", TARGET_INSECURE,
               mirror, f"{shipped_server.host}/mirrors")
    inspect = ("inspect", "--raw", INSECURE)
    copy = f"{shipped_server.host}/mirrors/{untagged.rpartition('/')[2]}:1.0"
    assert skopeo.run(*inspect, f"docker://{copy}") == skopeo.run(*inspect, f"docker://{name}")


# -- ways to build

def test_buildkit_builds_are_pushed_and_pulled(docker, client_folder, name):
    """The one in dockerd. Its other drivers, and its registry cache, need buildx."""
    buildkit = clients.Client(docker.command, {**docker.environment, "DOCKER_BUILDKIT": "1"})
    context = write_context(
        client_folder, "BuildKit",
        "FROM scratch AS first\nCOPY hello /one\nFROM scratch\nCOPY --from=first /one /two\n")
    buildkit.run("build", "--tag", name, "--build-arg", "BUILDKIT_INLINE_CACHE=1", context)
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)


def test_buildah_builds_in_stages(buildah, client_folder, name):
    context = write_context(
        client_folder, "two stages",
        "FROM scratch AS first\nCOPY hello /one\nFROM scratch\nCOPY --from=first /one /two\n")
    buildah.run("build", "--layers", "--tag", name, context)
    buildah.run("push", INSECURE, name)
    buildah.run("rmi", "--all", "--force")
    buildah.run("pull", INSECURE, name)


def test_zstd_layers_are_pushed_and_pulled(podman, client_folder, name, shipped_server, repository):
    build(podman, client_folder, name, "zstd")
    podman.run("push", INSECURE, "--compression-format", "zstd", name)
    with RegistryClient(shipped_server.port) as registry:
        [layer] = registry.get_manifest(repository, "1.0").json()["layers"]
    assert layer["mediaType"].endswith("+zstd")
    podman.run("rmi", name)
    podman.run("pull", INSECURE, name)


# -- looking around

def test_tags_are_listed_by_podman_and_skopeo(podman, skopeo, client_folder, untagged):
    for tag in ("1", "2"):
        podman.run("push", INSECURE, build(podman, client_folder, f"{untagged}:{tag}", tag))
    found = json.loads(skopeo.run("list-tags", INSECURE, f"docker://{untagged}"))
    assert found["Tags"] == ["1", "2"]
    [listed] = json.loads(podman.run("search", INSECURE, "--list-tags", "--format", "json",
                                     untagged))
    assert listed["Tags"] == ["1", "2"]


def test_curl_asks_for_several_parts(shipped_server, repository):
    content = bytes(range(256)) * 20000
    size = len(content)
    with RegistryClient(shipped_server.port) as registry:
        registry.push_blob(repository, content)
    url = f"http://{shipped_server.host}/v2/{repository}/blobs/{digest_of(content)}"
    got = subprocess.run([*CURL, "--range", "0-999,5000000-5009999", url], stdout=subprocess.PIPE,
                         check=True).stdout
    for first, last in ((0, 999), (5000000, 5009999)):
        part = b"Content-Range: bytes %d-%d/%d\r\n\r\n%s\r\n--" % (
            first, last, size, content[first:last + 1])
        assert got.count(part) == 1


def test_curl_pushes_a_blob_from_a_pipe(shipped_server, repository, client_folder):
    """Chunked, behind Expect: 100-continue. As a person does who reads the specification."""
    content = bytes(range(256)) * 20000
    url = f"http://{shipped_server.host}"
    location = subprocess.run(
        [*CURL, "--output", "/dev/null", "--write-out", "%header{location}", "--request", "POST",
         f"{url}/v2/{repository}/blobs/uploads/"],
        check=True, capture_output=True, text=True).stdout
    subprocess.run(
        [*CURL, "--upload-file", "-", "--header", "Expect: 100-continue",
         f"{url}{location}?digest={digest_of(content)}"], input=content, check=True)
    pulled = subprocess.run([*CURL, f"{url}/v2/{repository}/blobs/{digest_of(content)}"],
                            check=True, capture_output=True).stdout
    assert pulled == content
