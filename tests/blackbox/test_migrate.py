"""`pieroned migrate`: a registry moves, and is the same one where it comes to."""

import dataclasses
import subprocess

import pytest

from support.images import digest_of, make_image, new_repository
from support.layouts import write_image
from support.server import run_once, to_yaml
from support.source_layers import source_image
from support.waiting import wait_until

MANY = 150
PATIENCE_S = 240


@dataclasses.dataclass
class Kinds:
    """Gives settings by the words of a kind: `sqlite folder`, `postgresql s3`, …"""

    folder: object
    database_url: str
    bucket: object
    endpoint: str

    def settings(self, kind, name):
        database, storage = kind.split()
        urls = {"sqlite": f"sqlite:{self.folder}/{name}.sqlite", "postgresql": self.database_url}
        blobs = self.bucket.settings(self.endpoint) if storage == "s3" else {}
        return {"database": {"url": urls[database]}, "tags": {"snapshots": True}, **blobs}


@pytest.fixture
def kinds(request, folder, database_url, used_secrets):
    def make(*words):
        if not any("s3" in kind for kind in words):
            return Kinds(folder, database_url, None, None)
        ceph = request.getfixturevalue("ceph")
        used_secrets.add(ceph.operator.secret_key)
        return Kinds(folder, database_url, request.getfixturevalue("bucket"), ceph.endpoint)

    return make


@pytest.fixture
def start(start_server, request):
    def start_one(settings):
        has_s3 = "storage" in settings
        return start_server(settings, environment(request) if has_s3 else None)

    return start_one


def environment(request):
    return request.getfixturevalue("ceph").operator.environment


@pytest.fixture
def make_sides(kinds, start):
    """Gives a running source, and a destination that ran once and has nothing in it."""
    def make(from_kind="sqlite folder", to_kind="postgresql folder"):
        known = kinds(from_kind, to_kind)
        source = start(known.settings(from_kind, "source"))
        destination = start(known.settings(to_kind, "destination"))
        destination.stop()
        return source, destination

    return make


def settings_file(server):
    path = server.folder / "moved.yaml"
    path.write_text(to_yaml({**server.settings, "data": str(server.folder / "data")}),
                    encoding="utf-8")
    return path


def arguments(source, destination, *more):
    return ["migrate", "--from", settings_file(source), "--to", settings_file(destination), *more]


@pytest.fixture
def migrate(binary, request):
    def run(source, destination, *more):
        has_s3 = "storage" in source.settings or "storage" in destination.settings
        return run_once(binary, *arguments(source, destination, *more),
                        environment=environment(request) if has_s3 else None)

    return run


def assert_moved(result):
    assert result.returncode == 0, result.stderr
    assert "all rows are the same on both sides" in result.stdout
    return result


def assert_refused(result, *words):
    assert result.returncode == 1, (result.stdout, result.stderr)
    for word in words:
        assert word in result.stderr
    return result


def fill(registry, repository):
    """Two images, a snapshot that moves, and what was said of a tag."""
    images = [source_image(f"https://git.example/{repository}"), make_image(), make_image()]
    assert registry.push_image(repository, "1.0", images[0]).status == 201
    assert registry.push_image(repository, "1-SNAPSHOT", images[1]).status == 201
    assert registry.push_image(repository, "1-SNAPSHOT", images[2]).status == 201
    reply = registry.request("POST", f"{tag_path(repository, '1.0')}/production-ready",
                             b'{"incident_id":"INC-1"}', {"Content-Type": "application/json"})
    assert reply.status == 200
    return images


def tag_path(repository, tag):
    team, artifact = repository.split("/")
    return f"/teams/{team}/artifacts/{artifact}/tags/{tag}"


def describe(registry, repository):
    """All that is told of it."""
    team = repository.split("/")[0]
    paths = [f"/v2/{repository}/tags/list", f"{tag_path(repository, '1.0')}/scm-source", f"/teams/{team}/artifacts", "/teams", "/v2/_catalog",
             f"{tag_path(repository, '1.0').rpartition('/')[0]}", tag_path(repository, "latest"),
             f"{tag_path(repository, '1.0')}/history", f"{tag_path(repository, '1-SNAPSHOT')}/history",
             "/stats", f"/stats/teams/{team}"]
    replies = {path: registry.request("GET", path) for path in paths}
    assert all(reply.status == 200 for reply in replies.values()), replies
    return {path: reply.json() for path, reply in replies.items()}


def assert_has(registry, repository, image, *references):
    for reference in (image.digest, *references):
        reply = registry.get_manifest(repository, reference)
        assert (reply.status, reply.body) == (200, image.manifest)
    for blob in image.blobs:
        assert registry.get_blob(repository, digest_of(blob)).status in (200, 307)


@pytest.mark.parametrize("from_kind,to_kind", [
    ("sqlite folder", "postgresql folder"),
    ("sqlite folder", "postgresql s3"),
    ("postgresql s3", "sqlite folder"),
    ("sqlite s3", "postgresql s3"),
    ("postgresql folder", "sqlite s3"),
])
def test_registry_is_the_same_where_it_comes_to(make_sides, client, migrate, from_kind, to_kind):
    source, destination = make_sides(from_kind, to_kind)
    repository = new_repository()
    images = fill(client(source), repository)
    before = describe(client(source), repository)
    client(source).begin_upload(repository)
    source.stop()
    source.settings["read_only"] = "moving"
    assert_moved(migrate(source, destination))
    destination.start()
    registry = client(destination)
    assert describe(registry, repository) == before
    assert_has(registry, repository, images[0], "1.0")
    assert_has(registry, repository, images[1])
    assert_has(registry, repository, images[2], "1-SNAPSHOT")
    # It goes on: new rows get new ids, and what was pushed stays what it is.
    assert registry.push_image(repository, "1-SNAPSHOT", images[0]).status == 201
    assert len(registry.request("GET", f"{tag_path(repository, '1-SNAPSHOT')}/history").json()) == 3
    assert registry.push_image(new_repository(), "1.0", make_image()).status == 201
    assert registry.push_image(repository, "1.0", images[2]).status == 409


def test_source_serves_pulls_meanwhile_if_it_is_read_only(make_sides, client, migrate):
    source, destination = make_sides()
    repository = new_repository()
    images = fill(client(source), repository)
    assert_refused(migrate(source, destination), "the blobs are copied", "set read_only")
    assert client(source).push_image(repository, "1.1", images[1]).status == 201
    with pytest.raises(AssertionError, match="not all of it has come: run `pieroned migrate`"):
        destination.start()
    source.settings["read_only"] = "moving"
    source.restart()
    result = assert_moved(migrate(source, destination))
    assert "0 blobs copied" in result.stdout and "6 copied earlier" in result.stdout
    before = describe(client(source), repository)
    destination.start()
    assert describe(client(destination), repository) == before
    assert_has(client(destination), repository, images[1], "1.1")


def test_what_runs_keeps_a_server_that_takes_pushes_away(make_sides):
    """As far as SQLite goes: servers that take pushes have the data folder alone."""
    source, _ = make_sides()
    source.settings["read_only"] = "moving"
    source.restart()
    again = subprocess.run([source.binary, "--listen", "127.0.0.1:0", "--data",
                            source.folder / "data"], capture_output=True, text=True, check=False,
                           timeout=PATIENCE_S)
    assert again.returncode == 1 and "another pieroned uses the data folder" in again.stderr


def test_postgresql_that_takes_pushes_is_known_by_its_settings(make_sides, client, migrate):
    source, destination = make_sides("postgresql folder", "sqlite folder")
    images = fill(client(source), new_repository())
    source.stop()
    assert_refused(migrate(source, destination), "set read_only")
    source.settings["read_only"] = "moving"
    assert_moved(migrate(source, destination))
    destination.start()
    registry = client(destination)
    assert all(registry.get_blob("team/any", digest_of(images[0].layer), "HEAD").status == 200
               for _ in range(2))


def blob_files(server):
    return [path for path in (server.folder / "data/blobs/sha256").glob("*/*") if path.is_file()]


def blob_file(server, digest):
    name = digest.removeprefix("sha256:")
    return server.folder / "data/blobs/sha256" / name[:2] / name


def test_killed_in_the_middle_it_goes_on_where_it_was(make_sides, client, migrate, binary):
    source, destination = make_sides()
    repository = new_repository()
    registry = client(source)
    images = [make_image() for _ in range(MANY)]
    for number, image in enumerate(images):
        assert registry.push_image(repository, f"1.{number}", image).status == 201
    source.stop()
    with subprocess.Popen([binary, *arguments(source, destination)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: len(blob_files(destination)) > MANY // 3, "blobs to come", PATIENCE_S)
        process.kill()
    there = len(blob_files(destination))
    assert there < 2 * MANY, "it was not in the middle"
    with pytest.raises(AssertionError, match="not all of it has come"):
        destination.start()
    result = assert_moved(migrate(source, destination))
    assert f"{there} copied earlier" in result.stdout
    assert not list((destination.folder / "data/blobs/uploads").iterdir())
    destination.start()
    registry = client(destination)
    assert len(registry.list_tags(repository).json()["tags"]) == MANY
    for number, image in enumerate(images):
        assert_has(registry, repository, image, f"1.{number}")


def test_damaged_and_missing_blobs_are_named_and_not_moved(make_sides, client, migrate):
    source, destination = make_sides()
    repository = new_repository()
    images = fill(client(source), repository)
    source.stop()
    damaged, missing = (digest_of(images[i].layer) for i in (0, 1))
    whole = blob_file(source, damaged).read_bytes()
    blob_file(source, damaged).chmod(0o600)
    blob_file(source, damaged).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    blob_file(source, missing).unlink()
    result = assert_refused(migrate(source, destination), "2 blobs (above) are damaged or missing",
                            "then run this again", f"damaged: {damaged}: ", f"damaged: {missing}: ")
    assert "all rows" not in result.stdout
    assert not blob_file(destination, damaged).exists()
    assert len(blob_files(destination)) == 4
    assert not list((destination.folder / "data/blobs/uploads").iterdir())
    blob_file(source, damaged).write_bytes(whole)
    assert_refused(migrate(source, destination), "1 blobs")
    result = assert_moved(migrate(source, destination, "--skip-damaged"))
    assert "1 damaged" in result.stdout and missing in result.stderr
    destination.start()
    registry = client(destination)
    assert_has(registry, repository, images[0], "1.0")
    assert registry.get_blob(repository, missing).status == 404


def test_destination_that_has_something_is_left_alone(make_sides, client, migrate, start, kinds):
    source, destination = make_sides()
    images = fill(client(source), new_repository())
    destination.start()
    mine = make_image()
    assert client(destination).push_image("team/mine", "1.0", mine).status == 201
    destination.stop()
    source.stop()
    assert_refused(migrate(source, destination), "there is a registry in the destination already")
    destination.start()
    registry = client(destination)
    assert_has(registry, "team/mine", mine, "1.0")
    assert registry.get_blob("team/mine", digest_of(images[0].layer)).status == 404


def test_half_of_another_registry_is_left_alone(make_sides, client, migrate, start, kinds):
    source, destination = make_sides()
    fill(client(source), new_repository())
    other = start(kinds("sqlite folder").settings("sqlite folder", "other"))
    fill(client(other), new_repository())
    other.stop()
    assert_refused(migrate(source, destination), "set read_only")  # it takes pushes
    assert_refused(migrate(other, destination), "another registry is being moved")
    source.stop()
    assert_moved(migrate(source, destination))


def test_moved_destination_takes_no_other_and_a_running_one_none(make_sides, client, migrate):
    source, destination = make_sides()
    fill(client(source), new_repository())
    source.stop()
    destination.start()
    assert_refused(migrate(source, destination), "another pieroned uses the data folder")
    destination.stop()
    assert_moved(migrate(source, destination))
    assert_refused(migrate(source, destination), "there is a registry in the destination already")


def test_real_clients_pull_by_digest_what_was_moved(make_sides, client, migrate, skopeo, docker,
                                                    client_folder):
    source, destination = make_sides("sqlite folder", "postgresql s3")
    repository = new_repository()
    image = make_image()
    layout = write_image(client_folder / "out", image)
    skopeo.run("copy", "--dest-tls-verify=false", "--preserve-digests", layout,
               f"docker://{source.host}/{repository}:1.0")
    source.stop()
    assert_moved(migrate(source, destination))
    destination.start()
    name = f"{destination.host}/{repository}@{image.digest}"
    skopeo.run("copy", "--src-tls-verify=false", f"docker://{name}", f"oci:{client_folder / 'in'}")
    docker.run("pull", name)
    assert client(destination).list_tags(repository).json()["tags"] == ["1.0"]


@pytest.mark.parametrize("words,said", [
    (["--from", "/nowhere.yaml", "--to", "/nowhere.yaml"], "/nowhere.yaml"),
    (["--from", "/tmp", "--to", "/tmp"], "there is no database /tmp/metadata.sqlite"),
])
def test_wrong_sides_are_named(binary, words, said):
    result = run_once(binary, "migrate", *words)
    assert result.returncode == 1 and said in result.stderr
