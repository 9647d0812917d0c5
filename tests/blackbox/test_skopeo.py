"""A real skopeo copies between the registry and folders in OCI layout."""

import json
import pathlib
import re

import pytest

from support import clients
from support.images import OCI_INDEX, OCI_MANIFEST, descriptor, make_image, new_repository
from support.layouts import write_blob, write_image, write_layout
from support.server import ROOT


@pytest.fixture
def repository():
    return new_repository()


@pytest.fixture
def name(shipped_server, repository):
    return f"docker://{shipped_server.host}/{repository}:1.0"


def push(skopeo, source, name, *options):
    skopeo.run("copy", "--dest-tls-verify=false", "--preserve-digests", *options, source, name)


def read_manifest(layout):
    """What the one entry of a layout's index names."""
    folder = pathlib.Path(layout.removeprefix("oci:"))
    [entry] = json.loads((folder / "index.json").read_text(encoding="utf-8"))["manifests"]
    return (folder / "blobs" / entry["digest"].replace(":", "/")).read_bytes()


def test_layout_makes_the_round_trip_byte_for_byte(skopeo, client_folder, name):
    image = make_image()
    push(skopeo, write_image(client_folder / "out", image), name)
    back = f"oci:{client_folder / 'back'}"
    skopeo.run("copy", "--src-tls-verify=false", "--preserve-digests", name, back)
    assert read_manifest(back) == image.manifest


def test_name_without_a_team_is_refused_with_the_reason(skopeo, client_folder, shipped_server):
    name = f"docker://{shipped_server.host}/alone:1.0"
    layout = write_image(client_folder / "out", make_image())
    assert "names no team" in skopeo.refuse("copy", "--dest-tls-verify=false", layout, name)
    assert "names no team" in skopeo.refuse("inspect", "--tls-verify=false", name)


def test_multi_arch_index_makes_the_round_trip(skopeo, client_folder, name):
    images = {"amd64": make_image(), "arm64": make_image()}
    index = json.dumps({
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {**descriptor(OCI_MANIFEST, image.manifest),
             "platform": {"os": "linux", "architecture": architecture}}
            for architecture, image in images.items()
        ],
    }).encode()
    layout = write_layout(client_folder / "out", [(descriptor(OCI_INDEX, index), index)])
    for image in images.values():
        for content in (image.manifest, *image.blobs):
            write_blob(client_folder / "out", content)
    push(skopeo, layout, name, "--all")
    assert skopeo.run("inspect", "--raw", "--tls-verify=false", name) == index.decode()
    back = f"oci:{client_folder / 'back'}"
    skopeo.run("copy", "--all", "--src-tls-verify=false", "--preserve-digests", name, back)
    assert read_manifest(back) == index


def test_copies_in_order_have_the_same_latest(skopeo, client_folder, shipped_server):
    """As docs/pushing.md says: `10.0` is the newest, though it is not the last by name."""
    old, new = (f"{shipped_server.host}/{new_repository()}" for _ in range(2))
    for tag in ("8.0", "9.0", "9.0.1", "10.0"):
        push(skopeo, write_image(client_folder / tag, make_image()), f"docker://{old}:{tag}")
    page = (ROOT / "docs/pushing.md").read_text(encoding="utf-8")
    [loop] = re.findall(r"^for tag in .*?^done$", page, re.MULTILINE | re.DOTALL)
    script = (loop.replace("OLD/team/app", old).replace("HOST/team/app", new)
              .replace("skopeo copy", 'skopeo "$@" copy --src-tls-verify=false --dest-tls-verify=false'))
    clients.Client(["sh", "-ec", script, "sh", *skopeo.command[1:]], skopeo.environment).run()
    newest = [skopeo.run("inspect", "--raw", "--tls-verify=false", f"docker://{name}")
              for name in (old, f"{old}:10.0", new)]
    assert len(set(newest)) == 1


def test_inspect_names_digest_and_tags(skopeo, client_folder, name):
    image = make_image()
    push(skopeo, write_image(client_folder / "out", image), name)
    found = json.loads(skopeo.run("inspect", "--tls-verify=false", name))
    assert found["Digest"] == image.digest
    assert found["RepoTags"] == ["1.0"]


def test_refused_push_says_why_after_one_attempt(skopeo, client_folder, name, repository,
                                                 shipped_server):
    push(skopeo, write_image(client_folder / "one", make_image()), name)
    said = skopeo.refuse("copy", "--dest-tls-verify=false",
                         write_image(client_folder / "two", make_image()), name)
    assert "immutable" in said, said
    shipped_server.check_manifest_puts(repository, [201, 409])


def test_image_is_not_deletable(skopeo, client_folder, name):
    push(skopeo, write_image(client_folder / "out", make_image()), name)
    skopeo.refuse("delete", "--tls-verify=false", name)
    skopeo.run("inspect", "--tls-verify=false", name)


def test_repository_is_copied_within_the_registry(skopeo, client_folder, name):
    image = make_image()
    push(skopeo, write_image(client_folder / "out", image), name)
    copy = name.replace("team/", "other/")
    skopeo.run("copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests",
               name, copy)
    assert skopeo.run("inspect", "--raw", "--tls-verify=false", copy) == image.manifest.decode()


def test_sync_copies_every_tag(skopeo, client_folder, shipped_server, repository):
    for tag in ("1", "2"):
        push(skopeo, write_image(client_folder / tag, make_image()),
             f"docker://{shipped_server.host}/{repository}:{tag}")
    skopeo.run("sync", "--src", "docker", "--dest", "dir", "--src-tls-verify=false",
               f"{shipped_server.host}/{repository}", client_folder / "mirror")
    mirrored = {path.name.rpartition(":")[2] for path in (client_folder / "mirror").rglob("app-*:*")}
    assert mirrored == {"1", "2"}
