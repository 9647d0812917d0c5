"""A real podman and buildah push and pull, over plain HTTP on loopback."""

import pytest

from support.clients import write_context
from support.images import new_repository

INSECURE = "--tls-verify=false"


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def name(shipped_server, repository):
    return f"{shipped_server.host}/{repository}:1.0"


def build(podman, folder, name, content):
    podman.run("build", "--isolation", "chroot", "--tag", name, write_context(folder, content))


def test_pushed_image_is_pulled_again(podman, client_folder, name):
    build(podman, client_folder, name, "podman")
    built = podman.run("inspect", "--format", "{{.Id}}", name)
    podman.run("push", INSECURE, name)
    podman.run("rmi", name)
    podman.run("pull", INSECURE, name)
    assert podman.run("inspect", "--format", "{{.Id}}", name) == built


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_both_manifest_formats_are_taken(podman, client_folder, name, form):
    build(podman, client_folder, name, f"as {form}")
    podman.run("push", INSECURE, "--format", form, name)
    podman.run("rmi", name)
    podman.run("pull", INSECURE, name)


def test_same_image_is_pushed_twice(podman, client_folder, name):
    build(podman, client_folder, name, "same")
    podman.run("push", INSECURE, name)
    podman.run("push", INSECURE, name)


def test_name_without_a_team_is_refused_with_the_reason(podman, client_folder, shipped_server):
    name = f"{shipped_server.host}/alone:1.0"
    build(podman, client_folder, name, "no team")
    assert "names no team" in podman.refuse("push", INSECURE, name)
    podman.run("rmi", name)
    assert "names no team" in podman.refuse("pull", INSECURE, name)


def test_refused_push_says_why_after_one_attempt(podman, client_folder, name, repository,
                                                 shipped_server):
    build(podman, client_folder, name, "one")
    podman.run("push", INSECURE, name)
    build(podman, client_folder, name, "another")
    said = podman.refuse("push", INSECURE, name)
    assert "immutable" in said, said
    shipped_server.check_manifest_puts(repository, [201, 409])


def test_manifest_list_is_pushed_and_pulled(podman, client_folder, name):
    part = name.replace(":1.0", ":1.0-part")
    build(podman, client_folder, part, "of a list")
    podman.run("push", INSECURE, part)
    podman.run("manifest", "create", "the-list")
    podman.run("manifest", "add", INSECURE, "the-list", f"docker://{part}")
    podman.run("manifest", "push", "--all", INSECURE, "the-list", f"docker://{name}")
    podman.run("rmi", part)
    podman.run("pull", INSECURE, name)


def test_buildah_pushes_and_pulls(buildah, client_folder, name):
    container = buildah.run("from", "scratch")
    buildah.run("copy", container, write_context(client_folder, "buildah") / "hello", "/hello")
    buildah.run("commit", container, name)
    buildah.run("push", INSECURE, name)
    buildah.run("rm", container)
    buildah.run("rmi", name)
    buildah.run("pull", INSECURE, name)


def test_buildah_says_why_a_push_is_refused(buildah, name, repository, shipped_server):
    for number in ("1", "2"):
        container = buildah.run("from", "scratch")
        buildah.run("config", "--label", f"number={number}", container)
        buildah.run("commit", container, f"image-{number}")
        buildah.run("rm", container)
    buildah.run("push", INSECURE, "image-1", f"docker://{name}")
    said = buildah.refuse("push", INSECURE, "image-2", f"docker://{name}")
    assert "immutable" in said, said
    shipped_server.check_manifest_puts(repository, [201, 409])
